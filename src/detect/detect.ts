/** Who in a case behaves like an attacker, in which order, how sure, and what could not be decided. */
import { beginningIn, joined } from '../conversations/connections.ts'
import { hostsIn, internalHosts } from '../conversations/hosts.ts'
import { interval_us } from '../conversations/intervals.ts'
import { withConnections } from '../conversations/kept-connections.ts'
import type { WholeLimits } from '../conversations/whole.ts'
import { findingsMax } from '../dossier-rules/rule.ts'
import { UserError } from '../errors.ts'
import type { Dossier } from '../investigate/dossier.ts'
import { evidenceCounts, placesOf, prefixes, recordsOfCase } from '../investigate/investigate.ts'
import { partOfFlows } from '../investigate/selection.ts'
import type { Prefix } from '../net/prefix.ts'
import { utcSeconds } from '../net/time.ts'
import { trusted } from '../query/build.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { caseRules, notLookedFor } from '../rules/all.ts'
import { type CaseEvidence, evidenceOf } from '../rules/evidence.ts'
import { type Finding, type Severity, severities } from '../rules/finding.ts'
import type { CaseRule, Score, Tactic } from '../rules/rule.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import { type Capability, capabilityOf, type NotDecidable, undecided } from './capability.ts'
import { basesOf, sqlOf } from './lines.ts'
import { type RankedHost, rankHosts } from './ranking.ts'
import { type FoundDraft, findInCase } from './run.ts'

export interface DetectOptions {
  /** Prefixes that count as internal beside the private ones. */
  internal?: string[]
  /** Addresses or prefixes of scanners of one's own. */
  scanners?: string[]
  /** Only connections that begin in that time, microseconds since the epoch. */
  from_us?: number
  to_us?: number
  /** Only findings that one of these addresses or prefixes is in. */
  hosts?: string[]
  /** Only these rules, by number or name: `D01`, `D01-scan`. */
  rules?: string[]
  /** Only findings that are at least that severe. */
  minSeverity?: Severity
  /** Into how many parts and threads the work is divided; for tests. */
  limits?: WholeLimits
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
}

export interface Detections {
  selection: { from: string | null; to: string | null; hosts: string[]; rules: string[]; min_severity: Severity | null }
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
  /** Rules that nothing here looks for. */
  not_looked_for: string[]
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
 * @throws UserError (status 2) for what is no address, prefix or rule; where there is too little memory for the conversations.
 */
export async function detect(c: Case, options: DetectOptions = {}): Promise<Detections> {
  const rules = rulesNamed(options.rules ?? [])
  const own = prefixes(options.internal ?? [], 'not a prefix in --internal')
  const scanners = prefixes(options.scanners ?? [], 'not an address or prefix in --scanner')
  const hosts = prefixes(options.hosts ?? [], 'not an address or prefix in --host')
  return question(c, options.signal, asked =>
    withRecordIndex(asked, asked.source, async index => {
      const evidence = await evidenceIn(asked, index, own, scanners, options)
      return answer(asked, index, evidence, rules, hosts, options)
    }),
  )
}

function rulesNamed(names: readonly string[]): readonly CaseRule[] {
  if (names.length === 0) return caseRules
  const numberOf = (name: string): string => name.slice(0, 3).toUpperCase()
  for (const name of names) {
    if (
      caseRules.some(rule => [rule.name.toLowerCase(), numberOf(rule.name).toLowerCase()].includes(name.toLowerCase()))
    )
      continue
    throw new UserError(`no such rule: ${name}`, {
      status: 2,
      hint: `there are ${caseRules.map(rule => rule.name).join(', ')}`,
    })
  }
  return caseRules.filter(({ name: rule }) =>
    names.some(name => [rule.toLowerCase(), numberOf(rule).toLowerCase()].includes(name.toLowerCase())),
  )
}

/** What the rules read, of an index of the case. */
export async function evidenceIn(
  c: Case,
  index: RecordIndex,
  own: readonly Prefix[],
  scanners: readonly Prefix[],
  { from_us, to_us, limits }: DetectOptions,
): Promise<CaseEvidence> {
  const hasFlags = c.source === 'packets' || c.columns.has('tcp_flags')
  const time = { ...(from_us !== undefined && { from_us }), ...(to_us !== undefined && { to_us }) }
  const connections = await withConnections(c, index, { evidence: c.source, own, limits }, async kept =>
    joined(Array.from({ length: kept.blocks }, (_, block) => beginningIn(kept.read(block), time))),
  )
  const { hosts, vantages } = index.dictionaries
  const longest_us = vantages.reduce((most, one) => Math.max(most, one.longest_us), 0)
  return evidenceOf({
    ...{ source: c.source, connections, hosts, hasFlags, hasAction: c.columns.has('action') },
    isInternal: internalHosts(hosts, own),
    isScanner: hostsIn(hosts, scanners),
    interval_us: c.source === 'packets' ? 0 : interval_us(longest_us),
  })
}

async function answer(
  c: Case,
  index: RecordIndex,
  evidence: CaseEvidence,
  rules: readonly CaseRule[],
  hosts: readonly Prefix[],
  options: DetectOptions,
): Promise<Detections> {
  const coverage = await capabilityOf(c, evidence)
  const isAsked = hostsIn(index.dictionaries.hosts, hosts)
  const least = severities.indexOf(options.minSeverity ?? 'info')
  const found = findInCase(evidence, rules).filter(
    ({ severity, subject, peers }) =>
      severities.indexOf(severity) >= least && (hosts.length === 0 || [...subject, ...peers].some(isAsked)),
  )
  const { listed, others } = gravest(found)
  const ranked = rankHosts(listed, evidence.isInternal, at => `F${at + 1}`)
  const bases = await basesOf(index, evidence, listed, basisOf(c))
  const { span, connections } = evidence
  return {
    selection: selectionOf(options),
    window:
      connections.count === 0 ? null : { first_start: utcSeconds(span.from_us), last_end: utcSeconds(span.to_us) },
    records: { total: recordsOfCase(c) },
    connections: connections.count,
    coverage,
    hosts: ranked.slice(0, hostsMax).map((one, i) => suspect(evidence, one, i + 1)),
    hosts_total: ranked.length,
    findings: listed.map((one, i) => ({ ...shown(c, evidence, one, `F${i + 1}`), basis: bases[i]! })),
    findings_other: others,
    not_decidable: undecided(evidence, coverage, rules),
    not_looked_for: [...notLookedFor],
    problems: c.problems,
    evidence: evidenceCounts(c),
    source: c.source,
  }
}

/** Those of each rule that are told singly: the gravest, of them those with the most connections; in their order. */
function gravest(found: readonly FoundDraft[]): { listed: FoundDraft[]; others: Detections['findings_other'] } {
  const left = new Set<FoundDraft>()
  const others: Detections['findings_other'] = []
  for (const { name } of caseRules) {
    const some = found.filter(one => one.rule === name)
    if (some.length <= findingsMax) continue
    const weight = ({ severity }: FoundDraft): number => severities.indexOf(severity)
    some.sort((a, b) => weight(b) - weight(a) || b.connections.length - a.connections.length || a.from_us - b.from_us)
    for (const one of some.slice(findingsMax)) left.add(one)
    others.push({ rule: name, count: some.length - findingsMax })
  }
  return { listed: found.filter(one => !left.has(one)), others }
}

function shown(c: Case, evidence: CaseEvidence, found: FoundDraft, id: string): Omit<CaseFinding, 'basis'> {
  const { connections: on, subject, peers, from_us, to_us, ...rest } = found
  const named = (some: readonly number[]): string[] => some.slice(0, addressesMax).map(evidence.address)
  const { records } = evidence.connections
  return {
    ...{ id, ...rest, first_start: utcSeconds(from_us), last_end: utcSeconds(to_us) },
    ...{ subject: named(subject), subject_total: subject.length, peers: named(peers), peers_total: peers.length },
    connections: on.length,
    basis_total: on.reduce((sum, i) => sum + records[i]!, 0),
    sql: sqlOf(evidence, found, trusted(partOfFlows(c, null), [])),
    next: [
      `tidemark investigate ${evidence.address(subject[0]!)}`,
      ...(peers.length === 1 ? [`tidemark investigate ${evidence.address(peers[0]!)}`] : []),
    ],
  }
}

function suspect(
  { address }: CaseEvidence,
  { host, from_us, to_us, findings, peers, ...rest }: RankedHost,
  rank: number,
): SuspectHost {
  return {
    ...{ address: address(host), rank, ...rest, findings: findings.map(at => `F${at + 1}`) },
    ...{ peers: peers.slice(0, addressesMax).map(address), peers_total: peers.length },
    ...{ first_start: utcSeconds(from_us), last_end: utcSeconds(to_us) },
  }
}

function selectionOf({ from_us, to_us, hosts = [], rules = [], minSeverity }: DetectOptions): Detections['selection'] {
  return {
    from: from_us === undefined ? null : utcSeconds(from_us),
    to: to_us === undefined ? null : utcSeconds(to_us),
    ...{ hosts, rules, min_severity: minSeverity ?? null },
  }
}

/** Where a record stands, by the number of its file and its own. */
export function basisOf(c: Case): Parameters<typeof basesOf>[3] {
  const placeOf = placesOf(c)
  return (file, line) => {
    const { path, unit } = placeOf(file)
    return { path, [unit]: line }
  }
}
