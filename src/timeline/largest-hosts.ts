/** Of which hosts totals are kept where they are too many: the largest, by bytes and by records. */
import { setImmediate } from 'node:timers/promises'
import type { RowReader } from './rows.ts'
import type { Going } from './running.ts'
import { allSlots, type HostSlots, slotsFor } from './slots.ts'

/** Up to that many hosts all have totals. */
export const hostsMost = 200_000
/** By each measure. */
const keptOfEach = 32_768

/** The largest hosts of a case, of all records as they were written, and what any other has at most: of any records at all. */
export interface LargestHosts {
  kept: Uint32Array
  most: NonNullable<HostSlots['most']>
}

/** Bytes and records. */
const measures = 2

/** @param each how many are kept by each measure; for tests. @throws DamagedSections; the signal's reason. */
export async function largestHosts(
  reader: RowReader,
  { onProgress, signal }: Going = {},
  each = keptOfEach,
): Promise<LargestHosts> {
  const { index } = reader
  const { hosts } = index.about
  const sums = new Float64Array(measures * (hosts + 1))
  const room = reader.room()
  for (let block = 0; block < index.blocks; block++) {
    const rows = index.rowsOf(block)
    reader.readEnds(block, room)
    const { source, destination, bytes } = room
    for (let row = 0; row < rows; row++) {
      const [s, d] = [measures * source[row]!, measures * destination[row]!]
      const moved = bytes[row]!
      sums[s]! += moved
      sums[s + 1]!++
      sums[d]! += moved
      sums[d + 1]!++
    }
    if (block % 8 === 0) {
      onProgress?.(block * index.blockRows + rows)
      await setImmediate()
      signal?.throwIfAborted()
    }
  }
  return chosen(sums, hosts, each)
}

function chosen(sums: Float64Array, hosts: number, each: number): LargestHosts {
  const isKept = new Uint8Array(hosts)
  for (let measure = 0; measure < measures; measure++) {
    for (const host of first(sums, measure, hosts, each)) isKept[host] = 1
  }
  const most = new Float64Array(measures)
  let count = 0
  for (let host = 0; host < hosts; host++) {
    if (isKept[host] === 1) count++
    else for (let i = 0; i < measures; i++) most[i] = Math.max(most[i]!, sums[measures * host + i]!)
  }
  const kept = new Uint32Array(count)
  for (let host = 0, at = 0; host < hosts; host++) if (isKept[host] === 1) kept[at++] = host
  return { kept, most: { bytes: sure(most[0]!), records: most[1]! } }
}

/** Beyond 2^53 the sum of a number of numbers is not exact: no less than the sum. */
function sure(sum: number): number {
  return sum <= Number.MAX_SAFE_INTEGER ? sum : sum * (1 + 2 ** -20)
}

/** The hosts that are the largest by a measure. */
function first(sums: Float64Array, measure: number, hosts: number, most: number): number[] {
  const at = (host: number): number => sums[measures * host + measure]!
  let found: number[] = []
  let least = 0
  for (let host = 0; host < hosts; host++) {
    if (at(host) <= least) continue
    found.push(host)
    if (found.length < 4 * most) continue
    found = found.sort((a, b) => at(b) - at(a)).slice(0, most)
    least = at(found.at(-1)!)
  }
  return found.sort((a, b) => at(b) - at(a)).slice(0, most)
}

/**
 * Slots for the hosts of a view: each of its hosts has one, if they are not too many; else the largest of the case.
 *
 * @param mask bits of its rows; null: all.
 * @throws DamagedSections; the signal's reason.
 */
export async function slotsOfView(
  { index }: RowReader,
  largest: LargestHosts | null,
  mask: Uint32Array | null,
  most: number,
  { signal }: Going,
): Promise<HostSlots> {
  const { hosts } = index.about
  if (largest === null) return allSlots(hosts)
  const ofCase = (): HostSlots => slotsFor(hosts, largest.kept, largest.most)
  if (mask === null) return ofCase()
  const isMet = new Uint8Array(hosts + 1)
  const columns = [0, 1].map(() => new Uint32Array(Math.min(index.blockRows, index.rows)))
  let count = 0
  for (let block = 0; block < index.blocks; block++) {
    const first = block * index.blockRows
    const words = mask.subarray(first >>> 5, (first + index.rowsOf(block) + 31) >>> 5)
    if (words.every(word => word === 0)) continue
    for (const [i, name] of (['source', 'destination'] as const).entries()) {
      const column = columns[i]!
      index.readInto(name, block, column)
      for (let row = 0; row < index.rowsOf(block); row++) {
        if (((words[row >>> 5]! >>> (row & 31)) & 1) === 0 || isMet[column[row]!] === 1) continue
        isMet[column[row]!] = 1
        count++
      }
    }
    if (count > most + 1) return ofCase()
    if (block % 16 === 0) {
      await setImmediate()
      signal?.throwIfAborted()
    }
  }
  const met = new Uint32Array(count)
  let at = 0
  for (let host = 0; host < hosts; host++) if (isMet[host] === 1) met[at++] = host
  return slotsFor(hosts, met.subarray(0, at), null)
}
