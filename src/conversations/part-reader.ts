/** Reads the connections of a part one after the other, in memory that does not grow with the part. */
import { chunkMask, chunkShift, connectionBytes, words } from './connection-table.ts'
import type { Judged } from './conversations.ts'
import { readLacks } from './parts.ts'
import type { Spill } from './spill.ts'
import type { WholePart } from './whole.ts'

/** Connections, with what the table does not hold: by connection and side (a, b). */
export interface DetailedConnections extends Judged {
  /** Flags of all records of the side. */
  flags: Uint8Array
  /** Whether a record of the side has flags; one where that is not told. */
  hasFlags: Uint8Array
  /** The address as the sensor saw it where it is another one; else `noHost`. */
  seen: Uint32Array
}

/** What is held of a part: the connections of a chunk. */
const chunk = 1 << chunkShift

export class PartReader {
  private readonly part: WholePart
  private readonly spill: Spill
  private readonly larger: ReadonlyMap<number, bigint>
  private at = 0
  private readonly connections = new Uint32Array((connectionBytes / 4) * chunk)
  private readonly rule = new Uint8Array(chunk)
  private readonly client = new Uint8Array(chunk)
  private readonly confidence = new Uint8Array(chunk)
  private readonly flags = new Uint8Array(2 * chunk)
  private readonly hasFlags: Uint8Array | null
  private readonly seen: Uint32Array | null
  private lacking: Uint32Array | null = null
  private readonly sensors = new Uint32Array(chunk)

  constructor(part: WholePart, spill: Spill) {
    this.part = part
    this.spill = spill
    this.larger = new Map(part.table.larger)
    this.hasFlags = part.details?.hasFlags == null ? null : new Uint8Array(2 * chunk)
    this.seen = part.details?.seen == null ? null : new Uint32Array(2 * chunk)
  }

  /** Adds the next connection to those that are listed. @returns the number of its sensors' names in the part. */
  next({ table, roles, flags, hasFlags, seen }: DetailedConnections): number {
    const number = this.at++
    const from = number & chunkMask
    if (from === 0) this.load(number)
    const to = table.count
    table.addCopy(this.connections, 2 * words * from, this.larger, number, this.lacking)
    roles.decide(to, this.rule[from]!, this.client[from]!, this.confidence[from]!)
    for (const side of [0, 1]) {
      flags[2 * to + side] = this.flags[2 * from + side]!
      if (this.hasFlags !== null) hasFlags[2 * to + side] = this.hasFlags[2 * from + side]!
      if (this.seen !== null) seen[2 * to + side] = this.seen[2 * from + side]!
    }
    return this.sensors[from]!
  }

  private load(first: number): void {
    const { part, spill } = this
    const { count, chunks, lacking } = part.table
    const details = part.details!
    const some = Math.min(chunk, count - first)
    spill.readArray(chunks[first >>> chunkShift]!, this.connections.subarray(0, (connectionBytes / 4) * some))
    const lacks = lacking[first >>> chunkShift]!
    this.lacking = lacks === null ? null : readLacks(lacks, spill)
    for (const [i, array] of [this.rule, this.client, this.confidence].entries())
      spill.readArray(part.roles + i * count + first, array.subarray(0, some))
    spill.readArray(details.flags + 2 * first, this.flags.subarray(0, 2 * some))
    if (this.hasFlags !== null) spill.readArray(details.hasFlags! + 2 * first, this.hasFlags.subarray(0, 2 * some))
    if (this.seen !== null) spill.readArray(details.seen! + 8 * first, this.seen.subarray(0, 2 * some))
    spill.readArray(details.sensors + 4 * first, this.sensors.subarray(0, some))
  }
}
