/** D16: a connection out that is held open with small packets at the pace of a miner of coins at its pool. */
import { TCP } from '../net/protocols.ts'
import { durationWords } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, type Run, servicesIn } from './connections.ts'
import { type CaseEvidence, isAtLeast, isMore, peerToPeer } from './evidence.ts'
import { type CaseDraft, type CaseRule, decided, sureness } from './rule.ts'
import { warm_us, warmUp } from './warm-up.ts'
import { endText, number } from './words.ts'

const points =
  'a point of the score (NEMEA miner_detector, whose share of packets with ACK is that of answered connections here)'

const { thresholds, reasons } = decided({
  scoreMin: [7, 'points of 10 on a port of mining pools (NEMEA, its README)'],
  scoreElsewhere: [9, 'points of 10 on another port (NEMEA, as it is shipped)'],
  answeredShareMin: [0.8, `${points}: 2 points`],
  packetBytesMin: [50, `${points}: 2 points, bytes of a packet of the client`],
  packetBytesMax: [130, `${points}: 2 points, bytes of a packet of the client`],
  shortPackets: [10, `${points}: 1 point, where a connection has fewer or more packets than an ordinary exchange`],
  longPackets: [20, `${points}: 1 point, where a connection has fewer or more packets than an ordinary exchange`],
  perMinuteMin: [8, `${points}: 2 points, packets of the client in a minute`],
  perMinuteMax: [30, `${points}: 2 points, packets of the client in a minute`],
  activeSeconds: [300, `${points}: 3 points, for being connected for longer`],
  ownClientsMax: [2, 'own hosts that use the peer, elsewhere: with more of them it is taken for a service that we use'],
  peersMax: [peerToPeer, 'hosts outside that a host speaks to on high ports: it is in a peer-to-peer network'],
  poolPorts: [
    [3333, 4444, 5555, 6666, 7777, 8888, 9999, 14_433, 14_444, 45_560, 45_700],
    'ports that pools commonly listen on',
  ],
  ordinaryPorts: [
    [
      20, 21, 22, 23, 80, 443, 465, 587, 853, 993, 995, 1194, 1883, 3389, 5222, 5223, 5671, 5672, 5900, 6379, 8080,
      8443, 8883, 9092,
    ],
    'files, remote work, web, mail, queues and push services hold connections open in the same way: left out',
  ],
  ...warmUp,
})
type Limits = typeof thresholds

export const mining: CaseRule<Limits> = {
  name: 'D16-mining',
  title: 'a connection out that is held like that of a miner with its pool',
  needs: { accepted: 'must', answers: 'must', sizes: 'must' },
  thresholds,
  reasons,
  attack: techniques('T1496.001'),
  guardDuty: ['CryptoCurrency:EC2/BitcoinTool.B'],
  scope: 'client',
  limitsOf: () => [
    'mining through ports of the web, or a proxy, looks like a web socket or an agent there: names of hosts, which flow records do not have, would tell',
  ],
  find,
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal } = evidence
  const { server, port, protocol } = connections
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(connections)) {
    const host = connections.client[client.from]!
    if (!isInternal(host)) continue
    for (const service of servicesIn(connections, client)) {
      const { from } = service
      if (protocol[from] !== TCP || isInternal(server[from]!) || limits.ordinaryPorts.includes(port[from]!)) continue
      const isPool = limits.poolPorts.includes(port[from]!)
      const isOurs = isMore(evidence.ownClients(server[from]!), limits.ownClientsMax)
      if (!isPool && (isOurs || isAtLeast(evidence.highPeers(host), limits.peersMax))) continue
      const found = shapeOf(evidence, service, limits)
      if (found === null || found.score < (isPool ? limits.scoreMin : limits.scoreElsewhere)) continue
      const isNew = connections.start_us[from]! >= warm_us(evidence, limits)
      if (isPool || isNew) drafts.push(draft(evidence, found, isPool, isNew, limits))
    }
  }
  return drafts
}

interface Shape {
  some: number[]
  score: number
  answeredShare: number
  packetBytes: number
  packets: number
  perMinute: number
  seconds: number
}

/** What the client's side of a service looks like, and its points. */
function shapeOf({ connections }: CaseEvidence, { from, to }: Run, limits: Limits): Shape | null {
  const { start_us, end_us, packetsUp, bytesUp, marks } = connections
  const some: number[] = []
  let [packets, bytes, active_us] = [0, 0, 0]
  for (let i = from; i < to; i++) {
    const isAside = (marks[i]! & (mark.toService | mark.unknownRole)) !== 0
    if (connections.outcome[i] !== outcome.answered || isAside) continue
    some.push(i)
    packets += packetsUp[i]!
    bytes += bytesUp[i]!
    active_us += end_us[i]! - start_us[i]!
  }
  if (some.length === 0) return null
  const shape = {
    ...{ some, answeredShare: some.length / (to - from), packetBytes: bytes / packets, packets: packets / some.length },
    ...{ perMinute: (packets * 60e6) / active_us, seconds: active_us / 1e6 },
  }
  return { ...shape, score: scoreOf(shape, limits) }
}

function scoreOf(shape: Omit<Shape, 'score'>, limits: Limits): number {
  const { answeredShare, packetBytes, packets, perMinute, seconds } = shape
  const isBetween = (value: number, least: number, most: number): boolean => value >= least && value <= most
  return (
    (answeredShare > limits.answeredShareMin ? 2 : 0) +
    (isBetween(packetBytes, limits.packetBytesMin, limits.packetBytesMax) ? 2 : 0) +
    (isBetween(packets, limits.shortPackets, limits.longPackets) ? 0 : 1) +
    (isBetween(perMinute, limits.perMinuteMin, limits.perMinuteMax) ? 2 : 0) +
    (seconds > limits.activeSeconds ? 3 : 0)
  )
}

function draft(evidence: CaseEvidence, shape: Shape, isPool: boolean, isNew: boolean, limits: Limits): CaseDraft {
  const { connections, address, isScanner } = evidence
  const { some, score, answeredShare, packetBytes, packets, perMinute, seconds } = shape
  const [client, server, port] = [connections.client, connections.server, connections.port].map(
    column => column[some[0]!]!,
  ) as [number, number, number]
  const target = endText(evidence, server, port)
  const least = isPool ? limits.scoreMin : limits.scoreElsewhere
  const rounded = (value: number): number => Math.round(value * 100) / 100
  return {
    title: `A connection like that of a miner of coins with ${target}`,
    severity: isScanner(client) ? 'info' : !isPool ? 'low' : isNew ? 'high' : 'medium',
    confidence: sureness(isPool ? 'medium' : 'low', evidence, some),
    ...{ tactic: 'impact', ...technique('T1496.001') },
    summary: `${address(client)} was connected to ${target} for ${durationWords(Math.round(seconds))} in ${number(some.length)} ${some.length === 1 ? 'connection' : 'connections'}, and sent ${rounded(perMinute)} packets of ${Math.round(packetBytes)} bytes a minute. ${isPool ? 'Mining pools commonly listen on that port.' : 'No pool is known for that port.'} ${isNew ? 'It is new in this evidence.' : 'It was there from the beginning of this evidence.'}`,
    scores: [
      { name: 'points', value: score, threshold: `>= ${least}` },
      {
        name: 'share of connections that were answered',
        value: rounded(answeredShare),
        threshold: `> ${limits.answeredShareMin}: 2 points`,
      },
      {
        name: 'bytes of a client packet',
        value: rounded(packetBytes),
        threshold: `${limits.packetBytesMin} to ${limits.packetBytesMax}: 2 points`,
      },
      {
        name: 'client packets of a connection',
        value: rounded(packets),
        threshold: `not ${limits.shortPackets} to ${limits.longPackets}: 1 point`,
      },
      {
        name: 'client packets in a minute',
        value: rounded(perMinute),
        threshold: `${limits.perMinuteMin} to ${limits.perMinuteMax}: 2 points`,
      },
      { name: 'seconds connected', value: Math.round(seconds), threshold: `> ${limits.activeSeconds}: 3 points` },
    ],
    would_change: isPool
      ? 'another pace or other sizes, or a short connection'
      : 'another pace or other sizes, a peer that more hosts of yours use, or one that was there before',
    counter_hypotheses: [
      'a chat, a game, a queue or an agent that holds a connection open with small messages',
      'work by hand in a remote terminal',
      'a service of your own on that port: name its network with --internal',
    ],
    ...{ subject: [client], peers: [server], connections: some },
  }
}
