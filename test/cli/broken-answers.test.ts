import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import { Database, quotedString } from '../../src/store/duckdb.ts'
import { cliEntry } from '../repo.ts'
import { logOf } from '../robustness/support.ts'
import { tidemark } from './run.ts'

// What fails on the way to its end must never look like its end.

const root = mkdtempSync(join(tmpdir(), 'tidemark-broken-'))
after(() => rmSync(root, { recursive: true, force: true }))
const records = 120_000
const sound = join(root, 'sound')
const broken = join(root, 'broken')

writeFileSync(join(root, 'a.log'), logOf(records))
for (const dir of [sound, broken])
  await addEvidence({ case: dir, paths: [join(root, 'a.log')], workers: 1, rowsPerSegment: 40_000 })
await breakLastRows(broken)

/** Writes nonsense over the pages of the last segment: all rows before it can be read. */
async function breakLastRows(dir: string): Promise<void> {
  const db = await Database.open({ threads: 1, memoryLimit: '512MB', tempDirectory: null })
  const segments = readdirSync(join(dir, 'segments')).filter(name => name.startsWith('flows-'))
  const files = segments.map(name => quotedString(join(dir, 'segments', name))).join(', ')
  const [last] = await db.rows(
    `SELECT filename AS path, max(_line) AS line FROM read_parquet([${files}], filename=true) GROUP BY ALL ORDER BY line DESC`,
  )
  const path = String(last!['path'])
  const pages = await db.rows(`SELECT data_page_offset AS at FROM parquet_metadata(${quotedString(path)})`)
  db.close()
  const bytes = readFileSync(path)
  for (const page of pages) bytes.fill(0xff, Number(page['at']), Number(page['at']) + 24)
  writeFileSync(path, bytes)
}

function assertTold(args: string[]): number {
  const { status, stdout, stderr } = tidemark(args)
  const shown = `${args.join(' ')}: ${status}\n${stdout.slice(-300)}\n${stderr}`
  assert.ok(status !== 0 && status !== 70, shown)
  assert.match(stderr, /^tidemark: /m, shown)
  if (args.includes('--json')) assert.throws(() => JSON.parse(stdout), shown)
  assert.doesNotMatch(stdout, /total_rows|\b120,000 (rows|records)\b/, shown)
  return status!
}

const late = `SELECT CASE WHEN i = 299999 THEN ('x' || i)::INT ELSE i END AS n FROM range(300000) t(i)`

test('sql: a query that fails at its last row has status 1, and no total, in any format', () => {
  for (const format of [[], ['--json'], ['--csv', '--limit', 'all'], ['--ndjson', '--limit', 'all']]) {
    assert.equal(assertTold(['sql', late, '--case', sound, ...format]), 1)
  }
})

test('a damaged segment is told by every question that reads it, in any format', () => {
  const questions = [
    ['sql', 'SELECT srcaddr, bytes FROM flows', '--limit', 'all'],
    ['sql', 'SELECT max(bytes) FROM flows'],
    ['flows', '-n', '0'],
    ['flows', '-n', '0', '-s', 'ip/bytes'],
    ['flows', '-n', '0', '-A', 'srcip,dstport'],
    ['flows', '-n', '0', '-b'],
    ['flows', '-n', '0', '--bin', '1h'],
  ]
  for (const question of questions) {
    assertTold([...question, '--json', '--case', broken])
  }
  // What writes each format is the same for all questions.
  for (const format of [[], ['--csv'], ['--ndjson']]) {
    assertTold(['sql', 'SELECT srcaddr, bytes FROM flows', '--limit', 'all', ...format, '--case', broken])
    assertTold(['flows', '-n', '0', ...format, '--case', broken])
  }
  assertTold(['flows', '-n', '0', '--parquet', join(root, 'out.parquet'), '--case', broken])
  assertTold(['investigate', '198.51.100.7', '--case', broken])
  assert.equal(tidemark(['verify', '--case', broken]).status, 1)
})

test('flows --json is one document, whatever its length, and memory does not grow with it', () => {
  const { status, stdout } = tidemark(['flows', '-n', '0', '--json', '--case', sound], {
    env: { NODE_OPTIONS: '--max-old-space-size=64' },
  })
  assert.equal(status, 0)
  const document = JSON.parse(stdout) as { rows: unknown[]; total_rows: number; truncated: boolean }
  assert.deepEqual([document.rows.length, document.total_rows, document.truncated], [records, records, false])
})

test('who reads no more ends the work, without an error', async () => {
  for (const args of [
    ['flows', '-n', '0', '--ndjson'],
    ['flows', '-n', '0', '--json'],
    ['sql', 'SELECT i FROM range(2000000000) t(i)', '--csv', '--limit', 'all', '--max-output', '64G'],
  ]) {
    const child = spawn(process.execPath, [cliEntry, ...args, '--case', sound], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.on('data', piece => {
      said += String(piece)
    })
    child.stdout.once('data', () => child.stdout.destroy())
    const status = await new Promise(resolve => child.on('close', resolve))
    assert.equal(status, 0, said)
    assert.doesNotMatch(said, /EPIPE|bug|fault/)
  }
})

test('a page shows the begin of a long cell and says so; the other formats have all of it', () => {
  const page = tidemark(['sql', 'SELECT range(3000000) AS list, repeat(chr(97), 9000000) AS text', '--case', sound])
  assert.equal(page.status, 0, page.stderr)
  assert.ok(page.stdout.length < 20_000)
  assert.match(page.stdout, /2 cells cut after 2,000 characters/)
  const csv = tidemark(['sql', 'SELECT repeat(chr(97), 3000000) AS text', '--csv', '--case', sound])
  assert.ok(csv.stdout.length > 3_000_000)
})

test('names of columns and of fields are data, and none is lost', () => {
  const sql = `SELECT (1, 2) AS "__proto__", {'__proto__': 3, 'constructor': 4} AS constructor, MAP {'__proto__': 5, 'a': 6} AS m, 7 AS m, [(8, 'x')] AS l`
  const { stdout } = tidemark(['sql', sql, '--ndjson', '--case', sound])
  const expected =
    '{"__proto__":[1,2],"constructor":{"__proto__":3,"constructor":4},"m":{"__proto__":5,"a":6},"m_2":7,"l":[[8,"x"]]}'
  assert.equal(stdout.trim(), expected)
  const json = tidemark(['sql', sql, '--json', '--case', sound]).stdout
  assert.deepEqual(JSON.parse(json).rows, [JSON.parse(expected)])
  const page = tidemark(['sql', sql, '--case', sound]).stdout
  for (const text of ['[1,2]', '"constructor":4', '"a":6', '[[8,"x"]]']) assert.ok(page.includes(text), page)
  const csv = tidemark(['sql', sql, '--csv', '--case', sound]).stdout
  assert.match(csv, /^__proto__,constructor,m,m_2,l\r\n/)
})
