import { randomBytes } from 'node:crypto'

/** Keys of four numbers of 32 bits each, and the number of each key, in the order in which they came. */
export class KeyTable {
  count = 0
  /** Four numbers a key. */
  private keys = new Uint32Array(4 << 8)
  private slots = new Uint32Array(2 << 8)

  /** The number of a key; -1 where it is not there. */
  find(a: number, b: number, c: number, d: number): number {
    return this.slots[this.slotOf(a, b, c, d)]! - 1
  }

  /** The number of a key, also of a new one: then it is the count before. */
  add(a: number, b: number, c: number, d: number): number {
    const slot = this.slotOf(a, b, c, d)
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

  /** A part of a key. */
  part(number: number, place: 0 | 1 | 2 | 3): number {
    return this.keys[4 * number + place]!
  }

  private slotOf(a: number, b: number, c: number, d: number): number {
    const { slots, keys } = this
    const mask = slots.length - 1
    let slot = hashOf(a, b, c, d) & mask
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

/** 32 mixed bits of four numbers. */
export function hashOf(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a ^ seed, 0x9e3779b1) ^ (Math.imul(b, 0x85ebca77) + (b >>> 15))
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae3d) ^ Math.imul(c, 0x27d4eb2f) ^ d
  hash = Math.imul(hash ^ (hash >>> 13), 0x165667b1)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A longer array with what the shorter one has. */
export function grown<Numbers extends Uint32Array | Float64Array | Uint8Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from)
  return to
}
