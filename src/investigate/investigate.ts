import { availableParallelism, totalmem } from 'node:os'
import { judgeRoles, stitch } from '../conversations/connections.ts'
import { lateness_us, packetGap_us } from '../conversations/intervals.ts'
import { findingsMax } from '../detect/rule.ts'
import { findAll } from '../detect/rules.ts'
import { UserError } from '../errors.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { utcSeconds } from '../net/time.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import type { Sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import { reading } from '../store/damage.ts'
import type { Row } from '../store/duckdb.ts'
import { bothWaysOf } from '../store/entries.ts'
import { flowsSource } from '../store/flows-source.ts'
import { isUnread } from '../store/reports.ts'
import { gatherActions, oneSidedLimits, rejectedOnlyGap } from './actions.ts'
import { correlate } from './correlation.ts'
import { gapsMax, gatherCoverage, gatherSpans, sensorsMax } from './coverage.ts'
import type { Count, Dossier, PortRow } from './dossier.ts'
import { cannotTell, notLogged } from './limits.ts'
import {
  attackSurface,
  chooseServices,
  defaultServicesMax,
  listedServices,
  otherServices,
  servicesOfFindings,
} from './listing.ts'
import { countSubjectOnce, gatherRecords, intervalSeconds } from './records.ts'
import { defaultApprovedPorts, judgeServices, readServices } from './services.ts'
import { gatherTimeline } from './timeline.ts'
import { gatherVantages, vantagesMax } from './vantages.ts'
import { showWork } from './work.ts'

export interface InvestigateOptions {
  /** Ports whose use the analyst approves of; by default 22, 53, 80, 123, 443. */
  approvedPorts?: number[]
  /** Prefixes that count as internal beside the private ones. */
  internal?: string[]
  /** Services that are listed one by one, 10,000 by default: the others are summed. What a finding rests on is always listed. */
  servicesMax?: number
  signal?: AbortSignal
}

/** Services of one outcome that the attack surface lists. */
const surfaceMax = 10_000

/**
 * The dossier of one or more addresses or prefixes: who, from when to when, how much, through which services, what else, how sure.
 *
 * @throws UserError (status 2) when a subject is no address or prefix.
 */
export async function investigate(c: Case, subjects: string[], options: InvestigateOptions = {}): Promise<Dossier> {
  const subject = prefixes(subjects, 'not an address or prefix')
  if (subject.length === 0)
    throw new UserError('no subject', {
      status: 2,
      hint: 'name an address or prefix: tidemark investigate 20.106.124.93',
    })
  const own = prefixes(options.internal ?? [], 'not a prefix in --internal')
  return c.db.question(options.signal, () => reading(c, () => gatherAll(c, subject, own, options)))
}

async function gatherAll(
  c: Case,
  subject: readonly Prefix[],
  own: readonly Prefix[],
  options: InvestigateOptions,
): Promise<Dossier> {
  const [setting] = await c.db.rows(`SELECT current_setting('memory_limit') AS most`)
  try {
    await c.db.run(`SET memory_limit = '${memoryMax(0)}MB'`)
    await gatherRecords(c, subject)
    const [found] = await c.db.rows('SELECT count(*) AS n FROM s')
    await c.db.run(`SET memory_limit = '${memoryMax(Number(found!['n']))}MB'`)
    // It reads all records; the steps until it is needed are of the subject's, and leave processors idle.
    const spans = gatherSpans(c)
    const ended = spans.catch(() => undefined)
    try {
      return await gather(c, subject, own, options, spans)
    } finally {
      await ended
    }
  } finally {
    await c.db.run(`SET memory_limit = '${String(setting!['most'])}'`)
  }
}

/**
 * Megabytes that DuckDB may use for so many records; the rest goes to the disk. A flood has as many connections as records and as many
 * services: all in memory would be 2 KB a source, where 128 bytes are enough to get on.
 */
function memoryMax(records: number): number {
  const most = Math.max(512, totalmem() / 2 ** 20 / 4)
  return Math.floor(Math.min(most, Math.max(256, 64 * availableParallelism()) + (128 * records) / 1e6))
}

function prefixes(texts: readonly string[], problem: string): Prefix[] {
  return texts.map(text => {
    const prefix = parsePrefix(text)
    if (prefix === null)
      throw new UserError(`${problem}: ${text}`, {
        status: 2,
        hint: 'write 20.106.124.93, 10.0.0.0/8, 2001:db8::1 or 2001:db8::/32',
      })
    return prefix
  })
}

async function gather(
  c: Case,
  subject: readonly Prefix[],
  own: readonly Prefix[],
  options: InvestigateOptions,
  spans: Promise<void>,
): Promise<Dossier> {
  await countSubjectOnce(c, subject)
  // A coarser log that adds nothing to another one must not join what the other keeps apart.
  const interval = await intervalSeconds(c)
  const lateness = c.source === 'logs' ? lateness_us / 1_000_000 : 0
  const gap_us = c.source === 'logs' ? interval * 1_000_000 + lateness_us : packetGap_us
  await stitch(c, interval * 1_000_000, gap_us)
  await judgeRoles(c, own)
  await judgeServices(c, subject, options.approvedPorts ?? defaultApprovedPorts)
  const [sums] = await c.db.rows(
    `SELECT count(*) AS subject, count(*) FILTER (rejected) AS rejected, min(start_us) AS first_us, max(start_us) AS last_start_us, max(end_us) AS last_us FROM s`,
  )
  const [records, rejected] = [Number(sums!['subject']), Number(sums!['rejected'])]
  const window = records === 0 ? null : { from_us: Number(sums!['first_us']), to_us: Number(sums!['last_us']) }
  await spans
  const actions = await gatherActions(c)
  const coverage = await gatherCoverage(c, window, rejectedOnlyGap(actions))
  const run = (query: Sql): Promise<Row[]> => c.db.rows(query.text, query.values)
  const { findings, others } = await findAll({
    run,
    own,
    readServices: query => readServices(c, query),
    source: c.source,
    flowsSource: flowsSource(c),
    placeIn: placesOf(c),
  })
  const servicesMax = options.servicesMax ?? defaultServicesMax
  await chooseServices(c, findings, servicesMax)
  const ofFindings = await servicesOfFindings(c, findings)
  const correlated = c.source === 'packets' ? null : await correlate(c, subject, interval * 1_000_000, coverage, own)
  const complete = coverage.gaps.length === 0
  const vantages = await gatherVantages(c)
  const dossier: Dossier = {
    subject: subject.map(prefix => prefix.text),
    window: windowOf(window, Number(sums!['last_start_us'])),
    window_error: windowErrorOf(interval, lateness),
    records: { total: recordsOf(c), subject: records, accepted: records - rejected, rejected },
    ...(await volumes(c, subject, !complete || (c.source === 'packets' && bothWaysOf(c) > 0))),
    ports: await gatherPorts(c),
    services: await listedServices(c, findings),
    services_other: await otherServices(c),
    attack_surface: { complete, ...(await attackSurface(c, surfaceMax)), gaps: coverage.gaps },
    findings: findings.map(({ services: _, ...finding }, i) => ({ ...finding, services_total: ofFindings[i]! })),
    findings_other: others,
    vantages: vantages.listed,
    vantages_other: vantages.other,
    coverage: coverage.sensors,
    ...actions,
    timeline: window === null ? [] : await gatherTimeline(c, window.from_us, window.to_us),
    correlation: correlated?.rows ?? [],
    correlation_summary: correlated?.summary ?? null,
    limits: limitsOf(servicesMax),
    not_listed: { gaps: coverage.gapsLeft, coverage: coverage.sensorsLeft },
    not_logged: c.source === 'logs' ? notLogged : [],
    cannot_tell: [...cannotTell(c), ...oneSidedLimits(actions)],
    work: [],
    problems: c.problems,
    evidence: evidenceCounts(c),
    source: c.source,
  }
  dossier.work = showWork(c, subject, dossier)
  return dossier
}

function windowOf(window: { from_us: number; to_us: number } | null, last_start_us: number): Dossier['window'] {
  return {
    first_start: window && utcSeconds(window.from_us),
    last_start: window && utcSeconds(last_start_us),
    last_end: window && utcSeconds(window.to_us),
    seconds: window && (window.to_us - window.from_us) / 1e6,
  }
}

function windowErrorOf(interval_seconds: number, lateness_seconds: number): Dossier['window_error'] {
  return { start_seconds: lateness_seconds, end_seconds: lateness_seconds, interval_seconds, lateness_seconds }
}

/** Most rows of each list. */
function limitsOf(services: number): Dossier['limits'] {
  return {
    services,
    surface: surfaceMax,
    findings_of_a_rule: findingsMax,
    gaps: gapsMax,
    vantages: vantagesMax,
    coverage: sensorsMax,
  }
}

async function volumes(
  c: Case,
  subject: readonly Prefix[],
  atLeast: boolean,
): Promise<Pick<Dossier, 'bytes' | 'packets'>> {
  const side = async (name: 'src' | 'dst'): Promise<Row> => {
    const test = inAnyPrefix(`${name}_hi`, `${name}_lo`, subject)
    const rows = await c.db.rows(
      `SELECT coalesce(sum(bytes), 0) AS bytes, coalesce(sum(packets), 0) AS packets FROM s WHERE counted AND NOT rejected AND ${test.text}`,
      test.values,
    )
    return rows[0]!
  }
  const from = await side('src')
  const to = await side('dst')
  return {
    bytes: { from_subject: from['bytes'] as Count, to_subject: to['bytes'] as Count, at_least: atLeast },
    packets: { from_subject: from['packets'] as Count, to_subject: to['packets'] as Count, at_least: atLeast },
  }
}

async function gatherPorts(c: Case): Promise<PortRow[]> {
  const rows = await c.db.rows(`
    SELECT port, protocol,
      count(*) FILTER (side = 'src') AS src_records, count(*) FILTER (side = 'src' AND rejected) AS src_rejected,
      coalesce(sum(packets) FILTER (side = 'src'), 0) AS src_packets, coalesce(sum(bytes) FILTER (side = 'src'), 0) AS src_bytes,
      count(*) FILTER (side = 'dst') AS dst_records, count(*) FILTER (side = 'dst' AND rejected) AS dst_rejected,
      coalesce(sum(packets) FILTER (side = 'dst'), 0) AS dst_packets, coalesce(sum(bytes) FILTER (side = 'dst'), 0) AS dst_bytes
    FROM (SELECT srcport AS port, protocol, 'src' AS side, rejected, packets, bytes FROM s
      UNION ALL SELECT dstport, protocol, 'dst', rejected, packets, bytes FROM s)
    WHERE port IS NOT NULL AND protocol IS NOT NULL GROUP BY port, protocol ORDER BY protocol, port`)
  const counts = (row: Row, side: 'src' | 'dst'): PortRow['as_source'] => ({
    records: Number(row[`${side}_records`]),
    rejected: Number(row[`${side}_rejected`]),
    packets: row[`${side}_packets`] as Count,
    bytes: row[`${side}_bytes`] as Count,
  })
  return rows.map(row => ({
    port: Number(row['port']),
    protocol: Number(row['protocol']),
    as_source: counts(row, 'src'),
    as_destination: counts(row, 'dst'),
  }))
}

/** What a record's number counts in the file of that path. */
function placesOf(c: Case): (path: string) => 'line' | 'packet' | 'record' {
  const packets = new Map(
    c.evidence
      .filter(file => file.id !== null && (file.capture !== null || file.nfcapd !== null))
      .map(file => [file.path, file.capture === null ? ('record' as const) : ('packet' as const)]),
  )
  return path => packets.get(path) ?? 'line'
}

/** Of the kind that the dossier counts: the two kinds are never added. */
function recordsOf(c: Case): number {
  const isPackets = (file: Case['evidence'][number]): boolean => file.capture !== null || file.nfcapd !== null
  return c.evidence
    .filter(file => isPackets(file) === (c.source === 'packets'))
    .reduce((sum, file) => sum + file.records, 0)
}

function evidenceCounts(c: Case): Dossier['evidence'] {
  const sum = (name: 'malformed' | 'no_data' | 'skip_data'): number =>
    c.evidence.reduce((total, file) => total + file[name], 0)
  return {
    files: c.evidence.filter(file => file.status === 'read' || file.status === 'partly-read').length,
    partly_read: c.evidence.filter(file => file.status === 'partly-read').length,
    unreadable: c.evidence.filter(isUnread).length,
    captures: c.evidence.filter(file => file.capture !== null).length,
    packets: c.evidence.reduce((total, file) => total + (file.capture?.packets ?? 0), 0),
    packet_copies: c.evidence.reduce((total, file) => total + (file.capture?.copies ?? 0), 0),
    packet_copies_suspected: c.evidence.reduce((total, file) => total + (file.capture?.copies_suspected ?? 0), 0),
    nfcapd_files: c.evidence.filter(file => file.nfcapd !== null).length,
    malformed: sum('malformed'),
    no_data: sum('no_data'),
    skip_data: sum('skip_data'),
  }
}
