import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { ask, type Server, sendRaw, startServer, statusOf } from './raw.ts'

describe('who may ask the workbench', () => {
  let server: Server
  before(async () => {
    server = await startServer()
  })
  after(() => server.close())

  test('only the Host that was printed is answered: 60 others are not, nor two, nor none', async () => {
    const [address, port] = server.host.split(':') as [string, string]
    const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    const [a, b, c, d] = address.split('.')
    const hosts = [
      ...['', ' ', '*', 'null', 'localhost', `localhost:${port}`, `localhost.:${port}`, `LOCALHOST:${port}`],
      ...['evil.example', `evil.example:${port}`, `${server.host}.evil.example`, `${address}.evil.example:${port}`],
      ...[`evil.example@${server.host}`, `${server.host}@evil.example`, `${server.host}#evil`, `${server.host}?evil`],
      ...[`${server.host}/`, `${server.host}/evil`, `http://${server.host}`, `//${server.host}`, `${server.host}\\`],
      ...[
        address,
        `${address}:`,
        `${address}:80`,
        `${address}:${Number(port) + 1}`,
        `${address}:0${port}`,
        `${address}.:${port}`,
      ],
      ...[`${number}:${port}`, `0x${number.toString(16)}:${port}`, `0${number.toString(8)}:${port}`],
      ...[
        `${a}.${b}.${Number(c) * 256 + Number(d)}:${port}`,
        `0${a}.${b}.${c}.${d}:${port}`,
        `0x${Number(a).toString(16)}.${b}.${c}.${d}:${port}`,
      ],
      ...[
        `127.0.0.1:${port}`,
        `127.1:${port}`,
        `127.0.0.2:${port}`,
        `0.0.0.0:${port}`,
        `0:${port}`,
        `[::1]:${port}`,
        `[::]:${port}`,
      ],
      ...[
        `[::ffff:${address}]:${port}`,
        `::1:${port}`,
        `[${address}]:${port}`,
        `${address}%lo:${port}`,
        `[fe80::1%25lo]:${port}`,
      ],
      ...[`127.0.0.1.nip.io:${port}`, `${address}.nip.io:${port}`, `7f000001.rbndr.us:${port}`, `localtest.me:${port}`],
      ...[
        `xn--evil-abc.example:${port}`,
        `tidemark:${port}`,
        `${server.host},evil.example`,
        `evil.example,${server.host}`,
      ],
      ...[
        `${server.host} evil.example`,
        `${server.host}:80`,
        `${server.host};evil`,
        `host.docker.internal:${port}`,
        `192.168.0.1:${port}`,
      ],
      ...[
        `10.0.0.1:${port}`,
        `169.254.169.254:${port}`,
        `metadata.google.internal:${port}`,
        `user:pass@${server.host}`,
      ],
    ]
    const others = [...new Set(hosts)]
    assert(others.length >= 60)
    for (const host of others) {
      for (const path of ['/', '/health', '/app.js', '/api/case', '/api/events', `/?token=${server.token}`]) {
        const back = await sendRaw(
          server.host,
          `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${server.cookie}\r\nConnection: close\r\n\r\n`,
        )
        assert.match(back, /^HTTP\/1\.1 40[03] /, `${host} ${path}: ${back.slice(0, 200)}`)
        assert.doesNotMatch(back, /set-cookie|access-control/i)
      }
    }
    const rest = `Cookie: ${server.cookie}\r\nConnection: close\r\n\r\n`
    const two = [
      `Host: ${server.host}\r\nHost: evil.example`,
      `Host: evil.example\r\nHost: ${server.host}`,
      `Host: ${server.host}\r\nhOsT: ${server.host}`,
    ]
    for (const lines of two)
      assert.equal(statusOf(await sendRaw(server.host, `GET /api/case HTTP/1.1\r\n${lines}\r\n${rest}`)), 403)
    for (const start of ['GET /api/case HTTP/1.1\r\n', 'GET /api/case HTTP/1.0\r\n'])
      assert.match(await sendRaw(server.host, start + rest), /^HTTP\/1\.1 40[03] /)
    const absolute = `GET http://evil.example/api/case HTTP/1.1\r\nHost: ${server.host}\r\n${rest}`
    assert.equal(statusOf(await sendRaw(server.host, absolute)), 400)
    assert.equal(statusOf(await sendRaw(server.host, `GET /api/case HTTP/1.1\r\nHost: ${server.host}\r\n${rest}`)), 200)
  })

  test('requests that other pages can make are refused, with the cookie too: 40 and more', async () => {
    const json = '{"text":"","cursor":0}'
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json',
    ]
    const origins = [
      'null',
      'http://evil.example',
      `https://${server.host}`,
      `http://${server.host}.evil.example`,
      'file://',
    ]
    const sites = ['cross-site', 'same-site', 'CROSS-SITE', '']
    const forged: [string, string, Record<string, string>][] = []
    for (const type of types) {
      for (const origin of origins) forged.push(['POST', '/api/complete', { origin, 'content-type': type }])
      for (const site of sites) forged.push(['POST', '/api/complete', { 'sec-fetch-site': site, 'content-type': type }])
    }
    // What needs no form: pictures, scripts, frames, events, prefetching, preflight.
    for (const path of ['/', '/app.js', '/api/case', '/api/events', '/health'])
      for (const method of ['GET', 'HEAD', 'OPTIONS'])
        forged.push([method, path, { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' }])
    forged.push([
      'GET',
      '/app.js',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'script', 'sec-fetch-mode': 'no-cors' },
    ])
    forged.push([
      'GET',
      '/',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe', 'sec-fetch-mode': 'navigate' },
    ])
    const preflight = {
      origin: 'http://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-private-network': 'true',
    }
    forged.push(['OPTIONS', '/api/complete', preflight])
    assert(forged.length >= 40)
    for (const [method, path, headers] of forged) {
      const body = method === 'POST' ? json : ''
      const { status, headers: back } = await ask(server.host, path, {
        method,
        headers: { ...headers, cookie: server.cookie },
        body,
      })
      assert.equal(status, 403, `${method} ${path} ${JSON.stringify(headers)}`)
      assert.deepEqual(
        Object.keys(back).filter(name => name.startsWith('access-control')),
        [],
      )
    }
    // A form that a browser without these headers sends is no JSON.
    for (const type of types.slice(0, 3)) {
      const headers = { cookie: server.cookie, 'content-type': type }
      assert.equal((await ask(server.host, '/api/complete', { method: 'POST', headers, body: json })).status, 415)
    }
  })

  test('websockets, tunnels and other methods are refused', async () => {
    const start = (line: string, more = ''): string =>
      `${line} HTTP/1.1\r\nHost: ${server.host}\r\nCookie: ${server.cookie}\r\n${more}\r\n`
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    for (const path of ['/', '/api/events', '/health'])
      assert.equal(statusOf(await sendRaw(server.host, start(`GET ${path}`, upgrade))), 400)
    assert.equal(
      statusOf(
        await sendRaw(
          server.host,
          start('GET /', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n'),
        ),
      ),
      400,
    )
    assert.doesNotMatch(await sendRaw(server.host, start(`CONNECT ${server.host}`)), / 200 /)
    for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'PURGE']) {
      for (const path of ['/', '/api/case', '/health']) {
        const back = await sendRaw(server.host, start(`${method} ${path}`, 'Connection: close\r\n'))
        assert.equal(statusOf(back), 405, `${method} ${path}`)
        assert.match(back, /\r\nallow: GET/i)
      }
    }
    assert.equal((await ask(server.host, '/api/complete', { headers: { cookie: server.cookie } })).status, 405)
    const head = await ask(server.host, '/', { method: 'HEAD', headers: { cookie: server.cookie } })
    assert.deepEqual([head.status, head.text], [200, ''])
    const options = await ask(server.host, '/api/complete', { method: 'OPTIONS', headers: { cookie: server.cookie } })
    assert.deepEqual([options.status, options.headers['allow']], [204, 'POST, OPTIONS'])
  })

  test('no other token or cookie lets in: 1,500 guesses, each near the right one or at random', async () => {
    const { token, host } = server
    const port = host.split(':')[1]!
    const guesses = [
      '',
      token.slice(1),
      token.slice(0, -1),
      `${token}=`,
      `${token} `,
      token.toLowerCase(),
      token.toUpperCase(),
      '../',
      'undefined',
      'null',
      '0',
    ]
    for (let i = 0; i < token.length; i++)
      guesses.push(token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1))
    while (guesses.length < 750) guesses.push(randomBytes(32).toString('base64url'))
    const wrong = guesses.filter(guess => guess !== token)
    for (const guess of wrong) {
      const encoded = encodeURIComponent(guess)
      const entered = await ask(host, `/?token=${encoded}`)
      assert.deepEqual([entered.status, entered.headers['set-cookie']], [403, undefined])
      assert.equal((await ask(host, '/api/case', { headers: { cookie: `tidemark-${port}=${encoded}` } })).status, 403)
    }
    for (const cookie of [
      `tidemark=${token}`,
      `TIDEMARK-${port}=${token}`,
      `x=${server.cookie}`,
      `tidemark-${port}x=${token}`,
      token,
    ])
      assert.equal((await ask(host, '/api/case', { headers: { cookie } })).status, 403, cookie)
    assert.equal((await ask(host, '/api/case', { headers: { authorization: `Bearer ${token}` } })).status, 403)
    assert.equal((await ask(host, `/api/case?token=${token}&token=x`, { method: 'POST' })).status, 405)
    // What another server on this address set beside it keeps nobody out.
    const cookie = `tidemark-${port}=x; a=b; ${server.cookie}`
    assert.equal((await ask(host, '/api/case', { headers: { cookie } })).status, 200)
  })

  test('the link sets a cookie that no script reads, and leads to the same address without the token', async () => {
    const from = async (path: string, headers = {}) => await ask(server.host, path, { headers })
    const { status, headers } = await from(`/host/10.0.0.1?q=port%2022&token=${server.token}&raw=1`)
    assert.deepEqual([status, headers['location']], [303, '/host/10.0.0.1?q=port+22&raw=1'])
    assert.deepEqual(headers['set-cookie'], [`${server.cookie}; HttpOnly; SameSite=Strict; Path=/`])
    assert.doesNotMatch(String(headers['location']), new RegExp(server.token))
    // A browser sends no such cookie after a redirect that another page, or a file, led to.
    const page = await from(`/?token=${server.token}&q=${encodeURIComponent('"><script>')}`, {
      'sec-fetch-site': 'cross-site',
    })
    assert.equal(page.status, 200)
    assert.doesNotMatch(page.text, new RegExp(server.token))
    assert.match(page.text, /content="0;url=\/\?q=%22%3E%3Cscript%3E"/)
  })

  test('the link leads to no other site', async () => {
    const paths = [
      '//evil.example/',
      '/\\evil.example/',
      '/\\/evil.example',
      '///evil.example',
      '/.//evil.example',
      '/..//evil.example',
      '/%2e//evil.example',
    ]
    paths.push(
      '/\t/evil.example',
      '/%5cevil.example',
      '/%2fevil.example',
      '/@evil.example',
      '//',
      '/\\',
      'http://evil.example/',
      '/a/..//evil.example',
      '/./\\evil.example',
    )
    for (const path of paths) {
      const back = await sendRaw(
        server.host,
        `GET ${path}?token=${server.token} HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`,
      )
      const location = /\r\nlocation: (.*)\r\n/i.exec(back)?.[1]
      if (location === undefined) assert.match(back, /^HTTP\/1\.1 40[0-9] /, path)
      else assert.equal(new URL(location, `http://${server.host}`).host, server.host, `${path} -> ${location}`)
    }
  })

  test('every answer, of errors too, has the headers that keep a page apart', async () => {
    const cookie = server.cookie
    const answers = [
      await ask(server.host, '/', { headers: { cookie } }),
      await ask(server.host, '/app.js', { headers: { cookie } }),
      await ask(server.host, '/api/case', { headers: { cookie } }),
      await ask(server.host, '/nothing', { headers: { cookie } }),
      await ask(server.host, '/api/case'),
      await ask(server.host, '/health'),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 404, 403, 200],
    )
    for (const { headers } of answers) {
      assert.match(
        String(headers['content-security-policy']),
        /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'.*require-trusted-types-for 'script'$/,
      )
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['x-frame-options'], 'DENY')
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
      assert.equal(headers['referrer-policy'], 'no-referrer')
      assert.equal(headers['cache-control'], 'no-store')
      assert.deepEqual(
        Object.keys(headers).filter(name => /^access-control|^x-powered|^server$/.test(name)),
        [],
      )
    }
    const nonces = answers.map(({ headers }) => /'nonce-([^']+)'/.exec(String(headers['content-security-policy']))![1])
    assert.equal(new Set(nonces).size, answers.length)
  })

  test('health needs no cookie, and tells nothing', async () => {
    const { status, text } = await ask(server.host, '/health')
    assert.deepEqual([status, text], [200, '{"status":"ok"}'])
  })

  test('one loopback address is listened on, and no other', {
    skip: process.platform === 'linux' ? false : 'Linux tells',
  }, async () => {
    const [address, port] = server.host.split(':') as [string, string]
    const hex = Number(port).toString(16).toUpperCase().padStart(4, '0')
    const listening = (table: string): string[] =>
      readFileSync(table, 'utf8')
        .split('\n')
        .flatMap(line => {
          const [, local = '', , state] = line.trim().split(/\s+/)
          return state === '0A' && local.endsWith(`:${hex}`) ? [local.split(':')[0]!] : []
        })
    const own = address
      .split('.')
      .reverse()
      .map(part => Number(part).toString(16).toUpperCase().padStart(2, '0'))
      .join('')
    assert.deepEqual(listening('/proc/net/tcp'), [own])
    assert.deepEqual(listening('/proc/net/tcp6'), [])
    assert.match(address, /^127\./)
    const others = Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(({ address }) => address))
    for (const other of ['127.0.0.1', '127.0.0.2', '::1', ...others]) {
      const connected = await new Promise<boolean>(resolve => {
        const socket = connect({ port: Number(port), host: other, timeout: 2000 })
        socket.on('connect', () => resolve(true))
        socket.on('error', () => resolve(false))
        socket.on('timeout', () => resolve(false))
        socket.on('close', () => resolve(false))
        socket.on('connect', () => socket.destroy())
      })
      assert.equal(connected, false, other)
    }
  })
})
