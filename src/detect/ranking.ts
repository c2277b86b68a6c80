/** Which hosts behave like attackers: by chains of findings, tactics in the order of an intrusion and of time, not by sums of alerts. */
import { type Severity, severities } from '../rules/finding.ts'
import { type Tactic, tactics } from '../rules/rule.ts'
import type { ToldDraft } from './told.ts'

/** A host in the order of suspicion. */
export interface RankedHost {
  host: number
  role: 'actor' | 'target' | 'both'
  /** The highest of the findings in which it acts or is acted upon. */
  severity: Severity
  /** In order of time. */
  tactics: Tactic[]
  /** Places of its findings among those that were given. */
  findings: number[]
  peers: number[]
  from_us: number
  to_us: number
  why: string
}

/**
 * What a host has to do with a finding. `receives`: our data or sessions go to it. `reaches`: it used a service that is open to all, as
 * many do; that makes nobody a suspect.
 */
export type Part = 'acts' | 'receives' | 'suffers' | 'reaches'

interface Known {
  parts: { at: number; part: Part }[]
}

/**
 * @param isInternal whether a host is ours.
 * @param idOf what a finding is called.
 */
export function rankHosts(
  findings: readonly ToldDraft[],
  isInternal: (host: number) => boolean,
  idOf: (at: number) => string,
): RankedHost[] {
  const known = new Map<number, Known>()
  const note = (host: number, at: number, part: Part): void => {
    const one = known.get(host) ?? { parts: [] }
    known.set(host, one)
    one.parts.push({ at, part })
  }
  for (const [at, finding] of findings.entries())
    for (const [host, part] of partsIn(finding, isInternal)) note(host, at, part)
  const hosts = [...known]
    .filter(([, { parts }]) => parts.some(({ part }) => part !== 'reaches'))
    .map(([host, one]) => weighed(host, one, findings, idOf))
  hosts.sort(
    (a, b) =>
      compareWeights(a.weights, b.weights) || a.ranked.from_us - b.ranked.from_us || a.ranked.host - b.ranked.host,
  )
  return hosts.map(({ ranked }) => ranked)
}

/** Most sources of a flood that are taken for those whose addresses they bear. */
const floodSourcesMax = 5

const actsIn = (host: number): [number, Part] => [host, 'acts']

/** Whether the subject of a rule's findings is the one that was reached, and its peers those who came. */
export function isOfVictims(rule: string): boolean {
  return ['D07', 'D15', 'D18'].some(one => rule.startsWith(one))
}

/** Hosts and their parts in a finding. Targets of a scan are none: they are counted in it. */
export function partsIn(
  { rule, severity, subject, peers }: Pick<ToldDraft, 'rule' | 'severity' | 'subject' | 'peers'>,
  isInternal: (host: number) => boolean,
): [number, Part][] {
  const isFlood = rule.startsWith('D15')
  const isVictims = isOfVictims(rule)
  const own = subject.map((host): [number, Part] => [host, isVictims ? 'suffers' : 'acts'])
  if (rule.startsWith('D01')) return own
  // Many sources outside are as good as forged.
  if (isFlood && peers.length > floodSourcesMax) return [...own, ...peers.filter(isInternal).map(actsIn)]
  const isOpenToAll = rule.startsWith('D18') && severity !== 'high'
  if (isVictims) return [...own, ...peers.map((host): [number, Part] => [host, isOpenToAll ? 'reaches' : 'acts'])]
  const isOutward = subject.every(isInternal) && !peers.some(isInternal)
  return [...own, ...peers.map((host): [number, Part] => [host, isOutward ? 'receives' : 'suffers'])]
}

/** The higher the first that differs, the earlier. */
function compareWeights(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((weight, i) => weight !== b[i])
  return at < 0 ? 0 : b[at]! - a[at]!
}

function weighed(
  host: number,
  { parts }: Known,
  findings: readonly ToldDraft[],
  idOf: (at: number) => string,
): { ranked: RankedHost; weights: number[] } {
  const of = (...wanted: Part[]): number[] => parts.filter(({ part }) => wanted.includes(part)).map(({ at }) => at)
  const grave = (some: readonly number[]): number[] => some.filter(at => findings[at]!.severity !== 'info')
  const [mine, acted, suffered] = [of('acts', 'receives'), of('acts'), of('suffers')]
  const chain = chainOf(grave(mine), findings)
  const severity = (some: readonly number[]): number =>
    some.reduce((most, at) => Math.max(most, severities.indexOf(findings[at]!.severity)), -1)
  const connections = mine.reduce((sum, at) => sum + findings[at]!.connections, 0)
  const all = [...new Set(parts.map(({ at }) => at))].sort((a, b) => a - b)
  const isBoth = mine.length > 0 && suffered.length > 0
  const role = isBoth ? 'both' : acted.length > 0 ? 'actor' : 'target'
  const shown = chain.length > 0 ? chain : chainOf(mine.length > 0 ? mine : suffered, findings)
  const ranked: RankedHost = {
    ...{
      host,
      role,
      severity: severities[severity([...mine, ...suffered])]!,
      findings: all,
      tactics: tacticsOf(grave(all).length > 0 ? grave(all) : all, findings),
      peers: peersOf(host, all, findings),
    },
    from_us: all.reduce((least, at) => Math.min(least, findings[at]!.from_us), Number.POSITIVE_INFINITY),
    to_us: all.reduce((most, at) => Math.max(most, findings[at]!.to_us), Number.NEGATIVE_INFINITY),
    why: whyText(shown, role, findings, idOf),
  }
  const weights = [
    chain.length,
    severity(grave(acted)),
    severity(grave(mine)),
    severity(grave(suffered)),
    chainOf(grave(suffered), findings).length,
    // Of what is of severity info alone: scans from outside are the weather.
    all.every(at => isWeather(findings[at]!)) ? 0 : 1,
    connections,
  ]
  return { ranked, weights }
}

const isWeather = ({ rule, severity }: ToldDraft): boolean => rule.startsWith('D01') && severity === 'info'

/** The longest chain of findings, each of a later tactic than the one before, none begun earlier. Findings come in order of time. */
function chainOf(some: readonly number[], findings: readonly ToldDraft[]): number[] {
  /** By tactic: the best chain that ends with it. */
  const best: number[][] = tactics.map(() => [])
  for (const at of [...some].sort((a, b) => a - b)) {
    const tactic = tactics.indexOf(findings[at]!.tactic)
    const before = best.slice(0, tactic).reduce((most, one) => (one.length > most.length ? one : most), [] as number[])
    if (before.length + 1 > best[tactic]!.length) best[tactic] = [...before, at]
  }
  return best.reduce((most, one) => (one.length > most.length ? one : most), [])
}

/** In order of time, each once. */
function tacticsOf(some: readonly number[], findings: readonly ToldDraft[]): Tactic[] {
  return [...new Set(some.map(at => findings[at]!.tactic))]
}

function peersOf(host: number, some: readonly number[], findings: readonly ToldDraft[]): number[] {
  const others = some.flatMap(at => [...findings[at]!.subject, ...findings[at]!.peers]).filter(one => one !== host)
  return [...new Set(others)].sort((a, b) => a - b)
}

function whyText(
  chain: readonly number[],
  role: RankedHost['role'],
  findings: readonly ToldDraft[],
  idOf: (at: number) => string,
): string {
  const steps = chain.map(at => `${findings[at]!.tactic} (${idOf(at)})`)
  const words = { actor: 'acts', target: 'is the other end of it', both: 'acts, and is a target too' }
  return `${words[role]}: ${steps.join(', then ')}`
}
