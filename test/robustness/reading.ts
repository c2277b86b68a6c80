import { writeFileSync } from 'node:fs'
import { constants, gunzipSync } from 'node:zlib'
import { Batch, BufferPool } from '../../src/ingest/batch.ts'
import { readFile } from '../../src/ingest/members.ts'
import type { ReadOptions } from '../../src/ingest/text-lines.ts'
import { defaultLimits } from '../../src/input/expand.ts'
import type { EvidenceEntry } from '../../src/store/ledger.ts'
import type { SegmentWriter } from '../../src/store/segment-writer.ts'
import { recordsByLine } from './figures.ts'
import { sha256, within } from './support.ts'

/** What became of one file. */
export interface Reading {
  entry: EvidenceEntry
  /** Lines that are records, in order. */
  records: number[]
  /** What they say, by line. */
  values: Map<number, Record<string, string>>
  problems: { line?: number; offset?: number; problem: string }[]
}

/** Reads files as a worker of `add` does, up to what would be written: no database, thousands of files a second. */
export class Bench {
  private readonly path: string
  private readonly pool = new BufferPool(8192)
  private readonly options: Partial<ReadOptions>
  private id = 0

  constructor(folder: string, options: Partial<ReadOptions> = {}) {
    this.path = `${folder}/input`
    this.options = options
  }

  async read(content: Uint8Array, seconds = 10): Promise<Reading> {
    writeFileSync(this.path, content)
    const id = ++this.id
    const unused = null as unknown as SegmentWriter
    const batch = await Batch.open(unused, this.pool)
    const task = {
      id,
      path: this.path,
      rawPath: null,
      bytesAt: null,
      origin: null,
      archive: null,
      named: false,
      size: content.length,
      problem: null,
      unreadable: false,
    }
    const options: ReadOptions = {
      format: null,
      limits: defaultLimits,
      keepCopies: false,
      parts: false,
      stopped: () => false,
      nextId: () => ++this.id,
      claim: () => Promise.resolve(null),
      settled: () => undefined,
      progress: () => undefined,
      stagingDir: '/nonexistent',
      ...this.options,
    }
    await within(seconds, `${content.length} bytes, ${sha256(content)}`, readFile(task, batch, options))
    const { buffer } = batch
    const records = Array.from(buffer.line.subarray(0, buffer.rows))
    const values = recordsByLine(buffer)
    const problems = (batch['problems'] as Reading['problems']).slice()
    this.pool.give(buffer)
    const [entry, ...others] = batch.evidence
    if (entry === undefined || others.length > 0) throw new Error('not exactly one account of a file')
    return { entry, records, values, problems }
  }
}

/** What does not add up in a reading; null if all is well. The accounts of a file must cover every line, and every loss has a place. */
export function fault({ entry, records, problems }: Reading): string | null {
  const { lines, header_lines, no_data, skip_data, malformed } = entry
  if (header_lines + entry.records + no_data + skip_data + malformed !== lines) return 'the accounting law is broken'
  if (entry.records !== records.length) return `${records.length} rows for ${entry.records} records`
  if (records.some((line, i) => i > 0 && line <= records[i - 1]!)) return 'records out of order'
  if (entry.status === 'unreadable' || entry.status === 'not-evidence') {
    if (lines > 0 || records.length > 0) return `${entry.status}, but with lines`
    return entry.problem ? null : `${entry.status}, without a word`
  }
  const named = problems.filter(problem => problem.line !== undefined).length
  if (named !== malformed) return `${named} lines named of ${malformed} malformed`
  if (entry.status === 'partly-read') {
    if (!problems.some(problem => problem.offset !== undefined)) return 'damage without an offset'
    return entry.problem ? null : 'partly read, without a word'
  }
  return entry.status === 'read' ? null : `status ${entry.status}`
}

/** How much of a beginning can be unpacked, by zlib's one-call form: the longest beginning in which no damage shows. */
function beginningOf(packed: Buffer): { content: Buffer; accepted: number } {
  const unpacked = (length: number): Buffer | null => {
    if (length === 0) return Buffer.alloc(0)
    try {
      return gunzipSync(packed.subarray(0, length), { finishFlush: constants.Z_SYNC_FLUSH })
    } catch {
      return null
    }
  }
  let good = 0
  let bad = packed.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (unpacked(middle) === null) bad = middle
    else good = middle
  }
  return { content: unpacked(good) ?? Buffer.alloc(0), accepted: good }
}

/** A judge of gzip that shares no code with the product: the content that can be had, and whether it is all there is. */
export function judgeGzip(packed: Buffer): { content: Buffer; damaged: boolean } {
  const parts: Buffer[] = []
  let rest = packed
  for (;;) {
    let used: number
    try {
      // One call takes all members up to zeros or the end, and says how far it came.
      const { buffer, engine } = gunzipSync(rest, { info: true }) as unknown as {
        buffer: Buffer
        engine: { bytesWritten: number }
      }
      parts.push(buffer)
      used = engine.bytesWritten
    } catch {
      parts.push(beginningOf(rest).content)
      return { content: Buffer.concat(parts), damaged: true }
    }
    rest = rest.subarray(used)
    const next = rest.findIndex(byte => byte !== 0)
    if (next < 0) return { content: Buffer.concat(parts), damaged: false }
    rest = rest.subarray(next)
  }
}
