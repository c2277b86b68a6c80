import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listedRules } from '../../src/detect/detect.ts'
import { withThresholds } from '../../src/detect/thresholds.ts'
import { UserError } from '../../src/errors.ts'
import { caseRules } from '../../src/rules/all.ts'

const inForce = (...texts: string[]): Record<string, unknown> =>
  Object.fromEntries(
    withThresholds(texts, caseRules).set.map(({ rule, threshold, value }) => [`${rule}.${threshold}`, value]),
  )

test('a threshold is set by the name of its rule, or in all rules of the number that have it', () => {
  assert.deepEqual(inForce('D01-scan.targetsMin=20'), { 'D01-scan.targetsMin': 20 })
  assert.deepEqual(inForce('D01.targetsMin=20'), { 'D01-scan.targetsMin': 20, 'D01-icmp-sweep.targetsMin': 20 })
  assert.deepEqual(inForce('D01.pairsMin=20'), { 'D01-scan.pairsMin': 20 })
})

test('names are taken in kebab case and in any case; the last of several values counts', () => {
  assert.deepEqual(inForce('d04.bytes-min=5e6', 'D04-Outbound-Volume.BYTESMIN=7.5'), {
    'D04-outbound-volume.bytesMin': 7.5,
  })
})

test('a list is numbers with commas between them, and may have nothing in it', () => {
  assert.deepEqual(inForce('D18.exposedPorts=22, 3389'), { 'D18-exposed-service.exposedPorts': [22, 3389] })
  assert.deepEqual(inForce('D18.exposed-ports='), { 'D18-exposed-service.exposedPorts': [] })
})

test('what is set is in force, and the other thresholds and rules are as they were', () => {
  const { rules } = withThresholds(['D04.bytesMin=5'], caseRules)
  assert.equal(rules.find(rule => rule.name === 'D04-outbound-volume')!.thresholds['bytesMin'], 5)
  assert.equal(rules.find(rule => rule.name === 'D04-outbound-volume')!.thresholds['ratioMin'], 0.8)
  for (const [i, rule] of rules.entries()) if (!rule.name.startsWith('D04')) assert.equal(rule, caseRules[i])
})

test('what does not fit is refused, with the nearest name', () => {
  const refused = (text: string): string => {
    try {
      inForce(text)
    } catch (error) {
      assert.ok(error instanceof UserError && error.status === 2)
      return `${error.message} | ${error.hint}`
    }
    return 'taken'
  }
  assert.equal(refused('D1.x=2'), 'no such rule in --set: D1 | did you mean D01? --list-rules has them all')
  assert.equal(refused('D04.byteMin=2'), 'no such threshold of D04-outbound-volume: byteMin | did you mean bytesMin?')
  assert.match(refused('D04.zzzzzzzz=2'), /there are bytesMin, ratioMin/)
  assert.match(refused('D04.bytesMin=1,2'), /^not a number from 0 in --set D04-outbound-volume.bytesMin: 1,2 /)
  assert.match(refused('D18.exposedPorts=22,x'), /^not a list of numbers from 0 .*: 22,x .* default is 22,23,/)
  for (const value of ['-1', '', 'NaN', 'Infinity', '1e999', '0x10', '1 2', '--'])
    assert.match(refused(`D04.bytesMin=${value}`), /^not a number from 0/, value)
  for (const text of ['D04', 'D04.bytesMin', 'D04=2', '=2', '.x=2', ''])
    assert.match(refused(text), /^no threshold and its value in --set/, text)
})

test('the list of rules has the values in force beside the defaults, and what sets each', async () => {
  const { rules, attack_release } = await listedRules({ set: ['D04.bytesMin=5'], rules: ['d04'] })
  assert.match(attack_release, /^\d+\.\d+$/)
  const [volume, ...others] = rules
  assert.deepEqual(others, [])
  const { name, thresholds, attack, path } = volume!
  assert.deepEqual(
    { name, path, ids: attack.map(({ id }) => id) },
    { name: 'D04-outbound-volume', path: null, ids: ['T1048'] },
  )
  assert.deepEqual(
    { ...thresholds.find(one => one.name === 'bytesMin'), reason: '' },
    { name: 'bytesMin', value: 5, default: 100_000_000, flag: '--set D04-outbound-volume.bytesMin=5', reason: '' },
  )
  for (const rule of (await listedRules()).rules)
    for (const one of rule.thresholds)
      assert.deepEqual(inForce(one.flag.slice('--set '.length)), { [`${rule.name}.${one.name}`]: one.default })
})
