import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Heap } from '../../src/controls/heap.ts'

test('gives the first each time, as sorting does', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.array(fc.option(fc.nat(20))), (first, steps) => {
      const heap = new Heap<number>((a, b) => a < b, [...first])
      const slow = [...first]
      for (const step of steps) {
        slow.sort((a, b) => a - b)
        assert.equal(heap.peek(), slow[0])
        if (step === null) assert.equal(heap.pop(), slow.shift())
        else {
          heap.push(step)
          slow.push(step)
        }
      }
    }),
    { seed: 14 },
  )
})
