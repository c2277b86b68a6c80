import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spread } from '../../src/conversations/spread.ts'
import { slowSpread } from '../flows/slow.ts'
import { chanceFrom } from '../robustness/support.ts'

function sharesOf(value: number | bigint, start: number, end: number, size: number): [number, number | bigint][] {
  const shares: [number, number | bigint][] = []
  spread(value, start, end, size, (bin, share) => shares.push([bin, share]))
  return shares
}

test('shares are in proportion to time, and what is left goes to the largest remainders', () => {
  assert.deepEqual(sharesOf(10, 5, 35, 10), [
    [0, 2],
    [1, 3],
    [2, 3],
    [3, 2],
  ])
  assert.deepEqual(sharesOf(1, 0, 20, 10), [
    [0, 1],
    [1, 0],
  ])
  assert.deepEqual(sharesOf(7, 20, 20, 10), [[2, 7]])
  assert.deepEqual(sharesOf(7, 10, 20, 10), [[1, 7]])
  assert.deepEqual(sharesOf(18_446_744_073_709_551_615n, 0, 20, 10), [
    [0, 9_223_372_036_854_775_808n],
    [1, 9_223_372_036_854_775_807n],
  ])
})

test('shares add up to the unit, whatever the times', () => {
  const chance = chanceFrom(7)
  for (let i = 0; i < 2000; i++) {
    const [value, start, size] = [chance.int(0, 1_000_000_000), chance.int(0, 1_000_000), chance.int(1, 50_000)]
    const end = start + chance.int(0, 400_000)
    const shares = sharesOf(value, start, end, size)
    assert.equal(
      shares.reduce((sum, [, share]) => sum + Number(share), 0),
      value,
    )
    for (const [bin, share] of shares) {
      const overlap = Math.min(end, (bin + 1) * size) - Math.max(start, bin * size)
      if (end > start) assert.ok(Math.abs(Number(share) - (value * overlap) / (end - start)) < 1 + 1e-6)
    }
  }
})

// `flows --bin` is held against the same slow one: the dossier and the command spread alike.
test('shares are those of the slow implementation that holds flows --bin', () => {
  const chance = chanceFrom(8)
  for (let i = 0; i < 2000; i++) {
    const [value, start, size] = [chance.int(0, 1_000_000_000), chance.int(0, 1_000_000), chance.int(1, 50_000)]
    const end = start + chance.int(0, 400_000)
    const shares = sharesOf(value, start, end, size).map(([bin, share]): [number, bigint] => [bin, BigInt(share)])
    assert.deepEqual(new Map(shares), slowSpread(BigInt(value), start, end, size))
  }
})
