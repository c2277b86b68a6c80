import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cliEntry } from '../repo.ts'
import { logOf } from '../robustness/support.ts'
import { temporaryFolder, tidemark } from './run.ts'

const skip = process.platform === 'win32' && 'no signals'
const secondsMax = 2 * Number(process.env['TIDEMARK_PATIENCE'] ?? 1)

/** How a command ends that is given signals once `isBusy`, and after how many seconds. */
async function stopped(
  args: string[],
  signals: NodeJS.Signals[],
  isBusy: () => boolean,
  options: { env?: Record<string, string>; input?: 'open' } = {},
): Promise<{ how: number | string | null; seconds: number }> {
  const stdin = options.input === 'open' ? 'pipe' : 'ignore'
  const child = spawn(process.execPath, [cliEntry, ...args], {
    stdio: [stdin, 'ignore', 'ignore'],
    env: { ...process.env, ...options.env },
  })
  const ended = new Promise<number | string | null>(resolve => child.on('close', (code, name) => resolve(code ?? name)))
  while (!isBusy()) await new Promise(resolve => setTimeout(resolve, 20))
  await new Promise(resolve => setTimeout(resolve, 500))
  const from = performance.now()
  for (const signal of signals) {
    child.kill(signal)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  return { how: await ended, seconds: (performance.now() - from) / 1000 }
}

test('a throw-away case is gone after a signal, after two, and after a kill at the next start', { skip }, async t => {
  const folder = temporaryFolder(t)
  const temp = join(folder, 'tmp')
  const holes = join(folder, 'holes.log')
  mkdirSync(temp)
  writeFileSync(holes, '')
  truncateSync(holes, 100 * 2 ** 30)
  const isBusy = () => readdirSync(temp).some(name => existsSync(join(temp, name, 'case.tidemark', 'ledger.head')))
  const env = { TMPDIR: temp }
  const args = ['flows', '-s', 'record', '--', holes]
  const once = await stopped(args, ['SIGTERM'], isBusy, { env })
  assert.equal(once.how, 143)
  assert.ok(once.seconds < secondsMax, `${once.seconds} s`)
  assert.deepEqual(readdirSync(temp), [])
  const twice = await stopped(args, ['SIGINT', 'SIGINT'], isBusy, { env })
  assert.ok([130, 'SIGINT'].includes(twice.how as number), String(twice.how))
  assert.ok(twice.seconds < secondsMax, `${twice.seconds} s`)
  assert.deepEqual(readdirSync(temp), [])
  assert.equal((await stopped(args, ['SIGKILL'], isBusy, { env })).how, 'SIGKILL')
  assert.equal(readdirSync(temp).length, 1)
  writeFileSync(join(folder, 'a.log'), logOf(5))
  const kept = `tidemark-other_host-4194305-abcdef`
  mkdirSync(join(temp, kept))
  assert.equal(tidemark(['flows', '-s', 'record', '--', join(folder, 'a.log')], { env }).status, 0)
  assert.deepEqual(readdirSync(temp), [kept])
})

test('verify of a segment of 100 GiB of holes ends at a signal', { skip }, async t => {
  const folder = temporaryFolder(t)
  const dir = join(folder, 'case')
  writeFileSync(join(folder, 'a.log'), logOf(5))
  assert.equal(tidemark(['add', join(folder, 'a.log'), '--case', dir]).status, 0)
  for (const name of [join('segments', readdirSync(join(dir, 'segments'))[0]!), 'README.txt']) {
    truncateSync(join(dir, name), 100 * 2 ** 30)
    const { how, seconds } = await stopped(['verify', '--case', dir], ['SIGINT'], () => true)
    assert.ok([130, 'SIGINT'].includes(how as number), String(how))
    assert.ok(seconds < secondsMax, `${seconds} s`)
    truncateSync(join(dir, name), 5)
  }
})

test('SQL that waits for standard input ends at a signal', { skip }, async t => {
  const folder = temporaryFolder(t)
  const dir = join(folder, 'case')
  writeFileSync(join(folder, 'a.log'), logOf(5))
  assert.equal(tidemark(['add', join(folder, 'a.log'), '--case', dir]).status, 0)
  const { how, seconds } = await stopped(['sql', '--case', dir], ['SIGTERM'], () => true, { input: 'open' })
  assert.ok([143, 'SIGTERM'].includes(how as number), String(how))
  assert.ok(seconds < secondsMax, `${seconds} s`)
})
