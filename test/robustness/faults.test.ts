import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../src/errors.ts'
import { type AddOptions, addEvidence } from '../../src/ingest/add.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { cliEntry } from '../repo.ts'
import {
  assertSound,
  chanceFrom,
  defaultHeader,
  folderFor,
  logOf,
  recordLine,
  recordsOfFiles,
  within,
} from './support.ts'

const driver = fileURLToPath(new URL('./add-driver.js', import.meta.url))

function start(
  args: string[],
  cwd?: string,
): { child: ChildProcess; ended: Promise<{ status: number | null; stdout: string; stderr: string }> } {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(cwd !== undefined && { cwd }) })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', piece => {
    stdout += String(piece)
  })
  child.stderr.on('data', piece => {
    stderr += String(piece)
  })
  const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', status => resolve({ status, stdout, stderr }))
  })
  return { child, ended }
}

/** A file system of that size, or null where none can be mounted. */
function smallDisk(t: TestContext, size: string): string | null {
  const disk = mkdtempSync(join(tmpdir(), 'tidemark-disk-'))
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tidemark-test', disk]).status === 0
  t.after(() => {
    if (isMounted) spawnSync('umount', ['-l', disk])
    rmSync(disk, { recursive: true, force: true })
  })
  return isMounted ? disk : null
}

test('a full disk: says so and what to do, keeps what was entered, and goes on when there is space', async t => {
  const root = folderFor(t)
  const disk = smallDisk(t, '2m')
  if (disk === null) return t.skip('no small file system can be mounted here')
  const logs = join(root, 'logs')
  mkdirSync(logs)
  const chance = chanceFrom(5)
  for (let i = 0; i < 30; i++) {
    // Random counters, for segments that do not pack well.
    const lines = Array.from({ length: 3000 }, (_, n) => recordLine(n, chance.int(0, 2 ** 50)))
    writeFileSync(join(logs, `${String(i).padStart(2, '0')}.log`), `${defaultHeader}\n${lines.join('\n')}\n`)
  }
  const dir = join(disk, 'case')
  const options: AddOptions = { case: dir, paths: [logs], workers: 1, rowsPerSegment: 4096 }
  const filler = join(disk, 'filler')
  writeFileSync(filler, Buffer.alloc(1700 << 10))
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(within(60, 'add', addEvidence(options)), error => {
      assert.ok(error instanceof UserError, String(error))
      assert.match(error.message, /^disk full while writing the case: /)
      assert.match(error.hint ?? '', /free some space.*run the same command again/)
      return true
    })
    const report = await verifyCase(dir)
    assert.deepEqual(
      report.findings.filter(finding => finding.what === 'altered' || finding.what === 'missing'),
      [],
    )
    const { case_records } = await readEvidence(dir)
    assert.equal(case_records % 3000, 0, 'whole files only')
    t.diagnostic(`${case_records} records in the case when the disk was full`)
  }
  const cli = spawnSync(process.execPath, [cliEntry, 'add', '--case', dir, logs], { encoding: 'utf8' })
  assert.equal(cli.status, 1, cli.stderr)
  assert.match(cli.stderr, /disk full while writing the case: .*\n {2}hint: free some space/)
  rmSync(filler)
  spawnSync('mount', ['-o', 'remount,size=64m', disk])
  await addEvidence(options)
  const after = await readEvidence(dir)
  assert.equal(after.case_records, 90_000)
  await assertSound(dir)
})

test('a disk that is full before the case is made: says so, and the next add makes it', async t => {
  const root = folderFor(t)
  const disk = smallDisk(t, '64k')
  if (disk === null) return t.skip('no small file system can be mounted here')
  writeFileSync(join(root, 'a.log'), logOf(10))
  const filler = join(disk, 'filler')
  const options: AddOptions = { case: join(disk, 'case'), paths: [join(root, 'a.log')], workers: 1 }
  for (const pages of [16, 15, 14, 13, 12, 11]) {
    rmSync(join(disk, 'case'), { recursive: true, force: true })
    try {
      writeFileSync(filler, Buffer.alloc(pages * 4096))
    } catch {
      // Even that does not fit: full all the same.
    }
    await addEvidence(options).then(
      () => undefined,
      error => assert.match(String(error), /disk full while writing the case/),
    )
    rmSync(filler)
    await addEvidence(options)
    assert.equal((await readEvidence(options.case)).case_records, 10)
    await assertSound(options.case)
  }
})

test('a case that another process writes is left alone: the message names the process and since when', async t => {
  const root = folderFor(t)
  const log = join(root, 'a.log')
  writeFileSync(log, logOf(10))
  const dir = join(root, 'case')
  await addEvidence({ case: dir, paths: [log], workers: 1 })
  const { child } = start(['-e', 'setTimeout(() => {}, 60000)'])
  t.after(() => child.kill('SIGKILL'))
  const since = '2026-03-14T15:09:26.000Z'
  const lock = (pid: number, host = hostname(), born: string | null = null): void =>
    writeFileSync(join(dir, 'write.lock'), JSON.stringify({ pid, host, born, since, doing: 'tidemark add x' }))
  const refused = async (pid: number): Promise<void> => {
    const before = readFileSync(join(dir, 'write.lock'))
    await assert.rejects(addEvidence({ case: dir, paths: [log], workers: 1 }), (error: UserError) => {
      assert.match(error.message, new RegExp(`process ${pid}\\b.*since ${since}.*tidemark add x`))
      assert.match(error.hint ?? '', /wait until it is done/)
      return true
    })
    assert.deepEqual(readFileSync(join(dir, 'write.lock')), before)
  }
  lock(child.pid!)
  await refused(child.pid!)
  // Reading goes on meanwhile.
  assert.equal((await recordsOfFiles(dir)).get(log)?.records, 10)
  assert.equal((await verifyCase(dir)).intact, true)
  // A process of another machine cannot be looked for.
  lock(99_999_999, 'elsewhere.example')
  await refused(99_999_999)
  // The number is alive, but it is another process than the one that took the lock.
  lock(child.pid!, hostname(), '1')
  await addEvidence({ case: dir, paths: [log], workers: 1 })
  assert.ok(!existsSync(join(dir, 'write.lock')))
})

test('the lock of a dead process, and what is no lock at all, is taken over', async t => {
  const root = folderFor(t)
  const log = join(root, 'a.log')
  writeFileSync(log, logOf(10))
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const gone = JSON.stringify({
    pid: dead,
    host: hostname(),
    born: null,
    since: '2026-03-14T15:09:26.000Z',
    doing: 'add',
  })
  for (const [i, text] of [gone, '', '{', 'null', '{"pid":-1}', '\0\0\0'].entries()) {
    const dir = join(root, `case-${i}`)
    mkdirSync(dir)
    writeFileSync(join(dir, 'write.lock'), text)
    writeFileSync(join(dir, 'write.lock.123'), 'draft')
    const report = await within(20, 'add', addEvidence({ case: dir, paths: [log], workers: 1 }))
    assert.equal(report.case_records, 10, JSON.stringify(text))
    assert.ok(!existsSync(join(dir, 'write.lock')))
    assert.deepEqual((await verifyCase(dir)).findings, [])
  }
})

test('adds that race, over a new case and over the lock of a dead process, lose nothing', async t => {
  const root = folderFor(t)
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const logs = Array.from({ length: 4 }, (_, i) => join(root, `${i}.log`))
  for (const [i, log] of logs.entries()) writeFileSync(log, logOf(100, i * 1000))
  let won = 0
  let refused = 0
  for (let round = 0; round < 2; round++) {
    const dir = join(root, `case-${round}`)
    if (round % 2 === 1) {
      mkdirSync(dir)
      const since = '2026-03-14T15:09:26.000Z'
      writeFileSync(
        join(dir, 'write.lock'),
        JSON.stringify({ pid: dead, host: hostname(), born: null, since, doing: 'add' }),
      )
    }
    const runs = logs.map(log => start([driver, JSON.stringify({ case: dir, paths: [log], workers: 1 })]).ended)
    const ends = await within(60, 'four adds', Promise.all(runs))
    const done = logs.filter((_, i) => ends[i]!.status === 0)
    for (const { status, stderr } of ends) {
      if (status !== 0) assert.match(stderr, /the case is being (written|taken)/)
    }
    assert.ok(done.length >= 1, 'one of them gets through')
    won += done.length
    refused += ends.length - done.length
    // Who was told that it is in, is in; who was refused can come again.
    const held = await recordsOfFiles(dir)
    assert.deepEqual([...held.keys()].sort(), done)
    await assertSound(dir)
    for (const log of logs) await addEvidence({ case: dir, paths: [log], workers: 1 })
    assert.equal((await readEvidence(dir)).case_records, 400)
    await assertSound(dir)
  }
  t.diagnostic(`${won} got through at once, ${refused} were refused`)
})

test('two adds of one process to the same case: one is refused, nothing is lost', async t => {
  const root = folderFor(t)
  const dir = join(root, 'case')
  const logs = [0, 1, 2].map(i => join(root, `${i}.log`))
  for (const [i, log] of logs.entries()) writeFileSync(log, logOf(50, i * 100))
  const ends = await Promise.allSettled(logs.map(log => addEvidence({ case: dir, paths: [log], workers: 1 })))
  for (const end of ends) if (end.status === 'rejected') assert.match(String(end.reason), /is being written by process/)
  assert.ok(ends.some(end => end.status === 'fulfilled'))
  for (const log of logs) await addEvidence({ case: dir, paths: [log], workers: 1 })
  assert.equal((await readEvidence(dir)).case_records, 150)
  await assertSound(dir)
})

test('Ctrl-C leaves a sound case, says what is in it and exits with 130; the same command goes on', async t => {
  const root = folderFor(t)
  const logs = join(root, 'logs')
  mkdirSync(logs)
  const big = logOf(40_000)
  for (let i = 0; i < 24; i++)
    writeFileSync(join(logs, `${String(i).padStart(2, '0')}.log`), `${big}${recordLine(i)}\n`)
  const dir = join(root, 'case')
  let stopped = 0
  for (const after of [150, 350, 550]) {
    rmSync(dir, { recursive: true, force: true })
    const { child, ended } = start([cliEntry, 'add', '--case', dir, '--workers', '1', logs])
    while (!existsSync(join(dir, 'ledger.jsonl')) && child.exitCode === null)
      await new Promise(resolve => setTimeout(resolve, 10))
    await new Promise(resolve => setTimeout(resolve, after))
    child.kill('SIGINT')
    const { status, stdout, stderr } = await within(30, 'the end after Ctrl-C', ended)
    if (status === 0) continue
    stopped++
    assert.equal(status, 130, stderr)
    assert.match(stderr, /stopped/)
    const { files, case_records } = await readEvidence(dir)
    assert.equal(case_records, files.length * 40_001, 'whole files only')
    if (case_records > 0) assert.match(stdout.replace(/[ ,]/g, ''), new RegExp(String(case_records)))
    assert.ok(!existsSync(join(dir, 'write.lock')))
    await assertSound(dir)
    await addEvidence({ case: dir, paths: [logs], workers: 2 })
    assert.equal((await readEvidence(dir)).case_records, 24 * 40_001)
  }
  assert.ok(stopped > 0, 'no run was caught in the middle')
  t.diagnostic(`${stopped} of 3 runs were caught in the middle`)
})
