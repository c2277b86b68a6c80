import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { repoRoot } from '../repo.ts'
import { type Server, sendRaw, startServer, statusOf } from './raw.ts'

/** Ways to write `../`, `/` and what leads out of a folder. */
const ups = [
  '..',
  '%2e%2e',
  '%2E.',
  '.%2e',
  '%252e%252e',
  '%c0%ae%c0%ae',
  '%e0%80%ae%e0%80%ae',
  '%uff0e%uff0e',
  '..%00',
  '....',
  '..;',
  '%2e%2e%20',
  '..%0d%0a',
  '．．',
  '%ef%bc%8e%ef%bc%8e',
]
const slashes = ['/', '%2f', '%252f', '\\', '%5c', '%255c', '%c0%af', '%e0%80%af', '%ef%bc%8f', '//']
const others = [
  ...[
    '/etc/passwd',
    '//etc/passwd',
    '/proc/self/environ',
    '/proc/self/fd/0',
    '/proc/self/fd/3',
    '/dev/fd/0',
    '/dev/stdin',
  ],
  ...[
    '/package.json',
    '/node_modules/preact/package.json',
    '/listen.js',
    '/server/listen.js',
    '/cli/main.js',
    '/app.js.map',
  ],
  ...[
    '/app.js%00',
    '/app.js%00.txt',
    '/app.js/',
    '/app.js/.',
    '/app.js/..',
    '/app.js%2f',
    '/app.js%20',
    '/app.js.',
    '/APP.JS',
    '/app%2ejs',
  ],
  ...[
    '/app.js::$DATA',
    '/app.js;x',
    '/app.js~',
    '/.app.js',
    '/.git/config',
    '/.env',
    '/~root/',
    '/C:/windows/win.ini',
    '/C%3a/',
    '/file:///etc/passwd',
  ],
  ...[
    '/%',
    '/%zz',
    '/%u002e',
    '/%00',
    '/%ff',
    '/%0a',
    '/__proto__',
    '/constructor',
    '/toString',
    '/hasOwnProperty',
    '/undefined',
  ],
  ...[
    '/api',
    '/api/',
    '/api//case',
    '/api/../app.js',
    '/api/%2e%2e/health',
    '/api/case/',
    '/api/job/',
    '/api/job/..%2f..%2fetc%2fpasswd',
  ],
  ...[
    '/api/download/..%2f..%2fetc%2fpasswd',
    '/api/download/%2fetc%2fpasswd',
    '/api/download/__proto__',
    '/api/record/..%2f1/1',
    '/api/record/__proto__/1',
  ],
]

describe('addresses that lead elsewhere', () => {
  let server: Server
  before(async () => {
    server = await startServer()
  })
  after(() => server.close())

  test('give no file but those of the page: 200 and more spellings', async () => {
    const folder = join(repoRoot, 'build', 'src', 'ui')
    const names = readdirSync(folder).filter(name => statSync(join(folder, name)).isFile())
    const own = new Map(names.map(name => [`/${name}`, readFileSync(join(folder, name))]))
    const climbing = ups.flatMap(up => slashes.map(slash => `/${(up + slash).repeat(6)}etc${slash}passwd`))
    const inside = ups
      .slice(0, 5)
      .flatMap(up => slashes.slice(0, 5).map(slash => `/host/${up}${slash}${up}${slash}package.json`))
    const spellings = [...climbing, ...inside, ...others]
    assert(spellings.length >= 200)
    for (const path of spellings) {
      const request = Buffer.from(
        `GET ${path} HTTP/1.1\r\nHost: ${server.host}\r\nCookie: ${server.cookie}\r\nConnection: close\r\n\r\n`,
      )
      const back = await sendRaw(server.host, request)
      const status = statusOf(back)
      assert.doesNotMatch(back, /root:.*:0:0:|"devDependencies"|TIDEMARK_|\[core\]/, path)
      assert(status !== 500, `${path}: ${back.slice(0, 300)}`)
      if (status !== 200) continue
      const body = back.slice(back.indexOf('\r\n\r\n') + 4)
      const isPage = body.startsWith('<!doctype html>') && body.includes('<script type="module" src="/app.js">')
      const isOwn = [...own.values()].some(bytes => bytes.toString('latin1') === body)
      const isEmptyAnswer = path.startsWith('/api/') || path.includes('health')
      assert(isPage || isOwn || isEmptyAnswer, `${path}: ${back.slice(0, 300)}`)
    }
    assert.deepEqual(server.notes, [])
  })
})
