/** D01: one host that tries many services, or many hosts, of which most do not answer. */
import { noPort } from '../conversations/services.ts'
import { number } from '../detect/words.ts'
import { ICMP, ICMPV6 } from '../net/icmp.ts'
import { TCP, UDP } from '../net/protocols.ts'
import { type CaseConnections, clientsOf, mark, outcome, type Run, servicesIn } from './connections.ts'
import { type CaseEvidence, peerToPeer } from './evidence.ts'
import { type Crowded, distinctWithin } from './numbers.ts'
import { type CaseDraft, type CaseRule, distinct, namesText, sureness } from './rule.ts'

const thresholds = {
  /** Distinct targets that did not answer, within the window: at five to nine no labelled scan was found that ten did not find. */
  targetsMin: 10,
  windowSeconds: 15 * 60,
  /** The slow pass: as many in a day. */
  slowSeconds: 24 * 3600,
  /** Many hosts and many ports: distinct pairs of both. */
  pairsMin: 25,
  /** Hosts that each port was tried on, at least: in peer-to-peer networks each peer has a port of its own. */
  hostsOfPortMin: 2,
  /** Hosts that were sent ICMP within the window: more than a ping here and there. */
  echoTargetsMin: 10,
  echoWindowSeconds: 60,
  /** Packets of an attempt, where nothing shows that it was no more than a SYN and its repetitions; and where flags do. */
  attemptPacketsMax: 3,
  synPacketsMax: 8,
  /** Bytes of a packet of an attempt, on average: a SYN with its options, IPv6. */
  synBytesMax: 80,
  /** UDP from this port on is answers to ports that were opened for them (SSDP, traceroute). */
  udpPortMax: 32_767,
  /** A poller visits its dead targets again and again: so often that share of them. */
  pollerVisits: 4,
  pollerShare: 0.6,
  /** What a scanner from outside was answered counts where it is no public page, and more than a handshake and a banner. */
  publicPorts: [80, 443] as readonly number[],
  reachedPacketsMin: 4,
}
type Limits = typeof thresholds

export const scan: CaseRule<Limits> = { name: 'D01-scan', thresholds, limitsOf, find }

function limitsOf({ has, source }: CaseEvidence): string[] {
  return [
    ...(has.rejected || source === 'packets'
      ? []
      : ['no record is rejected: scans that the rules of a firewall stopped may be missing']),
    ...(has.flags
      ? []
      : ['no tcp-flags: a service that refused is told from one that answered by the sizes of its packets alone']),
  ]
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(evidence.connections)) {
    const found = shapesOf(evidence, client, failedOf(evidence, client, limits), limits)
    if (found !== null) drafts.push(draft(evidence, client, found, limits))
  }
  return [...drafts, ...sweeps(evidence, limits)]
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

/** Whether a connection without an answer is an attempt to open one, and not the rest of something else. */
function isAttempt(connections: CaseConnections, i: number, hasFlags: boolean, limits: Limits): boolean {
  const marks = connections.marks[i]!
  if ((marks & (mark.unknownRole | mark.isError)) !== 0) return false
  if (connections.outcome[i] === outcome.rejected) return true
  const [packets, bytes] = [connections.packetsUp[i]!, connections.bytesUp[i]!]
  const isShort = packets <= limits.attemptPacketsMax
  if (!hasFlags) return isShort
  const isOpening = (marks & mark.opened) !== 0 && (marks & mark.accepted) === 0
  // Who sends more than that and closes had a connection, whose answers are not recorded.
  const isRepeated = packets <= limits.synPacketsMax && bytes <= limits.synBytesMax * packets
  return isOpening && (isShort || (isRepeated && (marks & mark.closed) === 0))
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
  const byPort = grouped(failed, i => protocol[i]! * 65_536 + port[i]!)
  const byHost = grouped(failed, i => server[i]!)
  const window_us = (isSlow ? limits.slowSeconds : limits.windowSeconds) * 1e6
  const shapes: Shape[] = []
  const look = (some: readonly number[], kind: Shape['kind'], keyOf: (i: number) => number): void => {
    if (some.length < limits.targetsMin) return
    const times = some.map(i => start_us[i]!)
    const crowded = distinctWithin(times, some.map(keyOf), window_us, limits.targetsMin)
    if (crowded !== null) shapes.push(shape(kind, isSlow, crowded, some))
  }
  for (const some of byPort.values()) {
    if (protocol[some[0]!] === UDP && isPoller(some, i => server[i]!, limits)) continue
    if (isPeerToPeer(evidence, client, some)) continue
    look(some, 'horizontal', i => server[i]!)
  }
  for (const some of byHost.values()) look(some, 'vertical', i => protocol[i]! * 65_536 + port[i]!)
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

function isPoller(some: readonly number[], targetOf: (i: number) => number, limits: Limits): boolean {
  const visits = [...grouped(some, targetOf).values()]
  return visits.filter(of => of.length >= limits.pollerVisits).length >= limits.pollerShare * visits.length
}

/** Dead peers of a host in a peer-to-peer network, which has living ones on the same port. */
function isPeerToPeer({ connections, highPeers }: CaseEvidence, client: Run, some: readonly number[]): boolean {
  const port = connections.port[some[0]!]!
  if (port < 1024 || highPeers[connections.client[client.from]!]! < peerToPeer) return false
  let answered = 0
  for (let i = client.from; i < client.to; i++)
    if (connections.port[i] === port && connections.outcome[i] === outcome.answered) answered++
  return 4 * answered >= some.length
}

function grouped(some: readonly number[], keyOf: (i: number) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const i of some) {
    const group = groups.get(keyOf(i))
    if (group === undefined) groups.set(keyOf(i), [i])
    else group.push(i)
  }
  return groups
}

const benign = [
  'a scanner of your own, for monitoring, inventory or weaknesses: name it with --scanner',
  'a client whose servers were moved or are down',
  'answers that a sensor outside the case recorded',
]

function draft(evidence: CaseEvidence, client: Run, shapes: readonly Shape[], limits: Limits): CaseDraft {
  const { connections, address } = evidence
  const on = distinct(shapes.flatMap(one => one.connections))
  const actor = connections.client[client.from]!
  const targets = distinct(on.map(i => connections.server[i]!))
  const ports = distinct(on.map(i => connections.port[i]!))
  const [isSlow, most] = [shapes.every(one => one.isSlow), Math.max(...shapes.map(one => one.most))]
  const kind = ports.length === 1 ? 'horizontal' : targets.length === 1 ? 'vertical' : 'block'
  const isBlock = shapes.every(one => one.kind === 'block')
  const reached = opened(evidence, client, targets, on, limits)
  const count = (what: number): number => on.filter(i => connections.outcome[i] === what).length
  const words = {
    horizontal: 'Scan for one service on many hosts',
    vertical: 'Scan of the ports of a host',
    block: 'Scan of many hosts and ports',
  }
  const portsText = namesText(ports.map(String))
  const after =
    reached.length === 0
      ? 'No session with them followed.'
      : `${number(reached.length)} of its connections to them were answered, the first on port ${connections.port[reached[0]!]}.`
  return {
    title: `${isSlow ? 'Slow scan' : words[kind]}: ${number(targets.length)} ${targets.length === 1 ? 'host' : 'hosts'}, ${ports.length === 1 ? `port ${portsText}` : `${number(ports.length)} ports`}`,
    severity: severityOf(evidence, actor, isSlow, reached.length > 0),
    confidence: sureness(isSlow ? 'medium' : 'high', evidence, on),
    ...technique(evidence, actor, 'T1046'),
    summary: `${address(actor)} tried ${number(targets.length)} ${targets.length === 1 ? 'host' : 'hosts'} on ${number(ports.length)} ${ports.length === 1 ? 'port' : 'ports'} (${portsText}) without an answer: ${number(count(outcome.rejected))} rejected, ${number(count(outcome.refused))} refused, ${number(count(outcome.unanswered))} unanswered; up to ${number(most)} targets within ${isSlow ? 'a day' : '15 minutes'}. ${after}`,
    scores: [
      {
        name: `distinct targets within ${isSlow ? '24 h' : '15 min'}`,
        value: most,
        threshold: `>= ${isBlock ? limits.pairsMin : limits.targetsMin}`,
      },
    ],
    would_change: `fewer than ${limits.targetsMin} targets without an answer in any 15 minutes and in any day`,
    counter_hypotheses: benign,
    ...{ subject: [actor], peers: targets, connections: on },
  }
}

/** Outbound or inside: an internal host does it. From outside it is the weather, unless something answered. */
function severityOf(evidence: CaseEvidence, actor: number, isSlow: boolean, isReached: boolean): CaseDraft['severity'] {
  if (evidence.isScanner(actor)) return 'info'
  if (evidence.isInternal(actor)) return isSlow ? 'medium' : 'high'
  return isReached ? 'medium' : 'info'
}

function technique(
  evidence: CaseEvidence,
  actor: number,
  inside: 'T1046' | 'T1018',
): Pick<CaseDraft, 'tactic' | 'technique' | 'technique_name'> {
  if (!evidence.isInternal(actor))
    return { tactic: 'reconnaissance', technique: 'T1595.001', technique_name: 'Active Scanning: Scanning IP Blocks' }
  const name = inside === 'T1046' ? 'Network Service Discovery' : 'Remote System Discovery'
  return { tactic: 'discovery', technique: inside, technique_name: name }
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

/** Hosts that send ICMP to many others at once. Of two that only exchange ICMP, logs do not always tell who began. */
function sweeps(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections } = evidence
  const { client, server, protocol, marks, start_us, count } = connections
  const events = new Map<number, number[]>()
  const note = (host: number, i: number): void => {
    const known = events.get(host)
    if (known === undefined) events.set(host, [i])
    else known.push(i)
  }
  for (let i = 0; i < count; i++) {
    if ((protocol[i] !== ICMP && protocol[i] !== ICMPV6) || (marks[i]! & mark.isError) !== 0) continue
    note(client[i]!, i)
    if ((marks[i]! & mark.unknownRole) !== 0) note(server[i]!, i)
  }
  const other = (host: number, i: number): number => (client[i] === host ? server[i]! : client[i]!)
  const many = [...events].filter(
    ([host, some]) => new Set(some.map(i => other(host, i))).size >= limits.echoTargetsMin,
  )
  const spoken = spokenWith(connections, new Set(many.map(([host]) => host)))
  return many
    .sort(([a], [b]) => a - b)
    .flatMap(([host, all]) => {
      const some = all.filter(i => !spoken.get(host)!.has(other(host, i)))
      some.sort((a, b) => start_us[a]! - start_us[b]! || a - b)
      // Errors repeat what they are about, and differ in size; a sweep sends the same to all.
      const bySize = grouped(some, i => sizeOf(connections, i))
      const shapes = [...bySize.values()].flatMap((alike): Shape[] => {
        const times = alike.map(i => start_us[i]!)
        const keys = alike.map(i => other(host, i))
        const crowded = distinctWithin(times, keys, limits.echoWindowSeconds * 1e6, limits.echoTargetsMin)
        return crowded === null ? [] : [shape('horizontal', false, crowded, alike)]
      })
      return shapes.length === 0 ? [] : [sweep(evidence, host, shapes, other, limits)]
    })
}

/** The peers of some hosts that they have other traffic with than ICMP. */
function spokenWith(
  { client, server, protocol, count }: CaseConnections,
  hosts: ReadonlySet<number>,
): Map<number, Set<number>> {
  const spoken = new Map([...hosts].map(host => [host, new Set<number>()]))
  for (let i = 0; i < count; i++) {
    if (protocol[i] === ICMP || protocol[i] === ICMPV6) continue
    spoken.get(client[i]!)?.add(server[i]!)
    spoken.get(server[i]!)?.add(client[i]!)
  }
  return spoken
}

/** Bytes of a packet, on average. */
function sizeOf({ bytesUp, packetsUp, bytesDown, packetsDown }: CaseConnections, i: number): number {
  return packetsUp[i]! > 0 ? bytesUp[i]! / packetsUp[i]! : bytesDown[i]! / packetsDown[i]!
}

function sweep(
  evidence: CaseEvidence,
  host: number,
  shapes: readonly Shape[],
  other: (host: number, i: number) => number,
  limits: Limits,
): CaseDraft {
  const on = distinct(shapes.flatMap(one => one.connections))
  const most = Math.max(...shapes.map(one => one.most))
  const targets = distinct(on.map(i => other(host, i)))
  const answered = on.filter(i => evidence.connections.outcome[i] === outcome.answered).length
  const isInside = evidence.isInternal(host)
  return {
    title: `ICMP sweep of ${number(targets.length)} hosts`,
    severity: evidence.isScanner(host) ? 'info' : isInside ? 'medium' : answered > 0 ? 'low' : 'info',
    confidence: sureness('medium', evidence, on),
    ...technique(evidence, host, 'T1018'),
    summary: `${evidence.address(host)} exchanged ICMP with ${number(targets.length)} hosts that it has no other traffic with, up to ${number(most)} within a minute; ${number(answered)} answered.`,
    scores: [{ name: 'hosts within 60 s', value: most, threshold: `>= ${limits.echoTargetsMin}` }],
    would_change: `fewer than ${limits.echoTargetsMin} such hosts in any minute`,
    counter_hypotheses: benign,
    ...{ subject: [host], peers: targets, connections: on },
  }
}
