/** The order of records, and sorting by it. */
import type { Rows, WordRows } from './rows.ts'

const syn = 2
const ack = 16
const two32 = 2 ** 32

/**
 * The rows in the order of records: by start, at the same start those first whose TCP flags have SYN and no ACK, by end, then by ends,
 * ports, protocol and all other columns, file and line last. Numbers of hosts and vantages must be those of the dictionaries.
 */
export function orderOf(rows: Rows, count: number): Uint32Array {
  const leading = leadingKey(rows, count)
  return sortedRows(rows, count, leading === null ? timeKeys(rows, count) : [leading])
}

/** Start, SYN and end as keys, the most significant first. */
function timeKeys(rows: Rows, count: number): Uint32Array[] {
  const begins = new Uint32Array(count)
  for (let row = 0; row < count; row++) begins[row] = begin(rows.flags(row))
  return [...halves(rows, 0, count), begins, ...halves(rows, 1, count)]
}

/** 0 for a SYN alone, else 1. */
function begin(tcpFlags: number): number {
  return (tcpFlags & (syn | ack)) === syn ? 0 : 1
}

/** Whether a row comes before one of others, of the same layout, in the order of records. */
export function comesBefore(rows: Rows, row: number, other: Rows, otherRow: number): boolean {
  const { words, times, stride } = rows
  const [a, b] = [stride * row, stride * otherRow]
  if (times[a / 2] !== other.times[b / 2]) return times[a / 2]! < other.times[b / 2]!
  const [begins, otherBegins] = [begin(rows.flags(row)), begin(other.flags(otherRow))]
  if (begins !== otherBegins) return begins < otherBegins
  if (times[a / 2 + 1] !== other.times[b / 2 + 1]) return times[a / 2 + 1]! < other.times[b / 2 + 1]!
  for (let word = rows.first; word < stride; word++)
    if (words[a + word] !== other.words[b + word]) return words[a + word]! < other.words[b + word]!
  return false
}

const second_us = 1_000_000

/**
 * Start, SYN, end and as much as there is room for of the source in one key, which tells nearly all rows apart: what lies within an hour and
 * lasts a minute, in seconds, leaves room for twelve bits. Null where start and end alone are too much.
 */
function leadingKey(rows: Rows, count: number): Uint32Array | null {
  const { words, times, stride, first } = rows
  const pair = stride / 2
  let least = Infinity
  let last = -Infinity
  let longest = 0
  let largest = 0
  let isWhole = true
  for (let row = 0, at = 0; row < count; row++, at += pair) {
    const start = times[at]!
    const lasts = times[at + 1]! - start
    if (start < least) least = start
    if (start > last) last = start
    if (lasts < 0) return null
    if (lasts > longest) longest = lasts
    const source = words[2 * at + first]!
    if (source > largest) largest = source
    // Cheaper than a remainder.
    isWhole &&=
      Math.round(start / second_us) * second_us === start && Math.round(lasts / second_us) * second_us === lasts
  }
  const unit = isWhole ? second_us : 1
  const lengths = longest / unit + 1
  const values = ((last - least) / unit + 1) * 2 * lengths
  if (values > two32) return null
  const steps = Math.floor(two32 / values)
  // Rounding may put two sources on one step, never one before the other.
  const step = steps / (largest + 1)
  const key = new Uint32Array(count)
  for (let row = 0, at = 0; row < count; row++, at += pair) {
    const start = times[at]!
    const time = (((start - least) / unit) * 2 + begin(rows.flags(row))) * lengths + (times[at + 1]! - start) / unit
    key[row] = time * steps + Math.floor(words[2 * at + first]! * step)
  }
  return key
}

/** Both halves of the starts or ends of rows, negative ones before the others. */
function halves({ times, stride }: Rows, which: 0 | 1, count: number): [Uint32Array, Uint32Array] {
  const high = new Uint32Array(count)
  const low = new Uint32Array(count)
  for (let row = 0; row < count; row++) {
    const value = times[(stride / 2) * row + which]!
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

/** The numbers of the rows, sorted by some keys, where these are the same by the words of the rows. Equal rows stay in their order. */
export function sortedRows(rows: WordRows, count: number, keys: readonly Uint32Array[]): Uint32Array {
  const order = new Uint32Array(count)
  for (let row = 0; row < count; row++) order[row] = row
  let pairs: Pairs = new Uint32Array(2 * count)
  let spare: Pairs = new Uint32Array(2 * count)
  for (let level = keys.length - 1; level >= 0; level--) {
    const sorted = sortAll(order, keys[level]!, pairs, spare)
    if (sorted !== pairs) spare = pairs
    pairs = sorted
    for (let i = 0; i < count; i++) order[i] = pairs[2 * i + 1]!
  }
  const others = keys.slice(1)
  const work = spare.subarray(0, count)
  for (let begin = 0, i = 1; i <= count; i++) {
    if (i < count && pairs[2 * i] === pairs[2 * begin] && areSame(others, order[i]!, order[begin]!)) continue
    if (i - begin > 1) sortRange(order, work, rows, rows.first, begin, i)
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
type Pairs = Uint32Array

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

/** Sorts the rows of a range by their words from one on. */
function sortRange(
  order: Uint32Array,
  spare: Uint32Array,
  rows: WordRows,
  first: number,
  from: number,
  to: number,
): void {
  const { words, stride } = rows
  for (let word = first; word < stride; word++) {
    if (to - from <= fewRows) {
      insert(order, rows, word, from, to)
      return
    }
    if (!sortByWord(order, spare, rows, word, from, to)) continue
    for (let begin = from, i = from + 1; i <= to; i++) {
      if (i < to && words[stride * order[i]! + word] === words[stride * order[begin]! + word]) continue
      if (i - begin > 1) sortRange(order, spare, rows, word + 1, begin, i)
      begin = i
    }
    return
  }
}

/** Sorts a range by one word, byte by byte. @returns whether its values differ. */
function sortByWord(
  order: Uint32Array,
  spare: Uint32Array,
  { words, stride }: WordRows,
  word: number,
  from: number,
  to: number,
): boolean {
  let least = words[stride * order[from]! + word]!
  let most = least
  for (let i = from + 1; i < to; i++) {
    const value = words[stride * order[i]! + word]!
    if (value < least) least = value
    else if (value > most) most = value
  }
  const range = most - least
  for (let shift = 0; shift < 32 && range >>> shift > 0; shift += 8) {
    counts.fill(0, 0, 256)
    for (let i = from; i < to; i++) counts[((words[stride * order[i]! + word]! - least) >>> shift) & 255]!++
    sumUp(from, 255)
    for (let i = from; i < to; i++) {
      const row = order[i]!
      spare[counts[((words[stride * row + word]! - least) >>> shift) & 255]!++] = row
    }
    order.set(spare.subarray(from, to), from)
  }
  return range > 0
}

function insert(order: Uint32Array, rows: WordRows, word: number, from: number, to: number): void {
  const { words, stride } = rows
  for (let i = from + 1; i < to; i++) {
    const row = order[i]!
    let place = i
    while (place > from && isBefore(words, stride, word, stride * row, stride * order[place - 1]!)) {
      order[place] = order[place - 1]!
      place--
    }
    order[place] = row
  }
}

function isBefore(words: Uint32Array, stride: number, first: number, a: number, b: number): boolean {
  for (let word = first; word < stride; word++) {
    const left = words[a + word]!
    const right = words[b + word]!
    if (left !== right) return left < right
  }
  return false
}
