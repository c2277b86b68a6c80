import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayOfFile, emptyDay, grow, type HeldDay, windowsOf } from '../../src/watch/days.ts'

const now = Date.parse('2026-03-05T10:00:00Z')

test('a file is of the day that AWS put into its name, else of the day it was written last, and never of a day to come', () => {
  const written = Date.parse('2026-03-04T23:59:59Z')
  const named = '/logs/1_vpcflowlogs_eu-west-1_fl-1_20260301T2355Z_ab.log.gz'
  assert.equal(dayOfFile(named, written, now), '2026-03-01')
  assert.equal(dayOfFile('/logs/20260301T2355Z.log', written, now), '2026-03-04')
  assert.equal(dayOfFile('/logs_20260301T2355Z_x/a.log', written, now), '2026-03-04')
  assert.equal(dayOfFile('/logs/a_20269901T2355Z_ab.log', written, now), '2026-03-04')
  assert.equal(dayOfFile('/logs/a_20360301T2355Z_ab.log', written, now), '2026-03-05')
  assert.equal(dayOfFile('/logs/a.log', Date.parse('2036-01-01T00:00:00Z'), now), '2026-03-05')
})

function held(day: string, files: [first: string | null, last: string | null, isLooked?: boolean][]): HeldDay {
  const one = emptyDay(day)
  for (const [first_start, last_end, isLooked = false] of files) grow(one, { first_start, last_end }, isLooked)
  return one
}
const told = (all: HeldDay[]): string[] =>
  windowsOf(all).map(({ from_us, to_us, days }) =>
    [...[from_us, to_us].map(one => new Date(one / 1000).toISOString().slice(0, 19)), ...days].join(' '),
  )
const morning = (day: string, isLooked = false): [string, string, boolean] => [
  `${day}T08:00:00Z`,
  `${day}T09:30:00Z`,
  isLooked,
]

test('on the newest day the window ends with the latest record, and reaches into the day before', () => {
  assert.deepEqual(
    told([held('2026-03-04', [morning('2026-03-04', true)]), held('2026-03-05', [morning('2026-03-05')])]),
    ['2026-03-04T09:30:01 2026-03-05T09:30:01 2026-03-04 2026-03-05'],
  )
})

test('what comes in late is looked at in three windows that overlap', () => {
  const days = [
    held('2026-03-01', [morning('2026-03-01', true)]),
    held('2026-03-02', [morning('2026-03-02', true), morning('2026-03-02')]),
    held('2026-03-05', [morning('2026-03-05', true)]),
  ]
  assert.deepEqual(told(days), [
    '2026-03-01T12:00:00 2026-03-02T12:00:00 2026-03-01 2026-03-02',
    '2026-03-02T00:00:00 2026-03-03T00:00:00 2026-03-02',
    '2026-03-02T12:00:00 2026-03-03T12:00:00 2026-03-02',
  ])
})

test('the window goes by the records, whatever day the file is of', () => {
  assert.deepEqual(told([held('2026-03-05', [morning('2026-01-10')])]), [
    '2026-01-09T09:30:01 2026-01-10T09:30:01 2026-03-05',
  ])
  const days = [
    held('2026-03-04', [['2026-03-04T23:00:00Z', '2026-03-05T00:10:00Z']]),
    held('2026-03-05', [morning('2026-03-05')]),
  ]
  assert.deepEqual(told(days), [
    '2026-03-03T12:00:00 2026-03-04T12:00:00 2026-03-04',
    '2026-03-04T00:00:00 2026-03-05T00:00:00 2026-03-04',
    '2026-03-04T09:30:01 2026-03-05T09:30:01 2026-03-04 2026-03-05',
  ])
})

test('a record that claims to be of another year hides nothing, and has not every day between looked at', () => {
  const wild = held('2026-03-05', [morning('2026-03-05'), ['2036-01-01T00:00:00Z', '2036-01-01T00:01:00Z']])
  assert.deepEqual(told([wild]), [
    '2026-03-04T12:00:00 2026-03-05T12:00:00 2026-03-05',
    '2026-03-05T00:00:00 2026-03-06T00:00:00 2026-03-05',
    '2026-03-05T12:00:00 2026-03-06T12:00:00 2026-03-05',
    '2035-12-31T00:01:01 2036-01-01T00:01:01 2026-03-05',
  ])
  assert.ok(told([held('2026-03-05', [['1970-01-01T00:00:00Z', '2026-03-05T00:00:00Z']])]).length < 130)
  // In one file: the day that the file is of, and those at both ends.
  for (const span of [
    ['2026-03-05T08:00:00Z', '2036-01-01T00:01:00Z'],
    ['1970-01-01T00:00:00Z', '2026-03-05T08:00:00Z'],
    ['1970-01-01T00:00:00Z', '2036-01-01T00:01:00Z'],
  ] as [string, string][]) {
    const all = told([held('2026-03-05', [span])])
    assert.ok(
      all.includes('2026-03-05T00:00:00 2026-03-06T00:00:00 2026-03-05') ||
        all.some(one => one.includes(' 2026-03-05T08:00:01 ')),
      span.join(),
    )
    assert.ok(
      all.some(one => one.includes(` ${span[1].slice(0, 10)}T`)),
      span.join(),
    )
    assert.ok(all.length < 200, span.join())
  }
  assert.deepEqual(told([held('2026-03-05', [[null, null]])]), [])
  assert.deepEqual(told([]), [])
})
