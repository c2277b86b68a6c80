import { availableParallelism, totalmem } from 'node:os'
import type { Chained } from '../conversations/conversations.ts'
import { lateness_us } from '../conversations/intervals.ts'
import { requirePulled } from '../conversations/pulled-part.ts'
import { servicesOf } from '../conversations/services.ts'
import { ofSubject, type SubjectRecords, subjectConversations, subjectRecords } from '../conversations/subject.ts'
import type { Enrichment, EnrichmentOptions } from '../enrich/enrichment.ts'
import { UserError } from '../errors.ts'
import { caseEnrichment } from '../filter/case-enrichment.ts'
import { prefixes } from '../net/given-prefixes.ts'
import type { Prefix } from '../net/prefix.ts'
import { subjectRules } from '../rules/all.ts'
import { type CaseRule, findingsMax } from '../rules/rule.ts'
import type { Case } from '../store/case.ts'
import { bothWaysOf } from '../store/entries.ts'
import { recordsBehind } from '../store/pulled.ts'
import { question } from '../store/question.ts'
import { isMetered, isUnread } from '../store/reports.ts'
import { gatherActions, oneSidedLimits, rejectedOnlyGap } from './actions.ts'
import { type CorrelationChoice, correlate } from './correlation.ts'
import { type Hosts, type LogSide, logSides } from './correlation-sides.ts'
import { gapsMax, gatherCoverage, gatherSpans, sensorsMax } from './coverage.ts'
import type { Dossier } from './dossier.ts'
import { type FoundFinding, findingsOf } from './findings.ts'
import { cannotTell, cutByPull, notLogged } from './limits.ts'
import { type FileOf, type LineReader, linesOf } from './lines.ts'
import { attackSurface, chooseServices, defaultServicesMax, listedServices, otherServices } from './listing.ts'
import { portsOf, rejectedRecords, shownWindow, volumesOf, windowOf } from './records.ts'
import { triageRejects } from './rejects.ts'
import { ofSensors, type SelectionOptions, selectionOf, selectionSql } from './selection.ts'
import { defaultApprovedPorts, type ToldServices, toldServices } from './services.ts'
import { gatherTimeline } from './timeline.ts'
import { listedVantages, vantagesMax, vantagesOf } from './vantages.ts'
import { whoIsWho } from './who.ts'
import { showWork } from './work.ts'

export interface InvestigateOptions {
  /** Ports whose use the analyst approves of; by default 22, 53, 80, 123, 443. */
  approvedPorts?: number[]
  /** Prefixes that count as internal beside the private ones. */
  internal?: string[]
  /** Services that are listed one by one, 10,000 by default: the others are summed. What a finding rests on is always listed. */
  servicesMax?: number
  /** What to look for; by default every rule, with its own thresholds. */
  rules?: readonly CaseRule[]
  /** Connections that `correlation` lists: all by default. */
  correlation?: CorrelationChoice
  /** The part of the subject's records that the dossier is about: all by default. */
  selection?: SelectionOptions
  /** Whether the `basis` of each finding names all its records, up to a million, and not only some. */
  basis?: 'some' | 'all'
  /** Whether a `basis` says the number of its file. */
  numbered?: boolean
  /** Files of the analyst's own that say what addresses are, beside those that are noted in the case. */
  enrichment?: EnrichmentOptions
  /** Called with what the findings and services rest on. */
  inspect?: (found: Found) => void
  signal?: AbortSignal
}

/** What an investigation has found, with the lines of its services. */
export interface Found {
  findings: readonly FoundFinding[]
  /** The numbers of the services that are listed, in order. */
  services: Uint32Array
  /** All of them, by number. */
  told: ToldServices
  /** The connections that services are made of. */
  chained: Chained
  lines: LineReader
  /** Prefixes of the case's own networks besides the private ones. */
  own: readonly Prefix[]
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
  requirePulled(c, subject)
  const own = prefixes(options.internal ?? [], 'not a prefix in --internal')
  const enrichment = await caseEnrichment(c, options.enrichment, options.signal)
  const mine = [...own, ...enrichment.internal]
  return question(c, options.signal, asked => gatherAll(asked, subject, mine, enrichment, options))
}

async function gatherAll(
  c: Case,
  subject: readonly Prefix[],
  own: readonly Prefix[],
  enrichment: Enrichment,
  options: InvestigateOptions,
): Promise<Dossier> {
  await c.db.useAtMost(memoryMax(0))
  const records = await subjectRecords(c, subject, { part: selectionSql(c, options.selection ?? {}) })
  await c.db.useAtMost(memoryMax(records.block.rows))
  // It reads all records; the steps until it is needed are of the subject's, and leave processors idle.
  const spans = gatherSpans(c)
  const ended = spans.catch(() => undefined)
  try {
    return await gather(c, subject, records, own, enrichment, options, spans)
  } finally {
    await ended
  }
}

/** Megabytes that DuckDB may use for a number of records; the rest goes to the disk. */
function memoryMax(records: number): number {
  const most = Math.max(512, totalmem() / 2 ** 20 / 4)
  return Math.floor(Math.min(most, Math.max(256, 64 * availableParallelism()) + (128 * records) / 1e6))
}

async function gather(
  c: Case,
  subject: readonly Prefix[],
  mine: SubjectRecords,
  own: readonly Prefix[],
  enrichment: Enrichment,
  options: InvestigateOptions,
  spans: Promise<void>,
): Promise<Dossier> {
  const { block } = mine
  const seenAt = vantagesOf(mine, c.source)
  const interval = seenAt.interval_seconds
  const lateness = c.source === 'logs' ? lateness_us / 1_000_000 : 0
  const chained = await subjectConversations(c, mine, subject, own)
  const services = servicesOf(chained)
  const approved = options.approvedPorts ?? defaultApprovedPorts
  const told = toldServices(services, mine, approved)
  const window = windowOf(block)
  const [records, rejected] = [block.rows, rejectedRecords(block)]
  await spans
  const asked = options.selection ?? {}
  const { part, covered, outside, shown } = await selectionOf(c, asked, ofSubject(c, subject), window)
  const { told: actions, rejectOnly } = await gatherActions(c)
  const coverage = await gatherCoverage(c, covered, seenAt.vantages, [...outside, ...rejectedOnlyGap(actions)])
  coverage.gaps = ofSensors(coverage.gaps, asked)
  coverage.sensors = ofSensors(coverage.sensors, asked)
  const lines = linesOf(block, chained, services, placesOf(c, options.numbered))
  const asSubject = { mine, chained, told, lines, own, approved, part }
  const { findings, others } = findingsOf(c, asSubject, options.rules ?? subjectRules)
  const spokenOf = findings.map(({ finding, services: some }) => ({
    ...{ id: finding.id, severity: finding.severity, services: some },
  }))
  const servicesMax = options.servicesMax ?? defaultServicesMax
  const listed = chooseServices(told, spokenOf, servicesMax)
  const logsOf = (hosts: Hosts): LogSide[] => logSides(hosts, chained, services, mine.dictionaries.hosts)
  const correlated =
    c.source === 'packets' || part !== null
      ? null
      : await correlate(c, subject, logsOf, interval * 1_000_000, coverage, own, options.correlation ?? 'all')
  const complete = coverage.gaps.length + coverage.gapsLeft === 0
  const who = whoIsWho(enrichment, told, mine.isSubject)
  const vantages = listedVantages(seenAt.vantages)
  const dossier: Dossier = {
    subject: subject.map(prefix => prefix.text),
    selection: shown,
    window: shownWindow(window),
    window_error: windowErrorOf(interval, lateness),
    records: { total: recordsOfCase(c), subject: records, accepted: records - rejected, rejected },
    ...volumesOf(mine, !complete || (c.source === 'packets' && bothWaysOf(c) > 0)),
    ports: portsOf(block),
    services: listedServices(told, listed, spokenOf),
    services_other: otherServices(told, listed),
    attack_surface: { complete, ...attackSurface(told, surfaceMax), gaps: coverage.gaps },
    findings: findings.map(one => one.finding),
    findings_other: others,
    vantages: vantages.listed,
    vantages_other: vantages.other,
    coverage: coverage.sensors,
    ...actions,
    rejects: await triageRejects(c, subject, mine, part, rejectOnly, placesOf(c)),
    timeline: window === null ? [] : gatherTimeline(window, mine, chained, services, listed),
    correlation: correlated?.rows ?? [],
    correlation_summary: correlated?.summary ?? null,
    limits: limitsOf(servicesMax),
    not_listed: { gaps: coverage.gapsLeft, coverage: coverage.sensorsLeft, addresses: who.left },
    not_logged: c.source === 'logs' ? notLogged : [],
    cannot_tell: [...cutByPull(c), ...oneSidedLimits(actions), ...cannotTell(c)],
    enrichment: enrichment.files,
    enrichment_problems: enrichment.problems,
    addresses: who.addresses,
    work: [],
    problems: c.problems,
    evidence: evidenceCounts(c),
    source: c.source,
  }
  options.inspect?.({ findings, services: listed.services, told, chained, lines, own })
  if (options.basis === 'all') for (const { finding, connections } of findings) finding.basis = lines.all(connections)
  dossier.work = showWork(c, subject, dossier, part)
  return dossier
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

/** The path of each file, and what a record's number counts in it. @param numbered whether places say the number of their file. */
export function placesOf(c: Case, numbered = false): FileOf {
  const files = new Map(c.evidence.filter(({ id }) => id !== null).map(file => [file.id, file]))
  return file => {
    const { path, capture, nfcapd } = files.get(file)!
    return { path, unit: capture !== null ? 'packet' : nfcapd !== null ? 'record' : 'line', numbered }
  }
}

/** Of the kind that the dossier counts: the two kinds are never added. */
export function recordsOfCase(c: Case): number {
  return c.evidence
    .filter(file => isMetered(file) === (c.source === 'packets'))
    .reduce((sum, file) => sum + recordsBehind(file, c.pulled), 0)
}

/** What the case was made from. */
export function evidenceCounts(c: Case): Dossier['evidence'] {
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
    flow_tables: c.evidence.filter(file => file.flow_table !== null).length,
    malformed: sum('malformed'),
    no_data: sum('no_data'),
    skip_data: sum('skip_data'),
  }
}
