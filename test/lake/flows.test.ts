import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Athena } from '../../src/engines/athena.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { Trino } from '../../src/engines/trino.ts'
import { UserError } from '../../src/errors.ts'
import { engineQuestion } from '../../src/flows/engine-question.ts'
import type { FlowsRequest, FlowsResult } from '../../src/flows/request.ts'
import { queryFlows } from '../../src/flows/run.ts'
import { isListing } from '../../src/flows/settle.ts'
import type { Case } from '../../src/store/case.ts'
import { Database } from '../../src/store/duckdb.ts'
import { canaries, metadata, startAthena } from '../engines/athena-stub.ts'
import { randomFrom } from '../filter/flows.ts'
import { randomFilter } from '../filter/random-filter.ts'
import { randomLines, randomRequest } from '../flows/random-case.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'
import { requests, writeCases } from '../query/requests.ts'
import { lake, withTrino } from './cluster.ts'
import { ask, ownSchema } from './trino.ts'

const names =
  'version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status tcp_flags'.split(
    ' ',
  )
const texts = new Set(['account_id', 'interface_id', 'srcaddr', 'dstaddr', 'action', 'log_status'])
const bigs = new Set(['packets', 'bytes', 'start', 'end'])
const typeOf = (name: string): string => (texts.has(name) ? 'varchar' : bigs.has(name) ? 'bigint' : 'integer')
const columns = names.map(name => `"${name}" ${typeOf(name)}`)

const seed = Number(process.env['TIDEMARK_SEED'] ?? 16)
let schema = ''
let work: Work
let local: Case
let folder = ''

/** The same records as text of AWS, as its Parquet, and as a pushed table in folders of hours. */
const forms = ['text', 'plain_text', 'parquet', 'pushed'] as const

before(async () => {
  if (withTrino.skip !== false) return
  schema = await ownSchema('flows')
  work = workFolder()
  writeCases(work.root)
  folder = join(lake().lake, schema)
  const files = [1, 2, 3].map(i => {
    const lines = randomLines(400, seed * 10 + i)
    for (let n = 0; n < 5; n++) {
      const begin = 1_700_000_000 + n * 60
      lines.push(`2 1 eni-${n} - - - - - - - ${begin} ${begin + 60} - ${n % 2 === 0 ? 'NODATA' : 'SKIPDATA'} -`)
    }
    return `${names.map(name => name.replaceAll('_', '-')).join(' ')}\n${lines.join('\n')}\n`
  })
  const paths = files.map((text, i) => {
    writeFileSync(join(work.root, `${i}.log`), text)
    return join(work.root, `${i}.log`)
  })
  local = await caseOf(work.root, paths, 'case')
  for (const form of forms) mkdirSync(join(folder, form), { recursive: true })
  for (const [i, text] of files.entries()) {
    for (const form of ['text', 'plain_text']) writeFileSync(join(folder, form, `${i}.log.gz`), gzipSync(text))
  }
  await writeParquet(paths)
  const asText = `format = 'TEXTFILE', textfile_field_separator = ' ', skip_header_line_count = 1`
  const at = (form: string): string => `external_location = 'local:///${schema}/${form}'`
  await ask(`CREATE TABLE hive.${schema}.text (${columns}) WITH (${asText}, null_format = '-', ${at('text')})`)
  const allText = names.map(name => `"${name}" varchar`)
  await ask(`CREATE TABLE hive.${schema}.plain_text (${allText}) WITH (${asText}, ${at('plain_text')})`)
  await ask(`CREATE TABLE hive.${schema}.parquet (${columns}) WITH (format = 'PARQUET', ${at('parquet')})`)
  const added = ['"start_us" bigint', '"end_us" bigint', '"source_path" varchar', '"source_line" bigint']
  const parts = [...columns, ...added, '"day" varchar', '"hour" varchar']
  await ask(
    `CREATE TABLE hive.${schema}.pushed (${parts}) WITH (format = 'PARQUET', partitioned_by = ARRAY['day', 'hour'], ${at('pushed')})`,
  )
  await ask(`CALL hive.system.sync_partition_metadata('${schema}', 'pushed', 'ADD')`)
})
after(async () => {
  if (withTrino.skip !== false) return
  await local.close()
  for (const form of forms) await ask(`DROP TABLE hive.${schema}.${form}`)
  rmSync(folder, { recursive: true, force: true })
  work.close()
})

async function writeParquet(paths: readonly string[]): Promise<void> {
  const db = await Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: null })
  const typed = names.map(name => `nullif("${name}", '-')::${typeOf(name)} AS "${name}"`)
  const given = names.map((name, i) => `column${String(i).padStart(2, '0')} AS "${name}"`)
  for (const [i, path] of paths.entries()) {
    const read = `SELECT ${given} FROM read_csv('${path}', header = false, skip = 1, delim = ' ', all_varchar = true)`
    await db.run(
      `COPY (SELECT ${typed} FROM (${read})) TO '${join(folder, 'parquet', `${i}.parquet`)}' (FORMAT parquet)`,
    )
  }
  const all = `read_parquet('${join(folder, 'parquet')}/*.parquet')`
  const at = `make_timestamp("end" * 1000000)`
  await db.run(`COPY (SELECT *, "start" * 1000000 AS start_us, "end" * 1000000 AS end_us, 'a' AS source_path, 1::BIGINT AS source_line,
    strftime(${at}, '%Y-%m-%d') AS day, strftime(${at}, '%H') AS hour FROM ${all})
    TO '${join(folder, 'pushed')}' (FORMAT parquet, PARTITION_BY (day, hour), WRITE_PARTITION_COLUMNS false)`)
  db.close()
}

interface Told {
  columns: unknown
  counting: object
  total_rows: unknown
  truncated: boolean
  sentence: string
  rows: string[]
}

const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)

/** What an answer says, without where a record is; a list in no order. */
async function told(result: FlowsResult, isList: boolean): Promise<Told> {
  const rows: string[] = []
  for await (const { path: _, line: __, ...row } of result.rows()) rows.push(JSON.stringify(row, plain))
  const { count_once_reason: _, ...counting } = result.counting
  return {
    columns: result.columns.filter(({ name }) => name !== 'path' && name !== 'line'),
    counting,
    total_rows: result.total_rows,
    truncated: result.truncated,
    sentence: result.sentence,
    rows: isList ? rows.sort() : rows,
  }
}

async function refused(asked: Promise<Told>): Promise<Told | string> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof UserError && error.status === 2) return error.message
    throw error
  }
}

/** Requests of every shape with random filters, and random ones. */
function* questions(count: number, of: number): Generator<FlowsRequest> {
  const random = randomFrom(of)
  const files = { addresses: ['hosts.txt'], ports: ['ports.txt'], texts: ['texts.txt'], services: ['services.txt'] }
  const shapes = [
    ...new Set(requests().map(({ request: { filter: _, evidence: __, ...shape } }) => JSON.stringify(shape))),
  ].map(text => JSON.parse(text) as FlowsRequest)
  const window = 'between 2023-11-14T22:20:00 and 2023-11-14T22:50:00'
  for (let i = 0; i < count; i++) {
    const shape = i % 3 === 2 ? randomRequest(random) : shapes[Math.floor(random() * shapes.length)]!
    const isWindow = shape.compare !== undefined || i % 5 === 0
    const filter = isWindow ? window : i % 4 === 0 ? 'any' : randomFilter(random, files, 2)
    const { first: _, ...rest } = shape
    yield { ...rest, filter, ...(isListing(shape) && { limit: null }) }
  }
}

/** What is refused for want of a case. */
const onlyLocal = /and --engine|in a filter for an engine/

/** Asks an engine and the local case the same, until that many were answered by both. */
async function compare(engine: Engine, count: number, of: number): Promise<void> {
  let same = 0
  for (const request of questions(3 * count + 10, of)) {
    if (same === count) break
    const options = { folder: work.root }
    const isList = isListing(request)
    const found = await refused(
      engineQuestion(engine, request, options)
        .then(question => question.ask())
        .then(result => told(result, isList)),
    )
    if (typeof found === 'string' && onlyLocal.test(found)) continue
    const asked = queryFlows(local, { ...request, raw: true }, options)
    const wanted = await refused(asked.then(result => told(result, isList)))
    assert.deepEqual(found, wanted, JSON.stringify(request))
    same++
  }
  assert.equal(same, count)
}

const count = Number(process.env['TIDEMARK_LAKE_QUESTIONS'] ?? 20)

for (const [i, form] of forms.entries()) {
  const options = { ...withTrino, timeout: 3_600_000 }
  test(`answers about a table of ${form.replace('_', ' ')} on Trino are those of a local case`, options, async () => {
    const at = { origin: lake().trino!, catalog: 'hive', schema, table: form }
    await compare(new Trino(at, { user: 'tidemark', password: null, token: null }), count, seed * 100 + i)
  })
}

/** Athena's client, whose statements a stand-in hands to Trino. */
for (const [i, form] of (['text', 'pushed'] as const).entries()) {
  const options = { ...withTrino, timeout: 3_600_000 }
  test(`answers about a table of ${form} through Athena’s protocol are those of a local case`, options, async () => {
    const stub = await startAthena()
    const environment = { ...process.env }
    Object.assign(process.env, canaries)
    try {
      stub.looks = 0
      stub.outcome = async ({ text, params }) => {
        const whole = `EXECUTE IMMEDIATE '${text.replaceAll("'", "''")}' USING ${params.join(', ')}`
        const rows = (await ask(params.length === 0 ? text : whole, schema)) as Record<string, string | null>[]
        return { rows: rows.map(row => Object.values(row)) }
      }
      const hive = names.map(name => [name, { varchar: 'string', integer: 'int', bigint: 'bigint' }[typeOf(name)]!])
      const added = { start_us: 'bigint', end_us: 'bigint', source_path: 'string', source_line: 'bigint' }
      const isPushed = form === 'pushed'
      const partitions: Record<string, string> = isPushed ? { day: 'string', hour: 'string' } : {}
      stub.table = metadata({ ...Object.fromEntries(hive), ...(isPushed && added) }, { partitions })
      const place = { catalog: 'AwsDataCatalog', database: schema, table: form }
      const aws = { endpoint: stub.address }
      const engine = new Athena(place, { workgroup: null, outputLocation: null, aws }, { patience: 0.01 })
      await compare(engine, count, seed * 100 + 50 + i)
    } finally {
      for (const name of Object.keys(canaries)) delete process.env[name]
      Object.assign(process.env, environment)
      await stub.close()
    }
  })
}

test('each statement scans its table once, and of partitions reads those of the window', withTrino, async () => {
  const at = { origin: lake().trino!, catalog: 'hive', schema, table: 'pushed' }
  const hour = 'between 2023-11-14T22:20:00 and 2023-11-14T22:30:00'
  const shapes: FlowsRequest[] = [
    { limit: 5 },
    { by: ['srcip'], percentiles: ['bytes/95'], distinct: ['dstip'], other: true, limit: 2 },
    { stat: { element: 'ip' } },
    { bidirectional: true, by: ['dstport'] },
    { bin_ms: 60_000, by: ['proto'], other: true, limit: 1 },
    { bin_ms: 60_000 },
  ]
  for (const shape of shapes) {
    const engine = new Trino(at, { user: 'tidemark', password: null, token: null })
    const question = await engineQuestion(engine, { ...shape, filter: `${hour} and src net 10.0.0.0/8` })
    const { partitions, partitions_of_table } = await question.estimate()
    assert.ok(partitions! < partitions_of_table!, `${partitions} of ${partitions_of_table}`)
    const before = engine.ran.length
    const { sql } = await question.ask()
    const [{ 'Query Plan': plan } = {}] = await ask(`EXPLAIN (TYPE DISTRIBUTED) ${sql}`, schema)
    assert.equal(
      String(plan).match(/\b(TableScan|ScanFilter|ScanProject|ScanFilterProject)\[/g)?.length,
      1,
      String(plan),
    )
    // 22:15 to 22:45.
    const folderOfHour = join(folder, 'pushed', 'day=2023-11-14', 'hour=22')
    const size = readdirSync(folderOfHour).reduce((sum, name) => sum + statSync(join(folderOfHour, name)).size, 0)
    for (const { bytes } of engine.ran.slice(before)) assert.ok(bytes! <= size * 1.1, `${bytes} of ${size}`)
  }
})
