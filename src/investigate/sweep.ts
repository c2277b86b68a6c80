/** Which of many indicators the evidence has, in one pass; a dossier is made of the few that weigh most. */

import { requirePulled } from '../conversations/pulled-part.ts'
import { collapsedTable } from '../flows/count-once.ts'
import { recordsOf } from '../flows/source.ts'
import { prefixes } from '../net/given-prefixes.ts'
import type { Prefix } from '../net/prefix.ts'
import { utcSeconds } from '../net/time.ts'
import { rawSql } from '../query/sql.ts'
import { severities } from '../rules/finding.ts'
import type { Case } from '../store/case.ts'
import { giveTable, numbers } from '../store/given-table.ts'
import { question } from '../store/question.ts'
import { isUnread } from '../store/reports.ts'
import { addressColumns } from '../store/views.ts'
import { gatherActions, rejectedOnlyGap } from './actions.ts'
import { gatherCoverage, gatherSpans } from './coverage.ts'
import type { Confidence, Count, Gap, Selection, Severity } from './dossier.ts'
import { type InvestigateOptions, investigate, recordsOfCase } from './investigate.ts'
import { ofSensors, selectionOf } from './selection.ts'

export interface SweepOptions extends InvestigateOptions {
  /** Indicators of which rules look at the records, 20 by default: those with the most records. */
  judgedMax?: number
  onJudged?: (done: number, of: number) => void
}

export interface SweepRow {
  indicator: string
  /** False: not seen in what was read, which is not proof of absence. */
  seen: boolean
  records: number
  rejected: number
  first_start: string | null
  last_end: string | null
  /** Of accepted records, traffic counted once. */
  bytes: {
    /** Null where there are records of that direction, and none of them says how many. */
    from_subject: Count | null
    to_subject: Count | null
    /** Some records do not say how many: the sums are without them. */
    at_least: boolean
  }
  /** Whether rules looked at it. */
  judged: boolean
  /** Findings of its dossier; null: not judged. */
  findings: number | null
  best_finding: { id: string; rule: string; title: string; severity: Severity; confidence: Confidence } | null
}

export interface Sweep {
  indicators: { total: number; seen: number; judged: number }
  /** In the order in which they were given. */
  sweep: SweepRow[]
  records: { total: number }
  selection: Selection
  /** No gap lies in the time that was asked for, or, without one, in that of the logs. */
  complete: boolean
  gaps: Gap[]
  gaps_not_listed: number
  limits: { judged: number }
  problems: Case['problems']
  evidence: { partly_read: number; unreadable: number; malformed: number }
}

const judgedByDefault = 20
const confidences = ['low', 'medium', 'high']

/**
 * Which of many indicators the case has records of, in one pass, and the findings of those with the most records.
 *
 * @throws UserError (status 2) when an indicator is no address or prefix, or a sensor is not in the case.
 */
export async function sweep(c: Case, indicators: readonly string[], options: SweepOptions = {}): Promise<Sweep> {
  const asked = prefixes(indicators, 'not an address or prefix')
  // Of what was left on an engine nothing says that it was not seen.
  requirePulled(c, asked)
  const found = await question(c, options.signal, own => look(own, asked, options))
  const most = options.judgedMax ?? judgedByDefault
  const weighty = found.rows
    .filter(row => row.seen)
    .sort((a, b) => b.records - a.records)
    .slice(0, most)
  for (const [i, row] of weighty.entries()) {
    options.onJudged?.(i, weighty.length)
    const { findings, findings_other } = await investigate(c, [row.indicator], {
      ...options,
      correlation: 'with-packets',
      servicesMax: 1,
    })
    row.judged = true
    row.findings = findings.length + findings_other.reduce((sum, other) => sum + other.count, 0)
    const [best] = [...findings].sort(
      (a, b) =>
        severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
        confidences.indexOf(b.confidence) - confidences.indexOf(a.confidence),
    )
    if (best !== undefined) {
      const { id, rule, title, severity, confidence } = best
      row.best_finding = { id, rule, title, severity, confidence }
    }
  }
  const { rows, ...about } = found
  return {
    indicators: { total: rows.length, seen: rows.filter(row => row.seen).length, judged: weighty.length },
    sweep: rows,
    ...about,
    limits: { judged: most },
  }
}

type Looked = Omit<Sweep, 'indicators' | 'sweep' | 'limits'> & { rows: SweepRow[] }

async function look(c: Case, prefixes: readonly Prefix[], options: SweepOptions): Promise<Looked> {
  const asked = options.selection ?? {}
  await gatherSpans(c)
  // What the ends of the window cut is told of each subject in its dossier.
  const { part, covered, outside, shown } = await selectionOf(c, asked, rawSql('false'), null)
  const coverage = await gatherCoverage(c, covered, [], [...outside, ...rejectedOnlyGap((await gatherActions(c)).told)])
  const gaps = ofSensors(coverage.gaps, asked)
  return {
    rows: await seenRows(c, prefixes, part ?? 'true'),
    records: { total: recordsOfCase(c) },
    selection: shown,
    complete: gaps.length + coverage.gapsLeft === 0,
    gaps,
    gaps_not_listed: coverage.gapsLeft,
    problems: c.problems,
    evidence: {
      partly_read: c.evidence.filter(file => file.status === 'partly-read').length,
      unreadable: c.evidence.filter(isUnread).length,
      malformed: c.evidence.reduce((sum, file) => sum + file.malformed, 0),
    },
  }
}

async function seenRows(c: Case, prefixes: readonly Prefix[], part: string): Promise<SweepRow[]> {
  await giveIndicators(c, prefixes)
  await giveHits(c, prefixes, part)
  const rows = await c.db.rows(await sumsSql(c, part))
  const byNumber = new Map(rows.map(row => [Number(row['ioc']), row]))
  const time = (us: unknown): string | null => (us === null || us === undefined ? null : utcSeconds(Number(us)))
  return prefixes.map(({ text }, i) => {
    const row = byNumber.get(i)
    const sum = (name: string): Count => (row?.[name] ?? 0) as Count
    return {
      indicator: text,
      seen: row !== undefined,
      records: Number(sum('records')),
      rejected: Number(sum('rejected')),
      first_start: time(row?.['first_us']),
      last_end: time(row?.['last_us']),
      bytes: {
        from_subject: row === undefined ? 0 : (row['bytes_from'] as Count | null),
        to_subject: row === undefined ? 0 : (row['bytes_to'] as Count | null),
        at_least: Number(sum('unsaid')) > 0,
      },
      judged: false,
      findings: null,
      best_finding: null,
    }
  })
}

/** The table `ioc`: of each indicator its first address, and the mask of its network. */
async function giveIndicators(c: Case, prefixes: readonly Prefix[]): Promise<void> {
  const count = prefixes.length
  const columns = {
    ioc: new Uint32Array(count),
    net_hi: new BigUint64Array(count),
    net_lo: new BigUint64Array(count),
    mask_hi: new BigUint64Array(count),
    mask_lo: new BigUint64Array(count),
  }
  for (const [i, { first, last }] of prefixes.entries()) {
    columns.ioc[i] = i
    columns.net_hi[i] = first.hi
    columns.net_lo[i] = first.lo
    columns.mask_hi[i] = BigInt.asUintN(64, ~(first.hi ^ last.hi))
    columns.mask_lo[i] = BigInt.asUintN(64, ~(first.lo ^ last.lo))
  }
  await giveTable(
    c.db,
    'ioc',
    Object.entries(columns).map(([name, values]) => numbers(name, values)),
    count,
  )
}

/** The table `hit`: the addresses of the records that an indicator names. A join for each length of network, not one for each indicator. */
async function giveHits(c: Case, prefixes: readonly Prefix[], part: string): Promise<void> {
  const isSingle = ({ first, last }: Prefix): boolean => first.hi === last.hi && first.lo === last.lo
  const masks = await c.db.rows('SELECT DISTINCT mask_hi, mask_lo FROM ioc')
  const addresses = addressColumns(c).map(name => `SELECT ${name}.hi AS hi, ${name}.lo AS lo FROM flows WHERE ${part}`)
  // A single address is itself what is looked for.
  const from = prefixes.every(isSingle)
    ? 'SELECT net_hi AS hi, net_lo AS lo FROM ioc'
    : `SELECT DISTINCT * FROM (${addresses.join(' UNION ALL ')})`
  await c.db.run(`CREATE OR REPLACE TEMP TABLE address AS ${from}`)
  const hits = masks.map(
    row => `SELECT ioc.*, a.hi, a.lo FROM address a JOIN ioc
      ON a.hi & ${row['mask_hi']}::UBIGINT = net_hi AND a.lo & ${row['mask_lo']}::UBIGINT = net_lo
      WHERE mask_hi = ${row['mask_hi']}::UBIGINT AND mask_lo = ${row['mask_lo']}::UBIGINT`,
  )
  await c.db.run(`CREATE OR REPLACE TEMP TABLE hit AS ${hits.join(' UNION ALL ')}`)
}

/** A record counts once for an indicator, whatever columns have it; its bytes count for either end, as in a dossier. */
async function sumsSql(c: Case, part: string): Promise<string> {
  const columns = addressColumns(c)
  const isIn = (name: string): string =>
    `coalesce(${name}.hi & mask_hi = net_hi AND ${name}.lo & mask_lo = net_lo, false)`
  const hasAction = c.columns.has('action')
  const joined = (end: string): string => `flows JOIN hit ON ${end}.hi = hit.hi AND ${end}.lo = hit.lo WHERE ${part}`
  const counts = columns.map(
    (
      name,
      i,
    ) => `SELECT ioc, count(*) AS records, ${hasAction ? `count(*) FILTER (action = 'REJECT')` : '0'} AS rejected,
        epoch_us(min("start")) AS first_us, epoch_us(max("end")) AS last_us, NULL AS bytes_from, NULL AS bytes_to,
        0 AS from_records, 0 AS to_records, 0 AS unsaid
      FROM ${joined(name)}${columns
        .slice(0, i)
        .map(before => ` AND NOT ${isIn(before)}`)
        .join('')} GROUP BY ioc`,
  )
  const collapsed = await collapsedTable(c, recordsOf(c))
  const once =
    collapsed === null
      ? ''
      : ` AND NOT EXISTS (FROM ${collapsed} o WHERE o._file = flows._file AND o._line = flows._line)`
  const accepted = hasAction ? ` AND action IS DISTINCT FROM 'REJECT'` : ''
  const end = (side: 'src' | 'dst'): string =>
    columns.includes(`pkt_${side}addr`) ? `coalesce(pkt_${side}addr, ${side}addr)` : `${side}addr`
  const both = ` AND ${end('src')} IS NOT NULL AND ${end('dst')} IS NOT NULL`
  const volumes = (['src', 'dst'] as const).map(
    side => `SELECT ioc, 0, 0, NULL, NULL, ${side === 'src' ? 'sum(bytes)' : 'NULL'}, ${side === 'dst' ? 'sum(bytes)' : 'NULL'},
        ${side === 'src' ? 'count(*)' : '0'}, ${side === 'dst' ? 'count(*)' : '0'}, count(*) - count(bytes)
      FROM ${joined(end(side))}${both}${accepted}${once} GROUP BY ioc`,
  )
  // Of no records the sum is zero; of records none of which says its bytes it is unknown.
  const total = (way: 'from' | 'to'): string =>
    `CASE WHEN sum(${way}_records) = 0 THEN 0 ELSE sum(bytes_${way}) END AS bytes_${way}`
  return `SELECT ioc, sum(records) AS records, sum(rejected) AS rejected, min(first_us) AS first_us, max(last_us) AS last_us,
      ${total('from')}, ${total('to')}, sum(unsaid) AS unsaid
    FROM (${[...counts, ...volumes].join(' UNION ALL ')}) GROUP BY ioc`
}
