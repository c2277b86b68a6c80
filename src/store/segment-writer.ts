import { randomBytes } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sync, writeNew } from '../disk/writing.ts'
import type { Column } from '../records/column.ts'
import type { RecordBuffer } from '../records/record-buffer.ts'
import { type ChunkColumn, type ChunkTable, codeArray } from './chunk-table.ts'
import { Database, quotedName, quotedPath, quotedString } from './duckdb.ts'
import { caseFiles, digestOfFile, segmentPath } from './files.ts'
import type { SegmentEntry } from './ledger.ts'

/** Above this many distinct words a column is written as plain text: Parquet would repeat the whole list in every row group. */
const enumWordsMax = 4096

/**
 * Measured on flow logs (bench/designs): level 1 and the encodings of Parquet 2 cost 40 % of zstd's default with those of
 * Parquet 1, for files of the same size.
 */
const parquetOptions =
  'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 4096, WRITE_BLOOM_FILTER false'

/** Lines of sensors about their own silence, in columns. */
export interface SilenceColumns {
  file: Uint32Array
  line: Uint32Array
  sensor: Column
  status: Column
  start: Column
  end: Column
}

/** Sums over records that were left on an engine, in columns: see `pulled.ts`. */
export interface PulledColumns extends Omit<SilenceColumns, 'line' | 'status'> {
  counts: readonly Column[]
}

/** Writes segments into a case's `incoming` folder; the ledger's writer moves them to their place. One for each worker. */
export class SegmentWriter {
  private readonly caseDir: string
  private readonly database: Database
  private readonly chunks: ChunkTable
  /** The last piece of work: a connection does one at a time. */
  private tail: Promise<unknown> = Promise.resolve()

  private constructor(caseDir: string, database: Database) {
    this.caseDir = caseDir
    this.database = database
    this.chunks = database.chunkTable()
  }

  static async open(caseDir: string): Promise<SegmentWriter> {
    return new SegmentWriter(caseDir, await Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: null }))
  }

  /** Waits for the work that was asked for, whatever becomes of it. */
  async close(): Promise<void> {
    await this.tail
    await this.database.close()
  }

  /**
   * Writes the rows of a buffer. `name` is the segment's, without its ending.
   *
   * @returns `copied`: the buffer may change again; `entry`: the segment is safe on the disk.
   */
  writeRows(
    kind: 'flows' | 'packet-flows' | 'connections',
    name: string,
    buffer: RecordBuffer,
  ): { copied: Promise<void>; entry: Promise<SegmentEntry> } {
    const columns: ChunkColumn[] = [
      { name: '_file', type: 'UINTEGER', data: buffer.file, valid: null },
      { name: '_line', type: 'UINTEGER', data: buffer.line, valid: null },
    ]
    const select = ['_file', '_line']
    for (const column of buffer.columns()) addField(column, columns, select)
    const { rows } = buffer
    const copied = this.queued(() => this.copy(name, columns, select, rows))
    return { copied, entry: copied.then(() => this.settled(`${name}.parquet`, kind, rows, select.map(nameOf))) }
  }

  writeSilence(name: string, silence: SilenceColumns, rows: number): Promise<SegmentEntry> {
    const columns: ChunkColumn[] = [
      { name: '_file', type: 'UINTEGER', data: silence.file, valid: null },
      { name: '_line', type: 'UINTEGER', data: silence.line, valid: null },
    ]
    const select = ['_file', '_line']
    for (const column of [silence.sensor, silence.status, silence.start, silence.end]) addField(column, columns, select)
    return this.queued(() => this.copy(name, columns, select, rows)).then(() =>
      this.settled(`${name}.parquet`, 'silence', rows, select.map(nameOf)),
    )
  }

  writePulled(name: string, { file, sensor, start, end, counts }: PulledColumns, rows: number): Promise<SegmentEntry> {
    const columns: ChunkColumn[] = [
      { name: '_file', type: 'UINTEGER', data: file, valid: null },
      { name: '_line', type: 'UINTEGER', data: new Uint32Array(rows), valid: null },
    ]
    const select = ['_file', '_line']
    for (const column of [sensor, start, end, ...counts]) addField(column, columns, select)
    return this.queued(() => this.copy(name, columns, select, rows)).then(() =>
      this.settled(`${name}.parquet`, 'pulled', rows, select.map(nameOf)),
    )
  }

  /** Writes problems as JSON lines: few, and read by people first. */
  async writeProblems(name: string, lines: readonly object[]): Promise<SegmentEntry> {
    const file = `${name}.ndjson`
    const path = join(this.caseDir, caseFiles.incoming, file)
    await writeNew(path, lines.map(line => `${JSON.stringify(line)}\n`).join(''))
    return this.settled(file, 'problems', lines.length, ['_file', 'line', 'line_to', 'offset', 'problem'])
  }

  /** The segment without the rows of one file; removed when nothing else is in it. */
  without(segment: SegmentEntry, file: number, isEmpty: boolean): Promise<SegmentEntry> {
    return this.queued(() => this.rewriteWithout(segment, file, isEmpty))
  }

  private queued<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work)
    this.tail = result.catch(() => undefined)
    return result
  }

  private async rewriteWithout(segment: SegmentEntry, file: number, isEmpty: boolean): Promise<SegmentEntry> {
    const path = join(this.caseDir, caseFiles.incoming, segment.name)
    const name = segment.name.replace(/[0-9a-f]{8}(?=\.parquet$)/, () => randomBytes(4).toString('hex'))
    if (!isEmpty) {
      const target = quotedString(join(this.caseDir, caseFiles.incoming, name))
      await this.database.run(
        `COPY (SELECT * FROM read_parquet(${quotedPath(path)}, hive_partitioning=false) WHERE _file <> ${file}) TO ${target} (${parquetOptions})`,
      )
    }
    await rm(path)
    if (isEmpty) return { ...segment, rows: 0 }
    const [counted] = await this.database.rows(
      `SELECT count(*) AS rows FROM read_parquet(${quotedPath(join(this.caseDir, caseFiles.incoming, name))})`,
    )
    return this.settled(name, segment.kind, Number(counted?.['rows']), segment.columns)
  }

  private async copy(name: string, columns: ChunkColumn[], select: string[], rows: number): Promise<void> {
    const path = join(this.caseDir, caseFiles.incoming, `${name}.parquet`)
    this.chunks.offer(columns, rows)
    await this.database.run(
      `COPY (SELECT ${select.join(', ')} FROM chunks()) TO ${quotedString(path)} (${parquetOptions})`,
    )
  }

  private async settled(
    file: string,
    kind: SegmentEntry['kind'],
    rows: number,
    columns: string[],
  ): Promise<SegmentEntry> {
    const path = join(this.caseDir, caseFiles.incoming, file)
    await sync(path)
    const { sha256, bytes } = await digestOfFile(path)
    return { name: file, kind, rows, bytes, sha256, columns }
  }
}

/** Writes a buffer's columns, without the numbers of file and line, as a Parquet file of no case. */
export async function copyBuffer(database: Database, buffer: RecordBuffer, path: string): Promise<void> {
  const columns: ChunkColumn[] = []
  const select: string[] = []
  for (const column of buffer.columns()) addField(column, columns, select)
  database.chunkTable().offer(columns, buffer.rows)
  await database.run(`COPY (SELECT ${select.join(', ')} FROM chunks()) TO ${quotedString(path)} (${parquetOptions})`)
}

/** Gives finished segments their place. */
export async function placeSegments(caseDir: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rename(join(caseDir, caseFiles.incoming, name), segmentPath(caseDir, name))
  await sync(join(caseDir, caseFiles.segments))
}

/** Adds a field's array(s) and the expression that makes the column of the segment from them. */
function addField(column: Column, columns: ChunkColumn[], select: string[]): void {
  const name = quotedName(column.name)
  const valid = column.hasNull ? column.valid : null
  switch (column.type) {
    case 'u8':
      columns.push({ name: column.name, type: 'UTINYINT', data: column.u8, valid })
      select.push(name)
      break
    case 'u16':
      columns.push({ name: column.name, type: 'USMALLINT', data: column.u16, valid })
      select.push(name)
      break
    case 'u64':
    case 'time':
      columns.push({
        name: column.name,
        type: column.type === 'time' ? 'TIMESTAMP' : 'UBIGINT',
        data: column.wide,
        valid,
      })
      select.push(name)
      break
    case 'id':
      columns.push({ name: column.name, type: 'VARCHAR', data: column.ids, valid })
      select.push(name)
      break
    case 'text': {
      const { words, codes } = distinctWords(column)
      columns.push({ name: column.name, type: words, data: codeArray(codes, words.length), valid })
      select.push(words.length > enumWordsMax ? `CAST(${name} AS VARCHAR) AS ${name}` : name)
      break
    }
    default:
      addAddress(column, valid, columns, select)
  }
}

/** A text column's words, each once: words that differ only in bytes that are not UTF-8 become the same text. */
function distinctWords({ words: dictionary, codes }: Column): { words: string[]; codes: Uint32Array } {
  const words = dictionary.size === 0 ? ['-'] : dictionary.words()
  if (!words.some(word => word.includes('\ufffd'))) return { words, codes }
  const places = new Map<string, number>()
  const moved = Uint32Array.from(words, word => {
    const place = places.get(word) ?? places.size
    places.set(word, place)
    return place
  })
  return { words: [...places.keys()], codes: codes.map(code => moved[code]!) }
}

/** An address is STRUCT(hi UBIGINT, lo UBIGINT): see ARCHITECTURE.md for the designs that were measured. */
function addAddress(column: Column, valid: Uint8Array | null, columns: ChunkColumn[], select: string[]): void {
  // No field can have such a name.
  const low = `${column.name}.lo`
  const high = `${column.name}.hi`
  columns.push({ name: low, type: 'UBIGINT', data: column.wide, valid })
  if (column.high) columns.push({ name: high, type: 'UBIGINT', data: column.high, valid: null })
  const struct = `struct_pack(hi := ${column.high ? quotedName(high) : '0::UBIGINT'}, lo := ${quotedName(low)})`
  const name = quotedName(column.name)
  select.push(valid ? `CASE WHEN ${quotedName(low)} IS NOT NULL THEN ${struct} END AS ${name}` : `${struct} AS ${name}`)
}

/** The column's name in an expression that `addField` made. */
function nameOf(expression: string): string {
  return expression.replace(/^.* AS "(.*)"$/, '$1').replace(/^"(.*)"$/, '$1')
}
