import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CaseFinding } from '../../src/detect/detect.ts'
import { type Alert, alertsOf, alertText } from '../../src/watch/alert.ts'

const finding: CaseFinding = {
  ...{ id: 'F1', rule: 'D02-brute-force', title: 'Guessing', severity: 'medium', confidence: 'high', summary: 'S' },
  ...{ tactic: 'credential-access', technique: 'T1110', technique_name: 'Brute Force', counter_hypotheses: [] },
  ...{ first_start: '2026-03-04T23:00:00Z', last_end: '2026-03-05T01:00:00Z', basis: [], basis_total: 60, sql: '' },
  ...{ subject: ['203.0.113.7'], subject_total: 1, peers: ['10.0.0.5'], peers_total: 1, connections: 30 },
  ...{ scores: [], would_change: '', next: [] },
}
const idOf = (change: Partial<CaseFinding>): string => alertsOf([{ ...finding, ...change }], '2026-03-06')[0]!.id

test('the id is that of rule, subject, peer and day, whatever else becomes known', () => {
  const [alert] = alertsOf([finding], '2026-03-06')
  assert.equal(alert!.day, '2026-03-05')
  assert.match(alert!.id, /^[0-9a-f]{32}$/)
  const same: Partial<CaseFinding>[] = [
    ...[
      { id: 'F9' },
      { severity: 'high' as const },
      { title: 'x', summary: 'y' },
      { connections: 99, basis_total: 200 },
    ],
    { first_start: '2026-03-05T00:00:00Z', last_end: '2026-03-05T23:59:59Z' },
  ]
  for (const change of same) assert.equal(idOf(change), alert!.id, JSON.stringify(change))
  const others: Partial<CaseFinding>[] = [
    ...[{ rule: 'D02-spray' }, { subject: ['203.0.113.8'] }, { peers: ['10.0.0.6'] }],
    ...[{ last_end: '2026-03-06T00:00:00Z' }, { last_end: null }],
  ]
  assert.equal(new Set([alert!.id, ...others.map(idOf)]).size, 5)
  assert.equal(idOf({ last_end: null }), idOf({ last_end: '2026-03-06T12:00:00Z' }))
})

test('peers that become more are one alert', () => {
  const two = idOf({ peers: ['10.0.0.5', '10.0.0.6'], peers_total: 2 })
  assert.equal(idOf({ peers: ['10.0.0.4', '10.0.0.5', '10.0.0.6'], peers_total: 3 }), two)
})

test('findings of one id are one alert, of the gravest, which names the others', () => {
  const many = { peers: ['10.0.0.5', '10.0.0.6'], peers_total: 2 }
  const found = [
    { ...finding, ...many },
    { ...finding, ...many, title: 'Worse', severity: 'high' as const },
    { ...finding, subject: ['203.0.113.9'] },
  ]
  const alerts = alertsOf(found, '2026-03-06')
  assert.deepEqual(
    alerts.map(({ title, severity, more, more_total }) => ({ title, severity, more, more_total })),
    [
      {
        title: 'Worse',
        severity: 'high',
        more: [{ title: 'Guessing', severity: 'medium', summary: 'S' }],
        more_total: 1,
      },
      { title: 'Guessing', severity: 'medium', more: [], more_total: 0 },
    ],
  )
})

test('an alert is small, and its text is one line of ASCII', () => {
  const hostile = `${'\u001b[31m\n\u202e'.repeat(10)}${'é'.repeat(5000)}`
  const many = Array.from({ length: 1000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
  const basis = many.map((_, i) => ({ path: `/logs/${i}`, line: i }))
  const found = { ...finding, title: hostile, summary: hostile, subject: many, peers: many, basis }
  const { hosts: _, ...draft } = alertsOf([found, found, found, found, found, found, found, found], '2026-03-06')[0]!
  const alert: Alert = { ...draft, window: { from: '', to: '' }, case: '', next: [] }
  const text = alertText(alert)
  assert.match(text, /^[\x20-\x7e]+$/)
  assert.deepEqual(JSON.parse(text), alert)
  assert.equal(alert.subject.length, 10)
  assert.equal(alert.more_total, 7)
})
