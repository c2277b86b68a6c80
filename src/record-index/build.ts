/**
 * The record index of a case, made in one pass over its records: they go into buckets by their start, each bucket is put in order, and one
 * after the other is written. What comes out depends on the records alone, not on the order in which they came or on who did the work.
 */
import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { threadsThatFit } from '../address-space.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import { SectionWriter } from '../store/section-file.ts'
import { groupRows, type IndexAbout } from './about.ts'
import type { Gathered, GatheringSettings } from './gathering.ts'
import { type EncodedGroup, type GroupPart, GroupWriter } from './groups.ts'
import { type Helper, localHelper, ThreadHelper } from './helpers.ts'
import type { WaitingRecords } from './pages.ts'
import { type Projection, projectedTexts, projectionOf, viewOf } from './projection.ts'
import type { SettlingSettings } from './settling.ts'
import { putBatch, type SlotBatch, slotBuffers } from './slots.ts'
import { statisticsOf } from './statistics.ts'
import { fileOrigins } from './vantages.ts'

/** How much is held in memory, and by whom; for tests. */
export interface BuildLimits {
  /** Records that are put in order at once, about; some 110 bytes each for the while, in each thread. */
  bucketRows: number
  /** Bytes of records that wait in memory to be put in order; more wait in a file. */
  waitingBytes: number
  /** Threads beside this one; by default as many as pay. */
  threads?: number
}

const usualLimits: BuildLimits = { bucketRows: 1 << 16, waitingBytes: 256 << 20 }
/** Up to that many records, another thread takes longer to start than to help. */
const fewRows = 400_000
const threadsMax = 4

/** Writes the index of a case's records to a new file. */
export async function buildIndex(
  c: Case,
  evidence: EvidenceKind,
  path: string,
  limits: BuildLimits = usualLimits,
): Promise<void> {
  const helpers: Helper[] = []
  const writer = new SectionWriter(path)
  try {
    const threads = limits.threads ?? usualThreads(c)
    while (helpers.length < threads) helpers.push(new ThreadHelper())
    if (threads === 0) helpers.push(localHelper())
    const texts = await projectedTexts(c, evidence)
    const statistics = await statisticsOf(c, evidence)
    const projection = projectionOf(c, evidence, texts, statistics.largest)
    const origins = await fileOrigins(c, evidence)
    const bounds = statistics.startBounds(limits.bucketRows)
    const { waitingBytes } = limits
    const gathered = await gather(c, { projection, texts, origins, bounds, folder: c.temp, waitingBytes }, helpers[0]!)
    const groups = new GroupWriter(writer, projection.columns)
    await settle(c, projection, gathered, helpers, limits, groups)
    groups.finish()
    writeEnd(writer, groups, gathered, projection)
  } finally {
    writer.close()
    for (const helper of helpers) await helper.close()
  }
}

function usualThreads(c: Case): number {
  const rows = c.segments.reduce((sum, segment) => sum + segment.rows, 0)
  return rows <= fewRows ? 0 : threadsThatFit(1 + Math.min(threadsMax, availableParallelism())) - 1
}

/** Batches that are handed over together, and how often that is done before the first of them must be ready. */
const batchesAtOnce = 8
const handedMax = 4

/** Reads all records into buckets by their start. */
async function gather(c: Case, settings: Omit<GatheringSettings, 'slots'>, helper: Helper): Promise<Gathered> {
  const { evidence, list } = settings.projection
  const answer = await c.db.stream(`SELECT ${list} FROM ${viewOf(c, evidence)}`)
  const slots = slotBuffers(batchesAtOnce * (handedMax + 1), answer.names.length)
  await helper.ask('gather', { ...settings, slots })
  const asked: Promise<null>[] = []
  let batches: SlotBatch[] = []
  let slot = 0
  for (let batch = await answer.nextColumns(); batch !== null; batch = await answer.nextColumns()) {
    batches.push(putBatch(slots, slot, batch))
    slot = (slot + 1) % slots.length
    if (batches.length < batchesAtOnce) continue
    asked.push(helper.ask('take', batches))
    batches = []
    // The slots that come next are free then.
    if (asked.length > handedMax) await asked.shift()
  }
  asked.push(helper.ask('take', batches))
  for (const one of asked) await one
  return helper.ask('gathered', null)
}

/** Has the buckets put in order, by several helpers at the same time, and writes them. */
async function settle(
  c: Case,
  { columns: names }: Projection,
  { buckets, hosts, vantages }: Gathered,
  helpers: readonly Helper[],
  { bucketRows, waitingBytes }: BuildLimits,
  groups: GroupWriter,
): Promise<void> {
  const ranks = { hosts: hosts.ranks, vantages: vantages.ranks }
  const settings: SettlingSettings = {
    ...{ names, bucketRows, folder: c.temp, ranks },
    waitingBytes: waitingBytes / 4 / helpers.length,
  }
  for (const helper of helpers) await helper.ask('settling', settings)
  const asked: Promise<(EncodedGroup | GroupPart)[]>[] = []
  const parts = together(buckets)
  let next = 0
  let before = 0
  for (let done = 0; done < parts.length; done++) {
    // One more than there are helpers: what is written was done by one of them.
    while (next < parts.length && next <= done + helpers.length) {
      const part = parts[next]!
      asked.push(helpers[next % helpers.length]!.ask('settle', { buckets: part, before: before % groupRows }))
      before = part.reduce((sum, { rows }) => sum + rows, before)
      next++
    }
    for (const piece of await asked.shift()!) groups.add(piece)
    // A signal, and other questions, have their turn between two of them.
    await setImmediate()
    c.db.requireGoing()
  }
}

/** From that number of records on, buckets are handed over together: groups that begin in one part and end in the next take longer. */
const partRows = 6 * groupRows

function together(buckets: readonly WaitingRecords[]): WaitingRecords[][] {
  const parts: WaitingRecords[][] = []
  let rows = partRows
  for (const bucket of buckets) {
    if (rows >= partRows) {
      parts.push([])
      rows = 0
    }
    parts.at(-1)!.push(bucket)
    rows += bucket.rows
  }
  return parts
}

/** What comes after the groups: dictionaries, and where each group begins. */
function writeEnd(
  writer: SectionWriter,
  groups: GroupWriter,
  { hosts, vantages, actions }: Gathered,
  { columns, seen }: Projection,
): void {
  writer.add(new Uint8Array(hosts.hi.buffer))
  writer.add(new Uint8Array(hosts.lo.buffer))
  writer.add(Buffer.from(JSON.stringify(vantages.vantages)))
  writer.add(new Uint8Array(Float64Array.from(groups.starts).buffer))
  const about: IndexAbout = { rows: groups.rows, columns, seen, hosts: hosts.count, actions }
  writer.finish(Buffer.from(JSON.stringify(about)))
}
