/**
 * What rows of the time index sum up to, by host, by server's port and by kind. Sums are linear: what lies between two places is the
 * difference of what comes before either.
 */
import { action, flag, type TimelineAbout } from './layout.ts'

/** Where the groups of a view stand in its arrays. */
export interface Groups {
  /** Slots of hosts, one for none and, where not every host has one, one for the others among them. */
  hosts: number
  /** Ports, and one for none. */
  ports: number
  kinds: number
  /** By kind: bits of `how`. */
  how: Uint8Array
  /** Whether records that are summed up may not say how much they moved: then it is counted of how many. */
  unsaid: boolean
}

/** What is done with records of a kind. */
export const how = {
  /** Another record stands for it: it is counted by its kind alone. */
  aside: 1,
  rejected: 2,
  /** Its volumes are not summed up. */
  still: 4,
  bytesUnknown: 8,
  packetsUnknown: 16,
} as const

/** @param once whether records count for which another one stands. @param acceptedOnly whether volumes leave out rejected ones. */
export function howOf({ kinds }: TimelineAbout, once: boolean, acceptedOnly: boolean): Uint8Array {
  return Uint8Array.from(kinds, ([, of, , flags]) => {
    const isRejected = of === action.reject
    return (
      (once && (flags & flag.aside) !== 0 ? how.aside : 0) |
      (isRejected ? how.rejected : 0) |
      (isRejected && acceptedOnly ? how.still : 0) |
      ((flags & flag.bytesUnknown) !== 0 ? how.bytesUnknown : 0) |
      ((flags & flag.packetsUnknown) !== 0 ? how.packetsUnknown : 0)
    )
  })
}

/** Columns of some rows. Counters are whole numbers of at most 53 bits. */
export interface Rows {
  source: Uint32Array
  destination: Uint32Array
  sourcePort: Uint32Array
  destinationPort: Uint32Array
  kind: Uint32Array
  bytes: Float64Array
  packets: Float64Array
}

/** The same as a view sums them up. */
export interface SeenRows extends Rows {
  sourceSlot: Uint32Array
  destinationSlot: Uint32Array
  /** Number of the server's port. */
  port: Uint32Array
}

export class Sums {
  /** By slot of a host, then by port, then by kind. */
  readonly records: Uint32Array
  /** By slot of a host, then by port. */
  readonly rejected: Uint32Array
  /** What each slot sent; then what each received; then by port; then by kind. */
  readonly bytes: Float64Array
  /** Of each of `bytes` but the kinds how many records say how much, and how many do not; empty where all do. */
  readonly said: Uint32Array
  readonly unsaid: Uint32Array
  /** By kind. */
  readonly packets: Float64Array

  constructor({ hosts, ports, kinds, unsaid }: Groups) {
    this.records = new Uint32Array(hosts + ports + kinds)
    this.rejected = new Uint32Array(hosts + ports)
    this.bytes = new Float64Array(2 * hosts + ports + kinds)
    this.said = new Uint32Array(unsaid ? 2 * hosts + ports : 0)
    this.unsaid = new Uint32Array(unsaid ? 2 * hosts + ports : 0)
    this.packets = new Float64Array(kinds)
  }

  static sizeOf({ hosts, ports, kinds, unsaid }: Groups): number {
    return (
      4 * (2 * hosts + 2 * ports + kinds) + 8 * (2 * hosts + ports + 2 * kinds) + (unsaid ? 8 * (2 * hosts + ports) : 0)
    )
  }

  /** All of them; each is of one length in all sums of a view. */
  get arrays(): (Uint32Array | Float64Array)[] {
    return [this.records, this.rejected, this.bytes, this.said, this.unsaid, this.packets]
  }

  clear(): void {
    for (const array of this.arrays) array.fill(0)
  }

  /** What comes before one place without what comes before an earlier one. */
  difference(to: Sums, from: Sums): void {
    subtract(this.records, to.records, from.records)
    subtract(this.rejected, to.rejected, from.rejected)
    subtractFloats(this.bytes, to.bytes, from.bytes)
    subtract(this.said, to.said, from.said)
    subtract(this.unsaid, to.unsaid, from.unsaid)
    subtractFloats(this.packets, to.packets, from.packets)
  }

  /** Adds some rows. @param sign -1 takes them away. @param mask bits of those that count, from a row on; null: all. */
  add(
    rows: SeenRows,
    [from, to]: readonly [number, number],
    sign: 1 | -1,
    groups: Groups,
    mask: Uint32Array | null,
    first: number,
  ): void {
    const { sourceSlot, destinationSlot, port, kind, bytes, packets } = rows
    const { hosts, ports, how: ofKind, unsaid } = groups
    const { records, rejected, bytes: sums } = this
    const [received, byPort, byKind] = [hosts, 2 * hosts, 2 * hosts + ports]
    for (let row = from; row < to; row++) {
      if (mask !== null && ((mask[(first + row) >>> 5]! >>> ((first + row) & 31)) & 1) === 0) continue
      const k = kind[row]!
      const does = ofKind[k]!
      records[hosts + ports + k]! += sign
      if ((does & how.aside) !== 0) continue
      const s = sourceSlot[row]!
      const d = destinationSlot[row]!
      const p = port[row]!
      records[s]! += sign
      records[d]! += sign
      records[hosts + p]! += sign
      if ((does & how.rejected) !== 0) {
        rejected[s]! += sign
        rejected[d]! += sign
        rejected[hosts + p]! += sign
        if ((does & how.still) !== 0) continue
      }
      const moved = sign * bytes[row]!
      sums[s]! += moved
      sums[received + d]! += moved
      sums[byPort + p]! += moved
      sums[byKind + k]! += moved
      this.packets[k]! += sign * packets[row]!
      if (unsaid) this.say(does, [s, received + d, byPort + p], sign)
    }
  }

  private say(does: number, groups: readonly number[], sign: number): void {
    const into = (does & how.bytesUnknown) === 0 ? this.said : this.unsaid
    for (const group of groups) into[group]! += sign
  }
}

function subtract(into: Uint32Array, to: Uint32Array, from: Uint32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = to[i]! - from[i]!
}

function subtractFloats(into: Float64Array, to: Float64Array, from: Float64Array): void {
  for (let i = 0; i < into.length; i++) into[i] = to[i]! - from[i]!
}
