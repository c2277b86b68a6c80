/** A worker thread of `add`: reads the files that it is handed, and writes their segments. */

import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { assert, errorCode, errorText } from '../errors.ts'
import { layoutOfFormat } from '../flowlog/layout.ts'
import { caseFiles } from '../store/files.ts'
import { SegmentWriter } from '../store/segment-writer.ts'
import { Batch, BufferPool } from './batch.ts'
import type { FileTask, FromWorker, ToWorker, WorkerSettings } from './messages.ts'
import { type ReadOptions, readFile, Stopped } from './read-file.ts'

assert(parentPort !== null, 'worker.ts runs in a worker thread')
const port = parentPort
const settings = workerData as WorkerSettings
const stop = new Int32Array(settings.stop)
const inbox: ToWorker[] = []
let wake: (() => void) | null = null

port.on('message', (message: ToWorker) => {
  inbox.push(message)
  wake?.()
})

function say(message: FromWorker): void {
  port.postMessage(message)
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

async function hear(): Promise<ToWorker> {
  while (inbox.length === 0) {
    await new Promise<void>(resolve => {
      wake = resolve
    })
  }
  wake = null
  return inbox.shift()!
}

function optionsFor(task: FileTask): ReadOptions {
  return {
    format: settings.format === null ? null : layoutOfFormat(settings.format),
    limits: { ratioMax: settings.ratioMax, bytesMax: settings.expandedBytesMax },
    stopped: () => Atomics.load(stop, 0) === 1,
    claim: async sha256 => {
      say({ type: 'hashed', task, sha256 })
      const answer = await hear()
      assert(answer.type === 'claim', 'a claim is answered')
      return answer.duplicateOf
    },
    settled: (sha256, kept) => say({ type: 'settled', sha256, kept }),
    progress: tell,
    stagingDir: join(settings.caseDir, caseFiles.incoming),
  }
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
  const pool = new BufferPool(settings.rowsPerSegment)
  const closing: Promise<void>[] = []
  let batch = await Batch.open(writer, pool)
  const close = (done: Batch): void => {
    const sent = done.close().then(({ evidence, segments }) => say({ type: 'batch', evidence, segments }))
    sent.catch(fail)
    closing.push(sent)
  }
  for (;;) {
    say({ type: 'next' })
    const message = await hear()
    if (message.type === 'finish') break
    assert(message.type === 'file', 'a worker is handed files')
    try {
      await readFile(message.task, batch, optionsFor(message.task))
      tell(message.task.size, 0)
    } catch (error) {
      if (!(error instanceof Stopped)) throw error
      say({ type: 'dropped', task: message.task })
    }
    if (!batch.isDue) continue
    close(batch)
    batch = await Batch.open(writer, pool)
  }
  close(batch)
  await Promise.all(closing)
}

function fail(error: unknown): void {
  say({
    type: 'failed',
    message: errorText(error),
    code: errorCode(error) ?? null,
    stack: error instanceof Error ? (error.stack ?? null) : null,
  })
}

// A thread that ends while DuckDB works takes the whole process with it: so it ends by itself, when all is done.
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)
main()
  .catch(fail)
  .finally(() => port.close())
