/** Bits of rows of the time index: which of them a view is of. */
import { setImmediate } from 'node:timers/promises'
import type { Going } from './going.ts'
import type { TimeIndex } from './read.ts'
import type { MatchedPlaces } from './select.ts'
import { type SharedMatches, signature } from './shared.ts'

export class Mask {
  readonly words: Uint32Array
  /** How many bits come before each block; last how many there are. */
  readonly before: Float64Array
  private readonly blockRows: number

  constructor(words: Uint32Array, { rows, blockRows }: Pick<TimeIndex, 'rows' | 'blockRows'>) {
    this.words = words
    this.blockRows = blockRows
    const blocks = Math.ceil(rows / blockRows)
    this.before = new Float64Array(blocks + 1)
    const wordsOfBlock = blockRows / 32
    for (let block = 0; block < blocks; block++) {
      let count = 0
      const to = Math.min(words.length, (block + 1) * wordsOfBlock)
      for (let word = block * wordsOfBlock; word < to; word++) count += ones(words[word]!)
      this.before[block + 1] = this.before[block]! + count
    }
  }

  get count(): number {
    return this.before.at(-1)!
  }

  has(row: number): boolean {
    return ((this.words[row >>> 5]! >>> (row & 31)) & 1) === 1
  }

  /** How many bits come before a row. */
  rank(row: number): number {
    const block = Math.min(this.before.length - 1, Math.floor(row / this.blockRows))
    let count = this.before[block]!
    const last = row >>> 5
    for (let word = (block * this.blockRows) >>> 5; word < last; word++) count += ones(this.words[word]!)
    return (row & 31) === 0 ? count : count + ones(this.words[last]! & ((1 << (row & 31)) - 1))
  }

  /** The row of the bit with a number, from 0; the number of rows where there are no so many. */
  select(number: number, rows: number): number {
    let low = 0
    let high = this.before.length - 1
    if (number >= this.count) return rows
    while (low + 1 < high) {
      const middle = (low + high) >>> 1
      if (this.before[middle]! <= number) low = middle
      else high = middle
    }
    let left = number - this.before[low]!
    for (let word = (low * this.blockRows) >>> 5; ; word++) {
      let bits = this.words[word]!
      const count = ones(bits)
      if (left >= count) {
        left -= count
        continue
      }
      for (; left > 0; left--) bits &= bits - 1
      return 32 * word + 31 - Math.clz32(bits & -bits)
    }
  }
}

/** How many bits of a word are set. */
function ones(word: number): number {
  let n = word - ((word >>> 1) & 0x5555_5555)
  n = (n & 0x3333_3333) + ((n >>> 2) & 0x3333_3333)
  return Math.imul((n + (n >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}

export function wordsFor(rows: number): Uint32Array {
  return new Uint32Array((rows >>> 5) + 1)
}

/** The rows that stand at some places. @throws DamagedSections; the signal's reason. */
export async function rowsAtPlaces(
  index: TimeIndex,
  { bits, shared }: MatchedPlaces,
  { signal }: Going,
): Promise<Uint32Array> {
  const words = wordsFor(index.rows)
  const { blockRows } = index
  const column = new Uint32Array(Math.min(blockRows, index.rows))
  const several = new Set(index.about.shared)
  const left: SharedMatches = new Map(shared)
  for (let block = 0; block < index.blocks; block++) {
    index.readInto('place', block, column)
    const first = block * blockRows
    const rows = index.rowsOf(block)
    for (let row = 0; row < rows; row++) {
      if (!bits.has(column[row]!)) continue
      if (several.size > 0 && several.has(column[row]!) && !isOneOf(index, block, row, column[row]!, left)) continue
      words[(first + row) >>> 5]! |= 1 << ((first + row) & 31)
    }
    if (block % 16 === 0) {
      await setImmediate()
      signal?.throwIfAborted()
    }
  }
  return words
}

/** Whether a row is one of those that match of its place, of which it takes one. */
function isOneOf(index: TimeIndex, block: number, row: number, place: number, left: SharedMatches): boolean {
  const whole = (name: 'bytes' | 'packets'): bigint =>
    (BigInt(index.column(`${name}High`, block)[row]!) << 32n) | BigInt(index.column(name, block)[row]!)
  const isTimed = block * index.blockRows + row < index.about.timed
  const second = isTimed ? index.column('second', block)[row]! : Number.NaN
  const key = signature(place, second, whole('bytes'), whole('packets'))
  const count = left.get(key) ?? 0
  if (count > 0) left.set(key, count - 1)
  return count > 0
}
