import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { axisText, byteSteps, tickText, timeTicks, widthText } from '../../src/ui/pages/overview/ticks.ts'

const midnight = Date.UTC(2023, 8, 28) / 1000

test('marks of time are round, within what is shown, and no more than there is room for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4e9 }),
      fc.integer({ min: 1, max: 3e8 }),
      fc.integer({ min: 2, max: 20 }),
      (from, length, most) => {
        const { at, step } = timeTicks(from, from + length, most)
        assert.ok(at.length <= most + 1, `${at.length} of ${most}`)
        for (const one of at) assert.ok(one >= from && one <= from + length && one % step === 0)
      },
    ),
  )
})

test('a mark says its time, the first and each midnight the day below it, and days alone where a step is one', () => {
  const hour = 3600
  assert.equal(tickText(midnight + 19 * hour, hour, false), '19:00')
  assert.equal(tickText(midnight + 19 * hour, hour, true), '19:00\n2023-09-28')
  assert.equal(tickText(midnight, hour, false), '00:00\n2023-09-28')
  assert.equal(tickText(midnight + 5, 5, false), '00:00:05')
  assert.equal(tickText(midnight, 24 * hour, false), '2023-09-28')
})

test('the width of a bin is said in the largest unit that is exact', () => {
  assert.deepEqual([1, 90, 120, 7200, 86_400, 172_800_000].map(widthText), [
    ...['1 s', '90 s', '2 min', '2 h', '1 d', '2,000 d'],
  ])
})

test('numbers on an axis have a prefix of thousands, bytes that of 1024 as all sizes of the page', () => {
  assert.equal(axisText(0, 'bytes'), '0')
  assert.equal(axisText(1000, 'bytes'), '1000 B')
  assert.equal(axisText(500 * 1024, 'bytes'), '500 KiB')
  assert.equal(axisText(1.5 * 2 ** 30, 'bytes'), '1.5 GiB')
  assert.equal(axisText(1_500_000, 'records'), '1.5 M')
  assert.equal(axisText(20, 'packets'), '20')
})

test('each step between marks of bytes is round in its unit', () => {
  for (const step of byteSteps) assert.match(axisText(step, 'bytes'), /^[125]0{0,2} ([KMGTPE]i)?B$/)
  assert.deepEqual(
    byteSteps,
    [...byteSteps].sort((a, b) => a - b),
  )
})
