import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ritaScore } from '../../src/rules/rita.ts'

const day = { from_us: 0, to_us: 86_400e6 }
const every = (seconds: number, count: number, shift = (_: number): number => 0): number[] =>
  Array.from({ length: count }, (_, i) => (i * seconds + shift(i)) * 1e6)
const same = (count: number, bytes = 500): number[] => new Array<number>(count).fill(bytes)

test('a clock that sends the same all day has the whole score', () => {
  assert.deepEqual(ritaScore(every(300, 288), same(288), day), {
    ...{ score: 1, timing: 1, sizes: 1, histogram: 1, duration: 1 },
  })
})

test('each part falls by what it is about', () => {
  // Intervals of 240, 300 and 360 s in turn: the median is 300, its deviation 60, the quartiles lie even.
  const shifted = every(300, 288, i => [0, -60, -60][i % 3]!)
  const timing = ritaScore(shifted, same(288), day)!
  assert.deepEqual([timing.timing, timing.sizes], [0.9, 1])
  const sizes = every(300, 288).map((_, i) => [400, 500, 600][i % 3]!)
  assert.equal(ritaScore(every(300, 288), sizes, day)!.sizes, 0.9)
  // Half a day: twelve bars of 24 are even, and twelve hours in a row are a whole duration.
  const half = ritaScore(every(300, 144), same(144), day)!
  assert.deepEqual([half.histogram, half.duration], [1, 1])
  const short = ritaScore(every(300, 24), same(24), day)!
  assert.deepEqual([short.histogram, short.duration], [0, 0])
})

test('skewed intervals and sizes without a median are told by their quartiles', () => {
  // Intervals 100, 100, 100, 200, 400: Q1 100, Q2 100: no skew; deviation 0.
  assert.equal(
    ritaScore(
      [0, 100, 200, 300, 500, 900].map(one => one * 1e6),
      same(6),
      day,
    )!.timing,
    1,
  )
  // Intervals 100, 150, 400: Q1 100, Q2 150, Q3 400: skew 2/3; deviation 50 of 150.
  assert.equal(
    ritaScore(
      [0, 100, 250, 650].map(one => one * 1e6),
      same(4, 0),
      day,
    )!.timing,
    0.5,
  )
  assert.equal(
    ritaScore(
      [0, 100, 250, 650].map(one => one * 1e6),
      same(4, 0),
      day,
    )!.sizes,
    0.5,
  )
})

test('fewer than four different starts have no score', () => {
  assert.equal(ritaScore([0, 0, 1e6, 2e6, 2.5e6], same(5), day), null)
})
