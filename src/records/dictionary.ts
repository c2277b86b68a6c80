/** Bytes that must be readable after the last byte of a word: words are read four bytes at a time. */
export const paddingBytes = 8

const prime = 0x9e3779b1 | 0
/** No field of a flow log comes near; a longer word makes its line malformed. */
export const wordBytesMax = 4096

const codesMax = 1024
const scratch = new Uint32Array(wordBytesMax / 4 + 1)
const encoder = new TextEncoder()
// A byte order mark is part of the word, or two words would be one text.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * The distinct words of a text column, each with a small number.
 *
 * A word goes up to a space or control character. It is read, hashed and compared four bytes at a time (a word of flow logs has
 * about twenty), and never becomes a string here: that makes text columns as cheap as numbers.
 */
export class Dictionary {
  /** The words' bytes, each word padded with zeros to four bytes. */
  private arena = new Uint32Array(1 << 10)
  /** Where word i begins in the arena, in units of four bytes. */
  private offsets = new Uint32Array(1 << 8)
  private lengths = new Uint32Array(1 << 8)
  private hashes = new Int32Array(1 << 8)
  private table = new Int32Array(1 << 9).fill(-1)
  /** Of the first strings that were asked for. */
  private readonly codes = new Map<string, number>()
  /** Number of distinct words. */
  size = 0
  /** Where the word that was read last ends. */
  end = 0

  /** The number of the word at `p`, -1 if there is none; `end` is then where it ends. A new word gets the next number. */
  read(view: DataView, p: number): number {
    let hash = 0
    let n = 0
    let q = p
    for (;;) {
      const four = view.getInt32(q, true)
      // The high bit of each byte that is below 0x21: the first one ends the word. (SWAR; exact for the lowest such byte.)
      const stops = (four - 0x21212121) & ~four & 0x80808080
      if (stops === 0) {
        scratch[n++] = four
        hash = Math.imul(hash ^ four, prime)
        hash ^= hash >>> 15
        q += 4
        if (q - p > wordBytesMax - 8) return -1
        continue
      }
      const rest = 31 - Math.clz32(stops & -stops) - 7
      if (rest > 0) {
        const masked = four & ((1 << rest) - 1)
        scratch[n++] = masked
        hash = Math.imul(hash ^ masked, prime)
        hash ^= hash >>> 15
        q += rest >>> 3
      }
      break
    }
    if (q === p) return -1
    this.end = q
    return this.find(n, q - p, hash)
  }

  /** Bytes of all words together. */
  get bytes(): number {
    return this.offsets[this.size]! * 4
  }

  /** As `read`, for a string without spaces: one of few, or determined by `read`. */
  codeOf(text: string): number {
    const known = this.codes.get(text)
    if (known !== undefined) return known
    const code = this.readText(text)
    if (code >= 0 && this.codes.size < codesMax) this.codes.set(text, code)
    return code
  }

  private readText(text: string): number {
    const bytes = encoder.encode(text)
    const padded = new Uint8Array(bytes.length + paddingBytes)
    padded.set(bytes)
    return this.read(new DataView(padded.buffer), 0)
  }

  /** The words in the order of their numbers. Bytes that are not UTF-8 become U+FFFD. */
  words(): string[] {
    return Array.from({ length: this.size }, (_, code) => this.word(code))
  }

  word(code: number): string {
    const start = this.offsets[code]! * 4
    return decoder.decode(new Uint8Array(this.arena.buffer, start, this.lengths[code]!))
  }

  private find(n: number, length: number, hash: number): number {
    const { table, hashes, lengths, arena } = this
    const mask = table.length - 1
    let slot = hash & mask
    for (;;) {
      const code = table[slot]!
      if (code < 0) return this.add(n, length, hash, slot)
      if (hashes[code] === hash && lengths[code] === length) {
        const start = this.offsets[code]!
        let i = 0
        while (i < n && arena[start + i] === scratch[i]) i++
        if (i === n) return code
      }
      slot = (slot + 1) & mask
    }
  }

  private add(n: number, length: number, hash: number, slot: number): number {
    const code = this.size++
    if (code + 1 >= this.offsets.length) {
      this.offsets = grown(this.offsets, Uint32Array)
      this.lengths = grown(this.lengths, Uint32Array)
      this.hashes = grown(this.hashes, Int32Array)
    }
    const start = this.offsets[code]!
    while (start + n > this.arena.length) this.arena = grown(this.arena, Uint32Array)
    this.arena.set(scratch.subarray(0, n), start)
    this.offsets[code + 1] = start + n
    this.lengths[code] = length
    this.hashes[code] = hash
    this.table[slot] = code
    if (this.size * 2 > this.table.length) this.rehash()
    return code
  }

  private rehash(): void {
    this.table = new Int32Array(this.table.length * 2).fill(-1)
    const mask = this.table.length - 1
    for (let code = 0; code < this.size; code++) {
      let slot = this.hashes[code]! & mask
      while (this.table[slot]! >= 0) slot = (slot + 1) & mask
      this.table[slot] = code
    }
  }
}

function grown<T extends Uint32Array | Int32Array>(array: T, Kind: new (length: number) => T): T {
  const larger = new Kind(array.length * 2)
  larger.set(array)
  return larger
}
