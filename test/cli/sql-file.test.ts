import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { type Work, workFolder } from '../flows/support.ts'
import { type Run, tidemark } from './run.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
let work: Work
before(() => {
  work = workFolder()
  const rows = Array.from(
    { length: 3000 },
    (_, i) =>
      `2 1 eni-a 10.0.0.${i % 250} 2001:db8::1 ${i} 22 6 10 ${i === 7 ? '18446744073709551615' : i} 1700000000 1700000050 ACCEPT OK`,
  )
  writeFileSync(join(work.root, 'a.log'), `${[header, ...rows].join('\n')}\n`)
  assert.equal(tidemark(['add', 'a.log', '--case', 'case'], { cwd: work.root }).status, 0)
})
after(() => work.close())

const sql = (args: string[]): Run => tidemark(['sql', ...args, '--case', 'case'], { cwd: work.root })
const query =
  'SELECT srcaddr, dstaddr, srcport, bytes, start, pkt_srcaddr, [1, NULL] AS list FROM flows ORDER BY srcport'

test('CSV goes into a file as it is printed, with every row', () => {
  const { status, stdout, stderr } = sql([query, '--csv', 'out.csv'])
  assert.deepEqual([status, stdout, stderr], [0, '', 'tidemark: 3,000 rows\n'])
  assert.equal(readFileSync(join(work.root, 'out.csv'), 'utf8'), sql([query, '--csv', '--limit', 'all']).stdout)
})

test('a query after --csv is no file', () => {
  assert.equal(sql(['--csv', 'SELECT 1 AS a']).stdout, 'a\r\n1\r\n')
})

test('Parquet has the rows with their types, and what is null', async () => {
  const { status, stderr } = sql([query, '--parquet', 'out.parquet'])
  assert.equal(status, 0, stderr)
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const read = async (text: string): Promise<unknown[]> =>
    (await connection.runAndReadAll(text.replace('FILE', `'${join(work.root, 'out.parquet')}'`))).getRowObjectsJson()
  assert.deepEqual(
    await read('SELECT count(*) AS n, max(bytes) AS most, min(start) AS first, count(pkt_srcaddr) AS known FROM FILE'),
    [{ n: '3000', most: '18446744073709551615', first: '2023-11-14 22:13:20', known: '0' }],
  )
  assert.deepEqual(await read('SELECT srcaddr, dstaddr, srcport, list FROM FILE WHERE srcport = 3'), [
    { srcaddr: '10.0.0.3', dstaddr: '2001:db8::1', srcport: 3, list: '[1,null]' },
  ])
  connection.closeSync()
  instance.closeSync()
})

test('a file is there whole or not at all, and replaces no other unless it is told to', () => {
  assert.equal(sql([query, '--csv', 'cut.csv', '--max-output', '10K']).status, 1)
  assert.equal(sql(['SELECT 1/0 AS a, error(srcaddr) FROM flows', '--parquet', 'bad.parquet']).status, 2)
  assert.deepEqual([existsSync(join(work.root, 'cut.csv')), existsSync(join(work.root, 'bad.parquet'))], [false, false])
  writeFileSync(join(work.root, 'mine.csv'), 'mine')
  assert.match(sql([query, '--csv', 'mine.csv']).stderr, /the file exists/)
  assert.equal(readFileSync(join(work.root, 'mine.csv'), 'utf8'), 'mine')
  assert.equal(sql([query, '--csv', 'mine.csv', '--force', '--limit', '5']).status, 0)
  assert.equal(readFileSync(join(work.root, 'mine.csv'), 'utf8').split('\r\n').length, 7)
  assert.deepEqual(
    readdirSync(work.root).filter(name => name.includes('part')),
    [],
  )
})
