import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointText, listText, rangesText } from '../../src/report/names.ts'
import {
  atLeast,
  bytesText,
  countText,
  integerText,
  percentText,
  sizeText,
  spanText,
  timeText,
} from '../../src/report/numbers.ts'

test('writes integers with every digit', () => {
  const cases: [number | bigint, string][] = [
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [265_183_813, '265,183,813'],
    [18_446_744_073_709_551_615n, '18,446,744,073,709,551,615'],
    [-1234, '-1,234'],
  ]
  for (const [count, text] of cases) assert.equal(integerText(count), text)
  assert.equal(countText(1, 'record'), '1 record')
  assert.equal(countText(0, 'record'), '0 records')
  assert.equal(countText(2n, 'entry', 'entries'), '2 entries')
})

test('writes sizes in words beside the exact figure', () => {
  assert.equal(bytesText(265_183_813), '265,183,813 B (252.9 MiB)')
  assert.equal(bytesText(1023), '1,023 B')
  assert.equal(bytesText(9_007_199_254_740_993n), '9,007,199,254,740,993 B (8.0 PiB)')
  assert.equal(sizeText(0), '0 B')
  assert.equal(sizeText(1024 ** 2 - 1), '1.0 MiB')
  assert.equal(atLeast(sizeText(2048), true), 'at least 2.0 KiB')
  assert.equal(atLeast(sizeText(2048), false), '2.0 KiB')
})

test('says 0 % and 100 % only when it is exactly that', () => {
  const cases: [number, number, string][] = [
    [33_232, 172_600, '19 %'],
    [0, 5, '0 %'],
    [5, 5, '100 %'],
    [1, 1_000_000, '<0.1 %'],
    [999_999, 1_000_000, '>99 %'],
    [4, 1000, '0.4 %'],
    [996, 10_000, '10 %'],
    [0, 0, 'none of none'],
  ]
  for (const [part, whole, text] of cases) assert.equal(percentText(part, whole), text)
})

test('writes the day of a span once', () => {
  const start = '2023-09-28T17:22:35Z'
  assert.equal(timeText(start), '2023-09-28 17:22:35Z')
  assert.equal(timeText(null), 'unknown')
  assert.equal(spanText(start, '2023-09-28T23:59:59Z'), '2023-09-28 17:22:35Z – 23:59:59Z')
  assert.equal(spanText(start, '2023-09-29T00:00:01Z', ' and '), '2023-09-28 17:22:35Z and 2023-09-29 00:00:01Z')
  assert.equal(spanText(start, start), '2023-09-28 17:22:35Z')
  assert.equal(spanText(start, null), '2023-09-28 17:22:35Z – unknown')
})

test('writes endpoints, lists and ranges', () => {
  assert.equal(endpointText('10.0.0.1', 22), '10.0.0.1:22')
  assert.equal(endpointText('2001:db8::1', 22), '[2001:db8::1]:22')
  assert.equal(endpointText('2001:db8::1', null), '2001:db8::1')
  assert.equal(listText(['a']), 'a')
  assert.equal(listText(['a', 'b', 'c']), 'a, b and c')
  assert.equal(listText(['a', 'b', 'c', 'd'], 2, 'others'), 'a, b and 2 others')
  assert.equal(rangesText([80, 22, 8001, 8000, 8002, 22]), '22, 80, 8000–8002')
  assert.equal(rangesText([]), '')
})
