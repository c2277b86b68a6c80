import { TCP } from '../net/protocols.ts'
import { FIN, RST, SYN } from '../net/tcp-flags.ts'
import * as batch from './batch.ts'
import { type FlowSink, MeteredFlow, type RecordEnd } from './metered-flow.ts'
import { ConversationTable, deadlineAt, headDoubles, stateWord } from './table.ts'

/** Times in microseconds. */
export interface FlowTimeouts {
  /** A record that has lasted this long ends with the next packet. */
  active: number
  /** A record whose direction was silent for longer has ended. */
  inactive: number
  /** How long packets still count to a TCP conversation that is closed. */
  linger: number
}

export const flowTimeouts: FlowTimeouts = { active: 300e6, inactive: 60e6, linger: 5e6 }

/** Bits of an entry's state. */
const used = 1
/** A FIN of the lower end; that of the higher is the next bit. */
const fin = 2
const closed = 8
/** The lower end has a record; the higher: the next bit. Until then, its part of the entry means nothing. */
const live = 16

const synAck = 18
/** In the word of flags, where other protocols have the type of ICMP: a packet of the record has SYN and ACK. */
const synAckBit = 1 << 16

/** Of a direction, in doubles from its start: one cache line. */
const first = 0
const last = 1
const bytes = 2
const packets = 3
const number = 4
/** In 32-bit words from its start: as those of a packet in a batch, then the initial sequence number. */
const flagsWord = 10
const layersWord = 11
const tunnelIdWord = 12
const sequenceWord = 13
const directionDoubles = 8
/** Bit of `layersWord`: a SYN gave the sequence number. */
const hasSequence = 1 << 30

/**
 * Packets to unidirectional flow records, as NetFlow (RFC 3954, 3.2) and IPFIX (RFC 5102, 5.11) keep them.
 * docs/reference/metering.md states the rules.
 */
export class FlowMeter {
  readonly table: ConversationTable
  records = 0
  /** Of them, those that ended at the limit. */
  evicted = 0
  private readonly timeouts: FlowTimeouts
  private readonly sink: FlowSink
  private readonly record = new MeteredFlow()
  private now = 0
  private readonly endInSweep = (entry: number): void => this.endEntry(entry, this.reasonOf(entry))
  private readonly endAtLimit = (entry: number): void => this.endEntry(entry, 'limit')

  constructor(sink: FlowSink, timeouts: FlowTimeouts, capacity: number, limit: number) {
    this.sink = sink
    this.timeouts = timeouts
    this.table = new ConversationTable({ doubles: 2 * directionDoubles, capacity, limit })
  }

  /** Counts the packets of a batch. */
  add(packets: batch.Batch): void {
    this.table.warm(packets, 2 * headDoubles, 2 * headDoubles + 1, 2 * directionDoubles)
    for (let i = 0; i < packets.length; i++) this.addOne(packets, i * batch.packetWords)
  }

  private addOne(packets: batch.Batch, p: number): void {
    const { table } = this
    const { words } = packets
    const now = packets.doubles[p / 2 + batch.nowDouble]!
    this.now = now
    let entry = table.find(words, p)
    if (entry < 0) entry = this.begin(words, p)
    else if (now > table.doubles[entry + deadlineAt]!) this.restart(entry, this.reasonOf(entry))
    const bits = words[p + batch.bitsWord]!
    const flags = words[p + batch.flagsWord]!
    const tcpFlags = (bits & batch.hasTcpHeader) === 0 ? 0 : flags & 0xff
    if ((tcpFlags & SYN) !== 0 && this.isReuse(words[p + batch.sequenceWord]!, entry, bits & 1))
      this.restart(entry, 'reuse')
    this.count(packets, p, entry, bits & 1, tcpFlags)
    this.keepTime(entry, bits & 1, tcpFlags)
  }

  /** Tells now what has ended already; the records are the same without. */
  sweep(now: number): void {
    this.now = now
    this.table.makeRoom(now, this.endInSweep, this.endAtLimit, Number.POSITIVE_INFINITY)
  }

  /** Ends every record, with pauses: the capture is over, or its clock steps back. */
  ending(now: number, reason: RecordEnd): Generator<void> {
    this.now = now
    return this.table.clearing(entry => {
      const over = this.table.doubles[entry + deadlineAt]! < now
      this.endEntry(entry, over ? this.reasonOf(entry) : reason)
    })
  }

  private begin(key: Int32Array, from: number): number {
    const { table } = this
    if (!table.hasRoom) {
      table.makeRoom(this.now, this.endInSweep, this.endAtLimit)
      table.find(key, from)
    }
    return table.insert(key, from, used)
  }

  /** Ends the records of both directions; the entry goes on as if it were new. */
  private restart(entry: number, reason: RecordEnd): void {
    this.endEntry(entry, reason)
    this.table.words[2 * entry + stateWord] = used
  }

  private reasonOf(entry: number): RecordEnd {
    return (this.table.words[2 * entry + stateWord]! & closed) !== 0 ? 'closed' : 'idle'
  }

  /** Whether a SYN begins another connection with the ports of one that is closed, rather than being sent again. */
  private isReuse(sequence: number, entry: number, direction: number): boolean {
    const { words } = this.table
    const state = words[2 * entry + stateWord]!
    if ((state & closed) === 0) return false
    const at = entry + headDoubles + direction * directionDoubles
    const known = (state & (live << direction)) !== 0 && (words[2 * at + layersWord]! & hasSequence) !== 0
    return !known || words[2 * at + sequenceWord] !== sequence
  }

  private count(packet: batch.Batch, p: number, entry: number, direction: number, tcpFlags: number): void {
    const at = entry + headDoubles + direction * directionDoubles
    const { doubles, words } = this.table
    const bit = live << direction
    const time = packet.doubles[p / 2 + batch.timeDouble]!
    if ((words[2 * entry + stateWord]! & bit) !== 0) {
      const gap = time - doubles[at + last]!
      if (gap > this.timeouts.inactive || gap < -this.timeouts.inactive) this.endDirection(entry, direction, 'idle')
      else if (time >= doubles[at + first]! + this.timeouts.active) this.endDirection(entry, direction, 'active')
    }
    if ((words[2 * entry + stateWord]! & bit) === 0) {
      words[2 * entry + stateWord]! |= bit
      this.beginRecord(packet, p, at, tcpFlags)
    } else if (time > doubles[at + last]!) doubles[at + last] = time
    else if (time < doubles[at + first]!) doubles[at + first] = time
    doubles[at + packets]! += 1
    doubles[at + bytes]! += packet.words[p + batch.ipBytesWord]! >>> 0
    words[2 * at + flagsWord]! |= (tcpFlags & synAck) === synAck ? tcpFlags | synAckBit : tcpFlags
    words[2 * at + layersWord]! |= packet.words[p + batch.layersWord]! & batch.withoutFlags
  }

  private beginRecord(packet: batch.Batch, p: number, at: number, tcpFlags: number): void {
    const { doubles, words } = this.table
    const time = packet.doubles[p / 2 + batch.timeDouble]!
    doubles[at + first] = time
    doubles[at + last] = time
    doubles[at + packets] = 0
    doubles[at + bytes] = 0
    doubles[at + number] = packet.doubles[p / 2 + batch.numberDouble]!
    const word = 2 * at
    words[word + flagsWord] = packet.words[p + batch.flagsWord]!
    words[word + layersWord] = packet.words[p + batch.layersWord]! | ((tcpFlags & SYN) !== 0 ? hasSequence : 0)
    words[word + tunnelIdWord] = packet.words[p + batch.tunnelIdWord]!
    words[word + sequenceWord] = packet.words[p + batch.sequenceWord]!
  }

  /** Notes how far a TCP conversation is closed, and until when the entry lives. */
  private keepTime(entry: number, direction: number, tcpFlags: number): void {
    const { doubles, words } = this.table
    const state = words[2 * entry + stateWord]!
    if ((state & closed) !== 0) return
    doubles[entry + deadlineAt] = this.now + this.timeouts.inactive
    if ((tcpFlags & (FIN | RST)) === 0) return
    let next = state
    if ((tcpFlags & FIN) !== 0) next |= fin << direction
    if ((tcpFlags & RST) !== 0 || (next & (3 * fin)) === 3 * fin) {
      next |= closed
      doubles[entry + deadlineAt] = this.now + this.timeouts.linger
    }
    words[2 * entry + stateWord] = next
  }

  private endEntry(entry: number, reason: RecordEnd): void {
    const state = this.table.words[2 * entry + stateWord]!
    if ((state & live) !== 0) this.endDirection(entry, 0, reason)
    if ((state & (live << 1)) !== 0) this.endDirection(entry, 1, reason)
  }

  private endDirection(entry: number, direction: number, reason: RecordEnd): void {
    const at = entry + headDoubles + direction * directionDoubles
    const { doubles, words } = this.table
    const { record } = this
    words[2 * entry + stateWord]! &= ~(live << direction)
    this.fillKey(record, 2 * entry, direction === 1)
    this.fillLayers(record, 2 * at)
    record.packets = doubles[at + packets]!
    record.bytes = doubles[at + bytes]!
    record.first = doubles[at + first]!
    record.last = doubles[at + last]!
    record.firstPacket = doubles[at + number]!
    record.end = reason
    this.records++
    if (reason === 'limit') this.evicted++
    this.sink(record)
  }

  private fillKey(record: MeteredFlow, word: number, down: boolean): void {
    const { words } = this.table
    const src = word + (down ? 4 : 0)
    const dst = word + (down ? 0 : 4)
    record.src0 = words[src]! >>> 0
    record.src1 = words[src + 1]! >>> 0
    record.src2 = words[src + 2]! >>> 0
    record.src3 = words[src + 3]! >>> 0
    record.dst0 = words[dst]! >>> 0
    record.dst1 = words[dst + 1]! >>> 0
    record.dst2 = words[dst + 2]! >>> 0
    record.dst3 = words[dst + 3]! >>> 0
    const ports = words[word + 8]!
    const rest = words[word + 9]!
    record.protocol = rest & 0xff
    record.icmpId = (rest >>> 8) & 0xffff
    // The ports of ICMP are type and code, which the record has apart.
    const none = record.protocol === 1 || record.protocol === 58
    record.srcPort = none ? 0 : down ? ports & 0xffff : ports >>> 16
    record.dstPort = none ? 0 : down ? ports >>> 16 : ports & 0xffff
  }

  private fillLayers(record: MeteredFlow, word: number): void {
    const { words } = this.table
    const flags = words[word + flagsWord]!
    const layers = words[word + layersWord]!
    record.tcpFlags = flags & 0xff
    record.tos = (flags >>> 8) & 0xff
    const isTcp = record.protocol === TCP
    record.hasSynAck = isTcp && (flags & synAckBit) !== 0
    record.icmpType = isTcp ? 0 : (flags >>> 16) & 0xff
    record.icmpCode = isTcp ? 0 : flags >>> 24
    record.vlan = (layers & 0xffff) === batch.noVlan ? -1 : layers & 0xffff
    record.tunnel = (layers >>> 16) & 0xff
    record.tunnelId = (layers & batch.hasTunnelId) === 0 ? -1 : words[word + tunnelIdWord]! >>> 0
    record.hasTransport = (layers & batch.isKnown) !== 0
    record.hasFlags = record.protocol === TCP && record.hasTransport && (layers & batch.withoutFlags) === 0
  }
}
