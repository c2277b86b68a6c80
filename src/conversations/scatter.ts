/** Records by their pairs of ends: all of a pair are of one part, in their order. */
import { large, type RecordBlock } from '../record-index/block.ts'
import {
  asBlock,
  type ColumnName,
  columnNames,
  gathered,
  makeColumns,
  type RecordColumns,
} from '../record-index/columns.ts'
import { hashOfPair } from './pairs.ts'
import type { Spill } from './spill.ts'

const pageRows = 4096

/** Records of a part that were spilled together. */
export interface Page {
  place: number
  rows: number
}

/** Columns that are spilled. Instead of its line a record has its place in the index. */
export function spilledColumns(stored: readonly ColumnName[]): ColumnName[] {
  return columnNames.filter(name => name === 'line' || stored.includes(name))
}

interface Filling {
  columns: RecordColumns
  rows: number
}

export class Scatter {
  private readonly names: readonly ColumnName[]
  private readonly seed: number
  private readonly spill: Spill
  private readonly filling: Filling[]
  private readonly pages: Page[][]

  /** @param seed decides who comes together: the same for all who scatter. */
  constructor(names: readonly ColumnName[], parts: number, seed: number, spill: Spill) {
    this.names = names
    this.seed = seed
    this.spill = spill
    this.filling = Array.from({ length: parts }, () => ({ columns: makeColumns(pageRows, names), rows: 0 }))
    this.pages = Array.from({ length: parts }, () => [])
  }

  /** Adds the records of a block. @param at the place of its first one in the index. */
  add(block: RecordBlock, at: number): void {
    const parts = this.pages.length
    const partOf = new Uint32Array(block.rows)
    const ends = new Uint32Array(parts + 1)
    for (let row = 0; row < block.rows; row++) {
      // The upper bits of the hash as a fraction of the parts.
      const part = parts === 1 ? 0 : Math.floor((hashOfPair(block, row, this.seed) / 2 ** 32) * parts)
      partOf[row] = part
      ends[part + 1]!++
    }
    for (let part = 0; part < parts; part++) ends[part + 1]! += ends[part]!
    const order = new Uint32Array(block.rows)
    for (let row = 0; row < block.rows; row++) order[ends[partOf[row]!]!++] = row
    // Where a part ended, the next one began.
    for (let part = 0; part < parts; part++)
      this.addTo(part, block, order.subarray(part === 0 ? 0 : ends[part - 1]!, ends[part]!), at)
  }

  private addTo(part: number, block: RecordBlock, rows: Uint32Array, at: number): void {
    const page = this.filling[part]!
    for (let from = 0; from < rows.length; ) {
      const some = rows.subarray(from, from + pageRows - page.rows)
      this.copy(block, some, page, at)
      page.rows += some.length
      from += some.length
      if (page.rows === pageRows) this.flush(part)
    }
  }

  private copy(block: RecordBlock, rows: Uint32Array, { columns, rows: filled }: Filling, at: number): void {
    for (const name of this.names) {
      if (name === 'packetsHigh' || name === 'bytesHigh') columns[name].fill(0, filled, filled + rows.length)
      else if (name !== 'line') gathered(block[name]!, rows, columns[name].subarray(filled))
    }
    for (let i = 0; i < rows.length; i++) columns.line[filled + i] = at + rows[i]!
    if (block.largeCounters.size === 0) return
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      if (block.packets[row] !== large && block.bytes[row] !== large) continue
      const { packets, bytes } = block.largeCounters.get(row)!
      setCounter(columns.packets, columns.packetsHigh, filled + i, packets)
      setCounter(columns.bytes, columns.bytesHigh, filled + i, bytes)
    }
  }

  private flush(part: number): void {
    const page = this.filling[part]!
    if (page.rows === 0) return
    const arrays = this.names.map(name => page.columns[name].subarray(0, page.rows))
    this.pages[part]!.push({ place: this.spill.writeArrays(arrays), rows: page.rows })
    page.rows = 0
  }

  /** The pages of each part. */
  finish(): Page[][] {
    for (let part = 0; part < this.pages.length; part++) this.flush(part)
    return this.pages
  }
}

function setCounter(low: Uint32Array, high: Uint32Array, at: number, value: bigint): void {
  low[at] = Number(value & 0xffff_ffffn)
  high[at] = Number(value >> 32n)
}

/** The records of some pages as one block, whose lines are their places in the index. */
export function readPages(
  pages: readonly Page[],
  names: readonly ColumnName[],
  seen: boolean,
  spill: Spill,
): RecordBlock {
  const rows = pages.reduce((sum, page) => sum + page.rows, 0)
  const wanted = columnNames.filter(name => seen || (name !== 'sourceSeen' && name !== 'destinationSeen'))
  const columns = makeColumns(rows, wanted)
  let at = 0
  for (const { place, rows: count } of pages) {
    spill.readArrays(
      place,
      names.map(name => columns[name].subarray(at, at + count)),
    )
    at += count
  }
  return asBlock(columns, rows, seen)
}
