import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { smallestCover, type Weight } from '../../src/controls/smallest-cover.ts'

const weight = fc.record({ connections: fc.nat(20), bytes: fc.nat(1000) })
const problem = fc.array(weight, { minLength: 1, maxLength: 9 }).chain(weights =>
  fc.record({
    weights: fc.constant(weights),
    sets: fc.array(fc.uniqueArray(fc.nat(weights.length - 1), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 9,
    }),
    share: fc.constantFrom(0.3, 0.5, 0.9, 0.99, 1),
  }),
)

const sum = (weights: readonly Weight[], name: keyof Weight): number =>
  weights.reduce((total, one) => total + one[name], 0)

/** By trying all choices: the fewest sets, or null where all do not hold the share. */
function fewest(weights: readonly Weight[], sets: readonly (readonly number[])[], share: number): number | null {
  let least: number | null = null
  for (let choice = 0; choice < 2 ** sets.length; choice++) {
    const some = sets.filter((_, i) => (choice >> i) & 1)
    const held = [...new Set(some.flat())].map(i => weights[i]!)
    const isEnough = (['connections', 'bytes'] as const).every(
      name => sum(held, name) >= share * sum(weights, name) * (1 - 1e-12),
    )
    if (isEnough && (least === null || some.length < least)) least = some.length
  }
  return least
}

test('chooses as few sets as any choice can', () => {
  fc.assert(
    fc.property(problem, ({ weights, sets, share }) => {
      const least = fewest(weights, sets, share)
      const { chosen, atLeast, isEnough, held } = smallestCover(weights, sets, share)
      assert.equal(isEnough, least !== null)
      if (least !== null) assert.deepEqual([chosen.length, atLeast], [least, least])
      const mine = [...new Set(chosen.flatMap(i => sets[i]!))].map(i => weights[i]!)
      for (const name of ['connections', 'bytes'] as const) {
        const total = sum(weights, name)
        assert.ok(Math.abs(held[name] - (total === 0 ? 1 : sum(mine, name) / total)) < 1e-9)
      }
    }),
    { numRuns: Number(process.env.TIDEMARK_COVERS ?? 1000), seed: 14 },
  )
})

test('finds the choice that taking the heaviest each time misses', () => {
  // The first takes most, and then needs two more; the other two hold all.
  const weights = [6, 6, 5, 5, 1, 1].map(connections => ({ connections, bytes: 0 }))
  const sets = [
    [0, 1],
    [0, 2, 4],
    [1, 3, 5],
  ]
  assert.deepEqual(smallestCover(weights, sets, 1).chosen, [1, 2])
})

test('never says that more sets are needed than are, however many there are', () => {
  fc.assert(
    fc.property(fc.array(weight, { minLength: 310, maxLength: 400 }), fc.constantFrom(0.5, 0.9), (weights, share) => {
      const sets = weights.map((_, i) => [i])
      const { chosen, atLeast, isEnough } = smallestCover(weights, sets, share)
      assert.ok(isEnough && atLeast <= chosen.length)
      // Disjoint sets of one measure: the heaviest first is the best there is.
      const one = smallestCover(
        weights.map(({ connections }) => ({ connections, bytes: 0 })),
        sets,
        share,
      )
      assert.equal(one.chosen.length, one.atLeast)
    }),
    { numRuns: 10, seed: 14 },
  )
})

test('chooses no more than it may, and says that it is not enough', () => {
  const weights = [1, 1, 1, 1].map(connections => ({ connections, bytes: 10 }))
  const { chosen, isEnough, held } = smallestCover(weights, [[0], [1], [2], [3]], 1, 3)
  assert.deepEqual([chosen.length, isEnough, held], [3, false, { connections: 0.75, bytes: 0.75 }])
})

test('of nothing all is held', () => {
  assert.deepEqual(smallestCover([], [], 0.99), {
    chosen: [],
    atLeast: 0,
    held: { connections: 1, bytes: 1 },
    isEnough: true,
  })
  assert.deepEqual(smallestCover([{ connections: 0, bytes: 0 }], [[0]], 0.99).chosen, [])
})

test('ends where a great many choices are equal', () => {
  const weights = Array.from({ length: 300 }, (_, i) => ({
    connections: 100 + ((i * 7919) % 97),
    bytes: 100 + ((i * 104_729) % 89),
  }))
  const started = process.cpuUsage().user
  const { chosen, atLeast } = smallestCover(
    weights,
    weights.map((_, i) => [i, (i + 1) % 300]),
    0.9,
  )
  assert.ok(chosen.length >= atLeast)
  assert.ok(process.cpuUsage().user - started < 20e6)
})

/** More sets than are searched: what is chosen one by one must be good by itself. */
const idle = Array.from({ length: 300 }, () => [0])

test('of very many sets, one that is not needed in the end is not chosen', () => {
  const weights = [6, 6, 5, 5, 1, 1].map(connections => ({ connections, bytes: 0 }))
  assert.deepEqual(smallestCover(weights, [[0, 1], [0, 2, 4], [1, 3, 5], ...idle], 1).chosen, [1, 2])
})

test('of very many sets, what one brings is worked out again when others are chosen', () => {
  const weights = [10, 10, 10, 1, 15].map(connections => ({ connections, bytes: 0 }))
  const { chosen, isEnough } = smallestCover(weights, [[0, 1, 2], [0, 1, 3], [4], ...idle], 0.9, 2)
  assert.deepEqual([chosen, isEnough], [[0, 2], true])
})
