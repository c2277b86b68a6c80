import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type AddOptions, addEvidence } from '../../src/ingest/add.ts'
import { readEvidence } from '../../src/store/evidence-report.ts'
import { readLedger } from '../../src/store/ledger.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { chanceFrom, folderFor, logOf, recordsOfFiles, setting } from './support.ts'

const kills = setting('KILLS', 10)
const seed = setting('KILL_SEED', 20260314)
const fileCount = 24
const driver = fileURLToPath(new URL('./add-driver.js', import.meta.url))

/** Two dozen files of about two hundred records, no two of the same number. */
function writeLogs(folder: string): Map<string, { records: number; bytes: number }> {
  mkdirSync(folder)
  const truth = new Map<string, { records: number; bytes: number }>()
  for (let i = 0; i < fileCount; i++) {
    const records = 170 + i
    const path = join(folder, `${String(i).padStart(2, '0')}.log`)
    writeFileSync(path, logOf(records, i * 1000))
    let bytes = 0
    for (let r = 0; r < records; r++) bytes += 100 + i * 1000 + r
    truth.set(path, { records, bytes })
  }
  return truth
}

/** When to kill: so many milliseconds after the ledger has so many bytes. */
interface Blow {
  ledgerBytes: number
  milliseconds: number
}

/** Runs an add in a process of its own and kills it; null lets it end. Resolves with the milliseconds it lived. */
function runAndKill(options: AddOptions, blow: Blow | null): Promise<{ lived: number; killed: boolean }> {
  const child = spawn(process.execPath, [driver, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let began = 0
  child.stdout.once('data', () => {
    began = performance.now()
    if (blow === null) return
    const ledger = join(options.case, 'ledger.jsonl')
    const watch = setInterval(() => {
      if ((statSync(ledger, { throwIfNoEntry: false })?.size ?? 0) < blow.ledgerBytes) return
      clearInterval(watch)
      setTimeout(() => child.kill('SIGKILL'), blow.milliseconds)
    }, 2)
    child.on('close', () => clearInterval(watch))
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code !== 0 && signal !== 'SIGKILL') reject(new Error(`the add ended with status ${code}`))
      else resolve({ lived: performance.now() - began, killed: signal === 'SIGKILL' })
    })
  })
}

test(`${kills} kills at random moments: the case opens, every file is in whole or absent, adding again completes it`, async t => {
  const root = folderFor(t)
  const logs = join(root, 'logs')
  const truth = writeLogs(logs)
  const total = [...truth.values()].reduce((sum, file) => sum + file.records, 0)
  const chance = chanceFrom(seed)
  t.diagnostic(`seed ${seed}`)
  const optionsFor = (dir: string): AddOptions => ({ case: dir, paths: [logs], workers: 2, rowsPerSegment: 320 })

  const unbroken = join(root, 'unbroken')
  const { lived } = await runAndKill(optionsFor(unbroken), null)
  const { totals } = await readEvidence(unbroken)
  assert.equal(totals.records, total)
  const batches = (await readLedger(unbroken)).entries.length - 1
  const ledgerBytes = statSync(join(unbroken, 'ledger.jsonl')).size
  assert.ok(batches >= 10, `only ${batches} batches: the kills would have little to interrupt`)

  const seen = { killed: 0, absent: 0, nothing: 0, partial: 0, whole: 0, incomplete: 0 }
  for (let round = 0; round < kills; round++) {
    const dir = join(root, `case-${round}`)
    // Some hit the second add of one that was cut already.
    const blows = chance.maybe(0.2) ? 2 : 1
    for (let n = 0; n < blows; n++) {
      // Half at any time at all, half at any state of the ledger: much of the time is the start of threads.
      const blow = chance.maybe(0.5)
        ? { ledgerBytes: 0, milliseconds: chance.int(0, Math.round(lived)) }
        : { ledgerBytes: chance.int(1, ledgerBytes), milliseconds: chance.int(0, 30) }
      const { killed } = await runAndKill(optionsFor(dir), blow)
      if (killed) seen.killed++
    }
    const where = `seed ${seed}, round ${round}`
    if (!existsSync(join(dir, 'ledger.jsonl'))) seen.absent++
    else {
      const { entries } = await readLedger(dir)
      // A ledger whose first line was not written yet is a case that was not made yet.
      if (entries.length === 0) seen.absent++
      else {
        const listed = (await readEvidence(dir)).files
        const held = await recordsOfFiles(dir)
        for (const file of listed)
          assert.equal(file.records, truth.get(file.path)?.records, `${where}: ${file.path} in the ledger`)
        assert.deepEqual(
          held,
          new Map(listed.map(file => [file.path, truth.get(file.path)])),
          `${where}: the flows view`,
        )
        if (listed.length === 0) seen.nothing++
        else if (listed.length < fileCount) seen.partial++
        else seen.whole++
        const { findings } = await verifyCase(dir)
        const bad = findings.filter(finding => finding.what !== 'incomplete' && finding.what !== 'unlisted')
        assert.deepEqual(bad, [], `${where}: verify after the kill`)
        if (findings.some(finding => finding.what === 'incomplete')) seen.incomplete++
      }
    }
    await addEvidence({ ...optionsFor(dir), workers: 1 })
    const after = await readEvidence(dir)
    assert.deepEqual(after.totals, totals, `${where}: totals after adding again`)
    assert.deepEqual(await recordsOfFiles(dir), truth, `${where}: records after adding again`)
    assert.deepEqual((await verifyCase(dir)).findings, [], `${where}: verify after adding again`)
    rmSync(dir, { recursive: true })
  }
  t.diagnostic(`${batches} batches in ${Math.round(lived)} ms; ${JSON.stringify(seen)}`)
  assert.ok(seen.killed >= kills * 0.6, 'most of the processes died of their kill')
})

test('a kill while the case is made leaves what the next add takes over', async t => {
  const root = folderFor(t)
  const log = join(root, 'a.log')
  writeFileSync(log, logOf(20))
  const whole = join(root, 'whole')
  await addEvidence({ case: whole, paths: [log], workers: 1 })
  const ledger = readFileSync(join(whole, 'ledger.jsonl'))
  const first = ledger.indexOf(10) + 1
  for (const cut of [0, 1, 9, 76, 100, first - 2, first - 1, first]) {
    const dir = join(root, `cut-${cut}`)
    for (const name of ['', 'segments', 'incoming']) mkdirSync(join(dir, name), { recursive: true })
    writeFileSync(join(dir, 'README.txt'), readFileSync(join(whole, 'README.txt')))
    writeFileSync(join(dir, 'ledger.jsonl'), ledger.subarray(0, cut))
    const report = await addEvidence({ case: dir, paths: [log], workers: 1 })
    assert.equal(report.case_records, 20, `cut at byte ${cut}`)
    assert.deepEqual((await verifyCase(dir)).findings, [], `cut at byte ${cut}`)
  }
})

test('an emptied ledger is not taken for a case in the making', async t => {
  const root = folderFor(t)
  const log = join(root, 'a.log')
  writeFileSync(log, logOf(20))
  const dir = join(root, 'case')
  await addEvidence({ case: dir, paths: [log], workers: 1 })
  writeFileSync(join(dir, 'ledger.jsonl'), '')
  await assert.rejects(addEvidence({ case: dir, paths: [log], workers: 1 }), /ledger was altered/)
  rmSync(join(dir, 'ledger.head'))
  await assert.rejects(addEvidence({ case: dir, paths: [log], workers: 1 }), /ledger was altered/)
})

test('a ledger that was cut short is not added to, which would hide the cut', async t => {
  const root = folderFor(t)
  const dir = join(root, 'case')
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(root, `${i}.log`), logOf(20, i * 100))
    await addEvidence({ case: dir, paths: [join(root, `${i}.log`)], workers: 1 })
  }
  const path = join(dir, 'ledger.jsonl')
  const lines = readFileSync(path, 'utf8').split('\n')
  writeFileSync(path, `${lines.slice(0, -2).join('\n')}\n`)
  writeFileSync(join(root, 'new.log'), logOf(20, 900))
  await assert.rejects(addEvidence({ case: dir, paths: [join(root, 'new.log')], workers: 1 }), /ledger was altered/)
  assert.equal((await verifyCase(dir)).intact, false)
})

test('writers that were killed twice between the ledger and its head leave a sound case', async t => {
  const root = folderFor(t)
  const dir = join(root, 'case')
  const add = async (i: number): Promise<unknown> => {
    writeFileSync(join(root, `${i}.log`), logOf(20, i * 100))
    return await addEvidence({ case: dir, paths: [join(root, `${i}.log`)], workers: 1 })
  }
  const head = join(dir, 'ledger.head')
  await add(0)
  for (let i = 1, before = readFileSync(head); i < 4; i++) {
    await add(i)
    const after = readFileSync(head)
    // As if the writer had been killed after the entry and before the head.
    writeFileSync(head, before)
    const report = await verifyCase(dir)
    assert.equal(report.intact, true)
    assert.deepEqual(
      report.findings.map(finding => finding.what),
      ['incomplete'],
    )
    before = after
  }
  // Nothing new is added, and still the head is mended, as verify promises.
  await add(0)
  assert.deepEqual((await verifyCase(dir)).findings, [])
})
