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

/** Upper words of an IPv4 address, `::ffff:a.b.c.d`. */
const four = { w1: 0xffff, w2: 0, w3: 0 }

/**
 * Hash tables in typed arrays: one of IPv4 addresses, where a look-up touches one place in memory, and one of the others. Their hash begins
 * with a secret of this process, so that evidence cannot choose addresses that collide.
 */
export class HostNumbers {
  count = 0
  /** Four words of each address, the least significant first. */
  private words = new Uint32Array(4 << 12)
  /** Pairs: the last word of an IPv4 address, and its number and one; 0 for an empty slot. */
  private fours = new Uint32Array(2 << 13)
  private fourCount = 0
  /** Numbers and one of the other addresses. */
  private others = new Uint32Array(1 << 10)
  private otherCount = 0
  private readonly seed = randomBytes(4).readUInt32LE()

  /** The number of an address, a new one for a new address. @param w0 the least significant word. */
  numberOf(w0: number, w1: number, w2: number, w3: number): number {
    if (w1 !== four.w1 || w2 !== four.w2 || w3 !== four.w3) return this.numberOfOther(w0, w1, w2, w3)
    const { fours } = this
    const mask = fours.length - 2
    let slot = (this.mixed(w0) << 1) & mask
    for (;;) {
      const number = fours[slot + 1]!
      if (number === 0) break
      if (fours[slot] === w0) return number - 1
      slot = (slot + 2) & mask
    }
    const number = this.add(w0, w1, w2, w3)
    fours[slot] = w0
    fours[slot + 1] = number + 1
    if (4 * ++this.fourCount > fours.length) this.growFours()
    return number
  }

  private numberOfOther(w0: number, w1: number, w2: number, w3: number): number {
    const { others, words } = this
    const mask = others.length - 1
    let slot = this.hash(w0, w1, w2, w3) & mask
    for (;;) {
      const number = others[slot]!
      if (number === 0) break
      const at = 4 * (number - 1)
      if (words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3) return number - 1
      slot = (slot + 1) & mask
    }
    const number = this.add(w0, w1, w2, w3)
    others[slot] = number + 1
    if (2 * ++this.otherCount > others.length) this.growOthers()
    return number
  }

  private mixed(word: number): number {
    const hash = Math.imul(this.seed ^ word, 0x9e3779b1)
    return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 4
  }

  private hash(w0: number, w1: number, w2: number, w3: number): number {
    let hash = Math.imul(this.seed ^ w0, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15) ^ w1, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13) ^ w2, 0xc2b2ae35)
    hash = Math.imul(hash ^ (hash >>> 16) ^ w3, 0x27d4eb2f)
    return hash ^ (hash >>> 15)
  }

  private add(w0: number, w1: number, w2: number, w3: number): number {
    const number = this.count++
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
    return number
  }

  private growFours(): void {
    const { fours } = this
    const larger = new Uint32Array(2 * fours.length)
    const mask = larger.length - 2
    for (let from = 0; from < fours.length; from += 2) {
      if (fours[from + 1] === 0) continue
      let slot = (this.mixed(fours[from]!) << 1) & mask
      while (larger[slot + 1] !== 0) slot = (slot + 2) & mask
      larger[slot] = fours[from]!
      larger[slot + 1] = fours[from + 1]!
    }
    this.fours = larger
  }

  private growOthers(): void {
    const larger = new Uint32Array(2 * this.others.length)
    const mask = larger.length - 1
    for (const number of this.others) {
      if (number === 0) continue
      const at = 4 * (number - 1)
      let slot = this.hash(this.words[at]!, this.words[at + 1]!, this.words[at + 2]!, this.words[at + 3]!) & mask
      while (larger[slot] !== 0) slot = (slot + 1) & mask
      larger[slot] = number
    }
    this.others = larger
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
      loWords[2 * rank] = words[4 * number]!
      loWords[2 * rank + 1] = words[4 * number + 1]!
      hiWords[2 * rank] = words[4 * number + 2]!
      hiWords[2 * rank + 1] = words[4 * number + 3]!
    }
    return { count, hi, lo, ranks }
  }
}
