/** Parts of the server that need no process: messages, routes, jobs, files to fetch, errors. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename, dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { UserError } from '../../src/errors.ts'
import type { ServerEvent } from '../../src/server/contract/events.ts'
import { Downloads } from '../../src/server/downloads.ts'
import { Refused, told } from '../../src/server/failure.ts'
import { FrameReader } from '../../src/server/frames.ts'
import { addressOf, cookieName, hostOf, refusalOf } from '../../src/server/gate.ts'
import { Jobs } from '../../src/server/jobs.ts'
import { JsonText, toLine } from '../../src/server/json-line.ts'
import { KeptLists } from '../../src/server/kept-lists.ts'
import { listJob } from '../../src/server/list-jobs.ts'
import { AnswerError, busy, type FromChild } from '../../src/server/message.ts'
import { route } from '../../src/server/route.ts'
import type { Services } from '../../src/server/services.ts'
import { SqlSessions } from '../../src/server/sql.ts'
import { found, methodsOf } from '../../src/server/table.ts'

test('messages and answers are told apart however the bytes arrive', () => {
  const payloads = ['{"a":"x\\n"}', '"\\u0000{\\"ready\\":true}"', 'null', JSON.stringify('é\u2028'.repeat(5000))]
  const bytes = Buffer.concat(
    payloads.flatMap((text, answer) => [
      Buffer.from(
        `{"progress":${answer},"doing":"é","done":1,"of":2}\n{"answer":${answer},"bytes":${Buffer.byteLength(text)}}\n`,
      ),
      Buffer.from(text),
    ]),
  )
  let seed = 7
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  for (const largest of [1, 2, 3, 7, 64, 5000, bytes.length]) {
    const said: [FromChild, string][] = []
    const reader = new FrameReader((message, payload) => said.push([message, payload.toString('utf8')]))
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + random(largest)
      reader.push(bytes.subarray(at, end))
      at = end
    }
    assert.equal(said.length, 2 * payloads.length)
    assert.deepEqual(
      said.filter(([message]) => 'answer' in message).map(([, text]) => text),
      payloads,
    )
  }
})

test('what no child says ends the reading: lengths that cannot be, text that is no JSON', () => {
  const reader = (): FrameReader => new FrameReader(() => {})
  for (const bytes of ['-1', '0', '1e300', '268435457', 'null', '"5"x'])
    assert.throws(() => reader().push(Buffer.from(`{"answer":1,"bytes":${bytes}}\nxxxxx`)), bytes)
  assert.throws(() => reader().push(Buffer.from('hello\n')))
  assert.throws(() => reader().push(Buffer.alloc((16 << 20) + 1, 'x')), /a line without end/)
})

test('JSON for the page keeps integers exact, and nothing as null', () => {
  const values: [unknown, string][] = [
    [undefined, 'null'],
    [{ a: undefined, b: 1n }, '{"b":1}'],
    [2n ** 53n - 1n, '9007199254740991'],
    [[2n ** 53n, -(2n ** 53n)], '["9007199254740992","-9007199254740992"]'],
    [new JsonText(Buffer.from('[1 ]')), '[1 ]'],
  ]
  for (const [value, text] of values) assert.equal(JsonText.of(value).bytes.toString(), text)
  const circle: unknown[] = []
  circle.push(circle)
  assert.throws(() => toLine(circle), TypeError)
})

test('a path is that of one route: by exact parts, decoded once, the most exact first', () => {
  const answer = (): null => null
  const routes = [
    route({ method: 'GET', path: '/api/a/:id', answer }),
    route({ method: 'POST', path: '/api/a/:id', answer }),
    route({ method: 'GET', path: '/api/a/own', answer }),
    route({ method: 'GET', path: '/api/b', answer }),
  ]
  const paramsOf = (path: string): unknown => found(routes, path)[0]?.params['id']
  assert.equal(paramsOf('/api/a/x%2Fy'), 'x/y')
  assert.equal(paramsOf('/api/a/%252e'), '%2e')
  assert.equal(paramsOf('/api/a/__proto__'), '__proto__')
  assert.equal(found(routes, '/api/a/own')[0]!.route.path, '/api/a/own')
  assert.deepEqual(methodsOf(found(routes, '/api/a/1')), ['GET', 'POST'])
  for (const path of [
    '/api/a',
    '/api/a/',
    '/api/a/1/2',
    '/api/a/%zz',
    '/API/b',
    '/api/b/',
    'api/b',
    '/api//b',
    '/api/:id',
  ])
    assert.deepEqual(found(routes, path), [], path)
})

test('errors are told in words, and the stack of a bug to the terminal alone', () => {
  const cases: [unknown, number, RegExp, boolean][] = [
    [new UserError('no such file', { hint: 'look' }), 422, /^\{"error":"no such file","hint":"look"\}$/, false],
    [new UserError('wrong', { status: 2 }), 400, /wrong/, false],
    [new Refused(413, 'too large'), 413, /too large/, false],
    [
      new AnswerError({ message: 'wrong', status: 2, at: { offset: 3, length: 1 } }),
      400,
      /"at":\{"offset":3,"length":1\}/,
      false,
    ],
    [busy('full'), 503, /full/, false],
    [
      Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC', path: '/x' }),
      500,
      /no space left on the device/,
      false,
    ],
    [new TypeError('x is not a function'), 500, /a bug in Tidemark/, true],
    [new AnswerError({ message: 'TypeError: x\n    at work.js:1', status: 70 }), 500, /a bug in Tidemark/, true],
    ['text', 500, /a bug in Tidemark/, true],
  ]
  for (const [error, status, words, isBug] of cases) {
    const said = told(error)
    assert.equal(said.status, status)
    assert.match(JSON.stringify(said.failure), words)
    assert.doesNotMatch(JSON.stringify(said.failure), /\bat |TypeError|not a function/)
    assert.equal(said.bug !== null, isBug)
  }
})

function jobsOf() {
  const events: ServerEvent[] = []
  const bugs: string[] = []
  return { jobs: new Jobs({ send: event => events.push(event) }, text => bugs.push(text)), events, bugs }
}

test('two jobs run at a time, others wait in their order, and too many are refused', async () => {
  const { jobs } = jobsOf()
  const ends: (() => void)[] = []
  const start = (title: string, lane: 'work' | 'add' = 'work') =>
    jobs.start({ kind: 'x', title, lane }, () => new Promise<string>(resolve => ends.push(() => resolve(title))))
  const states = (): string[] => jobs.all().map(({ title, state }) => `${title} ${state}`)
  for (const title of ['a', 'b', 'c', 'd']) start(title)
  start('e', 'add')
  assert.deepEqual(states(), ['a running', 'b running', 'c waiting', 'd waiting', 'e running'])
  ends[0]!()
  await wait(0)
  assert.deepEqual(states().slice(0, 4), ['a done', 'b running', 'c running', 'd waiting'])
  jobs.stop(jobs.all()[3]!.id)
  assert.equal(states()[3], 'd stopped')
  for (let i = 0; i < 20; i++) start(`more ${i}`)
  assert.throws(
    () => start('too many'),
    (error: AnswerError) => error.status === 75 && /20 jobs wait/.test(error.message),
  )
  assert.equal(jobs.value(jobs.all()[0]!.id)?.bytes.toString(), '"a"')
})

test('a job that is stopped is told so, one that fails says why, and a bug goes to the terminal', async () => {
  const { jobs, events, bugs } = jobsOf()
  const stopped = jobs.start(
    { kind: 'x', title: 'stopped' },
    signal => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  jobs.stop(stopped.id)
  jobs.start({ kind: 'x', title: 'failed' }, () => Promise.reject(new UserError('no', { hint: 'yes' })))
  jobs.start({ kind: 'x', title: 'bug' }, async () => {
    throw new TypeError('oh')
  })
  await wait(0)
  assert.deepEqual(
    jobs.all().map(({ state, error, hint }) => [state, error, hint]),
    [
      ['stopped', undefined, undefined],
      ['failed', 'no', 'yes'],
      [
        'failed',
        'this is a bug in Tidemark, not a problem with the evidence',
        'the terminal that tidemark ui runs in has the lines to report',
      ],
    ],
  )
  assert.equal(bugs.length, 1)
  assert.match(bugs[0]!, /TypeError: oh\n +at /)
  assert.doesNotMatch(JSON.stringify(events), /TypeError/)
  await jobs.stopAll()
})

test('progress of a job is told ten times a second at most, its last state at once', async () => {
  const { jobs, events } = jobsOf()
  const job = jobs.start({ kind: 'x', title: 'x' }, async (_, onProgress) => {
    for (let done = 0; done < 1000; done++) {
      onProgress({ doing: 'x', done, of: 1000 })
      if (done % 100 === 0) await wait(1)
    }
  })
  await wait(150)
  assert(events.length < 8, `${events.length}`)
  assert.equal((events.at(-1) as { job: { state: string } }).job.state, 'done')
  assert.equal(jobs.state(job.id)!.done, 999)
})

test('twenty jobs that are over are kept', async () => {
  const { jobs } = jobsOf()
  for (let i = 0; i < 30; i++) {
    jobs.start({ kind: 'x', title: `${i}` }, () => Promise.resolve(i))
    await wait(0)
  }
  assert.deepEqual(
    jobs.all().map(({ title }) => title),
    Array.from({ length: 20 }, (_, i) => `${i + 10}`),
  )
})

/** What a response is given. */
function response(): { stream: ServerResponse; head: Record<string, string | number>; text(): string } {
  const stream = new PassThrough()
  const pieces: Buffer[] = []
  stream.on('data', piece => pieces.push(piece))
  const head: Record<string, string | number> = {}
  Object.assign(stream, { writeHead: (_: number, headers: typeof head) => Object.assign(head, headers) })
  return { stream: stream as unknown as ServerResponse, head, text: () => Buffer.concat(pieces).toString() }
}

test('a file is given once under a safe name, and is gone then', async () => {
  const downloads = new Downloads()
  const names: [string, string][] = [
    ['report.html', 'report.html'],
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\win.ini', 'win.ini'],
    ['a"; filename="b.exe', 'a_; filename=_b.exe'],
    ['a\r\nset-cookie: x=1', 'a__set-cookie_ x=1'],
    ['\u202egnp.exe', '_gnp.exe'],
    ['.bashrc', 'bashrc'],
    ['...', 'download'],
    ['', 'download'],
    ['naïve “report”.csv', 'naïve “report”.csv'],
    ['\ud800x', '_x'],
    ['x'.repeat(500), 'x'.repeat(120)],
  ]
  for (const [given, safe] of names) {
    const path = downloads.newPath('.txt')
    writeFileSync(path, 'content')
    const offered = downloads.offer(path, given, 'text/plain')
    assert.deepEqual([offered.name, offered.bytes], [safe, 7])
    const { stream, head, text } = response()
    await downloads.take(offered.id)!.write(stream)
    assert.equal(text(), 'content')
    const disposition = String(head['content-disposition'])
    assert.match(disposition, /^attachment; filename="[\x20-\x7e]*"; filename\*=UTF-8''[\w.!~%-]*$/)
    assert.equal(decodeURIComponent(disposition.split("''")[1]!), safe)
    assert.equal(disposition.split('"').length, 3)
    assert.equal(existsSync(path), false)
    assert.equal(downloads.take(offered.id), null)
  }
  const kept = downloads.newPath('.txt')
  writeFileSync(kept, '')
  downloads.offer(kept, 'x')
  downloads.close()
  assert.equal(existsSync(dirname(kept)), false)
})

test('files of work that fails or is stopped are removed, with what a killed process left beside them', async () => {
  const downloads = new Downloads()
  const { jobs } = jobsOf()
  const written: string[] = []
  const ask = async (_: string, { path }: { path: string }): Promise<never> => {
    written.push(path)
    writeFileSync(path, 'x')
    writeFileSync(join(dirname(path), `.${basename(path)}-1-ab.part`), 'x')
    throw new UserError('no')
  }
  const services = { jobs, downloads, lists: new KeptLists(), work: { ask } } as unknown as Services
  const job = listJob(services, { kind: 'x', title: 'x', question: {}, head: '' })
  await wait(0)
  assert.equal(jobs.state(job.id)!.state, 'failed')
  const kept = downloads.newPath('.csv')
  assert.equal(dirname(written[0]!), dirname(kept))
  assert.deepEqual(readdirSync(dirname(kept)), [])
  const path = await downloads.writing([kept], async () => {
    writeFileSync(kept, 'x')
    return kept
  })
  assert.equal(existsSync(path), true)
  downloads.close()
})

test('port 80 is not said by browsers, and lets in who was given the link', () => {
  const gate = { host: hostOf('127.3.5.7', 80), token: 'secret' }
  assert.deepEqual([gate.host, hostOf('127.3.5.7', 8080)], ['127.3.5.7', '127.3.5.7:8080'])
  const request = (host: string): IncomingMessage =>
    ({
      ...{ url: '/hosts?x=1', method: 'GET' },
      headers: { host, origin: `http://${host}`, cookie: `${cookieName(gate)}=secret` },
      rawHeaders: ['Host', host],
    }) as unknown as IncomingMessage
  assert.equal(addressOf(gate, request('127.3.5.7'))?.href, 'http://127.3.5.7/hosts?x=1')
  assert.equal(refusalOf(gate, request('127.3.5.7'), null, false), null)
  assert.equal(refusalOf(gate, request('127.3.5.8'), null, false)?.status, 403)
})

test('after the workbench was closed no query in SQL starts a process', async () => {
  const sql = new SqlSessions('/nowhere', () => null)
  await sql.close()
  await assert.rejects(sql.columns(new AbortController().signal), /the workbench is closing/)
})
