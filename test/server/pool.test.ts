import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { JsonText } from '../../src/server/json-line.ts'
import { AnswerError } from '../../src/server/message.ts'
import { Pool, type PoolSettings } from '../../src/server/pool.ts'

interface Echo {
  question: unknown
  pid: number
  held: string
}

function poolOf(t: TestContext, settings: Partial<PoolSettings> = {}) {
  const deaths: { why: string; stopped: boolean }[] = []
  const notes: string[] = []
  const pool = new Pool({
    ...{ name: 'test', args: () => ['held'], heapMegabytes: 256, spareMegabytes: 1024, waitingMax: 200 },
    ...{ processes: 1, atOnce: 8, stopSeconds: [0.6, 3] },
    script: fileURLToPath(new URL('./testing-child.js', import.meta.url)),
    onDeath: (why, stopped) => deaths.push({ why, stopped }),
    onNote: text => notes.push(text),
    ...settings,
  })
  t.after(() => pool.close())
  const echo = async (question: unknown) => (await pool.ask('echo', question)) as Echo
  return { pool, deaths, notes, echo }
}

const isGone = (pid: number): boolean =>
  !existsSync(`/proc/${pid}`) || /^\S+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
const linux = { skip: process.platform === 'linux' ? false : 'Linux tells' }

test('two hundred questions at a time get each its own answer', async t => {
  const { echo } = poolOf(t, { processes: 2 })
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => echo({ i, text: 'x\n{"answer":1,"bytes":5}\n'.repeat(i) })),
  )
  for (const [i, { question, held }] of answers.entries()) {
    assert.equal((question as { i: number }).i, i)
    assert.equal(held, 'held')
  }
  assert.equal(new Set(answers.map(({ pid }) => pid)).size, 2)
})

test('an answer is passed on as the child wrote it, with exact integers', async t => {
  const { pool } = poolOf(t, { heapMegabytes: 2048, spareMegabytes: 4096 })
  const passed = await pool.pass('bigint', null)
  assert(passed instanceof JsonText)
  assert.equal(passed.bytes.toString(), '{"small":5,"large":"1152921504606846976","among":[1,"x"]}')
  assert.equal(((await pool.ask('bytes', 8 << 20)) as string).length, 8 << 20)
  await assert.rejects(pool.ask('bytes', 257 << 20), /the answer is larger than a page can take/)
})

test('a killed child is back within 500 ms, and what it lost is asked again', linux, async t => {
  const { pool, deaths, echo } = poolOf(t)
  const before = await echo(1)
  const lost = pool.ask('sleep', 200)
  await wait(50)
  const killed = performance.now()
  process.kill(before.pid, 'SIGKILL')
  const back = await echo(2)
  const milliseconds = performance.now() - killed
  t.diagnostic(`back after ${Math.round(milliseconds)} ms`)
  // 200 ms on a machine that has nothing else to do.
  assert(milliseconds < 1500, `${milliseconds} ms`)
  assert.notEqual(back.pid, before.pid)
  assert.equal(await lost, back.pid)
  assert.deepEqual(deaths, [
    { why: 'it was killed (SIGKILL), as the system does when memory runs out', stopped: false },
  ])
})

test('the death of one child leaves the others and their questions alone', async t => {
  const { pool, echo } = poolOf(t, { processes: 2, atOnce: 1 })
  const long = pool.ask('sleep', 800)
  const other = await echo(1)
  process.kill(other.pid, 'SIGKILL')
  assert.notEqual((await echo(2)).pid, await long)
  assert.notEqual(await long, other.pid)
})

test('a question that kills its process is not asked for ever', async t => {
  const { pool, deaths, echo } = poolOf(t)
  await assert.rejects(pool.ask('die', null), (error: AnswerError) => {
    assert.match(error.message, /^the test process died: status 7$/)
    return error.hint !== undefined
  })
  assert.equal(deaths.length, 2)
  assert.equal((await echo(1)).question, 1)
  // Work that is not to be done twice is not.
  await assert.rejects(pool.ask('die', null, { again: false }), /died/)
  assert.equal(deaths.length, 3)
})

test('after more than five deaths a minute it is left alone, with advice, until the case is loaded again', async t => {
  const { pool, deaths, echo } = poolOf(t)
  for (let i = 0; i < 6; i++) await assert.rejects(pool.ask('die', null, { again: false }), AnswerError)
  assert.deepEqual(
    deaths.map(({ stopped }) => stopped),
    [false, false, false, false, false, true],
  )
  const asked = performance.now()
  await assert.rejects(echo(1), (error: AnswerError) => {
    assert.match(error.message, /^the test process died 6 times within a minute, and is left alone for a while$/)
    assert.match(error.hint!, /narrow the filter/)
    return error.status === 75
  })
  assert(performance.now() - asked < 100)
  await pool.restart('loaded again')
  assert.equal((await echo(1)).question, 1)
})

test('a process that cannot start at all says so, and is left alone', async t => {
  const { pool, deaths } = poolOf(t, { args: () => ['dies'] })
  await assert.rejects(pool.ask('echo', 1), /died/)
  while (deaths.length < 6) await wait(20)
  assert.deepEqual(deaths.at(-1), { why: 'status 3', stopped: true })
  const missing = poolOf(t, { script: '/nowhere/child.js' })
  await assert.rejects(missing.pool.ask('echo', 1), /the test process died/)
  assert(missing.notes.some(text => text.includes('Cannot find module')))
})

test(
  'a question whose asker went away ends within a second: what listens by itself, what does not with its process',
  linux,
  async t => {
    const { pool, deaths, echo } = poolOf(t)
    for (const kind of ['sleep', 'spin', 'deaf']) {
      const { pid } = await echo(0)
      const asker = new AbortController()
      const running = pool.ask(kind, 60_000, { signal: asker.signal })
      const refused = assert.rejects(running, /gone/)
      await wait(200)
      const left = performance.now()
      asker.abort(new Error('gone'))
      await refused
      assert(performance.now() - left < 100)
      const { pid: next } = await echo(1)
      if (kind === 'sleep') assert.equal(next, pid)
      else {
        while (!isGone(pid) && performance.now() - left < 5000) await wait(20)
        t.diagnostic(`${kind}: ended after ${Math.round(performance.now() - left)} ms`)
        assert(performance.now() - left < 2000)
      }
    }
    // It was ended on purpose: no sign of a process that is ill.
    assert.deepEqual(deaths, [])
  },
)

test('what does not stop has longer where other questions would be lost, and these are asked again', async t => {
  const { pool, echo } = poolOf(t)
  const { pid } = await echo(0)
  const asker = new AbortController()
  const deaf = pool.ask('deaf', null, { signal: asker.signal })
  const refused = assert.rejects(deaf, /gone/)
  const other = pool.ask('sleep', 1500)
  await wait(100)
  asker.abort(new Error('gone'))
  await refused
  assert.equal(await other, pid)
  await wait(1500)
  assert.notEqual((await echo(1)).pid, pid)
})

test('a question past its time is told so, and its process ended', async t => {
  const { pool, echo } = poolOf(t)
  await assert.rejects(pool.ask('spin', null, { seconds: 0.3 }), (error: AnswerError) => {
    assert.match(error.message, /^there was no answer within 0\.3 s$/)
    return error.hint === 'narrow the filter or the time'
  })
  assert.equal((await echo(1)).question, 1)
})

test('work that ends by itself is waited for after it was stopped', async t => {
  const { pool, echo } = poolOf(t, { stopSeconds: [10, 10] })
  await echo(0)
  const asker = new AbortController()
  const working = pool.ask('slowToStop', 300, { signal: asker.signal, endsItself: true })
  await wait(200)
  asker.abort(new Error('stopped'))
  assert.equal(await working, 'what was done by then')
})

test('questions wait for a place, and too many are refused at once with how many wait', async t => {
  const { pool, echo } = poolOf(t, { atOnce: 1, waitingMax: 3 })
  const asker = new AbortController()
  const running = pool.ask('sleep', 500)
  const waiting = [echo(1), echo(2)]
  const leaving = pool.ask('echo', 3, { signal: asker.signal })
  await assert.rejects(echo(4), (error: AnswerError) => {
    assert.match(error.message, /^the workbench has more questions than it can answer: 3 wait before this one$/)
    return error.status === 75
  })
  const left = assert.rejects(leaving, /gone/)
  asker.abort(new Error('gone'))
  await left
  assert.equal(pool.waiting, 2)
  await running
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ question }) => question),
    [1, 2],
  )
})

test('what is brief is asked before what is longer, in its own order', async t => {
  const { pool } = poolOf(t, { atOnce: 1 })
  const order: unknown[] = []
  const ask = (question: number, brief?: boolean): Promise<unknown> =>
    pool.ask('echo', question, { ...(brief === true && { brief }) }).then(() => order.push(question))
  await Promise.all([pool.ask('sleep', 200), ask(1), ask(2, true), ask(3), ask(4, true)])
  assert.deepEqual(order, [2, 4, 1, 3])
})

test('a child has nothing of the environment that could be a secret', async t => {
  process.env['AWS_SECRET_ACCESS_KEY'] = 'canary-5c1f'
  process.env['TIDEMARK_CANARY'] = 'canary-5c1f'
  t.after(() => {
    delete process.env['AWS_SECRET_ACCESS_KEY']
    delete process.env['TIDEMARK_CANARY']
  })
  const { pool } = poolOf(t)
  const own = (await pool.ask('environment', null)) as Record<string, string>
  assert.doesNotMatch(JSON.stringify(own), /canary/)
  const known = ['PATH', 'TMPDIR', 'TMP', 'TEMP', 'SystemRoot', 'LD_LIBRARY_PATH', 'TZ', 'LC_ALL', 'UV_THREADPOOL_SIZE']
  assert.deepEqual(
    Object.keys(own).filter(name => !known.includes(name)),
    [],
  )
  assert.equal(own['UV_THREADPOOL_SIZE'], '16')
})

test('a child that takes too much memory ends, and says why', {
  skip: existsSync('/usr/bin/prlimit') ? false : 'no prlimit',
}, async t => {
  const { pool, notes, echo } = poolOf(t)
  await assert.rejects(pool.ask('fill', null, { again: false }), error => {
    return error instanceof AnswerError && /memory/.test(error.message)
  })
  assert.equal((await echo(1)).question, 1)
  assert(notes.length < 100)
})

test('a child that says what is no message, or a line without end, is ended', async t => {
  for (const kind of ['babble', 'endless']) {
    const { pool, deaths, echo } = poolOf(t)
    await assert.rejects(pool.ask(kind, null, { again: false }), /it said what cannot be understood/)
    assert.equal(deaths.length, 1)
    assert.equal((await echo(1)).question, 1)
  }
})

test('progress comes in order, and refusals and bugs as what they are', async t => {
  const { pool } = poolOf(t)
  const told: (number | null)[] = []
  assert.equal(await pool.ask('steps', 5, { onProgress: ({ done }) => told.push(done) }), 5)
  assert.deepEqual(told, [1, 2, 3, 4, 5])
  await assert.rejects(
    pool.ask('refuse', null),
    (error: AnswerError) => error.status === 2 && error.hint === 'do it right',
  )
  await assert.rejects(
    pool.ask('bug', null),
    (error: AnswerError) => error.status === 70 && /at .*testing-child/.test(error.message),
  )
  await assert.rejects(pool.ask('nothing of the kind', null), (error: AnswerError) => error.status === 70)
})

test('questions under way when the case is loaded again are told so', async t => {
  const { pool, echo } = poolOf(t)
  const { pid } = await echo(0)
  const asked = assert.rejects(
    pool.ask('sleep', 60_000),
    (error: AnswerError) => /loaded again/.test(error.message) && error.status === 75,
  )
  await wait(50)
  await pool.restart('loaded again')
  await asked
  assert.notEqual((await echo(1)).pid, pid)
})
