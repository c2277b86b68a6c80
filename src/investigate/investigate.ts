import { availableParallelism, totalmem } from 'node:os'
import type { Chained } from '../conversations/conversations.ts'
import { lateness_us } from '../conversations/intervals.ts'
import { type Services, servicesOf } from '../conversations/services.ts'
import { type SubjectRecords, subjectConversations, subjectRecords } from '../conversations/subject.ts'
import { findingsMax, type Rule } from '../detect/rule.ts'
import { findAll } from '../detect/rules.ts'
import { UserError } from '../errors.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { trusted } from '../query/build.ts'
import type { Sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import type { Row } from '../store/duckdb.ts'
import { bothWaysOf } from '../store/entries.ts'
import { flowsSource } from '../store/flows-source.ts'
import { question } from '../store/question.ts'
import { isMetered, isUnread } from '../store/reports.ts'
import { gatherActions, oneSidedLimits, rejectedOnlyGap } from './actions.ts'
import { type CorrelationChoice, correlate } from './correlation.ts'
import { type Hosts, type LogSide, logSides } from './correlation-sides.ts'
import { gapsMax, gatherCoverage, gatherSpans, sensorsMax } from './coverage.ts'
import type { Dossier } from './dossier.ts'
import { cannotTell, notLogged } from './limits.ts'
import {
  attackSurface,
  chooseServices,
  defaultServicesMax,
  listedServices,
  otherServices,
  servicesOfFindings,
} from './listing.ts'
import { portsOf, rejectedRecords, shownWindow, volumesOf, windowOf } from './records.ts'
import { defaultApprovedPorts, readServices } from './services.ts'
import { giveConnections, giveRecords, giveServices } from './tables.ts'
import { gatherTimeline } from './timeline.ts'
import { listedVantages, vantagesMax, vantagesOf } from './vantages.ts'
import { showWork } from './work.ts'

export interface InvestigateOptions {
  /** Ports whose use the analyst approves of; by default 22, 53, 80, 123, 443. */
  approvedPorts?: number[]
  /** Prefixes that count as internal beside the private ones. */
  internal?: string[]
  /** Services that are listed one by one, 10,000 by default: the others are summed. What a finding rests on is always listed. */
  servicesMax?: number
  /** What to look for; by default every rule, with its own thresholds. */
  rules?: readonly Rule[]
  /** Connections that `correlation` lists: all by default. */
  correlation?: CorrelationChoice
  signal?: AbortSignal
}

/** Services of one outcome that the attack surface lists. */
const surfaceMax = 10_000

/**
 * The dossier of one or more addresses or prefixes: who, from when to when, how much, through which services, what else, how sure.
 *
 * May be asked at the same time as other questions of the case; the signal stops this one alone.
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
  return question(c, options.signal, asked => gatherAll(asked, subject, own, options))
}

async function gatherAll(
  c: Case,
  subject: readonly Prefix[],
  own: readonly Prefix[],
  options: InvestigateOptions,
): Promise<Dossier> {
  await c.db.useAtMost(memoryMax(0))
  const records = await subjectRecords(c, subject)
  await c.db.useAtMost(memoryMax(records.block.rows))
  // It reads all records; the steps until it is needed are of the subject's, and leave processors idle.
  const spans = gatherSpans(c)
  const ended = spans.catch(() => undefined)
  try {
    return await gather(c, subject, records, own, options, spans)
  } finally {
    await ended
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
  mine: SubjectRecords,
  own: readonly Prefix[],
  options: InvestigateOptions,
  spans: Promise<void>,
): Promise<Dossier> {
  const { block } = mine
  const seenAt = vantagesOf(mine, c.source)
  const interval = seenAt.interval_seconds
  const lateness = c.source === 'logs' ? lateness_us / 1_000_000 : 0
  const chained = await subjectConversations(c, mine, subject, own)
  const services = servicesOf(chained)
  await giveTables(c, mine, chained, services, options.approvedPorts ?? defaultApprovedPorts)
  const window = windowOf(block)
  const [records, rejected] = [block.rows, rejectedRecords(block)]
  await spans
  const actions = await gatherActions(c)
  const coverage = await gatherCoverage(c, window, seenAt.vantages, rejectedOnlyGap(actions))
  const run = (query: Sql): Promise<Row[]> => c.db.rows(query.text, query.values)
  const { findings, others } = await findAll(
    {
      run,
      own,
      readServices: query => readServices(c, query),
      source: c.source,
      flowsSource: trusted(flowsSource(c), []),
      placeIn: placesOf(c),
    },
    options.rules,
  )
  const servicesMax = options.servicesMax ?? defaultServicesMax
  await chooseServices(c, findings, servicesMax)
  const ofFindings = await servicesOfFindings(c, findings)
  const logsOf = (hosts: Hosts): LogSide[] => logSides(hosts, chained, services, mine.dictionaries.hosts)
  const correlated =
    c.source === 'packets'
      ? null
      : await correlate(c, subject, logsOf, interval * 1_000_000, coverage, own, options.correlation ?? 'all')
  const complete = coverage.gaps.length === 0
  const vantages = listedVantages(seenAt.vantages)
  const dossier: Dossier = {
    subject: subject.map(prefix => prefix.text),
    selection: { from: null, to: null, sensors: [], notes: [] },
    window: shownWindow(window),
    window_error: windowErrorOf(interval, lateness),
    records: { total: recordsOf(c), subject: records, accepted: records - rejected, rejected },
    ...volumesOf(mine, !complete || (c.source === 'packets' && bothWaysOf(c) > 0)),
    ports: portsOf(block),
    services: await listedServices(c, findings),
    services_other: await otherServices(c),
    attack_surface: { complete, ...(await attackSurface(c, surfaceMax)), gaps: coverage.gaps },
    findings: findings.map(({ services: _, ...finding }, i) => ({ ...finding, services_total: ofFindings[i]! })),
    findings_other: others,
    vantages: vantages.listed,
    vantages_other: vantages.other,
    coverage: coverage.sensors,
    ...actions,
    timeline: window === null ? [] : await gatherTimeline(c, window, mine, chained, services),
    correlation: correlated?.rows ?? [],
    correlation_summary: correlated?.summary ?? null,
    limits: limitsOf(servicesMax),
    not_listed: { gaps: coverage.gapsLeft, coverage: coverage.sensorsLeft },
    not_logged: c.source === 'logs' ? notLogged : [],
    cannot_tell: [...oneSidedLimits(actions), ...cannotTell(c)],
    work: [],
    problems: c.problems,
    evidence: evidenceCounts(c),
    source: c.source,
  }
  dossier.work = showWork(c, subject, dossier)
  return dossier
}

/** Those who ask in SQL find it in tables. */
async function giveTables(
  c: Case,
  mine: SubjectRecords,
  chained: Chained,
  services: Services,
  approved: readonly number[],
): Promise<void> {
  await giveServices(c.db, services, mine, approved)
  await giveConnections(c.db, chained, services, mine.dictionaries.hosts)
  await giveRecords(c.db, mine, chained)
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
  return c.evidence
    .filter(file => isMetered(file) === (c.source === 'packets'))
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
