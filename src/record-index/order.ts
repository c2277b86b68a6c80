/** The order of records, and sorting by it. */
import type { ColumnName, RecordColumns } from './columns.ts'

const syn = 2
const ack = 16
const two32 = 2 ** 32

/** What tells two records apart after their times, so that the order hangs on nothing else. */
const rest = [
  ...['source', 'destination', 'sourcePort', 'destinationPort', 'protocol', 'tcpFlags', 'icmpType', 'action'],
  ...[
    'packetsHigh',
    'packets',
    'bytesHigh',
    'bytes',
    'sourceSeen',
    'destinationSeen',
    'vantage',
    'known',
    'file',
    'line',
  ],
] as const satisfies readonly ColumnName[]

/**
 * The rows in the order of records: by start, at the same start those first whose TCP flags have SYN and no ACK, by end, then by ends,
 * ports, protocol and all other columns, file and line last. Numbers of hosts and vantages must be those of the dictionaries.
 */
export function orderOf(columns: RecordColumns, rows: number): Uint32Array {
  return sortedBy(keysOf(columns, rows), rows, 3)
}

/** The order as keys of 32 bits, the most significant first: start, then SYN and how long it lasted, which say nearly always enough of the end. */
export function keysOf(columns: RecordColumns, rows: number): Uint32Array[] {
  return [
    ...halves(columns.start_us, rows),
    beginsAndLasts(columns, rows),
    ...halves(columns.end_us, rows),
    ...rest.filter(name => columns[name].length > 0).map(name => asWords(columns[name], rows)),
  ]
}

const longest_us = 0x7fff_ffff

function beginsAndLasts({ tcpFlags, start_us, end_us }: RecordColumns, rows: number): Uint32Array {
  const key = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) {
    const lasts = end_us[row]! - start_us[row]!
    const begins = (tcpFlags[row]! & (syn | ack)) === syn ? 0 : 0x8000_0000
    key[row] = begins + Math.max(0, Math.min(lasts, longest_us))
  }
  return key
}

function asWords(column: Uint32Array | Uint16Array | Uint8Array, rows: number): Uint32Array {
  return column instanceof Uint32Array ? column.subarray(0, rows) : new Uint32Array(column.subarray(0, rows))
}

/** Both halves of whole numbers, negative ones before the others. */
function halves(column: Float64Array, rows: number): [Uint32Array, Uint32Array] {
  const high = new Uint32Array(rows)
  const low = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) {
    const value = column[row]!
    const upper = Math.floor(value / two32)
    high[row] = upper + 0x8000_0000
    low[row] = value - upper * two32
  }
  return [high, low]
}

/** Up to so many rows are put in order one by one. */
const fewRows = 24
const byteCounts = new Uint32Array(1 << 8)
const wordCounts = new Uint32Array(1 << 16)

/**
 * The numbers of the rows, sorted by the first key, where that is the same by the second, and so on. Equal rows stay in their order.
 *
 * @param leading so many keys tell most rows apart.
 */
export function sortedBy(keys: readonly Uint32Array[], rows: number, leading: number): Uint32Array {
  const order = new Uint32Array(rows)
  const spare = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) order[row] = row
  for (let level = leading - 1; level >= 0; level--) sortByKey(order, spare, keys[level]!, 0, rows)
  const first = keys.slice(0, leading)
  for (let begin = 0, i = 1; i <= rows; i++) {
    if (i < rows && areSame(first, order[i]!, order[begin]!)) continue
    if (i - begin > 1) sortRange(order, spare, keys, leading, begin, i)
    begin = i
  }
  return order
}

function areSame(keys: readonly Uint32Array[], a: number, b: number): boolean {
  for (const key of keys) if (key[a] !== key[b]) return false
  return true
}

function sortRange(
  order: Uint32Array,
  spare: Uint32Array,
  keys: readonly Uint32Array[],
  level: number,
  from: number,
  to: number,
): void {
  for (let at = level; at < keys.length; at++) {
    if (to - from <= fewRows) {
      insert(order, keys, at, from, to)
      return
    }
    const key = keys[at]!
    if (!sortByKey(order, spare, key, from, to)) continue
    for (let begin = from, i = from + 1; i <= to; i++) {
      if (i < to && key[order[i]!] === key[order[begin]!]) continue
      if (i - begin > 1) sortRange(order, spare, keys, at + 1, begin, i)
      begin = i
    }
    return
  }
}

/** Sorts a range by one key, digit by digit from the least significant one. @returns whether its values differ. */
function sortByKey(order: Uint32Array, spare: Uint32Array, key: Uint32Array, from: number, to: number): boolean {
  if (from === to) return false
  let least = key[order[from]!]!
  let most = least
  for (let i = from + 1; i < to; i++) {
    const value = key[order[i]!]!
    if (value < least) least = value
    else if (value > most) most = value
  }
  const range = most - least
  const bits = to - from > 1 << 14 ? 16 : 8
  const counts = bits === 16 ? wordCounts : byteCounts
  const mask = (1 << bits) - 1
  for (let shift = 0; shift < 32 && range >>> shift > 0; shift += bits) {
    counts.fill(0)
    for (let i = from; i < to; i++) counts[((key[order[i]!]! - least) >>> shift) & mask]!++
    for (let digit = 0, before = from; digit <= mask; digit++) {
      const count = counts[digit]!
      counts[digit] = before
      before += count
    }
    for (let i = from; i < to; i++) {
      const row = order[i]!
      spare[counts[((key[row]! - least) >>> shift) & mask]!++] = row
    }
    order.set(spare.subarray(from, to), from)
  }
  return range > 0
}

function insert(order: Uint32Array, keys: readonly Uint32Array[], level: number, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) {
    const row = order[i]!
    let place = i
    while (place > from && isBefore(keys, level, row, order[place - 1]!)) {
      order[place] = order[place - 1]!
      place--
    }
    order[place] = row
  }
}

function isBefore(keys: readonly Uint32Array[], level: number, a: number, b: number): boolean {
  for (let at = level; at < keys.length; at++) {
    const key = keys[at]!
    const left = key[a]!
    const right = key[b]!
    if (left !== right) return left < right
  }
  return false
}
