/** A case as a partitioned table in AWS's own schema: files of Parquet that any engine reads. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { isOutputError, outputError, outputFolder } from '../disk/output.ts'
import { isRunning, passingName, passingProcess, sync } from '../disk/writing.ts'
import { UserError } from '../errors.ts'
import { integerText } from '../net/counts.ts'
import { addressMacro } from '../store/answer-file.ts'
import type { Case } from '../store/case.ts'
import { type Database, quotedName, quotedPath, quotedString } from '../store/duckdb.ts'
import { digestOfFile } from '../store/files.ts'
import { version } from '../version.ts'
import { lockFolder, type Manifest, type PushedFile, readManifests, undo, writeManifest } from './manifests.ts'
import { counterMax, type PushedColumn, pushedColumns } from './pushed-table.ts'
import type { LakeColumn } from './table.ts'

export interface PushOptions {
  to: string
  signal?: AbortSignal
  /** Told how many partitions are written, of how many. */
  onProgress?: (done: number, all: number) => void
  /** About how large files are, where an hour fills one; only tests change it. */
  fileBytes?: number
}

export interface PushReport {
  to: string
  /** Rows that were written: flow records, and lines of sensors about their own silence. */
  records: number
  silence: number
  /** Files of evidence that were pushed, and those whose rows were in the table before. */
  sources: number
  sources_before: number
  files: PushedFile[]
  bytes: number
  /** Columns of the table, of all pushes. */
  columns: LakeColumn[]
}

/**
 * Dictionaries as large as a group of rows: DuckDB writes Bloom filters only where there is a dictionary, and engines look addresses up in them.
 * Measured on two million records: 7 % more bytes. Room for one larger than the rows costs more time than small files themselves.
 */
function parquetOptions(rows: number): string {
  const limit = Math.max(1, Math.min(rowGroup, rows))
  return `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v2, ROW_GROUP_SIZE ${rowGroup}, DICTIONARY_SIZE_LIMIT ${limit}, WRITE_BLOOM_FILTER true`
}

const rowGroup = 122_880
const fileBytesDefault = 192_000_000
/** Of a row with long words; others take 10 to 50. */
const rowBytes = 96
/** Ten years of hours. More are no times of flow logs, and each is a folder. */
const hoursMax = 87_660
const hourUs = 3_600_000_000n
/** What Hive and both engines read as null. */
const unknownPartition = 'day=__HIVE_DEFAULT_PARTITION__/hour=__HIVE_DEFAULT_PARTITION__'

/**
 * Writes the records of the case that the table does not hold yet. Nothing is in its place before all is written; each file gets its name when it
 * is whole, and what a push that was broken off has put there is taken away by the next one.
 *
 * @throws UserError for a counter that no engine can hold, a case without flow logs, an output that cannot be written; the signal's reason.
 */
export async function pushCase(c: Case, options: PushOptions): Promise<PushReport> {
  const { to } = options
  if (c.source !== 'logs') {
    throw new UserError('the case has no flow logs, and a table in AWS’s schema holds nothing else', {
      hint: 'tidemark convert writes captures and nfcapd files as flow logs',
    })
  }
  outputFolder(to, '--to')
  try {
    const release = await lockFolder(to)
    try {
      return await pushInto(c, options)
    } finally {
      await release()
    }
  } catch (error) {
    throw isOutputError(error) ? outputError(to, '--to', error) : error
  }
}

async function pushInto(c: Case, options: PushOptions): Promise<PushReport> {
  const { to, signal } = options
  const before = await completeManifests(to)
  const known = new Set(before.flatMap(({ sources }) => sources))
  const withRows = c.evidence.filter(one => one.id !== null && one.records + one.no_data + one.skip_data > 0)
  const fresh = withRows.filter(one => !known.has(one.sha256!))
  const columns = pushedColumns(c.columns)
  const report: PushReport = {
    ...{ to, records: 0, silence: 0, files: [], bytes: 0, columns: columnsOf(before) },
    ...{ sources: fresh.length, sources_before: withRows.length - fresh.length },
  }
  if (fresh.length === 0) return report
  await c.db.question(signal, async db => {
    await prepare(db, fresh, columns)
    await new Push(db, columns, options, report).run(c.head, [...new Set(fresh.map(one => one.sha256!))])
  })
  return { ...report, columns: columnsOf(await readManifests(to)) }
}

/** The columns of a table, of all pushes to a folder. */
export function columnsOf(manifests: readonly Manifest[]): LakeColumn[] {
  const all = new Map(manifests.flatMap(({ columns }) => columns).map(column => [column.name, column]))
  return [...all.values()]
}

/** The pushes that ended; what others left is taken away. */
async function completeManifests(to: string): Promise<Manifest[]> {
  const manifests = await readManifests(to)
  for (const one of manifests.filter(({ complete }) => !complete)) await undo(to, one)
  for (const name of await readdir(to)) {
    const process = passingProcess(name)
    if (process !== null && !isRunning(process)) await rm(join(to, name), { recursive: true, force: true })
  }
  return manifests.filter(({ complete }) => complete)
}

/** Makes `pushed_rows`, of records and of silences alike, from the files of evidence that are pushed. */
async function prepare(db: Database, fresh: Case['evidence'], columns: readonly PushedColumn[]): Promise<void> {
  await db.run(addressMacro)
  db.chunkTable().offer(
    [
      { name: 'id', type: 'UINTEGER', data: Uint32Array.from(fresh, one => one.id!), valid: null },
      { name: 'sha256', type: 'VARCHAR', data: fresh.map(one => one.sha256!), valid: null },
    ],
    fresh.length,
  )
  await db.run(`CREATE TEMP TABLE pushed_files AS
    SELECT given.id, given.sha256, evidence.path FROM (SELECT * FROM chunks()) AS given JOIN evidence USING (id)`)
  await refuseHuge(db, columns)
  const items = (kind: 'flow' | 'silence') =>
    columns.map(column => `${column[kind]} AS ${quotedName(column.name)}`).join(', ')
  const own = (kind: 'flow' | 'silence') => `'${kind}' AS _kind, r."end" AS _end`
  const from = 'JOIN pushed_files AS f ON f.id = r._file'
  await db.run(`CREATE TEMP VIEW pushed_rows AS
    SELECT ${items('flow')}, ${own('flow')} FROM flows AS r ${from}
    UNION ALL SELECT ${items('silence')}, ${own('silence')} FROM silence AS r ${from}`)
}

/** @throws UserError for the first counter that is beyond what the engines' integers hold. */
async function refuseHuge(db: Database, columns: readonly PushedColumn[]): Promise<void> {
  // Times are signed, and 100 times smaller.
  const counters = columns.filter(({ kind, flow }) => kind === 'bigint' && /^r\."[a-z_]+"::BIGINT$/.test(flow))
  const tests = counters.map(({ name }) => `r.${quotedName(name)} > ${counterMax}`)
  if (tests.length === 0) return
  const [found] = await db.rows(
    `SELECT f.path, r._line AS line, ${counters.map(({ name }) => `r.${quotedName(name)}`).join(', ')}
     FROM flows AS r JOIN pushed_files AS f ON f.id = r._file WHERE ${tests.join(' OR ')} ORDER BY r._file, r._line LIMIT 1`,
  )
  if (found === undefined) return
  const huge = counters.find(({ name }) => BigInt((found[name] as bigint | null) ?? 0) > counterMax)!
  throw new UserError(
    `${String(found['path'])}:${String(found['line'])}: ${huge.name} is ${String(found[huge.name])}, and engines hold at most ${counterMax}`,
    { hint: 'nothing was pushed; take the file out of the case with tidemark remove, or correct the record' },
  )
}

/** The hour of a partition, in microseconds since the epoch; null: records without an end. */
type Hour = bigint | null

class Push {
  readonly #db: Database
  readonly #columns: readonly PushedColumn[]
  readonly #options: PushOptions
  readonly #report: PushReport
  readonly #staging: string

  constructor(db: Database, columns: readonly PushedColumn[], options: PushOptions, report: PushReport) {
    this.#db = db
    this.#columns = columns
    this.#options = options
    this.#report = report
    this.#staging = join(options.to, passingName())
  }

  async run(head: string, sources: string[]): Promise<void> {
    const { to, signal } = this.#options
    const columns = this.#columns.map(({ name, kind }) => ({ name, kind }))
    const manifest: Manifest = {
      ...{ version: 1, complete: false, tidemark: version(), pushed: new Date().toISOString() },
      ...{ host: hostname(), pid: process.pid, case_head: head, sources, columns, files: [] },
    }
    await writeManifest(to, manifest)
    try {
      await mkdir(this.#staging)
      const staged = await this.#write(head)
      signal?.throwIfAborted()
      // What is listed before it is put in place can be taken away after a break.
      manifest.files = staged
      await writeManifest(to, manifest)
      for (const { path } of staged) await this.#place(path)
      await writeManifest(to, { ...manifest, complete: true })
    } catch (error) {
      await undo(to, manifest)
      throw error
    } finally {
      await rm(this.#staging, { recursive: true, force: true })
    }
    this.#report.files = manifest.files
    this.#report.bytes = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  async #write(head: string): Promise<PushedFile[]> {
    const hours = await this.#hours()
    const files: PushedFile[] = []
    for (const [done, { hour, rows }] of hours.entries()) {
      this.#options.onProgress?.(done, hours.length)
      this.#options.signal?.throwIfAborted()
      files.push(...(await this.#writeHour(hour, rows, head)))
    }
    return files
  }

  async #hours(): Promise<{ hour: Hour; rows: number }[]> {
    const rows = await this.#db.rows(
      `SELECT (epoch_us(_end) - ((epoch_us(_end) % ${hourUs}) + ${hourUs}) % ${hourUs})::BIGINT AS hour, count(*) AS n,
       count(*) FILTER (_kind = 'flow') AS flows FROM pushed_rows GROUP BY 1 ORDER BY 1`,
    )
    if (rows.length > hoursMax) {
      throw new UserError(`the records lie in ${integerText(rows.length)} different hours, and each is a folder`, {
        hint: 'nothing was pushed; look for times that are not sound: tidemark flows --bin 1d',
      })
    }
    for (const { n, flows } of rows) {
      this.#report.records += Number(flows)
      this.#report.silence += Number(n) - Number(flows)
    }
    return rows.map(({ hour, n }) => ({ hour: hour === null ? null : BigInt(hour as bigint), rows: Number(n) }))
  }

  /** Writes the rows of an hour, in the order of the evidence, and says which files they are in. */
  async #writeHour(hour: Hour, rows: number, head: string): Promise<PushedFile[]> {
    const out = join(this.#staging, 'out')
    await mkdir(out)
    const names = this.#columns.map(({ name }) => quotedName(name)).join(', ')
    const { fileBytes = fileBytesDefault } = this.#options
    const isOne = rows * rowBytes <= fileBytes
    const target = isOne ? join(out, 'data_0.parquet') : out
    const several = isOne ? '' : `, FILE_SIZE_BYTES ${fileBytes}`
    await this.#db.run(
      `COPY (SELECT ${names} FROM pushed_rows WHERE ${hourTest(hour)}) TO ${quotedString(target)} (${parquetOptions(rows)}${several})`,
    )
    const folder = partitionOf(hour)
    const files: PushedFile[] = []
    const written = (await readdir(out)).sort((a, b) => numberIn(a) - numberIn(b))
    await mkdir(join(this.#staging, folder), { recursive: true })
    for (const [i, name] of written.entries()) {
      const path = `${folder}/tidemark-${head.slice(0, 12)}-${String(i + 1).padStart(4, '0')}.parquet`
      const staged = join(this.#staging, path)
      await rename(join(out, name), staged)
      await sync(staged)
      files.push({ path, rows: await this.#rowsOf(staged), ...(await digestOfFile(staged)) })
    }
    await rm(out, { recursive: true })
    const found = files.reduce((sum, one) => sum + one.rows, 0)
    if (found !== rows) throw new Error(`${rows} rows of ${folder} were to be written, and ${found} are there`)
    return files
  }

  async #rowsOf(path: string): Promise<number> {
    const [row] = await this.#db.rows(`SELECT num_rows AS n FROM parquet_file_metadata(${quotedPath(path)})`)
    return Number(row?.['n'])
  }

  async #place(path: string): Promise<void> {
    const target = join(this.#options.to, path)
    await mkdir(dirname(target), { recursive: true })
    await rename(join(this.#staging, path), target)
    await sync(dirname(target))
  }
}

/** A test of the column as it is in the segments, so that those of other hours are not read. */
function hourTest(hour: Hour): string {
  return hour === null ? '_end IS NULL' : `_end >= make_timestamp(${hour}) AND _end < make_timestamp(${hour + hourUs})`
}

function partitionOf(hour: Hour): string {
  if (hour === null) return unknownPartition
  const text = new Date(Number(hour / 1000n)).toISOString()
  const at = text.indexOf('T')
  return `day=${text.slice(0, at)}/hour=${text.slice(at + 1, at + 3)}`
}

function numberIn(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0)
}
