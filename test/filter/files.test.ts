import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from '../../src/filter/filter.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { temporaryFolder, tidemark } from '../cli/run.ts'
import { logOf } from '../robustness/support.ts'

const skip = process.platform === 'win32' && 'no pipes'

test('a filter reads regular files only, and says what else it was given', { skip }, t => {
  const folder = temporaryFolder(t)
  assert.equal(spawnSync('sh', ['-c', 'mkfifo "$0"', join(folder, 'pipe')]).status, 0)
  symlinkSync('/dev/zero', join(folder, 'zero'))
  mkdirSync(join(folder, 'sub'))
  writeFileSync(join(folder, 'sparse'), '')
  truncateSync(join(folder, 'sparse'), 100 * 2 ** 30)
  const what = {
    pipe: /a named pipe \(FIFO\), not a regular file/,
    zero: /a device, not/,
    sub: /a folder, not/,
    sparse: /exceeds/,
  }
  for (const [name, message] of Object.entries(what)) {
    for (const text of [`src ip in @${name}`, `@include ${name}`]) {
      assert.throws(() => parse(text, { folder }), { name: 'FilterError', status: 2, message })
    }
  }
  assert.throws(() => parse('src ip in @/dev/zero'), /a device, not a regular file/)
})

test('included files are bounded in depth, in number and in size', t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'self'), '@include self')
  assert.throws(() => parse('@include self', { folder }), /exceeds 10 files within one another/)
  const wide = Array.from({ length: 20 }, () => '@include leaf').join(' or ')
  writeFileSync(join(folder, 'leaf'), 'port 80')
  writeFileSync(join(folder, 'wide'), wide)
  const wider = Array.from({ length: 60 }, () => '@include wide').join(' or ')
  assert.throws(() => parse(wider, { folder }), /exceeds 1000 files in one filter/)
  writeFileSync(join(folder, 'large'), `port 80 #${'x'.repeat(6 * 2 ** 20)}`)
  assert.throws(
    () => parse('@include large or @include large or @include large', { folder }),
    /exceeds 16 MB in one filter/,
  )
})

test('a list has a largest number of values', t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'many'), '1\n'.repeat(5_000_001))
  assert.throws(() => parse('src port in @many', { folder }), /more than 5,000,000 values/)
})

test('a parameter names a file only where the user gave it', t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'list'), '10.0.0.1\n')
  const params = { list: '@list' }
  assert.throws(() => parse('src ip in [$list]', { folder, params }), /invalid address: @list/)
  const files = 'saved'
  const own = parse('src ip in $list', { folder, params, fileParams: ['list'], files })
  assert.match(
    JSON.stringify(own.ast, (_, v) => (typeof v === 'bigint' ? String(v) : v)),
    /"path":"list"/,
  )
  assert.throws(() => parse('src ip in $list and dst ip in @list', { folder, params, fileParams: ['list'], files }), {
    status: 2,
    message: /a saved query reads no files/,
  })
})

test('a saved query that came with a case reads no file, and says how the user can give one', async t => {
  const folder = temporaryFolder(t)
  const dir = join(folder, 'case')
  writeFileSync(join(folder, 'a.log'), logOf(10))
  writeFileSync(join(folder, 'secret'), 'root:x:0:0\n')
  writeFileSync(join(folder, 'list'), '0.0.0.0/0\n')
  await addEvidence({ case: dir, paths: [join(folder, 'a.log')], workers: 1 })
  const requests = {
    set: { filter: `src ip in @${folder}/secret` },
    included: { filter: `@include ${folder}/secret` },
    window: { filter: 'between 2023-01-01 and 2024-01-01', compare: `@include ${folder}/secret` },
    parameter: { filter: 'src ip in [$list]', params: { list: `@${folder}/secret` } },
    list: { filter: 'src ip in $list', limit: 3 },
  }
  const queries = Object.fromEntries(
    Object.entries(requests).map(([name, request]) => [name, { saved: '2023-01-01T00:00:00Z', request }]),
  )
  writeFileSync(join(dir, 'queries.json'), JSON.stringify({ version: 1, queries }))
  const ask = (...args: string[]) => tidemark(['flows', ...args, '--case', dir], { cwd: folder })
  for (const name of ['set', 'included', 'window', 'parameter']) {
    for (const more of [[], ['--explain']]) {
      const { status, stdout, stderr } = ask('--query', name, ...more)
      assert.equal(status, 2, `${name}: ${stdout}${stderr}`)
      assert.doesNotMatch(stdout + stderr, /root:x/)
    }
  }
  assert.match(ask('--query', 'set').stderr, /--param list=@FILE/)
  assert.equal(ask('--query', 'list', '--param', 'list=@list').status, 0)
  assert.equal(ask('src ip in @list', '--query', 'set').status, 0, 'the filter that the user wrote')
  assert.equal(ask('src ip in @list', '--save', 'mine').status, 2)
  assert.equal(ask('src ip in $list', '--save', 'mine').status, 0)
  assert.equal(ask('--query', 'mine', '--param', 'list=@list').status, 0)
})
