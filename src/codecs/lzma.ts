import { packedCheck } from './packed.ts'

/**
 * LZMA, as the chunks of LZMA2 hold it, by I. Pavlov's "LZMA specification" and the description of LZMA2 in XZ Embedded. Written for hostile
 * data: a distance never reaches before the dictionary, memory is that of the dictionary as far as there is content for it.
 */

/** The largest chunk that LZMA2 knows, unpacked. */
export const chunkBytesMax = 2 << 20
const startBytes = 256 << 10
const slackBytes = 16 << 20

const states = 12
const positionsMax = 16
const matchMin = 2
const endSlots = 14
const probability = 1024
const top = 0x1000000

// Where the probabilities of each kind are, in one array.
const isMatch = 0
const isRep = isMatch + states * positionsMax
const isRepG0 = isRep + states
const isRepG1 = isRepG0 + states
const isRepG2 = isRepG1 + states
const isRep0Long = isRepG2 + states
const slots = isRep0Long + states * positionsMax
const special = slots + 4 * 64
const align = special + 115
const lengths = align + 16
const lengthsSize = 2 + positionsMax * 8 * 2 + 256
const repLengths = lengths + lengthsSize
const literals = repLengths + lengthsSize
const literalSize = 0x300
const literalBitsMax = 4

export class Lzma {
  private readonly probs = new Uint16Array(literals + (literalSize << literalBitsMax))
  private readonly dictionaryBytes: number
  private bytes = new Uint8Array(startBytes)
  /** Where the next byte goes, and where the dictionary begins. */
  private at = 0
  private start = 0
  /** Bytes since the dictionary was emptied: the lower bits choose probabilities. */
  private done = 0
  private literalContext = 0
  private literalPosition = 0
  private positionMask = 0
  private state = 0
  private reps: [number, number, number, number] = [0, 0, 0, 0]
  // The range decoder; both as unsigned numbers of 32 bits.
  private input: Uint8Array = new Uint8Array(0)
  private inputAt = 0
  private range = 0
  private code = 0

  constructor(dictionaryBytes: number) {
    this.dictionaryBytes = dictionaryBytes
  }

  emptyDictionary(): void {
    this.start = this.at
    this.done = 0
  }

  /** Sets the properties of the codes; what was learned is forgotten. */
  setProperties(properties: number): void {
    packedCheck(properties < 9 * 5 * 5, 'unknown properties')
    this.literalContext = properties % 9
    this.literalPosition = Math.floor(properties / 9) % 5
    this.positionMask = (1 << Math.floor(properties / 45)) - 1
    packedCheck(this.literalContext + this.literalPosition <= literalBitsMax, 'unknown properties')
    this.forget()
  }

  forget(): void {
    this.probs.fill(probability)
    this.state = 0
    this.reps = [0, 0, 0, 0]
  }

  /** Takes a chunk that is not packed. */
  copy(chunk: Uint8Array): void {
    this.makeRoom(chunk.length)
    this.bytes.set(chunk, this.at)
    this.at += chunk.length
    this.done += chunk.length
  }

  /**
   * Unpacks a chunk. @returns its content, which is there until the next chunk.
   * @throws PackedError
   */
  unpack(chunk: Uint8Array, size: number): Uint8Array {
    packedCheck(chunk.length >= 5 && chunk[0] === 0, 'a chunk that does not begin as one')
    this.makeRoom(size)
    this.input = chunk
    this.inputAt = 5
    this.range = 0xffffffff
    this.code = ((chunk[1]! << 24) | (chunk[2]! << 16) | (chunk[3]! << 8) | chunk[4]!) >>> 0
    const from = this.at
    this.symbols(from + size)
    this.normalize()
    packedCheck(this.inputAt === chunk.length && this.code === 0, 'a chunk that does not end where it should')
    return this.bytes.subarray(from, this.at)
  }

  private makeRoom(size: number): void {
    const needed = this.at + size
    if (needed <= this.bytes.length) return
    const largest = this.dictionaryBytes + slackBytes
    if (this.bytes.length < largest) {
      const longer = new Uint8Array(Math.min(largest, Math.max(2 * this.bytes.length, needed)))
      longer.set(this.bytes.subarray(0, this.at))
      this.bytes = longer
      if (needed <= longer.length) return
    }
    const kept = Math.min(this.dictionaryBytes, this.at - this.start)
    this.bytes.copyWithin(0, this.at - kept, this.at)
    this.at = kept
    this.start = 0
  }

  /** Hot. */
  private symbols(end: number): void {
    const { bytes } = this
    while (this.at < end) {
      const position = this.done & this.positionMask
      if (this.bit(isMatch + (this.state << 4) + position) === 0) {
        this.literal()
        continue
      }
      let length: number
      if (this.bit(isRep + this.state) === 0) {
        length = this.length(lengths, position)
        this.reps = [this.distance(length), this.reps[0], this.reps[1], this.reps[2]]
        this.state = this.state < 7 ? 7 : 10
      } else {
        length = this.repeated(position)
      }
      const distance = this.reps[0] + 1
      packedCheck(distance <= this.at - this.start && distance <= this.dictionaryBytes, 'a match before the beginning')
      packedCheck(length <= end - this.at, 'a match beyond its chunk')
      let to = this.at
      for (const stop = to + length; to < stop; to++) bytes[to] = bytes[to - distance]!
      this.at = to
      this.done += length
    }
  }

  /** A match at one of the last distances, which becomes the last; returns its length. */
  private repeated(position: number): number {
    const { state, reps } = this
    const [r0, r1, r2, r3] = reps
    if (this.bit(isRepG0 + state) === 0) {
      if (this.bit(isRep0Long + (state << 4) + position) === 0) {
        this.state = state < 7 ? 9 : 11
        return 1
      }
    } else if (this.bit(isRepG1 + state) === 0) this.reps = [r1, r0, r2, r3]
    else if (this.bit(isRepG2 + state) === 0) this.reps = [r2, r0, r1, r3]
    else this.reps = [r3, r0, r1, r2]
    this.state = state < 7 ? 8 : 11
    return this.length(repLengths, position)
  }

  private literal(): void {
    const { bytes, at, state } = this
    const previous = at > this.start ? bytes[at - 1]! : 0
    const low = (this.done & ((1 << this.literalPosition) - 1)) << this.literalContext
    const base = literals + literalSize * (low + (previous >> (8 - this.literalContext)))
    let symbol = 1
    if (state >= 7) {
      const distance = this.reps[0] + 1
      packedCheck(distance <= at - this.start, 'a match before the beginning')
      let match = bytes[at - distance]!
      while (symbol < 0x100) {
        const matchBit = (match >> 7) & 1
        match <<= 1
        const bit = this.bit(base + ((1 + matchBit) << 8) + symbol)
        symbol = (symbol << 1) | bit
        if (bit !== matchBit) break
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.bit(base + symbol)
    bytes[at] = symbol
    this.at++
    this.done++
    this.state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6
  }

  private length(base: number, position: number): number {
    if (this.bit(base) === 0) return matchMin + this.tree(base + 2 + (position << 3), 3)
    if (this.bit(base + 1) === 0) return matchMin + 8 + this.tree(base + 2 + positionsMax * 8 + (position << 3), 3)
    return matchMin + 16 + this.tree(base + 2 + positionsMax * 16, 8)
  }

  private distance(length: number): number {
    const slot = this.tree(slots + (Math.min(length - matchMin, 3) << 6), 6)
    if (slot < 4) return slot
    const bits = (slot >> 1) - 1
    const high = (2 | (slot & 1)) * 2 ** bits
    if (slot < endSlots) return high + this.reverseTree(special + high - slot - 1, bits)
    let direct = 0
    for (let i = bits - 4; i > 0; i--) direct = direct * 2 + this.directBit()
    const found = high + direct * 16 + this.reverseTree(align, 4)
    packedCheck(found !== 0xffffffff, 'an end where none may be')
    return found
  }

  private tree(base: number, bits: number): number {
    let symbol = 1
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.bit(base + symbol)
    return symbol - (1 << bits)
  }

  private reverseTree(base: number, bits: number): number {
    let symbol = 1
    let value = 0
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(base + symbol)
      symbol = (symbol << 1) | bit
      value |= bit << i
    }
    return value
  }

  /** Hot. */
  private bit(index: number): number {
    this.normalize()
    const p = this.probs[index]!
    const bound = (this.range >>> 11) * p
    if (this.code < bound) {
      this.range = bound
      this.probs[index] = p + ((2048 - p) >> 5)
      return 0
    }
    this.range -= bound
    this.code -= bound
    this.probs[index] = p - (p >> 5)
    return 1
  }

  private directBit(): number {
    this.normalize()
    this.range = this.range >>> 1
    if (this.code < this.range) return 0
    this.code -= this.range
    return 1
  }

  private normalize(): void {
    if (this.range >= top) return
    packedCheck(this.inputAt < this.input.length, 'a chunk that ends too early')
    this.range = (this.range << 8) >>> 0
    this.code = ((this.code << 8) | this.input[this.inputAt++]!) >>> 0
  }
}
