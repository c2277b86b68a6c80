/**
 * The process that runs queries: `query-child.js CASE MEBIBYTES THREADS [HEAD]`.
 *
 * It opens the case, gives up every file but those of the segments and the cache, and answers one query after the other. It may be killed at any time: it
 * holds nothing, and its end is that of whoever started it.
 */
import { once } from 'node:events'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { argv, exit, kill, memoryUsage, pid, stdin, stdout } from 'node:process'
import { errorText } from '../errors.ts'
import type { ValueType } from '../store/answer.ts'
import { type Case, openCase } from '../store/case.ts'
import { reasonOf } from '../store/damage.ts'
import type { Value } from '../store/duckdb.ts'
import { caseFiles } from '../store/files.ts'
import { question } from '../store/question.ts'
import { clearSpill } from '../store/spill.ts'
import { columnsOf, encode, type Sent } from './cells.ts'
import { failureOf, refusalFailure, withoutPaths } from './failure.ts'
import { createFunctions } from './functions.ts'
import { refusalOf } from './gate.ts'
import { overViews } from './pasted.ts'
import { type Answer, type Ending, type Failure, type Request, request } from './protocol.ts'
import { viewNames } from './schema.ts'
import { createDocumentedViews, takenNames, workedOut, workOut } from './views.ts'

/** The result's rows are counted to their end, but not for longer. */
const countMillisecondsMax = 10_000
const rowsAtOnce = 500
const bytesAtOnce = 16 * 2 ** 20
const spill = '8GiB'
const spareBytes = 3 * 2 ** 29

const [caseDir = '', mebibytes = '1024', threads = '2', head = ''] = argv.slice(2)

async function main(): Promise<void> {
  // For systems without limits of their own: DuckDB's limit does not hold for every allocation.
  setInterval(() => {
    if (memoryUsage.rss() < Number(mebibytes) * 2 ** 20 + spareBytes) return
    void send({ error: { kind: 'memory', message: 'out of memory' } }).then(leave)
  }, 100).unref()
  const c = await openCase(await realpath(caseDir).catch(() => caseDir), {
    memoryLimit: `${Number(mebibytes)}MiB`,
    threads: Number(threads),
    ...(head !== '' && { head }),
  })
  const { names, taken } = await prepare(c)
  await send({ ready: names })
  for await (const line of linesOf(stdin)) await respond(c, taken, request(JSON.parse(line)))
}

async function prepare(c: Case): Promise<{ names: Record<string, string[]>; taken: ReadonlySet<string> }> {
  const taken = await takenNames(c)
  await createFunctions(c.db)
  await createDocumentedViews(c)
  const columns = await c.db.rows(
    "SELECT table_name AS view, column_name AS name FROM duckdb_columns() WHERE schema_name = 'tidemark' ORDER BY column_index",
  )
  const names = Object.fromEntries(
    viewNames.map(view => [view, columns.filter(row => row['view'] === view).map(row => String(row['name']))]),
  )
  await c.db.run("SET TimeZone = 'UTC'")
  await c.db.run(`SET max_temp_directory_size = '${spill}'`)
  await c.db.run('SET errors_as_json = true')
  // What a view needs may be in the cache, or be kept there.
  await c.db.confineTo(join(c.dir, caseFiles.segments), join(c.dir, caseFiles.cache))
  return { names, taken }
}

const done = new Set<string>()

/** Works out the views that a query names, unless an earlier one did. On a connection of its own: there the case's own names stand alone. */
async function workOutFor(c: Case, tree: string, asked: Request): Promise<void> {
  const named = workedOut.filter(view => !done.has(view) && tree.toLowerCase().includes(`"table_name":"${view}"`))
  if (named.length === 0) return
  await question(c, AbortSignal.timeout(asked.milliseconds_max), async own => {
    for (const view of named) {
      await workOut(own, view)
      done.add(view)
    }
  })
}

async function respond(c: Case, taken: ReadonlySet<string>, given: Request): Promise<void> {
  const asked = { ...given, sql: overViews(given.sql, c.dir, c.source) }
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    c.db.interrupt()
  }, asked.milliseconds_max)
  try {
    const serialized = await c.db.rows('SELECT json_serialize_sql($1::VARCHAR) AS tree', [asked.sql])
    const refusal = refusalOf(JSON.parse(String(serialized[0]!['tree'])), taken)
    if (refusal === null) await workOutFor(c, String(serialized[0]!['tree']), asked)
    if (timedOut) throw new Error('time is up')
    if (refusal !== null) await send({ error: refusalFailure(refusal) })
    else if (asked.explain) await explain(c, asked.sql)
    else await run(c, asked)
  } catch (error) {
    const failure: Failure = timedOut
      ? { kind: 'time', message: 'time is up' }
      : failureOf(await causeOf(c, error), c.dir)
    await send({ error: failure })
    // A database that has met a fault of its own is not asked again.
    if (failure.kind === 'fault') exit(1)
  } finally {
    clearTimeout(timer)
  }
}

/** Errors that come of the query, or of its limits, and those that may but also come of what was read. */
const ofQuery =
  /"exception_type":"(Parser|Syntax|Binder|Catalog|Permission|Out of Memory|INTERRUPT|Interrupt|Not implemented)"/
const mayBeOfQuery = /"exception_type":"(Conversion|Invalid Input|Out of Range|Invalid type|Mismatch Type)"/

/** A damaged segment, where DuckDB failed on what it read and not on the query. */
async function causeOf(c: Case, error: unknown): Promise<unknown> {
  const text = errorText(error)
  if (ofQuery.test(text) || (mayBeOfQuery.test(text) && !/parquet|page|segments\//i.test(text))) return error
  return reasonOf(c, error)
}

async function explain(c: Case, sql: string): Promise<void> {
  // The text is one SELECT statement by itself: nothing in it can belong to EXPLAIN.
  const rows = await c.db.rows(`EXPLAIN ${sql}`)
  await send({ plan: withoutPaths(rows.map(row => String(row['explain_value'])).join('\n'), c.dir) })
}

async function run(c: Case, asked: Request): Promise<void> {
  const result = await c.db.stream(asked.sql)
  await send({ columns: columnsOf(result.names, result.types.map(String)) })
  const end: Ending = { total: 0, counted: 0, cut_by: null }
  let bytes = 0
  let sent = 0
  let countUntil = Number.POSITIVE_INFINITY
  for await (const batch of result) {
    if (end.cut_by === null) {
      const rows = fitting(batch, result.types, asked.rows_max - sent, asked.bytes_max - bytes)
      for (const part of rows.parts) await send({ rows: part })
      sent += rows.count
      bytes += rows.bytes
      if (rows.count < batch.length) end.cut_by = sent >= asked.rows_max ? 'rows' : 'bytes'
    }
    end.counted += batch.length
    if (end.cut_by !== null && countUntil === Number.POSITIVE_INFINITY) countUntil = Date.now() + countMillisecondsMax
    if (Date.now() > countUntil) return send({ end: { ...end, total: null } })
  }
  await send({ end: { ...end, total: end.counted } })
}

/** The first rows, as they are sent, as many as there is room for; in parts that are not too long for one text. */
function fitting(
  rows: readonly (readonly Value[])[],
  types: readonly ValueType[],
  most: number,
  room: number,
): { parts: Sent[][][]; count: number; bytes: number } {
  const parts: Sent[][][] = []
  let part: Sent[][] = []
  let [count, bytes, ofPart] = [0, 0, 0]
  for (const row of rows) {
    if (count >= most) break
    const encoded = row.map((value, i) => encode(value, types[i]!))
    const size = JSON.stringify(encoded).length
    if (bytes + size > room) break
    if (part.length >= rowsAtOnce || (part.length > 0 && ofPart + size > bytesAtOnce)) {
      parts.push(part)
      part = []
      ofPart = 0
    }
    part.push(encoded)
    count++
    bytes += size
    ofPart += size
  }
  if (part.length > 0) parts.push(part)
  return { parts, count, bytes }
}

async function send(answer: Answer): Promise<void> {
  if (!stdout.write(`${JSON.stringify(answer)}\n`)) await once(stdout, 'drain')
}

/** Lines as they come; read on while a query runs, so that the end is noticed: whoever asked is gone then. */
async function* linesOf(input: NodeJS.ReadStream): AsyncGenerator<string> {
  const lines: string[] = []
  let rest = ''
  let wake = (): void => {}
  input.setEncoding('utf8')
  input.on('data', piece => {
    const parts = (rest + String(piece)).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) lines.push(line)
    wake()
  })
  input.on('end', () => void leave())
  for (;;) {
    while (lines.length > 0) yield lines.shift()!
    await new Promise<void>(resolve => {
      wake = resolve
    })
  }
}

/** Ends at once, whatever DuckDB is busy with: it would be waited for. */
async function leave(): Promise<void> {
  await clearSpill(caseDir, pid).catch(() => {})
  kill(pid, 'SIGKILL')
}

main().catch(async error => {
  const failure = failureOf(error, caseDir)
  const stack = String(error instanceof Error ? error.stack : error)
  await send({ error: failure.kind === 'case' ? failure : { kind: 'fault', message: stack } })
  exit(1)
})
