import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesText, capturedText, countText, timeText, visible, windowText } from '../../src/ui/text.ts'

test('control and bidirectional characters are visible, all else stays', () => {
  assert.equal(visible('a\u202eb\u0007\n'), 'a\\u202eb\\x07\\x0a')
  assert.equal(visible('Zürich <b>&amp;</b> 日本'), 'Zürich <b>&amp;</b> 日本')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      assert.doesNotMatch(visible(text), /[\p{Cc}\p{Cf}\u2028\u2029]/u)
    }),
  )
})

test('integers are exact at any size, and what is unknown is no zero', () => {
  assert.equal(countText(0), '0')
  assert.equal(countText(1234567), '1,234,567')
  assert.equal(countText('18446744073709551615'), '18,446,744,073,709,551,615')
  assert.equal(countText(-1234), '-1,234')
  assert.equal(countText(null), '–')
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n }), count => {
      assert.equal(countText(String(count)).replaceAll(',', ''), String(count))
      assert.match(countText(String(count)), /^\d{1,3}(,\d{3})*$/)
    }),
  )
})

test('packets of a capture stand beside those that the logs count, where it has a part of them', () => {
  assert.equal(capturedText(12, 1234), '12 of 1,234 that the logs count')
  assert.equal(capturedText('18446744073709551614', '18446744073709551615').split(' of ').length, 2)
  assert.equal(capturedText(0, 1), '0 of 1 that the logs count')
  for (const logged of [12, 11, 0, null]) assert.equal(capturedText(12, logged), '12')
})

test('bytes are written as commands write them', () => {
  const cases: [number | string | null, string][] = [
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1.0 KiB'],
    [265_183_813, '252.9 MiB'],
    ['18446744073709551615', '16.0 EiB'],
    [null, '–'],
  ]
  for (const [bytes, text] of cases) assert.equal(bytesText(bytes), text, String(bytes))
})

test('times are of UTC, and a window of one day names it once', () => {
  const at = Date.UTC(2023, 8, 28, 19, 32, 36) / 1000
  assert.equal(timeText(at), '2023-09-28 19:32:36')
  assert.equal(windowText({ from: at, to: at + 60 }), '2023-09-28 19:32:36 – 19:33:36 UTC')
  assert.equal(windowText({ from: at, to: at + 86_400 }), '2023-09-28 19:32:36 – 2023-09-29 19:32:36 UTC')
  assert.equal(windowText({ from: at, to: null }), 'from 2023-09-28 19:32:36 UTC')
  assert.equal(windowText({ from: null, to: at }), 'before 2023-09-28 19:32:36 UTC')
})
