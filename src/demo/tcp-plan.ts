import { FIN, HEADERS, type Leg, RST, SYN, SYN_OPTIONS, type WindowSlice } from './conversation.ts'
import type { Random } from './random.ts'

/** TCP flags that flow logs leave out. */
export const PSH = 8
export const ACK = 16

/** Bytes of an IP and a TCP header without time stamps, and what a SYN with a segment size alone adds. */
const BARE_HEADERS = 40
const BARE_SYN_OPTIONS = 4
/** Payload of a full packet: 1500 bytes less the headers. */
const FULL = 1448

const SECOND = 1_000_000
/** Microseconds that a host needs at least for an answer that needs no thought. */
export const REFLEX = 25
/** Microseconds that stay free before a second ends. */
const MARGIN = 1000

/** How the two sides of a conversation take turns. */
export type Manner = 'web' | 'typing' | 'polling' | 'upload' | 'errands'

/** What the packets of a conversation depend on in every window. */
export interface FlowShape {
  manner: Manner
  /** Whether the side that opened it is the host that captures. */
  client_is_local: boolean
  /** Microseconds. */
  round_trip: number
  /** Microseconds between two packets of one flight. */
  gap: number
  /** No TCP time stamps: 40 bytes of headers, as the scanners' own stacks send them. */
  bare: boolean
}

/** One TCP packet before it has numbers. Times are microseconds by the clock of the flow logs. */
export interface Segment {
  kind: 'tcp'
  time: number
  from_client: boolean
  flags: number
  /** Bytes of payload. */
  length: number
  /** The turn that it begins, if it is the first of its side's data in one. */
  begins_turn: number | null
}

/** How one side's packets of a window divide up. */
interface Side {
  syn: number
  fin: number
  rst: number
  data: number
  acks: number
  /** Payload in the data packets, and what did not fit into them. */
  payload: number
  syn_payload: number
  fin_payload: number
}

/** Whether a leg is too small for headers with time stamps. */
export function isBare({ to_server, to_client }: WindowSlice): boolean {
  return [to_server, to_client].some(leg => leg !== null && payloadOf(leg, false) < 0)
}

function payloadOf(leg: Leg, bare: boolean): number {
  const [headers, options] = bare ? [BARE_HEADERS, BARE_SYN_OPTIONS] : [HEADERS, SYN_OPTIONS]
  return leg.bytes - leg.packets * headers - (leg.tcp_flags & SYN ? options : 0)
}

/** Divides a leg into packets: `wanted` says how many should carry data, given how many there are. */
function divideLeg(leg: Leg | null, bare: boolean, wanted: (available: number, payload: number) => number): Side {
  const none = { syn: 0, fin: 0, rst: 0, data: 0, acks: 0, payload: 0, syn_payload: 0, fin_payload: 0 }
  if (leg === null) return none
  const [syn, fin, rst] = [SYN, FIN, RST].map(flag => (leg.tcp_flags & flag ? 1 : 0)) as [number, number, number]
  const payload = payloadOf(leg, bare)
  const available = leg.packets - syn - fin - rst
  if (payload < 0 || available < 0) throw new RangeError(`${leg.packets} packets do not fit ${leg.bytes} bytes`)
  const fewest = Math.ceil(payload / FULL)
  const data = Math.min(available, payload, Math.max(fewest, wanted(available, payload)))
  const carried = Math.min(payload, data * FULL)
  const fin_payload = fin ? Math.min(FULL, payload - carried) : 0
  const syn_payload = payload - carried - fin_payload
  if (syn_payload > (syn ? FULL : 0)) throw new RangeError(`${leg.bytes} bytes do not fit ${leg.packets} packets`)
  return { syn, fin, rst, data, acks: available - data, payload: carried, syn_payload, fin_payload }
}

/** The packets of one window: as many packets and bytes each way as its legs say, in order of time. */
export function planWindow(shape: FlowShape, slice: WindowSlice, random: Random): Segment[] {
  const leg = (slice.to_server ?? slice.to_client)!
  const turns = turnsOf(shape, slice)
  const client = divideLeg(slice.to_server, shape.bare, clientData(shape.manner, turns))
  const server = divideLeg(slice.to_client, shape.bare, serverData(shape.manner, turns, client.data))
  const plan = new WindowPlan(shape, client, server, random)
  return plan.make(leg.start * SECOND, leg.end * SECOND, turns)
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))

/** Times that the client says something in a window. */
function turnsOf({ manner, bare, round_trip }: FlowShape, { to_server, to_client }: WindowSlice): number {
  const [sent, received] = [to_server, to_client].map(leg => (leg ? payloadOf(leg, bare) : 0)) as [number, number]
  const [packets, answers] = [to_server?.packets ?? 0, to_client?.packets ?? 0]
  const closes = ((to_server?.tcp_flags ?? 0) | (to_client?.tcp_flags ?? 0)) & FIN
  const most = Math.max(1, Math.min(packets - 3, answers - 2, sent, received))
  if (manner === 'typing') return clamp(Math.min(mostlyData(packets - 3), mostlyData(answers - 2)), 1, most)
  if (manner === 'polling') return Math.min(4, most)
  if (manner === 'errands') return Math.min(2, most)
  if (manner === 'upload') return clamp(Math.round(packets / 40), Math.min(2, packets), 24)
  const { start, end } = (to_server ?? to_client)!
  // A turn takes its round trips.
  const timely = Math.max(1, Math.floor(((end - start) * SECOND + 300_000) / (5 * round_trip + 30_000)))
  const natural = Math.min(Math.round(received / 40000), timely)
  return Math.min(most, Math.max(natural, closes || start === end ? 1 : 2))
}

/** Of `available` packets, those that carry data where most do. */
const mostlyData = (available: number): number => available - Math.floor(available / 8)

function clientData(manner: Manner, turns: number) {
  return (available: number): number => (manner === 'typing' ? mostlyData(available - 2) : Math.min(turns, available))
}

/** A server has no use for more acknowledgements than there are requests: what is left carries data. */
function serverData(manner: Manner, turns: number, requests: number) {
  return (available: number): number => {
    if (manner === 'typing') return mostlyData(available)
    if (manner === 'upload') return Math.min(2, available)
    return manner === 'errands' ? turns : Math.max(turns, available - requests)
  }
}

/** Gives the packets of one window their times. */
class WindowPlan {
  readonly #segments: Segment[] = []
  readonly #shape: FlowShape
  readonly #client: Side
  readonly #server: Side
  readonly #random: Random

  constructor(shape: FlowShape, client: Side, server: Side, random: Random) {
    this.#shape = shape
    this.#client = client
    this.#server = server
    this.#random = random
  }

  /** `start` and `end` are the seconds in which the first and the last packet lie. */
  make(start: number, end: number, turns: number): Segment[] {
    const { round_trip } = this.#shape
    const [client, server] = [this.#client, this.#server]
    const closes = client.fin + server.fin > 0
    const from = start + this.#between(20_000, start === end ? 90_000 : 450_000)
    const upTo = end + this.#between(Math.min(900_000, 520_000 + round_trip), 970_000)
    const open = this.#handshake(from)
    const [finalAck, close] = closes && client.acks > 0 ? [1, upTo - round_trip - 4 * REFLEX] : [0, upTo]
    client.acks -= finalAck
    const talkEnd = (closes ? close - round_trip : close) - MARGIN
    const isLate = !closes && start < end
    const begins = this.#turnTimes(open, talkEnd, turns, isLate && turns > 1 ? end + this.#between(20_000, 120_000) : 0)
    this.#talk(begins, talkEnd, isLate && turns === 1)
    if (client.rst) this.#add(open + REFLEX, true, RST, 0)
    // A short connection is closed when all is said; a longer one at the second that its records name.
    const said = this.#segments.reduce((last, segment) => Math.max(last, segment.time), open)
    this.#farewell(start === end ? Math.min(close, said + this.#between(200, 2500)) : close, finalAck)
    return this.#segments.sort((a, b) => a.time - b.time)
  }

  /** SYN, SYN-ACK, ACK. Returns when the connection stands. */
  #handshake(from: number): number {
    const [client, server] = [this.#client, this.#server]
    let time = from
    if (client.syn) this.#add(time, true, SYN, client.syn_payload)
    if (server.syn) this.#add((time = this.#after(time, true)), false, SYN | ACK, server.syn_payload)
    if (!client.syn && !server.syn) return from
    time = this.#after(time, false)
    if (client.acks > 0) {
      client.acks--
      this.#add(time, true, ACK, 0)
    }
    return time + REFLEX
  }

  /** FIN, FIN, ACK. */
  #farewell(close: number, finalAck: number): void {
    const [client, server] = [this.#client, this.#server]
    let time = close
    if (client.fin) this.#add(time, true, FIN | ACK, client.fin_payload)
    if (server.fin) this.#add((time = this.#after(time, true)), false, FIN | ACK, server.fin_payload)
    if (finalAck) this.#add(this.#after(time, false), true, ACK, 0)
  }

  /** When each turn begins; `last` names the time of the last one, 0 where it comes like the others. */
  #turnTimes(from: number, upTo: number, turns: number, last: number): number[] {
    const step = Math.max(0, (last || upTo) - from) / (last ? turns - 1 : turns)
    return Array.from({ length: turns }, (_, turn) => {
      if (turn === 0) return from
      return from + step * turn - (last && turn === turns - 1 ? 0 : this.#between(0, Math.floor(step * 0.4)))
    })
  }

  /** All turns: each side's data and the acknowledgements, shared out evenly. */
  #talk(begins: number[], upTo: number, isSlow: boolean): void {
    const [client, server] = [this.#client, this.#server]
    const turns = begins.length
    const requests = shares(client.data, turns)
    const answers = shares(server.data, turns)
    const requestBytes = bytesOf(requests, client)
    const answerBytes = bytesOf(answers, server)
    const clientAcks = sharesBy(client.acks, answers)
    const serverAcks = sharesBy(server.acks, requests)
    begins.forEach((begin, turn) => {
      const span = Math.max(MARGIN, (begins[turn + 1] ?? upTo) - begin)
      const [asks, replies] = [requests[turn]!, answers[turn]!]
      const isUpload = asks > replies
      const request = split(requestBytes[turn]!, asks)
      const answer = split(answerBytes[turn]!, replies)
      const askSpan = isUpload ? span * 0.8 - this.#shape.round_trip : span * 0.1
      const asked = this.#send(true, begin, request, askSpan, isSlow && isUpload, turn)
      this.#acknowledge(false, begin, asked, serverAcks[turn]!)
      const thought = this.#think(span)
      const reply = this.#after(asked.at(-1) ?? begin, true) + thought
      const replySpan = begin + span - reply - this.#shape.round_trip
      const replied = this.#send(false, reply, answer, replySpan, isSlow && !isUpload, turn)
      this.#acknowledge(true, reply, replied, clientAcks[turn]!)
    })
  }

  /** One side's data of a turn, in flights that grow; returns the packets' times. */
  #send(from_client: boolean, begin: number, lengths: number[], span: number, isSlow: boolean, turn: number): number[] {
    const offsets = flights(lengths.length, this.#shape, this.#random)
    const natural = offsets.at(-1) ?? 0
    const room = Math.max(span, REFLEX)
    const scale = natural > room || (isSlow && natural > 0) ? room / natural : 1
    return lengths.map((length, i) => {
      const time = begin + offsets[i]! * scale
      const flags = i === lengths.length - 1 || length < FULL ? PSH | ACK : ACK
      this.#add(time, from_client, flags, length, i === 0 ? turn : null)
      return time
    })
  }

  /** `count` acknowledgements of the packets that came at `times`, the last one of the last packet. */
  #acknowledge(from_client: boolean, begin: number, times: number[], count: number): void {
    for (let n = 0; n < count; n++) {
      const index = Math.ceil(((n + 1) * times.length) / count) - 1
      const again = times.length < count ? n * 3 : 0 // A window that opened wider: nothing new to acknowledge.
      this.#add(this.#seenAfter(times[index] ?? begin, !from_client) + again, from_client, ACK, 0)
    }
  }

  #add(time: number, from_client: boolean, flags: number, length: number, begins_turn: number | null = null): void {
    this.#segments.push({ kind: 'tcp', time: Math.round(time), from_client, flags, length, begins_turn })
  }

  /** When the other side's reaction is seen here to a packet that is seen here at `time`. */
  #after(time: number, from_client: boolean): number {
    return this.#seenAfter(time, from_client) + this.#between(0, 40)
  }

  /** The earliest time for that, as acknowledgements come, so that each speaks of the packet it is meant for. */
  #seenAfter(time: number, from_client: boolean): number {
    const isSeenLeaving = from_client === this.#shape.client_is_local
    return time + (isSeenLeaving ? this.#shape.round_trip : 0) + REFLEX
  }

  /** Microseconds that the server takes to answer, within what the turn has room for. */
  #think(span: number): number {
    const { manner } = this.#shape
    const usual = manner === 'web' ? this.#between(9_000, 160_000) : this.#between(300, 4_000)
    return Math.min(usual, span * 0.2)
  }

  #between(low: number, high: number): number {
    return this.#random.between(low, Math.max(low, high))
  }
}

/** Offsets of packets that leave in flights: ten, then twice as many every round trip, up to 64. */
function flights(count: number, { round_trip, gap }: FlowShape, random: Random): number[] {
  const offsets: number[] = []
  for (let size = 10, start = 0; offsets.length < count; size = Math.min(64, size * 2)) {
    let at = start
    for (let i = 0; i < size && offsets.length < count; i++) {
      offsets.push(at)
      at += Math.floor(gap * 0.8) + random.below(gap)
    }
    start = Math.max(start + round_trip, at)
  }
  return offsets
}

/** Shares `total` out over `count` turns, as evenly as whole numbers allow. */
function shares(total: number, count: number): number[] {
  return sharesBy(total, new Array<number>(count).fill(1))
}

function sharesBy(total: number, weights: number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0)
  const used = sum > 0 ? weights : weights.map(() => 1)
  let [held, given] = [0, 0]
  return used.map(weight => {
    held += weight
    const upTo = Math.floor((total * held) / (sum || used.length))
    const share = upTo - given
    given = upTo
    return share
  })
}

/** Payload of each turn, in proportion to its packets. */
function bytesOf(packets: number[], side: Side): number[] {
  return sharesBy(side.payload, side.data > 0 ? packets : packets.map(() => 0))
}

/** Sizes of `count` packets that carry `bytes`: full ones and a rest where that comes out, else equal ones. */
function split(bytes: number, count: number): number[] {
  if (count === 0) return []
  if (bytes <= (count - 1) * FULL) return shares(bytes, count)
  return Array.from({ length: count }, (_, i) => (i < count - 1 ? FULL : bytes - FULL * (count - 1)))
}
