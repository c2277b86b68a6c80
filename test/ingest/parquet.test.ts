import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type AddOptions, addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'
import { Database, quotedString } from '../../src/store/duckdb.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { cliEntry } from '../repo.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-parquet-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Columns of a flow log of rows `i`, all of them text or integers but for those that are given. */
function columns(given: Record<string, string> = {}): string {
  const all: Record<string, string> = {
    version: '2',
    interface_id: "'eni-1'",
    srcaddr: "'192.0.2.' || i % 200",
    dstaddr: "'10.0.0.1'",
    srcport: '(hash(i) % 60000)::INT',
    dstport: '443',
    protocol: '6',
    packets: 'i',
    bytes: '(hash(i * 7) % 1000000007)::BIGINT',
    start: '1700000000 + i // 1000',
    end: '1700000059 + i // 1000',
    action: "'ACCEPT'",
    log_status: "'OK'",
    ...given,
  }
  return Object.entries(all)
    .map(([name, sql]) => `${sql} AS "${name}"`)
    .join(', ')
}

async function parquet(name: string, rows: number, select = columns(), options = ''): Promise<string> {
  const path = join(folder, name)
  const db = await Database.open({ threads: 1, memoryLimit: '1GB', tempDirectory: null })
  await db.run(
    `COPY (SELECT ${select} FROM range(${rows}) t(i)) TO ${quotedString(path)} (FORMAT parquet, COMPRESSION zstd${options})`,
  )
  db.close()
  return path
}

/** Writes nonsense over the page of a column in a row group. */
async function damage(path: string, group: number): Promise<void> {
  const db = await Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: null })
  const [row] = await db.rows(
    `SELECT data_page_offset AS at FROM parquet_metadata(${quotedString(path)}) WHERE row_group_id = ${group} AND path_in_schema = 'bytes'`,
  )
  db.close()
  const bytes = readFileSync(path)
  bytes.fill(0xff, Number(row!['at']), Number(row!['at']) + 16)
  writeFileSync(path, bytes)
}

async function add(path: string, options: Partial<AddOptions> = {}): ReturnType<typeof addEvidence> {
  return addEvidence({ case: `${path}.case`, paths: [path], workers: 1, ...options })
}

test('a damaged page in the last row group is told, with the row, and no row is kept', async () => {
  const path = await parquet('damaged.parquet', 200_000, columns(), ', ROW_GROUP_SIZE 20480')
  await damage(path, 9)
  const report = await add(path)
  const file = report.files[0]!
  assert.equal(file.status, 'unreadable')
  assert.match(file.problem!, /^Parquet: .*\(after row \d+ of 200000; none is kept\)$/)
  assert.equal(report.case_records, 0)
})

test('a file that expands without end is read up to the limit, and that is told by its row', async () => {
  const same = columns({ srcaddr: "'192.0.2.1'", srcport: '1000', packets: '1', bytes: '40', start: '1', end: '2' })
  const path = await parquet('bomb.parquet', 2_000_000, same, ', ROW_GROUP_SIZE 2000000')
  assert.ok(statSync(path).size < 20_000)
  for (const [options, limit] of [
    [
      { maxExpandedBytes: 2_000_000 },
      /^row \d+: stopped at 2000000 expanded bytes \(--max-expanded raises the limit\)$/,
    ],
    [{}, /^row \d+: stopped: it expands more than 200:1, as no flow log does \(--max-expand raises the limit\)$/],
  ] as const) {
    rmSync(`${path}.case`, { recursive: true, force: true })
    const report = await add(path, options)
    const file = report.files[0]!
    assert.equal(file.status, 'partly-read')
    assert.match(file.problem!, limit)
    assert.deepEqual([file.malformed, file.records], [0, file.lines])
    assert.ok(file.records > 10_000 && file.records < 1_500_000, String(file.records))
    assert.ok(report.problems.some(problem => 'line' in problem && problem.line === file.lines + 1))
  }
  rmSync(`${path}.case`, { recursive: true, force: true })
  assert.equal((await add(path, { maxExpandRatio: 1e9 })).files[0]!.status, 'read')
})

test('a value that no field can have is a malformed line; the other rows are read', async () => {
  const odd = (normal: string, value: string): string => `CASE WHEN i = 2500 THEN ${value} ELSE ${normal} END`
  const path = await parquet(
    'odd.parquet',
    3000,
    columns({
      bytes: odd('i::DOUBLE', "'inf'::DOUBLE"),
      start: `CASE WHEN i = 2600 THEN 'infinity'::TIMESTAMP ELSE make_timestamp(1700000000000000 + i) END`,
      packets: `CASE WHEN i = 2700 THEN '-inf'::FLOAT ELSE 1 END`,
    }),
  )
  const report = await add(path)
  const file = report.files[0]!
  assert.deepEqual([file.status, file.lines, file.malformed], ['read', 3000, 3])
  assert.deepEqual(
    report.problems.map(problem => 'line' in problem && problem.line),
    [2501, 2601, 2701],
  )
  const c = await openCase(`${path}.case`)
  assert.deepEqual(await c.db.rows('SELECT count(*) AS n, max(bytes) AS most FROM flows'), [{ n: 2997, most: 2999 }])
  await c.close()
})

test('a column whose name is a damaged one of AWS makes the file unreadable, as a header does', async () => {
  const select = columns().replace('"dstaddr"', '"dstadr"')
  const [entry] = (await add(await parquet('name.parquet', 10, select))).files
  assert.equal(entry?.status, 'unreadable')
  assert.equal(entry?.problem, 'the names of its columns are damaged: no field is called "dstadr"')
  const known = await parquet('unknown.parquet', 10, `${columns()}, 'x' AS "cost_centre", 2024 AS "year"`)
  assert.equal((await add(known)).files[0]?.status, 'read')
})

test('blanks and control characters in a text keep their own codes: different values stay different', async () => {
  const values = ['a b', 'a\tb', 'a\nb', 'a\0b', 'é ü', 'a%b']
  const texts = values
    .map(value => `'${value}'`)
    .join(', ')
    .replaceAll("'a\0b'", "'a' || chr(0) || 'b'")
  const path = await parquet('blanks.parquet', values.length, `${columns()}, [${texts}][i + 1] AS cost_centre`)
  await add(path)
  const c = await openCase(`${path}.case`)
  const rows = await c.db.rows('SELECT cost_centre AS v FROM flows ORDER BY packets')
  assert.deepEqual(
    rows.map(row => row['v']),
    ['a%20b', 'a%09b', 'a%0Ab', 'a%00b', 'é%20ü', 'a%b'],
  )
  await c.close()
})

test('Ctrl-C while a sound file is read leaves no word of it in the ledger', async () => {
  const path = await parquet('sound.parquet', 1_500_000)
  const dir = `${path}.case`
  // The terminal sends the signal to the whole group.
  const child = spawn(process.execPath, [cliEntry, 'add', path, '--case', dir], { detached: true, stdio: 'ignore' })
  const ended = new Promise<number | null>(resolve => child.on('exit', code => resolve(code)))
  while (!existsSync(join(dir, 'incoming')) || !incomingHasParquet(dir)) await new Promise(wait => setTimeout(wait, 20))
  await new Promise(wait => setTimeout(wait, 300))
  process.kill(-child.pid!, 'SIGINT')
  assert.equal(await ended, 130)
  assert.deepEqual((await readEvidence(dir)).files, [])
})

function incomingHasParquet(dir: string): boolean {
  return existsSync(join(dir, 'incoming')) && readdirSync(join(dir, 'incoming')).some(name => name.endsWith('.parquet'))
}
