/**
 * From counted records to connections (docs/reference/dossier.md, section 3): one pass over records in the order of the record index, with a
 * table of the ends that were seen and one open connection for each pair of them.
 */

import { known, large, type RecordBlock, type RecordVantage } from '../record-index/block.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import {
  at,
  at4,
  bit,
  ConnectionTable,
  chunkMask,
  chunkShift,
  lack,
  noConnection,
  packetsMost,
  packetsShift,
  words,
} from './connection-table.ts'
import { interval_us, lateness_us, packetGap_us } from './intervals.ts'
import { grown } from './key-table.ts'
import { isForward, keyOf, portsOf } from './pairs.ts'
import { counterOf, isIcmpError, isRejected, isRstAlone, isSyn, isSynAck } from './signs.ts'

/** An open TCP connection may be silent that long and still be the same: a shell that nobody types in. */
const idle_us = 3600 * 1_000_000
/** What nearly every record says. */
const told = known.packets | known.bytes | known.start | known.end
const tcpKey = bit.protocolKnown | 6
const protocolMask = bit.protocolKnown | 0xff

export class Stitcher {
  readonly table = new ConnectionTable()
  private readonly isPackets: boolean
  /** Whether the vantage of a number has an interval of ten minutes. */
  private readonly isCoarse: Uint8Array
  /** By the number of a pair of ends its latest connection, and one; zero without one. */
  private readonly latestOf: Uint32Array
  private readonly opens = new Opens()
  /** Of what was read ahead: a value that nobody keeps would not be read. */
  touched = 0

  /** @param pairs how many pairs of ends there are. */
  constructor(evidence: EvidenceKind, vantages: readonly Pick<RecordVantage, 'longest_us'>[], pairs: number) {
    this.latestOf = new Uint32Array(pairs)
    this.isPackets = evidence === 'packets'
    this.isCoarse = Uint8Array.from(vantages, ({ longest_us }) => Number(interval_us(longest_us) > interval_us(0)))
  }

  /**
   * The connection of a counted record, the next one in order.
   *
   * @param pair the number of its pair of ends (`Pairs`).
   * @param record its row in `block`.
   * @param place what `firstRow` of a connection that it begins is to be.
   */
  add(pair: number, block: RecordBlock, record: number, place: number): number {
    const forward = isForward(block, record)
    const side = forward ? 0 : 1
    const before = this.latest(pair)
    if (before >= 0 && !this.begins(before, block, record, side)) {
      this.extend(before, block, record, side)
      return before
    }
    const connection = this.begin(before, block, record, forward)
    const integers = this.table.integers[connection >>> chunkShift]!
    const base = (connection & chunkMask) * 2 * words
    integers[base + at4.firstRow] = place
    if (isRejected(block, record)) integers[base + at4.bits]! |= bit.firstRejected
    this.latestOf[pair] = connection + 1
    this.extend(connection, block, record, side)
    return connection
  }

  /** The latest connection of a pair of ends; -1 without one. */
  latest(pair: number): number {
    return this.latestOf[pair]! - 1
  }

  /** Asks for what is known of some pairs that come next, all at once: what is far away in memory is then there when it is needed. */
  prepare(pairs: Uint32Array): void {
    const { latestOf, table } = this
    let touched = 0
    for (let i = 0; i < pairs.length; i++) {
      const latest = latestOf[pairs[i]!]!
      if (latest === 0) continue
      const integers = table.integers[(latest - 1) >>> chunkShift]!
      const base = ((latest - 1) & chunkMask) * 2 * words
      touched ^= integers[base]! ^ integers[base + at4.previous]!
    }
    this.touched = touched
  }

  /** Whether a record begins a new connection after one of the same ends. */
  private begins(before: number, block: RecordBlock, record: number, side: 0 | 1): boolean {
    const integers = this.table.integers[before >>> chunkShift]!
    const base = (before & chunkMask) * words
    const bits = integers[2 * base + at4.bits]!
    const silence = block.start_us[record]! - this.table.floats[before >>> chunkShift]![base + at.latestEnd]!
    const isClosed = (bits & bit.closed) !== 0
    const opens = isSyn(block, record)
    let gap = packetGap_us
    if (this.isPackets) {
      if ((block.tcpFlags[record]! & 2) !== 0 && this.opens.isAnother(before, side)) return true
    } else {
      const coarse = (bits & bit.coarse) !== 0 || this.isCoarse[block.vantage[record]!] === 1
      const interval = interval_us(coarse ? Number.POSITIVE_INFINITY : 0)
      if (opens && (isClosed || silence > interval)) return true
      gap = interval + lateness_us
    }
    if (silence <= gap) return false
    const goesOn = (bits & protocolMask) === tcpKey && !opens && (block.known[record]! & known.tcpFlags) !== 0
    return !(goesOn && !isClosed && silence <= idle_us)
  }

  private begin(before: number, block: RecordBlock, record: number, forward: boolean): number {
    const { table } = this
    const connection = table.add()
    const integers = table.integers[connection >>> chunkShift]!
    const floats = table.floats[connection >>> chunkShift]!
    const base = (connection & chunkMask) * words
    const inherited = before < 0 ? 0 : table.bits(before) & (bit.closed | bit.coarse)
    integers[2 * base + at4.aHost] = forward ? block.source[record]! : block.destination[record]!
    integers[2 * base + at4.bHost] = forward ? block.destination[record]! : block.source[record]!
    integers[2 * base + at4.ports] = portsOf(block, record, forward)
    integers[2 * base + at4.bits] = keyOf(block, record, forward) | inherited
    integers[2 * base + at4.previous] = before < 0 ? noConnection : before
    if (before >= 0)
      table.integers[before >>> chunkShift]![(before & chunkMask) * 2 * words + at4.bits]! |= bit.isFollowed
    floats[base + at.aFirst] = Number.POSITIVE_INFINITY
    floats[base + at.bFirst] = Number.POSITIVE_INFINITY
    floats[base + at.end] = Number.NEGATIVE_INFINITY
    floats[base + at.latestEnd] = before < 0 ? Number.NEGATIVE_INFINITY : table.number(before, at.latestEnd)
    if (this.isPackets) this.opens.begin(before)
    return connection
  }

  /** Adds a record to a connection. */
  private extend(connection: number, block: RecordBlock, record: number, side: 0 | 1): void {
    const integers = this.table.integers[connection >>> chunkShift]!
    const floats = this.table.floats[connection >>> chunkShift]!
    const base = (connection & chunkMask) * words
    const start = block.start_us[record]!
    const end = block.end_us[record]!
    if (start < floats[base + at.aFirst + side]!) floats[base + at.aFirst + side] = start
    if (end > floats[base + at.end]!) floats[base + at.end] = end
    if (end > floats[base + at.latestEnd]!) floats[base + at.latestEnd] = end
    integers[2 * base + at4.aRecords + side]!++
    let bits = this.withSigns(connection, integers[2 * base + at4.bits]!, block, record, side)
    const has = block.known[record]!
    if ((has & known.packets) !== 0) {
      const few = Math.min(((bits >>> packetsShift) & 7) + block.packets[record]!, packetsMost)
      bits = (bits & ~(7 << packetsShift)) | bit.packetsKnown | (few << packetsShift)
    }
    integers[2 * base + at4.bits] = bits
    if ((has & told) !== told) this.noteLacks(connection, block, record, side)
    if (isRejected(block, record)) return
    integers[2 * base + at4.aAccepted + side]!++
    if (!isRstAlone(block, record, this.isPackets)) integers[2 * base + at4.bits]! |= bit.aNotRst << side
    if ((has & known.packets) !== 0) {
      const sum = integers[2 * base + at4.aPackets + side]! + block.packets[record]!
      if (sum < large) integers[2 * base + at4.aPackets + side] = sum
      else this.table.addManyPackets(connection, side, counterOf(block, record, 'packets'))
    }
    if ((has & known.bytes) !== 0) {
      const sum = floats[base + at.aBytes + side]! + block.bytes[record]!
      if (block.bytes[record] !== large && sum <= Number.MAX_SAFE_INTEGER) floats[base + at.aBytes + side] = sum
      else this.table.addManyBytes(connection, side, counterOf(block, record, 'bytes'))
    }
  }

  private noteLacks(connection: number, block: RecordBlock, record: number, side: 0 | 1): void {
    const has = block.known[record]!
    if ((has & (known.start | known.end)) === 0) this.table.addLack(connection, lack.time)
    if (isRejected(block, record)) return
    if ((has & known.bytes) === 0) this.table.addLack(connection, lack.aBytes + side)
    if ((has & known.packets) === 0) this.table.addLack(connection, lack.aPackets + side)
  }

  /** The bits of a connection with what a record says of how it begins and ends. */
  private withSigns(connection: number, before: number, block: RecordBlock, record: number, side: 0 | 1): number {
    let bits = this.isCoarse[block.vantage[record]!] === 1 ? before | bit.coarse : before
    const has = block.known[record]!
    if ((has & known.tcpFlags) !== 0) {
      const flags = block.tcpFlags[record]!
      if (isSyn(block, record)) bits = (bits | (bit.aSyn << side)) & ~bit.closed
      if (isSynAck(block, record, this.isPackets)) bits |= bit.aSynAck << side
      if (this.isPackets && (flags & 2) !== 0)
        bits = this.opens.open(connection, block.start_us[record]!, side, bits & ~bit.closed)
      if ((flags & 5) !== 0) bits |= bit.closed
    }
    if (!isRstAlone(block, record, this.isPackets)) bits |= bit.notRst
    if (!isIcmpError(block, record)) bits |= bit.notError
    if ((has & known.sourceIsService) !== 0) bits |= bit.aService << side
    if ((has & known.destinationIsService) !== 0) bits |= bit.aService << (1 - side)
    return bits
  }
}

/** Of packets, by connection: how often either side has opened one between its ends so far, and when the first did in it. */
class Opens {
  private counts: Uint32Array = new Uint32Array(2 << 10)
  private first_us: Float64Array = new Float64Array(1 << 10)
  private connections = 0

  begin(before: number): void {
    const connection = this.connections++
    if (connection === this.first_us.length) {
      this.counts = grown(this.counts, new Uint32Array(4 * connection))
      this.first_us = grown(this.first_us, new Float64Array(2 * connection))
    }
    this.first_us[connection] = Number.NaN
    if (before < 0) return
    this.counts[2 * connection] = this.counts[2 * before]!
    this.counts[2 * connection + 1] = this.counts[2 * before + 1]!
  }

  /** Whether one more SYN of a side is of another connection: it has sent as many as any side before. */
  isAnother(connection: number, side: 0 | 1): boolean {
    const { counts } = this
    return counts[2 * connection + side]! >= counts[2 * connection + 1 - side]!
  }

  /** Notes that a side has sent a SYN. Returns the bits of the connection with who was first. */
  open(connection: number, start_us: number, side: 0 | 1, bits: number): number {
    this.counts[2 * connection + side]!++
    const first_us = this.first_us[connection]!
    if (Number.isNaN(first_us)) {
      this.first_us[connection] = start_us
      return bits | (bit.aOpened << side)
    }
    if ((bits & ((bit.aOpened << side) | bit.bothOpened)) !== 0) return bits
    // The other side was first, unless both began together.
    const begun = start_us === first_us ? bits & ~(bit.aOpened | bit.bOpened) : bits
    return begun | bit.bothOpened
  }
}
