import { Random } from './random.ts'

const POOL_BYTES = 1 << 16
const LONGEST = 1472

/** Bytes that stand for contents, with the sums that make the checksum of any part of them quick. */
export class PayloadPool {
  readonly #bytes: Buffer
  /** Sum of the 16-bit words before each even offset. */
  readonly #sums: Float64Array

  constructor(seed: number) {
    const random = new Random(seed, 4)
    this.#bytes = Buffer.alloc(POOL_BYTES + LONGEST + 2)
    for (let at = 0; at + 4 <= this.#bytes.length; at += 4) this.#bytes.writeUInt32BE(random.next(), at)
    this.#sums = new Float64Array(this.#bytes.length / 2 + 1)
    for (let word = 0; word < this.#bytes.length / 2; word++) {
      this.#sums[word + 1] = this.#sums[word]! + this.#bytes.readUInt16BE(word * 2)
    }
  }

  /** Where in the pool a packet's contents begin: even, and the same for the same number. */
  static place(number: number): number {
    return ((number * 362) % POOL_BYTES) & ~1
  }

  /** Copies the contents' beginning to `target`, as far as `upTo`. */
  copy(place: number, target: Buffer, at: number, upTo: number): void {
    this.#bytes.copy(target, at, place, place + upTo - at)
  }

  /** Sum of 16-bit words over `length` bytes, an odd last byte filled up with zero. */
  sum(place: number, length: number): number {
    const words = length >> 1
    const whole = this.#sums[place / 2 + words]! - this.#sums[place / 2]!
    return length & 1 ? whole + this.#bytes[place + length - 1]! * 256 : whole
  }
}

/** Sum of 16-bit words, an odd last byte filled up with zero. */
export function wordSum(bytes: Buffer, from = 0, to = bytes.length): number {
  let sum = 0
  for (let at = from; at + 1 < to; at += 2) sum += bytes[at]! * 256 + bytes[at + 1]!
  return (to - from) & 1 ? sum + bytes[to - 1]! * 256 : sum
}

/** The Internet checksum, RFC 1071, of words whose sum is given. */
export function checksum(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000)
  return ~folded & 0xffff
}
