import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { pushCase } from '../../src/lake/push.ts'
import { pushedDdl } from '../../src/lake/pushed-table.ts'
import { temporaryFolder } from '../cli/run.ts'
import { lake, withTrino } from './cluster.ts'
import { foundRows, fractionalCase, wantedRows } from './pushed-case.ts'
import { ask, ownSchema } from './trino.ts'

test('Trino reads what was pushed as what the case holds, field by field', withTrino, async t => {
  const c = await fractionalCase(temporaryFolder(t))
  t.after(() => c.close())
  const schema = await ownSchema('pushed')
  const { columns } = await pushCase(c, { to: join(lake().lake, schema) })
  for (const statement of pushedDdl('trino', ['hive', schema, 'flow_logs'], `local:///${schema}`, columns))
    await ask(statement)
  const texts = [...columns, { name: 'day' }, { name: 'hour' }].map(
    ({ name }) => `CAST("${name}" AS varchar) AS "${name}"`,
  )
  const wanted = await wantedRows(c)
  const found = foundRows(await ask(`SELECT ${texts.join(', ')} FROM flow_logs`, schema))
  assert.equal(found.size, wanted.size)
  for (const [key, row] of wanted) assert.deepEqual(found.get(key), row, key)
  // The statistics and filters that the engine passes over groups of rows with are those of the values.
  for (const address of new Set([...wanted.values()].map(row => row['srcaddr']))) {
    if (address === undefined) continue
    const [row] = await ask(`SELECT count(*) AS n FROM flow_logs WHERE srcaddr = '${String(address)}'`, schema)
    const count = [...wanted.values()].filter(one => one['srcaddr'] === address).length
    assert.equal(row?.['n'], count, String(address))
  }
  const [late] = await ask(`SELECT count(*) AS n FROM flow_logs WHERE bytes > 9223372036854775000`, schema)
  const large = [...wanted.values()].filter(
    row => row['bytes'] !== undefined && BigInt(String(row['bytes'])) > 9223372036854775000n,
  )
  assert.equal(late?.['n'], large.length)
})
