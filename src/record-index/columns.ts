/** The columns of records on their way into blocks: what a block has, with the upper halves of the counters. */
import { large, type RecordBlock } from './block.ts'

/** Every column, in the order in which the index keeps them. `Seen` columns only where some record has its packets' own addresses. */
const kinds = {
  start_us: Float64Array,
  end_us: Float64Array,
  source: Uint32Array,
  destination: Uint32Array,
  sourceSeen: Uint32Array,
  destinationSeen: Uint32Array,
  sourcePort: Uint16Array,
  destinationPort: Uint16Array,
  protocol: Uint8Array,
  tcpFlags: Uint8Array,
  icmpType: Uint8Array,
  action: Uint8Array,
  packets: Uint32Array,
  packetsHigh: Uint32Array,
  bytes: Uint32Array,
  bytesHigh: Uint32Array,
  vantage: Uint32Array,
  known: Uint16Array,
  file: Uint32Array,
  line: Uint32Array,
} as const

export type ColumnName = keyof typeof kinds
export type RecordColumns = { [Name in ColumnName]: InstanceType<(typeof kinds)[Name]> }
export type ColumnArray = Float64Array | Uint32Array | Uint16Array | Uint8Array

export const columnNames = Object.keys(kinds) as ColumnName[]

/** The columns of a block, with or without the ends as the sensors saw them. */
export function columnsWith(seen: boolean): readonly ColumnName[] {
  return seen ? columnNames : columnNames.filter(name => name !== 'sourceSeen' && name !== 'destinationSeen')
}

function columnArray<Name extends ColumnName>(name: Name, rows: number): RecordColumns[Name] {
  return new kinds[name](rows) as RecordColumns[Name]
}

/** Columns for a number of rows; those that are not named have no rows. */
export function makeColumns(rows: number, names: readonly ColumnName[]): RecordColumns {
  return Object.fromEntries(
    columnNames.map(name => [name, columnArray(name, names.includes(name) ? rows : 0)]),
  ) as RecordColumns
}

/** Puts the values of a column in another order. One loop for each kind of array: of several in one loop each step takes ten times as long. */
export function gathered(array: ColumnArray, order: Uint32Array, into: ColumnArray): void {
  const { length } = order
  if (array instanceof Uint32Array && into instanceof Uint32Array) {
    for (let i = 0; i < length; i++) into[i] = array[order[i]!]!
  } else if (array instanceof Uint16Array && into instanceof Uint16Array) {
    for (let i = 0; i < length; i++) into[i] = array[order[i]!]!
  } else if (array instanceof Uint8Array && into instanceof Uint8Array) {
    for (let i = 0; i < length; i++) into[i] = array[order[i]!]!
  } else if (array instanceof Float64Array && into instanceof Float64Array) {
    for (let i = 0; i < length; i++) into[i] = array[order[i]!]!
  } else throw new Error('a column keeps its kind')
}

/** The columns as a block: what does not fit a counter's 32 bits goes aside. */
export function asBlock(columns: RecordColumns, rows: number, seen: boolean): RecordBlock {
  const { packetsHigh, bytesHigh, sourceSeen, destinationSeen, ...rest } = columns
  const { packets, bytes } = columns
  const largeCounters = new Map<number, { packets: bigint; bytes: bigint }>()
  // None where the counters were not asked for.
  for (let row = 0; row < packets.length; row++) {
    const isMany = packetsHigh[row]! > 0 || packets[row] === large
    const isLong = bytesHigh[row]! > 0 || bytes[row] === large
    if (!isMany && !isLong) continue
    largeCounters.set(row, {
      packets: whole(packetsHigh[row]!, packets[row]!),
      bytes: whole(bytesHigh[row]!, bytes[row]!),
    })
    if (isMany) packets[row] = large
    if (isLong) bytes[row] = large
  }
  return {
    rows,
    ...rest,
    sourceSeen: seen ? sourceSeen : null,
    destinationSeen: seen ? destinationSeen : null,
    largeCounters,
  }
}

function whole(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low)
}
