import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Newest } from '../../src/ui/newest.ts'

function asked() {
  const under: { key: string; signal: AbortSignal; answer(value: string): void; fail(error: Error): void }[] = []
  const told: [string, unknown][] = []
  const newest = new Newest<string>((key, result) => told.push([key, 'value' in result ? result.value : result.error]))
  const want = (key: string): void =>
    newest.want(key, signal => new Promise((answer, fail) => under.push({ key, signal, answer, fail })))
  return { under, told, newest, want }
}

test('one question is under way, and of those that were wanted meanwhile the newest is next', async () => {
  const { under, told, want } = asked()
  for (const key of ['a', 'b', 'c', 'd']) want(key)
  assert.deepEqual(
    under.map(one => one.key),
    ['a'],
  )
  under[0]!.answer('of a')
  await setImmediate()
  assert.deepEqual(told, [['a', 'of a']])
  assert.deepEqual(
    under.map(one => one.key),
    ['a', 'd'],
  )
  under[1]!.answer('of d')
  await setImmediate()
  assert.deepEqual(told.at(-1), ['d', 'of d'])
  assert.equal(under.length, 2)
})

test('a question that fails does not stop the next', async () => {
  const { under, told, want } = asked()
  want('a')
  want('b')
  const error = new Error('no')
  under[0]!.fail(error)
  await setImmediate()
  under[1]!.answer('of b')
  await setImmediate()
  assert.deepEqual(told, [
    ['a', error],
    ['b', 'of b'],
  ])
})

test('what is given up is not told of', async () => {
  const { under, told, newest, want } = asked()
  want('a')
  want('b')
  newest.close()
  assert.equal(under[0]!.signal.aborted, true)
  under[0]!.answer('of a')
  await setImmediate()
  assert.deepEqual(told, [])
  assert.equal(under.length, 1)
  want('c')
  assert.equal(under[1]!.key, 'c')
})
