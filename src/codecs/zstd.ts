import { blockBytesMax, frameMagic, literalBase, literalBits, matchBase, matchBits, predefined } from './unzstd.ts'
import type { FseTable } from './zstd-entropy.ts'

/**
 * Packs Zstandard (RFC 8878), greedily: literals as they are, matches with the predefined tables. Node has zstd of its own from 22.15
 * only. Files are about as small as the program's at its fastest.
 */

const hashBits = 15
const matchMin = 4
/** A sequence takes four bytes of content at least. */
const sequencesMax = blockBytesMax / matchMin
const headBytes = 9

/** Made at the first use, and used again: memory that was touched once is the cheapest there is. */
let packer: BlockPacker | null = null

/** The most bytes that packing `count` bytes can give. */
export function zstdBound(count: number): number {
  return headBytes + count + 3 * (Math.ceil(count / blockBytesMax) + 1)
}

/**
 * Packs bytes as one frame.
 *
 * @returns the number of bytes in `out`, which must have room for `zstdBound(bytes.length)`.
 */
export function zstd(bytes: Uint8Array, out: Uint8Array): number {
  const view = new DataView(out.buffer, out.byteOffset, out.length)
  view.setUint32(0, frameMagic, true)
  // One segment, whose size takes four bytes; no checksum, as nfdump has none.
  out[4] = 0xa0
  view.setUint32(5, bytes.length, true)
  packer ??= new BlockPacker()
  packer.begin(bytes, out, headBytes)
  for (let from = 0; from < bytes.length; from += blockBytesMax) {
    packer.block(from, Math.min(bytes.length, from + blockBytesMax))
  }
  if (bytes.length === 0) packer.plain(0, 0)
  return packer.to
}

/** A table the other way round: for each symbol and state to come, the state before, which leads there. */
class Encoder {
  readonly log: number
  readonly base: Uint16Array
  readonly bits: Uint8Array
  readonly before: Uint8Array
  /** A state of each symbol, for the one that is read last. */
  readonly last: Uint8Array

  constructor(decoder: FseTable) {
    const size = 1 << decoder.log
    const symbols = 1 + Math.max(...decoder.symbols)
    this.log = decoder.log
    this.base = decoder.base
    this.bits = decoder.bits
    this.before = new Uint8Array(symbols * size)
    this.last = new Uint8Array(symbols)
    for (let state = 0; state < size; state++) {
      const symbol = decoder.symbols[state]!
      const from = symbol * size + decoder.base[state]!
      this.last[symbol] = state
      this.before.fill(state, from, from + (1 << decoder.bits[state]!))
    }
  }
}

/** The code of each length up to where codes are powers of two. */
function codes(base: readonly number[], first: number, count: number): Uint8Array {
  let code = 0
  return Uint8Array.from({ length: count }, (_, i) => {
    while (code + 1 < base.length && base[code + 1]! <= first + i) code++
    return code
  })
}

const literalCodes = codes(literalBase, 0, 64)
const matchCodes = codes(matchBase, 3, 128)
const literals = new Encoder(predefined.literals)
const matches = new Encoder(predefined.matches)
const offsets = new Encoder(predefined.offsets)

class BlockPacker {
  to = 0
  private bytes: Uint8Array = new Uint8Array(0)
  private out: Uint8Array = this.bytes
  private view = new DataView(this.bytes.buffer)
  private readonly table = new Int32Array(1 << hashBits)
  private readonly packed = new Uint8Array(blockBytesMax + 64)
  /** Of each sequence the number of literals, of bytes that match, and the value that stands for the distance. */
  private readonly literalCount = new Uint32Array(sequencesMax)
  private readonly matchCount = new Uint32Array(sequencesMax)
  private readonly distance = new Uint32Array(sequencesMax)
  /** The last two distances, which have short codes. */
  private recent = 1
  private older = 4

  begin(bytes: Uint8Array, out: Uint8Array, to: number): void {
    this.bytes = bytes
    this.out = out
    this.to = to
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.recent = 1
    this.older = 4
    this.table.fill(-1)
  }

  block(from: number, end: number): void {
    const { recent, older } = this
    const count = this.find(from, end)
    const { packed } = this
    const size = count === 0 ? Number.POSITIVE_INFINITY : this.write(packed, from, end, count)
    if (size >= end - from) {
      // The reader does not see the distances of a block that is stored.
      this.recent = recent
      this.older = older
      this.plain(from, end)
      return
    }
    this.head(size, 2, end === this.bytes.length)
    this.out.set(packed.subarray(0, size), this.to)
    this.to += size
  }

  plain(from: number, end: number): void {
    this.head(end - from, 0, end === this.bytes.length)
    this.out.set(this.bytes.subarray(from, end), this.to)
    this.to += end - from
  }

  private head(size: number, type: number, last: boolean): void {
    const head = (size << 3) | (type << 1) | (last ? 1 : 0)
    this.out[this.to++] = head & 0xff
    this.out[this.to++] = (head >>> 8) & 0xff
    this.out[this.to++] = head >>> 16
  }

  /** Finds the sequences of a block. Returns how many. Hot. */
  private find(from: number, end: number): number {
    const { view, table } = this
    let count = 0
    let anchor = from
    let at = from
    let misses = 0
    while (at + matchMin <= end) {
      const four = view.getUint32(at, true)
      const hash = Math.imul(four, 2654435761) >>> (32 - hashBits)
      let candidate = table[hash]!
      table[hash] = at
      const near = at - this.recent
      if (near >= 0 && at > anchor && view.getUint32(near, true) === four) candidate = near
      else if (candidate < 0 || view.getUint32(candidate, true) !== four) {
        at += 1 + (misses++ >>> 6)
        continue
      }
      misses = 0
      const length = this.matching(candidate, at, end)
      this.literalCount[count] = at - anchor
      this.matchCount[count] = length
      this.distance[count++] = this.valueOf(at - candidate, at > anchor)
      at += length
      anchor = at
    }
    return count
  }

  private matching(candidate: number, at: number, end: number): number {
    const { view, bytes } = this
    let length = matchMin
    while (at + length + 4 <= end && view.getUint32(at + length, true) === view.getUint32(candidate + length, true)) {
      length += 4
    }
    while (at + length < end && bytes[at + length] === bytes[candidate + length]) length++
    return length
  }

  /** Section 3.1.1.5, without the cases that need no literals. */
  private valueOf(distance: number, hasLiterals: boolean): number {
    const { recent, older } = this
    if (hasLiterals && distance === recent) return 1
    this.recent = distance
    this.older = recent
    return hasLiterals && distance === older ? 2 : distance + 3
  }

  /** Writes literals and sequences. Returns the size; what is larger than the content is not whole. */
  private write(packed: Uint8Array, from: number, end: number, count: number): number {
    const { bytes, literalCount, matchCount } = this
    let literals = end - from
    for (let i = 0; i < count; i++) literals -= matchCount[i]!
    let to = literalHead(packed, literals)
    let at = from
    for (let i = 0; i < count; i++) {
      const run = literalCount[i]!
      for (let k = 0; k < run; k++) packed[to++] = bytes[at + k]!
      at += run + matchCount[i]!
    }
    packed.set(bytes.subarray(at, end), to)
    to += end - at
    to = sequenceHead(packed, to, count)
    return this.sequences(packed, to, count)
  }

  /**
   * Section 3.1.1.3.2.1, from the last sequence to the first, as the reader goes backwards: its next states, then the bits beyond the
   * codes. Returns where they end. Hot: bits gather in a number, at most 27 at a time.
   */
  private sequences(packed: Uint8Array, from: number, count: number): number {
    const { literalCount, matchCount, distance } = this
    let held = 0
    let bits = 0
    let to = from
    let runState = 0
    let lengthState = 0
    let valueState = 0
    for (let i = count - 1; i >= 0; i--) {
      const run = literalCount[i]!
      const length = matchCount[i]!
      const value = distance[i]!
      const runCode = run < 64 ? literalCodes[run]! : 50 - Math.clz32(run)
      const lengthCode = length < 131 ? matchCodes[length - 3]! : 67 - Math.clz32(length - 3)
      const valueCode = 31 - Math.clz32(value)
      if (i === count - 1) {
        runState = literals.last[runCode]!
        lengthState = matches.last[lengthCode]!
        valueState = offsets.last[valueCode]!
      } else {
        let next = valueState
        valueState = offsets.before[(valueCode << offsets.log) | next]!
        held |= (next - offsets.base[valueState]!) << bits
        bits += offsets.bits[valueState]!
        next = lengthState
        lengthState = matches.before[(lengthCode << matches.log) | next]!
        held |= (next - matches.base[lengthState]!) << bits
        bits += matches.bits[lengthState]!
        next = runState
        runState = literals.before[(runCode << literals.log) | next]!
        held |= (next - literals.base[runState]!) << bits
        bits += literals.bits[runState]!
        for (; bits >= 8; bits -= 8, held >>>= 8) packed[to++] = held & 0xff
      }
      held |= (run - literalBase[runCode]!) << bits
      bits += literalBits[runCode]!
      for (; bits >= 8; bits -= 8, held >>>= 8) packed[to++] = held & 0xff
      held |= (length - matchBase[lengthCode]!) << bits
      bits += matchBits[lengthCode]!
      for (; bits >= 8; bits -= 8, held >>>= 8) packed[to++] = held & 0xff
      held |= (value ^ (1 << valueCode)) << bits
      bits += valueCode
      for (; bits >= 8; bits -= 8, held >>>= 8) packed[to++] = held & 0xff
    }
    // The states to begin with, then a bit that marks the end.
    held |= (lengthState | (valueState << matches.log) | (runState << (matches.log + offsets.log))) << bits
    bits += matches.log + offsets.log + literals.log
    held |= 1 << bits
    for (bits++; bits > 0; bits -= 8, held >>>= 8) packed[to++] = held & 0xff
    return to
  }
}

/** Section 3.1.1.3.1.1, literals as they are. Returns where they begin. */
function literalHead(packed: Uint8Array, count: number): number {
  if (count < 32) {
    packed[0] = count << 3
    return 1
  }
  if (count < 4096) {
    packed[0] = ((count << 4) | 4) & 0xff
    packed[1] = count >>> 4
    return 2
  }
  packed[0] = ((count << 4) | 12) & 0xff
  packed[1] = (count >>> 4) & 0xff
  packed[2] = count >>> 12
  return 3
}

/** Number of sequences, and that all tables are predefined. Returns where the bits begin. */
function sequenceHead(packed: Uint8Array, from: number, count: number): number {
  let to = from
  if (count < 128) packed[to++] = count
  else if (count < 0x7f00) {
    packed[to++] = (count >>> 8) + 128
    packed[to++] = count & 0xff
  } else {
    packed[to++] = 255
    packed[to++] = (count - 0x7f00) & 0xff
    packed[to++] = (count - 0x7f00) >>> 8
  }
  packed[to++] = 0
  return to
}
