import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { defaultLimits, QuerySession } from '../../src/user-sql/session.ts'
import { skipWithout } from '../repo.ts'
import { ask, caseFolder, value } from './support.ts'

const { folder, caseDir } = await caseFolder()
const session = new QuerySession(caseDir)
after(() => session.close())

test('rows are limited, and how many there are is told', async () => {
  for (const [limit, shown, cut_by] of [
    [4, 4, 'rows'],
    [5, 5, null],
    [6, 5, null],
  ] as const) {
    const { rows, end } = await ask(session, 'FROM range(5)', { rows: limit })
    assert.deepEqual([rows.length, end], [shown, { total: 5, counted: 5, cut_by }])
  }
  const { rows, end } = await ask(session, 'FROM range(100000)', { rows: 3000 })
  assert.deepEqual([rows.length, end.total], [3000, 100_000])
})

test('bytes are limited, and that is told', async () => {
  const { rows, end } = await ask(session, "SELECT repeat('x', 1000) FROM range(5000)", { rows: 1e6, bytes: 100_000 })
  assert.equal(end.cut_by, 'bytes')
  assert.equal(end.total, 5000)
  assert.ok(rows.length > 90 && rows.length < 100)
  assert.equal((await ask(session, "SELECT repeat('x', 1000)", { bytes: 100 })).rows.length, 0)
})

test('a query that takes too long is stopped, and the next one runs', async () => {
  const from = Date.now()
  await assert.rejects(ask(session, 'SELECT count(*) FROM range(1000000000000)', { seconds: 1 }), {
    name: 'UserError',
    message: 'the query was stopped after 1 s',
  })
  assert.ok(Date.now() - from < 15_000)
  assert.equal(await value(session, 'SELECT 1'), 1)
})

test('a query is stopped from outside, and the next one runs', async () => {
  const stop = new AbortController()
  const sink = { columns: () => {}, rows: () => {} }
  void setTimeout(500).then(() => stop.abort(new Error('enough')))
  await assert.rejects(session.run('SELECT count(*) FROM range(1000000000000)', defaultLimits, sink, stop.signal), {
    message: 'enough',
  })
  assert.equal(await value(session, 'SELECT 1'), 1)
})

test('a query that needs too much memory says so, and the next one runs', async () => {
  await assert.rejects(ask(session, "SELECT repeat('x', 4000000000)"), {
    message: /^the query needs more memory than it may have: 1024 MiB$/,
  })
  assert.equal(await value(session, 'SELECT 1'), 1)
})

test('a sort that does not fit into memory spills, and leaves nothing behind', async () => {
  const small = new QuerySession(caseDir, 128 * 2 ** 20)
  try {
    const { rows } = await ask(small, 'SELECT r FROM range(12000000) t(r) ORDER BY hash(r), r', { rows: 1 })
    assert.equal(rows.length, 1)
  } finally {
    await small.close()
  }
  await session.close()
  assert.deepEqual(readdirSync(join(caseDir, 'incoming')), [])
})

test('the process of a query does not outlive who asked', skipWithout('/proc/self/status'), async () => {
  const driver = fileURLToPath(new URL('./orphan-driver.js', import.meta.url))
  const asking = spawn(process.execPath, [driver, caseDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(asking.stdout, 'data')
  await setTimeout(500)
  const children = readdirSync('/proc').filter(
    pid => /^\d+$/.test(pid) && statusOf(pid).includes(`\nPPid:\t${asking.pid}\n`),
  )
  assert.equal(children.length, 1)
  asking.kill('SIGKILL')
  for (let i = 0; i < 100 && isAlive(children[0]!); i++) await setTimeout(100)
  assert.ok(!isAlive(children[0]!))
  assert.deepEqual(readdirSync(join(caseDir, 'incoming')), [])
})

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}

function isAlive(pid: string): boolean {
  return /\nState:\t[^Z]/.test(statusOf(pid))
}

test('a case behind a link, and with marks of patterns in its name, is read', async () => {
  const other = mkdtempSync(join(tmpdir(), 'tidemark-sql-'))
  try {
    cpSync(caseDir, join(other, "it's a [case]*.tidemark"), { recursive: true })
    symlinkSync(join(other, "it's a [case]*.tidemark"), join(other, 'link'))
    for (const name of ["it's a [case]*.tidemark", 'link']) {
      const own = new QuerySession(join(other, name))
      try {
        assert.equal(await value(own, 'SELECT count(*) FROM flows'), 5)
      } finally {
        await own.close()
      }
    }
  } finally {
    rmSync(other, { recursive: true })
  }
})

test('a case that is not there or altered is told in words', async () => {
  const none = new QuerySession(join(folder, 'none'))
  await assert.rejects(ask(none, 'SELECT 1'), { name: 'UserError', message: /^no case here: / })
  const other = mkdtempSync(join(tmpdir(), 'tidemark-sql-'))
  try {
    cpSync(caseDir, other, { recursive: true })
    const segment = readdirSync(join(other, 'segments'))[0]!
    renameSync(join(other, 'segments', segment), join(other, 'gone'))
    const broken = new QuerySession(other)
    await assert.rejects(ask(broken, 'SELECT 1'), { name: 'UserError', message: /^a segment of the case is missing/ })
  } finally {
    rmSync(other, { recursive: true })
  }
})
