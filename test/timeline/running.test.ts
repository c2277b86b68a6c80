import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Case } from '../../src/store/case.ts'
import { openTimeIndex } from '../../src/timeline/kept.ts'
import { makeView } from '../../src/timeline/make-view.ts'
import type { TimeIndex } from '../../src/timeline/read.ts'
import { RowReader } from '../../src/timeline/rows.ts'
import { type Running, Sight } from '../../src/timeline/running.ts'
import { Sums } from '../../src/timeline/sums.ts'
import { randomLines, writeLog } from '../flows/random-case.ts'
import { caseOf, type Work, workFolder } from '../flows/support.ts'

const records = 420
const blockRows = 32
/** Rows at the places, in their middle, and beside either. */
const rows = Array.from({ length: records + 1 }, (_, row) => row).filter(row => (row + 2) % 16 < 5 || row === records)

let work: Work
let c: Case
let index: TimeIndex

before(async () => {
  work = workFolder()
  writeLog(join(work.root, 'a.log'), randomLines(records, 16))
  c = await caseOf(work.root, [join(work.root, 'a.log')])
  index = await openTimeIndex(c, 'logs', { blockRows })
})
after(async () => {
  index?.close()
  await c?.close()
  work?.close()
})

/** What comes before each row, a row after the other: no places, and no differences of them. */
function beforeEach({ basis }: Running): number[][] {
  const sight = new Sight(basis)
  const sum = new Sums(basis.groups)
  const flat = (): number[] => sum.arrays.flatMap(array => [...array])
  const sums = [flat()]
  for (let row = 0; row < records; row++) {
    const at = row % blockRows
    const seen = sight.of(basis.reader.block((row - at) / blockRows, basis.digit), [at, at + 1])
    sum.add(seen, [at, at + 1], 1, basis.groups, basis.mask?.words ?? null, row - at)
    sums.push(flat())
  }
  return sums
}

for (const [name, filter, fewMost] of [
  ['all rows', undefined, 0],
  ['a filter’s rows', 'bytes > 1000', 0],
  ['few rows, which are held in memory', 'bytes > 1000', records],
] as const)
  test(`between any two rows lies what their sums differ by: ${name}`, async () => {
    const parts = await makeView(c, new RowReader(index), filter === undefined ? {} : { filter }, { fewMost })
    assert.equal(parts.mask !== null, filter !== undefined)
    for (const running of parts.running) {
      assert.ok(fewMost > 0 || running.at.length > 10, 'there are many places')
      const sums = beforeEach(running)
      for (const from of rows)
        for (const to of rows.filter(row => row >= from)) {
          const found = running.between(from, to).arrays.flatMap(array => [...array])
          const [low, high] = [sums[from]!, sums[to]!]
          const isSame = found.length === high.length && found.every((value, i) => value === high[i]! - low[i]!)
          if (!isSame) assert.fail(`rows ${from} to ${to}`)
        }
    }
  })
