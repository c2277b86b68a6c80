/**
 * One part of a case's conversations: the records of some pairs of ends, all that there are of them. What counts and how records are chained
 * is decided by those alone (the legs of hops by what the case's records name, too), so that the answers do not depend on the parts.
 */
import { ICMP, ICMPV6, icmpAsks, icmpCounterpart } from '../net/icmp.ts'
import { known, type RecordBlock, type RecordDictionaries } from '../record-index/block.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { ConnectionTable, chunkShift, lackWords, noConnection } from './connection-table.ts'
import type { Details } from './details.ts'
import { fate } from './fates.ts'
import { Roles } from './ladder.ts'
import { isForward, type PairNumbers } from './pairs.ts'
import type { Spill } from './spill.ts'
import { Stitcher } from './stitch.ts'

/** This many records are prepared at once. */
const ahead = 1024

/** Bits of a link, above the number of a connection. */
export const link = {
  connection: 0x1fff_ffff,
  /** Of ICMP in packets: the type tells whether the source asks, and it does. */
  isIcmp: 1 << 29,
  icmpAsks: 1 << 30,
  /** The source is end a. */
  forward: 2 ** 31,
} as const

/** Connections of a part, and of each record its `link`; that of one without a connection is `noConnection`. */
export interface PartConnections {
  table: ConnectionTable
  /** Of records that do not count and whose ends have no connection: legs of hops. Theirs come after all others in the links. */
  legs: ConnectionTable
  links: Uint32Array
}

/**
 * Chains the records of a part that count; another one has the latest connection of its ends before it, else the last one, else a leg.
 *
 * @param pairs of the records: its memory becomes that of the links.
 */
export function chainPart(
  evidence: EvidenceKind,
  { vantages }: RecordDictionaries,
  block: RecordBlock,
  pairs: PairNumbers,
  fates: Uint8Array,
): PartConnections {
  // Where a record's connection is told, its pair is no longer needed.
  const links = pairs.of
  const stitcher = new Stitcher(evidence, vantages, pairs.count)
  const left: number[] = []
  for (let row = 0; row < block.rows; row++) {
    if (row % ahead === 0) stitcher.prepare(links.subarray(row, row + ahead))
    const pair = links[row]!
    if (fates[row] === fate.counted) links[row] = stitcher.add(pair, block, row, block.line[row]!)
    else if (fates[row] === fate.withoutEnds) links[row] = noConnection
    else if (stitcher.latest(pair) >= 0) links[row] = stitcher.latest(pair)
    else left.push(row)
  }
  const { table } = stitcher
  const ofLegs = new Stitcher(evidence, vantages, left.length > 0 ? pairs.count : 0)
  for (const row of left) {
    const latest = stitcher.latest(links[row]!)
    links[row] = latest >= 0 ? latest : table.count + ofLegs.add(links[row]!, block, row, block.line[row]!)
  }
  return { table, legs: ofLegs.table, links }
}

/** Notes what an answer about single records needs of them. */
export function markLinks(links: Uint32Array, block: RecordBlock, evidence: EvidenceKind): void {
  for (let row = 0; row < links.length; row++) {
    if (links[row] === noConnection) continue
    let bits = isForward(block, row) ? link.forward : 0
    if (evidence === 'packets' && (block.known[row]! & known.icmpType) !== 0) {
      const [protocol, type] = [block.protocol[row]!, block.icmpType[row]!]
      const hasTypes = protocol === ICMP || protocol === ICMPV6
      if (hasTypes && icmpCounterpart(protocol, type) >= 0)
        bits += link.isIcmp + (icmpAsks(protocol, type) ? link.icmpAsks : 0)
    }
    links[row]! += bits
  }
}

/** A table that was spilled. */
export interface SpilledTable {
  count: number
  /** Where each chunk stands. */
  chunks: number[]
  /** The same of what their records lack; null where they lack nothing. */
  lacking: (number | null)[]
  larger: [number, bigint][]
}

export function spillTable(table: ConnectionTable, spill: Spill): SpilledTable {
  const chunks = [...table.bytesOfChunks()].map(bytes => spill.write(bytes))
  const lacking = chunks.map((_, chunk) => {
    const lacks = table.lacking[chunk]
    return lacks === undefined ? null : spill.writeArray(lacks)
  })
  return { count: table.count, chunks, lacking, larger: [...table.larger] }
}

/** What the records of a chunk lack, that was spilled. */
export function readLacks(place: number, spill: Spill): Uint32Array {
  return spill.readArray(place, new Uint32Array(lackWords << chunkShift))
}

export function readTable({ count, chunks, lacking, larger }: SpilledTable, spill: Spill): ConnectionTable {
  const table = new ConnectionTable(new Map(larger))
  for (let chunk = 0; chunk < chunks.length; chunk++) {
    const connections = Math.min(count - (chunk << chunkShift), 1 << chunkShift)
    spill.read(chunks[chunk]!, table.addChunk(connections))
    const lacks = lacking[chunk]!
    if (lacks !== null) table.lacking[chunk] = readLacks(lacks, spill)
  }
  return table
}

/** Roles that were spilled: of each table rule, client and confidence of each connection, one array after the other. */
export function spillRoles(some: readonly Roles[], spill: Spill): number {
  return spill.write(Buffer.concat(some.flatMap(({ rule, client, confidence }) => [rule, client, confidence])))
}

export function readRoles(place: number, count: number, spill: Spill): Roles {
  const roles = new Roles(count)
  spill.read(place, roles.rule)
  spill.read(place + count, roles.client)
  spill.read(place + 2 * count, roles.confidence)
  return roles
}

/** What the table of connections does not hold, spilled. */
export interface SpilledDetails {
  flags: number
  /** Null where every record has flags. */
  hasFlags: number | null
  /** Null where no record of the case has its packets' own addresses. */
  seen: number | null
  sensors: number
  names: string[]
}

export function spillDetails({ flags, hasFlags, seen, sensors, names }: Details, spill: Spill): SpilledDetails {
  return {
    flags: spill.writeArray(flags),
    hasFlags: hasFlags === null ? null : spill.writeArray(hasFlags),
    seen: seen === null ? null : spill.writeArray(seen),
    sensors: spill.writeArray(sensors),
    names,
  }
}
