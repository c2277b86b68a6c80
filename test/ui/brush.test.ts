import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  binAt,
  clicked,
  dragged,
  endOf,
  type Grid,
  marked,
  resized,
  stepped,
  unlessAll,
  zoomed,
} from '../../src/ui/pages/overview/brush.ts'

const grid: Grid = { from: 1000, width: 10, bins: 60 }
const grids = fc.record({
  from: fc.integer({ min: -1e9, max: 4e9 }),
  width: fc.integer({ min: 1, max: 86_400 }),
  bins: fc.integer({ min: 1, max: 720 }),
})
const seconds = fc.integer({ min: -2e9, max: 5e9 })

test('whatever is dragged, a window is of whole bins, at least one, and within the timeline', () => {
  fc.assert(
    fc.property(grids, seconds, seconds, seconds, fc.integer({ min: -900, max: 900 }), (of, a, b, by, steps) => {
      const one = marked(of, a, b)
      for (const { from, to } of [
        one,
        clicked(of, a),
        dragged(of, one, by),
        resized(of, one, 'from', b),
        resized(of, one, 'to', by),
        stepped(of, one, steps, 'move'),
        stepped(of, one, steps, 'resize'),
        stepped(of, null, steps, 'move'),
      ]) {
        assert.ok(from >= of.from && to <= endOf(of) && to > from, `${from} ${to}`)
        assert.equal((from - of.from) % of.width, 0)
        assert.equal((to - of.from) % of.width, 0)
      }
      assert.equal(dragged(of, one, by).to - dragged(of, one, by).from, one.to - one.from)
    }),
  )
})

test('a drag marks the bins nearest to its ends, in either direction; one within a bin marks that', () => {
  assert.deepEqual(marked(grid, 1014, 1036), { from: 1010, to: 1040 })
  assert.deepEqual(marked(grid, 1036, 1014), { from: 1010, to: 1040 })
  assert.deepEqual(marked(grid, 1012, 1013), { from: 1010, to: 1020 })
  assert.deepEqual(marked(grid, 0, 9999), { from: 1000, to: 1600 })
  assert.deepEqual(clicked(grid, 9999), { from: 1590, to: 1600 })
  assert.equal(binAt(grid, 1019), 1)
})

test('an edge that is dragged over the other becomes that one', () => {
  const span = { from: 1100, to: 1200 }
  assert.deepEqual(resized(grid, span, 'to', 1300), { from: 1100, to: 1300 })
  assert.deepEqual(resized(grid, span, 'from', 1300), { from: 1200, to: 1300 })
  assert.deepEqual(resized(grid, span, 'to', 1000), { from: 1000, to: 1100 })
})

test('keys move a window or its end by bins, and begin at either end of the timeline', () => {
  const span = { from: 1100, to: 1200 }
  assert.deepEqual(stepped(grid, span, -1, 'move'), { from: 1090, to: 1190 })
  assert.deepEqual(stepped(grid, span, 10, 'resize'), { from: 1100, to: 1300 })
  assert.deepEqual(stepped(grid, span, -999, 'resize'), { from: 1100, to: 1110 })
  assert.deepEqual(stepped(grid, null, 1, 'move'), { from: 1000, to: 1010 })
  assert.deepEqual(stepped(grid, null, -1, 'move'), { from: 1590, to: 1600 })
})

test('a zoom stays within all that there is, and shows ten seconds at least', () => {
  const all = { from: 0, to: 100_000 }
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 99_000 }),
      fc.integer({ min: 10, max: 100_000 }),
      fc.double({ min: 0.01, max: 100, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (from, length, factor, at) => {
        const shown = { from, to: Math.min(all.to, from + length) }
        const around = shown.from + at * (shown.to - shown.from)
        const next = zoomed(shown, all, factor, around)
        assert.ok(next.from >= all.from && next.to <= all.to && next.to - next.from >= 10)
        if (factor <= 1) assert.ok(next.from <= around + 1 && next.to >= around - 1)
      },
    ),
  )
  assert.equal(unlessAll({ from: 0, to: 100_000 }, all), null)
  assert.deepEqual(unlessAll({ from: 1, to: 100_000 }, all), { from: 1, to: 100_000 })
})
