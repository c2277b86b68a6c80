/** A small seeded random source (sfc32), so that one seed gives the same data everywhere. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** `stream` separates independent sequences of one seed, for example one per file. */
  constructor(seed: number, stream = 0) {
    this.#a = scramble(seed)
    this.#b = scramble(this.#a ^ stream)
    this.#c = scramble(this.#b + 0x9e3779b9)
    for (let i = 0; i < 12; i++) this.next()
  }

  /** A whole number from 0 to 2^32 - 1. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.next() / 4294967296) * limit)
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** True in `percent` cases of a hundred. */
  chance(percent: number): boolean {
    return this.next() < percent * 42949672.96
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  /** A whole number in [low, high] where small values are common and large ones rare. */
  skewed(low: number, high: number): number {
    const u = this.next() / 4294967296
    return low + Math.floor(u * u * u * u * (high - low + 1))
  }

  /** `digits` hexadecimal digits. */
  hex(digits: number): string {
    let text = ''
    while (text.length < digits) text += this.next().toString(16).padStart(8, '0')
    return text.slice(0, digits)
  }

  /** Puts the items in random order, in place. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const held = items[i] as T
      items[i] = items[j] as T
      items[j] = held
    }
    return items
  }
}

function scramble(value: number): number {
  let x = (value + 0x6d2b79f5) | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) | 0
}
