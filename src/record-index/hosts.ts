/** Numbers for addresses of 128 bits. */
import { randomBytes } from 'node:crypto'
import { sortedBy } from './order.ts'

/** The hosts in the order of their addresses, and which number each had before. */
export interface RankedHosts {
  count: number
  hi: BigUint64Array
  lo: BigUint64Array
  /** The number among them of each number that `numberOf` gave. */
  ranks: Uint32Array
}

/** A hash table in typed arrays. Its hash begins with a secret of this process, so that evidence cannot choose addresses that collide. */
export class HostNumbers {
  count = 0
  /** Four words of each address, the least significant first. */
  private words = new Uint32Array(4 << 12)
  private slots = new Int32Array(1 << 13).fill(-1)
  private readonly seed = randomBytes(4).readUInt32LE()

  /** The number of an address, a new one for a new address. @param w0 the least significant word. */
  numberOf(w0: number, w1: number, w2: number, w3: number): number {
    const { slots, words } = this
    const mask = slots.length - 1
    let slot = this.hash(w0, w1, w2, w3) & mask
    for (;;) {
      const number = slots[slot]!
      if (number < 0) return this.add(slot, w0, w1, w2, w3)
      const at = 4 * number
      if (words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3) return number
      slot = (slot + 1) & mask
    }
  }

  private hash(w0: number, w1: number, w2: number, w3: number): number {
    let hash = Math.imul(this.seed ^ w0, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15) ^ w1, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13) ^ w2, 0xc2b2ae35)
    hash = Math.imul(hash ^ (hash >>> 16) ^ w3, 0x27d4eb2f)
    return hash ^ (hash >>> 15)
  }

  private add(slot: number, w0: number, w1: number, w2: number, w3: number): number {
    const number = this.count++
    this.slots[slot] = number
    const at = 4 * number
    if (at === this.words.length) {
      const larger = new Uint32Array(2 * at)
      larger.set(this.words)
      this.words = larger
    }
    this.words[at] = w0
    this.words[at + 1] = w1
    this.words[at + 2] = w2
    this.words[at + 3] = w3
    if (2 * this.count > this.slots.length) this.grow()
    return number
  }

  private grow(): void {
    const slots = new Int32Array(2 * this.slots.length).fill(-1)
    const mask = slots.length - 1
    for (let number = 0; number < this.count; number++) {
      const at = 4 * number
      let slot = this.hash(this.words[at]!, this.words[at + 1]!, this.words[at + 2]!, this.words[at + 3]!) & mask
      while (slots[slot]! >= 0) slot = (slot + 1) & mask
      slots[slot] = number
    }
    this.slots = slots
  }

  ranked(): RankedHosts {
    const { count, words } = this
    const keys = [3, 2, 1, 0].map(word => {
      const key = new Uint32Array(count)
      for (let number = 0; number < count; number++) key[number] = words[4 * number + word]!
      return key
    })
    const order = sortedBy(keys, count, keys.length)
    const ranks = new Uint32Array(count)
    const hi = new BigUint64Array(count)
    const lo = new BigUint64Array(count)
    const hiWords = new Uint32Array(hi.buffer)
    const loWords = new Uint32Array(lo.buffer)
    for (let rank = 0; rank < count; rank++) {
      const number = order[rank]!
      ranks[number] = rank
      for (const half of [0, 1]) {
        loWords[2 * rank + half] = words[4 * number + half]!
        hiWords[2 * rank + half] = words[4 * number + 2 + half]!
      }
    }
    return { count, hi, lo, ranks }
  }
}
