import assert from 'node:assert/strict'
import { test } from 'node:test'
import { caseRules } from '../../src/rules/all.ts'
import { attackRelease, knownTechnique, technique, techniques } from '../../src/rules/attack.ts'

test('every technique of every rule is one of the release, by its name there', () => {
  const strange = caseRules.flatMap(({ name, attack }) =>
    attack.filter(one => knownTechnique(one.id)?.name !== one.name).map(one => `${name}: ${one.id} ${one.name}`),
  )
  assert.deepEqual(strange, [], `see src/rules/attack.ts, release ${attackRelease}`)
  assert.deepEqual(
    caseRules.filter(({ attack }) => attack.length === 0).map(({ name }) => name),
    [],
  )
})

test('a technique is shown as ATT&CK shows it: that of a sub-technique begins with its own', () => {
  assert.deepEqual(technique('T1021.004'), { technique: 'T1021.004', technique_name: 'Remote Services: SSH' })
  assert.deepEqual(techniques('T1046'), [{ id: 'T1046', name: 'Network Service Discovery' }])
  assert.deepEqual(knownTechnique('T1133')?.tactics, ['persistence', 'initial-access'])
  assert.equal(knownTechnique('T0000'), null)
  assert.equal(knownTechnique('toString'), null)
})
