/** D03: connections out that begin at regular intervals. */
import { durationWords } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, type Run, servicesIn } from './connections.ts'
import { type CaseEvidence, isAtLeast, isMore, peerToPeer } from './evidence.ts'
import { median, spreadOf } from './numbers.ts'
import { ritaScore } from './rita.ts'
import { type CaseDraft, type CaseRule, decided, sureness } from './rule.ts'
import { endText, notAskedText, number } from './words.ts'

const { thresholds, reasons } = decided({
  connectionsMin: [10, 'connections that begin at different times; so few must be more regular'],
  connectionsMany: [20, 'connections from which on less regularity will do'],
  regularityMin: [
    0.8,
    'regularity, 1 - MAD/median of the intervals: of Poisson arrivals 2 % reach it with ten connections',
  ],
  regularityMany: [0.7, 'regularity with `connectionsMany`: of Poisson arrivals 0.4 % reach it'],
  shortSeconds: [30, 'intervals below it are those of loading a page: they need `connectionsMany`, over a longer time'],
  shortSpanSeconds: [60, 'how long connections at short intervals must go on'],
  resolutionsMany: [
    5,
    'below this number of resolutions less regularity will not do: short intervals are lost in one start, and chance looks regular',
  ],
  resolutions: [3, 'the median interval, by the resolution of the starts: nearer to it every traffic looks regular'],
  heldShare: [0.5, 'a connection that lasts such a share of the interval is one that is held open'],
  ownClientsMax: [2, 'own hosts that use the peer: with more of them it is taken for a service that we use'],
  peersMax: [peerToPeer, 'peers on high ports, either way, from which on a host is in a peer-to-peer network'],
  commonPorts: [
    [25, 80, 110, 143, 443, 465, 587, 853, 993, 995, 8080, 8443],
    'web and mail: programs look for news there, too: low severity, info below `connectionsMany`',
  ],
  regularPorts: [
    [53, 67, 68, 123, 137, 161, 162, 514, 1900, 5353],
    'time, names, management: they are regular by nature',
  ],
})
type Limits = typeof thresholds

export const beacon: CaseRule<Limits> = {
  name: 'D03-beacon',
  title: 'connections out that begin at regular intervals',
  needs: { accepted: 'must', answers: 'must' },
  thresholds,
  reasons,
  attack: techniques('T1071'),
  guardDuty: ['Backdoor:EC2/C&CActivity.B'],
  scope: 'client',
  limitsOf,
  find,
}

function limitsOf({ interval_us, source }: Omit<CaseEvidence, 'connections'>, { resolutions }: Limits): string[] {
  if (source === 'packets') return []
  return [
    `intervals below ${durationWords((interval_us / 1e6) * resolutions)} cannot be told where records begin with the window that they were counted in, and not with their first packet`,
  ]
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal, ownClients, highPeers } = evidence
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(connections)) {
    const host = connections.client[client.from]!
    if (!isInternal(host) || client.to - client.from < limits.connectionsMin) continue
    let resolution_us = Number.NaN
    for (const service of servicesIn(connections, client)) {
      const { from, to } = service
      if (to - from < limits.connectionsMin) continue
      const [server, port] = [connections.server[from]!, connections.port[from]!]
      if (isInternal(server) || isMore(ownClients(server), limits.ownClientsMax)) continue
      if (port > 65_535 || limits.regularPorts.includes(port)) continue
      if (port >= 1024 && isAtLeast(highPeers(host), limits.peersMax)) continue
      if (Number.isNaN(resolution_us)) resolution_us = resolutionOf(evidence, client)
      const found = regular(evidence, service, resolution_us, limits)
      if (found !== null) drafts.push(draft(evidence, found, limits))
    }
  }
  return drafts
}

/** Packets have the time to the microsecond; below a second nothing is a beacon. */
const ofPackets_us = 333_333

/** The resolution of a host's starts, microseconds: records that share one were written for a window, not for a moment. */
function resolutionOf({ connections, interval_us, source }: CaseEvidence, { from, to }: Run): number {
  if (source === 'packets') return ofPackets_us
  const starts = connections.start_us.slice(from, to).sort()
  const steps: number[] = []
  for (let i = 1; i < starts.length; i++) if (starts[i]! > starts[i - 1]!) steps.push(starts[i]! - starts[i - 1]!)
  steps.sort((a, b) => a - b)
  return Math.min(interval_us, steps[Math.floor(steps.length / 10)] ?? interval_us)
}

interface Regular {
  some: number[]
  interval_us: number
  regularity: number
  /** What was asked of it. */
  least: number
  /** Likeness of the client's bytes; null where no record says how many there were. */
  sizes: number | null
}

function regular(
  { connections }: CaseEvidence,
  { from, to }: Run,
  resolution_us: number,
  limits: Limits,
): Regular | null {
  const { start_us, end_us, marks } = connections
  const some: number[] = []
  for (let i = from; i < to; i++) {
    const isService = (marks[i]! & (mark.toService | mark.unknownRole)) !== 0
    if (connections.outcome[i] === outcome.answered && !isService) some.push(i)
  }
  const starts = [...new Set(some.map(i => start_us[i]!))]
  // Fewer than two have no interval, whatever is asked for.
  if (starts.length < Math.max(limits.connectionsMin, 2)) return null
  const gaps = starts.slice(1).map((start, at) => start - starts[at]!)
  const { median: interval_us, deviation } = spreadOf(gaps)
  const regularity = 1 - deviation / interval_us
  const isFine = interval_us >= limits.resolutionsMany * resolution_us
  const least = starts.length >= limits.connectionsMany && isFine ? limits.regularityMany : limits.regularityMin
  if (regularity < least) return null
  if (interval_us < limits.resolutions * resolution_us) return null
  const isShort = interval_us < limits.shortSeconds * 1e6
  const span_us = starts.at(-1)! - starts[0]!
  if (isShort && (starts.length < limits.connectionsMany || span_us < limits.shortSpanSeconds * 1e6)) return null
  const lasting = median(Float64Array.from(some, i => end_us[i]! - start_us[i]!))
  if (lasting >= limits.heldShare * interval_us) return null
  const sizes = spreadOf(some.map(i => connections.bytesUp[i]!))
  const likeness = sizes.median > 0 ? Math.max(0, 1 - sizes.deviation / sizes.median) : null
  return { some, interval_us, regularity, least, sizes: likeness }
}

function draft(evidence: CaseEvidence, found: Regular, limits: Limits): CaseDraft {
  const { some, interval_us, regularity, least, sizes } = found
  const { connections, address } = evidence
  const first = some[0]!
  const [client, server, port] = [connections.client[first]!, connections.server[first]!, connections.port[first]!]
  const target = endText(evidence, server, port)
  const isCommon = limits.commonPorts.includes(port)
  const rounded = (value: number): number => Math.round(value * 100) / 100
  const of = (column: Float64Array): number[] => some.map(i => column[i]!)
  const rita = ritaScore(of(connections.start_us), of(connections.bytesUp), evidence.span)
  return {
    title: `Regular connections to ${target}, every ${durationWords(Math.round(interval_us / 1e5) / 10)}`,
    severity: !isCommon ? 'medium' : some.length >= limits.connectionsMany ? 'low' : 'info',
    confidence: sureness(isCommon ? 'low' : 'medium', evidence, some),
    tactic: 'command-and-control',
    ...technique('T1071'),
    summary: `${address(client)} connected to ${target} ${number(some.length)} times, as a rule ${durationWords(Math.round(interval_us / 1e5) / 10)} apart (regularity ${regularity.toFixed(2)}${sizes === null ? '' : `, sizes alike ${sizes.toFixed(2)}`}).${notAskedText(evidence, server)}`,
    scores: [
      { name: 'connections', value: some.length, threshold: `>= ${limits.connectionsMin}` },
      { name: 'regularity of the intervals', value: rounded(regularity), threshold: `>= ${least}` },
      ...(sizes === null ? [] : [{ name: 'likeness of client bytes', value: rounded(sizes), threshold: 'not asked' }]),
      ...(rita === null ? [] : [{ name: 'RITA v5 score', value: rounded(rita.score), threshold: 'not asked' }]),
    ],
    would_change: 'intervals that differ more, or a peer that more hosts of yours use',
    counter_hypotheses: [
      'a program that looks for news, updates or mail',
      'monitoring, telemetry, or a keep-alive of an ordinary service',
    ],
    ...{ subject: [client], peers: [server], connections: some },
  }
}
