import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { addEvidence } from '../../src/ingest/add.ts'
import { openCase } from '../../src/store/case.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { lockForWriting, writerOf } from '../../src/store/lock.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { folderFor, logOf, recordsOfFiles, setting } from './support.ts'

const driver = fileURLToPath(new URL('./lock-driver.js', import.meta.url))
const attempts = setting('LOCK_ATTEMPTS', 400)

test(`8 processes, ${attempts} attempts each, half of the locks left by the dead: never two writers`, async t => {
  const dir = folderFor(t)
  const runs = Array.from({ length: 8 }, async () => {
    const child = spawn(process.execPath, [driver, dir, String(attempts)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', piece => {
      text += String(piece)
    })
    const status = await new Promise(resolve => child.on('close', resolve))
    assert.equal(status, 0)
    return JSON.parse(text) as { taken: number; refused: number; violated: number }
  })
  const sums = { taken: 0, refused: 0, violated: 0 }
  for (const counts of await Promise.all(runs)) {
    for (const name of ['taken', 'refused', 'violated'] as const) sums[name] += counts[name]
  }
  t.diagnostic(JSON.stringify(sums))
  assert.equal(sums.violated, 0)
  assert.ok(sums.taken > attempts / 4 && sums.refused > 0)
})

test('a process that died while it took over the lock of another that died holds nobody up', async t => {
  const dir = folderFor(t)
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const text = JSON.stringify({ pid: dead, host: hostname(), born: '1', since: 'then', doing: 'add' })
  for (const name of ['write.lock', 'write.lock.takeover', 'write.lock.takeover.takeover']) {
    writeFileSync(join(dir, name), text)
  }
  const release = await lockForWriting(dir, 'add')
  assert.equal((await writerOf(dir))?.pid, process.pid)
  await assert.rejects(lockForWriting(dir, 'add'), /is being written by process/)
  await release()
  assert.equal(await writerOf(dir), null)
  assert.ok(!existsSync(join(dir, 'write.lock')))
})

test('a process that is dead but not yet buried by its parent holds nobody up', async t => {
  if (process.platform !== 'linux') return t.skip('only Linux tells')
  const dir = folderFor(t)
  // The shell starts a short process, says its number, and becomes another program, which never asks for it, before it ends.
  const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => parent.kill('SIGKILL'))
  const pid = Number(await new Promise(resolve => parent.stdout.once('data', resolve)))
  for (let wait = 0; wait < 100 && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')); wait++) {
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  const born = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? null
  writeFileSync(join(dir, 'write.lock'), JSON.stringify({ pid, host: hostname(), born, since: 'then', doing: 'add' }))
  const release = await lockForWriting(dir, 'add')
  await release()
})

test('a lock that was deleted by hand and taken by another is not given free by the first', async t => {
  const dir = folderFor(t)
  const release = await lockForWriting(dir, 'add')
  const other = JSON.stringify({ pid: 1, host: 'elsewhere.example', born: null, since: 'then', doing: 'add' })
  writeFileSync(join(dir, 'write.lock'), other)
  await release()
  assert.equal(readFileSync(join(dir, 'write.lock'), 'utf8'), other)
})

test('reading and verifying go on while the case is written, and never take it for altered', async t => {
  const root = folderFor(t)
  const logs = join(root, 'logs')
  mkdirSync(logs)
  for (let i = 0; i < 60; i++) writeFileSync(join(logs, `${i}.log`), logOf(200, i * 1000))
  const dir = join(root, 'case')
  writeFileSync(join(root, 'first.log'), logOf(10, 900_000))
  await addEvidence({ case: dir, paths: [join(root, 'first.log')], workers: 1 })
  let isDone = false
  const adding = addEvidence({ case: dir, paths: [logs], workers: 2, rowsPerSegment: 250 }).finally(() => {
    isDone = true
  })
  let [looks, last] = [0, 0]
  while (!isDone) {
    const report = await verifyCase(dir)
    assert.deepEqual([report.intact, report.findings.filter(finding => finding.what !== 'incomplete')], [true, []])
    const { case_records, files } = await readEvidence(dir)
    assert.equal(case_records, 10 + (files.length - 1) * 200)
    assert.ok(case_records >= last, 'what was in stays in')
    last = case_records
    if (looks++ % 5 === 0) assert.ok((await recordsOfFiles(dir)).size >= 1)
  }
  await adding
  assert.deepEqual((await verifyCase(dir)).findings, [])
  assert.equal((await readEvidence(dir)).case_records, 12_010)
  t.diagnostic(`${looks} looks while it was written`)
})

test('a writer leaves the spill folder of a reader at work, and removes that of a dead one', async t => {
  const root = folderFor(t)
  writeFileSync(join(root, 'a.log'), logOf(10, 0))
  writeFileSync(join(root, 'b.log'), logOf(10, 900_000))
  const dir = join(root, 'case')
  await addEvidence({ case: dir, paths: [join(root, 'a.log')], workers: 1 })
  const c = await openCase(dir)
  const spill = (): string[] => readdirSync(join(dir, 'incoming')).filter(name => name.startsWith('.tidemark-spill-'))
  const [alive] = spill()
  assert.ok(alive)
  mkdirSync(join(dir, 'incoming', '.tidemark-spill-4194305-dead'))
  await addEvidence({ case: dir, paths: [join(root, 'b.log')], workers: 1 })
  assert.deepEqual(spill(), [alive])
  await c.close()
  assert.deepEqual(spill(), [])
})
