import { type Host, hostOf, METADATA_SERVICE, METRICS_PORT, streamOf } from './capture-hosts.ts'
import { type Conversation, FIN, RST, SYN, type WindowSlice } from './conversation.ts'
import { OUTWARD_PORT, SSH_PORT } from './incident.ts'
import { WEB_SERVER } from './network.ts'
import { wordsOf } from './opening-words.ts'
import { PayloadPool } from './payload.ts'
import { Random } from './random.ts'
import { ACK, type FlowShape, isBare, type Manner, planWindow, REFLEX, type Segment } from './tcp-plan.ts'

/** One TCP packet of the capture, to be numbered when all packets before it are. */
export interface TcpPacket extends Segment {
  flow: TcpFlow
  /** First bytes of the payload, an even number; the rest stands in the pool. */
  head: Buffer | null
}

/** What a packet says that follows from those before it. */
interface Numbers {
  seq: number
  ack: number
  /** RFC 7323: the sender's clock, and what it last saw of the other's. */
  stamp: number
  echo: number
  window: number
  /** IP identification. */
  id: number
  /** Where in the pool the payload stands. */
  place: number
}

/** Something sent: what acknowledges it, and the time stamp that answers it. */
interface Arrival {
  time: number
  seq: number
  stamp: number
}

/** What one side of a connection has sent so far. */
interface SenderState {
  next_seq: number
  /** What it last acknowledged. */
  acked: number
  window: number
  id: number
  /** Its time stamp at the first millisecond of all. */
  stamp_base: number
  last_stamp: number
  /** What it sent and the other may not have seen yet, from `first_underway` on; and the last that it has. */
  underway: Arrival[]
  first_underway: number
  arrived: Arrival
}

const WINDOW_STEP = 8
const LOCAL_WINDOW = 491
const REMOTE_WINDOW = 501
const LOCAL_SYN_WINDOW = 62727
const REMOTE_SYN_WINDOW = 64240
const SCANNER_WINDOW = 1024
const MANNERS = new Map<number, Manner>([
  [SSH_PORT, 'typing'],
  [METRICS_PORT, 'polling'],
  [OUTWARD_PORT, 'upload'],
])

/** A TCP conversation as the capturing host sees it: turns windows into numbered packets, in their order. */
export class TcpFlow {
  readonly conversation: Conversation
  readonly client: Host
  readonly server: Host
  readonly shape: FlowShape
  /** What the capture shows of it. */
  readonly shown = { packets: 0, ip_bytes: 0 }
  readonly #random: Random
  readonly #client: SenderState
  readonly #server: SenderState
  #contents: number

  constructor(conversation: Conversation, seed: number) {
    const { client, client_port, server, server_port, start } = conversation
    this.conversation = conversation
    this.#random = new Random(seed, streamOf(`${client}:${client_port} ${server}:${server_port} ${start}`))
    this.client = hostOf(client, seed)
    this.server = hostOf(server, seed)
    this.shape = shapeOf(conversation, this.client, this.server, this.#random)
    this.#contents = this.#random.below(10_000)
    // A host counts time from the same beginning for all its connections with another host.
    const stampBase = (name: string): number => new Random(seed, streamOf(name)).next()
    this.#client = this.#begin(this.shape.client_is_local, stampBase(`${client} ${server}`))
    this.#server = this.#begin(!this.shape.client_is_local, stampBase(`${server} ${client}`))
    this.#client.acked = this.#server.next_seq
    this.#server.acked = this.#client.next_seq
  }

  #begin(isLocal: boolean, stamp_base: number): SenderState {
    const next_seq = this.#random.next()
    // In the middle of a connection the last stamp is one from just before.
    const last_stamp = stampAt(stamp_base, this.conversation.start * 1_000_000)
    return {
      next_seq,
      acked: 0,
      window: isLocal ? LOCAL_WINDOW : REMOTE_WINDOW,
      id: this.#random.below(65536),
      stamp_base,
      last_stamp,
      underway: [],
      first_underway: 0,
      arrived: { time: 0, seq: next_seq, stamp: last_stamp },
    }
  }

  /** The packets of a window, in order of time. */
  packets(slice: WindowSlice): TcpPacket[] {
    const opens = ((slice.to_server?.tcp_flags ?? 0) & SYN) > 0
    return planWindow(this.shape, slice, this.#random).map(
      ({ kind, time, from_client, flags, length, begins_turn }) => {
        const head = begins_turn === null ? null : wordsOf(this.conversation, begins_turn, opens)[from_client ? 0 : 1]
        return { kind, time, from_client, flags, length, begins_turn, flow: this, head }
      },
    )
  }

  /** The numbers of the flow's next packet. */
  number({ time, from_client, flags, length }: TcpPacket): Numbers {
    const [own, other] = from_client ? [this.#client, this.#server] : [this.#server, this.#client]
    const isLocal = from_client === this.shape.client_is_local
    const seq = own.next_seq
    const known = seenOf(other, time - REFLEX - (isLocal ? 0 : this.shape.round_trip))
    if (flags === ACK && length === 0 && known.seq === own.acked) own.window += WINDOW_STEP
    own.acked = known.seq
    own.next_seq = (seq + length + (flags & (SYN | FIN) ? 1 : 0)) >>> 0
    // A remote clock is read when the packet leaves there, half a round trip before it is seen here.
    own.last_stamp = stampAt(own.stamp_base, isLocal ? time : time - this.shape.round_trip / 2)
    own.underway.push({ time, seq: own.next_seq, stamp: own.last_stamp })
    const answers = (flags & ACK) > 0
    return {
      seq,
      ack: answers ? known.seq : 0,
      stamp: own.last_stamp,
      echo: answers ? known.stamp : 0,
      window: this.#windowOf(flags, isLocal, own),
      id: flags & SYN && answers && isLocal ? 0 : (own.id = (own.id + 1) & 0xffff),
      place: PayloadPool.place(this.#contents++),
    }
  }

  #windowOf(flags: number, isLocal: boolean, own: SenderState): number {
    if (flags & RST) return 0
    if (!(flags & SYN)) return own.window & 0xffff
    if (isLocal) return LOCAL_SYN_WINDOW
    return this.shape.bare ? SCANNER_WINDOW : REMOTE_SYN_WINDOW
  }
}

/** The last packet of a sender that was seen here no later than `time`. */
function seenOf(sender: SenderState, time: number): Arrival {
  const sent = sender.underway
  while (sender.first_underway < sent.length && sent[sender.first_underway]!.time <= time) {
    sender.arrived = sent[sender.first_underway++]!
  }
  if (sender.first_underway === sent.length) {
    sent.length = 0
    sender.first_underway = 0
  }
  return sender.arrived
}

/** A time stamp that counts milliseconds. */
function stampAt(base: number, time: number): number {
  return (base + Math.floor(time / 1000)) % 0x100000000
}

function shapeOf(conversation: Conversation, client: Host, server: Host, random: Random): FlowShape {
  const { server_port, windows } = conversation
  const client_is_local = conversation.client === WEB_SERVER.address
  const packets = windows.reduce((sum, w) => sum + (w.to_server?.packets ?? 0) + (w.to_client?.packets ?? 0), 0)
  const usual = client_is_local ? server.round_trip : client.round_trip
  // All of a connection that its records put into one second has to fit into it.
  const seconds = windows.every(w => (w.to_server ?? w.to_client)!.start === (w.to_server ?? w.to_client)!.end)
  const round_trip = seconds ? Math.min(usual, Math.floor(700_000 / (6 + packets / 60))) : usual
  return {
    manner: conversation.server === METADATA_SERVICE ? 'errands' : (MANNERS.get(server_port) ?? 'web'),
    client_is_local,
    round_trip,
    gap: random.between(40, 120),
    bare: windows.some(isBare),
  }
}
