/** `detect` through the sieve of an engine finds what it finds in all records. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { UserError } from '../../src/errors.ts'
import { caseRules } from '../../src/rules/all.ts'
import type { EngineDetectOptions } from '../../src/sieve/engine-detection.ts'
import { engineDetection } from '../../src/sieve/engine-detection.ts'
import { sieves, withoutSieve } from '../../src/sieve/sieves.ts'
import { copyLab } from '../demo/lab-copy.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'
import { writeCleanFolder } from '../pull/clean-folder.ts'
import { type Form, StandIn } from '../pull/stand-in.ts'
import { header, linesOf, type Scenario } from '../rules/flows.ts'
import { scenarios } from '../rules/scenarios.ts'
import { syntaxFaults } from '../sql-grammar.ts'
import { around, atThresholds } from './at-threshold.ts'
import { withoutSieve as found, foundIn, throughSieve } from './compared.ts'
import { loweredThresholds } from './lowered.ts'

const folders = Number(process.env['TIDEMARK_SIEVE_FOLDERS'] ?? 2)
const seed = Number(process.env['TIDEMARK_SEED'] ?? 1)
const broad = Object.entries(sieves).flatMap(([name, { isBroad }]) => (isBroad ? [name] : []))

async function withWork(asked: (work: Work) => Promise<void>): Promise<void> {
  const work = workFolder()
  try {
    await asked(work)
  } finally {
    work.close()
  }
}

function writeLog(work: Work, some: readonly Scenario[]): string {
  const folder = join(work.root, 'logs')
  mkdirSync(folder)
  writeFileSync(join(folder, 'x.log'), `${[header, ...some.flatMap(linesOf)].join('\n')}\n`)
  return folder
}

/** Asserts that both ways find the same. @returns how many findings there are, of which rules, and how many records were not brought. */
async function compare(
  work: Work,
  folder: string,
  form: Form,
  runs: readonly Omit<EngineDetectOptions, 'case'>[],
  which: string,
): Promise<{ findings: number; left: number; rules: Set<string> }> {
  const [engine, local] = [await StandIn.of(folder, form), await caseOf(work.root, [folder], 'local')]
  const counts = { findings: 0, left: 0, rules: new Set<string>() }
  try {
    for (const [n, options] of runs.entries()) {
      const here = await throughSieve(engine, join(work.root, `sieved-${n}`), options)
      const there = await found(local, here, options)
      assert.deepEqual(foundIn(here), foundIn(there), `${which}, ${JSON.stringify(options)}`)
      counts.findings += here.findings.length
      counts.left += here.engine.records_of_table - here.engine.records
      for (const { rule } of here.findings) counts.rules.add(rule)
    }
  } finally {
    await Promise.all([local.close(), engine.close()])
  }
  return counts
}

test('through the sieve the same is found in the traffic of all rules, and each rule with a sieve finds something', async () => {
  await withWork(async work => {
    const folder = writeLog(work, [around, ...atThresholds, ...scenarios])
    const { rules, findings, left } = await compare(work, folder, 'typed', [{}, { rules: broad }], 'all scenarios')
    assert.ok(findings > 80 && left > 1000, `${findings} findings, ${left} records left`)
    assert.deepEqual([...rules].sort(), Object.keys(sieves).sort())
  })
})

test('the same is found in random logs, with random thresholds', async () => {
  let [compared, findings] = [0, 0]
  const rules = new Set<string>()
  for (let i = 0; i < folders; i++) {
    await withWork(async work => {
      const folder = join(work.root, 'logs')
      if (!(await writeCleanFolder(work.root, seed * 1000 + i, folder))) return
      compared++
      const form = (['text', 'typed', 'pushed', 'folders'] as const)[i % 4]!
      const lower = [2, 5].map(most => ({ set: loweredThresholds(i, most) }))
      const runs = [{}, ...lower, { rules: broad, set: loweredThresholds(i, 3) }]
      const found = await compare(work, folder, form, runs, `seed ${seed * 1000 + i}, ${form}`)
      findings += found.findings
      for (const rule of found.rules) rules.add(rule)
    })
  }
  assert.ok(compared > folders / 2, `${compared} of ${folders} folders`)
  assert.ok(findings > 2 * compared && rules.size > 3, `${findings} findings of ${[...rules].join(', ')}`)
})

test('the attacker of the lab is found, and what else there is', async () => {
  await withWork(async work => {
    await copyLab(join(work.root, 'lab'))
    const folder = join(work.root, 'lab', '20230928')
    const [engine, local] = [await StandIn.of(folder), await caseOf(work.root, [folder], 'local')]
    try {
      const here = await throughSieve(engine, join(work.root, 'sieved'))
      assert.deepEqual(foundIn(here), foundIn(await found(local, here)))
      assert.ok(here.hosts.some(({ address }) => address === '20.106.124.93'))
      assert.ok(here.engine.hosts > 100)
    } finally {
      await Promise.all([local.close(), engine.close()])
    }
  })
})

test('what is said of a question: the rules that run, those that do not and why, and what was read', async () => {
  await withWork(async work => {
    const folder = writeLog(work, [around, ...atThresholds])
    const engine = await StandIn.of(folder)
    const made = await engineDetection(engine, { case: join(work.root, 'c') })
    for (const statement of made.statements) assert.deepEqual(await syntaxFaults('trino', statement), [])
    assert.equal(made.statements.length, 2)
    assert.equal(engine.ran.length, 0)
    const { engine: said } = await made.run()
    assert.deepEqual(
      said.rules.map(({ rule }) => rule),
      caseRules.map(({ name }) => name).filter(name => name in sieves && !broad.includes(name)),
    )
    assert.deepEqual(said.skipped.map(({ rule }) => rule).sort(), [...Object.keys(withoutSieve), ...broad].sort())
    assert.ok(said.skipped.every(({ reason }) => reason.length > 20))
    assert.ok(said.rules.every(({ hosts }) => hosts > 0 && hosts <= said.hosts))
    assert.equal(said.queries.length, engine.ran.length)
    assert.ok(said.records <= said.records_of_table)
    await engine.close()
  })
})

test('a table in which nobody passes gives no finding, and says how much was looked at', async () => {
  await withWork(async work => {
    const engine = await StandIn.of(writeLog(work, [around]))
    const here = await throughSieve(engine, join(work.root, 'none'), { rules: ['D01'] })
    assert.deepEqual([here.findings, here.hosts, here.engine.hosts, here.engine.records], [[], [], 0, 0])
    assert.equal(here.engine.records_of_table, 4)
    assert.ok(here.not_decidable.every(({ rule }) => rule.startsWith('D00')))
    await engine.close()
  })
})

test('where too many hosts pass none is left out: it fails, with the rules that let them pass', async () => {
  await withWork(async work => {
    const engine = await StandIn.of(writeLog(work, [around, ...atThresholds]))
    const dir = join(work.root, 'many')
    await assert.rejects(
      throughSieve(engine, dir, { hostsMost: 3 }),
      (error: unknown) =>
        error instanceof UserError &&
        /^\d+ hosts may be in a finding, and records of 3 are brought at most; by rule: D\d\d/.test(error.message) &&
        /--from.*--set.*--rule/.test(error.hint ?? ''),
    )
    assert.ok(!existsSync(dir))
    await engine.close()
  })
})

test('where a statement has no room for who passes, the rules that let them pass are named', async () => {
  await withWork(async work => {
    const engine = Object.assign(await StandIn.of(writeLog(work, [around, ...atThresholds])), { lettersMost: 9000 })
    const dir = join(work.root, 'long')
    await assert.rejects(
      throughSieve(engine, dir),
      (error: unknown) =>
        error instanceof UserError &&
        /^\d+ hosts may be in a finding, and .* too long for an engine: .*; by rule: D\d\d/.test(error.message) &&
        /--from.*--set.*--rule/.test(error.hint ?? ''),
    )
    assert.ok(!existsSync(dir))
    await engine.close()
  })
})

test('a filter that cannot be meant is refused before anything is asked', async () => {
  await withWork(async work => {
    const engine = await StandIn.of(writeLog(work, [around]))
    for (const filter of ['port', 'no-such-field 5', 'ip in @missing.txt']) {
      const asked = engineDetection(engine, { case: join(work.root, 'x'), filter })
      await assert.rejects(asked, (error: unknown) => error instanceof UserError && error.status === 2, filter)
    }
    assert.equal(engine.ran.length, 0)
    await engine.close()
  })
})

test('rules without a sieve that were asked for by name are refused, and a broad one runs', async () => {
  await withWork(async work => {
    const engine = await StandIn.of(writeLog(work, [around]))
    await assert.rejects(
      engineDetection(engine, { case: join(work.root, 'x'), rules: ['D09'] }),
      (error: unknown) => error instanceof UserError && /D09-non-standard-port: /.test(error.message),
    )
    const { skipped } = await engineDetection(engine, { case: join(work.root, 'x'), rules: ['D03', 'D09'] })
    assert.deepEqual(
      skipped.map(({ rule }) => rule),
      ['D09-non-standard-port'],
    )
    await engine.close()
  })
})
