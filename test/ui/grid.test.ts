import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { blockRows, GridRows } from '../../src/ui/parts/grid-rows.ts'
import { gridScale, movedRow, positionFor, rowHeight, seenRows } from '../../src/ui/parts/grid-scale.ts'
import { inOrder, nextSort } from '../../src/ui/parts/sorting.ts'

const rowCounts = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 200_000_000 }))
const heights = fc.integer({ min: 100, max: 3000 })

test('a room is never higher than a browser can scroll, and its bar reaches every row', () => {
  fc.assert(
    fc.property(rowCounts, heights, (rows, shown) => {
      const { room, last, positionOf, scrollOf } = gridScale(rows, shown)
      assert.ok(room <= 8_000_000)
      assert.equal(positionOf(0), 0)
      assert.ok(Math.abs(positionOf(room - shown) - last) < 1)
      assert.ok(Math.abs(scrollOf(last) - (room - shown)) < 1)
      assert.equal(seenRows(last, shown, rows).to, rows)
    }),
  )
})

test('a room that fits is scrolled pixel by pixel', () => {
  const { room, scaled, positionOf } = gridScale(1000, 600)
  assert.deepEqual([room, scaled, positionOf(1234)], [24_000, false, 1234])
  assert.equal(gridScale(20_000_000, 600).scaled, true)
})

test('the row that a key moves to is wholly seen, and moves no further than it must', () => {
  fc.assert(
    fc.property(
      rowCounts,
      heights,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (rows, shown, at, to) => {
        const row = Math.floor(to * (rows - 1))
        const before = at * gridScale(rows, shown).last
        const position = positionFor(row, before, shown)
        assert.ok(row * rowHeight >= position && (row + 1) * rowHeight <= position + shown)
        if (row * rowHeight >= before && (row + 1) * rowHeight <= before + shown) assert.equal(position, before)
      },
    ),
  )
})

test('keys move within the rows', () => {
  assert.equal(movedRow('ArrowDown', 9, 10, 5), 9)
  assert.equal(movedRow('k', 0, 10, 5), 0)
  assert.equal(movedRow('PageDown', 0, 10, 5), 4)
  assert.equal(movedRow('PageUp', 2, 10, 5), 0)
  assert.equal(movedRow('End', 2, 20_000_000, 5), 19_999_999)
  assert.equal(movedRow('q', 2, 10, 5), null)
})

function list(total: number) {
  const asked: { offset: number; count: number; signal: AbortSignal; answer(): void; fail(): void }[] = []
  const load = (offset: number, count: number, signal: AbortSignal): Promise<number[]> =>
    new Promise((resolve, reject) => {
      const answer = (): void => resolve(Array.from({ length: count }, (_, i) => offset + i))
      asked.push({ offset, count, signal, answer, fail: () => reject(new Error('gone')) })
    })
  let changes = 0
  const rows = new GridRows<number>(load, total, () => changes++)
  return { rows, asked, changes: () => changes }
}

test('only rows that are seen are asked for, in blocks, and the last block is as long as the list', async () => {
  const { rows, asked, changes } = list(450)
  rows.see(0, 30)
  assert.deepEqual(
    asked.map(({ offset, count }) => [offset, count]),
    [[0, blockRows]],
  )
  assert.equal(rows.at(5), undefined)
  asked[0]!.answer()
  await setImmediate()
  assert.equal(rows.at(5), 5)
  assert.equal(changes(), 1)
  rows.see(390, 450)
  assert.deepEqual(
    asked.slice(1).map(({ offset, count }) => [offset, count]),
    [
      [200, 200],
      [400, 50],
    ],
  )
})

test('a held key asks for what is still seen when there is room, and gives up the rest', async () => {
  const { rows, asked } = list(1_000_000)
  for (let row = 0; row < 100_000; row += 30) rows.see(row, row + 30)
  const open = asked.filter(({ signal }) => !signal.aborted)
  assert.ok(open.length <= 2)
  assert.deepEqual(
    open.map(({ offset }) => offset),
    [99_800, 100_000],
  )
  open[0]!.answer()
  await setImmediate()
  assert.equal(rows.at(99_990), 99_990)
})

test('blocks that were seen long ago are forgotten', async () => {
  const { rows, asked } = list(1_000_000)
  for (let block = 0; block < 60; block++) {
    rows.see(block * blockRows, block * blockRows + 10)
    asked.at(-1)!.answer()
    await setImmediate()
  }
  assert.equal(rows.at(0), undefined)
  assert.equal(rows.at(59 * blockRows), 59 * blockRows)
})

test('a block that fails is asked for when the user says so', async () => {
  const { rows, asked } = list(1000)
  rows.see(0, 10)
  asked[0]!.fail()
  await setImmediate()
  assert.match(String(rows.error), /gone/)
  rows.see(0, 20)
  assert.equal(asked.length, 1)
  rows.again()
  asked[1]!.answer()
  await setImmediate()
  assert.equal(rows.error, null)
  assert.equal(rows.at(0), 0)
})

test('a table is sorted either way, with what is unknown at its end', () => {
  const columns = [{ name: 'bytes', number: true, sort: (row: { bytes: number | null }) => row.bytes }]
  const rows = [3, null, 1, 2].map(bytes => ({ bytes }))
  const sorted = (sort: string | null): unknown[] => inOrder(rows, columns, sort).map(({ bytes }) => bytes)
  assert.deepEqual(sorted('bytes'), [1, 2, 3, null])
  assert.deepEqual(sorted('-bytes'), [3, 2, 1, null])
  assert.deepEqual(sorted(null), [3, null, 1, 2])
  assert.deepEqual(sorted('unknown'), [3, null, 1, 2])
  assert.equal(nextSort({ name: 'bytes', number: true }, null), '-bytes')
  assert.equal(nextSort({ name: 'bytes', number: true }, '-bytes'), 'bytes')
  assert.equal(nextSort({ name: 'host' }, null), 'host')
  assert.equal(nextSort({ name: 'host' }, 'host'), '-host')
})
