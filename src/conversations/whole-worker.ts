/** A thread of the whole way: does the steps that it is given, one after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import { assert, errorText, UserError } from '../errors.ts'
import { RecordIndex } from '../record-index/read.ts'
import { DamagedSections, SectionFile } from '../store/section-file.ts'
import { systemDetails } from '../system-error.ts'
import type { FromThread, ThreadSettings, ToThread } from './crew.ts'
import { WholeWork } from './whole-work.ts'

assert(parentPort !== null, 'whole-worker.ts runs in a worker thread')
const port = parentPort
const { path, digest, work: settings } = workerData as ThreadSettings
let opened: WholeWork | null = null

port.on('message', async ({ step, given }: ToThread) => {
  try {
    opened ??= open()
    port.postMessage({ done: await opened.does(step, given) } satisfies FromThread)
  } catch (error) {
    port.postMessage(failure(error))
  }
})

function open(): WholeWork {
  const file = indexFile()
  if (file.digest('') !== digest) throw new DamagedSections(path, 'it is another file by now')
  return new WholeWork(settings, new RecordIndex(file), null)
}

/** The main thread has opened it already: what fails here came in between. */
function indexFile(): SectionFile {
  try {
    return new SectionFile(path)
  } catch (error) {
    throw new DamagedSections(path, errorText(error))
  }
}

function failure(error: unknown): FromThread {
  const isDamaged = error instanceof DamagedSections
  const kind = isDamaged ? 'damaged' : error instanceof UserError ? 'user' : 'other'
  const hint = error instanceof UserError ? (error.hint ?? null) : null
  return { failed: errorText(error), kind, hint, system: systemDetails(error) }
}
