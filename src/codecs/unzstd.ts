import { PackedDamage, PackedInput } from './packed-input.ts'
import { Xxh64 } from './xxh64.ts'
import {
  BackwardBits,
  check,
  type FseTable,
  fseOfOne,
  fseTable,
  type HuffmanTable,
  readFseTable,
  readHuffman,
  readHuffmanTable,
  ZstdError,
} from './zstd-entropy.ts'

/** As much history as the `zstd` program allows by default; a frame that asks for more is refused. */
const windowBytesMax = 128 << 20
const blockBytesMax = 128 << 10
const giveBytes = 64 << 10
const skippableMagic = 0x184d2a50
const frameMagic = 0xfd2fb528

/**
 * Unpacks Zstandard (RFC 8878) as it comes: any number of frames, checksums verified.
 *
 * Written for hostile data: memory is bounded by the window, work by input and output. Whatever was whole before damage is
 * given out first.
 *
 * @throws PackedDamage
 */
export async function* unzstd(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new PackedInput(pieces)
  for (;;) {
    const start = input.offset
    const magic = await input.take(4)
    if (magic === null && input.offset === start && !input.cut) return
    if (magic === null) throw new PackedDamage('the file is cut short', input.offset)
    const number = uint(magic, 0, 4)
    if (number === frameMagic) yield* new Frame(input).unpacked()
    else if ((number & 0xfffffff0) >>> 0 === skippableMagic) await skip(input)
    else throw new PackedDamage('what follows is not zstd', start)
  }
}

/** Passes over a skippable frame, whose magic number was taken. */
async function skip(input: PackedInput): Promise<void> {
  let left = uint(await input.sure(4), 0, 4)
  while (left > 0) {
    const count = Math.min(left, blockBytesMax)
    await input.sure(count)
    left -= count
  }
}

/** One frame, after its magic number. */
class Frame {
  private readonly input: PackedInput
  private readonly blocks = new Blocks()
  private given = 0
  private hash: Xxh64 | null = null

  constructor(input: PackedInput) {
    this.input = input
  }

  async *unpacked(): AsyncGenerator<Uint8Array> {
    const size = await this.header()
    let last = false
    while (!last) {
      const start = this.input.offset
      try {
        last = await this.block()
      } catch (error) {
        yield* this.giveOut()
        throw error instanceof ZstdError ? new PackedDamage(error.message, start) : error
      }
      if (last || this.blocks.end - this.given >= giveBytes) yield* this.giveOut()
    }
    if (size !== null && size !== this.blocks.total) {
      throw new PackedDamage(
        `the frame holds ${this.blocks.total} bytes where ${size} are announced`,
        this.input.offset,
      )
    }
    if (this.hash === null) return
    const start = this.input.offset
    if (uint(await this.input.sure(4), 0, 4) !== this.hash.low32()) {
      throw new PackedDamage('checksum wrong at the end of a frame: some values may be altered', start)
    }
  }

  /** Section 3.1.1.1. Returns the size of the content, null if it is not announced. */
  private async header(): Promise<number | null> {
    const start = this.input.offset
    const flags = (await this.input.sure(1))[0]!
    const single = (flags & 32) !== 0
    const dictionaryBytes = [0, 1, 2, 4][flags & 3]!
    const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6]!
    const rest = await this.input.sure((single ? 0 : 1) + dictionaryBytes + sizeBytes)
    const refuse = (problem: string): never => {
      throw new PackedDamage(problem, start)
    }
    if (flags & 8) refuse('a reserved bit is set')
    if (uint(rest, single ? 0 : 1, dictionaryBytes) !== 0) refuse('it needs a dictionary')
    const sizeAt = rest.length - sizeBytes
    const size = sizeBytes === 0 ? null : uint(rest, sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
    const power = 2 ** (10 + (rest[0]! >> 3))
    const window = single ? size! : power + (power / 8) * (rest[0]! & 7)
    if (window > windowBytesMax) refuse(`it asks for a window of ${window} bytes: at most ${windowBytesMax} are given`)
    this.blocks.window = window
    if (flags & 4) this.hash = new Xxh64()
    return size
  }

  /** Section 3.1.1.2. Returns whether it is the last. */
  private async block(): Promise<boolean> {
    const head = uint(await this.input.sure(3), 0, 3)
    const type = (head >> 1) & 3
    const size = head >> 3
    const most = Math.min(blockBytesMax, Math.max(this.blocks.window, 1))
    check(type !== 3, 'a block of an unknown type')
    check(size <= most, 'a block that is too large')
    const bytes = await this.input.sure(type === 1 ? 1 : size)
    const room = this.blocks.room(this.given)
    this.given -= room
    const before = this.blocks.end
    if (type === 0) this.blocks.copy(bytes)
    else if (type === 1) this.blocks.repeat(bytes[0]!, size)
    else this.blocks.unpack(bytes, most)
    this.hash?.update(this.blocks.history.subarray(before, this.blocks.end))
    return (head & 1) === 1
  }

  private *giveOut(): Generator<Uint8Array> {
    const { history, end } = this.blocks
    if (end > this.given) yield history.slice(this.given, end)
    this.given = end
  }
}

function uint(bytes: Uint8Array, from: number, count: number): number {
  let value = 0
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[from + i]!
  return value
}

/** Extra bits of each code of a length, and the first value of each (section 3.1.1.3.2.1.1). */
const literalBits = [...Array<number>(16).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
const literalBase = bases(literalBits, 0)
const matchBits = [...Array<number>(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
const matchBase = bases(matchBits, 3)
const offsetCodeMax = 27

function bases(bits: readonly number[], first: number): number[] {
  let value = first
  return bits.map(count => {
    const base = value
    value += 2 ** count
    return base
  })
}

interface Tables {
  literals: FseTable
  offsets: FseTable
  matches: FseTable
}

const ones = (count: number): number[] => Array<number>(count).fill(1)
const rare = (count: number): number[] => Array<number>(count).fill(-1)
const twos = (count: number): number[] => Array<number>(count).fill(2)

/** Section 3.1.1.3.2.2. */
const predefined: Tables = {
  literals: fseTable(6, [4, 3, ...twos(11), 1, 1, 1, ...twos(9), 3, 2, ...ones(5), ...rare(4)]),
  offsets: fseTable(5, [...ones(6), 2, 2, 2, ...ones(15), ...rare(5)]),
  matches: fseTable(6, [1, 4, 3, ...twos(6), ...ones(37), ...rare(7)]),
}

// What packing needs of the format.
export { blockBytesMax, frameMagic, literalBase, literalBits, matchBase, matchBits, predefined }

/** The content of a frame's blocks, and what each leaves to the next. */
class Blocks {
  window = 0
  /** Content, of which at least the last `window` bytes are kept. */
  history: Uint8Array = new Uint8Array(0)
  end = 0
  /** Bytes of the whole frame so far. */
  total = 0
  private huffman: HuffmanTable | null = null
  private tables: Partial<Tables> = {}
  private recent = [1, 4, 8]
  private readonly literals = new Uint8Array(blockBytesMax)
  private literalCount = 0

  /** Makes room for a block. Returns by how much all positions moved; what was not given out, from `keep` on, stays. */
  room(keep: number): number {
    if (this.end + blockBytesMax <= this.history.length) return 0
    const moved = Math.min(keep, Math.max(0, this.end - this.window))
    // Moving is worth its while only when it frees much.
    const useful = moved >= Math.min(this.window, 8 << 20)
    const from = useful ? moved : 0
    if (this.end - from + blockBytesMax > this.history.length) {
      const larger = new Uint8Array((this.end - from) * 2 + blockBytesMax)
      larger.set(this.history.subarray(from, this.end))
      this.history = larger
    } else this.history.copyWithin(0, from, this.end)
    this.end -= from
    return from
  }

  copy(bytes: Uint8Array): void {
    this.history.set(bytes, this.end)
    this.end += bytes.length
    this.total += bytes.length
  }

  repeat(byte: number, count: number): void {
    this.history.fill(byte, this.end, this.end + count)
    this.end += count
    this.total += count
  }

  /** A compressed block. On damage nothing of it is kept. */
  unpack(bytes: Uint8Array, most: number): void {
    const before = this.end
    try {
      const at = this.readLiterals(bytes, most)
      this.runSequences(bytes, at, before + most)
      this.total += this.end - before
    } catch (error) {
      this.end = before
      throw error
    }
  }

  /** Section 3.1.1.3.1. Returns where the sequences begin. */
  private readLiterals(bytes: Uint8Array, most: number): number {
    check(bytes.length >= 2, 'a block that is too short')
    const type = bytes[0]! & 3
    const format = (bytes[0]! >> 2) & 3
    const packed = type >= 2
    const headBytes = packed ? [3, 3, 4, 5][format]! : [1, 2, 1, 3][format]!
    check(bytes.length >= headBytes, 'a block that is too short')
    const head = uint(bytes, 0, headBytes)
    const sizeBits = packed ? [10, 10, 14, 18][format]! : [5, 12, 5, 20][format]!
    const count = packed ? Math.floor(head / 16) % 2 ** sizeBits : Math.floor(head / (format % 2 === 0 ? 8 : 16))
    check(count <= most, 'more literals than a block holds')
    this.literalCount = count
    if (type === 0) return this.plainLiterals(bytes, headBytes)
    if (type === 1) {
      check(headBytes < bytes.length, 'a block that is too short')
      this.literals.fill(bytes[headBytes]!, 0, count)
      return headBytes + 1
    }
    const end = headBytes + Math.floor(head / 2 ** (4 + sizeBits))
    check(end <= bytes.length, 'literals that are cut')
    this.huffmanLiterals(bytes, headBytes, end, type === 2, format === 0)
    return end
  }

  private plainLiterals(bytes: Uint8Array, from: number): number {
    const end = from + this.literalCount
    check(end <= bytes.length, 'literals that are cut')
    this.literals.set(bytes.subarray(from, end))
    return end
  }

  private huffmanLiterals(bytes: Uint8Array, from: number, to: number, ownTable: boolean, single: boolean): void {
    let at = from
    if (ownTable) {
      const { table, end } = readHuffmanTable(bytes, from, to)
      this.huffman = table
      at = end
    }
    const { huffman, literals, literalCount } = this
    check(huffman !== null, 'no table of literals')
    if (single) {
      readHuffman(new BackwardBits(bytes, at, to), huffman, literals, 0, literalCount)
      return
    }
    check(to - at >= 6, 'literals that are cut')
    const quarter = (literalCount + 3) >> 2
    check(quarter * 3 <= literalCount, 'too few literals for four streams')
    let start = at + 6
    for (let i = 0; i < 4; i++) {
      const end = i === 3 ? to : start + uint(bytes, at + 2 * i, 2)
      check(end <= to, 'literals that are cut')
      readHuffman(
        new BackwardBits(bytes, start, end),
        huffman,
        literals,
        i * quarter,
        i === 3 ? literalCount : (i + 1) * quarter,
      )
      start = end
    }
  }

  /** Section 3.1.1.3.2. */
  private runSequences(bytes: Uint8Array, from: number, endMax: number): void {
    check(from < bytes.length, 'a block without its sequences')
    let at = from
    let count = bytes[at++]!
    if (count >= 128) {
      const long = count === 255
      check(at + (long ? 2 : 1) <= bytes.length, 'a block that is too short')
      count = long ? uint(bytes, at, 2) + 0x7f00 : ((count - 128) << 8) + bytes[at]!
      at += long ? 2 : 1
    }
    let literalAt = 0
    if (count > 0) {
      at = this.readTables(bytes, at)
      literalAt = this.sequences(new BackwardBits(bytes, at, bytes.length), count, endMax)
    } else check(at === bytes.length, 'bytes after the end of a block')
    check(this.end + this.literalCount - literalAt <= endMax, 'a block that unpacks to too much')
    this.history.set(this.literals.subarray(literalAt, this.literalCount), this.end)
    this.end += this.literalCount - literalAt
  }

  private readTables(bytes: Uint8Array, from: number): number {
    check(from < bytes.length, 'a block that is too short')
    const modes = bytes[from]!
    check((modes & 3) === 0, 'a reserved bit is set')
    let at = from + 1
    const read = (name: keyof Tables, mode: number, logMax: number, symbolMax: number): void => {
      if (mode === 0) this.tables[name] = predefined[name]
      else if (mode === 1) {
        check(at < bytes.length && bytes[at]! <= symbolMax, 'an impossible code')
        this.tables[name] = fseOfOne(bytes[at++]!)
      } else if (mode === 2) {
        const { table, end } = readFseTable(bytes, at, bytes.length, logMax, symbolMax)
        this.tables[name] = table
        at = end
      } else check(this.tables[name] !== undefined, 'no table to repeat')
    }
    read('literals', modes >> 6, 9, literalBits.length - 1)
    read('offsets', (modes >> 4) & 3, 8, 31)
    read('matches', (modes >> 2) & 3, 9, matchBits.length - 1)
    return at
  }

  /** Returns how many literals were used. Hot. */
  private sequences(bits: BackwardBits, count: number, endMax: number): number {
    const { literals, offsets, matches } = this.tables as Tables
    let literalState = bits.read(literals.log)
    let offsetState = bits.read(offsets.log)
    let matchState = bits.read(matches.log)
    let literalAt = 0
    for (let i = 0; i < count; i++) {
      const literalCode = literals.symbols[literalState]!
      const matchCode = matches.symbols[matchState]!
      const offsetCode = offsets.symbols[offsetState]!
      check(offsetCode <= offsetCodeMax, 'a match that is too far back')
      const value = 2 ** offsetCode + bits.read(offsetCode)
      const matchLength = matchBase[matchCode]! + bits.read(matchBits[matchCode]!)
      const literalLength = literalBase[literalCode]! + bits.read(literalBits[literalCode]!)
      if (i < count - 1) {
        literalState = literals.base[literalState]! + bits.read(literals.bits[literalState]!)
        matchState = matches.base[matchState]! + bits.read(matches.bits[matchState]!)
        offsetState = offsets.base[offsetState]! + bits.read(offsets.bits[offsetState]!)
      }
      check(bits.left >= 0, 'sequences that are cut')
      check(literalAt + literalLength <= this.literalCount, 'more literals used than there are')
      check(this.end + literalLength + matchLength <= endMax, 'a block that unpacks to too much')
      this.moveLiterals(literalAt, literalLength)
      literalAt += literalLength
      this.repeatMatch(this.distance(value, literalLength), matchLength)
    }
    check(bits.left === 0, 'bits after the last sequence')
    return literalAt
  }

  private moveLiterals(from: number, count: number): void {
    const { history, literals, end } = this
    for (let i = 0; i < count; i++) history[end + i] = literals[from + i]!
    this.end += count
  }

  /** Section 3.1.1.5: the three distances that were used last have short codes. */
  private distance(value: number, literalLength: number): number {
    const { recent } = this
    const place = value > 3 ? 3 : value - 1 + (literalLength === 0 ? 1 : 0)
    const distance = value > 3 ? value - 3 : place === 3 ? recent[0]! - 1 : recent[place]!
    for (let i = Math.min(place, 2); i > 0; i--) recent[i] = recent[i - 1]!
    recent[0] = distance
    return distance
  }

  private repeatMatch(distance: number, count: number): void {
    const { history, end } = this
    check(distance > 0 && distance <= end && distance <= this.window, 'a match that is too far back')
    for (let i = 0; i < count; i++) history[end + i] = history[end - distance + i]!
    this.end += count
  }
}
