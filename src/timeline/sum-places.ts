/** Sums up to the places of a view: packed, and unpacked when they are asked for. */
import { unpack } from './packed.ts'
import { type Groups, Sums } from './sums.ts'

/** Sums that stay unpacked. */
const unpackedMost = 8

export class SumPlaces {
  readonly count: number
  /** Bytes that it takes: those that it may hold unpacked too. */
  readonly size: number
  private readonly groups: Groups
  /** What `pack` gave for a place. @throws DamagedSections */
  readonly packedAt: (place: number) => Uint8Array<ArrayBuffer>
  private readonly unpacked = new Map<number, Sums>()

  /** @param held bytes of what is packed that are in memory. */
  constructor(groups: Groups, count: number, packedAt: SumPlaces['packedAt'], held: number) {
    this.groups = groups
    this.count = count
    this.packedAt = packedAt
    this.size = held + Math.min(count, unpackedMost) * Sums.sizeOf(groups)
  }

  /** Holds until `unpackedMost` others were asked for. @throws DamagedSections */
  at(place: number): Sums {
    const found = this.unpacked.get(place)
    if (found !== undefined) {
      // The latest last.
      this.unpacked.delete(place)
      this.unpacked.set(place, found)
      return found
    }
    const bytes = this.packedAt(place)
    const sums = this.room()
    unpack(bytes, sums)
    this.unpacked.set(place, sums)
    return sums
  }

  private room(): Sums {
    if (this.unpacked.size < unpackedMost) return new Sums(this.groups)
    const [oldest, sums] = this.unpacked.entries().next().value!
    this.unpacked.delete(oldest)
    return sums
  }
}
