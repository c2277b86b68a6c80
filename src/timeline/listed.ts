/** Records one by one, in the order of their start; of those that begin at the same time in the order of the evidence. */
import { setImmediate } from 'node:timers/promises'
import type { Going } from './going.ts'
import { flag } from './layout.ts'
import type { Mask } from './mask.ts'
import { lineOf } from './places.ts'
import type { TimeIndex } from './read.ts'

/** Where a record stands: number of its file in the ledger, and line (packet, record) in it. */
export interface ListedRow {
  file: number
  line: number
}

/** A run, the rows that begin at the same time, whose places stay in their order: the next page may be of it too. */
interface SortedRun {
  index: TimeIndex
  from: number
  places: Uint32Array
}

/** Shorter runs are sorted for each page. */
const keptFrom = 10_000

/** The rows of one view. */
export class Listing {
  private readonly mask: Mask | null
  private kept: SortedRun | null = null

  constructor(mask: Mask | null) {
    this.mask = mask
  }

  /** Bytes that it takes. */
  get size(): number {
    return this.kept?.places.byteLength ?? 0
  }

  /** @throws DamagedSections; the signal's reason. */
  async rows(
    index: TimeIndex,
    [from, to]: readonly [number, number],
    offset: number,
    count: number,
    { signal }: Going,
  ): Promise<{ rows: ListedRow[]; count: number }> {
    const { mask } = this
    const total = this.rank(to) - this.rank(from)
    const wanted = Math.min(count, total - offset)
    if (wanted <= 0) return { rows: [], count: total }
    const number = this.rank(from) + offset
    let row = beginOfRun(index, mask === null ? number : mask.select(number, index.rows))
    let skipped = offset - (this.rank(row) - this.rank(from))
    const places: number[] = []
    while (places.length < wanted && row < to) {
      const end = endOfRun(index, row)
      const run = await this.sorted(index, row, end, signal)
      for (let i = Math.min(skipped, run.length); i < run.length && places.length < wanted; i++) places.push(run[i]!)
      skipped = Math.max(0, skipped - run.length)
      row = end
    }
    const { files, ways } = index.about
    return { rows: places.map(place => lineOf(files, ways, place)), count: total }
  }

  private rank(row: number): number {
    return this.mask === null ? row : this.mask.rank(row)
  }

  private async sorted(index: TimeIndex, from: number, to: number, signal?: AbortSignal): Promise<Uint32Array> {
    const { kept } = this
    if (kept?.index === index && kept.from === from) return kept.places
    const places = await this.placesOf(index, from, to, signal)
    if (places.length >= keptFrom) this.kept = { index, from, places }
    return places
  }

  /** The places of the rows of a run that match, ascending. */
  private async placesOf(index: TimeIndex, from: number, to: number, signal?: AbortSignal): Promise<Uint32Array> {
    const { mask } = this
    const { blockRows } = index
    const found = new Uint32Array(this.rank(to) - this.rank(from))
    let count = 0
    let isAscending = true
    for (let row = from; row < to; ) {
      const first = row - (row % blockRows)
      const end = Math.min(to, first + blockRows)
      const places = index.column('place', first / blockRows)
      for (; row < end; row++) {
        if (mask !== null && !mask.has(row)) continue
        const place = places[row - first]!
        if (count > 0 && place < found[count - 1]!) isAscending = false
        found[count++] = place
      }
      if (row === to) break
      await setImmediate()
      signal?.throwIfAborted()
    }
    return isAscending ? found : found.sort()
  }
}

function beginOfRun(index: TimeIndex, row: number): number {
  if (row >= index.about.timed) return index.about.timed
  let begin = row
  while (begin > 0) {
    const { isWithin, first } = runsAt(index, begin)
    while (begin > first && isWithin(begin)) begin--
    if (!isWithin(begin)) break
    // The row before it, in another block, is of the same run.
    if (begin > 0) begin--
  }
  return begin
}

function endOfRun(index: TimeIndex, row: number): number {
  const { timed, rows } = index.about
  if (row >= timed) return rows
  let end = row + 1
  while (end < timed) {
    const { isWithin, past } = runsAt(index, end)
    const stop = Math.min(timed, past)
    while (end < stop && isWithin(end)) end++
    if (end < stop) break
  }
  return end
}

/** Of the block of a row with a time: which of its rows begin at the time of the one before. Those without a time are all of one run. */
function runsAt(index: TimeIndex, row: number): { isWithin(row: number): boolean; first: number; past: number } {
  const { kinds, blockRows } = index.about
  const block = Math.floor(row / blockRows)
  const first = block * blockRows
  const column = index.column('kind', block)
  return {
    isWithin: one => (kinds[column[one - first]!]![3] & flag.sameStart) !== 0,
    ...{ first, past: first + blockRows },
  }
}
