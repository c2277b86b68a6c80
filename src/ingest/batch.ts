import { randomBytes } from 'node:crypto'
import { Column } from '../records/column.ts'
import { RecordBuffer } from '../records/record-buffer.ts'
import type { UnknownColumns } from '../records/unknown-columns.ts'
import { exactJson } from '../store/exact-json.ts'
import type { EvidenceEntry, SegmentEntry } from '../store/ledger.ts'
import type { SegmentWriter } from '../store/segment-writer.ts'
import type { LineProblem, Silence } from '../vpc-text/text-reader.ts'

/** Lines of silence or problems that a batch may gather before it is closed: they are kept as objects. */
const objectsMax = 100_000
/** Columns of a batch, about twice as many as fields are known: odd headers bring their own. */
const columnsMax = 150
/** Bytes of distinct words, which DuckDB gets as a list: a log of nothing but different long words must not fill its memory. */
const wordBytesMax = 64 << 20
/** Files of one batch, and bytes of what is told of them: they go into one line of the ledger. */
const filesMax = 20_000
const evidenceBytesMax = 16 << 20

interface FileProblem extends Partial<LineProblem> {
  offset?: number
  problem: string
}

/**
 * Files on their way into the case together: their records in columns, their segments, their accounts.
 *
 * A batch ends at the end of a file. A file that is larger than a buffer fills several segments of its batch; if it then
 * fails, its rows are taken out of them again, so that a file is added completely, or not at all.
 */
export class Batch {
  readonly evidence: EvidenceEntry[] = []
  private evidenceBytes = 0
  private readonly writer: SegmentWriter
  private readonly pool: BufferPool
  private silences: (Silence & { file: number })[] = []
  private readonly problems: object[] = []
  /** What is written, or being written, and whose rows are in it. */
  private readonly written: { entry: Promise<SegmentEntry>; files: Set<number> }[] = []
  private filesInBuffer = new Set<number>()
  private rowsAtFileStart = 0
  buffer: RecordBuffer

  private constructor(writer: SegmentWriter, pool: BufferPool, buffer: RecordBuffer) {
    this.writer = writer
    this.pool = pool
    this.buffer = buffer
  }

  static async open(writer: SegmentWriter, pool: BufferPool): Promise<Batch> {
    return new Batch(writer, pool, await pool.take())
  }

  get isDue(): boolean {
    return (
      this.written.length > 0 ||
      this.evidence.length > filesMax ||
      this.evidenceBytes > evidenceBytesMax ||
      this.isHeavy ||
      this.buffer.rows > this.buffer.capacity * 0.9 ||
      this.buffer.columns().length > columnsMax ||
      this.silences.length + this.problems.length > objectsMax
    )
  }

  /** Whether the buffer should be written though it is not full. */
  get isHeavy(): boolean {
    return this.buffer.columns().reduce((sum, column) => sum + column.words.bytes + column.idLetters, 0) > wordBytesMax
  }

  startFile(id: number): void {
    this.rowsAtFileStart = this.buffer.rows
    this.filesInBuffer.add(id)
  }

  /** The buffer is full in the middle of a file: it is written, and another takes its place. */
  async nextBuffer(file: number): Promise<RecordBuffer> {
    this.flush()
    this.buffer = await this.pool.take()
    this.rowsAtFileStart = 0
    this.filesInBuffer.add(file)
    return this.buffer
  }

  endFile(entry: EvidenceEntry, silences: readonly Silence[], problems: readonly FileProblem[]): void {
    this.evidence.push(entry)
    this.evidenceBytes += Buffer.byteLength(exactJson(entry))
    if (entry.id === null) return
    this.addSilences(entry.id, silences)
    for (const problem of problems) this.problems.push({ _file: entry.id, ...problem })
  }

  /** Takes what a file has said of silence so far; much of it is written at once. */
  async spillSilences(file: number, silences: readonly Silence[]): Promise<void> {
    this.addSilences(file, silences)
    if (this.silences.length < objectsMax) return
    const files = new Set(this.silences.map(silence => silence.file))
    const entry = this.writeSilence()
    this.silences = []
    this.written.push({ entry, files })
    await entry
  }

  private addSilences(file: number, silences: readonly Silence[]): void {
    for (const silence of silences) this.silences.push({ ...silence, file })
  }

  /**
   * Writes rows of one file that are not of the batch's own buffer.
   *
   * @returns when the buffer may change again.
   */
  writeRows(kind: 'packet-flows' | 'connections', file: number, buffer: RecordBuffer): Promise<void> {
    const name = `${kind}-${String(file).padStart(6, '0')}-${randomBytes(4).toString('hex')}`
    const { copied, entry } = this.writer.writeRows(kind, name, buffer)
    entry.catch(() => undefined)
    this.written.push({ entry, files: new Set([file]) })
    return copied
  }

  /** Takes out all rows of a file that cannot be kept. */
  async dropFile(file: number): Promise<void> {
    this.buffer.truncate(this.rowsAtFileStart)
    this.filesInBuffer.delete(file)
    this.silences = this.silences.filter(silence => silence.file !== file)
    for (const [i, { entry, files }] of this.written.entries()) {
      if (!files.delete(file)) continue
      this.written[i] = { files, entry: this.writer.without(await entry, file, files.size === 0) }
    }
  }

  /** Writes what is left; the batch must not be used afterwards. Resolves when all its segments are on the disk. */
  async close(): Promise<{ evidence: EvidenceEntry[]; segments: SegmentEntry[] }> {
    this.flush()
    const segments = await Promise.all(this.written.map(segment => segment.entry))
    if (this.silences.length > 0) segments.push(await this.writeSilence())
    if (this.problems.length > 0) segments.push(await this.writer.writeProblems(this.name('problems'), this.problems))
    return { evidence: this.evidence, segments: segments.filter(segment => segment.rows > 0) }
  }

  private flush(): void {
    const { buffer } = this
    if (buffer.rows === 0) {
      this.pool.give(buffer)
      return
    }
    const { copied, entry } = this.writer.writeRows('flows', this.name('flows'), buffer)
    const give = (): void => this.pool.give(buffer)
    copied.then(give, give)
    // Its failure is met where the entry is awaited; until then it must not count as unhandled.
    entry.catch(() => undefined)
    this.written.push({ entry, files: this.filesInBuffer })
    this.filesInBuffer = new Set()
  }

  private name(kind: string): string {
    const ids = [...this.filesInBuffer, ...this.evidence.flatMap(entry => entry.id ?? [])]
    const first = ids.reduce((least, id) => Math.min(least, id), ids[0] ?? 0)
    return `${kind}-${String(first).padStart(6, '0')}-${randomBytes(4).toString('hex')}`
  }

  private writeSilence(): Promise<SegmentEntry> {
    const rows = this.silences.length
    const columns = {
      file: new Uint32Array(rows),
      line: new Uint32Array(rows),
      sensor: new Column('sensor', 'text', rows),
      status: new Column('status', 'text', rows),
      start: new Column('start', 'time', rows),
      end: new Column('end', 'time', rows),
    }
    for (const [row, silence] of this.silences.entries()) {
      columns.file[row] = silence.file
      columns.line[row] = silence.line
      const sensor = silence.sensor === null ? -1 : columns.sensor.words.codeOf(silence.sensor)
      if (sensor < 0) columns.sensor.setNull(row)
      else columns.sensor.codes[row] = sensor
      columns.status.codes[row] = columns.status.words.codeOf(silence.status)
      for (const name of ['start', 'end'] as const) {
        if (Number.isNaN(silence[name])) columns[name].setNull(row)
        else columns[name].wide[row] = BigInt(silence[name])
      }
    }
    return this.writer.writeSilence(this.name('silence'), columns, rows)
  }
}

/** Two buffers: one is filled while the other is written. */
export class BufferPool {
  private readonly free: RecordBuffer[]
  private waiting: ((buffer: RecordBuffer) => void)[] = []

  constructor(rows: number, unknown?: UnknownColumns) {
    this.free = [new RecordBuffer(rows, unknown)]
  }

  take(): Promise<RecordBuffer> {
    const buffer = this.free.pop()
    return buffer ? Promise.resolve(buffer) : new Promise(resolve => this.waiting.push(resolve))
  }

  give(buffer: RecordBuffer): void {
    buffer.reset()
    const next = this.waiting.shift()
    if (next) next(buffer)
    else this.free.push(buffer)
  }
}
