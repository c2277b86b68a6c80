/** How the server deals with its children's answers, and with pages that go away. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { addEvidence } from '../../src/ingest/add.ts'
import type { Gate } from '../../src/server/gate.ts'
import { httpServer } from '../../src/server/http.ts'
import { Pool, type PoolSettings } from '../../src/server/pool.ts'
import { route } from '../../src/server/route.ts'
import type { Services } from '../../src/server/services.ts'
import { SqlSessions } from '../../src/server/sql.ts'
import { ask, askAsPage, startServer } from './raw.ts'

/** A server whose questions a child of the tests answers: `/api/KIND?JSON`. */
async function serverOf(t: TestContext, settings: Partial<PoolSettings> = {}) {
  const notes: string[] = []
  const work = new Pool({
    ...{ name: 'test', args: () => ['held'], heapMegabytes: 256, spareMegabytes: 1024, waitingMax: 20 },
    ...{ processes: 1, atOnce: 8, stopSeconds: [0.6, 10], onDeath: () => {}, onNote: () => {} },
    script: fileURLToPath(new URL('./testing-child.js', import.meta.url)),
    ...settings,
  })
  const gate: Gate = { host: '', token: 'secret' }
  const server = httpServer({
    gate,
    assets: { get: () => null },
    routes: [
      route({
        method: 'GET',
        path: '/api/:kind',
        answer: ({ work }, { params, query, signal }) =>
          work.pass(params['kind']!, JSON.parse(query.get('q') ?? 'null'), { signal }),
      }),
    ],
    services: { work } as Services,
    onNote: text => notes.push(text),
    onEntered: () => {},
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  gate.host = `127.0.0.1:${port}`
  t.after(async () => {
    server.close()
    server.closeAllConnections()
    await work.close()
  })
  const headers = { cookie: `tidemark-${port}=secret` }
  const get = (path: string, signal?: AbortSignal) => ask(gate.host, path, { headers, ...(signal && { signal }) })
  return { get, work, notes, host: gate.host }
}

const linux = { skip: process.platform === 'linux' ? false : 'Linux tells' }

test('a runaway question ends within a second of its page going away', linux, async t => {
  const { get, work } = await serverOf(t)
  await get('/api/echo')
  const [pid] = work.pids
  const page = new AbortController()
  const asking = get('/api/spin', page.signal).catch(() => 'gone')
  await wait(300)
  page.abort()
  const left = performance.now()
  assert.equal(await asking, 'gone')
  while (isRunning(pid!) && performance.now() - left < 5000) await wait(10)
  t.diagnostic(`ended after ${Math.round(performance.now() - left)} ms`)
  assert(performance.now() - left < 1500)
  assert.equal((await get('/api/echo')).status, 200)
})

test('a runaway query in SQL ends within a second of its page going away', linux, async t => {
  const server = await startServer()
  t.after(() => server.close())
  const log = join(server.folder, 'a.log')
  writeFileSync(
    log,
    'version srcaddr dstaddr srcport dstport protocol start end action log-status\n2 10.0.0.1 10.0.0.2 1 2 6 1700000000 1700000001 ACCEPT OK\n',
  )
  await addEvidence({ case: server.caseDir, paths: [log] })
  const sql = new SqlSessions(server.caseDir, () => null)
  t.after(() => sql.restart())
  await sql.columns(new AbortController().signal)
  const before = childrenOf('query-child')
  const page = new AbortController()
  const query =
    'SELECT count(*) FROM range(100000) a, range(100000) b, range(100000) c WHERE a.range + b.range + c.range = 7'
  const limits = { rows: 10, bytes: 1000, seconds: 60 }
  const running = sql.run(query, limits, { columns: () => {}, rows: () => {} }, page.signal)
  const stopped = assert.rejects(running, /gone/)
  await wait(500)
  const left = performance.now()
  page.abort(new Error('gone'))
  await stopped
  while (before.some(isRunning) && performance.now() - left < 5000) await wait(10)
  t.diagnostic(`ended after ${Math.round(performance.now() - left)} ms`)
  assert(performance.now() - left < 1500)
})

test('health is answered at once while children work at their limit and others are refused', async t => {
  const { get, host } = await serverOf(t, { atOnce: 2, waitingMax: 10 })
  await get('/api/echo')
  const asking = Array.from({ length: 60 }, () => get('/api/sleep?q=700'))
  await wait(50)
  const times: number[] = []
  for (let i = 0; i < 20; i++) {
    const asked = performance.now()
    assert.equal((await ask(host, '/health')).status, 200)
    times.push(performance.now() - asked)
  }
  times.sort((a, b) => a - b)
  t.diagnostic(`slowest ${Math.round(times.at(-1)!)} ms`)
  assert(times[10]! < 100, `${times[10]} ms`)
  const answers = await Promise.all(asking)
  const refused = answers.filter(({ status }) => status === 503)
  assert.equal(answers.filter(({ status }) => status === 200).length + refused.length, 60)
  assert(refused.length >= 40)
  assert.equal(refused[0]!.headers['retry-after'], '1')
  assert.match(refused[0]!.text, /^\{"error":"the workbench has more questions than it can answer: 10 wait/)
})

test('answers of many pages at a time are whole, and each is its own', async t => {
  const { get } = await serverOf(t, { waitingMax: 500 })
  const sizes = Array.from({ length: 100 }, (_, i) => (i * 7919) % 300_000)
  const answers = await Promise.all(sizes.map(size => get(`/api/bytes?q=${size}`)))
  for (const [i, { status, text, headers }] of answers.entries()) {
    assert.equal(status, 200)
    assert.equal(text.length, sizes[i]! + 2)
    assert.equal(Number(headers['content-length']), text.length)
    assert.equal(headers['content-encoding'], undefined)
  }
})

test('an unexpected error shows no stack to the page, and is noted on the terminal', async t => {
  const { get, notes } = await serverOf(t)
  const { status, text } = await get('/api/bug')
  assert.equal(status, 500)
  assert.match(text, /^\{"error":"this is a bug in Tidemark, not a problem with the evidence","hint":"[^"]+"\}$/)
  assert.match(notes.join('\n'), /^a bug, at GET \/api\/bug:\nTypeError: a value that is not there\n +at /)
  assert.deepEqual(
    [(await get('/api/refuse')).status, (await get('/api/refuse')).text],
    [400, '{"error":"that is wrong: \u202e","hint":"do it right"}'],
  )
  assert.equal((await get('/api/%zz')).status, 404)
})

test('no child of a workbench has a secret of the environment, in its variables or its arguments', linux, async t => {
  process.env['AWS_SECRET_ACCESS_KEY'] = 'canary-91d2'
  t.after(() => delete process.env['AWS_SECRET_ACCESS_KEY'])
  const server = await startServer()
  t.after(() => server.close())
  await askAsPage(server, '/api/paths', { at: '' })
  const children = ['work-child', 'view-child', 'add-child'].flatMap(childrenOf)
  assert(children.length >= 4)
  for (const pid of children) {
    for (const file of ['environ', 'cmdline']) {
      const text = readFileSync(`/proc/${pid}/${file}`, 'latin1')
      assert.doesNotMatch(text, /canary/)
      assert(!text.includes(server.token))
    }
    assert.match(readFileSync(`/proc/${pid}/limits`, 'latin1'), /Max data size +\d+ /)
  }
})

function isRunning(pid: number): boolean {
  try {
    return !/^\S+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

/** Processes that this one started, by their script. */
function childrenOf(script: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => {
      if (!(pid > 0)) return false
      try {
        const [, parent] = / \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/\(.*\)/, ''))!
        return Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(script)
      } catch {
        return false
      }
    })
}
