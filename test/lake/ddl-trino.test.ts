import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ddlOf } from '../../src/lake/ddl.ts'
import { lake, withTrino } from './cluster.ts'
import {
  account,
  layoutsOf,
  logFile,
  orders,
  write,
  writeHiveTree,
  writeParquetTree,
  writePlainTree,
} from './lake-folders.ts'
import { ask, ownSchema } from './trino.ts'

async function tableOf(schema: string): Promise<void> {
  const found = await layoutsOf(join(lake().lake, schema))
  const table = ['hive', schema, 'flow_logs']
  for (const statement of ddlOf(found, { engine: 'trino', table, location: `local:///${schema}` })) await ask(statement)
}

test('Trino reads tables of several orders of fields, each row by the order of its own file', withTrino, async () => {
  const schema = await ownSchema('plain')
  const root = join(lake().lake, schema)
  writePlainTree(root)
  // In no table, in a folder that all of them share.
  write(root, `AWSLogs/${account}/vpcflowlogs/us-east-1/2023/09/28/other.log`, 'a b c\n1 2 3\n4 5 6\n')
  await tableOf(schema)
  const rows = await ask(
    `SELECT "bytes", "srcaddr", "dstaddr", "start", "end", "tgw_id", "p_region", "p_day" FROM flow_logs ORDER BY bytes`,
    schema,
  )
  const bytes = [100, 101, 102, 200, 201, 202, 300, 301, 302, 400, 401, 402]
  assert.deepEqual(
    rows.map(row => row['bytes']),
    bytes,
  )
  for (const row of rows) {
    const { bytes, ...other } = row
    const isTransit = Number(bytes) >= 400
    const p_region = Number(bytes) < 300 ? 'us-east-1' : 'eu-central-1'
    const p_day = Number(bytes) >= 200 && Number(bytes) < 300 ? '2023/09/29' : '2023/09/28'
    const times = { start: 1695920000, end: 1695920060 }
    assert.deepEqual(other, {
      srcaddr: '10.0.0.1',
      dstaddr: '2001:db8::1',
      ...times,
      tgw_id: isTransit ? 'tgw-1' : null,
      p_region,
      p_day,
    })
  }
  const pruned = await ask(
    `SELECT "bytes" FROM flow_logs WHERE p_day = '2023/09/29' AND p_account = '${account}'`,
    schema,
  )
  assert.deepEqual(pruned.map(row => row['bytes']).sort(), [200, 201, 202])
})

test('Trino reads folders as Hive names them', withTrino, async () => {
  const schema = await ownSchema('named')
  writeHiveTree(join(lake().lake, schema))
  await tableOf(schema)
  const rows = await ask(`SELECT bytes, p_year, p_day FROM flow_logs WHERE p_month = '09' ORDER BY bytes`, schema)
  assert.deepEqual(
    rows.map(row => [row['bytes'], row['p_year'], row['p_day']]),
    [...[100, 101, 102].map(bytes => [bytes, '2023', '28']), ...[200, 201, 202].map(bytes => [bytes, '2023', '29'])],
  )
})

test('Trino reads a folder without a tree', withTrino, async () => {
  const schema = await ownSchema('flat')
  const root = join(lake().lake, schema)
  write(root, 'a/one.log.gz', logFile(orders.default))
  write(root, 'a/b/two.log', logFile(orders.default, 5))
  await tableOf(schema)
  const [row] = await ask(
    'SELECT count(*) AS n, sum(bytes) AS bytes, count(interface_id) AS known FROM flow_logs',
    schema,
  )
  assert.deepEqual(row, { n: 6, bytes: 3 * 1200 + 3 + 15 + 3, known: 0 })
})

test('Trino reads Parquet as AWS writes it, in folders of both kinds', withTrino, async () => {
  for (const kind of ['plain', 'hive'] as const) {
    const schema = await ownSchema(`parquet_${kind}`)
    await writeParquetTree(join(lake().lake, schema), kind)
    await tableOf(schema)
    const rows = await ask(
      `SELECT bytes, srcport, dstaddr, "end", brand_new, p_region FROM flow_logs ORDER BY bytes`,
      schema,
    )
    const other = { srcport: 40000, dstaddr: '2001:db8::1', end: 1695920060, brand_new: 'x', p_region: 'us-east-1' }
    assert.deepEqual(rows, [
      { bytes: 100, ...other },
      { bytes: 200, ...other },
    ])
  }
})
