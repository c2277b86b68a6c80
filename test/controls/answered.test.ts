// Which finding of `detect` is the same as one of the dossier.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answeredFinding } from '../../src/controls/answered.ts'

const [attacker, one, other] = ['203.0.113.7', '10.0.0.5', '10.0.0.6']
const when = { technique: 'T1048', first_start: '2023-09-28T19:00:00Z', last_end: '2023-09-28T20:00:00Z' }
const finding = { ...when, id: 'F2', rule: 'data-pushed-out', title: '', severity: 'high', confidence: 'high' }
const services = [
  { client: one, server: attacker, findings: ['F2'] },
  { client: other, server: attacker, findings: ['F3'] },
]

function idOf(...findings: { id: string; subject: string[]; peers: string[] }[]): string | null {
  const detected = { findings: findings.map(found => ({ ...when, ...found })) }
  return answeredFinding(finding as Parameters<typeof answeredFinding>[0], services, detected).detect_id
}

test('of two hosts at the same time, the id is that of the same host', () => {
  const ofOther = { id: 'F7', subject: [other], peers: [attacker] }
  assert.equal(idOf(ofOther, { id: 'F8', subject: [one], peers: [attacker] }), 'F8')
  assert.equal(idOf(ofOther), null)
})

test('where two findings would do, neither is named', () => {
  const same = { subject: [one], peers: [attacker] }
  assert.equal(idOf({ id: 'F8', ...same }, { id: 'F9', ...same }), null)
})
