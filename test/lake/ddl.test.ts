import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ddlOf } from '../../src/lake/ddl.ts'
import { pushedColumns, pushedDdl } from '../../src/lake/pushed-table.ts'
import { type LakeEngine, parseLocation, parseTable } from '../../src/lake/table.ts'
import { namedFormats } from '../../src/vpc-text/layout.ts'
import { temporaryFolder, tidemark } from '../cli/run.ts'
import { run } from '../sources/command.ts'
import { canaries, startStub } from '../sources/stub.ts'
import { syntaxFaults } from '../sql-grammar.ts'
import { layoutsOf, logFile, orders, write, writeHiveTree, writeParquetTree, writePlainTree } from './lake-folders.ts'

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
  const found = await layoutsOf(root)
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
  const found = await layoutsOf(root)
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
    const statements = ddlOf(await layoutsOf(root), place(engine))
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
  refused(['ddl', 'gs://bucket/x'], /not a folder of this machine/)
  refused(['ddl', root, '--profile', 'x'], /--profile is of s3:\/\//)
  refused(['ddl', root, '--to', 'x'], /--to is of push/)
  refused(['push'], /push needs --to/)
  refused(['push', '--to', 's3://bucket/x'], /push --to lake\/ --location s3:\/\/bucket\/x prints the command/)
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
  const found = await layoutsOf(root)
  assert.equal(found.layouts.length, new Set(namedFormats.values()).size)
  for (const engine of engines) {
    await assertParses(engine, ddlOf(found, place(engine)))
    await assertParses(
      engine,
      pushedDdl(engine, ['hive', 'net', 'x'], 's3://b/x', pushedColumns(new Set(['day', 'new_field']))),
    )
  }
})

test('Parquet has the columns of its schema, in folders of both kinds', async t => {
  for (const kind of ['plain', 'hive'] as const) {
    const root = temporaryFolder(t)
    await writeParquetTree(root, kind)
    const found = await layoutsOf(root)
    assert.deepEqual([found.headers, found.files, found.left_out], [1, 2, []])
    const [athena, ...none] = ddlOf(found, place('athena'))
    assert.deepEqual(none, [])
    await assertParses('athena', [athena!])
    const columns = [...athena!.split('PARTITIONED')[0]!.matchAll(/^ {2}`(\w+)` (\w+)/gm)].map(
      ([, a, b]) => `${a} ${b}`,
    )
    assert.equal(columns.length, 15)
    for (const column of [
      'version int',
      'packets bigint',
      'end bigint',
      'dstaddr string',
      'brand_new string',
      'bytes bigint',
    ])
      assert.ok(columns.includes(column), column)
    assert.match(athena!, /\nSTORED AS PARQUET\n/)
    assert.doesNotMatch(athena!, /ROW FORMAT|skip\.header/)
    assert.ok(
      athena!.includes(
        kind === 'plain' ? `/\${p_region}/\${p_day}` : `/year=\${p_year}/month=\${p_month}/day=\${p_day}`,
      ),
    )
    const [trino] = ddlOf(found, place('trino'))
    await assertParses('trino', [trino!])
    assert.match(trino!, /format = 'PARQUET',\n {2}external_location/)
    assert.doesNotMatch(trino!, /textfile|skip_header|null_format/)
  }
})

test('Parquet of which no table can be made is named, and so is text beside it', async t => {
  const root = temporaryFolder(t)
  const known = `1::INTEGER AS version, 'a' AS srcaddr, 'b' AS dstaddr, 2::INTEGER AS srcport`
  await writeParquetTree(root, 'plain', { columns: `${known}, 1.5::DOUBLE AS packets`, id: '0a' })
  await writeParquetTree(root, 'plain', { columns: `${known}, 1::INTEGER AS p_day`, id: '0b' })
  await writeParquetTree(root, 'plain', { columns: '1::INTEGER AS version', id: '0c' })
  await writeParquetTree(root, 'plain', { columns: known, id: '0d' })
  write(root, 'short.parquet', 'PAR1PAR1')
  const { layouts, left_out } = await layoutsOf(root)
  assert.deepEqual(
    layouts.map(({ columns }) => columns),
    [['version', 'srcaddr', 'dstaddr', 'srcport', 'bytes']],
  )
  const reasons = left_out.map(({ reason }) => reason)
  assert.equal(reasons.length, 7)
  assert.ok(reasons.includes('its column packets is of the type DOUBLE, which no flow log of AWS has'), String(reasons))
  assert.ok(reasons.includes('its column p_day has the name of a column of partitions'))
  assert.ok(reasons.includes('a Parquet file without the columns of a flow log'))
  assert.ok(reasons.includes('a Parquet file whose end is damaged'))
  writePlainTree(root)
  await assert.rejects(
    layoutsOf(root).then(found => ddlOf(found, place('trino'))),
    /text and Parquet lie in one folder: AWSLogs/,
  )
  const apart = temporaryFolder(t)
  await writeParquetTree(join(apart, 'one'), 'plain')
  writePlainTree(apart, 'two/')
  assert.equal(ddlOf(await layoutsOf(apart), place('trino')).length, 5)
})

/** The files of a folder as objects, under a prefix. */
function objectsOf(root: string, prefix: string): Record<string, Buffer> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8', withFileTypes: true })
  return Object.fromEntries(
    names
      .filter(one => one.isFile())
      .map(one => join(one.parentPath, one.name))
      .map(path => [`${prefix}${path.slice(root.length + 1)}`, readFileSync(path)]),
  )
}

test('a bucket is looked at where it lies, with one header of each flow log', async t => {
  const root = temporaryFolder(t)
  writePlainTree(root)
  const local = tidemark(['lake', 'ddl', root, '--location', 's3://bucket/pre', '--engine', 'athena'])
  const stub = await startStub(t, {
    ...objectsOf(root, 'pre/'),
    'prefix2/AWSLogs/x': 'other',
    'pre/AWSLogs/123456789012/CloudTrail/us-east-1/2023/09/28/123456789012_CloudTrail_us-east-1_20230928T1700Z_a.json.gz':
      'x',
  })
  const found = await run(stub, ['lake', 'ddl', 's3://bucket/pre', '--engine', 'athena'])
  assert.equal(found.status, 0, found.stderr)
  assert.equal(found.stdout, local.stdout)
  assert.match(found.stderr, /4 files, 3 headers read/)
  assert.doesNotMatch(found.stderr, /this machine/)
  const read = stub.requests.filter(({ key }) => key !== '')
  assert.equal(read.length, 3)
  assert.ok(read.every(({ headers }) => /^bytes=0-\d+$/.test(headers.range ?? '')))
  for (const secret of [canaries.AWS_SECRET_ACCESS_KEY, canaries.AWS_SESSION_TOKEN])
    assert.ok(!`${found.stdout}${found.stderr}`.includes(secret))
  // What one object refuses is named; what the bucket refuses is an error.
  stub.fault = ({ key }) => (key.includes('fl-0b') ? { answer: 403, code: 'AccessDenied' } : null)
  const partly = await run(stub, ['lake', 'ddl', 's3://bucket/pre'])
  assert.equal(partly.status, 3)
  assert.match(
    partly.stderr,
    /in no table: it cannot be read: cannot read s3:\/\/bucket\/pre\/AWSLogs\/.*access denied/,
  )
  stub.fault = () => ({ answer: 403, code: 'AccessDenied' })
  const denied = await run(stub, ['lake', 'ddl', 's3://bucket/pre'])
  assert.equal(denied.status, 1)
  assert.match(denied.stderr, /access denied to the bucket: bucket/)
  stub.fault = () => null
  const nothing = await run(stub, ['lake', 'ddl', 's3://bucket/none/'])
  assert.equal(nothing.status, 2)
  assert.match(nothing.stderr, /nothing is there: s3:\/\/bucket\/none\//)
})

test('Parquet in a bucket is known by its last bytes, and what was pushed there by its list', async t => {
  const root = temporaryFolder(t)
  await writeParquetTree(root, 'hive')
  const stub = await startStub(t, objectsOf(root, ''))
  const found = await run(stub, ['lake', 'ddl', 's3://bucket', '--engine', 'athena', '--json'])
  assert.equal(found.status, 0, found.stderr)
  const told = JSON.parse(found.stdout) as { statements: string[]; layouts: { format: string }[] }
  assert.equal(told.layouts[0]!.format, 'parquet')
  assert.match(told.statements[0]!, /LOCATION 's3:\/\/bucket\/AWSLogs\/'/)
  const log = join(root, 'a.log')
  write(root, 'a.log', logFile(orders.default))
  const [dir, lake] = [join(root, 'case'), join(root, 'lake')]
  assert.equal(tidemark(['add', log, '--case', dir]).status, 0)
  const pushed = tidemark([
    'lake',
    'push',
    '--case',
    dir,
    '--to',
    lake,
    '--location',
    's3://bucket/in here'.replace(' ', '-'),
  ])
  assert.equal(pushed.status, 0, pushed.stderr)
  const copy = /copy it there with (.*)/.exec(pushed.stderr)?.[1]
  assert.equal(
    copy,
    `aws s3 sync ${lake}/ s3://bucket/in-here/ --exclude '_tidemark/*' && aws s3 sync ${lake}/_tidemark/ s3://bucket/in-here/_tidemark/`,
  )
  const there = await startStub(t, objectsOf(lake, 'in-here/'))
  const again = await run(there, ['lake', 'ddl', 's3://bucket/in-here/'])
  assert.equal(again.status, 0, again.stderr)
  assert.equal(again.stdout, pushed.stdout)
})

test('a list of what was pushed that is too large is refused before it is fetched', async t => {
  const key = 'x/_tidemark/0123456789ab.json'
  // As long as the listing says, without the memory.
  const large = Object.defineProperty(Buffer.from('{}'), 'length', { value: 2 ** 29 + 1 })
  const stub = await startStub(t)
  stub.objects.set(key, large)
  const { status, stderr } = await run(stub, ['lake', 'ddl', 's3://bucket/x/'])
  assert.equal(status, 1)
  assert.match(stderr, /cannot read what was pushed: s3:\/\/bucket\/x\/_tidemark\/.*larger than 512 MiB/)
  assert.ok(!stub.requests.some(one => one.key === key))
})
