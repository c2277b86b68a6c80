import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exactJson, parseExactJson } from '../../src/store/exact-json.ts'

test('integers of any size are written and read back exactly', () => {
  const value = { a: 2n ** 64n - 1n, b: [2n ** 200n, 9007199254740991, 0, -1, 1.5], c: { d: -(2n ** 63n) }, e: null }
  const text = exactJson(value)
  assert.match(text, /"a":18446744073709551615,/)
  assert.deepEqual(parseExactJson(text), value)
})

test('sixteen digits that a number holds exactly stay a number', () => {
  assert.deepEqual(parseExactJson('{"a":1234567890123456,"b":9007199254740993}'), {
    a: 1234567890123456,
    b: 9007199254740993n,
  })
})

test('digits in strings are text, whatever stands around them', () => {
  for (const text of [':12345678901234567890,', '\\":12345678901234567890,', '[12345678901234567890]', '\\', '"'])
    assert.deepEqual(parseExactJson(exactJson({ text, n: 2n ** 70n })), { text, n: 2n ** 70n })
})

test('what is no JSON is refused', () => {
  for (const text of ['{"a":12345678901234567890', '{"a":12345678901234567890,}', '[12345678901234567890,"]', ''])
    assert.throws(() => parseExactJson(text), SyntaxError)
})
