/** D01: one host that tries many services, or many hosts, of which most do not answer. */
import { noPort } from '../conversations/services.ts'
import { TCP, UDP } from '../net/protocols.ts'
import { durationWords } from '../net/time.ts'
import { techniques } from './attack.ts'
import { type CaseConnections, clientsOf, outcome, type Run, servicesIn } from './connections.ts'
import { type CaseEvidence, isAtLeast, peerToPeer } from './evidence.ts'
import { type Crowded, distinctWithin, grouped } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, namesText, sureness } from './rule.ts'
import { benignScans, isAttempt, isBegun, scanTechnique } from './scanning.ts'
import { number } from './words.ts'

const { thresholds, reasons } = decided({
  targetsMin: [
    10,
    'distinct targets that did not answer, within the window: five to nine found no labelled attack that ten did not find',
  ],
  windowSeconds: [15 * 60, 'the window (Zeek takes 5 minutes, NCSA simple-scan 15)'],
  slowSeconds: [24 * 3600, 'the window of the slow pass: as many targets in a day'],
  pairsMin: [25, 'many hosts and many ports: distinct pairs of both (NCSA simple-scan)'],
  hostsOfPortMin: [
    2,
    'hosts that each port was tried on, on average: in peer-to-peer networks each peer has a port of its own',
  ],
  attemptPacketsMax: [
    3,
    'packets of an attempt, where nothing shows that it was no more than a SYN and its repetitions',
  ],
  synPacketsMax: [8, 'packets of an attempt, where flags show that'],
  synBytesMax: [80, 'bytes of a packet of an attempt, on average: a SYN with its options, IPv6'],
  udpPortMax: [32_767, 'UDP above this port is answers to ports that were opened for them (SSDP, traceroute)'],
  answeredTimes: [
    2,
    'hosts that answered on the port in that time, by those that did not: of a scan most do not, a proxy or name server has many dead ones',
  ],
  pollerVisits: [4, 'how often a poller visits a dead target'],
  pollerSeconds: [60, 'and how far apart: sooner it is a repetition'],
  pollerShare: [0.6, 'and what share of its dead targets it visits so often'],
  publicPorts: [[80, 443], 'public pages: what a scanner from outside was answered there is no success'],
  reachedPacketsMin: [4, 'client packets from which on it was answered: more than a handshake and a banner'],
})
type Limits = typeof thresholds

/** Of a subject a few are told: below three, retries and mistakes look the same. */
const ofSubject = decided({
  targetsMin: [3, 'distinct targets that did not answer: below, retries and mistakes look the same'],
  pairsMin: [3, 'distinct targets that did not answer, on several hosts and ports'],
  hostsOfPortMin: [1, 'several hosts with a port each are told, too'],
  windowSeconds: [30 * 24 * 3600, 'whatever the pace: within a month'],
})

export const scan: CaseRule<Limits> = {
  name: 'D01-scan',
  title: 'tries of many services or many hosts, most of which do not answer',
  needs: { rejected: 'better', flags: 'better', sizes: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1046', 'T1595.001'),
  guardDuty: ['Recon:EC2/Portscan', 'Impact:EC2/PortSweep', 'Recon:EC2/PortProbeUnprotectedPort'],
  scope: 'client',
  ofSubject: {
    name: 'closed-port-probe',
    ...ofSubject,
    lesser: { severity: 'low', confidence: 'medium' },
    atLeast: 'medium',
    concerns: isBegun,
  },
  find,
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(evidence.connections)) {
    if (client.to - client.from < limits.targetsMin || isMostlyAnswered(evidence, client, limits)) continue
    const found = shapesOf(evidence, client, failedOf(evidence, client, limits), limits)
    if (found !== null) drafts.push(draft(evidence, client, found, limits))
  }
  return drafts
}

/** Whether fewer connections of a client than targets of a scan failed: nearly all clients. */
function isMostlyAnswered({ connections }: CaseEvidence, { from, to }: Run, { targetsMin }: Limits): boolean {
  let failed = 0
  for (let i = from; i < to && failed < targetsMin; i++) if (connections.outcome[i] !== outcome.answered) failed++
  return failed < targetsMin
}

/** A way of scanning that was found, with the connections that show it. */
interface Shape {
  kind: 'horizontal' | 'vertical' | 'block'
  isSlow: boolean
  most: number
  connections: number[]
}

/** The connections of a client that failed, those of services that answered it at other times left out, in order of time. */
function failedOf({ connections, has }: CaseEvidence, client: Run, limits: Limits): number[] {
  const failed: number[] = []
  for (const { from, to } of servicesIn(connections, client)) {
    if (connections.port[from] === noPort) continue
    const { protocol } = connections
    const [isTcp, isUdp] = [protocol[from] === TCP, protocol[from] === UDP]
    if (!isTcp && !(isUdp && connections.port[from]! <= limits.udpPortMax)) continue
    const some: number[] = []
    let isAnswered = false
    for (let i = from; i < to; i++) {
      if (connections.outcome[i] === outcome.answered) isAnswered = true
      else if (isAttempt(connections, i, isTcp && has.flags, limits)) some.push(i)
    }
    if (!isAnswered) for (const i of some) failed.push(i)
  }
  return failed.sort((a, b) => connections.start_us[a]! - connections.start_us[b]! || a - b)
}

function shapesOf(evidence: CaseEvidence, client: Run, failed: readonly number[], limits: Limits): Shape[] | null {
  if (failed.length < limits.targetsMin) return null
  let shapes = ofEach(evidence, client, failed, limits, false)
  if (shapes.length === 0) shapes = blocks(evidence, failed, limits)
  if (shapes.length === 0) shapes = ofEach(evidence, client, failed, limits, true)
  return shapes.length > 0 ? shapes : null
}

/** Hosts by port, and ports by host. */
function ofEach(
  evidence: CaseEvidence,
  client: Run,
  failed: readonly number[],
  limits: Limits,
  isSlow: boolean,
): Shape[] {
  const { connections } = evidence
  const { server, port, protocol, start_us } = connections
  const keyOfPort = (i: number): number => protocol[i]! * 65_536 + port[i]!
  const byPort = grouped(failed, keyOfPort)
  const byHost = grouped(failed, i => server[i]!)
  const window_us = (isSlow ? limits.slowSeconds : limits.windowSeconds) * 1e6
  const shapes: Shape[] = []
  const look = (some: readonly number[], kind: Shape['kind'], keyOf: (i: number) => number): Shape | null => {
    if (some.length < limits.targetsMin) return null
    const times = some.map(i => start_us[i]!)
    const crowded = distinctWithin(times, some.map(keyOf), window_us, limits.targetsMin)
    return crowded === null ? null : shape(kind, isSlow, crowded, some)
  }
  const answered = answeredOn(evidence, client)
  let used: ReadonlyMap<number, readonly number[]> | null = null
  for (const some of byPort.values()) {
    if (some.length < limits.targetsMin || isPoller(evidence, some, limits)) continue
    if (isPeerToPeer(evidence, client, some, answered)) continue
    const found = look(some, 'horizontal', i => server[i]!)
    if (found === null) continue
    used ??= usedOn(evidence, client, limits)
    if (!isOutnumbered(evidence, used.get(keyOfPort(some[0]!)) ?? [], found, limits)) shapes.push(found)
  }
  for (const some of byHost.values()) {
    const found = look(some, 'vertical', keyOfPort)
    if (found !== null) shapes.push(found)
  }
  return shapes
}

function shape(kind: Shape['kind'], isSlow: boolean, { most, events }: Crowded, some: readonly number[]): Shape {
  return { kind, isSlow, most, connections: events.map(event => some[event]!) }
}

/** Many hosts and many ports, none of them enough by itself. */
function blocks({ connections }: CaseEvidence, failed: readonly number[], limits: Limits): Shape[] {
  const { server, port, protocol, start_us } = connections
  const some = failed.filter(i => protocol[i] === TCP)
  if (some.length < limits.pairsMin) return []
  const keys = some.map(i => server[i]! * 65_536 + port[i]!)
  const times = some.map(i => start_us[i]!)
  const crowded = distinctWithin(times, keys, limits.windowSeconds * 1e6, limits.pairsMin)
  if (crowded === null) return []
  const pairs = new Set(crowded.events.map(event => keys[event]!)).size
  const ports = new Set(crowded.events.map(event => port[some[event]!]!)).size
  return pairs < ports * limits.hostsOfPortMin ? [] : [shape('block', false, crowded, some)]
}

/** Whether some that failed are visits of a poller to targets that are gone, in order of time. */
function isPoller({ connections }: CaseEvidence, some: readonly number[], limits: Limits): boolean {
  const { server, start_us } = connections
  const visited = [...grouped(some, i => server[i]!).values()].map(of => {
    let [visits, last_us] = [0, Number.NEGATIVE_INFINITY]
    for (const i of of) {
      if (start_us[i]! - last_us < limits.pollerSeconds * 1e6) continue
      last_us = start_us[i]!
      visits++
    }
    return visits
  })
  return visited.filter(visits => visits >= limits.pollerVisits).length >= limits.pollerShare * visited.length
}

/** The connections of a client that a service answered, by protocol and port; a port that is only looked at answers with a handshake. */
function usedOn({ connections }: CaseEvidence, { from, to }: Run, limits: Limits): ReadonlyMap<number, number[]> {
  const { port, protocol, packetsUp } = connections
  const some: number[] = []
  for (let i = from; i < to; i++) {
    const isUsed = protocol[i] !== TCP || packetsUp[i]! >= limits.reachedPacketsMin
    if (isUsed && connections.outcome[i] === outcome.answered) some.push(i)
  }
  return grouped(some, i => protocol[i]! * 65_536 + port[i]!)
}

/** Whether far more hosts answered on the port while these did not. */
function isOutnumbered({ connections }: CaseEvidence, used: readonly number[], found: Shape, limits: Limits): boolean {
  const { server, start_us } = connections
  const [from_us, to_us] = [start_us[found.connections[0]!]!, start_us[found.connections.at(-1)!]!]
  const failed = new Set(found.connections.map(i => server[i]!))
  const answered = new Set(used.filter(i => start_us[i]! >= from_us && start_us[i]! <= to_us).map(i => server[i]!))
  return answered.size >= limits.answeredTimes * failed.size
}

/** How many connections of a client were answered, by port from 1024 on. */
function answeredOn({ connections }: CaseEvidence, { from, to }: Run): ReadonlyMap<number, number> {
  const { port } = connections
  const answered = new Map<number, number>()
  for (let i = from; i < to; i++) {
    if (port[i]! < 1024 || connections.outcome[i] !== outcome.answered) continue
    answered.set(port[i]!, (answered.get(port[i]!) ?? 0) + 1)
  }
  return answered
}

/** Dead peers of a host in a peer-to-peer network, which has living ones on the same port. */
function isPeerToPeer(
  { connections, highPeers }: CaseEvidence,
  client: Run,
  some: readonly number[],
  answered: ReadonlyMap<number, number>,
): boolean {
  const port = connections.port[some[0]!]!
  if (port < 1024 || !isAtLeast(highPeers(connections.client[client.from]!), peerToPeer)) return false
  return 4 * (answered.get(port) ?? 0) >= some.length
}

function draft(evidence: CaseEvidence, client: Run, shapes: readonly Shape[], limits: Limits): CaseDraft {
  const { connections, address } = evidence
  const on = distinct(shapes.flatMap(one => one.connections))
  const actor = connections.client[client.from]!
  const targets = distinct(on.map(i => connections.server[i]!))
  const ports = distinct(on.map(i => connections.port[i]!))
  const [isSlow, most] = [shapes.every(one => one.isSlow), shapes.reduce((all, one) => Math.max(all, one.most), 0)]
  const kind = ports.length === 1 ? 'horizontal' : targets.length === 1 ? 'vertical' : 'block'
  const isBlock = shapes.every(one => one.kind === 'block')
  const reached = opened(evidence, client, targets, on, limits)
  const count = (what: number): number => on.filter(i => connections.outcome[i] === what).length
  const services = servicesAmong(connections, on)
  const words = {
    horizontal: 'Scan for one service on many hosts',
    vertical: 'Scan of the ports of a host',
    block: 'Scan of many hosts and ports',
  }
  const window = durationWords(isSlow ? limits.slowSeconds : limits.windowSeconds)
  const portsText = namesText(ports.map(String))
  const after =
    reached.length === 0
      ? 'No session with them followed.'
      : `${number(reached.length)} of its connections to them were answered, the first on port ${connections.port[reached[0]!]}.`
  return {
    title:
      services < thresholds.targetsMin
        ? `Probe of ${number(services)} services that did not answer`
        : `${isSlow ? 'Slow scan' : words[kind]}: ${number(targets.length)} ${targets.length === 1 ? 'host' : 'hosts'}, ${ports.length === 1 ? `port ${portsText}` : `${number(ports.length)} ports`}`,
    severity: severityOf(evidence, actor, isSlow, reached.length > 0),
    confidence: sureness(isSlow ? 'medium' : 'high', evidence, on),
    ...scanTechnique(evidence, actor, 'T1046'),
    summary: `${address(actor)} tried ${number(targets.length)} ${targets.length === 1 ? 'host' : 'hosts'} on ${number(ports.length)} ${ports.length === 1 ? 'port' : 'ports'} (${portsText}) without an answer: ${number(count(outcome.rejected))} rejected, ${number(count(outcome.refused))} refused, ${number(count(outcome.unanswered))} unanswered; up to ${number(most)} targets within ${window}. ${after}`,
    scores: [
      {
        name: `distinct targets within ${window}`,
        value: most,
        threshold: `>= ${isBlock ? limits.pairsMin : limits.targetsMin}`,
      },
    ],
    would_change: `fewer than ${limits.targetsMin} targets without an answer in any ${durationWords(limits.windowSeconds)} and in any ${durationWords(limits.slowSeconds)}`,
    counter_hypotheses: benignScans,
    ...{ subject: [actor], peers: targets, connections: on },
  }
}

/** Different services among some connections. */
function servicesAmong({ server, port, protocol }: CaseConnections, some: readonly number[]): number {
  const keys = some.map(i => (server[i]! * 131_072 + port[i]!) * 2 + Number(protocol[i] === UDP))
  return new Set(keys).size
}

/** Outbound or inside: an internal host does it. From outside it is the weather, unless something answered. */
function severityOf(evidence: CaseEvidence, actor: number, isSlow: boolean, isReached: boolean): CaseDraft['severity'] {
  if (evidence.isScanner(actor)) return 'info'
  if (evidence.isInternal(actor)) return isSlow ? 'medium' : 'high'
  return isReached ? 'medium' : 'info'
}

/** Connections of the client that its targets answered after it began to scan, in order of time. */
function opened(
  { connections, isInternal }: CaseEvidence,
  client: Run,
  targets: readonly number[],
  on: readonly number[],
  { publicPorts, reachedPacketsMin }: Limits,
): number[] {
  const isOutside = !isInternal(connections.client[client.from]!)
  const { server, start_us } = connections
  const isTarget = new Set(targets)
  const begin = on.reduce((least, i) => Math.min(least, start_us[i]!), Number.POSITIVE_INFINITY)
  const found: number[] = []
  for (let i = client.from; i < client.to; i++) {
    const isTcp = connections.protocol[i] === TCP && connections.outcome[i] === outcome.answered
    const isPublic = isOutside && publicPorts.includes(connections.port[i]!)
    if (isPublic || connections.packetsUp[i]! < reachedPacketsMin) continue
    if (isTcp && start_us[i]! >= begin && isTarget.has(server[i]!)) found.push(i)
  }
  return found.sort((a, b) => start_us[a]! - start_us[b]! || a - b)
}
