/** The command that serves the workbench: what it prints and opens, and how it ends. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { noBrowserHere } from '../../src/cli/browser.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { cliEntry } from '../repo.ts'
import { temporaryFolder, tidemark } from './run.ts'

interface Running {
  child: ChildProcess
  said: { out: string; err: string }
  /** The link, when it is printed. */
  url(): Promise<string>
  ended: Promise<{ status: number | null; signal: string | null }>
}

function serve(t: TestContext, args: string[], cwd: string, env: Record<string, string> = {}): Running {
  const { DISPLAY: _d, WAYLAND_DISPLAY: _w, SSH_CONNECTION: _c, SSH_TTY: _t, TIDEMARK_CASE: _k, ...own } = process.env
  const child = spawn(process.execPath, [cliEntry, 'ui', ...args], { cwd, env: { ...own, ...env } })
  const said = { out: '', err: '' }
  child.stdout.on('data', piece => (said.out += piece))
  child.stderr.on('data', piece => (said.err += piece))
  const ended = new Promise<{ status: number | null; signal: string | null }>(resolve =>
    child.on('close', (status, signal) => resolve({ status, signal })),
  )
  t.after(() => child.kill('SIGKILL'))
  const url = async (): Promise<string> => {
    for (let i = 0; i < 3000; i++) {
      const found = /^(http:\/\/\S+)\n/.exec(said.out)?.[1]
      if (found !== undefined && said.err !== '') return found
      assert.equal(child.exitCode, null, said.err)
      await wait(20)
    }
    throw new Error(said.err)
  }
  return { child, said, url, ended }
}

for (const [signal, second] of [
  ['SIGINT', false],
  ['SIGTERM', false],
  ['SIGINT', true],
] as const) {
  test(`${signal}${second ? ' twice' : ''} ends the workbench, and its processes${second ? '' : ', with status 0'}`, async t => {
    const { child, said, url, ended } = serve(t, ['--no-open'], temporaryFolder(t))
    const { origin } = new URL(await url())
    assert.equal((await fetch(`${origin}/health`)).status, 200)
    child.kill(signal)
    if (second) child.kill(signal)
    const end = await ended
    // The second may come when all has ended.
    if (second) assert(end.status === 0 || end.signal === signal || end.status === 130, JSON.stringify(end))
    else assert.deepEqual(end, { status: 0, signal: null })
    await assert.rejects(fetch(`${origin}/health`))
    assert.equal(said.out.split('\n').length, 2)
    assert.match(said.err, /^tidemark: open that link in a browser on this machine\. Ctrl-C ends the workbench\.\n$/)
  })
}

const linux = { skip: process.platform === 'linux' ? false : 'Linux tells' }

test('the browser gets the link by a file that only the user may read, gone when it was there', linux, async t => {
  const folder = temporaryFolder(t)
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\necho "$@" > ${join(folder, 'opened')}\n`, { mode: 0o755 })
  const running = serve(t, [], folder, { DISPLAY: ':7', PATH: `${bin}:${process.env['PATH']}` })
  const url = await running.url()
  while (!existsSync(join(folder, 'opened'))) await wait(20)
  await wait(50)
  const path = readFileSync(join(folder, 'opened'), 'utf8').trim()
  const { searchParams } = new URL(url)
  assert(!path.includes(searchParams.get('token')!))
  assert(!readFileSync(`/proc/${running.child.pid}/cmdline`, 'latin1').includes(searchParams.get('token')!))
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(dirname(path)).mode & 0o777, 0o700)
  assert(readFileSync(path, 'utf8').includes(`content="0;url=${url}"`))
  assert.equal((await fetch(url, { redirect: 'manual' })).status, 303)
  assert.equal(existsSync(dirname(path)), false)
  assert.match(running.said.err, /opening that link in your browser; if nothing opens, open it yourself/)
  running.child.kill('SIGINT')
  assert.equal((await running.ended).status, 0)
})

test('a browser that cannot be opened is no failure', linux, async t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'xdg-open'), '#!/bin/sh\nexit 3\n', { mode: 0o755 })
  for (const path of [folder, '/nowhere']) {
    const running = serve(t, [], folder, { DISPLAY: ':7', PATH: path })
    const { origin } = new URL(await running.url())
    while (!running.said.err.includes('no browser could be opened')) await wait(20)
    assert.equal((await fetch(`${origin}/health`)).status, 200)
    running.child.kill('SIGINT')
    assert.equal((await running.ended).status, 0)
  }
})

test('no browser is opened over ssh, or without a desktop', () => {
  const ssh = 'you are here by ssh'
  const cases: [NodeJS.ProcessEnv, NodeJS.Platform, string | null][] = [
    [{}, 'linux', 'there is no desktop'],
    [{ DISPLAY: '' }, 'linux', 'there is no desktop'],
    [{ DISPLAY: ':0' }, 'linux', null],
    [{ WAYLAND_DISPLAY: 'wayland-0' }, 'linux', null],
    [{ SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }, 'linux', ssh],
    [{ SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22', DISPLAY: 'localhost:10.0' }, 'linux', null],
    [{}, 'darwin', null],
    [{ SSH_TTY: '/dev/ttys1' }, 'darwin', ssh],
    [{}, 'win32', null],
  ]
  for (const [env, platform, reason] of cases) assert.equal(noBrowserHere(env, platform), reason)
})

test('over ssh it says how to reach the workbench from the own machine', async t => {
  const { child, said, url, ended } = serve(t, [], temporaryFolder(t), { SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' })
  const { hostname, port } = new URL(await url())
  assert(
    said.err.includes(
      `ssh -N -L ${hostname}:${port}:${hostname}:${port} HOST (on macOS after: sudo ifconfig lo0 alias ${hostname})`,
    ),
    said.err,
  )
  child.kill('SIGTERM')
  await ended
})

test('a demo that is there is opened as it is, with what was noted in it', async t => {
  const folder = temporaryFolder(t)
  const out = join(folder, 'tidemark-demo')
  await copyLab(out)
  const caseDir = join(out, 'case.tidemark')
  await addEvidence({ case: caseDir, paths: [join(out, '20230928'), join(out, 'investigate.pcap')] })
  writeFileSync(join(caseDir, 'queries.json'), '{}')
  const { child, url, said, ended } = serve(t, ['--demo', '--no-open'], folder)
  const link = await url()
  const entered = await fetch(link, { redirect: 'manual' })
  const cookie = entered.headers.get('set-cookie')!.split(';')[0]!
  const answer = await fetch(`${new URL(link).origin}/api/case`, { headers: { cookie } })
  const { demo, records, captures } = (await answer.json()) as Record<string, unknown>
  assert.deepEqual([demo, (records as { total: number }).total, captures], [true, 172_211, 1])
  assert.equal(readFileSync(join(caseDir, 'queries.json'), 'utf8'), '{}')
  assert.match(said.err, /reconstructed data in tidemark-demo\/investigate\.pcap: 363,583 packets/)
  child.kill('SIGINT')
  await ended
})

test('what cannot be served is told before anything is', t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'file'), '')
  const cases: [string[], number, RegExp][] = [
    [['--port', '70000'], 2, /Expected a port number, 0 to 65535/],
    [['--port', '-1'], 2, /port/],
    [['--out', 'x'], 2, /needs '--demo'/],
    [['--case', 'file'], 1, /the case is a file, not a folder/],
    [['logs/'], 2, /a case is named with --case DIR/],
  ]
  for (const [args, status, words] of cases) {
    const run = tidemark(['ui', ...args], { cwd: folder })
    assert.equal(run.status, status, run.stderr)
    assert.match(run.stderr, words)
  }
})

test('two workbenches may have the same port: each has an address of its own', linux, async t => {
  const folder = temporaryFolder(t)
  const { url } = serve(t, ['--no-open'], folder)
  const { port } = new URL(await url())
  const second = serve(t, ['--no-open', '--port', port], folder)
  assert.equal(new URL(await second.url()).port, port)
})
