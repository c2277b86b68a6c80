import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ddlOf } from '../../src/lake/ddl.ts'
import { findLayouts } from '../../src/lake/layouts.ts'
import { pushedColumns, pushedDdl } from '../../src/lake/pushed-table.ts'
import { type LakeEngine, parseLocation, parseTable } from '../../src/lake/table.ts'
import { namedFormats } from '../../src/vpc-text/layout.ts'
import { temporaryFolder, tidemark } from '../cli/run.ts'
import { syntaxFaults } from '../sql-grammar.ts'
import { logFile, orders, write, writeHiveTree, writePlainTree } from './lake-folders.ts'

async function assertParses(engine: LakeEngine, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    // A view is asked for in the words of questions, in Athena too.
    const grammar = engine === 'trino' || statement.startsWith('CREATE VIEW') ? 'trino' : 'hive'
    assert.deepEqual(await syntaxFaults(grammar, statement), [], statement)
  }
}

const engines: LakeEngine[] = ['trino', 'athena']
const place = (engine: LakeEngine) => ({ engine, table: ['net', 'flow_logs'], location: 's3://bucket/prefix' })

test('one order of fields is one table, with the partitions of the tree', async t => {
  const root = temporaryFolder(t)
  const path = 'AWSLogs/111122223333/vpcflowlogs/us-east-1/2023/09/28/a_fl-0a_b.log.gz'
  write(root, path, logFile(orders.default))
  write(root, path.replace('28/a', '30/b').replace('us-east-1', 'eu-west-1'), logFile(orders.default))
  const found = await findLayouts(root)
  assert.equal(found.headers, 1)
  assert.equal(found.files, 2)
  const [athena, ...none] = ddlOf(found, place('athena'))
  assert.deepEqual(none, [])
  await assertParses('athena', [athena!])
  const projected = Object.fromEntries([...athena!.matchAll(/'([^']+)' = '([^']*)'/g)].map(([, k, v]) => [k, v]))
  assert.deepEqual(projected, {
    'skip.header.line.count': '1',
    'projection.enabled': 'true',
    'projection.p_account.type': 'enum',
    'projection.p_account.values': '111122223333',
    'projection.p_region.type': 'enum',
    'projection.p_region.values': 'eu-west-1,us-east-1',
    'projection.p_day.type': 'date',
    'projection.p_day.format': 'yyyy/MM/dd',
    'projection.p_day.range': '2023/09/28,NOW',
    'projection.p_day.interval': '1',
    'projection.p_day.interval.unit': 'DAYS',
    'storage.location.template': `s3://bucket/prefix/AWSLogs/\${p_account}/vpcflowlogs/\${p_region}/\${p_day}`,
  })
  const columns = [...athena!.split('PARTITIONED')[0]!.matchAll(/^ {2}`(\w+)` (\w+)/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  )
  assert.deepEqual(columns.slice(0, 6), [
    'version int',
    'account_id string',
    'interface_id string',
    'srcaddr string',
    'dstaddr string',
    'srcport int',
  ])
  assert.equal(columns.length, 14)
  assert.match(athena!, /NULL DEFINED AS '-'/)
  const [trino] = ddlOf(found, place('trino'))
  await assertParses('trino', [trino!])
  for (const word of [`null_format = '-'`, 'skip_header_line_count = 1', `textfile_field_separator = ' '`])
    assert.ok(trino!.includes(word), word)
})

test('several orders of fields are a table each and a view of all, in which no column of data is one of a folder', async t => {
  const root = temporaryFolder(t)
  writePlainTree(root, 'some/where/')
  const found = await findLayouts(root)
  assert.equal(found.headers, 3)
  assert.deepEqual(found.layouts.map(({ kind }) => kind).sort(), ['tgw-flow-log', 'vpc-flow-log', 'vpc-flow-log'])
  for (const engine of engines) {
    const statements = ddlOf(found, place(engine))
    assert.equal(statements.length, 4)
    await assertParses(engine, statements)
    const view = statements.at(-1)!
    assert.match(view, /^CREATE VIEW "net"."flow_logs" AS/)
    assert.match(view, /regexp_like\("\$path", '\(\^\|_\|\/\)\(fl-0a\)\[_\.\]\[\^\/\]\*\$'\)/)
    for (const statement of statements.slice(0, 3)) {
      const names = [...statement.matchAll(/^ {2}[`"](\w+)[`"] /gm)].map(([, name]) => name)
      assert.equal(new Set(names).size, names.length, statement)
    }
    assert.ok(statements.some(one => /[`"]field_p_day[`"]/.test(one)))
    assert.ok(statements.some(one => one.includes('s3://bucket/prefix/some/where/AWSLogs')))
  }
})

test('folders as Hive names them have partitions of numbers', async t => {
  const root = temporaryFolder(t)
  writeHiveTree(root)
  for (const engine of engines) {
    const statements = ddlOf(await findLayouts(root), place(engine))
    await assertParses(engine, statements)
    assert.ok(statements[0]!.includes(`/year=\${p_year}/month=\${p_month}/day=\${p_day}'`), statements[0])
  }
})

test('files that are in no table keep out of it, are named, and the status says so', async t => {
  const root = temporaryFolder(t)
  write(root, 'a.log', logFile(orders.default))
  write(root, "b'c.log.gz", logFile(orders.default))
  write(root, 'bare.log', '2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 1 1 2 ACCEPT OK\n')
  write(root, 'stamped.log', `2023-09-28T16:00:00Z ${orders.default}\n`)
  write(root, 'a.parquet', 'PAR1 and so on')
  write(root, 'empty.log', '')
  write(root, '_SUCCESS', 'nothing')
  const { stdout, stderr, status } = tidemark(['lake', 'ddl', root, '--location', 's3://b/x/', '--json'])
  assert.equal(status, 3)
  for (const name of ['bare.log', 'stamped.log', 'a.parquet'])
    assert.ok(stderr.includes(`${name}: in no table: `), stderr)
  const told = JSON.parse(stdout) as { statements: string[]; left_out: { path: string }[]; files: number }
  assert.equal(told.left_out.length, 3)
  assert.equal(told.statements.length, 2)
  assert.ok(told.statements[1]!.includes(`IN ('a.log', 'b''c.log.gz')`), told.statements[1])
  await assertParses('trino', told.statements)
})

test('what cannot be a table is refused with what to do', t => {
  const root = temporaryFolder(t)
  const refused = (args: string[], message: RegExp) => {
    const { stderr, status, stdout } = tidemark(['lake', ...args])
    assert.match(stderr, message)
    assert.ok(status === 1 || status === 2, String(status))
    assert.equal(stdout, '')
  }
  refused(['ddl'], /ddl needs a folder/)
  refused(['ddl', root], /no flow log with a header was found/)
  refused(['ddl', 's3://bucket/x'], /not a folder of this machine/)
  refused(['ddl', root, '--to', 'x'], /--to is of push/)
  refused(['push'], /push needs --to/)
  refused(['push', '--to', 's3://bucket/x'], /not a folder of this machine/)
  refused(['ddl', root, '--table', 'a-b'], /not a name of a table/)
  refused(['ddl', root, '--location', "s3://x/'); DROP TABLE y; --"], /not a location/)
  write(root, "it's/AWSLogs/111122223333/vpcflowlogs/us-east-1/2023/09/28/a_fl-0a_b.log", logFile(orders.default))
  refused(['ddl', root, '--location', 's3://b'], /not a location: s3:\/\/b\/it's/)
  assert.throws(() => parseTable('a.b.c.d'))
  assert.equal(parseLocation('local:///x//'), 'local:///x')
})

test('every order of fields that AWS has parses in both engines, and so does the table of a push', async t => {
  const root = temporaryFolder(t)
  for (const [name, fields] of namedFormats)
    write(root, `${name}/x_fl-${Buffer.from(name).toString('hex')}_.log`, logFile(fields))
  const found = await findLayouts(root)
  assert.equal(found.layouts.length, new Set(namedFormats.values()).size)
  for (const engine of engines) {
    await assertParses(engine, ddlOf(found, place(engine)))
    await assertParses(
      engine,
      pushedDdl(engine, ['hive', 'net', 'x'], 's3://b/x', pushedColumns(new Set(['day', 'new_field']))),
    )
  }
})
