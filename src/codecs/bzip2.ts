import { PackedError, packedCheck, roomCheck } from './packed.ts'

/**
 * bzip2, by the description of its format (J. Tsai, "BZIP2: Format Specification"; the program's own manual says little). Written for
 * hostile data: every length is checked, memory is that of the largest block bzip2 knows, checksums are verified.
 */

const blockUnit = 100_000
const groupSymbols = 50
const codeBitsMax = 20
const selectorsMax = 18_002
const blockMagicHigh = 0x314159
const blockMagicLow = 0x265359
const endMagicHigh = 0x177245
const endMagicLow = 0x385090

const crcTable = Uint32Array.from({ length: 256 }, (_, i) => {
  let crc = i << 24
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  return crc
})

/**
 * Unpacks a stream that is in memory.
 *
 * @returns the number of bytes in `out`.
 * @throws PackedError if the stream is damaged or does not fit into `out`.
 */
export function unbzip2(bytes: Uint8Array, out: Uint8Array): number {
  const stream = new Bzip2Stream(new Bits(bytes), out)
  while (stream.next());
  return stream.to
}

/** One stream, a block at a time: what the bits hold must reach to the end of the block. */
export class Bzip2Stream {
  private readonly bits: Bits
  private readonly blocks: Blocks
  private combined = 0

  /** @throws PackedError where no stream begins. */
  constructor(bits: Bits, out: Uint8Array) {
    this.bits = bits
    packedCheck(bits.read(16) === 0x425a && bits.read(8) === 0x68, 'no bzip2 stream')
    const level = bits.read(8) - 0x30
    packedCheck(level >= 1 && level <= 9, 'no bzip2 stream')
    this.blocks = new Blocks(bits, level * blockUnit, out)
  }

  /** How many bytes are in the output. */
  get to(): number {
    return this.blocks.to
  }

  /** Where the blocks that follow are put, from its beginning. */
  set out(out: Uint8Array) {
    this.blocks.out = out
    this.blocks.to = 0
  }

  /**
   * Unpacks the next block.
   *
   * @returns false at the end of the stream.
   * @throws PackedError; PackedFull where it does not fit: `again` puts it into another output.
   */
  next(): boolean {
    const { bits } = this
    const high = bits.read(24)
    const low = bits.read(24)
    const crc = bits.read32()
    if (high === endMagicHigh && low === endMagicLow) {
      packedCheck(crc === this.combined, 'the checksum of the whole is wrong')
      return false
    }
    packedCheck(high === blockMagicHigh && low === blockMagicLow, 'no block where one should begin')
    this.blocks.read()
    this.combined = (((this.combined << 1) | (this.combined >>> 31)) ^ crc) >>> 0
    this.write(crc)
    return true
  }

  /** Puts the block that did not fit into the new output. */
  again(): void {
    this.write(this.blocks.crc)
  }

  private write(crc: number): void {
    this.blocks.crc = crc
    packedCheck(this.blocks.write() === crc, 'the checksum of a block is wrong')
  }
}

/** Most significant bit first. */
export class Bits {
  /** More may take its place, where what was read of it is gone from its beginning. */
  bytes: Uint8Array
  at = 0
  private held = 0
  private count = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Up to 24 bits. */
  read(bits: number): number {
    while (this.count < bits) {
      if (this.at >= this.bytes.length) throw new PackedError('cut short')
      this.held = (this.held << 8) | this.bytes[this.at++]!
      this.count += 8
    }
    this.count -= bits
    const value = (this.held >>> this.count) & ((1 << bits) - 1)
    this.held &= (1 << this.count) - 1
    return value
  }

  read32(): number {
    return this.read(16) * 65536 + this.read(16)
  }

  /** Passes over what is left of a byte. */
  align(): void {
    this.read(this.count % 8)
  }

  get isAtEnd(): boolean {
    return this.count === 0 && this.at >= this.bytes.length
  }

  /** Whole bytes that were taken, and are not read yet. */
  get heldBytes(): number {
    return this.count >> 3
  }
}

/** A canonical Huffman code: of each length the first code, and where its symbols begin. */
class HuffmanCode {
  private readonly limit = new Int32Array(codeBitsMax + 2)
  private readonly offset = new Int32Array(codeBitsMax + 2)
  private readonly symbols: Uint16Array
  private readonly least: number

  constructor(lengths: Uint8Array, count: number) {
    const counts = new Int32Array(codeBitsMax + 2)
    for (let i = 0; i < count; i++) counts[lengths[i]!]!++
    this.symbols = new Uint16Array(count)
    let filled = 0
    let code = 0
    this.least = counts.findIndex(value => value > 0)
    for (let length = 1; length <= codeBitsMax; length++) {
      this.offset[length] = filled - code
      for (let i = 0; i < count; i++) if (lengths[i] === length) this.symbols[filled++] = i
      code += counts[length]!
      packedCheck(code <= 2 ** length, 'a code with too many symbols')
      this.limit[length] = code
      code <<= 1
    }
  }

  read(bits: Bits): number {
    let code = bits.read(this.least)
    for (let length = this.least; ; length++) {
      if (code < this.limit[length]!) {
        const symbol = this.symbols[this.offset[length]! + code]
        packedCheck(symbol !== undefined, 'a code that is not used')
        return symbol
      }
      packedCheck(length < codeBitsMax, 'a code that is not used')
      code = (code << 1) | bits.read(1)
    }
  }
}

/** The largest block so far: hostile files have many small streams, each of which claims the largest. */
let chainOfAll = new Uint32Array(0)

class Blocks {
  to = 0
  out: Uint8Array
  /** The checksum that the block should have. */
  crc = 0
  private readonly bits: Bits
  private origin = 0
  /** The transformed block: a byte in the lower 8 bits; where the next one is in the upper 24. */
  private readonly chain: Uint32Array
  private readonly largest: number
  private length = 0

  constructor(bits: Bits, largest: number, out: Uint8Array) {
    this.bits = bits
    this.largest = largest
    if (chainOfAll.length < largest) chainOfAll = new Uint32Array(largest)
    this.chain = chainOfAll
    this.out = out
  }

  /** Reads a block after its magic number and checksum. */
  read(): void {
    const { bits } = this
    packedCheck(bits.read(1) === 0, 'a randomised block: no bzip2 of this century makes them')
    const origin = bits.read(24)
    const used = this.readUsed()
    const groups = bits.read(3)
    packedCheck(groups >= 2 && groups <= 6, `${groups} tables`)
    const selectors = this.readSelectors(groups)
    const codes = Array.from({ length: groups }, () => this.readCode(used.length + 2))
    this.readSymbols(used, selectors, codes)
    packedCheck(origin < this.length, 'a block that begins past its end')
    this.origin = origin
    this.link()
  }

  private readUsed(): Uint8Array {
    const { bits } = this
    const ranges = bits.read(16)
    const used: number[] = []
    for (let range = 0; range < 16; range++) {
      if (!(ranges & (0x8000 >>> range))) continue
      const within = bits.read(16)
      for (let i = 0; i < 16; i++) if (within & (0x8000 >>> i)) used.push(16 * range + i)
    }
    packedCheck(used.length > 0, 'a block without bytes')
    return Uint8Array.from(used)
  }

  private readSelectors(groups: number): Uint8Array {
    const { bits } = this
    const count = bits.read(15)
    packedCheck(count > 0, 'no tables are chosen')
    const order = Uint8Array.from({ length: groups }, (_, i) => i)
    const selectors = new Uint8Array(Math.min(count, selectorsMax))
    for (let i = 0; i < count; i++) {
      let place = 0
      while (bits.read(1) === 1) packedCheck(++place < groups, 'a table that is not there')
      const table = order[place]!
      order.copyWithin(1, 0, place)
      order[0] = table
      // Some packers write more selectors than a block can use; they count for nothing.
      if (i < selectorsMax) selectors[i] = table
    }
    return selectors
  }

  private readCode(symbols: number): HuffmanCode {
    const { bits } = this
    const lengths = new Uint8Array(symbols)
    let length = bits.read(5)
    for (let i = 0; i < symbols; i++) {
      for (;;) {
        packedCheck(length >= 1 && length <= codeBitsMax, `a code of ${length} bits`)
        if (bits.read(1) === 0) break
        length += bits.read(1) === 0 ? 1 : -1
      }
      lengths[i] = length
    }
    return new HuffmanCode(lengths, symbols)
  }

  /** Undoes Huffman's code, run lengths of the first byte, and moving to the front. Hot. */
  private readSymbols(used: Uint8Array, selectors: Uint8Array, codes: HuffmanCode[]): void {
    const { bits, chain, largest } = this
    const front = used.slice()
    const end = used.length + 1
    let group = 0
    let left = 0
    let code = codes[0]!
    let run = 0
    let weight = 1
    let length = 0
    for (;;) {
      if (left === 0) {
        packedCheck(group < selectors.length, 'more symbols than tables are chosen for')
        code = codes[selectors[group++]!]!
        left = groupSymbols
      }
      left--
      const symbol = code.read(bits)
      if (symbol <= 1) {
        run += weight << symbol
        weight <<= 1
        packedCheck(run <= largest, 'a run that is too long')
        continue
      }
      if (run > 0) {
        packedCheck(length + run <= largest, 'more bytes than a block holds')
        chain.fill(front[0]!, length, length + run)
        length += run
        run = 0
      }
      weight = 1
      if (symbol === end) break
      packedCheck(length < largest, 'more bytes than a block holds')
      const byte = front[symbol - 1]!
      front.copyWithin(1, 0, symbol - 1)
      front[0] = byte
      chain[length++] = byte
    }
    this.length = length
  }

  /** Undoes the Burrows-Wheeler transform: chains each byte to the one after it. Hot. */
  private link(): void {
    const { chain, length } = this
    const starts = new Uint32Array(256)
    for (let i = 0; i < length; i++) starts[chain[i]! & 0xff]!++
    let sum = 0
    for (let byte = 0; byte < 256; byte++) {
      const count = starts[byte]!
      starts[byte] = sum
      sum += count
    }
    for (let i = 0; i < length; i++) chain[starts[chain[i]! & 0xff]!++]! |= i << 8
  }

  /** Follows the chain, and undoes the first run lengths: four equal bytes and how often more. Returns the checksum of the block. Hot. */
  write(): number {
    const { chain, length, origin, out } = this
    let crc = 0xffffffff
    let to = this.to
    let at = chain[origin]! >>> 8
    let previous = -1
    let equal = 0
    for (let i = 0; i < length; i++) {
      const entry = chain[at]!
      const byte = entry & 0xff
      at = entry >>> 8
      if (equal === 4) {
        roomCheck(to + byte <= out.length)
        for (let j = 0; j < byte; j++) {
          out[to++] = previous
          crc = (crc << 8) ^ crcTable[(crc >>> 24) ^ previous]!
        }
        equal = 0
        previous = -1
        continue
      }
      roomCheck(to < out.length)
      equal = byte === previous ? equal + 1 : 1
      previous = byte
      out[to++] = byte
      crc = (crc << 8) ^ crcTable[(crc >>> 24) ^ byte]!
    }
    this.to = to
    return ~crc >>> 0
  }
}
