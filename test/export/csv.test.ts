import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvPrinter } from '../../src/export/csv.ts'
import type { ExportedFinding } from '../../src/export/items.ts'
import type { CsvStyle } from '../../src/report/csv.ts'
import { randomFrom } from '../filter/flows.ts'
import { hostileTexts, randomFinding, randomRecord, text } from './random.ts'

const random = randomFrom(14)
const texts = [...hostileTexts, ...Array.from({ length: 500 - hostileTexts.length }, () => text(random))]
const findings = texts.map(
  (title, i): ExportedFinding => ({ ...randomFinding(randomFrom(i), i), title, summary: title }),
)

/** Cells of RFC 4180. */
function cellsOf(csv: string): string[][] {
  const rows: string[][] = [[]]
  let [cell, isQuoted] = ['', false]
  for (let i = 0; i < csv.length; i++) {
    const one = csv[i]!
    if (isQuoted) {
      if (one !== '"') cell += one
      else if (csv[i + 1] === '"') cell += csv[++i]!
      else isQuoted = false
    } else if (one === '"') isQuoted = true
    else if (one === ',' || (one === '\r' && csv[i + 1] === '\n')) {
      rows.at(-1)!.push(cell)
      cell = ''
      if (one === '\r') rows.push([])
      if (one === '\r') i++
    } else cell += one
  }
  assert.deepEqual(rows.pop(), [])
  return rows
}

/** As docs/reference/exports.md says it. */
function undone(cell: string): string {
  const plain = cell.replace(/\\(?:\\|x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]+)\})/g, (_, ...hex) => {
    const code = hex.slice(0, 3).find(one => one !== undefined)
    return code === undefined ? '\\' : String.fromCodePoint(Number.parseInt(String(code), 16))
  })
  return /^'+[\s\0]*[=+\-@＝＋－＠\t\r\n\0]/u.test(plain) ? plain.slice(1) : plain
}

function written(style: CsvStyle): string {
  const printer = csvPrinter('findings', [], style)
  return printer.begin!() + findings.map(one => String(printer.finding!(one))).join('')
}

test('500 hostile texts are had back from CSV, and none of them begins as a formula does', () => {
  const [head, ...rows] = cellsOf(written('exact'))
  const [title, summary] = [head!.indexOf('title'), head!.indexOf('summary')]
  assert.deepEqual(
    rows.map(row => [undone(row[title]!), undone(row[summary]!)]),
    texts.map(one => [one, one]),
  )
  for (const row of rows)
    for (const cell of row) assert.doesNotMatch(cell, /^\s*[=+@＝＋－＠\t\r\n\0]|^\s*-(?![\d.])|[\p{Cc}\p{Cf}]/u)
})

test('raw CSV has texts as they are', () => {
  const [head, ...rows] = cellsOf(written('raw'))
  const title = head!.indexOf('title')
  assert.deepEqual(
    rows.map(row => row[title]!),
    texts,
  )
})

test('numbers stay numbers, and unknown is nothing', () => {
  const columns = [
    { name: 'bytes', type: 'integer', unit: 'B' },
    { name: 'packets', type: 'integer', unit: 'packets' },
    { name: 'start', type: 'time', unit: null },
    { name: 'action', type: 'text', unit: null },
  ] as const
  const { begin, record } = csvPrinter('records', columns, 'exact')
  const row = { ...randomRecord(randomFrom(1)), bytes: -5, packets: 9007199254740993n, start: null, action: '-5' }
  assert.equal(begin!() + String(record!(row)), "bytes,packets,start,action\r\n-5,9007199254740993,,'-5\r\n")
})
