import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allWork, workAreas } from '../../src/server/work/all.ts'

test('every kind of question that an area answers is known to the work process, and once', async () => {
  for (const { kinds, load } of workAreas) assert.deepEqual(Object.keys(await load()), kinds)
  const kinds = workAreas.flatMap(area => area.kinds)
  assert.deepEqual(Object.keys(allWork), kinds)
  assert.equal(new Set(kinds).size, kinds.length)
})
