/**
 * Prefixes in typed arrays, some 25 bytes each: which of them hold an address, the longest first.
 *
 * An address is four words of 32 bits, the most significant first: 64-bit halves would make an object of each number that is read.
 */
import { type Address, compareAddresses, formatAddress } from './address.ts'
import { type Prefix, parsePrefix } from './prefix.ts'

/** No row. */
const none = -1

/** Prefixes as they are read, in any order. */
export class PrefixRows {
  count = 0
  private words = new Uint32Array(4 << 10)
  private bits = new Uint8Array(1 << 10)
  private ids = new Uint32Array(1 << 10)

  /** Adds a prefix by the words of its first address. @param bits its length, of 128. @param id what `PrefixTable` tells of it. */
  add(w0: number, w1: number, w2: number, w3: number, bits: number, id: number): void {
    if (this.count === this.bits.length) this.grow()
    const at = 4 * this.count
    this.words[at] = w0
    this.words[at + 1] = w1
    this.words[at + 2] = w2
    this.words[at + 3] = w3
    this.bits[this.count] = bits
    this.ids[this.count++] = id
  }

  /** Adds a prefix, or the prefixes that make up a range. */
  addRange({ first, last }: Pick<Prefix, 'first' | 'last'>, id: number): void {
    const start = whole(first)
    const end = whole(last)
    const size = end - start + 1n
    const isBlock = (size & (size - 1n)) === 0n && (start & (size - 1n)) === 0n
    if (isBlock) this.addBlock(start, size, id)
    for (let at = start; at <= end && !isBlock; ) {
      // The largest block that begins here and does not pass the end.
      let block = at === 0n ? 1n << 127n : at & -at
      while (at + block - 1n > end) block >>= 1n
      this.addBlock(at, block, id)
      at += block
    }
  }

  /** @param size a power of two. */
  private addBlock(at: bigint, size: bigint, id: number): void {
    const bits = 129 - size.toString(2).length
    this.add(word(at, 96n), word(at, 64n), word(at, 32n), word(at, 0n), bits, id)
  }

  /** The table of these rows; to be made once. */
  table(): PrefixTable {
    const { words, bits, ids, count } = this
    const order = sorted(words, bits, count)
    const sortedWords = new Uint32Array(4 * count)
    const sortedBits = new Uint8Array(count)
    const sortedIds = new Uint32Array(count)
    for (let row = 0; row < count; row++) {
      const from = order[row]!
      sortedWords.set(words.subarray(4 * from, 4 * from + 4), 4 * row)
      sortedBits[row] = bits[from]!
      sortedIds[row] = ids[from]!
    }
    return new PrefixTable(sortedWords, sortedBits, sortedIds)
  }

  private grow(): void {
    const { words, bits, ids } = this
    this.words = new Uint32Array(2 * words.length)
    this.words.set(words)
    this.bits = new Uint8Array(2 * bits.length)
    this.bits.set(bits)
    this.ids = new Uint32Array(2 * ids.length)
    this.ids.set(ids)
  }
}

/** Sorted prefixes, each with the shortest of those around it that is longer than the others: prefixes overlap only if one holds the other. */
export class PrefixTable {
  readonly count: number
  private readonly parents: Int32Array
  private readonly words: Uint32Array
  private readonly bits: Uint8Array
  private readonly ids: Uint32Array

  /** @param words by row four of them, sorted, those of one address by length; same prefixes stay in the order they were added in. */
  constructor(words: Uint32Array, bits: Uint8Array, ids: Uint32Array) {
    this.count = bits.length
    this.words = words
    this.bits = bits
    this.ids = ids
    this.parents = new Int32Array(this.count)
    for (let row = 0; row < this.count; row++) {
      let around = row - 1
      const at = 4 * row
      while (around !== none && !this.holds(around, words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!))
        around = this.parents[around]!
      this.parents[row] = around
    }
  }

  /** The row of the longest prefix that holds an address, -1 where there is none; `around` gives the others. */
  find(hi: bigint, lo: bigint): number {
    const w0 = Number(hi >> 32n)
    const w1 = Number(hi & 0xffff_ffffn)
    const w2 = Number(lo >> 32n)
    const w3 = Number(lo & 0xffff_ffffn)
    let row = this.lastUpTo(w0, w1, w2, w3)
    while (row !== none && !this.holds(row, w0, w1, w2, w3)) row = this.parents[row]!
    return row
  }

  /** The row of the next shorter prefix around that of a row, or the same prefix of an earlier one; -1 after the last. */
  around(row: number): number {
    return this.parents[row]!
  }

  /** What was added with the prefix. */
  id(row: number): number {
    return this.ids[row]!
  }

  length(row: number): number {
    return this.bits[row]!
  }

  /** The prefix as text. */
  text(row: number): string {
    const at = 4 * row
    const [w0, w1, w2, w3] = [0, 1, 2, 3].map(i => BigInt(this.words[at + i]!)) as [bigint, bigint, bigint, bigint]
    const address = formatAddress((w0 << 32n) | w1, (w2 << 32n) | w3)
    const bits = this.bits[row]!
    if (bits === 128) return address
    return parsePrefix(`${address}/${address.includes(':') ? bits : bits - 96}`)!.text
  }

  /** The last row whose first address is not after this one. */
  private lastUpTo(w0: number, w1: number, w2: number, w3: number): number {
    const { words } = this
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = 4 * middle
      const order = words[at]! - w0 || words[at + 1]! - w1 || words[at + 2]! - w2 || words[at + 3]! - w3
      if (order <= 0) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  private holds(row: number, w0: number, w1: number, w2: number, w3: number): boolean {
    const { words } = this
    const at = 4 * row
    const bits = this.bits[row]!
    return (
      sameBits(words[at]!, w0, bits) &&
      sameBits(words[at + 1]!, w1, bits - 32) &&
      sameBits(words[at + 2]!, w2, bits - 64) &&
      sameBits(words[at + 3]!, w3, bits - 96)
    )
  }
}

/** Whether the leading bits of two words are the same. */
function sameBits(a: number, b: number, bits: number): boolean {
  if (bits <= 0) return true
  return bits >= 32 ? a === b : (a ^ b) >>> (32 - bits) === 0
}

/** From this number of rows on they are sorted by their digits. */
const manyRows = 1 << 12
const digits = 1 << 16

/** The rows by first address, then length; the same in the order they have. */
function sorted(words: Uint32Array, bits: Uint8Array, count: number): Uint32Array {
  const rows = Uint32Array.from({ length: count }, (_, row) => row)
  if (count < manyRows) {
    return rows.sort((a, b) => {
      for (let i = 0; i < 4; i++) {
        const order = words[4 * a + i]! - words[4 * b + i]!
        if (order !== 0) return order
      }
      return bits[a]! - bits[b]! || a - b
    })
  }
  let order = byDigit(rows, row => bits[row]!)
  for (let i = 3; i >= 0; i--) {
    order = byDigit(order, row => words[4 * row + i]! & 0xffff)
    order = byDigit(order, row => words[4 * row + i]! >>> 16)
  }
  return order
}

/** The rows by one digit, those with the same in the order they have; as they are where all have the same. */
function byDigit(rows: Uint32Array, digit: (row: number) => number): Uint32Array {
  const ends = new Uint32Array(digits + 1)
  for (let i = 0; i < rows.length; i++) ends[digit(rows[i]!) + 1]!++
  if (ends[digit(rows[0]!) + 1] === rows.length) return rows
  for (let i = 0; i < digits; i++) ends[i + 1]! += ends[i]!
  const order = new Uint32Array(rows.length)
  for (let i = 0; i < rows.length; i++) order[ends[digit(rows[i]!)]!++] = rows[i]!
  return order
}

function whole({ hi, lo }: Address): bigint {
  return (hi << 64n) | lo
}

function word(value: bigint, shift: bigint): number {
  return Number((value >> shift) & 0xffff_ffffn)
}

/** A range written with its ends, or a prefix; null where the second address is before the first. */
export function rangeOf(first: Address, last: Address): Pick<Prefix, 'first' | 'last'> | null {
  return compareAddresses(first, last) <= 0 ? { first, last } : null
}
