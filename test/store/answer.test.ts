import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Database } from '../../src/store/duckdb.ts'

const rows = 300_000
const db = await Database.open({ threads: 2, memoryLimit: '512MB', tempDirectory: null })
after(() => db.close())

/** Fails at a row. */
function failing(at: number, how: string): string {
  return `SELECT CASE WHEN i = ${at} THEN ${how} ELSE i::VARCHAR END AS v FROM range(${rows}) t(i)`
}

async function read(sql: string, signal?: AbortSignal): Promise<number> {
  let count = 0
  for await (const batch of await db.stream(sql, [], signal)) count += batch.length
  return count
}

test('a result is read to its end', async () => {
  assert.equal(await read(`SELECT i FROM range(${rows}) t(i)`), rows)
  assert.equal(await read('SELECT 1 WHERE false'), 0)
  assert.equal((await db.rows(`SELECT i FROM range(${rows}) t(i)`)).length, rows)
})

test('what fails in any chunk is thrown, in DuckDB’s words', async () => {
  for (const at of [0, 2048, 100_000, rows - 1]) {
    await assert.rejects(read(failing(at, "error('late')")), /Invalid Input Error: late/, String(at))
    await assert.rejects(db.rows(failing(at, "error('late')")), /Invalid Input Error: late/, String(at))
    await assert.rejects(read(failing(at, "('x' || i)::INT::VARCHAR")), /Conversion Error: Could not convert string 'x/)
  }
})

test('a failure is told as often as the result is asked, and the next statement runs', async () => {
  const answer = await db.stream(failing(rows - 1, "error('late')"))
  await assert.rejects(async () => {
    for await (const _ of answer);
  }, /late/)
  await assert.rejects(answer.next(), /late/)
  assert.equal(await read('SELECT 1'), 1)
})

test('the place of a failure counts from the begin of the statement', async () => {
  const sql = failing(rows - 1, "('x' || i)::INT::VARCHAR")
  const alone = await db.rows(sql).catch((error: Error) => error)
  const streamed = await read(sql).catch((error: Error) => error)
  assert.ok(alone instanceof Error && streamed instanceof Error)
  const place = (error: Error): number | undefined => /LINE 1: .*\n *\^/.exec(error.message)?.[0].length
  assert.ok(place(alone) !== undefined && place(streamed) !== undefined)
})

test('a result that is interrupted has no end', async () => {
  const answer = await db.stream('SELECT i FROM range(100000000) t(i)')
  assert.ok(await answer.next())
  db.interrupt()
  await assert.rejects(async () => {
    for await (const _ of answer);
  }, /INTERRUPT/)
})

test('a signal is obeyed, also one that was given before', async () => {
  await assert.rejects(read('SELECT 1', AbortSignal.abort(new Error('before'))), /before/)
  const controller = new AbortController()
  const answer = await db.stream('SELECT i FROM range(100000000) t(i)', [], controller.signal)
  assert.ok(await answer.next())
  controller.abort(new Error('midway'))
  await assert.rejects(answer.next(), /midway/)
  const slow = new AbortController()
  setTimeout(() => slow.abort(new Error('slow')), 50)
  await assert.rejects(read('SELECT max(i * j) FROM range(1000000) t(i), range(1000000) s(j)', slow.signal), /slow/)
})

test('fields of structs are kept in their order, whatever they are called', async () => {
  for (const sql of ["{'__proto__': 1, 'b': 2}", '(1, 2)', "{'2': 1, '1': 2}", "{'constructor': 1, 'x y': 2}"]) {
    const [row] = await db.rows(`SELECT ${sql} AS v`)
    const value = row!['v'] as { entries: Record<string, number> }
    assert.deepEqual(Object.values(value.entries), [1, 2], sql)
  }
})

test('a closed database says so', async () => {
  const other = await Database.open({ threads: 1, memoryLimit: '128MB', tempDirectory: null })
  const fork = await other.fork()
  const answer = await fork.stream('SELECT i FROM range(100000) t(i)')
  other.close()
  await assert.rejects(answer.next(), /the case was closed/)
  await assert.rejects(fork.rows('SELECT 1'), /the case was closed/)
})
