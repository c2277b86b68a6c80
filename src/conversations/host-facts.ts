/** What is known of each host of a case by the connections of all: counted block by block, by several threads in common memory. */
import { ICMP, ICMPV6 } from '../net/icmp.ts'
import { TCP } from '../net/protocols.ts'
import { type CaseConnections, mark, outcome } from './connections.ts'

/** By host. */
export interface HostFacts {
  /** How many internal clients it has answered. */
  ownClients: Uint32Array
  /** How many external hosts it spoke to, either way, on ports from 1024 on. */
  highPeers: Uint32Array
  /** How many hosts it sent ICMP to, errors aside, that it began no other traffic with; where nobody knows who began, either did. */
  icmpPeers: Uint32Array
  /** How many internal clients called it without an answer. */
  ownFailed: Uint32Array
  /** How many clients it has answered on the ports of mail. */
  mailClients: Uint32Array
  /** How many clients it has answered on the port of names. */
  dnsClients: Uint32Array
  /** How many clients tried to speak to it; and with how many of them it held a connection (`isHeld`). */
  allClients: Uint32Array
  heldClients: Uint32Array
  /** When the first connection with it begins, microseconds. */
  firstSeen_us: Float64Array
  /** When the first TCP connection of an internal host begins that an external one answers, on no port of web or mail; infinite without one. */
  firstCall_us: Float64Array
  /** Bytes that an internal host sent to external ones, in connections that it began with hosts that are no AWS service. */
  sentOut: Float64Array
}

type Counted = Exclude<keyof HostFacts, 'firstSeen_us' | 'firstCall_us' | 'sentOut'>

/** Ports where programs of all kinds look for news and hold connections open for them. */
export const webAndMail: readonly number[] = [25, 80, 110, 143, 443, 465, 587, 853, 993, 995, 5222, 8080, 8443]

/** SMTP: between servers, and from clients to the server that sends for them. */
const mailPorts: readonly number[] = [25, 465, 587]

/** A packet of TCP that carries nothing: 40 bytes of IPv6, and 40 with the options of a SYN. */
const emptyBytesMax = 80

/**
 * Whether both sides spoke: of TCP more than a SYN, its repetitions and their answers. Never of ICMP, which asks and answers without an
 * agreement.
 */
export function isHeld(connections: CaseConnections, i: number): boolean {
  const { protocol, packetsUp, packetsDown, bytesUp, bytesDown } = connections
  if (connections.outcome[i] !== outcome.answered || protocol[i] === ICMP || protocol[i] === ICMPV6) return false
  const isEmpty = bytesUp[i]! <= emptyBytesMax * packetsUp[i]! && bytesDown[i]! <= emptyBytesMax * packetsDown[i]!
  return protocol[i] !== TCP || (packetsUp[i]! >= 3 && !isEmpty)
}

/** A pair of a client and a server, that is counted once. */
interface PairFact {
  name: Counted
  /** Of whom it is counted. */
  of: readonly ('client' | 'server')[]
  /** A connection of the pair must be so, and none so as `unless` says. Of both ends it is told whether they are internal. */
  isSo(connections: CaseConnections, i: number, isClientOurs: boolean, isServerOurs: boolean): boolean
  unless?(connections: CaseConnections, i: number): boolean
}

const isIcmp = ({ protocol }: CaseConnections, i: number): boolean => protocol[i] === ICMP || protocol[i] === ICMPV6
const isPing = (all: CaseConnections, i: number): boolean => isIcmp(all, i) && (all.marks[i]! & mark.isError) === 0
const isOther = (all: CaseConnections, i: number): boolean => !isIcmp(all, i)

const pairFacts: readonly PairFact[] = [
  {
    ...{ name: 'ownClients', of: ['server'] },
    isSo: ({ outcome: outcomes }, i, isClientOurs) => isClientOurs && outcomes[i] === outcome.answered,
  },
  {
    ...{ name: 'highPeers', of: ['client', 'server'] },
    isSo: ({ port }, i, isClientOurs, isServerOurs) =>
      isClientOurs !== isServerOurs && port[i]! >= 1024 && port[i]! <= 65_535,
  },
  {
    ...{ name: 'ownFailed', of: ['server'] },
    isSo: ({ outcome: outcomes }, i, isClientOurs) => isClientOurs && outcomes[i] !== outcome.answered,
  },
  {
    ...{ name: 'mailClients', of: ['server'] },
    isSo: (all, i) => all.outcome[i] === outcome.answered && mailPorts.includes(all.port[i]!),
  },
  {
    ...{ name: 'dnsClients', of: ['server'] },
    isSo: (all, i) => all.outcome[i] === outcome.answered && all.port[i] === 53,
  },
  { ...{ name: 'allClients', of: ['server'] }, isSo: () => true },
  { ...{ name: 'heldClients', of: ['server'] }, isSo: isHeld },
  { ...{ name: 'icmpPeers', of: ['client'] }, isSo: isPing, unless: isOther },
  {
    ...{ name: 'icmpPeers', of: ['server'] },
    isSo: (all, i) => isPing(all, i) && (all.marks[i]! & mark.unknownRole) !== 0,
    unless: isOther,
  },
]

/** What an internal host does with an external one. One thread has all connections of a client: no other writes what is known of it. */
function addOutward(facts: HostFacts, all: CaseConnections, i: number): void {
  const host = all.client[i]!
  if ((all.marks[i]! & mark.toService) === 0) facts.sentOut[host]! += all.bytesUp[i]!
  const isCall = all.protocol[i] === TCP && all.outcome[i] === outcome.answered && !webAndMail.includes(all.port[i]!)
  if (isCall && all.start_us[i]! < facts.firstCall_us[host]!) facts.firstCall_us[host] = all.start_us[i]!
}

export const factNames = [
  'ownClients',
  'highPeers',
  'icmpPeers',
  'ownFailed',
  'mailClients',
  'dnsClients',
  'allClients',
  'heldClients',
  'firstSeen_us',
  'firstCall_us',
  'sentOut',
] as const satisfies (keyof HostFacts)[]

/** Facts of hosts of whom nothing is known yet, in memory that threads have in common. */
export function emptyFacts(hosts: number): HostFacts {
  const counts = (): Uint32Array => new Uint32Array(new SharedArrayBuffer(4 * hosts))
  const times = (): Float64Array => new Float64Array(new SharedArrayBuffer(8 * hosts)).fill(Number.POSITIVE_INFINITY)
  return {
    ...{ ownClients: counts(), highPeers: counts(), icmpPeers: counts(), ownFailed: counts(), mailClients: counts() },
    dnsClients: counts(),
    ...{ allClients: counts(), heldClients: counts(), firstSeen_us: times(), firstCall_us: times() },
    sentOut: new Float64Array(new SharedArrayBuffer(8 * hosts)),
  }
}

/** Adds to facts what connections say: one for each thread. */
export class FactCounter {
  private readonly facts: HostFacts
  private readonly isInternal: (host: number) => boolean
  private readonly bits: BigInt64Array
  /** By server: one more than the client that it was last met with, and what is so of the two. */
  private readonly metWith: Uint32Array
  private readonly pairBits: Uint32Array

  constructor(facts: HostFacts, isInternal: (host: number) => boolean) {
    const hosts = facts.firstSeen_us.length
    this.facts = facts
    this.isInternal = isInternal
    this.bits = new BigInt64Array(facts.firstSeen_us.buffer)
    this.metWith = new Uint32Array(hosts)
    this.pairBits = new Uint32Array(hosts)
  }

  /** @param connections all of some clients, in order. No two calls, of whichever counter, may have connections of the same client. */
  add(connections: CaseConnections): void {
    const { count, client } = connections
    for (let from = 0; from < count; ) {
      let to = from + 1
      while (to < count && client[to] === client[from]) to++
      this.addClient(connections, from, to)
      from = to
    }
  }

  private addClient(connections: CaseConnections, from: number, to: number): void {
    const { client, server, start_us } = connections
    const { facts, metWith, pairBits } = this
    const host = client[from]!
    const isOurs = this.isInternal(host)
    const servers: number[] = []
    let first_us = start_us[from]!
    for (let i = from; i < to; i++) {
      const peer = server[i]!
      if (start_us[i]! < first_us) first_us = start_us[i]!
      this.seen(peer, start_us[i]!)
      const isPeerOurs = this.isInternal(peer)
      if (isOurs && !isPeerOurs) addOutward(facts, connections, i)
      if (metWith[peer] !== host + 1) {
        metWith[peer] = host + 1
        pairBits[peer] = 0
        servers.push(peer)
      }
      pairBits[peer] = this.bitsOf(connections, i, pairBits[peer]!, isOurs, isPeerOurs)
    }
    this.seen(host, first_us)
    for (const peer of servers) this.count(host, peer, pairBits[peer]!)
  }

  /** What is so of a pair: of each fact a bit for that it is, and a bit for that something stands against it. */
  private bitsOf(
    connections: CaseConnections,
    i: number,
    known: number,
    isClientOurs: boolean,
    isServerOurs: boolean,
  ): number {
    let bits = known
    for (let at = 0; at < pairFacts.length; at++) {
      const { isSo, unless } = pairFacts[at]!
      if ((bits & (1 << (2 * at))) === 0 && isSo(connections, i, isClientOurs, isServerOurs)) bits |= 1 << (2 * at)
      if (unless !== undefined && (bits & (2 << (2 * at))) === 0 && unless(connections, i)) bits |= 2 << (2 * at)
    }
    return bits
  }

  private count(host: number, peer: number, bits: number): void {
    for (let at = 0; at < pairFacts.length; at++) {
      if (((bits >>> (2 * at)) & 3) !== 1) continue
      const { name, of } = pairFacts[at]!
      for (const end of of) Atomics.add(this.facts[name], end === 'client' ? host : peer, 1)
    }
  }

  private seen(host: number, start: number): void {
    const { firstSeen_us } = this.facts
    if (start >= firstSeen_us[host]!) return
    one[0] = start
    const wanted = oneBits[0]!
    for (let known = Atomics.load(this.bits, host); ; ) {
      oneBits[0] = known
      if (start >= one[0]!) return
      const found = Atomics.compareExchange(this.bits, host, known, wanted)
      if (found === known) return
      known = found
    }
  }
}

/** A number, and its bits. */
const one = new Float64Array(1)
const oneBits = new BigInt64Array(one.buffer)

/** What some connections show of the case as a whole. */
export interface Seen {
  count: number
  /** When the first one begins and the last one ends, microseconds. */
  span: { from_us: number; to_us: number }
  /** Whether some of their records are rejected, and some not; whether some connections are answered. */
  rejected: boolean
  accepted: boolean
  answers: boolean
}

export const nothingSeen: Seen = {
  count: 0,
  span: { from_us: Number.POSITIVE_INFINITY, to_us: Number.NEGATIVE_INFINITY },
  ...{ rejected: false, accepted: false, answers: false },
}

export function seenIn({ count, start_us, end_us, rejected, records, outcome: outcomes }: CaseConnections): Seen {
  const seen = { ...nothingSeen, count, span: { ...nothingSeen.span } }
  for (let i = 0; i < count; i++) {
    if (start_us[i]! < seen.span.from_us) seen.span.from_us = start_us[i]!
    if (end_us[i]! > seen.span.to_us) seen.span.to_us = end_us[i]!
    if (rejected[i]! > 0) seen.rejected = true
    if (rejected[i]! < records[i]!) seen.accepted = true
    if (outcomes[i]! === outcome.answered) seen.answers = true
  }
  return seen
}

/** What both show. */
export function seenTogether(a: Seen, b: Seen): Seen {
  return {
    count: a.count + b.count,
    span: { from_us: Math.min(a.span.from_us, b.span.from_us), to_us: Math.max(a.span.to_us, b.span.to_us) },
    ...{ rejected: a.rejected || b.rejected, accepted: a.accepted || b.accepted, answers: a.answers || b.answers },
  }
}
