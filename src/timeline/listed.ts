/** Records one by one, in the order of their start; of those that begin at the same time in the order of the evidence. */
import { flag } from './layout.ts'
import type { Mask } from './mask.ts'
import { lineOf } from './places.ts'
import type { TimeIndex } from './read.ts'

/** Where a record stands: number of its file in the ledger, and line (packet, record) in it. */
export interface ListedRow {
  file: number
  line: number
}

/** @throws DamagedSections */
export function listRows(
  index: TimeIndex,
  mask: Mask | null,
  [from, to]: readonly [number, number],
  offset: number,
  count: number,
): { rows: ListedRow[]; count: number } {
  const rank = (row: number): number => (mask === null ? row : mask.rank(row))
  const total = rank(to) - rank(from)
  const wanted = Math.min(count, total - offset)
  if (wanted <= 0) return { rows: [], count: total }
  const number = rank(from) + offset
  let row = beginOfRun(index, mask === null ? number : mask.select(number, index.rows))
  let skipped = offset - (rank(row) - rank(from))
  const places: number[] = []
  while (places.length < wanted && row < to) {
    const end = endOfRun(index, row)
    const run = placesOf(index, mask, row, end)
    for (let i = Math.min(skipped, run.length); i < run.length && places.length < wanted; i++) places.push(run[i]!)
    skipped = Math.max(0, skipped - run.length)
    row = end
  }
  const { files, ways } = index.about
  return { rows: places.map(place => lineOf(files, ways, place)), count: total }
}

/** Whether a row begins at the time of the one before it. Those without a time are all of one run. */
function isInRun(index: TimeIndex, row: number): boolean {
  const { timed, kinds, blockRows } = index.about
  if (row >= timed) return row > timed
  const kind = index.column('kind', Math.floor(row / blockRows))[row % blockRows]!
  return (kinds[kind]![3] & flag.sameStart) !== 0
}

function beginOfRun(index: TimeIndex, row: number): number {
  if (row >= index.about.timed) return index.about.timed
  let first = row
  while (first > 0 && isInRun(index, first)) first--
  return first
}

function endOfRun(index: TimeIndex, row: number): number {
  const { timed, rows } = index.about
  if (row >= timed) return rows
  let end = row + 1
  while (end < timed && isInRun(index, end)) end++
  return end
}

/** The places of the rows of a run that match, ascending. */
function placesOf(index: TimeIndex, mask: Mask | null, from: number, to: number): Uint32Array {
  const { blockRows } = index
  const found = new Uint32Array(to - from)
  let count = 0
  for (let row = from; row < to; row++) {
    if (mask !== null && !mask.has(row)) continue
    found[count++] = index.column('place', Math.floor(row / blockRows))[row % blockRows]!
  }
  return found.subarray(0, count).sort()
}
