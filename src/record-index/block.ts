/**
 * Flow records as plain integers, one typed array a column: what conversations, rankings, series and detections read instead of rows.
 *
 * A block holds records in the order of `orderOf`; the record index of a case is a sequence of blocks in that order, the records of a
 * question are one block. Numbers of hosts, vantages and other actions mean something only with the dictionaries that came with them.
 */
export interface RecordBlock {
  rows: number
  /** Numbers of the true ends (`pkt-srcaddr` where there is one, else `srcaddr`); `noHost` where the record has none. */
  source: Uint32Array
  destination: Uint32Array
  /** The ends as the sensor saw them; null where no record of the case has its packets' own addresses. */
  sourceSeen: Uint32Array | null
  destinationSeen: Uint32Array | null
  /** Zero where absent: `known` says which. */
  sourcePort: Uint16Array
  destinationPort: Uint16Array
  protocol: Uint8Array
  tcpFlags: Uint8Array
  icmpType: Uint8Array
  /** 0 unknown, 1 ACCEPT, 2 REJECT, others by `RecordDictionaries.actions`. */
  action: Uint8Array
  /** Counters as they are where below `large`; else `large`, and the value stands in `largeCounters`. */
  packets: Uint32Array
  bytes: Uint32Array
  /** Of rows with a counter of `large`, by row of this block. */
  largeCounters: ReadonlyMap<number, { packets: bigint; bytes: bigint }>
  /** Microseconds since 1970, exact; where the record has one of the two, both are that; 0 where it has none. `known` says which. */
  start_us: Float64Array
  end_us: Float64Array
  /** Number of the point that recorded it: a sensor of a flow log. */
  vantage: Uint32Array
  /** Bits of `known`. */
  known: Uint16Array
  /** Where the record stands: number of the file in the ledger, and line (packet, record) in it. */
  file: Uint32Array
  line: Uint32Array
}

/** What the numbers of a block's columns stand for. */
export interface RecordDictionaries {
  /** Halves of the 128-bit address of each host. */
  hosts: { count: number; hi: BigUint64Array; lo: BigUint64Array }
  vantages: readonly RecordVantage[]
  /** Actions that are neither ACCEPT nor REJECT, from number 3 on. */
  actions: readonly string[]
}

export interface RecordVantage {
  sensor: string | null
  subscription: string | null
  /** Longest record of it over the whole case, microseconds: tells the aggregation interval. */
  longest_us: number
}

export const noHost = 0xffff_ffff
export const large = 0xffff_ffff

/** Bits of `RecordBlock.known`. */
export const known = {
  sourcePort: 1,
  destinationPort: 2,
  protocol: 4,
  tcpFlags: 8,
  icmpType: 16,
  packets: 32,
  bytes: 64,
  start: 128,
  end: 256,
  /** The record names the instance that its interface belongs to. */
  onInstance: 512,
  /** An end is an AWS service other than AMAZON and EC2. */
  sourceIsService: 1024,
  destinationIsService: 2048,
} as const

/** Which of the records of one line: whether its source comes after its destination. Hosts are numbered in the order of their addresses. */
export function wayOf(source: number, destination: number, sourcePort: number, destinationPort: number): 0 | 1 {
  return source > destination || (source === destination && sourcePort > destinationPort) ? 1 : 0
}
