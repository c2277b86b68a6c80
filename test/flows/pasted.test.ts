import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { overViews } from '../../src/user-sql/pasted.ts'
import { tidemark } from '../cli/run.ts'
import { type Work, workFolder } from './support.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
/** Both ends have a sensor: what each wrote is one conversation. */
const rows = ['eni-a', 'eni-b'].flatMap(sensor => [
  `2 1 ${sensor} 10.0.0.1 10.0.0.2 40000 22 6 10 1500 1700000000 1700000050 ACCEPT OK`,
  `2 1 ${sensor} 10.0.0.2 10.0.0.1 22 40000 6 9 900 1700000000 1700000050 ACCEPT OK`,
  `2 1 ${sensor} 10.0.0.1 10.0.0.2 40001 443 6 10 2500 1700000000 1700000050 ACCEPT OK`,
])
let work: Work
before(() => {
  work = workFolder()
  writeFileSync(join(work.root, 'a.log'), `${[header, ...rows].join('\n')}\n`)
  assert.equal(tidemark(['add', 'a.log', '--case', 'case'], { cwd: work.root }).status, 0)
})
after(() => work.close())

const json = (args: string[]): { rows: Record<string, unknown>[]; sql: string; counting?: { collapsed: number } } => {
  const { status, stdout, stderr } = tidemark([...args, '--json', '--case', 'case'], { cwd: work.root })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

const requests = [
  ['port 22'],
  ['-s', 'srcip/bytes'],
  ['-b'],
  ['-A', 'dstport', '--distinct', 'srcip', '-O', 'distinct_srcip'],
  ['--bin', '1m'],
  ['-s', 'dstport', '-n', '1', '--other'],
]
for (const args of requests) {
  test(`the SQL of flows ${args.join(' ')} gives the same rows in a plain DuckDB and in tidemark sql`, async () => {
    const { rows: found, sql, counting } = json(['flows', ...args])
    if (args[0] === '-b') assert.ok(counting!.collapsed > 0)
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    try {
      const plain = (await connection.runAndReadAll(sql)).getRowObjects()
      const own = json(['sql', sql]).rows
      for (const column of ['records', 'bytes', 'srcport']) {
        if (found[0]?.[column] === undefined) continue
        const numbers = (list: Record<string, unknown>[]): number[] => list.map(row => Number(row[column]))
        assert.deepEqual(numbers(plain), numbers(found))
        assert.deepEqual(numbers(own), numbers(found))
      }
      assert.deepEqual([plain.length, own.length], [found.length, found.length])
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  })
}

test('SQL with roles runs in a plain DuckDB', async () => {
  const { rows: found, sql } = json(['flows', 'role client', '-A', 'service'])
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const plain = (await connection.runAndReadAll(sql)).getRowObjects()
  assert.deepEqual(
    plain.map(row => row['service']),
    found.map(row => row['service']),
  )
  connection.closeSync()
  instance.closeSync()
})

test('files of another case are not taken for those of this one', () => {
  const other = "FROM read_parquet('/somewhere/else/segments/flows-*.parquet', union_by_name = true)"
  assert.equal(overViews(other, join(work.root, 'case'), 'logs'), other)
  const refused = tidemark(['sql', other, '--case', 'case'], { cwd: work.root })
  assert.equal(refused.status, 2)
})
