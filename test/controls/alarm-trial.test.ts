// When an alarm goes off: CloudWatch's "M out of N", against a machine that looks at every period.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { breaches, firingsOf } from '../../src/controls/alarm-trial.ts'
import { baselineOf, roundedUp } from '../../src/controls/baseline.ts'
import { randomNumbers } from '../detect/graphs.ts'

/** The same, period by period. */
function slowFirings(periods: number, datapoints: number, isBreaching: readonly boolean[]): number[] {
  const found: number[] = []
  let isAlarm = false
  for (let at = 0; at < isBreaching.length; at++) {
    let count = 0
    for (let back = 0; back < periods; back++) if (isBreaching[at - back] === true) count++
    const is = count >= datapoints
    if (is && !isAlarm) found.push(at)
    isAlarm = is
  }
  return found
}

test('over random metrics the changes to ALARM are those of a machine that looks at every period', () => {
  let fired = 0
  for (let seed = 0; seed < 2000; seed++) {
    const below = randomNumbers(seed)
    const periods = 1 + below(6)
    const datapoints = 1 + below(periods)
    const density = 1 + below(5)
    const isBreaching = Array.from({ length: 60 }, () => below(density) === 0)
    const breaching = isBreaching.flatMap((is, period) => (is ? [{ period, value: period }] : []))
    const found = firingsOf({ periods, datapoints }, breaching).map(({ period }) => period)
    assert.deepEqual(found, slowFirings(periods, datapoints, isBreaching), `seed ${seed}`)
    fired += found.length
  }
  assert(fired > 5000)
})

test('all periods must breach where nothing is said of how many', () => {
  const breaching = [1, 2, 3, 5].map(period => ({ period, value: 1 }))
  assert.deepEqual(firingsOf({ periods: 3 }, breaching), [{ period: 3, value: 1 }])
})

test('a threshold is crossed as its comparison says', () => {
  const at = (comparison: Parameters<typeof breaches>[0]['comparison']): boolean[] =>
    [4, 5, 6].map(value => breaches({ comparison, threshold: 5 }, value))
  assert.deepEqual(at('GreaterThanThreshold'), [false, false, true])
  assert.deepEqual(at('GreaterThanOrEqualToThreshold'), [false, true, true])
  assert.deepEqual(at('LessThanThreshold'), [true, false, false])
  assert.deepEqual(at('LessThanOrEqualToThreshold'), [true, true, false])
})

test('the baseline has whole periods before the incident, without those that the logs do not cover', () => {
  const minute = 60e6
  const span = { from_us: 90e6, to_us: 100 * minute }
  const hole = (from: number, to: number) => ({ from_us: from * minute, to_us: to * minute })
  const of = (from_us: number, holes: ReturnType<typeof hole>[], least?: number) => {
    const { from, to, periods, isBefore } = baselineOf(60, span, from_us, holes, least)!
    return { from, to, periods, isBefore }
  }
  assert.deepEqual(of(30.5 * minute, []), { from: 2, to: 30, periods: 28, isBefore: true })
  assert.deepEqual(of(30.5 * minute, [hole(5.5, 7.5), hole(6, 9), hole(29.5, 40)]), {
    ...{ from: 2, to: 30, periods: 23, isBefore: true },
  })
  assert.deepEqual(of(11 * minute, []), { from: 2, to: 100, periods: 98, isBefore: false })
  assert.deepEqual(of(12 * minute, []), { from: 2, to: 12, periods: 10, isBefore: true })
  assert.deepEqual(of(12 * minute, [hole(3.2, 3.4)]), { from: 2, to: 100, periods: 97, isBefore: false })
  assert.deepEqual(of(3 * minute, [], 1), { from: 2, to: 3, periods: 1, isBefore: true })
  assert.deepEqual(of(1e9 * minute, []), { from: 2, to: 100, periods: 98, isBefore: true })
})

test('thresholds are rounded up to two digits', () => {
  assert.deepEqual([0, 7, 10, 101, 126, 395_275, 1_000_000].map(roundedUp), [0, 7, 10, 110, 130, 400_000, 1_000_000])
})
