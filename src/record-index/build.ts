/**
 * The record index of a case, made in one pass over its records: they go into buckets by their start, each bucket is put in order, and one
 * after the other is written. What comes out depends on the records alone, not on the order in which they came.
 */
import { setImmediate } from 'node:timers/promises'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { SectionWriter } from '../store/section-file.ts'
import { groupRows, type IndexAbout, startsOf } from './about.ts'
import { type ColumnName, gathered, hostColumns, makeColumns, type RecordColumns } from './columns.ts'
import { encode, encodedMax } from './encoding.ts'
import { HostNumbers, type RankedHosts } from './hosts.ts'
import { Intake } from './intake.ts'
import { keysOf, orderOf } from './order.ts'
import { Bucket, PageStore } from './pages.ts'
import { type ProjectedTexts, type Projection, projectedTexts, projectionOf, viewOf } from './projection.ts'
import { renumber } from './renumber.ts'
import { statisticsOf } from './statistics.ts'
import { fileOrigins, type RankedVantages, VantageNumbers } from './vantages.ts'

/** How much is held in memory; for tests. */
export interface BuildLimits {
  /** Records that are put in order at once, about; some 130 bytes each for the while. */
  bucketRows: number
  /** Bytes of records that wait in memory to be put in order; more wait in a file. */
  waitingBytes: number
}

const usualLimits: BuildLimits = { bucketRows: 1 << 19, waitingBytes: 256 << 20 }
/** So many times the usual size is still put in order as one. */
const oversize = 4
const batchRows = 2048

/** What the numbers that were given on the way are in the end. */
interface Ranks {
  hosts: RankedHosts
  vantages: RankedVantages
  actions: string[]
}

/** Writes the index of a case's records to a new file. */
export async function buildIndex(
  c: Case,
  evidence: EvidenceKind,
  path: string,
  limits: BuildLimits = usualLimits,
): Promise<void> {
  const texts = await projectedTexts(c, evidence)
  const statistics = await statisticsOf(c, evidence)
  const projection = projectionOf(c, evidence, texts, statistics.largest)
  const names = projection.columns
  const store = new PageStore(c.temp, names, limits.waitingBytes)
  const writer = new SectionWriter(path)
  try {
    const { buckets, ranks } = await gather(
      c,
      { projection, texts, bounds: statistics.startBounds(limits.bucketRows) },
      store,
    )
    const groups = new GroupWriter(writer, names)
    for (const bucket of buckets) {
      settle(bucket, ranks, store, groups, limits)
      // A signal, and other questions, have their turn between two of them.
      await setImmediate()
      c.db.requireGoing()
    }
    groups.finish()
    writeEnd(writer, groups, ranks, projection)
  } finally {
    writer.close()
    store.close()
  }
}

/** Reads all records into buckets by their start. */
async function gather(
  c: Case,
  { projection, texts, bounds }: { projection: Projection; texts: ProjectedTexts; bounds: Float64Array },
  store: PageStore,
): Promise<{ buckets: Bucket[]; ranks: Ranks }> {
  const { evidence } = projection
  const hosts = new HostNumbers()
  const vantages = new VantageNumbers(await fileOrigins(c, evidence), texts.sensors?.texts ?? [])
  const intake = new Intake(projection, texts, hosts, vantages)
  const buckets = Array.from({ length: bounds.length + 1 }, () => new Bucket(store))
  const columns = makeColumns(batchRows, store.names)
  const answer = await c.db.stream(`SELECT ${projection.list} FROM ${viewOf(c, evidence)}`)
  for (let batch = await answer.nextColumns(); batch !== null; batch = await answer.nextColumns()) {
    columns.known.fill(0)
    intake.take(batch, columns)
    distribute(columns, batch.rows, bounds, buckets)
  }
  const ranks = { hosts: hosts.ranked(), vantages: vantages.ranked(), actions: intake.actions }
  return { buckets, ranks }
}

function distribute(columns: RecordColumns, rows: number, bounds: Float64Array, buckets: readonly Bucket[]): void {
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

/** Puts a bucket in order and writes it. */
function settle(bucket: Bucket, ranks: Ranks | null, store: PageStore, groups: GroupWriter, limits: BuildLimits): void {
  const { rows } = bucket
  if (rows === 0) return
  if (rows > oversize * limits.bucketRows) {
    const parts = split(bucket, ranks, store, limits)
    // Records that are the same in every column cannot be told apart.
    if (parts.every(part => part.rows < rows)) {
      for (const part of parts) settle(part, null, store, groups, limits)
      return
    }
    bucket = parts.find(part => part.rows === rows)!
    ranks = null
  }
  const columns = makeColumns(rows, store.names)
  let at = 0
  bucket.drain((page, count) => {
    for (const name of store.names) columns[name].set(page[name].subarray(0, count), at)
    at += count
  })
  if (ranks !== null) finalNumbers(columns, rows, ranks)
  groups.add(columns, orderOf(columns, rows))
}

function finalNumbers(columns: RecordColumns, rows: number, { hosts, vantages }: Ranks): void {
  for (const name of hostColumns) renumber(columns[name], rows, hosts.ranks)
  renumber(columns.vantage, rows, vantages.ranks)
}

const samples = 4096
const partsMax = 256

/** Divides a bucket into some that come one after the other, by a sample of its records. Their numbers are the final ones. */
function split(bucket: Bucket, ranks: Ranks | null, store: PageStore, limits: BuildLimits): Bucket[] {
  const { names } = store
  const sample = sampled(bucket, names)
  const count = sample.start_us.length
  if (ranks !== null) finalNumbers(sample, count, ranks)
  const order = orderOf(sample, count)
  const parts = Math.min(partsMax, 2 * Math.ceil(bucket.rows / limits.bucketRows))
  const bounds = makeColumns(parts - 1, names)
  const chosen = Uint32Array.from({ length: parts - 1 }, (_, i) => order[Math.floor(((i + 1) * count) / parts)]!)
  for (const name of names) gathered(sample[name], chosen, bounds[name])
  const boundKeys = keysOf(bounds, parts - 1)
  const found = Array.from({ length: parts }, () => new Bucket(store))
  bucket.drain((page, rows) => {
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
  })
  return found
}

/** Of each further stretch of rows one by chance: whoever wrote the evidence cannot choose which, so that the parts are about even. */
function sampled(bucket: Bucket, names: readonly ColumnName[]): RecordColumns {
  const step = Math.max(1, Math.floor(bucket.rows / samples))
  const count = Math.floor(bucket.rows / step)
  const sample = makeColumns(count, names)
  const chosen = Float64Array.from({ length: count }, (_, i) => i * step + Math.floor(Math.random() * step))
  let before = 0
  let taken = 0
  bucket.look((page, rows) => {
    for (; taken < count && chosen[taken]! < before + rows; taken++)
      for (const name of names) sample[name][taken] = page[name][chosen[taken]! - before]!
    before += rows
  })
  return sample
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

/** Writes rows in order, a group at a time, a section a column. */
class GroupWriter {
  rows = 0
  /** Start of the first and of the last record of each group. */
  readonly starts: number[] = []
  private readonly writer: SectionWriter
  private readonly names: readonly ColumnName[]
  private readonly columns: RecordColumns
  private readonly buffer = new ArrayBuffer(encodedMax(groupRows))
  private filled = 0

  constructor(writer: SectionWriter, names: readonly ColumnName[]) {
    this.writer = writer
    this.names = names
    this.columns = makeColumns(groupRows, names)
  }

  add(columns: RecordColumns, order: Uint32Array): void {
    for (let at = 0; at < order.length; ) {
      const count = Math.min(order.length - at, groupRows - this.filled)
      const part = order.subarray(at, at + count)
      for (const name of this.names) gathered(columns[name], part, this.columns[name].subarray(this.filled))
      this.filled += count
      at += count
      if (this.filled === groupRows) this.write()
    }
  }

  finish(): void {
    if (this.filled > 0) this.write()
  }

  private write(): void {
    for (const name of this.names) this.writer.add(encode(this.columns[name], this.filled, this.buffer))
    this.starts.push(...startsOf(this.columns.start_us, this.filled))
    this.rows += this.filled
    this.filled = 0
  }
}

/** What comes after the groups: dictionaries, and where each group begins. */
function writeEnd(writer: SectionWriter, groups: GroupWriter, ranks: Ranks, { columns, seen }: Projection): void {
  const { hosts, vantages, actions } = ranks
  writer.add(new Uint8Array(hosts.hi.buffer))
  writer.add(new Uint8Array(hosts.lo.buffer))
  writer.add(Buffer.from(JSON.stringify(vantages.vantages)))
  writer.add(new Uint8Array(Float64Array.from(groups.starts).buffer))
  const about: IndexAbout = { rows: groups.rows, columns, seen, hosts: hosts.count, actions }
  writer.finish(Buffer.from(JSON.stringify(about)))
}
