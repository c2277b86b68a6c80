/** Numbers for addresses of 128 bits. */
import { randomBytes } from 'node:crypto'
import { sortedRows, sortPairs } from './order.ts'

/** The hosts in the order of their addresses, and which number each had before. */
export interface RankedHosts {
  count: number
  hi: BigUint64Array
  lo: BigUint64Array
  /** The number among them of each number that `numberOf` gave. Other threads share it. */
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
  /** Pairs: the last word of an IPv4 address, and its number and one; 0 for an empty slot. Two thirds are in use at most. */
  private fours = new Uint32Array(2 << 13)
  private fourCount = 0
  /** Of the other addresses: four words of each, the most significant first, and its number. */
  private words = new Uint32Array(4 << 8)
  private numbers = new Uint32Array(1 << 8)
  private otherCount = 0
  /** Their places there and one. */
  private others = new Uint32Array(1 << 10)
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
    fours[slot] = w0
    fours[slot + 1] = ++this.count
    if (3 * ++this.fourCount > fours.length) this.growFours()
    return this.count - 1
  }

  private numberOfOther(w0: number, w1: number, w2: number, w3: number): number {
    const { others, words } = this
    const mask = others.length - 1
    let slot = this.hash(w0, w1, w2, w3) & mask
    for (;;) {
      const place = others[slot]!
      if (place === 0) break
      const at = 4 * (place - 1)
      if (words[at] === w3 && words[at + 1] === w2 && words[at + 2] === w1 && words[at + 3] === w0)
        return this.numbers[place - 1]!
      slot = (slot + 1) & mask
    }
    this.addOther(w0, w1, w2, w3)
    others[slot] = this.otherCount
    if (2 * this.otherCount > others.length) this.growOthers()
    return this.count - 1
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

  private addOther(w0: number, w1: number, w2: number, w3: number): void {
    const at = 4 * this.otherCount
    if (at === this.words.length) {
      this.words = larger(this.words)
      this.numbers = larger(this.numbers)
    }
    this.words[at] = w3
    this.words[at + 1] = w2
    this.words[at + 2] = w1
    this.words[at + 3] = w0
    this.numbers[this.otherCount++] = this.count++
  }

  private growFours(): void {
    const { fours } = this
    const grown = new Uint32Array(2 * fours.length)
    const mask = grown.length - 2
    for (let from = 0; from < fours.length; from += 2) {
      if (fours[from + 1] === 0) continue
      let slot = (this.mixed(fours[from]!) << 1) & mask
      while (grown[slot + 1] !== 0) slot = (slot + 2) & mask
      grown[slot] = fours[from]!
      grown[slot + 1] = fours[from + 1]!
    }
    this.fours = grown
  }

  private growOthers(): void {
    const grown = new Uint32Array(2 * this.others.length)
    const mask = grown.length - 1
    for (const place of this.others) {
      if (place === 0) continue
      const at = 4 * (place - 1)
      let slot = this.hash(this.words[at + 3]!, this.words[at + 2]!, this.words[at + 1]!, this.words[at]!) & mask
      while (grown[slot] !== 0) slot = (slot + 1) & mask
      grown[slot] = place
    }
    this.others = grown
  }

  /** No number can be asked for after that: the tables are given up while the hosts are put in order. */
  ranked(): RankedHosts {
    const { count, otherCount, words, numbers } = this
    const ranks = new Uint32Array(new SharedArrayBuffer(4 * count))
    const hi = new BigUint64Array(count)
    const lo = new BigUint64Array(count)
    const [hiWords, loWords] = [new Uint32Array(hi.buffer), new Uint32Array(lo.buffer)]
    const order = sortedRows({ words, stride: 4, first: 0 }, otherCount, [])
    const before = order.findIndex(place => isAfterFours(words, place))
    const othersBefore = before < 0 ? otherCount : before
    const fours = this.sortedFours()
    for (let i = 0; i < otherCount; i++) {
      const at = 4 * order[i]!
      const rank = i < othersBefore ? i : i + this.fourCount
      ranks[numbers[order[i]!]!] = rank
      hiWords.set([words[at + 1]!, words[at]!], 2 * rank)
      loWords.set([words[at + 3]!, words[at + 2]!], 2 * rank)
    }
    for (let i = 0, rank = othersBefore; i < fours.length; i += 2, rank++) {
      ranks[fours[i + 1]!] = rank
      loWords[2 * rank] = fours[i]!
      loWords[2 * rank + 1] = four.w1
    }
    return { count, hi, lo, ranks }
  }

  /** The last words of IPv4 addresses in their order, each with its number. */
  private sortedFours(): Uint32Array {
    const { fours } = this
    const pairs = new Uint32Array(2 * this.fourCount)
    for (let slot = 0, at = 0; slot < fours.length; slot += 2) {
      if (fours[slot + 1] === 0) continue
      pairs[at++] = fours[slot]!
      pairs[at++] = fours[slot + 1]! - 1
    }
    this.fours = new Uint32Array(0)
    return sortPairs(pairs, new Uint32Array(pairs.length))
  }
}

function isAfterFours(words: Uint32Array, place: number): boolean {
  const [w3, w2, w1] = [words[4 * place]!, words[4 * place + 1]!, words[4 * place + 2]!]
  return w3 > four.w3 || w2 > four.w2 || w1 > four.w1
}

function larger(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const found = new Uint32Array(2 * array.length)
  found.set(array)
  return found
}
