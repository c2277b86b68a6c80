/** What is read without DuckDB's API is what the API would read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import { Database } from '../../src/store/duckdb.ts'

const values = [
  'NULL::BOOLEAN',
  'true',
  'false',
  ...['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT'].flatMap((type, i) => {
    const most = 2n ** (2n ** BigInt(i + 3) - 1n)
    return [`(${most - 1n})::${type}`, `(-${most - 1n})::${type}`, `0::${type}`, `NULL::${type}`]
  }),
  ...['UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'].map((type, i) => `${2n ** (2n ** BigInt(i + 3)) - 1n}::${type}`),
  '(-1)::HUGEINT',
  '1.5::DOUBLE',
  "'nan'::DOUBLE",
  "'infinity'::DOUBLE",
  "''",
  "'twelve bytes'",
  "'thirteen byte'",
  "repeat('é', 1000)",
  'NULL::VARCHAR',
  "TIMESTAMP '2023-09-28 17:22:35.000001'",
  "TIMESTAMP '1960-01-01 00:00:00'",
  "'infinity'::TIMESTAMP",
  'NULL::TIMESTAMP',
  "'word'::ENUM ('a', 'word')",
  '1.50::DECIMAL(9, 2)',
  '[1, 2]',
]

test('a value is read as the API of DuckDB reads it, in every row', async t => {
  const database = await Database.open({ threads: 1, memoryLimit: '256MB', tempDirectory: null })
  t.after(() => database.close())
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const connection: DuckDBConnection = await (await DuckDBInstance.create()).connect()
  t.after(() => connection.closeSync())
  for (const value of values) {
    // More rows than a chunk has, some of them null.
    const query = `SELECT CASE WHEN i % 3 < 2 THEN ${value} END AS v FROM range(5000) r(i) ORDER BY i`
    const own: DuckDBValue[] = []
    for await (const batch of await database.stream(query)) for (const [one] of batch) own.push(one!)
    const theirs = (await (await connection.runAndReadAll(query)).getRows()).map(([one]) => one!)
    assert.deepEqual(own, theirs, value)
  }
})

test('a parameter has the type that the API of DuckDB gives it', async t => {
  const database = await Database.open({ threads: 1, memoryLimit: '256MB', tempDirectory: null })
  t.after(() => database.close())
  const given: [DuckDBValue, string][] = [
    [null, '"NULL"'],
    ['text', 'VARCHAR'],
    [true, 'BOOLEAN'],
    [1.5, 'DOUBLE'],
    [2 ** 31 - 1, 'INTEGER'],
    [-(2 ** 31), 'INTEGER'],
    [2 ** 31, 'BIGINT'],
    [-(2 ** 31) - 1, 'BIGINT'],
    [2n ** 100n, 'HUGEINT'],
  ]
  for (const [value, type] of given) {
    const [row] = await database.rows('SELECT ? AS v, typeof(?) AS t', [value, value])
    assert.deepEqual(row, { v: value, t: type })
  }
})
