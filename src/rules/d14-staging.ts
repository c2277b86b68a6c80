/** D14: one of our hosts that gathered much from others, and then sent as much to a host outside. */
import { durationWords, utcSeconds } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, type Run, servicesIn } from './connections.ts'
import { type CaseEvidence, isAtLeast, isMore } from './evidence.ts'
import { noveltyLimits } from './lateral.ts'
import { grouped } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, namesText, sureness } from './rule.ts'
import { warm_us, warmUp } from './warm-up.ts'
import { endText, megabytes, number, usersScore } from './words.ts'

const { thresholds, reasons } = decided({
  inBytesMin: [100_000_000, 'bytes that the host got from internal hosts within the window, before it began to send'],
  sourcesMin: [
    3,
    'internal hosts that it got `pieceBytesMin` or more from, and no transfer at the beginning of the evidence',
  ],
  pieceBytesMin: [5_000_000, 'bytes from a source, and bytes out by a service: what moved less is left out'],
  transferBytesMin: [1_000_000, 'bytes that one connection brings in: with less, it is one of requests and answers'],
  ratioMin: [0.5, 'bytes that it sent to one host outside within the window, by those that it had got'],
  windowSeconds: [24 * 3600, 'the window before it began to send, and that after it'],
  ownClientsMax: [2, 'own hosts that use the peer: with more of them it is taken for a service that we use'],
  ...warmUp,
})
type Limits = typeof thresholds

export const staging: CaseRule<Limits> = {
  name: 'D14-staging',
  title: 'a host of yours that gathered much from others, and then sent as much to a host outside',
  needs: { accepted: 'must', inside: 'must', sizes: 'must', answers: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1074.002'),
  guardDuty: ['Behavior:EC2/TrafficVolumeUnusual'],
  scope: 'case',
  selects,
  limitsOf: noveltyLimits,
  find,
}

function selects(evidence: CaseEvidence, service: Run, limits: Limits): boolean {
  const { connections, isInternal } = evidence
  const [client, server] = [connections.client[service.from]!, connections.server[service.from]!]
  if (isInternal(client) && isInternal(server))
    return (
      (sendsMuch(evidence, client, limits) && sumOf(connections.bytesDown, service, limits.transferBytesMin) > 0) ||
      (sendsMuch(evidence, server, limits) && sumOf(connections.bytesUp, service, limits.transferBytesMin) > 0)
    )
  return (
    isInternal(client) &&
    sendsMuch(evidence, client, limits) &&
    isNewPeer(evidence, server, limits) &&
    (connections.marks[service.from]! & mark.toService) === 0 &&
    sumOf(connections.bytesUp, service, 0) >= limits.pieceBytesMin
  )
}

function sendsMuch({ sentOut }: CaseEvidence, host: number, { inBytesMin, ratioMin }: Limits): boolean {
  const sent = sentOut(host)
  return sent === null || sent >= inBytesMin * ratioMin
}

function isNewPeer(evidence: CaseEvidence, peer: number, limits: Limits): boolean {
  const isOurs = isMore(evidence.ownClients(peer), limits.ownClientsMax)
  return !isOurs && isAtLeast(evidence.firstSeen_us(peer), warm_us(evidence, limits))
}

/** Of the connections that have that number. */
function sumOf(bytes: Float64Array, { from, to }: Run, least: number): number {
  let sum = 0
  for (let i = from; i < to; i++) if (bytes[i]! >= least) sum += bytes[i]!
  return sum
}

/** Bytes that moved in one connection, at a time: of what came in when it was there, of what went out when that began. */
interface Move {
  at_us: number
  bytes: number
  peer: number
  connection: number
}

interface Moves {
  in: Move[]
  out: Move[]
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections } = evidence
  const from_us = warm_us(evidence, limits)
  const drafts: CaseDraft[] = []
  const moves = [...movesOf(evidence, limits)].sort(([a], [b]) => a - b)
  for (const [host, { in: all, out: sent }] of moves) {
    const usual = new Set(all.filter(one => connections.start_us[one.connection]! < from_us).map(one => one.peer))
    const got = all.filter(one => !usual.has(one.peer))
    if (got.length === 0 || sent.length === 0) continue
    const inTime = (a: Move, b: Move): number => a.at_us - b.at_us || a.connection - b.connection
    got.sort(inTime)
    sent.sort(inTime)
    const byPeer = grouped([...sent.keys()], at => sent[at]!.peer)
    for (const [peer, of] of [...byPeer].sort(([a], [b]) => a - b)) {
      const found = stagedFor(
        got,
        of.map(at => sent[at]!),
        limits,
      )
      if (found !== null) drafts.push(draft(evidence, host, peer, found, limits))
    }
  }
  return drafts
}

function movesOf(evidence: CaseEvidence, limits: Limits): Map<number, Moves> {
  const { connections, isInternal } = evidence
  const { start_us, end_us, bytesUp, bytesDown } = connections
  const hosts = new Map<number, Moves>()
  const note = (host: number, way: keyof Moves, move: Move): void => {
    if (move.bytes < (way === 'in' ? limits.transferBytesMin : 1)) return
    const known = hosts.get(host) ?? { in: [], out: [] }
    hosts.set(host, known)
    known[way].push(move)
  }
  for (const client of clientsOf(connections)) {
    for (const { from, to } of servicesIn(connections, client)) {
      const [host, other] = [connections.client[from]!, connections.server[from]!]
      for (let i = from; i < to; i++) {
        const connection = i
        if (!isInternal(other)) {
          note(host, 'out', { at_us: start_us[i]!, bytes: bytesUp[i]!, peer: other, connection })
          continue
        }
        if (sendsMuch(evidence, host, limits))
          note(host, 'in', { at_us: end_us[i]!, bytes: bytesDown[i]!, peer: other, connection })
        if (sendsMuch(evidence, other, limits))
          note(other, 'in', { at_us: end_us[i]!, bytes: bytesUp[i]!, peer: host, connection })
      }
    }
  }
  return hosts
}

interface Staged {
  got: Move[]
  sent: Move[]
  in: number
  out: number
  sources: number[]
}

/** What had come in before the first sending that is large enough for it. Moves in order of time. */
function stagedFor(got: readonly Move[], sent: readonly Move[], limits: Limits): Staged | null {
  const window_us = limits.windowSeconds * 1e6
  const bySource = new Map<number, number>()
  let [first, next, last, total, out] = [0, 0, 0, 0, 0]
  const add = ({ peer, bytes }: Move, sign: 1 | -1): void => {
    bySource.set(peer, (bySource.get(peer) ?? 0) + sign * bytes)
    total += sign * bytes
  }
  for (const [k, { at_us, bytes }] of sent.entries()) {
    for (; next < got.length && got[next]!.at_us <= at_us; next++) add(got[next]!, 1)
    for (; first < next && got[first]!.at_us < at_us - window_us; first++) add(got[first]!, -1)
    for (; last < sent.length && sent[last]!.at_us <= at_us + window_us; last++) out += sent[last]!.bytes
    if (total >= limits.inBytesMin && out >= limits.ratioMin * total) {
      const sources = [...bySource].filter(([, some]) => some >= limits.pieceBytesMin).map(([peer]) => peer)
      if (sources.length >= limits.sourcesMin)
        return { got: got.slice(first, next), sent: sent.slice(k, last), in: total, out, sources: distinct(sources) }
    }
    out -= bytes
  }
  return null
}

function draft(evidence: CaseEvidence, host: number, peer: number, found: Staged, limits: Limits): CaseDraft {
  const { connections, address } = evidence
  const on = distinct([...found.got, ...found.sent].map(one => one.connection))
  const ports = distinct(found.sent.map(one => connections.port[one.connection]!))
  const target = ports.length === 1 ? endText(evidence, peer, ports[0]!) : address(peer)
  const window = durationWords(limits.windowSeconds)
  const [came_us, sent_us] = [found.got.at(-1)!.at_us, found.sent[0]!.at_us]
  return {
    title: `Gathered from ${number(found.sources.length)} hosts, then sent to ${target}: ${megabytes(found.out)}`,
    severity: evidence.isScanner(host) ? 'info' : 'high',
    confidence: sureness('medium', evidence, on),
    ...{ tactic: 'collection', ...technique('T1074.002') },
    summary: `${address(host)} got ${number(found.in)} bytes from internal hosts until ${utcSeconds(came_us)}, most of them from ${namesText(found.sources.map(address))}, and sent ${number(found.out)} bytes to ${target} from ${utcSeconds(sent_us)} on. The peer is new within this evidence. Volumes do not prove that what was sent is what was gathered.`,
    scores: [
      { name: `bytes in within ${window}`, value: found.in, threshold: `>= ${limits.inBytesMin}` },
      { name: 'internal hosts that they came from', value: found.sources.length, threshold: `>= ${limits.sourcesMin}` },
      {
        name: `bytes out within ${window}, by those in`,
        value: Math.round((100 * found.out) / found.in) / 100,
        threshold: `>= ${limits.ratioMin}`,
      },
      ...usersScore(evidence, peer, limits.ownClientsMax),
    ],
    would_change: `a peer that was there at the beginning, that more hosts of yours use or that the log names an AWS service; fewer than ${limits.sourcesMin} sources, or a transfer out that began before those in had ended`,
    counter_hypotheses: [
      'a backup server that copies what it keeps to a store outside',
      'a host that builds or publishes: it gets parts from others, and sends the whole to a registry',
      'a load balancer, a proxy or a relay of mail',
    ],
    ...{ subject: [host], peers: [peer], connections: on },
  }
}
