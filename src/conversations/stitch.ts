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
  keyBits,
  noConnection,
  packetsMost,
  packetsShift,
  words,
} from './connection-table.ts'
import { interval_us, lateness_us, packetGap_us } from './intervals.ts'
import { grown, hashOf } from './key-table.ts'
import { counterOf, isIcmpError, isRejected, isRstAlone, isSyn, isSynAck } from './signs.ts'

/** An open TCP connection may be silent that long and still be the same: a shell that nobody types in. */
const idle_us = 3600 * 1_000_000
const tcpKey = bit.protocolKnown | 6
const protocolMask = bit.protocolKnown | 0xff

export class Stitcher {
  readonly table = new ConnectionTable()
  private readonly isPackets: boolean
  /** Whether the vantage of a number has an interval of ten minutes. */
  private readonly isCoarse: Uint8Array
  /** The latest connection of the ends that hash there, and one; zero where there is none. */
  private slots = new Uint32Array(1 << 12)
  private pairs = 0
  private readonly opens = new Opens()

  /** @param expected about how many pairs of ends there will be. */
  constructor(evidence: EvidenceKind, vantages: readonly Pick<RecordVantage, 'longest_us'>[], expected = 0) {
    if (2 * expected > this.slots.length) this.slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * expected)))
    this.isPackets = evidence === 'packets'
    this.isCoarse = Uint8Array.from(vantages, ({ longest_us }) => Number(interval_us(longest_us) > interval_us(0)))
  }

  /**
   * The connection of a counted record, the next one in order.
   *
   * @param record its row in `block`.
   * @param place what `firstRow` of a connection that it begins is to be.
   */
  add(block: RecordBlock, record: number, place: number): number {
    const has = block.known[record]!
    const source = block.source[record]!
    const destination = block.destination[record]!
    const sourcePort = (has & known.sourcePort) !== 0 ? block.sourcePort[record]! : -1
    const destinationPort = (has & known.destinationPort) !== 0 ? block.destinationPort[record]! : -1
    const forward = isForward(block, record)
    const a = forward ? source : destination
    const b = forward ? destination : source
    const aPort = forward ? sourcePort : destinationPort
    const bPort = forward ? destinationPort : sourcePort
    const ports = portsOf(aPort, bPort)
    const key = keyOf(block, record, aPort, bPort)
    const side = forward ? 0 : 1
    const slot = this.slotOf(a, b, ports, key)
    const before = this.slots[slot]! - 1
    if (before >= 0 && !this.begins(before, block, record, side)) {
      this.extend(before, block, record, side)
      return before
    }
    const connection = this.begin(before, a, b, ports, key)
    const integers = this.table.integers[connection >>> chunkShift]!
    const base = (connection & chunkMask) * 2 * words
    integers[base + at4.firstRow] = place
    if (isRejected(block, record)) integers[base + at4.bits]! |= bit.firstRejected
    this.slots[slot] = connection + 1
    if (before < 0 && ++this.pairs * 2 > this.slots.length) this.grow()
    this.extend(connection, block, record, side)
    return connection
  }

  /** The latest connection of a record's ends; -1 without one. */
  latest(block: RecordBlock, record: number): number {
    const has = block.known[record]!
    const source = block.source[record]!
    const destination = block.destination[record]!
    const sourcePort = (has & known.sourcePort) !== 0 ? block.sourcePort[record]! : -1
    const destinationPort = (has & known.destinationPort) !== 0 ? block.destinationPort[record]! : -1
    const forward = isForward(block, record)
    const [aPort, bPort] = forward ? [sourcePort, destinationPort] : [destinationPort, sourcePort]
    const ports = portsOf(aPort, bPort)
    const key = keyOf(block, record, aPort, bPort)
    return this.slots[this.slotOf(forward ? source : destination, forward ? destination : source, ports, key)]! - 1
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

  private begin(before: number, a: number, b: number, ports: number, key: number): number {
    const { table } = this
    const connection = table.add()
    const integers = table.integers[connection >>> chunkShift]!
    const floats = table.floats[connection >>> chunkShift]!
    const base = (connection & chunkMask) * words
    const inherited = before < 0 ? 0 : table.bits(before) & (bit.closed | bit.coarse)
    integers[2 * base + at4.aHost] = a
    integers[2 * base + at4.bHost] = b
    integers[2 * base + at4.ports] = ports
    integers[2 * base + at4.bits] = key | inherited
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

  /** Where the latest connection of these ends is noted, or would be. */
  private slotOf(a: number, b: number, ports: number, key: number): number {
    const { slots, table } = this
    const mask = slots.length - 1
    let slot = hashOf(a, b, ports, key) & mask
    for (;;) {
      const connection = slots[slot]! - 1
      if (connection < 0) return slot
      const integers = table.integers[connection >>> chunkShift]!
      const base = (connection & chunkMask) * 2 * words
      if (
        integers[base + at4.aHost] === a &&
        integers[base + at4.bHost] === b &&
        integers[base + at4.ports] === ports &&
        (integers[base + at4.bits]! & keyBits) === key
      )
        return slot
      slot = (slot + 1) & mask
    }
  }

  private grow(): void {
    const { slots: old, table } = this
    this.slots = new Uint32Array(old.length * 2)
    const mask = this.slots.length - 1
    for (const entry of old) {
      if (entry === 0) continue
      const integers = table.integers[(entry - 1) >>> chunkShift]!
      const base = ((entry - 1) & chunkMask) * 2 * words
      const key = integers[base + at4.bits]! & keyBits
      let slot =
        hashOf(integers[base + at4.aHost]!, integers[base + at4.bHost]!, integers[base + at4.ports]!, key) & mask
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask
      this.slots[slot] = entry
    }
  }
}

/** Whether the source of a record is end a of its connection. */
export function isForward(block: RecordBlock, record: number): boolean {
  const source = block.source[record]!
  const destination = block.destination[record]!
  if (source !== destination) return source < destination
  const has = block.known[record]!
  const sourcePort = (has & known.sourcePort) !== 0 ? block.sourcePort[record]! : -1
  return sourcePort <= ((has & known.destinationPort) !== 0 ? block.destinationPort[record]! : -1)
}

/** Both ports in one number, those that are not known (-1) as zero. */
function portsOf(aPort: number, bPort: number): number {
  return (Math.max(aPort, 0) | (Math.max(bPort, 0) << 16)) >>> 0
}

function keyOf(block: RecordBlock, record: number, aPort: number, bPort: number): number {
  return (
    ((block.known[record]! & known.protocol) !== 0 ? block.protocol[record]! | bit.protocolKnown : 0) |
    (aPort < 0 ? 0 : bit.aPortKnown) |
    (bPort < 0 ? 0 : bit.bPortKnown)
  )
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
