import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { displayWidth, hidden, pad, plain, truncate, truncateStart, visible, wrap } from '../../src/report/text.ts'

/** Any text at all, lone surrogates included, with the dangerous characters often. */
const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0, max: 0x9f }),
      fc.constantFrom(0x202e, 0x2028, 0x301),
    ),
  )
  .map(units => String.fromCharCode(...units))

test('shows what a terminal would obey', () => {
  const cases: [string, string][] = [
    ['plain text, ünïcode 漢字', 'plain text, ünïcode 漢字'],
    ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
    ['\u001b]52;c;Zm9v\u0007', '\\x1b]52;c;Zm9v\\x07'],
    ['one\r\ntwo\tthree\u0000', 'one\\x0d\\x0atwo\\x09three\\x00'],
    ['\u007f\u0080\u009b\u009f', '\\x7f\\x80\\x9b\\x9f'],
    ['\u202a\u202e\u2066\u2069\u200e\u200f', '\\u202a\\u202e\\u2066\\u2069\\u200e\\u200f'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\ud800x\udc00', '\\ud800x\\udc00'],
    ['😀', '😀'],
    ['zero\u200bwidth\ufeff', 'zero\\u200bwidth\\ufeff'],
    ['tag \u{e0041}', 'tag \\u{e0041}'],
    ['e\u0301', 'e\u0301'],
    [`e${'\u0301'.repeat(6)}`, `e${'\u0301'.repeat(4)}\\u0301\\u0301`],
  ]
  for (const [text, shown] of cases) assert.equal(visible(text), shown)
})

test('lets nothing hidden pass, and shows twice what it showed once', () => {
  fc.assert(
    fc.property(anyText, text => {
      const shown = visible(text)
      assert.equal(shown.search(hidden), -1)
      assert.equal(visible(shown), shown)
    }),
  )
})

test('counts the cells of a terminal', () => {
  const cases: [string, number][] = [
    ['', 0],
    ['abc', 3],
    ['漢字', 4],
    ['ﾊﾟ', 2],
    ['e\u0301', 1],
    ['한글', 4],
    ['😀', 2],
    ['🇩🇪', 2],
    ['→ – … █', 7],
    ['\u001b[1m\u001b[31mred\u001b[39m\u001b[22m', 3],
  ]
  for (const [text, width] of cases) assert.equal(displayWidth(text), width, text)
})

test('pads and truncates by cells', () => {
  assert.equal(pad('漢', 4), '漢  ')
  assert.equal(pad('漢', 4, 'right'), '  漢')
  assert.equal(pad('long', 2), 'long')
  assert.equal(truncate('漢字かな', 8), '漢字かな')
  assert.equal(truncate('漢字かな', 6), '漢字…')
  assert.equal(truncate('e\u0301e\u0301e\u0301', 2), 'e\u0301…')
  assert.equal(truncate('abc', 0), '')
  assert.equal(truncateStart('漢字かな', 8), '漢字かな')
  assert.equal(truncateStart('漢字かな', 6), '…かな')
})

test('wraps at spaces and keeps a figure with its unit', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three'])
  assert.deepEqual(wrap('', 7), [''])
  assert.deepEqual(wrap('abcdefghij', 4), ['abcd', 'efgh', 'ij'])
  assert.deepEqual(wrap('sent 265,183,813 B today', 16), ['sent', '265,183,813 B', 'today'])
  assert.deepEqual(wrap('漢字かな', 1), ['漢', '字', 'か', 'な'])
})

test('never wraps wider than asked, and loses nothing but spaces', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 2, max: 40 }), (text, width) => {
      const shown = visible(text)
      const lines = wrap(shown, width)
      for (const line of lines) assert.ok(displayWidth(line) <= width, JSON.stringify(line))
      assert.equal(lines.join('').replaceAll(' ', ''), shown.replaceAll(' ', ''))
      assert.ok(displayWidth(truncate(shown, width)) <= width)
    }),
  )
})

test('wraps a coloured text where it wraps the plain one', () => {
  const words = 'sent \u001b[1m265,183,813\u001b[22m \u001b[1mB\u001b[22m today'
  assert.deepEqual(wrap(words, 16).map(plain), ['sent', '265,183,813 B', 'today'])
})

test('drops our colours and nothing else', () => {
  assert.equal(plain('\u001b[1mbold\u001b[22m \\x1b[1m'), 'bold \\x1b[1m')
})
