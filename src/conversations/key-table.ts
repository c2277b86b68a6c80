import { randomBytes } from 'node:crypto'

/** Most keys at once. */
export const batchKeys = 1024

/** Keys of four numbers of 32 bits each, and the number of each key, in the order in which they came. */
export class KeyTable {
  count = 0
  /** Four numbers a key. */
  private keys: Uint32Array
  private slots: Uint32Array
  /** Of the keys of a batch: hashes, and what their slots hold. */
  private readonly hashes = new Uint32Array(batchKeys)
  private readonly first = new Uint32Array(batchKeys)
  /** Of what was read ahead: a value that nobody keeps would not be read. */
  touched = 0

  /** @param expected about how many keys there will be. */
  constructor(expected = 0) {
    const size = 2 ** Math.max(8, Math.ceil(Math.log2(expected + 1)))
    this.keys = new Uint32Array(4 * size)
    this.slots = new Uint32Array(2 * size)
  }

  /** The number of a key; -1 where it is not there. */
  find(a: number, b: number, c: number, d: number): number {
    return this.slots[this.slotOf(hashOf(a, b, c, d), a, b, c, d)]! - 1
  }

  /** The number of a key, also of a new one: then it is the count before. */
  add(a: number, b: number, c: number, d: number): number {
    return this.addHashed(hashOf(a, b, c, d), a, b, c, d)
  }

  /**
   * Puts the numbers of up to `batchKeys` keys, one after the other, to the beginning of `into`. In a table larger than the caches of
   * a processor faster than `add`: the places in memory are asked for all at once before they are needed.
   */
  addAll(wanted: Uint32Array, count: number, into: Uint32Array): void {
    const { hashes } = this
    this.prepare(wanted, count)
    for (let i = 0; i < count; i++)
      into[i] = this.addHashed(hashes[i]!, wanted[4 * i]!, wanted[4 * i + 1]!, wanted[4 * i + 2]!, wanted[4 * i + 3]!)
  }

  /** As `addAll`, for `find`. */
  findAll(wanted: Uint32Array, count: number, into: Int32Array): void {
    const { hashes } = this
    this.prepare(wanted, count)
    for (let i = 0; i < count; i++) {
      const at = 4 * i
      into[i] = this.slots[this.slotOf(hashes[i]!, wanted[at]!, wanted[at + 1]!, wanted[at + 2]!, wanted[at + 3]!)]! - 1
    }
  }

  /** The hashes of keys; what is known of those is read ahead. */
  private prepare(wanted: Uint32Array, count: number): void {
    const { hashes, first, slots, keys } = this
    const mask = slots.length - 1
    for (let i = 0; i < count; i++)
      hashes[i] = hashOf(wanted[4 * i]!, wanted[4 * i + 1]!, wanted[4 * i + 2]!, wanted[4 * i + 3]!)
    for (let i = 0; i < count; i++) first[i] = slots[hashes[i]! & mask]!
    let touched = 0
    for (let i = 0; i < count; i++) touched ^= first[i] === 0 ? 0 : keys[4 * (first[i]! - 1)]!
    this.touched = touched
  }

  /** A part of a key. */
  part(number: number, place: 0 | 1 | 2 | 3): number {
    return this.keys[4 * number + place]!
  }

  private addHashed(hash: number, a: number, b: number, c: number, d: number): number {
    const slot = this.slotOf(hash, a, b, c, d)
    if (this.slots[slot] !== 0) return this.slots[slot]! - 1
    const number = this.count++
    if (4 * number === this.keys.length) this.keys = grown(this.keys, new Uint32Array(8 * number))
    this.keys[4 * number] = a
    this.keys[4 * number + 1] = b
    this.keys[4 * number + 2] = c
    this.keys[4 * number + 3] = d
    this.slots[slot] = this.count
    if (this.count * 2 > this.slots.length) this.rehash()
    return number
  }

  private slotOf(hash: number, a: number, b: number, c: number, d: number): number {
    const { slots, keys } = this
    const mask = slots.length - 1
    let slot = hash & mask
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const at = 4 * (slots[slot]! - 1)
      if (keys[at] === a >>> 0 && keys[at + 1] === b >>> 0 && keys[at + 2] === c >>> 0 && keys[at + 3] === d >>> 0)
        break
    }
    return slot
  }

  private rehash(): void {
    this.slots = new Uint32Array(this.slots.length * 2)
    const { keys, slots } = this
    const mask = slots.length - 1
    for (let number = 0; number < this.count; number++) {
      let slot = hashOf(keys[4 * number]!, keys[4 * number + 1]!, keys[4 * number + 2]!, keys[4 * number + 3]!) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = number + 1
    }
  }
}

/** Evidence cannot choose keys that collide. */
const seed = randomBytes(4).readUInt32LE()

/** 32 mixed bits of four numbers, for this thread. */
export function hashOf(a: number, b: number, c: number, d: number): number {
  return mixed(a ^ seed, b, c, d)
}

/** 32 mixed bits of four numbers. */
export function mixed(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ (Math.imul(b, 0x85ebca77) + (b >>> 15))
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae3d) ^ Math.imul(c, 0x27d4eb2f) ^ d
  hash = Math.imul(hash ^ (hash >>> 13), 0x165667b1)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A longer array with what the shorter one has. */
export function grown<Numbers extends Uint32Array | Float64Array | Uint8Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from)
  return to
}
