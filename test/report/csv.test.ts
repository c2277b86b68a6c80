import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvWriter } from '../../src/report/csv.ts'
import type { Cell } from '../../src/user-sql/cells.ts'

/** One cell as it is written. */
function written(type: string, cell: Cell | undefined): string {
  const line = csvWriter([{ name: 'c', type }]).line([cell])
  assert.ok(line.endsWith('\r\n'))
  return line.slice(0, -2)
}

const texts: [text: string, written: string][] = [
  ['alpha', 'alpha'],
  ['', '""'],
  [' ', '" "'],
  ['a,b', '"a,b"'],
  ['a;=b', '"a;=b"'],
  ['a"b', '"a""b"'],
  ['eni-0a', 'eni-0a'],
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@sum(a1)', "'@sum(a1)"],
  ['＝1', "'＝1"],
  ['＋1', "'＋1"],
  ['－1', "'－1"],
  ['＠a', "'＠a"],
  ['  =1', "'  =1"],
  ['\u00a0=1', "'\u00a0=1"],
  ['\t=1', "'\\x09=1"],
  ['\talpha', "'\\x09alpha"],
  [' \talpha', "' \\x09alpha"],
  ['\r=1', "'\\x0d=1"],
  ['\ralpha', "'\\x0dalpha"],
  ['\n=1', "'\\x0a=1"],
  ['alpha\r\n=1', 'alpha\\x0d\\x0a=1'],
  ['\u001b[31m', '\\x1b[31m'],
  ['\u202e=1', '\\u202e=1'],
  ['\u0000=1', '\\x00=1'],
  ["=cmd|' /C calc'!A0,\"", '"\'=cmd|\' /C calc\'!A0,"""'],
]

test('a text that a spreadsheet would obey is guarded, what a terminal would obey is escaped', () => {
  for (const type of ['text', 'VARCHAR', "ENUM('INTEGER')", 'UNION(a INTEGER, b VARCHAR)']) {
    for (const [text, expected] of texts) assert.equal(written(type, text), expected, `${type} ${JSON.stringify(text)}`)
  }
})

test('a number has no guard, however it was sent', () => {
  const numbers: [type: string, cell: Cell, written: string][] = [
    ['integer', -5, '-5'],
    ['integer', -18446744073709551615n, '-18446744073709551615'],
    ['INTEGER', -5, '-5'],
    ['HUGEINT', -(2n ** 100n), '-1267650600228229401496703205376'],
    ['DOUBLE', '-Infinity', '-Infinity'],
    ['DOUBLE', -1e-7, '-1e-7'],
    ['DECIMAL(19,2)', '-12345678901234567.89', '-12345678901234567.89'],
    ['BOOLEAN', true, 'true'],
    ['INTERVAL', '-00:01:01', '-00:01:01'],
    ['TIMESTAMP', '-infinity', '-infinity'],
    ['time', '2023-11-14T22:13:20Z', '2023-11-14T22:13:20Z'],
  ]
  for (const [type, cell, expected] of numbers) assert.equal(written(type, cell), expected, type)
})

test('what is not known is nothing, what is nested is JSON', () => {
  for (const type of ['text', 'integer', 'VARCHAR', 'UBIGINT']) {
    assert.equal(written(type, null), '')
    assert.equal(written(type, undefined), '')
  }
  assert.equal(written('VARCHAR[]', ['=1', 'a']), '"[""=1"",""a""]"')
  assert.equal(written('address', '2001:db8::1'), '2001:db8::1')
})

test('names of columns are texts', () => {
  const { head } = csvWriter([
    { name: '=1', type: 'INTEGER' },
    { name: '\tcmd', type: 'integer' },
    { name: 'a,b', type: 'text' },
  ])
  assert.equal(head, `'=1,'\\x09cmd,"a,b"\r\n`)
})
