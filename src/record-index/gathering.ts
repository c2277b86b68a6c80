/** The first half of an index's making: records go into buckets by their start, in which they wait to be put in order. */
import { makeColumns, type RecordColumns } from './columns.ts'
import { HostNumbers, type RankedHosts } from './hosts.ts'
import { Intake } from './intake.ts'
import { Bucket, PageStore, type WaitingRecords } from './pages.ts'
import type { ProjectedTexts, Projection } from './projection.ts'
import { layoutOf } from './rows.ts'
import { batchIn, batchRows, type SlotBatch, type SlotBuffers } from './slots.ts'
import { TextKeys } from './text-keys.ts'
import { type FileOrigins, type RankedVantages, VantageNumbers } from './vantage-numbers.ts'

/** All that another thread needs. */
export interface GatheringSettings {
  projection: Projection
  texts: ProjectedTexts
  origins: FileOrigins
  /** Where each bucket but the first one begins, ascending, microseconds. */
  bounds: Float64Array
  /** Where batches of records are given. */
  slots: SlotBuffers
  /** Folder for records that do not fit into memory, and bytes that do. */
  folder: string
  waitingBytes: number
}

export interface Gathered {
  /** In the order of their records. */
  buckets: WaitingRecords[]
  /** What the numbers that were given on the way are in the end. */
  hosts: RankedHosts
  vantages: RankedVantages
  actions: string[]
}

export class Gathering {
  private readonly bounds: Float64Array
  private readonly slots: SlotBuffers
  private readonly hosts = new HostNumbers()
  private readonly vantages: VantageNumbers
  private readonly intake: Intake
  private readonly store: PageStore
  private readonly buckets: Bucket[]
  private readonly columns: RecordColumns

  constructor({ projection, texts, origins, bounds, slots, folder, waitingBytes }: GatheringSettings) {
    const { columns } = projection
    const sensors = keysAgain(texts.sensors)
    this.bounds = bounds
    this.slots = slots
    this.vantages = new VantageNumbers(origins, sensors?.texts ?? [])
    this.intake = new Intake(projection, { sensors, actions: keysAgain(texts.actions) }, this.hosts, this.vantages)
    this.store = new PageStore(folder, layoutOf(columns), waitingBytes)
    this.buckets = Array.from({ length: bounds.length + 1 }, () => new Bucket(this.store))
    this.columns = makeColumns(batchRows, columns)
  }

  /** Takes a batch of records that `Projection.list` gave. */
  take(batch: SlotBatch): void {
    this.columns.known.fill(0)
    this.intake.take(batchIn(this.slots, batch), this.columns)
    this.distribute(batch.rows)
  }

  /** Rows of one bucket that stand together go there together. */
  private distribute(rows: number): void {
    const { columns, bounds, buckets } = this
    const { start_us } = columns
    let from = 0
    let bucket = placeOf(start_us[0]!, bounds)
    for (let row = 1; row < rows; row++) {
      const start = start_us[row]!
      if ((bucket === 0 || start >= bounds[bucket - 1]!) && (bucket === bounds.length || start < bounds[bucket]!))
        continue
      buckets[bucket]!.add(columns, from, row)
      from = row
      bucket = placeOf(start, bounds)
    }
    buckets[bucket]!.add(columns, from, rows)
  }

  /** What was gathered. The file of what did not fit into memory is there until `close`. */
  finish(): Gathered {
    return {
      buckets: this.buckets.map(bucket => bucket.waiting()).filter(({ rows }) => rows > 0),
      hosts: this.hosts.ranked(),
      vantages: this.vantages.ranked(),
      actions: this.intake.actions,
    }
  }

  close(): void {
    this.store.close()
  }
}

/** Between threads, an object has lost its methods. */
function keysAgain(given: TextKeys | null): TextKeys | null {
  return given === null ? null : new TextKeys(given.key, given.texts, given.keys)
}

/** How many of the bounds are not above a value. */
function placeOf(value: number, bounds: Float64Array): number {
  let from = 0
  let to = bounds.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (bounds[middle]! <= value) from = middle + 1
    else to = middle
  }
  return from
}
