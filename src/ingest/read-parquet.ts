import { errorText } from '../errors.ts'
import { expandProblem } from '../input/expand.ts'
import type { SourceBytes } from '../input/read.ts'
import { reason } from '../input/walk.ts'
import { isCaseWriteError } from '../store/files.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import { damagedNameIn } from '../vpc-text/header.ts'
import type { Layout } from '../vpc-text/layout.ts'
import { TextReader } from '../vpc-text/text-reader.ts'
import type { Batch } from './batch.ts'
import type { FileTask } from './messages.ts'
import { ParquetLines } from './parquet-lines.ts'
import { changed, type Ended, nextBuffer, type ReadOptions, Stopped, take } from './text-lines.ts'

const kind = 'vpc-flow-log-parquet'
const LF = 10

/** What became of a file: the reader of its rows and where they ended; or what its account says, where none are kept. */
export type ParquetReading =
  | { reader: TextReader; ended: Ended }
  | (Partial<EvidenceEntry> & Pick<EvidenceEntry, 'status'>)

/** Reads a Parquet file's rows into the batch. */
export async function readParquet(
  task: FileTask,
  source: SourceBytes,
  batch: Batch,
  options: ReadOptions,
): Promise<ParquetReading> {
  batch.startFile(task.id)
  let child: ParquetLines
  try {
    child = await ParquetLines.open(source, options.stagingDir, options.stopped)
  } catch (error) {
    if (isCaseWriteError(error) || error instanceof Stopped) throw error
    return { kind, status: 'unreadable', problem: reason(error), sha256: null }
  }
  try {
    if (!(await source.isUnchanged())) throw new Error(changed)
    const layout = await child.layout()
    if (layout === null) {
      return { status: 'not-evidence', problem: 'a Parquet file without the columns of a flow log' }
    }
    const damaged = damagedNameIn(layout.fields)
    if (damaged !== undefined) {
      await batch.dropFile(task.id)
      return {
        kind,
        status: 'unreadable',
        problem: `the names of its columns are damaged: no field is called "${damaged}"`,
      }
    }
    return await rowsOf(child, layout, task, source, batch, options)
  } catch (error) {
    await batch.dropFile(task.id)
    // The reader of a file that is ended with everything else says nothing of the file.
    if (error instanceof Stopped || options.stopped()) throw new Stopped('stopped')
    return { kind, status: 'unreadable', problem: errorText(error) }
  } finally {
    await child.close()
  }
}

/** The rows up to the last one, or to the limits of expansion. @throws when the file could not be read as far as that. */
async function rowsOf(
  child: ParquetLines,
  layout: Layout,
  task: FileTask,
  source: SourceBytes,
  batch: Batch,
  options: ReadOptions,
): Promise<{ reader: TextReader; ended: Ended }> {
  const reader = new TextReader(batch.buffer, { file: task.id, layout, stamped: false, headers: false })
  const ended: Ended = { cut: null, bytes: 0, kind }
  for await (const piece of child.lines()) {
    ended.bytes += piece.length
    const problem = expandProblem(ended.bytes, source.size, options.limits)
    // Up to the end of a row, so that none is cut.
    const kept = problem === null ? piece : piece.subarray(0, piece.indexOf(LF) + 1)
    await take(kept, reader, task, batch, options)
    if (problem === null) continue
    ended.cut = { place: { line: 0 }, problem }
    break
  }
  while (!reader.end(ended.cut !== null)) await nextBuffer(reader, task, batch)
  if (ended.cut !== null) ended.cut.place = { line: reader.counts.lines + 1 }
  else if (reader.counts.lines !== child.rows) {
    throw new Error(`Parquet: ${child.rows} rows by its footer, but ${reader.counts.lines} could be read`)
  }
  return { reader, ended }
}
