// The scorer of labelled sets takes generated cases as it takes others.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../cli/run.ts'
import { sharedDir, skipWithout } from '../repo.ts'
import { scenarios } from './generator.ts'
import { type LabelledCase, writeLabelled } from './labelled.ts'

const script = sharedDir === null ? null : join(sharedDir, 'data', 'labelled', 'score_detect.py')
const names = [
  'scan of one port on many hosts outside',
  'own scanner, declared',
  'own scanner, undeclared',
  'a beacon every five minutes',
]

test('generated cases are scored as labelled ones are', skipWithout(script, 'python3'), async t => {
  const dir = temporaryFolder(t)
  mkdirSync(join(dir, 'logs'))
  const cases: LabelledCase[] = []
  for (const scenario of scenarios.filter(({ name }) => names.includes(name))) {
    const one = await writeLabelled(dir, scenario, { interval: 600, format: 'flags' }, 1)
    cases.push(one!)
  }
  assert.equal(cases.length, names.length)
  writeFileSync(join(dir, 'truth.json'), JSON.stringify({ format: 1, set: 'generated', root: '/', cases }))
  const args = [script!, join(dir, 'truth.json'), '--results', join(dir, 'results'), '--json']
  const { status, stdout, stderr } = spawnSync('python3', args, { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const { overall, twins, not_decidable, explain_twins, no_result, rank_summary } = JSON.parse(stdout)
  assert.deepEqual(no_result, [])
  assert.deepEqual([overall.attacks, overall.found, overall.stretch, overall.false_alarms], [1, 1, 1, 0])
  assert.deepEqual(
    twins.map(({ false_alarms }: { false_alarms: number }) => false_alarms),
    [0, 0],
  )
  assert.deepEqual([not_decidable.told, explain_twins.accused ?? 0, rank_summary.first], [1, 0, 1])
})
