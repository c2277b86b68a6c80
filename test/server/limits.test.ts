import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ask, open, type Server, sendRaw, startServer, statusOf } from './raw.ts'

const wait = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))

describe('requests that are too large or too slow', { concurrency: true }, () => {
  let server: Server
  let start = ''
  before(async () => {
    server = await startServer()
    start = `POST /api/complete HTTP/1.1\r\nHost: ${server.host}\r\nCookie: ${server.cookie}\r\n`
  })
  after(() => server.close())

  const json = (body: string | Buffer) =>
    ask(server.host, '/api/complete', {
      method: 'POST',
      headers: { cookie: server.cookie, 'content-type': 'application/json' },
      body,
    })

  test('10,000 headers are refused, as are more than 100, and long ones', async () => {
    const many = (count: number, text = 'x') => Array.from({ length: count }, (_, i) => `X-${i}: ${text}\r\n`).join('')
    assert.equal(statusOf(await sendRaw(server.host, `${start}${many(10_000)}\r\n`)), 431)
    assert.equal(statusOf(await sendRaw(server.host, `${start}${many(200)}\r\n`)), 431)
    assert.equal(statusOf(await sendRaw(server.host, `${start}X: ${'x'.repeat(20_000)}\r\n\r\n`)), 431)
    assert.match(await sendRaw(server.host, `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 4/)
    // A second Host behind many headers is seen.
    assert.equal(statusOf(await sendRaw(server.host, `${start}${many(80)}Host: evil.example\r\n\r\n`)), 403)
    assert.equal((await ask(server.host, '/health')).status, 200)
  })

  test('bodies over 1 MiB are refused, whether they tell their length or not, also those of 10 MiB', async () => {
    const large = `{"text":"${'x'.repeat(1 << 20)}","cursor":0}`
    assert.equal((await json(large)).status, 413)
    const type = 'Content-Type: application/json\r\n'
    const chunk = `${(1 << 16).toString(16)}\r\n${'x'.repeat(1 << 16)}\r\n`
    const chunked = `${start}${type}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(160)}`
    assert.equal(statusOf(await sendRaw(server.host, chunked)), 413)
    const told = `${start}${type}Content-Length: ${10 << 20}\r\n\r\n`
    assert.equal(statusOf(await sendRaw(server.host, told)), 413)
    assert.equal(statusOf(await sendRaw(server.host, `${start}${type}Content-Length: 1e99\r\n\r\n`)), 400)
    const both = `${start}${type}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
    assert.equal(statusOf(await sendRaw(server.host, both)), 400)
  })

  test('a body that is no JSON, or of another form, is told what is wrong', async () => {
    const wrong: (string | Buffer)[] = [
      '',
      '{',
      'null',
      '[]',
      '"text"',
      '1e999',
      '{"text":1,"cursor":0}',
      '{"text":"","cursor":-1}',
    ]
    wrong.push(
      '{"text":"","cursor":0.5}',
      '{"text":"","cursor":0,"more":1}',
      '{"text":""}',
      '{"__proto__":{"text":"","cursor":0}}',
    )
    wrong.push(Buffer.from([0xff, 0xfe]), '\0', '['.repeat(500_000), `{"text":"${'x'.repeat(100_001)}","cursor":0}`)
    for (const body of wrong) {
      const { status, text } = await json(body)
      assert.equal(status, 400, String(body).slice(0, 60))
      assert.match(text, /^\{"error":"/)
      assert.doesNotMatch(text, /\bat .*\.js/)
    }
  })

  test('500 connections that dribble keep nobody out, and are ended', { timeout: 60_000 }, async () => {
    const sockets = Array.from({ length: 500 }, () => open(server.host))
    let ended = 0
    for (const socket of sockets) {
      socket.on('close', () => ended++)
      socket.write(`GET / HTTP/1.1\r\nHost: ${server.host}\r\n`)
      const dribble = setInterval(() => socket.write('X-A: b\r\n'), 500)
      socket.on('close', () => clearInterval(dribble))
    }
    const begun = performance.now()
    for (let i = 0; i < 20; i++) {
      const asked = performance.now()
      assert.equal((await ask(server.host, '/', { headers: { cookie: server.cookie } })).status, 200)
      assert(performance.now() - asked < 15_000)
      await wait(50)
    }
    while (ended < sockets.length && performance.now() - begun < 45_000) await wait(200)
    assert.equal(ended, sockets.length)
  })

  test('a body that dribbles is not waited for', { timeout: 60_000 }, async () => {
    const socket = open(server.host)
    let back = ''
    socket.on('data', piece => (back += piece))
    const closed = new Promise<void>(resolve => socket.on('close', () => resolve()))
    socket.write(`${start}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n`)
    const dribble = setInterval(() => socket.write('{'), 1000)
    await closed
    clearInterval(dribble)
    assert.equal(statusOf(back), 408)
  })

  test('requests one after another on a connection are answered in their order', async () => {
    const get = (path: string, last = false): string =>
      `GET ${path} HTTP/1.1\r\nHost: ${server.host}\r\nCookie: ${server.cookie}\r\n${last ? 'Connection: close\r\n' : ''}\r\n`
    const back = await sendRaw(server.host, get('/health') + get('/nothing') + get('/health', true))
    assert.deepEqual(
      [...back.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      ['200', '404', '200'],
    )
  })
})
