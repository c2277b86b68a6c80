/** A worker thread of `add`: reads the files that it is handed, and writes their segments. */

import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { assert, errorText } from '../errors.ts'
import { UnknownColumns } from '../records/unknown-columns.ts'
import { caseFiles } from '../store/files.ts'
import { SegmentWriter } from '../store/segment-writer.ts'
import { systemDetails } from '../system-error.ts'
import { Batch, BufferPool } from './batch.ts'
import { formatOf } from './judge.ts'
import { readFileAndMembers } from './members.ts'
import type { FileTask, FromWorker, ToWorker, WorkerSettings } from './messages.ts'
import { type OpenedFile, openFile } from './read-file.ts'
import { type ReadOptions, Stopped } from './text-lines.ts'

assert(parentPort !== null, 'worker.ts runs in a worker thread')
const port = parentPort
const settings = workerData as WorkerSettings
const stop = new Int32Array(settings.stop)
const lastId = new Int32Array(settings.lastId)
const unknown = new UnknownColumns(settings.unknownColumns, new Int32Array(settings.unknownLeft))

type Given = Extract<ToWorker, { type: 'file' }>

/** Questions that the main thread has not answered yet, in the order in which they were asked. */
const asked = {
  task: [] as ((given: Given | null) => void)[],
  claim: new Map<number, (duplicateOf: string | null) => void>(),
}

port.on('message', (messages: ToWorker[]) => {
  for (const message of messages) {
    if (message.type === 'claim') {
      asked.claim.get(message.id)?.(message.duplicateOf)
      asked.claim.delete(message.id)
    } else asked.task.shift()?.(message.type === 'file' ? message : null)
  }
})

let unsaid: FromWorker[] = []

function say(message: FromWorker): void {
  unsaid.push(message)
  post()
}

/** Says it with what is said next, or when this thread has to wait: to post each alone would take a tenth of the time of reading. */
function saySoon(message: FromWorker): void {
  if (unsaid.push(message) === 1) setImmediate(post)
}

function post(): void {
  if (unsaid.length === 0) return
  port.postMessage(unsaid)
  unsaid = []
}

const progressMilliseconds = 100
let untold = { bytes: 0, records: 0, since: 0 }

/** Tells what was done, but not for every piece: a message costs more than the reading that it tells of. */
function tell(bytes: number, records: number): void {
  untold.bytes += bytes
  untold.records += records
  const now = performance.now()
  if (now - untold.since < progressMilliseconds) return
  say({ type: 'progress', bytes: untold.bytes, records: untold.records })
  untold = { bytes: 0, records: 0, since: now }
}

/** The next file; null when there are no more. */
function nextTask(): Promise<Given | null> {
  return new Promise(resolve => {
    asked.task.push(resolve)
    saySoon({ type: 'next' })
  })
}

function claim(task: FileTask, sha256: string): Promise<string | null> {
  return new Promise(resolve => {
    asked.claim.set(task.id, resolve)
    say({ type: 'hashed', task, sha256 })
  })
}

const options: ReadOptions = {
  format: settings.format === null ? null : formatOf(settings.format, true),
  limits: { ratioMax: settings.ratioMax, bytesMax: settings.expandedBytesMax },
  keepCopies: settings.keepCopies,
  parts: settings.parts,
  stopped: () => Atomics.load(stop, 0) === 1,
  claim,
  nextId: () => Atomics.add(lastId, 0, 1) + 1,
  settled: (sha256, kept) => saySoon({ type: 'settled', sha256, kept }),
  progress: tell,
  stagingDir: join(settings.caseDir, caseFiles.incoming),
}

async function main(): Promise<void> {
  const writer = await SegmentWriter.open(settings.caseDir)
  try {
    await work(writer)
  } finally {
    await writer.close()
  }
  say({ type: 'progress', bytes: untold.bytes, records: untold.records })
  say({ type: 'finished' })
}

async function work(writer: SegmentWriter): Promise<void> {
  const pool = new BufferPool(settings.rowsPerSegment, unknown)
  const closing: Promise<void>[] = []
  let batch = await Batch.open(writer, pool)
  const close = (done: Batch): void => {
    const sent = done.close().then(({ evidence, segments }) => say({ type: 'batch', evidence, segments }))
    sent.catch(fail)
    closing.push(sent)
  }
  /** The batch that the next file goes into: a full one is closed. */
  const ready = async (): Promise<Batch> => {
    if (!batch.isDue) return batch
    close(batch)
    batch = await Batch.open(writer, pool)
    return batch
  }
  // Two files ahead: while one is parsed, the next is claimed already and the one after it asked for.
  let upcoming: Promise<Given | null> | null = nextTask()
  let opened: OpenedFile | null = null
  for (;;) {
    const given: Given | null = await (upcoming ?? (opened === null ? nextTask() : null))
    upcoming = given?.ahead ? nextTask() : null
    const file = opened
    // Asked for after the one before it was settled, as is the answer waited for: no two workers can wait for each other.
    await file?.duplicateOf
    opened = given === null ? null : await openUnlessStopped(given.task)
    if (file === null && opened === null) break
    if (file === null) continue
    try {
      await readFileAndMembers(file, options, ready)
      tell(file.task.size, 0)
    } catch (error) {
      if (!(error instanceof Stopped)) throw error
      say({ type: 'dropped', task: file.task })
    } finally {
      leave(file.task)
    }
    await ready()
  }
  close(batch)
  await Promise.all(closing)
}

/** Null, and said to be dropped, where the end comes while the file is read. */
async function openUnlessStopped(task: FileTask): Promise<OpenedFile | null> {
  try {
    return await openFile(task, options)
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    say({ type: 'dropped', task })
    leave(task)
    return null
  }
}

/** The place that its bytes were copied to is free. */
function leave({ bytesAt }: FileTask): void {
  if (bytesAt !== null) saySoon({ type: 'done', at: bytesAt })
}

function fail(error: unknown): void {
  say({
    type: 'failed',
    message: errorText(error),
    stack: error instanceof Error ? (error.stack ?? null) : null,
    system: systemDetails(error),
  })
}

// A thread that ends while DuckDB works takes the whole process with it: so it ends by itself, when all is done.
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)
main()
  .catch(fail)
  .finally(() => port.close())
