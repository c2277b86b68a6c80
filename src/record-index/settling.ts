/** The second half of an index's making: each bucket of records is put in order, and cut to groups. */
import { type ColumnName, gathered, hostColumns, makeColumns, type RecordColumns } from './columns.ts'
import { type EncodedGroup, GroupCutter, type GroupPart } from './groups.ts'
import { keysOf, orderOf } from './order.ts'
import { Bucket, PageStore, type WaitingRecords } from './pages.ts'
import { renumber } from './renumber.ts'

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

/** What the numbers of hosts and vantages are in the end. */
interface Ranks {
  hosts: Uint32Array
  vantages: Uint32Array
}

/** So many times the usual size is still put in order as one. */
const oversize = 4

export class Settling {
  private readonly settings: SettlingSettings
  private readonly store: PageStore
  private readonly cutter: GroupCutter

  constructor(settings: SettlingSettings) {
    this.settings = settings
    this.store = new PageStore(settings.folder, settings.names, settings.waitingBytes)
    this.cutter = new GroupCutter(settings.names)
  }

  /** The records of a bucket, in order. @param before records of the group with which it begins that are in buckets before it. */
  settle(bucket: WaitingRecords, before: number): (EncodedGroup | GroupPart)[] {
    this.cutter.begin(before)
    this.order(bucket, this.settings.ranks)
    this.store.reset()
    return this.cutter.finish()
  }

  /** @param ranks null: the numbers are the final ones. */
  private order(bucket: WaitingRecords, ranks: Ranks | null): void {
    const { names, bucketRows } = this.settings
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
    const columns = makeColumns(rows, names)
    let at = 0
    const take = (page: RecordColumns, count: number): void => {
      for (const name of names) columns[name].set(page[name].subarray(0, count), at)
      at += count
    }
    this.store.show(bucket, take, true)
    if (ranks !== null) finalNumbers(columns, rows, ranks)
    this.cutter.add(columns, orderOf(columns, rows))
  }

  /** Divides a bucket into some that come one after the other, by a sample of its records. Their numbers are the final ones. */
  private split(bucket: WaitingRecords, ranks: Ranks | null): WaitingRecords[] {
    const { names, bucketRows } = this.settings
    const sample = this.sampled(bucket)
    const count = sample.start_us.length
    if (ranks !== null) finalNumbers(sample, count, ranks)
    const order = orderOf(sample, count)
    const parts = Math.min(partsMax, 2 * Math.ceil(bucket.rows / bucketRows))
    const bounds = makeColumns(parts - 1, names)
    const chosen = Uint32Array.from({ length: parts - 1 }, (_, i) => order[Math.floor(((i + 1) * count) / parts)]!)
    for (const name of names) gathered(sample[name], chosen, bounds[name])
    const boundKeys = keysOf(bounds, parts - 1)
    const found = Array.from({ length: parts }, () => new Bucket(this.store))
    const divide = (page: RecordColumns, rows: number): void => {
      if (ranks !== null) finalNumbers(page, rows, ranks)
      const keys = keysOf(page, rows)
      const counts = new Uint32Array(parts + 1)
      const partOfRow = new Uint32Array(rows)
      for (let row = 0; row < rows; row++) counts[(partOfRow[row] = partOf(keys, row, boundKeys, parts - 1)) + 1]!++
      for (let part = 0; part < parts; part++) counts[part + 1]! += counts[part]!
      const order = new Uint32Array(rows)
      for (let row = 0; row < rows; row++) order[counts[partOfRow[row]!]!++] = row
      // Where a part ended, the next one began.
      for (let part = 0; part < parts; part++)
        found[part]!.addSome(page, order.subarray(part === 0 ? 0 : counts[part - 1]!, counts[part]!))
    }
    this.store.show(bucket, divide, true)
    return found.map(part => part.waiting())
  }

  /** Of each further stretch of rows one by chance: whoever wrote the evidence cannot choose which, so that the parts are about even. */
  private sampled(bucket: WaitingRecords): RecordColumns {
    const { names } = this.settings
    const step = Math.max(1, Math.floor(bucket.rows / samples))
    const count = Math.floor(bucket.rows / step)
    const sample = makeColumns(count, names)
    const chosen = Float64Array.from({ length: count }, (_, i) => i * step + Math.floor(Math.random() * step))
    let before = 0
    let taken = 0
    const look = (page: RecordColumns, rows: number): void => {
      for (; taken < count && chosen[taken]! < before + rows; taken++)
        for (const name of names) sample[name][taken] = page[name][chosen[taken]! - before]!
      before += rows
    }
    this.store.show(bucket, look, false)
    return sample
  }

  close(): void {
    this.store.close()
  }
}

const samples = 4096
const partsMax = 256

function finalNumbers(columns: RecordColumns, rows: number, { hosts, vantages }: Ranks): void {
  for (const name of hostColumns) renumber(columns[name], rows, hosts)
  renumber(columns.vantage, rows, vantages)
}

/** How many of the bounds do not come after a row. */
function partOf(keys: readonly Uint32Array[], row: number, bounds: readonly Uint32Array[], count: number): number {
  let from = 0
  let to = count
  while (from < to) {
    const middle = (from + to) >>> 1
    let key = 0
    while (key < keys.length && keys[key]![row] === bounds[key]![middle]) key++
    if (key < keys.length && keys[key]![row]! < bounds[key]![middle]!) to = middle
    else from = middle + 1
  }
  return from
}
