import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusalJudge } from '../../src/conversations/refusals.ts'
import { UserError } from '../../src/errors.ts'
import { SaidOfLines } from '../../src/investigate/rejects.ts'
import type { RecordBlock } from '../../src/record-index/block.ts'

/** As blocks have it. */
const rejected = 2

test('rejected records that do not fit into memory are refused, not taken until the process dies', t => {
  t.mock.method(process, 'availableMemory', () => 1000)
  const block = { rows: 1000, action: new Uint8Array(1000).fill(rejected) } as unknown as RecordBlock
  assert.throws(() => new RefusalJudge([]).note(block), UserError)
})

test('what is said of lines is kept by file and line, in a byte each', () => {
  const said = new SaidOfLines()
  said.set(0, 1, 0)
  said.set(0, 5_000_000, 2)
  said.set(7, 1, 1)
  assert.deepEqual(
    [said.get(0, 1), said.get(0, 5_000_000), said.get(7, 1), said.get(0, 2), said.get(1, 1), said.get(7, 9_000_000)],
    [0, 2, 1, undefined, undefined, undefined],
  )
})
