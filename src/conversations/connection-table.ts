/**
 * Connections as one growing store of plain numbers: a fixed number of words each, so that a connection is touched in two lines of memory.
 *
 * Ends are a and b; which is which tells nothing. Sums are exact: what a word cannot hold stands beside.
 */
import { large } from '../record-index/block.ts'

/** 8-byte words of a connection. */
export const words = 12
export const connectionBytes = 8 * words
export const chunkShift = 14
export const chunkMask = (1 << chunkShift) - 1

/** Places of 8-byte numbers. Times in microseconds since 1970; `first` of a side that sent nothing is infinite. */
export const at = { aFirst: 2, bFirst: 3, end: 4, aBytes: 5, bBytes: 6, latestEnd: 11 } as const
/** Places of 4-byte numbers. */
export const at4 = {
  aHost: 0,
  bHost: 1,
  ports: 2,
  bits: 3,
  aPackets: 14,
  bPackets: 15,
  aRecords: 16,
  bRecords: 17,
  aAccepted: 18,
  bAccepted: 19,
  firstRow: 20,
  previous: 21,
} as const

/** Bits of a connection; the lowest eight are the protocol's number. What is said of a, is said of b by the next higher bit. */
export const bit = {
  protocolKnown: 1 << 8,
  aPortKnown: 1 << 9,
  bPortKnown: 1 << 10,
  /** A SYN without ACK; a SYN with ACK. */
  aSyn: 1 << 11,
  bSyn: 1 << 12,
  aSynAck: 1 << 13,
  bSynAck: 1 << 14,
  /** Since the last SYN of these ends there was a FIN or RST. */
  closed: 1 << 15,
  firstRejected: 1 << 16,
  /** Not every record is a RST alone; not every record is an ICMP error. */
  notRst: 1 << 17,
  notError: 1 << 18,
  /** The end is an AWS service. */
  aService: 1 << 19,
  bService: 1 << 20,
  /** An accepted record of the side is no RST alone. */
  aNotRst: 1 << 21,
  bNotRst: 1 << 22,
  packetsKnown: 1 << 23,
  /** A record of these ends comes from a vantage with an interval of ten minutes. */
  coarse: 1 << 24,
  /** Of packets: the side that was first to open; none where both were at once. */
  aOpened: 1 << 25,
  bOpened: 1 << 26,
  /** Of packets: both sides have opened. */
  bothOpened: 1 << 30,
  /** Another connection of the same ends came later. */
  isFollowed: 1 << 31,
} as const
/** Three bits: packets of all records, up to `packetsMost`. */
export const packetsShift = 27
export const packetsMost = 4

/** What records may lack, of which the table counts those of a connection: of accepted ones of a side the counters, of all the times. */
export const lack = { aBytes: 0, bBytes: 1, aPackets: 2, bPackets: 3, time: 4 } as const
export const lackWords = 5

export const noConnection = 0xffff_ffff

export class ConnectionTable {
  count = 0
  /** The same memory as numbers of 8 and of 4 bytes, by chunk. */
  readonly floats: Float64Array[] = []
  readonly integers: Uint32Array[] = []
  /** By chunk, where a record of it lacks something: what `lacks` counts of each connection, `lackWords` numbers. */
  readonly lacking: (Uint32Array | undefined)[] = []
  /** Sums that their words cannot hold, by connection and place. */
  readonly larger: Map<number, bigint>

  constructor(larger = new Map<number, bigint>()) {
    this.larger = larger
  }

  /** The number of a new connection, whose words are zero. */
  add(): number {
    const connection = this.count++
    if ((connection & chunkMask) === 0) {
      const buffer = new ArrayBuffer(connectionBytes << chunkShift)
      this.floats.push(new Float64Array(buffer))
      this.integers.push(new Uint32Array(buffer))
    }
    return connection
  }

  /**
   * Adds a copy of a connection.
   *
   * @param integers where its words stand from `base` on.
   * @param larger the sums that they cannot hold, by `number`, which is the connection's own there.
   * @param lacking what its chunk lacks, if anything.
   */
  addCopy(
    integers: Uint32Array,
    base: number,
    larger: ReadonlyMap<number, bigint>,
    number: number,
    lacking: Uint32Array | null,
  ): void {
    const connection = this.add()
    const into = this.integers[connection >>> chunkShift]!
    const to = (connection & chunkMask) * 2 * words
    for (let word = 0; word < 2 * words; word++) into[to + word] = integers[base + word]!
    if (lacking !== null) this.copyLacks(connection, lacking, (number & chunkMask) * lackWords)
    if (larger.size === 0) return
    for (const place of [at.aBytes, at.bBytes, at4.aPackets, at4.bPackets]) {
      const sum = larger.get(number * 32 + place)
      if (sum !== undefined) this.larger.set(connection * 32 + place, sum)
    }
  }

  private copyLacks(connection: number, lacking: Uint32Array, base: number): void {
    for (let what = 0; what < lackWords; what++) {
      const records = lacking[base + what]!
      if (records > 0) this.addLack(connection, what, records)
    }
  }

  /** Adds as many connections as fit a chunk at most, after full chunks. @returns their bytes, to be filled. */
  addChunk(connections: number): Uint8Array {
    for (let i = 0; i < connections; i++) this.add()
    return new Uint8Array(this.integers.at(-1)!.buffer, 0, connections * connectionBytes)
  }

  /** The bytes of the connections of each chunk. */
  *bytesOfChunks(): Generator<Uint8Array> {
    for (const [chunk, { buffer }] of this.integers.entries()) {
      const count = Math.min(this.count - (chunk << chunkShift), 1 << chunkShift)
      yield new Uint8Array(buffer, 0, count * connectionBytes)
    }
  }

  number(connection: number, place: number): number {
    return this.floats[connection >>> chunkShift]![(connection & chunkMask) * words + place]!
  }

  integer(connection: number, place: number): number {
    return this.integers[connection >>> chunkShift]![(connection & chunkMask) * 2 * words + place]!
  }

  bits(connection: number): number {
    return this.integer(connection, at4.bits)
  }

  protocol(connection: number): number | null {
    const bits = this.bits(connection)
    return (bits & bit.protocolKnown) === 0 ? null : bits & 0xff
  }

  /** The port of a side; null where it is not known. */
  port(connection: number, side: 0 | 1): number | null {
    if ((this.bits(connection) & (bit.aPortKnown << side)) === 0) return null
    const ports = this.integer(connection, at4.ports)
    return side === 0 ? ports & 0xffff : ports >>> 16
  }

  start(connection: number): number {
    return Math.min(this.number(connection, at.aFirst), this.number(connection, at.bFirst))
  }

  records(connection: number): number {
    return this.integer(connection, at4.aRecords) + this.integer(connection, at4.bRecords)
  }

  rejected(connection: number): number {
    return this.records(connection) - this.integer(connection, at4.aAccepted) - this.integer(connection, at4.bAccepted)
  }

  /** Packets of all records, at most `packetsMost`; null where no record has any. */
  fewPackets(connection: number): number | null {
    const bits = this.bits(connection)
    return (bits & bit.packetsKnown) === 0 ? null : (bits >>> packetsShift) & 7
  }

  /** Accepted bytes of a side. */
  bytes(connection: number, side: 0 | 1): number | bigint {
    const place = at.aBytes + side
    const value = this.number(connection, place)
    return Number.isNaN(value) ? this.larger.get(connection * 32 + place)! : value
  }

  /** Accepted packets of a side. */
  packets(connection: number, side: 0 | 1): number | bigint {
    const place = at4.aPackets + side
    const value = this.integer(connection, place)
    return value === large ? this.larger.get(connection * 32 + place)! : value
  }

  /** The same; null where there are accepted records of the side, and none says its bytes. */
  saidBytes(connection: number, side: 0 | 1): number | bigint | null {
    return this.says(connection, side, lack.aBytes) ? this.bytes(connection, side) : null
  }

  saidPackets(connection: number, side: 0 | 1): number | bigint | null {
    return this.says(connection, side, lack.aPackets) ? this.packets(connection, side) : null
  }

  private says(connection: number, side: 0 | 1, what: number): boolean {
    const unsaid = this.lacks(connection, what + side)
    return unsaid === 0 || unsaid < this.integer(connection, at4.aAccepted + side)
  }

  /** Whether an accepted record of it does not say its packets or bytes: its sums are lower bounds. */
  isPartlyUnsaid(connection: number): boolean {
    for (let what = lack.aBytes; what <= lack.bPackets; what++) if (this.lacks(connection, what) > 0) return true
    return false
  }

  /** How many records of a connection lack something. */
  lacks(connection: number, what: number): number {
    return this.lacking[connection >>> chunkShift]?.[(connection & chunkMask) * lackWords + what] ?? 0
  }

  /** Whether any record of any connection lacks something. */
  lacksAnything(): boolean {
    return this.lacking.length > 0
  }

  addLack(connection: number, what: number, records = 1): void {
    this.lacking[connection >>> chunkShift] ??= new Uint32Array(lackWords << chunkShift)
    this.lacking[connection >>> chunkShift]![(connection & chunkMask) * lackWords + what]! += records
  }

  /** Whether a record of it says when it was. */
  hasTime(connection: number): boolean {
    return this.lacks(connection, lack.time) < this.records(connection)
  }

  /** Adds what `bytes` would not hold exactly. */
  addManyBytes(connection: number, side: 0 | 1, value: number | bigint): void {
    const sum = BigInt(this.bytes(connection, side)) + BigInt(value)
    const place = at.aBytes + side
    const isLarge = sum > Number.MAX_SAFE_INTEGER
    this.floats[connection >>> chunkShift]![(connection & chunkMask) * words + place] = isLarge ? NaN : Number(sum)
    if (isLarge) this.larger.set(connection * 32 + place, sum)
  }

  addManyPackets(connection: number, side: 0 | 1, value: number | bigint): void {
    const sum = BigInt(this.packets(connection, side)) + BigInt(value)
    const place = at4.aPackets + side
    const isLarge = sum >= large
    this.integers[connection >>> chunkShift]![(connection & chunkMask) * 2 * words + place] = isLarge
      ? large
      : Number(sum)
    if (isLarge) this.larger.set(connection * 32 + place, sum)
  }
}
