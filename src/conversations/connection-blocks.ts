/**
 * How the connections of all parts come into one order: each part spills its own by client; a block takes those of some clients from every
 * part, puts them in order, and encodes them for the file that the case keeps.
 */
import { encode, encodedMax } from '../record-index/encoding.ts'
import { sectionDigest } from '../store/section-file.ts'
import { bytesOfColumns, type CaseConnections, connectionColumns, inOrder, makeConnections } from './connections.ts'
import { type FactCounter, type Seen, seenIn } from './host-facts.ts'
import { requireMemory } from './memory.ts'
import type { Spill } from './spill.ts'

/** Where the columns of a part are, one after the other, its connections by client. */
export interface SpilledConnections {
  count: number
  place: number
}

/** A block as it goes to the file: encoded columns in their order, one after the other. */
export interface MadeBlock {
  count: number
  /** Of its first connection. */
  client: number
  place: number
  lengths: readonly number[]
  digests: readonly Uint8Array[]
  seen: Seen
}

/** About this many connections are a block, if they are not those of one client. */
export const rowsOfBlock = 250_000

/**
 * Divides clients, none between two blocks.
 *
 * @param counts by host, how many connections it is the client of. @param most connections of a block of more than one client.
 */
export function rangesOf(counts: Uint32Array, most: number): [number, number][] {
  const ranges: [number, number][] = []
  let [from, rows] = [0, 0]
  for (let host = 0; host < counts.length; host++) {
    if (rows > 0 && rows + counts[host]! > most) {
      ranges.push([from, host])
      ;[from, rows] = [host, 0]
    }
    rows += counts[host]!
  }
  if (rows > 0) ranges.push([from, counts.length])
  return ranges
}

export function spillConnections(connections: CaseConnections, spill: Spill): SpilledConnections {
  const { count } = connections
  return { count, place: spill.writeArrays(connectionColumns.map(name => connections[name])) }
}

/** The connections of the clients from one number up to another one, in order and encoded. */
export function makeBlock(
  parts: readonly SpilledConnections[],
  [first, last]: readonly [number, number],
  spill: Spill,
  counter: FactCounter,
): MadeBlock {
  const runs = parts.map(part => [placeOf(part, first, spill), placeOf(part, last, spill)] as const)
  const count = runs.reduce((sum, [from, to]) => sum + to - from, 0)
  // As they are, in order, and the words by which they are sorted.
  requireMemory(count, 3 * bytesOfColumns * count)
  const unordered = makeConnections(count)
  let row = 0
  for (const [i, [from, to]] of runs.entries()) {
    if (to > from) readRun(parts[i]!, from, to, unordered, row, spill)
    row += to - from
  }
  const block = inOrder(unordered)
  counter.add(block)
  const seen = seenIn(block)
  return { ...encoded(block, spill), seen }
}

/** The first connection of a part whose client is not before a host. */
function placeOf({ count, place }: SpilledConnections, host: number, spill: Spill): number {
  const one = new Uint32Array(1)
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (spill.readArray(place + 4 * middle, one)[0]! < host) low = middle + 1
    else high = middle
  }
  return low
}

function readRun(
  { count, place }: SpilledConnections,
  from: number,
  to: number,
  into: CaseConnections,
  row: number,
  spill: Spill,
): void {
  let column = place
  for (const name of connectionColumns) {
    const some = into[name].subarray(row, row + to - from)
    spill.readArrays(column + from * some.BYTES_PER_ELEMENT, [some])
    column += count * some.BYTES_PER_ELEMENT
  }
}

function encoded(block: CaseConnections, spill: Spill): Omit<MadeBlock, 'seen'> {
  const { count, client, start_us, end_us } = block
  // How long they last takes less room than when they end.
  for (let i = 0; i < count; i++) end_us[i]! -= start_us[i]!
  const sections = connectionColumns.map(name => encode(block[name], count, new ArrayBuffer(encodedMax(count))))
  return {
    ...{ count, client: client[0]!, place: spill.writeArrays(sections) },
    ...{ lengths: sections.map(({ length }) => length), digests: sections.map(section => sectionDigest(section)) },
  }
}
