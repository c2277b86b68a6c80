/** Lines of flow logs on their way into a batch, whatever they come out of. */

import type { ExpandLimits } from '../input/expand.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import type { TextReader } from '../vpc-text/text-reader.ts'
import type { Batch } from './batch.ts'
import type { Format } from './judge.ts'
import type { FileTask } from './messages.ts'

export interface ReadOptions {
  format: Format | null
  limits: ExpandLimits
  /** Of captures: packets that are copies of one at another interface are kept. */
  keepCopies: boolean
  /** Files of a pull are read. */
  parts: boolean
  stopped: () => boolean
  /** The number of a file that was not known before: one in an archive. */
  nextId: () => number
  /** Asks whether this content is new; resolves with the path that has it already, or null. */
  claim: (task: FileTask, sha256: string) => Promise<string | null>
  /** Tells whether the content that was claimed is in the batch now. */
  settled: (sha256: string, kept: boolean) => void
  progress: (bytes: number, records: number) => void
  /** The folder in which a file may be staged under a safe name. */
  stagingDir: string
  /** Files up to this size are read whole, larger ones twice; only tests change it. */
  wholeBytesMax?: number
}

/** Thrown when the reading is to end early: the file is not kept. */
export class Stopped extends Error {}

const silencesAtOnce = 10_000
export const changed = 'it changed while it was being read'

/** Reads all of a piece, in as many buffers as it takes. */
export async function take(
  piece: Uint8Array,
  reader: TextReader,
  task: FileTask,
  batch: Batch,
  options: ReadOptions,
): Promise<void> {
  if (options.stopped()) throw new Stopped('stopped')
  const before = reader.counts.records
  let at = reader.read(piece)
  while (at < piece.length) {
    await nextBuffer(reader, task, batch)
    at = reader.read(piece, at)
  }
  if (batch.isHeavy) await nextBuffer(reader, task, batch)
  if (reader.silences.length >= silencesAtOnce) {
    await batch.spillSilences(task.id, reader.silences.splice(0))
  }
  options.progress(0, reader.counts.records - before)
}

export async function nextBuffer(reader: TextReader, task: FileTask, batch: Batch): Promise<void> {
  reader.leave()
  reader.continueIn(await batch.nextBuffer(task.id))
}

/** Where the content of a file ended before its end: at a byte of the file, or at a row of a Parquet file. */
export interface Cut {
  place: { offset: number } | { line: number }
  problem: string
}

export interface Ended {
  cut: Cut | null
  /** Of the content. */
  bytes: number
  kind?: EvidenceEntry['kind']
  form?: string | null
}
