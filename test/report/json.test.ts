import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toJson } from '../../src/report/json.ts'
import { hidden } from '../../src/report/text.ts'
import { hostileText, labDossier, sweepDossier } from './fixtures.ts'

test('writes what JSON.stringify writes, two spaces deep', () => {
  const value = { a: [], b: {}, c: [1, -0.5, 1e21, null, true, ['x']], d: undefined, e: [undefined], f: 'ä"\\' }
  assert.equal(toJson(value), JSON.stringify(value, null, 2))
  assert.equal(toJson(undefined), 'null')
  assert.equal(toJson(labDossier()), JSON.stringify(labDossier(), null, 2))
})

test('writes a bigint as its digits', () => {
  assert.equal(toJson({ bytes: 18_446_744_073_709_551_615n }), '{\n  "bytes": 18446744073709551615\n}')
  assert.match(toJson(sweepDossier()), /"to_subject": 9007199254740993,/)
})

test('escapes what a terminal would obey or hide', () => {
  const text = toJson({ [hostileText]: hostileText, tag: '\u{e0041}' })
  assert.equal(text.replaceAll('\n', '').search(hidden), -1)
  assert.match(text, /\\u001b\[31m.*\\u202e.*\\u2028\\u2029\\ud800/)
  assert.match(text, /"\\udb40\\udc41"/)
  assert.deepEqual(JSON.parse(text), { [hostileText]: hostileText, tag: '\u{e0041}' })
})

test('refuses what JSON would write as something else', () => {
  for (const value of [new Map(), new Date(0), new Set(), Number.NaN, Number.POSITIVE_INFINITY, () => 1, Symbol('s')]) {
    assert.throws(() => toJson({ value }), /^TypeError: no JSON form: /)
  }
})

test('parses back to what it was given', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), value => {
      const text = toJson(value)
      assert.equal(text.replaceAll('\n', '').search(hidden), -1)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
    }),
  )
})
