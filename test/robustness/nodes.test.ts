import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { tidemark } from '../cli/run.ts'
import { cliEntry } from '../repo.ts'
import { folderFor, logOf } from './support.ts'

const skip = process.platform === 'win32' && 'no links and pipes'

function pipe(path: string): void {
  assert.equal(spawnSync('sh', ['-c', 'mkfifo "$0"', path]).status, 0)
}

/** A case with one log, another log that is not in it, and a folder that must stay as it is. */
async function made(t: TestContext): Promise<{ root: string; dir: string; other: string; victim: string }> {
  const root = folderFor(t)
  const [dir, other, victim] = [join(root, 'case'), join(root, 'other.log'), join(root, 'victim')]
  writeFileSync(join(root, 'a.log'), logOf(10))
  writeFileSync(other, logOf(12))
  mkdirSync(victim)
  writeFileSync(join(victim, 'thesis.txt'), 'precious')
  await addEvidence({ case: dir, paths: [join(root, 'a.log')], workers: 1 })
  return { root, dir, other, victim }
}

function assertUntouched(victim: string): void {
  assert.deepEqual(readdirSync(victim), ['thesis.txt'])
  assert.equal(readFileSync(join(victim, 'thesis.txt'), 'utf8'), 'precious')
}

test('a folder of a case that is a link is named, and nothing behind it is written or removed', { skip }, async t => {
  for (const name of ['incoming', 'segments', 'cache']) {
    const { dir, other, victim } = await made(t)
    rmSync(join(dir, name), { recursive: true, force: true })
    symlinkSync(victim, join(dir, name))
    await assert.rejects(addEvidence({ case: dir, paths: [other], workers: 1 }), {
      name: 'UserError',
      message: new RegExp(`a symbolic link, not a folder: .*${name}`),
    })
    const { findings, intact } = await verifyCase(dir)
    assert.equal(intact, false)
    assert.match(JSON.stringify(findings), new RegExp(`"path":"${name}","detail":"a symbolic link, not a folder"`))
    // What only reads spills and keeps its tables elsewhere, or refuses.
    tidemark(['flows', '-s', 'srcip/bytes', '--case', dir])
    tidemark(['investigate', '10.0.0.1', '--case', dir])
    assertUntouched(victim)
  }
})

test('a file of a case that is a link is named, and what it points to stays', { skip }, async t => {
  const names = [
    'ledger.jsonl',
    'ledger.head',
    'README.txt',
    'queries.json',
    'notes.json',
    'write.lock',
    'ledger.head.new',
    'cache/x',
  ]
  for (const name of names) {
    const { dir, other, victim } = await made(t)
    mkdirSync(join(dir, 'cache'), { recursive: true })
    rmSync(join(dir, name), { force: true })
    symlinkSync(join(victim, 'thesis.txt'), join(dir, name))
    await assert.rejects(addEvidence({ case: dir, paths: [other], workers: 1 }), { name: 'UserError' })
    tidemark(['flows', 'any', '--save', 'q', '--case', dir])
    assertUntouched(victim)
    if (name === 'ledger.jsonl') await assert.rejects(verifyCase(dir), /a symbolic link, not a regular file/)
    else assert.match(JSON.stringify((await verifyCase(dir)).findings), /a symbolic link, not a file/, name)
  }
})

test('links in the place of a case that is not made yet lead nowhere', { skip }, async t => {
  for (const name of ['README.txt', 'ledger.head', 'segments', 'incoming', 'ledger.jsonl', 'write.lock']) {
    const { root, other, victim } = await made(t)
    for (const target of [victim, join(victim, 'thesis.txt'), join(victim, 'absent')]) {
      const dir = join(root, 'new')
      rmSync(dir, { recursive: true, force: true })
      mkdirSync(dir)
      symlinkSync(target, join(dir, name))
      await assert.rejects(addEvidence({ case: dir, paths: [other], workers: 1 }), { name: 'UserError' })
      assertUntouched(victim)
    }
  }
})

test('the case itself may be a link', { skip }, async t => {
  const { root, dir, other } = await made(t)
  symlinkSync('case', join(root, 'link'))
  const report = await addEvidence({ case: join(root, 'link'), paths: [other], workers: 1 })
  assert.equal(report.case, dir)
  assert.equal((await readEvidence(join(root, 'link'))).case_records, 22)
  assert.ok((await verifyCase(join(root, 'link'))).intact)
})

test('a case that is no folder, or a link to none, is named', { skip }, async t => {
  const { root, other } = await made(t)
  pipe(join(root, 'pipe'))
  symlinkSync('absent', join(root, 'dangling'))
  symlinkSync('circle', join(root, 'circle'))
  symlinkSync('/dev/zero', join(root, 'zero'))
  for (const [name, what] of [
    ['pipe', /the case is a named pipe/],
    ['other.log', /the case is a file, not a folder/],
    ['dangling', /leads to no folder/],
    ['circle', /leads to no folder/],
    ['zero', /leads to no folder/],
  ] as const) {
    const dir = join(root, name)
    await assert.rejects(addEvidence({ case: dir, paths: [other], workers: 1 }), { name: 'UserError', message: what })
    await assert.rejects(openCase(dir), { name: 'UserError', message: what })
    await assert.rejects(verifyCase(dir), { name: 'UserError', message: what })
  }
})

test('a copy of hard links stays as it was when the case goes on', { skip }, async t => {
  const { root, dir, other } = await made(t)
  const before = readFileSync(join(dir, 'ledger.jsonl'))
  linkSync(join(dir, 'ledger.jsonl'), join(root, 'copy.jsonl'))
  await addEvidence({ case: dir, paths: [other], workers: 1 })
  assert.deepEqual(readFileSync(join(root, 'copy.jsonl')), before)
  assert.ok((await verifyCase(dir)).intact)
})

test('a pipe or a device in place of a file of the case is named at once', { skip }, async t => {
  const { dir } = await made(t)
  const segment = join('segments', readdirSync(join(dir, 'segments'))[0]!)
  for (const name of [
    'write.lock',
    'ledger.jsonl',
    'ledger.head',
    'README.txt',
    'queries.json',
    'notes.json',
    segment,
  ]) {
    const path = join(dir, name)
    if (existsSync(path)) renameSync(path, join(dir, '..', 'kept'))
    for (const make of [pipe, (at: string) => symlinkSync('/dev/zero', at)]) {
      make(path)
      const verified = tidemark(['verify', '--case', dir])
      assert.equal(verified.status, 1, name)
      assert.match(verified.stdout + verified.stderr, /a named pipe \(FIFO\), not|a symbolic link, not/, name)
      const asked = tidemark(['flows', '-s', 'record', '--case', dir])
      const isNeeded = [segment, 'ledger.jsonl', 'ledger.head'].includes(name)
      assert.equal(asked.status, isNeeded ? 1 : 0, `${name}: ${asked.stderr}`)
      rmSync(path)
    }
    if (existsSync(join(dir, '..', 'kept'))) renameSync(join(dir, '..', 'kept'), path)
  }
  assert.ok((await verifyCase(dir)).intact)
})

test('a case of which a segment was led elsewhere after it was opened asks nothing of it', { skip }, async t => {
  const { dir, victim } = await made(t)
  const name = readdirSync(join(dir, 'segments'))[0]!
  rmSync(join(dir, 'segments', name))
  symlinkSync(join(victim, 'thesis.txt'), join(dir, 'segments', name))
  await assert.rejects(openCase(dir), /a symbolic link, not a regular file/)
})

test('a device that is named as evidence, or as a capture to convert, is refused by name', { skip }, async t => {
  const { root, dir } = await made(t)
  const path = '/dev/zero'
  for (const command of [
    ['add', path, '--case', dir],
    ['convert', path, '-o', join(root, 'out.csv')],
  ]) {
    const { status, stderr } = tidemark(command)
    assert.equal(status, 2, stderr)
    assert.ok(stderr.includes(`a device, not a file or folder: ${path}`), stderr)
  }
})

test('names of a case beside logs do not hide them; a case among the evidence is named', { skip }, async t => {
  const { root, dir } = await made(t)
  const logs = join(root, 'logs')
  mkdirSync(join(logs, 'segments'), { recursive: true })
  writeFileSync(join(logs, 'ledger.jsonl'), '')
  writeFileSync(join(logs, 'a.log'), logOf(30))
  const hidden = join(logs, 'incoming', '.hidden.part')
  mkdirSync(join(logs, 'incoming'))
  writeFileSync(hidden, logOf(31))
  renameSync(dir, join(logs, 'old.tidemark'))
  const report = await addEvidence({ case: join(root, 'new'), paths: [logs], workers: 1 })
  assert.equal(report.case_records, 61)
  const named = report.files.find(file => file.path === join(logs, 'old.tidemark'))
  assert.equal(named?.status, 'not-evidence')
  assert.match(named?.problem ?? '', /a Tidemark case/)
})

test('what killed writers left is named by verify and removed by the next one', { skip }, async t => {
  const { dir, other } = await made(t)
  const left = '.tidemark-new-4194305-0123456789abcdef'
  for (const folder of ['.', 'cache']) {
    mkdirSync(join(dir, folder), { recursive: true })
    writeFileSync(join(dir, folder, left), 'half')
  }
  const { findings, intact } = await verifyCase(dir)
  const named = findings.map(one => `${one.what} ${one.path}`)
  assert.deepEqual([named, intact], [[`incomplete ${left}`, `incomplete cache/${left}`], true])
  await addEvidence({ case: dir, paths: [other], workers: 1 })
  assert.ok(!existsSync(join(dir, left)) && !existsSync(join(dir, 'cache', left)))
})

for (const [name, signal, status] of [
  ['big.log', 'SIGINT', 130],
  ['big.log', 'SIGTERM', 143],
  ['big.log', 'SIGHUP', 129],
] as const) {
  test(`${signal} ends the reading of a file of 100 GiB of holes within 2 seconds`, { skip }, async t => {
    const root = folderFor(t)
    writeFileSync(join(root, name), '')
    truncateSync(join(root, name), 100 * 2 ** 30)
    const child = spawn(process.execPath, [cliEntry, 'add', root, '--case', join(root, 'case')], { stdio: 'ignore' })
    const ended = new Promise<number | null>(resolve => child.on('close', resolve))
    while (!existsSync(join(root, 'case', 'ledger.head'))) await new Promise(resolve => setTimeout(resolve, 20))
    await new Promise(resolve => setTimeout(resolve, 300))
    const from = performance.now()
    child.kill(signal)
    assert.equal(await ended, status)
    assert.ok(performance.now() - from < 2000 * Number(process.env['TIDEMARK_PATIENCE'] ?? 1))
  })
}
