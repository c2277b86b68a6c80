/** D05: a session with one of our hosts, and soon after it one from there to a host that is new to it. */
import { TCP } from '../net/protocols.ts'
import { durationWords, utcSeconds } from '../net/time.ts'
import { mark, outcome, type Run } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import type { Severity } from './finding.ts'
import { noveltyLimits, remoteServices, techniqueOf } from './lateral.ts'
import { type CaseDraft, type CaseRule, decided, distinct, sureness } from './rule.ts'
import { warm_us, warmUp } from './warm-up.ts'
import { endText, number } from './words.ts'

const { thresholds, reasons } = decided({
  sessionPorts: [
    [22, 23, 135, 445, 3389, 5900, 5985, 5986],
    'ports by which programs can be run on a host: whoever is there can go on',
  ],
  packetsMin: [20, 'client packets of a session: fewer are a look, or a guess at a password'],
  hopSeconds: [600, 'how long after the session in the one out begins, at most'],
  depthMin: [2, 'sessions one after the other, the later ones between hosts that are new to each other'],
  depthHigh: [3, 'sessions of a chain that is no accident: high severity'],
  clientsMin: [3, 'clients of a host from which on it is a jump host or a server of all: no hop, and no end'],
  knownMin: [3, 'hosts that a host has sessions with at the beginning, from which on it is a jump host'],
  ...warmUp,
})
type Limits = typeof thresholds

export const hopChain: CaseRule<Limits> = {
  name: 'D05-hop-chain',
  title: 'a session with a host of yours, and soon after it one from there to a host that is new to it',
  needs: { accepted: 'must', answers: 'must', inside: 'must', sizes: 'must', flags: 'better' },
  thresholds,
  reasons,
  attack: remoteServices,
  guardDuty: [],
  scope: 'case',
  selects,
  limitsOf,
  find,
}

function limitsOf(evidence: Omit<CaseEvidence, 'connections'>, limits: Limits): string[] {
  const { source, interval_us } = evidence
  const coarse = `sessions whose records begin with the same window of ${durationWords(interval_us / 1e6)} have no order: a chain within it is not found`
  return [...(source === 'logs' ? [coarse] : []), ...noveltyLimits(evidence, limits)]
}

function selects({ connections, isInternal }: CaseEvidence, { from, to }: Run, limits: Limits): boolean {
  if (connections.protocol[from] !== TCP || !limits.sessionPorts.includes(connections.port[from]!)) return false
  const [client, server] = [connections.client[from]!, connections.server[from]!]
  if (!isInternal(server) || client === server) return false
  for (let i = from; i < to; i++) if (isSession({ connections }, i, limits)) return true
  return false
}

function isSession({ connections }: Pick<CaseEvidence, 'connections'>, i: number, limits: Limits): boolean {
  return (
    connections.outcome[i] === outcome.answered &&
    (connections.marks[i]! & mark.unknownRole) === 0 &&
    connections.packetsUp[i]! >= limits.packetsMin
  )
}

/** What came before a session: the one by which its client was reached, and how many there are up to it. */
interface Step {
  depth: number
  /** The number of a connection; -1 where there is none. */
  before: number
  /** Whether its client and server had one at the beginning. */
  isUsual: boolean
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections } = evidence
  const { start_us, client } = connections
  const sessions: number[] = []
  for (let i = 0; i < connections.count; i++) if (isSession(evidence, i, limits)) sessions.push(i)
  sessions.sort((a, b) => start_us[a]! - start_us[b]! || a - b)
  const steps = stepsOf(evidence, sessions, limits)
  const isBefore = new Set([...steps.values()].map(one => one.before))
  /** By the host that a chain begins with: the sessions that end one. */
  const chains = new Map<number, number[][]>()
  for (const last of sessions) {
    if (steps.get(last)!.depth < limits.depthMin || isBefore.has(last)) continue
    const chain = [last]
    for (let i = steps.get(last)!.before; i >= 0; i = steps.get(i)!.before) chain.unshift(i)
    const root = client[chain[0]!]!
    const known = chains.get(root)
    if (known === undefined) chains.set(root, [chain])
    else known.push(chain)
  }
  return [...chains.values()].map(of => draft(evidence, of, steps, limits))
}

/** Hosts by which many come, or that went to many at the beginning: jump hosts, file servers, domain controllers. */
function hubsOf(evidence: CaseEvidence, sessions: readonly number[], limits: Limits): (host: number) => boolean {
  const { client, server, start_us } = evidence.connections
  const from_us = warm_us(evidence, limits)
  const [clients, known] = [new Map<number, Set<number>>(), new Map<number, Set<number>>()]
  const note = (of: Map<number, Set<number>>, host: number, other: number): void => {
    const others = of.get(host)
    if (others === undefined) of.set(host, new Set([other]))
    else others.add(other)
  }
  for (const i of sessions) {
    note(clients, server[i]!, client[i]!)
    if (start_us[i]! < from_us) note(known, client[i]!, server[i]!)
  }
  const count = (of: Map<number, Set<number>>, host: number): number => of.get(host)?.size ?? 0
  return host => count(clients, host) >= limits.clientsMin || count(known, host) >= limits.knownMin
}

/** Of each session, in order of time: the deepest chain that leads to it. */
function stepsOf(evidence: CaseEvidence, sessions: readonly number[], limits: Limits): Map<number, Step> {
  const { client, server, start_us, end_us } = evidence.connections
  const isHub = hubsOf(evidence, sessions, limits)
  const from_us = warm_us(evidence, limits)
  const steps = new Map<number, Step>()
  const [pairs, usual] = [new Set<number>(), new Set<number>()]
  const inwards = new Map<number, number[]>()
  for (const i of sessions) {
    const [from, to] = [client[i]!, server[i]!]
    const pair = from * evidence.hosts + to
    const isNew = !pairs.has(pair) && start_us[i]! >= from_us
    pairs.add(pair)
    if (start_us[i]! < from_us) usual.add(pair)
    const isHop = isNew && evidence.isInternal(from) && !isHub(from) && !isHub(to)
    const isUsual = usual.has(pair)
    let best: Step = { depth: 1, before: -1, isUsual }
    for (const before of isHop ? (inwards.get(from) ?? []) : []) {
      const isSoon = start_us[before]! < start_us[i]! && start_us[i]! <= end_us[before]! + limits.hopSeconds * 1e6
      const { depth } = steps.get(before)!
      if (isSoon && client[before] !== to && depth + 1 >= best.depth) best = { depth: depth + 1, before, isUsual }
    }
    steps.set(i, best)
    const known = inwards.get(to)
    if (known === undefined) inwards.set(to, [i])
    else known.push(i)
  }
  return steps
}

/** One finding for all chains that begin with a host. */
function draft(
  evidence: CaseEvidence,
  chains: readonly number[][],
  steps: ReadonlyMap<number, Step>,
  limits: Limits,
): CaseDraft {
  const { connections, address, isScanner, isAdministration } = evidence
  const { client, server, start_us, end_us, port } = connections
  const longest = chains.reduce((most, one) => (one.length > most.length ? one : most))
  const on = distinct(chains.flat())
  const actors = distinct(on.map(i => client[i]!))
  const ends = distinct(on.map(i => server[i]!)).filter(host => !actors.includes(host))
  const hosts = [client[longest[0]!]!, ...longest.map(i => server[i]!)]
  // With a threshold of one, a chain may be a single session.
  const [first, second = first] = longest as [number, number?]
  const wait_us = Math.max(0, start_us[second]! - end_us[first]!)
  const path = longest.map(i => `at ${utcSeconds(start_us[i]!)} to ${endText(evidence, server[i]!, port[i]!)}`)
  const others = chains.length === 1 ? '' : ` ${number(chains.length - 1)} other chains begin there.`
  return {
    title: `Sessions from host to host: ${hosts.map(address).join(', then ')}`,
    severity: actors.some(host => isScanner(host) || isAdministration(host))
      ? 'info'
      : severityOf(longest.length, steps.get(first)!.isUsual, limits),
    confidence: sureness('low', evidence, on),
    ...techniqueOf(port[longest.at(-1)!]!),
    summary: `${address(hosts[0]!)} had a session ${path.join(', and from there one ')}.${others} Flow records do not show whether one was used for the other.`,
    scores: [
      { name: 'sessions one after the other', value: longest.length, threshold: `>= ${limits.depthMin}` },
      {
        name: 'seconds from the end of the first to the next',
        value: Math.round(wait_us / 1e6),
        threshold: `<= ${limits.hopSeconds}`,
      },
      {
        name: 'client packets of the least',
        value: Math.min(...longest.map(i => connections.packetsUp[i]!)),
        threshold: `>= ${limits.packetsMin}`,
      },
    ],
    would_change: `a session out that began more than ${durationWords(limits.hopSeconds)} later, or one between the same hosts at the beginning of the evidence; ${limits.clientsMin} clients of the host in the middle`,
    counter_hypotheses: [
      'an administrator who goes on by a jump host that few use',
      'two sessions that have nothing to do with each other',
      'a file server, a domain controller or a repository that is used from within a session',
    ],
    ...{ subject: [hosts[0]!, ...actors.filter(host => host !== hosts[0])], peers: ends, connections: on },
  }
}

/** Of two sessions it is a lead, and no more than a note where the first one is usual. */
function severityOf(depth: number, isUsual: boolean, { depthHigh }: Limits): Severity {
  if (depth >= depthHigh) return 'high'
  return isUsual ? 'info' : 'low'
}
