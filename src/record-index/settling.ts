/** The second half of an index's making: each bucket of records is put in order, and cut to groups. */
import type { ColumnName } from './columns.ts'
import { type EncodedGroup, GroupCutter, type GroupPart } from './groups.ts'
import { comesBefore, orderOf } from './order.ts'
import { Bucket, PageStore, type WaitingRecords } from './pages.ts'
import { layoutOf, type Ranks, type RowLayout, Rows } from './rows.ts'

/** All that another thread needs. */
export interface SettlingSettings {
  names: readonly ColumnName[]
  /** Records that are put in order at once, about. */
  bucketRows: number
  /** Folder for records that do not fit into memory, and bytes that do. */
  folder: string
  waitingBytes: number
  ranks: Ranks
}

/** Up to this many times the usual size is still put in order as one. */
const oversize = 4

export class Settling {
  private readonly settings: SettlingSettings
  private readonly layout: RowLayout
  private readonly store: PageStore
  private readonly cutter: GroupCutter
  /** Room for the rows of a bucket; used again by the next one. */
  private room: Rows

  constructor(settings: SettlingSettings) {
    this.settings = settings
    this.layout = layoutOf(settings.names)
    this.room = Rows.of(this.layout, 0)
    this.store = new PageStore(settings.folder, this.layout, settings.waitingBytes)
    this.cutter = new GroupCutter(settings.names)
  }

  /** The records of some buckets, in order. @param before records of the group with which they begin that are in buckets before them. */
  settle(buckets: readonly WaitingRecords[], before: number): (EncodedGroup | GroupPart)[] {
    this.cutter.begin(before)
    for (const bucket of buckets) {
      this.order(bucket, this.settings.ranks)
      this.store.reset()
    }
    return this.cutter.finish()
  }

  /** @param ranks null: the numbers are the final ones. */
  private order(bucket: WaitingRecords, ranks: Ranks | null): void {
    const { bucketRows } = this.settings
    const { rows } = bucket
    if (rows === 0) return
    if (rows > oversize * bucketRows) {
      const parts = this.split(bucket, ranks)
      // Records that are the same in every column cannot be told apart.
      if (parts.every(part => part.rows < rows)) {
        for (const part of parts) this.order(part, null)
        return
      }
      bucket = parts.find(part => part.rows === rows)!
      ranks = null
    }
    const all = this.roomFor(rows)
    let at = 0
    const take = (page: Rows, count: number): void => {
      all.words.set(page.words.subarray(0, count * page.stride), at * page.stride)
      at += count
    }
    this.store.show(bucket, take, true)
    if (ranks !== null) all.renumber(rows, ranks)
    this.cutter.add(all, orderOf(all, rows))
  }

  private roomFor(rows: number): Rows {
    if (this.room.words.length < rows * this.layout.stride)
      this.room = Rows.of(this.layout, Math.max(rows, this.settings.bucketRows))
    return this.room
  }

  /** Divides a bucket into some that come one after the other, by a sample of its records. Their numbers are the final ones. */
  private split(bucket: WaitingRecords, ranks: Ranks | null): WaitingRecords[] {
    const { sample, count } = this.sampled(bucket, ranks)
    const order = orderOf(sample, count)
    const parts = Math.min(partsMax, 2 * Math.ceil(bucket.rows / this.settings.bucketRows))
    const bounds = Rows.of(this.layout, parts - 1)
    for (let i = 1; i < parts; i++) bounds.copy(i - 1, sample, order[Math.floor((i * count) / parts)]!)
    const found = Array.from({ length: parts }, () => new Bucket(this.store))
    const divide = (page: Rows, rows: number): void => {
      if (ranks !== null) page.renumber(rows, ranks)
      for (let row = 0; row < rows; row++) found[partOf(page, row, bounds, parts - 1)]!.addRow(page, row)
    }
    this.store.show(bucket, divide, true)
    return found.map(part => part.waiting())
  }

  /** Of each further stretch of rows one by chance: whoever wrote the evidence cannot choose which, so that the parts are about even. */
  private sampled(bucket: WaitingRecords, ranks: Ranks | null): { sample: Rows; count: number } {
    const step = Math.max(1, Math.floor(bucket.rows / samples))
    const count = Math.floor(bucket.rows / step)
    const sample = Rows.of(this.layout, count)
    const chosen = Float64Array.from({ length: count }, (_, i) => i * step + Math.floor(Math.random() * step))
    let before = 0
    let taken = 0
    const look = (page: Rows, rows: number): void => {
      for (; taken < count && chosen[taken]! < before + rows; taken++) sample.copy(taken, page, chosen[taken]! - before)
      before += rows
    }
    this.store.show(bucket, look, false)
    if (ranks !== null) sample.renumber(count, ranks)
    return { sample, count }
  }

  close(): void {
    this.store.close()
  }
}

const samples = 4096
const partsMax = 256

/** How many of the bounds do not come after a row. */
function partOf(rows: Rows, row: number, bounds: Rows, count: number): number {
  let from = 0
  let to = count
  while (from < to) {
    const middle = (from + to) >>> 1
    if (comesBefore(rows, row, bounds, middle)) to = middle
    else from = middle + 1
  }
  return from
}
