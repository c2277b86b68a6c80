import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { piecesOf } from '../../src/flows/pieces.ts'
import { settle } from '../../src/flows/settle.ts'
import type { Case } from '../../src/store/case.ts'
import { answerOf, caseOf, type Work, workFolder } from './support.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const files: readonly [name: string, records: number][] = [
  ['a.log', 60_001],
  ['b.log', 3],
  ['c.log', 24_997],
  ['d.log', 10],
]
let work: Work
let c: Case
before(async () => {
  work = workFolder()
  for (const [name, records] of files) {
    const line = (i: number): string =>
      `2 1 eni-a 10.0.${i >> 8}.${i & 255} 198.51.100.7 ${i % 60_000} ${i % 2 === 0 ? 443 : 22} 6 1 ${i} 1700000000 1700000050 ${i % 5 === 0 ? 'REJECT' : 'ACCEPT'} OK`
    writeFileSync(
      join(work.root, name),
      `${[header, ...Array.from({ length: records }, (_, i) => line(i))].join('\n')}\n`,
    )
  }
  c = await caseOf(
    work.root,
    files.map(([name]) => join(work.root, name)),
  )
})
after(async () => {
  await c.close()
  work.close()
})

const place = (row: Record<string, unknown>): string => `${row['path']}:${row['line']}`

for (const filter of ['', 'dst port 22', 'src port 7', 'src ip 192.0.2.1']) {
  test(`a listing in pieces has every record of "${filter}" once, in the order of the evidence`, async () => {
    const { result, rows } = await answerOf(c, { filter, limit: null })
    const [expected] = await c.db.rows(
      `SELECT count(*) AS n, count(*) FILTER (WHERE action = 'REJECT') AS rejected FROM flows WHERE ${
        { '': 'true', 'dst port 22': 'dstport = 22', 'src port 7': 'srcport = 7' }[filter] ?? 'false'
      }`,
    )
    assert.deepEqual(
      [result.total_rows, result.counting.rejected],
      [Number(expected!['n']), Number(expected!['rejected'])],
    )
    assert.equal(rows.length, result.total_rows)
    const order = new Map(c.evidence.map(({ path, id }) => [path, id!]))
    const key = (row: Record<string, unknown>): number => order.get(String(row['path']))! * 1e6 + Number(row['line'])
    assert.deepEqual(
      rows.map(key),
      rows.map(key).sort((a, b) => a - b),
    )
    assert.equal(new Set(rows.map(place)).size, rows.length)
  })
}

test('a limit beyond one piece is kept, and what it leaves out is said', async () => {
  const whole = await answerOf(c, { limit: null })
  const { result, rows } = await answerOf(c, { limit: 30_000 })
  assert.equal(result.truncated, true)
  assert.deepEqual(rows.map(place), whole.rows.slice(0, 30_000).map(place))
})

test('a sort of all records, which has less memory, has every record once and in order', async () => {
  const { rows } = await answerOf(c, { limit: null, order: 'bytes' })
  const bytes = rows.map(row => Number(row['bytes']))
  assert.equal(new Set(rows.map(place)).size, 85_011)
  assert.deepEqual(
    bytes,
    bytes.toSorted((a, b) => b - a),
  )
})

test('no piece has more than four times the records that one is meant to have', async () => {
  const { setting } = await settle(c, { limit: null })
  const { pieces } = await piecesOf(c, setting)
  assert.ok(pieces.length >= 4)
  for (const { firstFile, lastFile, lines } of pieces) {
    const among = lines === undefined ? '' : `AND _line BETWEEN ${lines.first} AND ${lines.last}`
    const [row] = await c.db.rows(
      `SELECT count(*) AS n FROM flows WHERE _file BETWEEN ${firstFile} AND ${lastFile} ${among}`,
    )
    assert.ok(Number(row!['n']) <= 100_000, String(row!['n']))
  }
})
