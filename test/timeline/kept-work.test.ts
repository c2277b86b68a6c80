import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptWork } from '../../src/timeline/kept-work.ts'

test('what was asked for the longest goes first, and the latest stays however large it is', async () => {
  const made: string[] = []
  const kept = new KeptWork<{ size: number }>(10)
  const get = (key: string, size: number): Promise<{ size: number }> =>
    kept.get(key, undefined, async () => {
      made.push(key)
      return { size }
    })
  await get('a', 4)
  await get('b', 6)
  assert.equal(await get('a', 4), await get('a', 4))
  await get('c', 1)
  // Of a, b and c, which take 11, b was asked for the longest ago.
  await get('a', 4)
  await get('b', 6)
  assert.deepEqual(made, ['a', 'b', 'c', 'b'])
  const large = await get('d', 50)
  assert.equal(await get('d', 50), large)
  await get('a', 4)
  assert.deepEqual(made, ['a', 'b', 'c', 'b', 'd', 'a'])
})

test('work that failed is done again', async () => {
  const kept = new KeptWork<{ size: number }>(10)
  let tries = 0
  const get = (): Promise<{ size: number }> =>
    kept.get('a', undefined, async () => {
      if (++tries === 1) throw new Error('it failed')
      return { size: 1 }
    })
  await assert.rejects(get(), /it failed/)
  assert.deepEqual(await get(), { size: 1 })
  assert.equal(tries, 2)
})
