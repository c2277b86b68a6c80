// Blocks and threads divide the work: no answer may show how.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Detections, type DetectOptions, detect } from '../../src/detect/detect.ts'
import { addEvidence } from '../../src/ingest/add.ts'
import { toJson } from '../../src/report/json.ts'
import { openCase } from '../../src/store/case.ts'
import { verifyWhole } from '../../src/verify/verify.ts'
import { temporaryFolder } from '../cli/run.ts'
import { header, linesOf } from '../rules/flows.ts'
import { scenarios } from '../rules/scenarios.ts'

/** A case of all scenarios. */
async function caseOf(t: TestContext): Promise<string> {
  const root = temporaryFolder(t)
  writeFileSync(join(root, 'flows.log'), `${[header, ...scenarios.flatMap(linesOf)].join('\n')}\n`)
  await addEvidence({ case: join(root, 'case'), paths: [join(root, 'flows.log')], workers: 1 })
  return join(root, 'case')
}

/** Asks, with what is kept of connections, or of none. */
async function ask(folder: string, options: DetectOptions = {}, isKept = false): Promise<Detections> {
  if (!isKept) for (const name of keptIn(folder)) rmSync(join(folder, 'cache', name))
  const opened = await openCase(folder)
  try {
    return await detect(opened, options)
  } finally {
    await opened.close()
  }
}

function keptIn(folder: string): string[] {
  return readdirSync(join(folder, 'cache')).filter(name => name.startsWith('connections-'))
}

test('the same is found with blocks of one client, of few and of all, by no thread, by one and by two', async t => {
  const folder = await caseOf(t)
  mkdirSync(join(folder, 'cache'), { recursive: true })
  const once = await ask(folder, { limits: { parts: 1, threads: 1 } })
  assert.ok(once.findings.length > 50)
  const windows: DetectOptions[] = [
    {},
    { from_us: Date.parse('2023-09-28T01:00:00Z') * 1000 },
    { rules: ['D08', 'D02'] },
  ]
  for (const asked of windows) {
    const expected = toJson(await ask(folder, { ...asked, limits: { parts: 1, threads: 1 } }))
    for (const [blockRows, threads] of [
      [1, 2],
      [7, 0],
      [7, 1],
      [250_000, 2],
    ] as const) {
      const limits = { parts: 3, threads, blockRows }
      assert.ok(toJson(await ask(folder, { ...asked, limits })) === expected, JSON.stringify({ ...asked, ...limits }))
    }
  }
})

test('connections are kept, and the file is the same to the byte whatever made it', async t => {
  const folder = await caseOf(t)
  const first = await ask(folder, {}, true)
  const [name] = keptIn(folder)
  const made = statSync(join(folder, 'cache', name!)).mtimeMs
  assert.ok(toJson(await ask(folder, {}, true)) === toJson(first))
  assert.equal(statSync(join(folder, 'cache', name!)).mtimeMs, made)
  await ask(folder, { limits: { parts: 5, threads: 2 } })
  assert.deepEqual(keptIn(folder), [name])
  const { findings } = await verifyWhole(folder)
  assert.deepEqual(findings, [])
})

test('own networks have connections of their own, of which two are kept', async t => {
  const folder = await caseOf(t)
  for (const internal of [[], ['203.0.113.0/24'], ['198.51.100.0/24']]) await ask(folder, { internal }, true)
  assert.equal(keptIn(folder).length, 2)
  assert.deepEqual((await verifyWhole(folder)).findings, [])
})

test('a damaged file of connections is made again', async t => {
  const folder = await caseOf(t)
  const first = toJson(await ask(folder, {}, true))
  const path = join(folder, 'cache', keptIn(folder)[0]!)
  const bytes = readFileSync(path)
  bytes[100]! ^= 1
  writeFileSync(path, bytes)
  assert.equal((await verifyWhole(folder)).findings[0]?.what, 'altered')
  assert.ok(toJson(await ask(folder, {}, true)) === first)
  truncateSync(path, 50)
  assert.ok(toJson(await ask(folder, { limits: { parts: 2, threads: 2 } }, true)) === first)
  assert.deepEqual((await verifyWhole(folder)).findings, [])
})

test('a case whose cache cannot be written is answered all the same, and worked out once while it is open', async t => {
  const folder = await caseOf(t)
  const first = toJson(await ask(folder, {}, true))
  rmSync(join(folder, 'cache'), { recursive: true })
  writeFileSync(join(folder, 'cache'), 'a file in the place of the folder')
  const opened = await openCase(folder)
  const worked: string[] = []
  opened.onWork = what => worked.push(what)
  try {
    for (let i = 0; i < 2; i++) assert.ok(toJson(await detect(opened)) === first)
  } finally {
    await opened.close()
  }
  assert.deepEqual(worked, ['the records in the order of time', 'the connections of all hosts'])
})
