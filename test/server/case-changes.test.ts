import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { addEvidence } from '../../src/ingest/add.ts'
import type { AddAnswer, PathsAnswer } from '../../src/server/contract/adding.ts'
import type { CaseAnswer, NoCaseAnswer } from '../../src/server/contract/case.ts'
import type { JobState, ServerEvent } from '../../src/server/contract/events.ts'
import { ask, askAsPage, type Server, startServer } from './raw.ts'

const head =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n'

function log(path: string, records: number): string {
  const lines = Array.from({ length: records }, (_, i) => {
    const start = 1_700_000_000 + i
    return `2 123456789012 eni-0a1b2c3d 203.0.113.7 10.0.0.5 ${1024 + (i % 60_000)} 22 6 10 1000 ${start} ${start + 59} ACCEPT OK\n`
  })
  writeFileSync(path, head + lines.join(''))
  return path
}

/** What a page hears. */
function listen(server: Server): { events: ServerEvent[]; close(): void } {
  const events: ServerEvent[] = []
  const [address, port] = server.host.split(':')
  const asking = request({ host: address, port, path: '/api/events', headers: { cookie: server.cookie }, agent: false })
  let held = ''
  asking.on('response', response => {
    response.on('data', piece => {
      held += piece
      const parts = held.split('\n\n')
      held = parts.pop()!
      for (const part of parts) if (part.startsWith('data: ')) events.push(JSON.parse(part.slice(6)) as ServerEvent)
    })
    response.on('error', () => {})
  })
  asking.on('error', () => {})
  asking.end()
  return { events, close: () => asking.destroy() }
}

async function until<T>(look: () => T | undefined | null | false, seconds = 30): Promise<T> {
  for (const begun = performance.now(); performance.now() - begun < seconds * 1000; await wait(20)) {
    const found = look()
    if (found) return found
  }
  throw new Error('that never came')
}

describe('a case that changes while it is looked at', () => {
  let server: Server
  before(async () => {
    server = await startServer()
  })
  after(() => server.close())

  const theCase = () => askAsPage<CaseAnswer>(server, '/api/case')
  const job = async (id: string) => {
    for (;;) {
      const said = await askAsPage<{ job: JobState; value: AddAnswer }>(server, `/api/job/${id}`)
      if (!['waiting', 'running'].includes(said.job.state)) return said
      await wait(50)
    }
  }

  test('where there is none, the page is told so, and evidence that it adds makes one', async () => {
    const none = await askAsPage<NoCaseAnswer>(server, '/api/case')
    assert.deepEqual([none.none, none.case], [true, server.caseDir])
    const heard = listen(server)
    await until(() => heard.events.length > 1)
    assert.deepEqual(heard.events, [
      { event: 'case-changed', head: null, loaded: true },
      { event: 'jobs', ids: [] },
    ])
    const folder = join(server.folder, 'logs')
    mkdirSync(folder)
    log(join(folder, 'a.log'), 100)
    writeFileSync(join(folder, 'b.txt'), 'no evidence')
    const started = await askAsPage<JobState>(server, '/api/add', { paths: [folder, join(folder, 'b.txt')] })
    const { job: done, value } = await job(started.id)
    assert.equal(done.state, 'done', JSON.stringify(done))
    assert.deepEqual(
      [value.files.read, value.files.not_evidence, value.case_records, value.interrupted],
      [1, 1, 100, false],
    )
    assert.deepEqual(
      value.troubled.map(({ path, status }) => [path, status]),
      [[join(folder, 'b.txt'), 'not-evidence']],
    )
    const changed = await until(() => heard.events.find(one => one.event === 'case-changed' && one.head !== null))
    heard.close()
    const { head, records } = await theCase()
    assert.deepEqual(changed, { event: 'case-changed', head, loaded: true })
    assert.equal(records.total, 100)
    const ledger = readFileSync(join(server.caseDir, 'ledger.jsonl'), 'utf8')
    assert.match(ledger, /"command":"tidemark ui: add /)
  })

  test('what another process adds is told, and counts only once it is loaded: also of a process that started later', async () => {
    const heard = listen(server)
    await until(() => heard.events.length > 0)
    const { head: before } = await theCase()
    await addEvidence({ case: server.caseDir, paths: [log(join(server.folder, 'more.log'), 50)] })
    const told = await until(() => heard.events.find(one => one.event === 'case-changed' && !one.loaded))
    assert(told.event === 'case-changed' && told.head !== before)
    assert.deepEqual([(await theCase()).records.total, (await theCase()).head], [100, before])
    // Whoever comes now hears of both.
    const late = listen(server)
    await until(() => late.events.filter(one => one.event === 'case-changed').length === 2)
    late.close()
    for (const pid of server.pids().work) process.kill(pid, 'SIGKILL')
    assert.deepEqual([(await theCase()).records.total, (await theCase()).head], [100, before])
    await askAsPage(server, '/api/reload', {})
    assert.deepEqual([(await theCase()).records.total, (await theCase()).head], [150, told.head])
    await until(() => heard.events.find(one => one.event === 'case-changed' && one.loaded && one.head === told.head))
    heard.close()
  })

  test('adding that is stopped keeps the files that were complete, and says so', async () => {
    const folder = join(server.folder, 'many')
    mkdirSync(folder)
    for (let i = 0; i < 40; i++) log(join(folder, `${i}.log`), 20_000 + i)
    const { id } = await askAsPage<JobState>(server, '/api/add', { paths: [folder] })
    const other = await askAsPage<JobState>(server, '/api/add', { paths: [folder] })
    assert.equal(other.state, 'waiting')
    await askAsPage(server, `/api/job/${other.id}/stop`, {})
    await wait(200)
    await askAsPage(server, `/api/job/${id}/stop`, {})
    const { job: done, value } = await job(id)
    if (done.state === 'done') assert.equal((await theCase()).records.total, value.case_records)
    else assert.equal(done.state, 'stopped')
    assert.equal((await job(other.id)).job.state, 'stopped')
    // Nothing is left that keeps the next from being added.
    const last = await askAsPage<JobState>(server, '/api/add', { paths: [join(folder, '0.log')] })
    assert.equal((await job(last.id)).job.state, 'done')
  })

  test('paths that cannot be added are refused, with what is wrong', async () => {
    const refusals: [unknown, number, RegExp][] = [
      [{ paths: [] }, 400, /paths/],
      [{ paths: [''] }, 400, /paths/],
      [{ paths: ['a\0b'] }, 400, /paths/],
      [{ paths: ['/x'], more: 1 }, 400, /more/],
    ]
    for (const [body, status, words] of refusals) {
      const headers = { cookie: server.cookie, 'content-type': 'application/json' }
      const said = await ask(server.host, '/api/add', { method: 'POST', headers, body: JSON.stringify(body) })
      assert.equal(said.status, status)
      assert.match(said.text, words)
    }
    for (const [path, words] of [
      ['/nowhere/at/all', /\/nowhere\/at\/all/],
      ['-', /standard input/],
    ] as const) {
      const started = await askAsPage<JobState>(server, '/api/add', { paths: [path] })
      const { job: done } = await job(started.id)
      assert.equal(done.state, 'failed')
      assert.match(done.error!, words)
    }
  })

  test('a path that is being typed goes on with the names that are there, folders first', async () => {
    const folder = join(server.folder, 'names')
    mkdirSync(join(folder, 'sub'), { recursive: true })
    for (const name of ['a.log', 'ab.log', '.hidden', 'é.log']) writeFileSync(join(folder, name), '')
    const names = async (at: string) => {
      const { items, cut } = await askAsPage<PathsAnswer>(server, '/api/paths', { at })
      return [...items.map(({ path, kind }) => `${kind} ${path.slice(folder.length + 1)}`), ...(cut ? ['cut'] : [])]
    }
    assert.deepEqual(await names(`${folder}/`), ['folder sub', 'file a.log', 'file ab.log', 'file é.log'])
    assert.deepEqual(await names(`${folder}/ab`), ['file ab.log'])
    assert.deepEqual(await names(`${folder}/.h`), ['file .hidden'])
    assert.deepEqual(await names(`${folder}/x`), [])
    const said = await ask(server.host, '/api/paths', {
      method: 'POST',
      headers: { cookie: server.cookie, 'content-type': 'application/json' },
      body: JSON.stringify({ at: '/nowhere/at/all' }),
    })
    assert.deepEqual(
      [said.status, said.text],
      [422, '{"error":"cannot look into /nowhere/at: no such file or folder"}'],
    )
    for (let i = 0; i < 60; i++) writeFileSync(join(folder, `n${i}`), '')
    assert.equal((await names(`${folder}/n`)).length, 51)
  })
})
