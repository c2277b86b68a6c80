/** Who in a case behaves like an attacker, in which order, how sure, and what could not be decided. */
import { emptyFacts, nothingSeen } from '../conversations/host-facts.ts'
import { internalMarks, marksOf } from '../conversations/hosts.ts'
import { intervalOf, shortestInterval } from '../conversations/intervals.ts'
import { type KeptConnections, withConnections } from '../conversations/kept-connections.ts'
import { usualLimits, type WholeLimits } from '../conversations/whole.ts'
import type { Enrichment, EnrichmentOptions } from '../enrich/enrichment.ts'
import { caseEnrichment } from '../filter/case-enrichment.ts'
import { parse } from '../filter/filter.ts'
import type { Dossier, FilesSay } from '../investigate/dossier.ts'
import { sqlOf } from '../investigate/finding-sql.ts'
import { evidenceCounts, placesOf, recordsOfCase } from '../investigate/investigate.ts'
import { basisAt } from '../investigate/lines.ts'
import { partOfFlows } from '../investigate/selection.ts'
import { filesSay } from '../investigate/who.ts'
import { prefixes } from '../net/given-prefixes.ts'
import type { Prefix } from '../net/prefix.ts'
import { utcSeconds } from '../net/time.ts'
import { trusted } from '../query/build.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { type CaseEvidence, fieldsOf, type ListsOf } from '../rules/evidence.ts'
import type { Finding, Severity } from '../rules/finding.ts'
import { type FailedRule, RuleFailure } from '../rules/own-findings.ts'
import type { CaseRule, Score, Tactic } from '../rules/rule.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import { type Capability, capabilityOf, type NotDecidable, undecided } from './capability.ts'
import type { CaseSettings } from './case-work.ts'
import { type Filtered, filteredConnections } from './filtered.ts'
import { basesOf } from './lines.ts'
import { listRules, type RuleList } from './list-rules.ts'
import type { PartOfAll, PartSettings } from './part.ts'
import { type RankedHost, rankHosts } from './ranking.ts'
import { type RuleChoice, rulesInForce } from './rules-in-force.ts'
import { type FoundInCase, findInCase, isWhole } from './run.ts'
import type { SetThreshold } from './thresholds.ts'
import type { ToldDraft } from './told.ts'

export interface DetectOptions extends RuleChoice {
  /**
   * Only connections that have a record which meets it: a filter as `flows` has it, and files that it names are read. Conversations are worked out of
   * all records, and what rules know of hosts is of all connections.
   */
  filter?: string
  /** Whether the filter may name files; no, for a filter from elsewhere. */
  files?: boolean
  /** Prefixes that count as internal beside the private ones. */
  internal?: string[]
  /** Files of one's own that say what addresses are, beside those that are noted in the case. */
  enrichment?: EnrichmentOptions
  /** Addresses or prefixes of scanners of one's own. */
  scanners?: string[]
  /** Only connections that begin in that time, microseconds since the epoch. */
  from_us?: number
  to_us?: number
  /** Only findings that one of these addresses or prefixes is in. */
  hosts?: string[]
  /** Only findings that are at least that severe. */
  minSeverity?: Severity
  /** Whether a `basis` says the number of its file. */
  numbered?: boolean
  /** Into how many parts and threads the work is divided; for tests. */
  limits?: WholeLimits
  /** Called with what the findings rest on, in their order. */
  inspect?: (found: Pick<FoundInCase, 'listed' | 'evidence'>) => void
  signal?: AbortSignal
}

/** A finding over a whole case. Peers are those with the smallest addresses where there are too many. */
export interface CaseFinding extends Omit<Finding, 'services_total'> {
  subject: string[]
  subject_total: number
  peers: string[]
  peers_total: number
  connections: number
  tactic: Tactic
  scores: Score[]
  would_change: string
  /** Commands that show more. */
  next: string[]
}

export interface SuspectHost {
  address: string
  rank: number
  role: RankedHost['role']
  /** The highest of the findings in which it acts or is acted upon. */
  severity: Severity
  tactics: Tactic[]
  findings: string[]
  peers: string[]
  peers_total: number
  first_start: string
  last_end: string
  why: string
  /** What the analyst's own files say of it, lists at the time of its findings; null without such files. */
  said: FilesSay | null
}

/** What a filter chose. */
export interface SelectedByFilter {
  text: string
  /** Records that meet it, and those of which it cannot be told. */
  records: number
  unknown: number
  /** Connections of the case, of which `connections` have such a record. */
  of_connections: number
  /** Why something cannot be told, and what the writer may not have meant. */
  notes: string[]
}

export interface Detections {
  selection: {
    from: string | null
    to: string | null
    hosts: string[]
    rules: string[]
    min_severity: Severity | null
    /** Networks that were named as one's own, and scanners; the folder of rules of one's own. */
    internal: string[]
    scanners: string[]
    own_rules: string | null
    filter: SelectedByFilter | null
    /** Thresholds that were set, in place of which. */
    set: SetThreshold[]
  }
  window: { first_start: string; last_end: string } | null
  records: { total: number }
  connections: number
  coverage: Capability
  hosts: SuspectHost[]
  hosts_total: number
  findings: CaseFinding[]
  /** What rules found beyond those that are told singly. */
  findings_other: { rule: string; count: number }[]
  not_decidable: NotDecidable[]
  /** Rules of the analyst's own that failed: what they found is in no finding. */
  rules_failed: FailedRule[]
  /** The analyst's own files that were used, and what of them could not be. */
  enrichment: Dossier['enrichment']
  enrichment_problems: Dossier['enrichment_problems']
  problems: Dossier['problems']
  evidence: Dossier['evidence']
  source: Dossier['source']
}

/** Most addresses of a list, and most hosts. */
const addressesMax = 1000
const hostsMax = 10_000

/**
 * Runs every rule over the whole case and ranks its hosts. May be asked at the same time as other questions of the case.
 *
 * @throws UserError (status 2) for what is no address, prefix, rule or threshold; where there is too little memory for the conversations.
 */
export async function detect(c: Case, options: DetectOptions = {}): Promise<Detections> {
  return detectIn(c, options)
}

/** The same in a case that has all records of some hosts alone: findings that rest on those of others are left out. @throws UserError */
export async function detectPart(c: Case, part: PartOfAll, options: DetectOptions): Promise<Detections> {
  return detectIn(c, { ...options, part })
}

interface Asked extends DetectOptions {
  part?: PartOfAll
}

async function detectIn(c: Case, options: Asked): Promise<Detections> {
  const inForce = await rulesInForce(options)
  const files = await caseEnrichment(c, options.enrichment, options.signal)
  const own = [...prefixes(options.internal ?? [], 'not a prefix in --internal'), ...files.internal]
  const scanners = prefixes(options.scanners ?? [], 'not an address or prefix in --scanner')
  const hosts = prefixes(options.hosts ?? [], 'not an address or prefix in --host')
  return question(c, options.signal, asked =>
    withRecordIndex(asked, asked.source, index =>
      withConnections(asked, index, { evidence: asked.source, own, limits: options.limits }, async kept => {
        const limits = options.limits ?? usualLimits(index.rows)
        const chosen = options.filter === undefined ? null : await chosenBy(asked, index, own, limits, options)
        const settings = settingsOf(asked, index, kept, own, scanners, {
          ...{ ...options, hosts, files },
          chosen: chosen?.connections ?? null,
        })
        const { hi, lo } = settings.hosts
        const listsOf: ListsOf = (host, from_us, to_us) => files.listsOf(hi[host]!, lo[host]!, from_us, to_us)
        const going = (): void => asked.db.requireGoing()
        const found = await findInCase(kept, settings, options, limits.threads, going, listsOf)
        return answer(asked, index, found, inForce, chosen, files, options)
      }),
    ),
  )
}

/** The analyst's own networks: those that are named, and those of files, with what of these could not be used. @throws UserError (status 2) for what is no prefix. */
export async function ownNetworks(
  c: Case,
  { internal, enrichment, signal }: Pick<DetectOptions, 'internal' | 'enrichment' | 'signal'>,
): Promise<{ own: Prefix[]; files: Pick<Detections, 'enrichment' | 'enrichment_problems'> }> {
  const { internal: ofFiles, files, problems } = await caseEnrichment(c, enrichment, signal, new Set())
  return {
    own: [...prefixes(internal ?? [], 'not a prefix in --internal'), ...ofFiles],
    files: { enrichment: files, enrichment_problems: problems },
  }
}

/** Every rule as data, with the thresholds in force. @throws UserError (status 2) */
export async function listedRules(options: RuleChoice = {}): Promise<RuleList> {
  const { rules, set } = await rulesInForce(options)
  return listRules(rules, set)
}

/** The connections with a record that meets a filter. @throws UserError */
export async function chosenBy(
  c: Case,
  index: RecordIndex,
  own: readonly Prefix[],
  limits: WholeLimits,
  {
    filter: text = '',
    files = true,
    enrichment,
    signal,
  }: Pick<DetectOptions, 'filter' | 'files' | 'enrichment' | 'signal'>,
): Promise<Filtered & { text: string }> {
  const filter = parse(text, { columns: c.columns, files })
  const found = await filteredConnections(c, index, filter, own, limits, { enrichment, signal })
  return { ...found, text, notes: [...filter.notes, ...found.notes] }
}

/** What all threads know, of an index of the case. */
export function settingsOf(
  c: Case,
  index: RecordIndex,
  kept: KeptConnections,
  own: readonly Prefix[],
  scanners: readonly Prefix[],
  {
    hosts: asked,
    from_us,
    to_us,
    minSeverity,
    part,
    files = null,
    chosen = null,
  }: Pick<Asked, 'from_us' | 'to_us' | 'minSeverity' | 'part'> & {
    hosts: readonly Prefix[]
    files?: Enrichment | null
    chosen?: Uint8Array | null
  },
): CaseSettings {
  const { hosts, vantages } = index.dictionaries
  const time = { ...(from_us !== undefined && { from_us }), ...(to_us !== undefined && { to_us }) }
  return {
    source: c.source,
    ...{ interval_us: intervalOf(c.source, vantages), shortest_us: shortestInterval(c.source, vantages) },
    ...fieldsOf(c),
    hosts,
    internal: internalMarks(hosts, own),
    ...rolesOf(hosts, scanners, files),
    asked: asked.length === 0 ? null : marksOf(hosts, asked),
    named: files?.has.lists === true ? new Uint8Array(new SharedArrayBuffer(hosts.count)) : null,
    facts: isWhole({ time }) ? kept.facts(hosts.count) : emptyFacts(hosts.count),
    time,
    minSeverity: minSeverity ?? 'info',
    chosen,
    part: part === undefined ? null : partSettings(c, hosts, part),
  }
}

/** Whether records were rejected, and accepted, is known of all: a pull brings their sums. */
function partSettings(
  { pulled }: Pick<Case, 'pulled'>,
  hosts: RecordDictionaries['hosts'],
  { whole, rests, span }: PartOfAll,
): PartSettings {
  const parts = [...(pulled?.parts.values() ?? [])]
  const rejected = parts.some(one => one.rejected > 0)
  const accepted = parts.some(one => one.rejected < one.records)
  return { whole: marksOf(hosts, whole), rests, seen: { ...nothingSeen, span, rejected, accepted } }
}

/** Marks of scanners, translators and hosts of administration, by what the analyst's own files say of networks. */
function rolesOf(
  hosts: RecordDictionaries['hosts'],
  scanners: readonly Prefix[],
  files: Enrichment | null,
): Pick<CaseSettings, 'scanners' | 'translators' | 'administration'> {
  const marks = {
    scanners: marksOf(hosts, scanners),
    translators: marksOf(hosts, []),
    administration: marksOf(hosts, []),
  }
  for (let host = 0; files?.has.networks === true && host < hosts.count; host++) {
    const [hi, lo] = [hosts.hi[host]!, hosts.lo[host]!]
    if (files.isScanner(hi, lo)) marks.scanners[host] = 1
    if (files.isTranslator(hi, lo)) marks.translators[host] = 1
    if (files.isAdministration(hi, lo)) marks.administration[host] = 1
  }
  return marks
}

async function answer(
  c: Case,
  index: RecordIndex,
  { listed, others, seen, evidence, looked, failed }: FoundInCase,
  { rules, set }: Awaited<ReturnType<typeof rulesInForce>>,
  chosen: (Filtered & { text: string }) | null,
  files: Enrichment,
  options: Asked,
): Promise<Detections> {
  const coverage = await capabilityOf(c, evidence, seen, options.part !== undefined)
  const ranked = rankHosts(listed, evidence.isInternal, at => `F${at + 1}`)
  const bases = await basesOf(index, listed, basisOf(c, options.numbered))
  const { span, count } = seen
  options.inspect?.({ listed, evidence })
  return {
    selection: {
      ...{ ...selectionOf(options), set },
      filter: chosen === null ? null : selectedBy(chosen, count),
    },
    window: count === 0 ? null : { first_start: utcSeconds(span.from_us), last_end: utcSeconds(span.to_us) },
    records: { total: recordsOfCase(c) },
    connections: looked,
    coverage,
    hosts: ranked.slice(0, hostsMax).map((one, i) => suspect(index, evidence, files, one, i + 1)),
    hosts_total: ranked.length,
    findings: listed.map((one, i) => ({ ...shown(c, evidence, one, `F${i + 1}`), basis: bases[i]! })),
    findings_other: others,
    ...limitsIn(
      options.part === undefined ? evidence : asOfAll(evidence),
      { ...seen, count: looked },
      coverage,
      rules,
      failed,
    ),
    enrichment: files.files,
    enrichment_problems: files.problems,
    problems: c.problems,
    evidence: evidenceCounts(c),
    source: c.source,
  }
}

function selectedBy(
  { text, records, unknown, notes }: Filtered & { text: string },
  of_connections: number,
): SelectedByFilter {
  return { text, records, unknown, of_connections, notes: [...notes] }
}

/** What could not be decided, and which rules failed: one of the analyst's own may do so when it is asked for its limits, too. */
function limitsIn(
  evidence: CaseEvidence,
  seen: FoundInCase['seen'],
  coverage: Capability,
  rules: readonly CaseRule[],
  failed: readonly FailedRule[],
): Pick<Detections, 'not_decidable' | 'rules_failed'> {
  const sound = rules.filter(({ name }) => !failed.some(({ rule }) => rule === name))
  try {
    return { not_decidable: undecided(evidence, seen, coverage, sound), rules_failed: [...failed] }
  } catch (error) {
    if (!(error instanceof RuleFailure)) throw error
    const { rule, path, problem } = error
    return limitsIn(evidence, seen, coverage, rules, [...failed, { rule, path, problem }])
  }
}

/** Of a part it is not known whether others were answered, and which internal hosts spoke to each other: that is not held against it. */
function asOfAll(evidence: CaseEvidence): CaseEvidence {
  return { ...evidence, has: { ...evidence.has, answers: true }, ownClients: () => 1 }
}

function shown(c: Case, evidence: CaseEvidence, found: ToldDraft, id: string): Omit<CaseFinding, 'basis'> {
  const { subject, peers, records } = found
  const named = (some: readonly number[]): string[] => some.slice(0, addressesMax).map(evidence.address)
  return {
    ...{ id, title: found.title, severity: found.severity, confidence: found.confidence, tactic: found.tactic },
    ...{ technique: found.technique, technique_name: found.technique_name, summary: found.summary },
    ...{ scores: found.scores, would_change: found.would_change, counter_hypotheses: found.counter_hypotheses },
    ...{ rule: found.rule, first_start: utcSeconds(found.from_us), last_end: utcSeconds(found.to_us) },
    ...{ subject: named(subject), subject_total: subject.length, peers: named(peers), peers_total: peers.length },
    connections: found.connections,
    basis_total: records,
    sql: sqlOf(evidence, { ...found, port: found.isOnePort ? found.port : null }, trusted(partOfFlows(c, null), [])),
    next: [
      `tidemark investigate ${evidence.address(subject[0]!)}`,
      ...(peers.length === 1 ? [`tidemark investigate ${evidence.address(peers[0]!)}`] : []),
    ],
  }
}

function suspect(
  { dictionaries: { hosts } }: RecordIndex,
  { address }: CaseEvidence,
  files: Enrichment,
  { host, from_us, to_us, findings, peers, ...rest }: RankedHost,
  rank: number,
): SuspectHost {
  return {
    ...{ address: address(host), rank, ...rest, findings: findings.map(at => `F${at + 1}`) },
    ...{ peers: peers.slice(0, addressesMax).map(address), peers_total: peers.length },
    ...{ first_start: utcSeconds(from_us), last_end: utcSeconds(to_us) },
    said: files.files.length === 0 ? null : filesSay(files, hosts.hi[host]!, hosts.lo[host]!, from_us, to_us),
  }
}

function selectionOf({
  from_us,
  to_us,
  hosts = [],
  rules = [],
  minSeverity,
  internal = [],
  scanners = [],
  ownRules,
}: DetectOptions): Omit<Detections['selection'], 'filter' | 'set'> {
  return {
    from: from_us === undefined ? null : utcSeconds(from_us),
    to: to_us === undefined ? null : utcSeconds(to_us),
    ...{ hosts, rules, min_severity: minSeverity ?? null, internal, scanners, own_rules: ownRules ?? null },
  }
}

/** Where a record stands, by the number of its file and its own. */
export function basisOf(c: Case, numbered = false): Parameters<typeof basesOf>[2] {
  const fileOf = placesOf(c, numbered)
  return (file, line) => basisAt(fileOf, file, line)
}
