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
  /** The bucket of each row of a batch, and by bucket how many rows it has: zero between two batches. */
  private readonly bucketOf = new Uint32Array(batchRows)
  private readonly ends: Uint32Array

  constructor({ projection, texts, origins, bounds, slots, folder, waitingBytes }: GatheringSettings) {
    const { columns } = projection
    const sensors = keysAgain(texts.sensors)
    this.bounds = bounds
    this.slots = slots
    this.vantages = new VantageNumbers(origins, sensors?.texts ?? [])
    this.intake = new Intake(projection, { sensors, actions: keysAgain(texts.actions) }, this.hosts, this.vantages)
    this.store = new PageStore(folder, layoutOf(columns), waitingBytes)
    this.buckets = Array.from({ length: bounds.length + 1 }, () => new Bucket(this.store))
    this.ends = new Uint32Array(this.buckets.length)
    this.columns = makeColumns(batchRows, columns)
  }

  /** Takes a batch of records that `Projection.list` gave. */
  take(batch: SlotBatch): void {
    this.columns.known.fill(0)
    this.intake.take(batchIn(this.slots, batch), this.columns)
    this.distribute(batch.rows)
  }

  private distribute(rows: number): void {
    const { bounds, buckets, bucketOf, ends } = this
    const { start_us } = this.columns
    const met: number[] = []
    let bucket = 0
    for (let row = 0; row < rows; row++) {
      const start = start_us[row]!
      // Mostly that of the row before.
      if ((bucket > 0 && start < bounds[bucket - 1]!) || (bucket < bounds.length && start >= bounds[bucket]!))
        bucket = placeOf(start, bounds)
      bucketOf[row] = bucket
      if (ends[bucket]!++ === 0) met.push(bucket)
    }
    let end = 0
    for (const one of met) [ends[one], end] = [end, end + ends[one]!]
    const chosen = new Uint32Array(rows)
    for (let row = 0; row < rows; row++) chosen[ends[bucketOf[row]!]!++] = row
    // Where one ended, the next one began.
    let from = 0
    for (const one of met) {
      buckets[one]!.add(this.columns, chosen.subarray(from, ends[one]!))
      from = ends[one]!
      ends[one] = 0
    }
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
