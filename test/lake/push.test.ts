import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { lockFolder, plainLock } from '../../src/lake/manifests.ts'
import { pushCase } from '../../src/lake/push.ts'
import { Database } from '../../src/store/duckdb.ts'
import { temporaryFolder, tidemark } from '../cli/run.ts'
import { caseOf } from '../flows/support.ts'
import { cliEntry } from '../repo.ts'
import { foundRows, fractionalCase, wantedRows, writeLogs } from './pushed-case.ts'

async function readBack(to: string): Promise<Record<string, unknown>[]> {
  const db = await Database.open({ threads: 1, memoryLimit: '256MB', tempDirectory: null })
  const rows = await db.rows(
    `FROM read_parquet('${to}/*/*/*.parquet', hive_partitioning = true, union_by_name = true, hive_types = {day: VARCHAR, hour: VARCHAR})`,
  )
  await db.close()
  return rows
}

const parquets = (to: string): string[] =>
  readdirSync(to, { recursive: true })
    .map(String)
    .filter(name => name.endsWith('.parquet'))
    .sort()

test('what was pushed is what the case holds, field by field', async t => {
  const root = temporaryFolder(t)
  const c = await fractionalCase(root)
  t.after(() => c.close())
  const to = join(root, 'lake')
  const report = await pushCase(c, { to })
  const wanted = await wantedRows(c)
  const found = foundRows(await readBack(to))
  assert.equal(found.size, wanted.size)
  for (const [key, row] of wanted) assert.deepEqual(found.get(key), row, key)
  assert.equal(report.records + report.silence, wanted.size)
  assert.equal(report.silence, 4)
  assert.deepEqual(report.files.map(({ path }) => path).sort(), parquets(to))
  assert.equal(
    report.files.reduce((sum, { rows }) => sum + rows, 0),
    wanted.size,
  )
  assert.ok(parquets(to).some(name => name.startsWith('day=__HIVE_DEFAULT_PARTITION__/')))
})

test('addresses have Bloom filters in every group of rows, however many there are', async t => {
  const root = temporaryFolder(t)
  const c = await fractionalCase(root)
  t.after(() => c.close())
  const to = join(root, 'lake')
  // More addresses than DuckDB's own limit of a dictionary.
  await c.db.run(`CREATE OR REPLACE VIEW flows AS SELECT * REPLACE ({hi: 0::UBIGINT, lo: (281470681743360 + i)::UBIGINT} AS srcaddr,
    make_timestamp(1700000000000000) AS "end") FROM whole, range(150) AS many(k), LATERAL (SELECT k * 1000 + _line + _file * 500 AS i) LIMIT 100000`)
  await pushCase(c, { to })
  const path = parquets(to).toSorted((a, b) => statSync(join(to, b)).size - statSync(join(to, a)).size)[0]!
  const rows = await c.db.rows(
    `SELECT path_in_schema, count(*) AS groups, count(bloom_filter_offset) AS filters FROM parquet_metadata('${join(to, path)}')
     WHERE path_in_schema IN ('srcaddr', 'dstaddr') AND stats_null_count < num_values GROUP BY ALL`,
  )
  assert.equal(
    rows.length,
    2,
    JSON.stringify([path, rows], (_, value: unknown) => String(value)),
  )
  for (const { groups, filters } of rows) assert.equal(filters, groups)
})

test('an hour that fills several files is in several, and no row is lost', async t => {
  const root = temporaryFolder(t)
  const c = await fractionalCase(root, 400)
  t.after(() => c.close())
  await c.db.run(`CREATE OR REPLACE VIEW flows AS SELECT * REPLACE (make_timestamp(1700000000000000 + k) AS "end",
    ((hash(k, _line)) % 1000000000000)::UBIGINT AS bytes) FROM whole, range(200) AS many(k)`)
  const to = join(root, 'lake')
  const report = await pushCase(c, { to, fileBytes: 500_000 })
  assert.equal(report.records, 160_000)
  const large = report.files.filter(({ path }) => path.startsWith('day=2023-11-14/hour=22/'))
  assert.ok(large.length > 1, String(large.length))
  assert.deepEqual(
    large.map(({ path }) => path.slice(-12)),
    large.map((_, i) => `000${i + 1}.parquet`),
  )
  const [row] = await c.db.rows(
    `SELECT count(*) AS n, count(DISTINCT (source_sha256, source_line, end_us)) AS different FROM read_parquet('${to}/*/*/*.parquet')`,
  )
  assert.deepEqual([Number(row!['n']), Number(row!['different'])], [160_004, 160_004])
})

test('a second push writes nothing, and one of a case that has grown only what is new', async t => {
  const root = temporaryFolder(t)
  const [first, second] = writeLogs(join(root, 'logs'), 20) as [string, string]
  const to = join(root, 'lake')
  const dir = join(root, 'case')
  assert.equal(tidemark(['add', '--case', dir, first]).status, 0)
  const push = () => tidemark(['lake', 'push', '--case', dir, '--to', to, '--location', 's3://bucket/lake'])
  const one = push()
  assert.equal(one.status, 0, one.stderr)
  assert.match(one.stderr, /20 records and 2 lines without data, from 1 file of evidence, in 2 files of Parquet/)
  assert.match(one.stdout, /^CREATE TABLE "flow_logs" \(/)
  const before = parquets(to)
  const two = push()
  assert.match(two.stderr, /nothing to write; 1 file of evidence were there already/)
  assert.equal(two.stdout, one.stdout)
  assert.deepEqual(parquets(to), before)
  assert.equal(tidemark(['add', '--case', dir, second]).status, 0)
  assert.match(push().stderr, /20 records .* from 1 file of evidence, .*; 1 file of evidence were there already/)
  assert.equal((await readBack(to)).length, 44)
  const ddl = tidemark(['lake', 'ddl', to, '--location', 's3://bucket/lake'])
  assert.equal(ddl.stdout, one.stdout)
})

test('a counter that no engine can hold stops the push and is named; nothing is left', async t => {
  const root = temporaryFolder(t)
  const [path] = writeLogs(join(root, 'logs'), 5) as [string]
  const huge = join(root, 'logs', 'huge.log')
  const fields = '2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1'
  const text = `version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status`
  writeFileSync(
    huge,
    `${text}\n${fields} 9223372036854775807 1 2 ACCEPT OK\n${fields} 9223372036854775808 1 2 ACCEPT OK\n`,
  )
  const c = await caseOf(root, [path, huge])
  t.after(() => c.close())
  const to = join(root, 'lake')
  await assert.rejects(
    pushCase(c, { to }),
    (error: UserError) => error instanceof UserError && /huge\.log:3: bytes is 9223372036854775808/.test(error.message),
  )
  assert.deepEqual(parquets(to), [])
})

test('what a push that was broken off has put in place is taken away by the next one', async t => {
  const root = temporaryFolder(t)
  const c = await fractionalCase(root, 20)
  t.after(() => c.close())
  const to = join(root, 'lake')
  const report = await pushCase(c, { to })
  const files = parquets(to)
  const manifest = join(to, '_tidemark', `${c.head.slice(0, 12)}.json`)
  const told = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, unknown>
  // As it is while files are put in place, of a process that is gone, here or on another machine; one file has the content of no push.
  for (const whose of [{ pid: 2 ** 22 + 1 }, { host: 'elsewhere', pid: process.ppid }]) {
    writeFileSync(manifest, JSON.stringify({ ...told, complete: false, ...whose }))
    writeFileSync(join(to, files[0]!), 'half')
    mkdirSync(join(to, `.tidemark-new-${2 ** 22 + 1}-0123456789abcdef`))
    const again = await pushCase(c, { to })
    assert.deepEqual(
      again.files.map(({ path }) => path),
      report.files.map(({ path }) => path),
    )
    assert.equal((await readBack(to)).length, report.records + report.silence)
  }
  assert.deepEqual(
    readdirSync(to).filter(name => name.startsWith('.')),
    [],
  )
  writeFileSync(manifest, '{')
  await assert.rejects(pushCase(c, { to }), /cannot read what was pushed/)
})

test('a push that is stopped leaves nothing', async t => {
  const root = temporaryFolder(t)
  const c = await fractionalCase(root, 400)
  t.after(() => c.close())
  const to = join(root, 'lake')
  const stop = new AbortController()
  await assert.rejects(pushCase(c, { to, signal: stop.signal, onProgress: done => done === 1 && stop.abort() }))
  assert.deepEqual(readdirSync(to, { recursive: true }), ['_tidemark'])
})

test('of two pushes at once one waits for another time, and what both have is pushed once', async t => {
  const root = temporaryFolder(t)
  const [one, other] = [await fractionalCase(join(root, 'one')), await fractionalCase(join(root, 'other'))]
  t.after(() => Promise.all([one.close(), other.close()]))
  const to = join(root, 'lake')
  const ended = await Promise.allSettled([pushCase(one, { to }), pushCase(other, { to })])
  const refused = ended.flatMap(end => (end.status === 'rejected' ? [String(end.reason)] : []))
  assert.equal(refused.length, 1)
  assert.match(refused[0]!, /another push writes to/)
  const rows = (await readBack(to)).length
  assert.ok(rows > 0)
  assert.equal((await pushCase(other, { to })).files.length, 0)
  assert.equal((await pushCase(one, { to })).files.length, 0)
  assert.equal((await readBack(to)).length, rows)
})

test('a push that a full disk keeps from beginning leaves nothing in the way of the next one', async t => {
  const root = temporaryFolder(t)
  const dir = join(root, 'case')
  assert.equal(tidemark(['add', ...writeLogs(join(root, 'logs'), 20), '--case', dir]).status, 0)
  const to = join(root, 'lake')
  const args = [cliEntry, 'lake', 'push', '--to', to, '--case', dir]
  // No file of this process may have a byte.
  const first = spawnSync('sh', ['-c', 'ulimit -f 0; exec "$0" "$@"', process.execPath, ...args])
  assert.notEqual(first.status, 0)
  assert.deepEqual(parquets(to), [])
  const again = tidemark(args.slice(1))
  assert.equal(again.status, 0, again.stderr)
  assert.ok(parquets(to).length > 0)
})

test('a folder is locked for one push, also where no file may have a second name', async t => {
  const to = temporaryFolder(t)
  const release = await lockFolder(to)
  for (const lock of [lockFolder, plainLock]) await assert.rejects(lock(to), /another push writes to/)
  await release()
  const plain = await plainLock(to)
  for (const lock of [lockFolder, plainLock]) await assert.rejects(lock(to), /another push writes to/)
  await plain()
  await (await lockFolder(to))()
  assert.deepEqual(readdirSync(join(to, '_tidemark')), [])
})
