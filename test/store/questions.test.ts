import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Database } from '../../src/store/duckdb.ts'

const temp = mkdtempSync(join(tmpdir(), 'tidemark-questions-'))
// Two questions at once.
const db = await Database.open({ threads: 2, memoryLimit: '512MB', tempDirectory: temp })
after(async () => {
  await db.close()
  rmSync(temp, { recursive: true, force: true })
})

const long = 'SELECT max(hash(i, j)) AS n FROM range(100000000) t(i), range(1000) s(j)'
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

test('two questions work at once, the others wait in the order in which they were asked', async () => {
  const order: string[] = []
  const ask = async (name: string, ms: number, later = 0): Promise<void> => {
    await pause(later)
    await db.question(undefined, async () => {
      order.push(`${name} begins`)
      await pause(ms)
      order.push(`${name} ends`)
    })
  }
  await Promise.all([ask('a', 90), ask('b', 40, 10), ask('c', 120, 20), ask('d', 1, 30)])
  assert.deepEqual(order, ['a begins', 'b begins', 'b ends', 'c begins', 'a ends', 'd begins', 'd ends', 'c ends'])
})

test('questions do not see the temporary tables of each other', async () => {
  const ask = (n: number): Promise<unknown> =>
    db.question(undefined, async own => {
      await own.run(`CREATE TEMP TABLE t AS SELECT ${n} AS n`)
      await pause(10)
      return own.rows('SELECT n FROM t')
    })
  assert.deepEqual(await Promise.all([1, 2, 3].map(ask)), [[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]])
  await assert.rejects(db.rows('SELECT * FROM t'), /t does not exist/)
})

test('a question that waits is taken out of the queue by its signal, and stops no other', async () => {
  const controller = new AbortController()
  const sum = (): Promise<unknown> =>
    db.question(undefined, own => own.rows('SELECT sum(i) AS n FROM range(20000000) t(i)'))
  const working = [sum(), sum()]
  let began = false
  const waiting = db.question(controller.signal, async () => {
    began = true
  })
  const next = db.question(undefined, own => own.rows('SELECT 3 AS n'))
  controller.abort(new Error('no more'))
  await assert.rejects(waiting, /no more/)
  assert.deepEqual(await Promise.all(working), [[{ n: 199999990000000 }], [{ n: 199999990000000 }]])
  assert.deepEqual(await next, [{ n: 3 }])
  assert.equal(began, false)
})

test('a signal interrupts the question that it is of, and not the one that works beside it', async () => {
  const controller = new AbortController()
  const stopped = db.question(controller.signal, own => own.rows(long))
  const other = db.question(undefined, async own => {
    await pause(30)
    return own.rows('SELECT sum(i) AS n FROM range(20000000) t(i)')
  })
  setTimeout(() => controller.abort(new Error('stopped')), 20)
  await assert.rejects(stopped, /stopped/)
  assert.deepEqual(await other, [{ n: 199999990000000 }])
})

test('a question that was stopped does nothing more, and the next one is whole', async () => {
  const controller = new AbortController()
  let after = false
  const stopped = db.question(controller.signal, async own => {
    controller.abort(new Error('stopped'))
    await own.rows('SELECT 1')
    after = true
  })
  await assert.rejects(stopped, /stopped/)
  assert.equal(after, false)
  assert.deepEqual(await db.rows('SELECT 1 AS n'), [{ n: 1 }])
})

test('a table that several need is made once, also where the first that makes it is stopped', async () => {
  let begun = 0
  const controller = new AbortController()
  const ask = (signal?: AbortSignal): Promise<unknown> =>
    db.question(signal, async own => {
      await own.once('shared', async () => {
        if (++begun === 1) setTimeout(() => controller.abort(new Error('stopped')), 5)
        await own.run('CREATE TABLE shared AS SELECT 7 AS n')
        await pause(20)
        await own.run('UPDATE shared SET n = n + 1')
      })
      return own.rows('SELECT n FROM shared')
    })
  const first = ask(controller.signal)
  const others = [ask(), ask(), ask()]
  await assert.rejects(first, /stopped/)
  assert.deepEqual(await Promise.all(others), [[{ n: 8 }], [{ n: 8 }], [{ n: 8 }]])
  assert.equal(begun, 2)
})

test('the memory limit is what the questions that are open may use together', async () => {
  const limit = async (): Promise<unknown> => (await db.rows("SELECT current_setting('memory_limit') AS m"))[0]!['m']
  const whole = await limit()
  const seen: unknown[] = []
  const ask = (megabytes: number | null, ms: number): Promise<void> =>
    db.question(undefined, async own => {
      if (megabytes !== null) await own.useAtMost(megabytes)
      await pause(ms)
      seen.push(await limit())
    })
  await ask(100, 0)
  await Promise.all([ask(100, 20), ask(50, 60)])
  await Promise.all([ask(null, 40), ask(50, 20)])
  await Promise.all([ask(400, 30), ask(400, 60)])
  assert.deepEqual(seen, ['95.3 MiB', '143.0 MiB', '47.6 MiB', whole, whole, whole, '381.4 MiB'])
  assert.equal(await limit(), whole)
})

test('a database that is closed ends what is asked of it, and what waits', async () => {
  const other = await Database.open({ threads: 2, memoryLimit: '128MB', tempDirectory: null })
  const asked = [1, 2, 3].map(() => other.question(undefined, own => own.rows(long)))
  const fork = await other.fork()
  const plain = fork.rows(long)
  const results = Promise.allSettled([...asked, plain])
  await pause(50)
  await other.close()
  for (const result of await results) {
    assert.equal(result.status, 'rejected')
    assert.match(String(result.reason), /the case was closed/)
  }
  await assert.rejects(
    other.question(undefined, async () => 1),
    /the case was closed/,
  )
  await other.close()
})
