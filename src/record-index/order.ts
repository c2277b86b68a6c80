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
  const leading = leadingKey(columns, rows)
  return leading === null
    ? sortedBy(keysOf(columns, rows), rows, 3)
    : sortedBy([leading, ...restOf(columns, rows)], rows, 1)
}

/** The order as keys of 32 bits, the most significant first. */
export function keysOf(columns: RecordColumns, rows: number): Uint32Array[] {
  const begins = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) begins[row] = begin(columns.tcpFlags[row]!)
  return [...halves(columns.start_us, rows), begins, ...halves(columns.end_us, rows), ...restOf(columns, rows)]
}

function restOf(columns: RecordColumns, rows: number): Uint32Array[] {
  return rest.filter(name => columns[name].length > 0).map(name => asWords(columns[name], rows))
}

/** 0 for a SYN alone, else 1. */
function begin(tcpFlags: number): number {
  return (tcpFlags & (syn | ack)) === syn ? 0 : 1
}

const second_us = 1_000_000

/**
 * Start, SYN, end and as much as there is room for of the source in one key, which tells nearly all rows apart: what lies within an hour and
 * lasts a minute, in seconds, leaves room for twelve bits. Null where start and end alone are too much.
 */
function leadingKey({ start_us, end_us, tcpFlags, source }: RecordColumns, rows: number): Uint32Array | null {
  let least = Infinity
  let last = -Infinity
  let longest = 0
  let largest = 0
  let isWhole = true
  for (let row = 0; row < rows; row++) {
    const start = start_us[row]!
    const lasts = end_us[row]! - start
    if (start < least) least = start
    if (start > last) last = start
    if (lasts < 0) return null
    if (lasts > longest) longest = lasts
    if (source[row]! > largest) largest = source[row]!
    // Cheaper than a remainder.
    isWhole &&=
      Math.round(start / second_us) * second_us === start && Math.round(lasts / second_us) * second_us === lasts
  }
  const unit = isWhole ? second_us : 1
  const lengths = longest / unit + 1
  const times = ((last - least) / unit + 1) * 2 * lengths
  if (times > two32) return null
  const steps = Math.floor(two32 / times)
  // Rounding may put two sources on one step, never one before the other.
  const step = steps / (largest + 1)
  const key = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) {
    const start = start_us[row]!
    const time = (((start - least) / unit) * 2 + begin(tcpFlags[row]!)) * lengths + (end_us[row]! - start) / unit
    key[row] = time * steps + Math.floor(source[row]! * step)
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

/** Up to that number rows are put in order one by one. */
const fewRows = 24
const digitBits = 11
const digits = 1 << digitBits
const counts = new Uint32Array(3 * digits)

/**
 * The numbers of the rows, sorted by the first key, where that is the same by the second, and so on. Equal rows stay in their order.
 *
 * @param leading number of keys that tell most rows apart.
 */
export function sortedBy(keys: readonly Uint32Array[], rows: number, leading: number): Uint32Array {
  const order: Uint32Array = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) order[row] = row
  let pairs: Pairs = new Uint32Array(2 * rows)
  let spare: Pairs = new Uint32Array(2 * rows)
  for (let level = leading - 1; level >= 0; level--) {
    const sorted = sortAll(order, keys[level]!, pairs, spare)
    if (sorted !== pairs) spare = pairs
    pairs = sorted
    for (let i = 0; i < rows; i++) order[i] = pairs[2 * i + 1]!
  }
  if (leading === keys.length) return order
  const others = keys.slice(1, leading)
  const work = spare.subarray(0, rows)
  for (let begin = 0, i = 1; i <= rows; i++) {
    if (i < rows && pairs[2 * i] === pairs[2 * begin] && areSame(others, order[i]!, order[begin]!)) continue
    if (i - begin > 1) sortRange(order, work, keys, leading, begin, i)
    begin = i
  }
  return order
}

/** Sorts all rows by one key. @returns which of the two arrays has the pairs then, their values above the least one. */
function sortAll(order: Uint32Array, key: Uint32Array, pairs: Pairs, spare: Pairs): Pairs {
  const rows = order.length
  let least = 0xffff_ffff
  for (let row = 0; row < rows; row++) if (key[row]! < least) least = key[row]!
  for (let i = 0; i < rows; i++) {
    const row = order[i]!
    pairs[2 * i] = key[row]! - least
    pairs[2 * i + 1] = row
  }
  return sortPairs(pairs, spare)
}

/** Values, each with its number behind it: they go together, for to look each value up again would be the slowest part. */
export type Pairs = Uint32Array

/** Sorts pairs by their values, digit by digit from the least significant one. @returns which of the two arrays has them then. */
export function sortPairs(pairs: Pairs, spare: Pairs): Pairs {
  let any = 0
  for (let i = 0; i < pairs.length; i += 2) any |= pairs[i]!
  const bits = 32 - Math.clz32(any)
  const passes = Math.ceil(bits / digitBits)
  const width = Math.ceil(bits / Math.max(1, passes))
  const mask = (1 << width) - 1
  counts.fill(0)
  for (let i = 0; i < pairs.length; i += 2) {
    const value = pairs[i]!
    counts[value & mask]!++
    counts[digits + ((value >>> width) & mask)]!++
    counts[2 * digits + ((value >>> (2 * width)) & mask)]!++
  }
  for (let pass = 0; pass < passes; pass++) {
    const shift = pass * width
    const from = pass * digits
    sumUp(0, mask, from)
    for (let i = 0; i < pairs.length; i += 2) {
      const value = pairs[i]!
      const place = 2 * counts[from + ((value >>> shift) & mask)]!++
      spare[place] = value
      spare[place + 1] = pairs[i + 1]!
    }
    ;[pairs, spare] = [spare, pairs]
  }
  return pairs
}

/** Makes of the counts of each digit, which stand from a place on, where its rows begin. */
function sumUp(first: number, mask: number, from = 0): void {
  for (let digit = from, before = first; digit <= from + mask; digit++) {
    const count = counts[digit]!
    counts[digit] = before
    before += count
  }
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

/** Sorts a range by one key, byte by byte. @returns whether its values differ. */
function sortByKey(order: Uint32Array, spare: Uint32Array, key: Uint32Array, from: number, to: number): boolean {
  let least = key[order[from]!]!
  let most = least
  for (let i = from + 1; i < to; i++) {
    const value = key[order[i]!]!
    if (value < least) least = value
    else if (value > most) most = value
  }
  const range = most - least
  for (let shift = 0; shift < 32 && range >>> shift > 0; shift += 8) {
    counts.fill(0, 0, 256)
    for (let i = from; i < to; i++) counts[((key[order[i]!]! - least) >>> shift) & 255]!++
    sumUp(from, 255)
    for (let i = from; i < to; i++) {
      const row = order[i]!
      spare[counts[((key[row]! - least) >>> shift) & 255]!++] = row
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
