import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Reply, type Stub, startStub } from '../engines/stub.ts'
import { plainNames, tableOfNames } from '../engines/tables.ts'
import { cliEntry } from '../repo.ts'
import { type Run, temporaryFolder } from './run.ts'

const { columns } = tableOfNames(plainNames)
const shown = columns.map(({ name, type }) => [name, type, '', ''])
/** The engine's answers to what it is asked besides. */
const finished = (data: unknown[][] = []): Reply => ({ body: { id: 'q', stats: { state: 'FINISHED' }, data } })

function aside(body: string): Reply | null {
  if (/^SHOW COLUMNS/.test(body)) return finished(shown)
  if (/LIMIT 0$/.test(body)) return finished()
  return /^EXPLAIN/.test(body) ? finished([['{}']]) : null
}

function placeOf({ origin }: Stub): string {
  return `${origin.replace('http', 'trino')}/hive/logs/flows`
}

interface Started {
  kill(name: NodeJS.Signals): void
  ended: Promise<Run & { signal: NodeJS.Signals | null }>
}

/** The server is in this process, which must not wait. */
function start(...args: string[]): Started {
  const env = { ...process.env, TIDEMARK_TRINO_USER: 'u' }
  const child = spawn(process.execPath, [cliEntry, 'pull', ...args], { env })
  const out = { stdout: '', stderr: '' }
  child.stdout.on('data', piece => (out.stdout += piece))
  child.stderr.on('data', piece => (out.stderr += piece))
  return {
    kill: name => void child.kill(name),
    ended: new Promise(resolve => child.on('close', (status, signal) => resolve({ status, signal, ...out }))),
  }
}

const skip = process.platform === 'win32' && 'no signals'

test('nothing is left of a pull that Ctrl-C stops, also where it is pressed twice', { skip }, async t => {
  const folder = temporaryFolder(t)
  const stub = await startStub(({ method, body }, origin) => {
    const known = method === 'POST' ? aside(body) : null
    if (known !== null) return known
    const next = `${origin}/v1/statement/executing/q/1`
    // What it is asked then it does not answer in time, nor that it is to be cancelled.
    return { body: { id: 'q', nextUri: next, stats: { state: 'RUNNING' } }, wait_ms: method === 'POST' ? 0 : 4000 }
  })
  t.after(() => stub.close())
  for (const times of [1, 2]) {
    stub.heard.length = 0
    const running = start('203.0.113.7', '--engine', placeOf(stub), '--case', join(folder, 'c.tidemark'))
    while (!stub.heard.some(({ method }) => method === 'GET')) await new Promise(resolve => setTimeout(resolve, 20))
    assert.deepEqual(
      readdirSync(folder).map(name => name.replace(/\d+$/, 'N')),
      ['c.tidemark.pulling-N'],
    )
    for (let i = 0; i < times; i++) {
      running.kill('SIGINT')
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    const { status, signal, stderr } = await running.ended
    assert.ok(status === 130 || signal === 'SIGINT', `${status} ${signal} ${stderr}`)
    assert.deepEqual(readdirSync(folder), [])
  }
})
