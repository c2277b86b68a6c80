/** Findings of a case, or of the dossier of a subject, in one form. */
import { noPort, noProtocol } from '../conversations/services.ts'
import { type CaseFinding, type DetectOptions, detect, ownNetworks } from '../detect/detect.ts'
import { partsIn } from '../detect/ranking.ts'
import type { ToldDraft } from '../detect/told.ts'
import type { Dossier, Finding } from '../investigate/dossier.ts'
import type { FoundFinding } from '../investigate/findings.ts'
import { type Found, investigate } from '../investigate/investigate.ts'
import { hostText, type ToldServices } from '../investigate/services.ts'
import { parseAddress } from '../net/address.ts'
import { countText } from '../net/counts.ts'
import { isInternal } from '../net/internal.ts'
import { type Prefix, parsePrefix, prefixContains } from '../net/prefix.ts'
import { caseKey, dossierKey, type FindingKey } from '../report/case-report/keys.ts'
import { caseRules, subjectRules } from '../rules/all.ts'
import type { CaseEvidence } from '../rules/evidence.ts'
import type { Case } from '../store/case.ts'
import type { Addresses } from './addresses.ts'
import type { ExportedFinding, FindingHost, HostPair, HostPart } from './items.ts'

export interface FindingsFound {
  findings: ExportedFinding[]
  /** What notes call each of them. */
  keys: FindingKey[]
  /** What rules found beyond those that are told singly. */
  others: readonly { rule: string; count: number }[]
  notes: readonly string[]
  enrichment_problems: Dossier['enrichment_problems']
}

/** Findings of `detect`, of connections that meet its options. */
export async function findingsOfCase(c: Case, options: DetectOptions, addresses: Addresses): Promise<FindingsFound> {
  let inspected: { listed: readonly ToldDraft[]; evidence: CaseEvidence } | null = null
  const inspect: NonNullable<DetectOptions['inspect']> = found => {
    inspected = found
  }
  const found = await detect(c, { ...options, inspect })
  const { listed, evidence } = inspected!
  return {
    findings: found.findings.map((finding, i) => ofCase(finding, listed[i]!, evidence, addresses)),
    keys: found.findings.map(caseKey),
    others: found.findings_other,
    notes: found.selection.filter?.notes ?? [],
    enrichment_problems: found.enrichment_problems,
  }
}

function ofCase(
  finding: CaseFinding,
  told: ToldDraft,
  { address, isInternal: isOwn }: CaseEvidence,
  addresses: Addresses,
): ExportedFinding {
  const parts = new Map(partsIn(told, isOwn))
  const hostsOf = (some: readonly number[], most: number): FindingHost[] =>
    some.slice(0, most).map(host => ({
      address: addresses.address(address(host)),
      ...{ internal: isOwn(host), part: parts.get(host) ?? 'none' },
    }))
  const { scores, would_change, tactic } = finding
  return {
    ...commonOf(finding, addresses),
    ...{ tactic, scores: addresses.texts(scores), would_change: addresses.text(would_change) },
    ...{ subject: hostsOf(told.subject, finding.subject.length), subject_total: finding.subject_total },
    ...{ peers: hostsOf(told.peers, finding.peers.length), peers_total: finding.peers_total },
    ...{ pairs: pairsIn(told, host => addresses.address(address(host))), pairs_cut: !told.isAllPairs },
    port: told.isOnePort && told.port !== noPort ? told.port : null,
    ...{ protocol: told.protocol, connections: finding.connections },
  }
}

function pairsIn({ pairs }: ToldDraft, nameOf: (host: number) => string): HostPair[] {
  return Array.from({ length: pairs.length / 2 }, (_, i) => ({
    client: nameOf(pairs[2 * i]!),
    server: nameOf(pairs[2 * i + 1]!),
  }))
}

/** What findings of either kind have. */
function commonOf(
  finding: Finding | CaseFinding,
  addresses: Addresses,
): Omit<
  ExportedFinding,
  | 'tactic'
  | 'scores'
  | 'would_change'
  | 'subject'
  | 'subject_total'
  | 'peers'
  | 'peers_total'
  | 'port'
  | 'protocol'
  | 'connections'
  | 'pairs'
  | 'pairs_cut'
> {
  const { id, rule, severity, confidence, technique, technique_name, first_start, last_end, basis_total } = finding
  return {
    ...{ id, rule, severity, confidence, technique, technique_name, first_start, last_end, basis_total },
    title: addresses.text(finding.title),
    summary: addresses.text(finding.summary),
    counter_hypotheses: addresses.texts(finding.counter_hypotheses),
    basis: addresses.texts(finding.basis),
    ...{ verdict: null, comments: [], guardduty_types: guardDutyOf(rule) },
    // Its addresses are numbers, and it would find nothing with others.
    sql: addresses.areChanged ? null : finding.sql,
  }
}

function guardDutyOf(rule: string): readonly string[] {
  const isNamed = ({ name, ofSubject }: (typeof subjectRules)[number]): boolean =>
    name === rule || ofSubject?.name === rule
  return [...caseRules, ...subjectRules].find(isNamed)?.guardDuty ?? []
}

/** Findings of the dossier of some addresses. */
export async function findingsOfSubject(
  c: Case,
  subjects: string[],
  { internal, enrichment, from_us, to_us, signal }: DetectOptions,
  addresses: Addresses,
): Promise<FindingsFound> {
  const { own } = await ownNetworks(c, { ...(internal && { internal }), ...(enrichment && { enrichment }) })
  let found: Found | null = null
  const dossier = await investigate(c, subjects, {
    ...(internal && { internal }),
    ...(enrichment && { enrichment }),
    ...(signal && { signal }),
    selection: { ...(from_us !== undefined && { from_us }), ...(to_us !== undefined && { to_us }) },
    inspect: one => {
      found = one
    },
  })
  const subject = dossier.subject.map(text => parsePrefix(text)!)
  const { findings, told } = found! as Found
  return {
    findings: findings.map(one => ofDossier(one, told, { subject, own, addresses })),
    keys: dossier.findings.map(one => dossierKey(dossier, one)),
    others: dossier.findings_other,
    notes: dossier.records.subject > 0 ? [] : [nothingOf(dossier, from_us !== undefined || to_us !== undefined)],
    enrichment_problems: dossier.enrichment_problems,
  }
}

function nothingOf({ subject, records }: Dossier, isPart: boolean): string {
  const when = isPart ? ', as far as they are in that time' : ''
  return `no record of ${subject.join(', ')} in ${countText(records.total, 'flow record')}${when}`
}

/** Most addresses of a list, as `detect` has it, and most pairs. */
const addressesMax = 1000

function ofDossier(
  { finding, services, connections, scores, would_change, tactic }: FoundFinding,
  told: ToldServices,
  { subject, own, addresses }: { subject: readonly Prefix[]; own: readonly Prefix[]; addresses: Addresses },
): ExportedFinding {
  const { client, server, port, protocol } = told.services
  const isSubject = (text: string): boolean => subject.some(prefix => prefixContains(prefix, parseAddress(text)!))
  const ends = [...services].map(one => ({
    client: hostText(told, client[one]!),
    server: hostText(told, server[one]!),
  }))
  const all = [...new Set(ends.flatMap(one => [one.client, one.server]))]
  const clients = new Set(ends.map(one => one.client))
  const hostsOf = (some: readonly string[], partOf: (internal: boolean, text: string) => HostPart): FindingHost[] =>
    some.slice(0, addressesMax).map(text => {
      const internal = isInternal(parseAddress(text)!, own)
      return { address: addresses.address(text), internal, part: partOf(internal, text) }
    })
  const pairs = distinctPairs(ends, addresses)
  const [mine, others] = [all.filter(isSubject), all.filter(text => !isSubject(text))]
  const only = (column: Uint32Array, none: number): number | null => {
    const [first = 0] = services
    return services.every(one => column[one] === column[first]) && column[first] !== none ? column[first]! : null
  }
  return {
    ...commonOf(finding, addresses),
    ...{ tactic, scores: addresses.texts(scores), would_change: addresses.text(would_change) },
    connections: connections.length,
    // Of an outside subject that was asked for nobody says that it acts: the analyst does. A server of one's own that was only asked does not act.
    subject: hostsOf(mine, (internal, text) => (internal && !clients.has(text) ? 'none' : 'acts')),
    subject_total: mine.length,
    ...{ peers: hostsOf(others, () => 'none'), peers_total: others.length },
    ...{ pairs: pairs.slice(0, addressesMax), pairs_cut: pairs.length > addressesMax },
    ...{ port: only(port, noPort), protocol: only(protocol, noProtocol) },
  }
}

function distinctPairs(ends: readonly HostPair[], addresses: Addresses): HostPair[] {
  const pairs = new Map(ends.map(one => [`${one.client} ${one.server}`, one]))
  return [...pairs.values()].map(({ client, server }) => ({
    client: addresses.address(client),
    server: addresses.address(server),
  }))
}
