/** The entropy codes of Zstandard, RFC 8878, section 4. Every read is within bounds, whatever the bytes are. */

/** What is wrong with the data. Where it lies in the file is known further up. */
export class ZstdError extends Error {}

export function check(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new ZstdError(problem)
}

function highestBit(value: number): number {
  return 31 - Math.clz32(value)
}

/** Bits that are read from the end of a piece of bytes to its start; the highest set bit of the last byte marks their beginning. */
export class BackwardBits {
  private readonly bytes: Uint8Array
  private readonly from: number
  /** Bits that are left; negative after reading too many, which are zeros then. */
  left: number

  constructor(bytes: Uint8Array, from: number, to: number) {
    check(to > from && to <= bytes.length && bytes[to - 1] !== 0, 'a bit stream without an end mark')
    this.bytes = bytes
    this.from = from
    this.left = (to - from - 1) * 8 + highestBit(bytes[to - 1]!)
  }

  /** The next bits, up to 24, without taking them. */
  peek(count: number): number {
    const at = this.left - count
    if (at < 0) return this.left <= 0 ? 0 : (this.word(0) & ((1 << this.left) - 1)) << -at
    return (this.word(at) >>> (at & 7)) & ((1 << count) - 1)
  }

  /** Takes up to 32 bits. */
  read(count: number): number {
    if (count > 24) return this.read(count - 24) * 2 ** 24 + this.read(24)
    const value = this.peek(count)
    this.left -= count
    return value
  }

  /** Four bytes from the one that holds bit `at`. */
  private word(at: number): number {
    const { bytes } = this
    const p = this.from + (at >>> 3)
    return bytes[p]! | ((bytes[p + 1] ?? 0) << 8) | ((bytes[p + 2] ?? 0) << 16) | ((bytes[p + 3] ?? 0) << 24)
  }
}

/** A decoding table of Finite State Entropy (section 4.1). */
export interface FseTable {
  log: number
  symbols: Uint8Array
  bits: Uint8Array
  base: Uint16Array
}

/** A table that always gives one symbol. */
export function fseOfOne(symbol: number): FseTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), base: new Uint16Array(1) }
}

/** The table of these probabilities; -1 stands for "less than 1". */
export function fseTable(log: number, counts: readonly number[]): FseTable {
  const size = 1 << log
  const table: FseTable = {
    log,
    symbols: new Uint8Array(size),
    bits: new Uint8Array(size),
    base: new Uint16Array(size),
  }
  const next = counts.map(count => Math.abs(count))
  let high = size
  for (const [symbol, count] of counts.entries()) if (count === -1) table.symbols[--high] = symbol
  const step = (size >> 1) + (size >> 3) + 3
  let at = 0
  for (const [symbol, count] of counts.entries()) {
    for (let i = 0; i < count; i++) {
      table.symbols[at] = symbol
      do at = (at + step) & (size - 1)
      while (at >= high)
    }
  }
  check(at === 0, 'impossible probabilities')
  for (let state = 0; state < size; state++) {
    const symbol = table.symbols[state]!
    const place = next[symbol]!++
    table.bits[state] = log - highestBit(place)
    table.base[state] = (place << table.bits[state]!) - size
  }
  return table
}

/** A table as it is written before the data that it is for; `end` is where it ends. */
export function readFseTable(
  bytes: Uint8Array,
  from: number,
  to: number,
  logMax: number,
  symbolMax: number,
): { table: FseTable; end: number } {
  let bit = from * 8
  const peek = (count: number): number => {
    const p = bit >>> 3
    const word = (bytes[p] ?? 0) | ((bytes[p + 1] ?? 0) << 8) | ((bytes[p + 2] ?? 0) << 16)
    return (word >>> (bit & 7)) & ((1 << count) - 1)
  }
  const log = peek(4) + 5
  bit += 4
  check(log <= logMax, 'a table that is too large')
  const counts: number[] = []
  let left = 1 << log
  while (left > 0 && counts.length <= symbolMax && bit <= to * 8) {
    const width = highestBit(left + 1) + 1
    const low = (1 << (width - 1)) - 1
    const threshold = (1 << width) - 1 - (left + 1)
    let value = peek(width)
    if ((value & low) < threshold) {
      value &= low
      bit += width - 1
    } else {
      if (value > low) value -= threshold
      bit += width
    }
    counts.push(value - 1)
    left -= Math.abs(value - 1)
    for (let zeros = value === 1 ? 3 : 0; zeros === 3; ) {
      zeros = peek(2)
      bit += 2
      for (let i = 0; i < zeros && counts.length <= symbolMax; i++) counts.push(0)
      if (bit > to * 8) break
    }
  }
  const end = (bit + 7) >>> 3
  check(left === 0 && end <= to, 'a table that does not add up')
  return { table: fseTable(log, counts), end }
}

/** A decoding table of Huffman codes (section 4.2): every sequence of `log` bits with its symbol and the bits of its code. */
export interface HuffmanTable {
  log: number
  symbols: Uint8Array
  bits: Uint8Array
}

const huffmanLogMax = 11

export function readHuffmanTable(bytes: Uint8Array, from: number, to: number): { table: HuffmanTable; end: number } {
  check(from < to, 'no table of literals')
  const head = bytes[from]!
  const size = head < 128 ? head : (head - 126) >> 1
  const end = from + 1 + size
  check(end <= to, 'a table of literals that is cut')
  const weights = head < 128 ? fseWeights(bytes, from + 1, end) : plainWeights(bytes, from + 1, head - 127)
  return { table: huffmanTable(weights), end }
}

function plainWeights(bytes: Uint8Array, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    i % 2 === 0 ? bytes[from + (i >> 1)]! >> 4 : bytes[from + (i >> 1)]! & 15,
  )
}

/** Two states take turns until the bits are used up. */
function fseWeights(bytes: Uint8Array, from: number, to: number): number[] {
  const { table, end } = readFseTable(bytes, from, to, 6, 255)
  const bits = new BackwardBits(bytes, end, to)
  const states = [bits.read(table.log), bits.read(table.log)]
  const weights: number[] = []
  for (let turn = 0; weights.length < 255; turn ^= 1) {
    const state = states[turn]!
    weights.push(table.symbols[state]!)
    states[turn] = table.base[state]! + bits.read(table.bits[state]!)
    if (bits.left < 0) {
      weights.push(table.symbols[states[turn ^ 1]!]!)
      break
    }
  }
  return weights
}

function huffmanTable(weights: number[]): HuffmanTable {
  const sum = weights.reduce((total, weight) => total + (weight > 0 ? 2 ** (weight - 1) : 0), 0)
  check(weights.length <= 255 && sum > 0 && sum < 1 << huffmanLogMax, 'impossible weights of literals')
  const log = highestBit(sum) + 1
  // The last weight is not written: it makes the sum a power of two.
  const rest = (1 << log) - sum
  check((rest & (rest - 1)) === 0, 'weights of literals that do not add up')
  const all = [...weights, highestBit(rest) + 1]
  const table: HuffmanTable = { log, symbols: new Uint8Array(1 << log), bits: new Uint8Array(1 << log) }
  let at = 0
  for (let weight = 1; weight <= log; weight++) {
    for (const [symbol, own] of all.entries()) {
      if (own !== weight) continue
      const places = 1 << (weight - 1)
      table.symbols.fill(symbol, at, at + places)
      table.bits.fill(log + 1 - weight, at, at + places)
      at += places
    }
  }
  return table
}

/** Fills `out[from, to)` with symbols; the bits must be exactly those. */
export function readHuffman(bits: BackwardBits, table: HuffmanTable, out: Uint8Array, from: number, to: number): void {
  const { log, symbols, bits: lengths } = table
  let i = from
  for (; i < to && bits.left > 0; i++) {
    const code = bits.peek(log)
    out[i] = symbols[code]!
    bits.left -= lengths[code]!
  }
  check(i === to && bits.left === 0, 'literals that do not fit their bits')
}
