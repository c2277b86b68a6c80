/**
 * Of which hosts totals are kept where they are too many: the largest, by bytes and by records. They have the first numbers in the index.
 */
import { setImmediate } from 'node:timers/promises'
import { known, large, noHost, type RecordBlock } from '../record-index/block.ts'
import type { RecordIndex } from '../record-index/read.ts'
import type { Going } from './going.ts'
import type { TimelineAbout } from './layout.ts'
import { Matching } from './matching.ts'
import type { TimeIndex } from './read.ts'
import type { RowReader } from './rows.ts'
import { allSlots, type HostSlots, leadingSlots, slotsFor } from './slots.ts'

/** How many hosts a case has at most that all have totals, and how many of more are the largest by each measure. */
export interface HostLimits {
  most: number
  ofEach: number
}
export const usualHosts: HostLimits = { most: 200_000, ofEach: 32_768 }

/** The hosts in the order that they have in the index. */
export interface HostOrder extends Pick<TimelineAbout, 'kept' | 'hostsMost' | 'most'> {
  /** By number in the record index: the number here. */
  numbers: Uint32Array
}

/** All hosts in the order of their addresses; where they are too many, first the largest, and then the others. */
export async function hostOrder(index: RecordIndex, limits: HostLimits): Promise<HostOrder> {
  const { count } = index.dictionaries.hosts
  const numbers = Uint32Array.from({ length: count }, (_, host) => host)
  if (count <= limits.most) return { numbers, kept: count, hostsMost: limits.most, most: null }
  const sums = await sumsOf(index, count)
  const isKept = new Uint8Array(count)
  for (const measure of [0, 1]) for (const host of first(sums, measure, count, limits.ofEach)) isKept[host] = 1
  const most = { bytes: 0, records: 0 }
  let kept = 0
  for (const one of isKept) kept += one
  for (let host = 0, before = 0; host < count; host++) {
    if (isKept[host] === 1) {
      numbers[host] = before++
      continue
    }
    numbers[host] = kept + host - before
    most.bytes = Math.max(most.bytes, sums[2 * host]!)
    most.records = Math.max(most.records, sums[2 * host + 1]!)
  }
  // Beyond 2^53 a sum is not exact: no less than it.
  if (most.bytes > Number.MAX_SAFE_INTEGER) most.bytes *= 1 + 2 ** -20
  return { numbers, kept, hostsMost: limits.most, most }
}

/** Bytes and records of each host, of all records as they were written. */
async function sumsOf(index: RecordIndex, hosts: number): Promise<Float64Array> {
  const sums = new Float64Array(2 * hosts)
  const ends = index.seen ? (['sourceSeen', 'destinationSeen'] as const) : (['source', 'destination'] as const)
  for await (const block of index.blocks([...ends, 'bytes', 'known']))
    for (const name of ends) addEnds(sums, block, block[name]!)
  return sums
}

function addEnds(sums: Float64Array, { rows, bytes, known: has, largeCounters }: RecordBlock, ends: Uint32Array): void {
  for (let row = 0; row < rows; row++) {
    const host = ends[row]!
    if (host === noHost) continue
    sums[2 * host + 1]!++
    if ((has[row]! & known.bytes) === 0) continue
    const moved = bytes[row]!
    sums[2 * host]! += moved === large ? Number(largeCounters.get(row)!.bytes) : moved
  }
}

/** The hosts that are the largest by a measure. */
function first(sums: Float64Array, measure: number, hosts: number, most: number): number[] {
  const at = (host: number): number => sums[2 * host + measure]!
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
  mask: Uint32Array | null,
  { signal }: Going,
): Promise<HostSlots> {
  const { hosts, kept, hostsMost, most } = index.about
  if (most === null) return allSlots(hosts)
  const ofCase = leadingSlots(hosts, kept, most)
  if (mask === null) return ofCase
  const isMet = new Uint8Array(hosts + 1)
  const column = new Uint32Array(Math.min(index.blockRows, index.rows))
  const matching = new Matching(column.length)
  let count = 0
  for (let block = 0; block < index.blocks; block++) {
    const found = matching.find(mask, block * index.blockRows, index.rowsOf(block))
    if (found === 0) continue
    for (const name of ['source', 'destination'] as const) {
      index.readInto(name, block, column)
      count += matching.mark(isMet, column, found)
    }
    if (count > hostsMost + 1) return ofCase
    if (block % 16 === 0) {
      await setImmediate()
      signal?.throwIfAborted()
    }
  }
  return slotsFor(hosts, inOrder(index, isMet))
}

/** The hosts that were met, in the order of their addresses: that of the largest, and that of the others, each in itself. */
function inOrder({ hosts, about }: TimeIndex, isMet: Uint8Array): number[] {
  const found: number[] = []
  const { hi, lo } = hosts
  const isBefore = (one: number, other: number): boolean =>
    hi[one]! < hi[other]! || (hi[one]! === hi[other]! && lo[one]! < lo[other]!)
  const nextMet = (from: number, to: number): number => {
    let host = from
    while (host < to && isMet[host] === 0) host++
    return host
  }
  let large = nextMet(0, about.kept)
  let other = nextMet(about.kept, about.hosts)
  while (large < about.kept || other < about.hosts) {
    if (other === about.hosts || (large < about.kept && isBefore(large, other))) {
      found.push(large)
      large = nextMet(large + 1, about.kept)
    } else {
      found.push(other)
      other = nextMet(other + 1, about.hosts)
    }
  }
  return found
}
