import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Stub, startStub } from '../engines/stub.ts'
import { plainNames } from '../engines/tables.ts'
import { cliEntry } from '../repo.ts'
import { environment, flowLog, keyOf } from '../sources/command.ts'
import { canaries, startStub as startS3 } from '../sources/stub.ts'
import { aside, finished } from './engine-aside.ts'
import { type Run, temporaryFolder, tidemark } from './run.ts'

function placeOf({ origin }: Stub): string {
  return `${origin.replace('http', 'trino')}/hive/logs/flows`
}

interface Started {
  kill(name: NodeJS.Signals): void
  ended: Promise<Run & { signal: NodeJS.Signals | null }>
}

/** The server is in this process, which must not wait. */
function start(...args: string[]): Started {
  const env = environment({ TIDEMARK_TRINO_USER: 'u' })
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
      readdirSync(folder).map(name => name.replace(/-\w+-\d+-\w{6}$/, '-N')),
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

test('a filter that cannot be meant is refused before the engine is asked', async t => {
  const stub = await startStub(({ body }) => aside(body) ?? finished())
  t.after(() => stub.close())
  const at = ['--engine', placeOf(stub), '--case', join(temporaryFolder(t), 'c.tidemark'), '--dry-run']
  const { status, stderr } = await start('--filter', 'dst port 99999', ...at).ended
  assert.equal(status, 2, stderr)
  assert.match(stderr, /99999/)
  assert.deepEqual(stub.heard, [])
})

/** Sums over the objects, which of them hold what is wanted, and no others that hold more. */
function startEngine(keys: readonly string[], wanted: readonly string[]): Promise<Stub> {
  const names = (list: readonly string[]) => list.map(key => `s3://bucket/${key}`)
  const [first, last] = ['1767370800000000', '1767371099000000']
  const sums = names(keys).map(name => [
    ...[name, 'eni-0a1b2c3d4e5f00001', null, null, null],
    ...[first, last, '60000000', '50', '50', '0'],
  ])
  const places = names(wanted).map(name => ['50', name, ...plainNames.map(() => null)])
  return startStub(({ body }) => {
    const known = aside(body)
    if (known !== null) return known
    if (body.includes('FILTER (WHERE')) return finished(sums)
    return finished(body.includes('FROM asked') ? [] : places)
  })
}

test('--objects reads the objects that the engine names from S3, and no secret is written anywhere', async t => {
  const folder = temporaryFolder(t)
  const keys = Array.from({ length: 8 }, (_, i) => keyOf(i))
  const s3 = await startS3(t, Object.fromEntries(keys.map((key, i) => [key, flowLog(i, 50)])))
  const trino = await startEngine(keys, keys.slice(0, 6))
  t.after(() => trino.close())
  const dir = join(folder, 'c.tidemark')
  const args = ['203.0.113.0/24', '--objects', '--engine', placeOf(trino), '--endpoint', s3.address, '--case', dir]
  const { status, stdout, stderr } = await start(...args, '--json').ended
  assert.equal(status, 0, stderr)
  const report = JSON.parse(stdout)
  assert.deepEqual([report.objects, report.whole, report.records, report.records_of_table], [8, 6, 300, 400])
  assert.deepEqual(
    s3.requests
      .filter(({ key }) => key !== '')
      .map(({ key }) => key)
      .sort(),
    keys.slice(0, 6).sort(),
  )
  const { files } = JSON.parse(tidemark(['evidence', '--json', '--case', dir]).stdout)
  assert.equal(files.filter((file: { origin: { etag: string } | null }) => file.origin?.etag).length, 6)
  const { records } = JSON.parse(tidemark(['investigate', '203.0.113.0/24', '--json', '--case', dir]).stdout)
  assert.deepEqual([records.total, records.subject], [400, 300])
  assert.equal(tidemark(['verify', '--case', dir]).status, 0)
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    if (!statSync(join(dir, name)).isFile()) continue
    const text = readFileSync(join(dir, name), 'latin1')
    for (const secret of [canaries.AWS_SECRET_ACCESS_KEY, canaries.AWS_SESSION_TOKEN]) assert.ok(!text.includes(secret))
  }
  assert.doesNotMatch(stdout + stderr, /canary/i)
})

test('an object that is not in S3, or may not be read, ends a pull with its name, and nothing is left', async t => {
  const folder = temporaryFolder(t)
  const keys = [keyOf(1), keyOf(2)]
  const s3 = await startS3(t, { [keys[0]!]: flowLog(1, 50) })
  const trino = await startEngine(keys, keys)
  t.after(() => trino.close())
  const args = ['203.0.113.0/24', '--objects', '--engine', placeOf(trino), '--endpoint', s3.address]
  const missing = await start(...args, '--case', join(folder, 'c')).ended
  assert.equal(missing.status, 1)
  assert.match(missing.stderr, new RegExp(`there is no such object.*: s3://bucket/${keys[1]}`))
  s3.objects.set(keys[1]!, flowLog(2, 50))
  s3.fault = ({ key }) => (key === keys[0] ? { answer: 403, code: 'AccessDenied' } : null)
  const denied = await start(...args, '--case', join(folder, 'c')).ended
  assert.equal(denied.status, 1)
  assert.match(denied.stderr, new RegExp(`cannot be read: s3://bucket/${keys[0]}: .*access denied`))
  assert.deepEqual(readdirSync(folder), [])
})

test('--dry-run with --objects shows what is asked for objects, and options of S3 are refused without it', async t => {
  const trino = await startEngine([], [])
  t.after(() => trino.close())
  const { stdout, status } = await start('203.0.113.7', '--objects', '--dry-run', '--engine', placeOf(trino)).ended
  assert.equal(status, 0)
  assert.match(stdout, /Sums over everything.*Objects.*CASE WHEN "log_status" IN \('NODATA', 'SKIPDATA'\)/s)
  for (const more of [['--region', 'eu-central-1'], ['--request-payer']]) {
    const refused = await start('203.0.113.7', '--engine', placeOf(trino), ...more).ended
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, /of --objects, which is not given/)
  }
})
