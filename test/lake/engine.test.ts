import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { Database } from '../../src/store/duckdb.ts'
import { lake, withMoto, withTrino } from './cluster.ts'
import { ask, ownSchema } from './trino.ts'

/** What the design of the lake rests on: how Trino reads files that DuckDB wrote. */
const types = {
  i: 'bigint',
  dict: 'varchar',
  long: 'varchar',
  real: 'double',
  gaps: 'bigint',
  flag: 'boolean',
  counter: 'bigint',
  small: 'smallint',
  port: 'integer',
}
const rows = `SELECT i::BIGINT AS i, 'abc' || (i % 5) AS dict, 'a longer text with the same beginning ' || i AS long, (i / 3.0)::DOUBLE AS real,
  CASE WHEN i % 3 <> 0 THEN i::BIGINT END AS gaps, i % 2 = 0 AS flag, (i::HUGEINT * 92233720368547758)::UBIGINT AS counter,
  (i % 256)::UTINYINT AS small, (i % 65536)::USMALLINT AS port FROM range(200) r(i)`
const columns = Object.entries(types).map(([name, type]) => `"${name}" ${type}`)

let schema = ''
before(async () => {
  if (withTrino.skip === false) schema = await ownSchema('engine')
})

test('Trino reads every encoding that DuckDB writes, and finds what stands there', withTrino, async () => {
  const db = await Database.open({ threads: 1, memoryLimit: '256MB', tempDirectory: null })
  const options = [
    'PARQUET_VERSION V1, COMPRESSION snappy',
    'PARQUET_VERSION V2, COMPRESSION zstd, DICTIONARY_SIZE_LIMIT 1',
  ]
  options.push('PARQUET_VERSION V2, COMPRESSION gzip, WRITE_BLOOM_FILTER true')
  const told = `count(*) AS n, sum(i) AS i, min(dict) AS dict, max(long) AS long, count(gaps) AS gaps, sum(small) AS small, sum(port) AS port`
  const [wanted] = await db.rows(`SELECT ${told} FROM (${rows})`)
  const encodings = new Set<string>()
  for (const [at, option] of options.entries()) {
    const folder = join(lake().lake, schema, `v${at}`)
    mkdirSync(folder, { recursive: true })
    const path = join(folder, 'a.parquet')
    await db.run(`COPY (${rows}) TO '${path}' (FORMAT parquet, ${option})`)
    for (const row of await db.rows(`SELECT encodings FROM parquet_metadata('${path}')`))
      for (const name of String(row['encodings']).split(', ')) encodings.add(name)
    await ask(
      `CREATE TABLE v${at} (${columns.join(', ')}) WITH (format = 'PARQUET', external_location = 'local:///${schema}/v${at}')`,
      schema,
    )
    const [found] = await ask(`SELECT ${told} FROM v${at}`, schema)
    assert.deepEqual(found, Object.fromEntries(Object.entries(wanted!).map(([k, v]) => [k, plain(v)])), option)
    const [one] = await ask(`SELECT i FROM v${at} WHERE long = 'a longer text with the same beginning 77'`, schema)
    assert.equal(one?.['i'], 77)
  }
  for (const name of ['DELTA_BINARY_PACKED', 'DELTA_LENGTH_BYTE_ARRAY', 'BYTE_STREAM_SPLIT', 'PLAIN'])
    assert.ok(encodings.has(name), name)
  await db.close()
})

test('Trino fails on unsigned counters beyond 2^63, for which reason none is pushed', withTrino, async () => {
  await assert.rejects(ask('SELECT count(*) AS n FROM v1 WHERE counter > 100', schema), /Corrupted statistics/)
})

test('Trino reads a text file out of a bucket', { ...withMoto, skip: withMoto.skip || withTrino.skip }, async () => {
  const bucket = `${lake().moto}/engine-${process.pid}`
  assert.equal((await fetch(bucket, { method: 'PUT' })).status, 200)
  const body = 'version srcaddr bytes\n2 192.0.2.1 7\n2 - -\n'
  assert.equal((await fetch(`${bucket}/logs/a.log`, { method: 'PUT', body })).status, 200)
  await ask(
    `CREATE TABLE of_bucket (version integer, srcaddr varchar, bytes bigint) WITH (format = 'TEXTFILE', textfile_field_separator = ' ',
     skip_header_line_count = 1, null_format = '-', external_location = 's3://engine-${process.pid}/logs')`,
    schema,
  )
  assert.deepEqual(await ask('SELECT * FROM of_bucket ORDER BY bytes', schema), [
    { version: 2, srcaddr: '192.0.2.1', bytes: 7 },
    { version: 2, srcaddr: null, bytes: null },
  ])
})

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
