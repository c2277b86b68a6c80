import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { Athena, type AthenaLimits } from '../../src/engines/athena.ts'
import { CsvReader } from '../../src/engines/athena-csv.ts'
import { parseAthenaPlace } from '../../src/engines/athena-place.ts'
import type { TextRow } from '../../src/engines/engine.ts'
import { athenaPrice, listPrices } from '../../src/engines/prices.ts'
import { UserError } from '../../src/errors.ts'
import { parse } from '../../src/filter/filter.ts'
import { mayHoldOf } from '../../src/flows/engine-partitions.ts'
import { timesOf } from '../../src/flows/engine-times.ts'
import { rawSql } from '../../src/query/sql.ts'
import { randomFrom } from '../filter/flows.ts'
import { errorOf, rowsOf } from './asked.ts'
import { type AthenaStub, canaries, csvOf, metadata, type Outcome, startAthena } from './athena-stub.ts'

const statement = rawSql('SELECT 1')
const environment = { ...process.env }
let stub: AthenaStub
before(async () => {
  Object.assign(process.env, canaries)
  stub = await startAthena()
})
beforeEach(() => {
  Object.assign(stub, { table: null, looks: 1, inS3: true, encryption: null, objects: {} })
  Object.assign(stub, { outcome: () => ({ rows: [] }), fault: () => null })
  for (const list of [stub.started, stub.cancelled, stub.requests]) list.length = 0
})
after(async () => {
  for (const name of Object.keys(canaries)) {
    if (environment[name] === undefined) delete process.env[name]
    else process.env[name] = environment[name]
  }
  await stub.close()
})

function client(
  limits: AthenaLimits = {},
  { workgroup = null as string | null, location = null as string | null, reuse = null as number | null } = {},
) {
  const options = {
    ...{ workgroup, outputLocation: location, aws: { endpoint: stub.address } },
    ...(reuse !== null && { reuseMinutes: reuse }),
  }
  return new Athena(parseAthenaPlace('athena://logs/flows'), options, { patience: 0.01, ...limits })
}

const awkward: TextRow[] = [
  ['', null, 'a "b"'],
  [null, null, null],
  ['one\ntwo', 'x,y', '18446744073709551616'],
  ['größe', '', '"'],
]

test('a table of Athena is named by database and table, and a name with more is not repeated', () => {
  assert.deepEqual(parseAthenaPlace('athena://logs/flows'), {
    ...{ catalog: 'AwsDataCatalog', database: 'logs', table: 'flows' },
  })
  assert.equal(parseAthenaPlace('athena://other/logs/flows').catalog, 'other')
  for (const text of ['athena:logs', 'athena://', 'athena://a', 'athena://a/b/c/d', 'athena://a//b', 'athena://a/b c'])
    assert.throws(
      () => parseAthenaPlace(text),
      (error: unknown) => error instanceof UserError && error.status === 2,
      text,
    )
  assert.throws(
    () => parseAthenaPlace('athena://AKIA:canary@logs/flows'),
    (error: unknown) => error instanceof UserError && !/canary|AKIA/.test(`${error.message}${error.hint}`),
  )
})

test('an answer in CSV tells empty text from null, however it is cut', () => {
  const bytes = Buffer.from(csvOf([['a', 'b', 'c'], ...awkward]))
  const random = randomFrom(7)
  for (let i = 0; i < 200; i++) {
    const reader = new CsvReader()
    const rows: TextRow[] = []
    for (let at = 0; at < bytes.length; ) {
      const to = at + 1 + Math.floor(random() * 9)
      rows.push(...reader.rows(bytes.subarray(at, to)))
      at = to
    }
    rows.push(...reader.end())
    assert.deepEqual(rows, awkward)
  }
  const one = new CsvReader()
  assert.deepEqual(one.rows(Buffer.from('"n"\n\n""\n"5"\n\n')), [[null], [''], ['5'], [null]])
  assert.deepEqual(one.end(), [])
})

test('an answer that is cut or damaged is never taken for whole', () => {
  for (const text of ['', '"a","b"\n"1","2', '"a","b"\n"1"', '"a"\n"1","2"\n', '"a"\n"1"2\n', '"a"\n\ufffd']) {
    const bytes = text.endsWith('\ufffd')
      ? Buffer.concat([Buffer.from('"a"\n"'), Buffer.from([0xc3])])
      : Buffer.from(text)
    const reader = new CsvReader()
    assert.throws(() => [...reader.rows(bytes), ...reader.end()], UserError, text)
  }
})

test('a statement is started once, looked at until it is done, and its rows are exact', async () => {
  stub.looks = 4
  stub.outcome = () => ({ rows: awkward, bytes: 1234 })
  stub.fault = ({ action, times }) => {
    if (action === 'StartQueryExecution' && times === 0) return 'lost'
    return action === 'GetQueryExecution' && times === 1 ? { name: 'ThrottlingException', status: 400 } : null
  }
  const engine = client({}, { workgroup: 'forensics', location: 's3://answers/of/us/' })
  const seen: (number | null)[] = []
  const asked = { text: 'SELECT "x" WHERE y = ?', values: ["o'hara"] }
  assert.deepEqual(await rowsOf(engine.ask(asked, { onProgress: ({ bytes }) => seen.push(bytes) })), awkward)
  const starts = stub.requests.filter(({ action }) => action === 'StartQueryExecution')
  assert.equal(starts.length, 2)
  assert.equal(stub.started.length, 1, 'one token is one statement')
  assert.match(stub.started[0]!.token, /^[\w-]{32,128}$/)
  assert.deepEqual(stub.started[0]!.params, ["'o''hara'"])
  assert.equal(stub.started[0]!.text, asked.text)
  assert.deepEqual(
    [stub.started[0]!.workgroup, stub.started[0]!.location, stub.started[0]!.database],
    ['forensics', 's3://answers/of/us/', 'logs'],
  )
  assert.deepEqual(engine.ran, [{ id: 'q-1', bytes: 1234 }])
  assert.equal(seen.length, 5)
  assert.deepEqual(stub.cancelled, [])
  assert.equal(engine.sent(asked), `SELECT "x" WHERE y = ?\nUSING 'o''hara'`)
})

test('an earlier answer is taken where that was asked for, and it is said', async () => {
  stub.outcome = () => ({ rows: [['1']], bytes: 1234 })
  const asked = { text: 'SELECT 1', values: [] }
  const told: string[] = []
  const onReuse = (id: string): void => void told.push(id)
  const first = client({ onReuse }, { reuse: 60 })
  assert.deepEqual(await rowsOf(first.ask(asked)), [['1']])
  assert.deepEqual([first.ran, told], [[{ id: 'q-1', bytes: 1234 }], []])
  const plain = client({ onReuse })
  await rowsOf(plain.ask(asked))
  assert.deepEqual([plain.ran, told], [[{ id: 'q-2', bytes: 1234 }], []], 'nobody asked for it')
  const again = client({ onReuse }, { reuse: 60 })
  assert.deepEqual(await rowsOf(again.ask(asked)), [['1']])
  assert.deepEqual([again.ran, told], [[{ id: 'q-3', bytes: 0, reused: true }], ['q-3']])
  assert.deepEqual(
    stub.started.map(({ reuse }) => reuse),
    [60, null, 60],
  )
})

test('answers that are not in S3, or may not be read there, come page by page from Athena', async () => {
  stub.outcome = () => ({ rows: awkward })
  stub.inS3 = false
  assert.deepEqual(await rowsOf(client().ask(statement)), awkward)
  stub.inS3 = true
  stub.fault = ({ action }) => (action === 'GET' ? { name: 'AccessDenied', status: 403 } : null)
  assert.deepEqual(await rowsOf(client().ask(statement)), awkward)
  stub.fault = ({ action }) =>
    action === 'GET' || action === 'GetQueryResults' ? { name: 'AccessDenied', status: 403 } : null
  const error = await errorOf(rowsOf(client().ask(statement)))
  assert.match(error.message, /cannot read the answer of Athena: access denied/)
  assert.match(error.message, /and cannot read s3:\/\/results\/athena\/q-3\.csv: access denied to the object/)
  assert.match(error.hint!, /athena:GetQueryResults/)
  assert.match(error.hint!, /s3:GetObject/)
})

test('pages of Athena without the names, or with rows of another width, are no answer', async () => {
  stub.outcome = () => ({ rows: awkward })
  stub.encryption = 'CSE_KMS'
  const row = (...values: string[]): object => ({ Data: values.map(VarCharValue => ({ VarCharValue })) })
  for (const page of [{}, { ResultSet: { Rows: [] } }, { ResultSet: { Rows: [row('a', 'b'), row('1')] } }]) {
    stub.fault = ({ action }) => (action === 'GetQueryResults' ? { page } : null)
    await assert.rejects(rowsOf(client().ask(statement)), /the answer of Athena is damaged/)
  }
})

test('an answer that was encrypted before it was sent to S3 is not read there', async () => {
  stub.outcome = () => ({ rows: awkward })
  stub.encryption = 'CSE_KMS'
  assert.deepEqual(await rowsOf(client().ask(statement)), awkward)
  assert.deepEqual(
    stub.requests.filter(({ action }) => action === 'GET'),
    [],
  )
  stub.encryption = 'SSE_KMS'
  assert.deepEqual(await rowsOf(client().ask(statement)), awkward)
  assert.equal(stub.requests.filter(({ action }) => action === 'GetQueryResults').length, 3)
})

test('a statement of which no answer comes for a while is not run twice', async () => {
  stub.outcome = () => ({ rows: awkward, bytes: 700 })
  const gone = { name: 'InternalServerException', status: 400 }
  const lost = (...actions: string[]): void => {
    stub.fault = ({ action }) => (actions.includes(action) ? gone : null)
  }
  const engine = client({ bytes: 1000 })
  // Two looks get no answer.
  let looked = 0
  stub.fault = ({ action }) => (action === 'GetQueryExecution' && looked++ < 2 ? gone : null)
  assert.deepEqual(await rowsOf(engine.ask(statement)), awkward)
  assert.deepEqual([stub.started.length, stub.cancelled], [1, []])

  const second = client({ bytes: 1000 })
  lost('GetQueryExecution', 'StopQueryExecution')
  const running = await errorOf(rowsOf(second.ask(statement)))
  assert.match(running.message, /query q-2 could not be cancelled, and may still run/)
  assert.match(running.hint!, /aws athena get-query-execution --query-execution-id q-2/)
  lost('GET')
  const unread = await errorOf(rowsOf(second.ask(statement)))
  assert.match(unread.hint!, /the answer of query q-2 is there: aws athena get-query-execution/)
  stub.fault = () => null
  // What it has read counts once, though it is looked at again.
  stub.looks = 4
  assert.deepEqual(await rowsOf(second.ask(statement)), awkward)
  assert.deepEqual(second.ran, [{ id: 'q-2', bytes: 700 }])
  assert.equal(stub.started.length, 2)
  // What was read to its end is another question the next time.
  const third = client()
  await rowsOf(third.ask(statement))
  await rowsOf(third.ask(statement))
  assert.equal(stub.started.length, 4)
})

test('a start of which no answer comes is found again under its token', async () => {
  stub.outcome = () => ({ rows: awkward })
  stub.fault = ({ action }) =>
    action === 'StartQueryExecution' ? { name: 'InternalServerException', status: 400, isDone: true } : null
  const engine = client()
  const error = await errorOf(rowsOf(engine.ask(statement)))
  assert.match(error.message, /whether the statement was started is not known/)
  assert.match(error.hint!, /aws athena list-query-executions --work-group primary/)
  stub.fault = () => null
  assert.deepEqual(await rowsOf(engine.ask(statement)), awkward)
  assert.equal(stub.started.length, 1)
})

test('what fails within Athena is run twice more, and what is wrong is not', async () => {
  for (const [more, runs] of [
    [{ category: 1 }, 3],
    [{ category: 3, retryable: true }, 3],
    [{ category: 2 }, 1],
  ] as const) {
    stub.started.length = 0
    const reason = 'COLUMN_NOT_FOUND: line 1:8: Column \u001b[31m cannot be resolved'
    stub.outcome = (): Outcome => ({ state: 'FAILED', reason, ...more })
    const error = await errorOf(rowsOf(client().ask(statement)))
    assert.match(error.message, /^the engine refuses: COLUMN_NOT_FOUND: line 1:8: Column \\x1b/)
    assert.match(error.hint!, new RegExp(`query q-${runs}`))
    assert.equal(stub.started.length, runs)
    assert.equal(new Set(stub.started.map(({ token }) => token)).size, runs)
  }
  stub.outcome = () => ({ state: 'FAILED', reason: 'NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow' })
  const engine = client()
  assert.ok(engine.dialect.exceeds64Bits(await errorOf(rowsOf(engine.ask(statement)))))
  stub.outcome = () => ({ state: 'CANCELLED', reason: 'Query cancelled by user' })
  assert.match((await errorOf(rowsOf(client().ask(statement)))).message, /was cancelled on Athena/)
  stub.outcome = () => ({ state: 'CANCELLED', reason: 'Bytes scanned limit was exceeded' })
  assert.match((await errorOf(rowsOf(client().ask(statement)))).hint!, /the workgroup limits/)
})

test('Ctrl-C, a time that is over and bytes beyond the limit cancel on Athena', async () => {
  stub.outcome = () => ({ runs: true, bytes: 600 })
  const controller = new AbortController()
  setTimeout(() => controller.abort(new Error('stopped')), 200)
  await assert.rejects(rowsOf(client().ask(statement, { signal: controller.signal })), /stopped/)
  assert.deepEqual(stub.cancelled, ['q-1'])
  assert.match((await errorOf(rowsOf(client({ time_ms: 200 }).ask(statement)))).message, /takes too long/)
  assert.deepEqual(stub.cancelled, ['q-1', 'q-2'])
  // All statements of a question count.
  const engine = client({ bytes: 1000 })
  stub.outcome = () => ({ rows: [], bytes: 500 })
  await rowsOf(engine.ask(statement))
  stub.outcome = () => ({ runs: true, bytes: 600 })
  assert.match((await errorOf(rowsOf(engine.ask(statement)))).message, /more than --max-bytes/)
  assert.deepEqual(stub.cancelled, ['q-1', 'q-2', 'q-4'])
})

test('a statement that is stopped while it starts is cancelled all the same', async () => {
  const controller = new AbortController()
  stub.outcome = async () => {
    controller.abort(new Error('stopped'))
    await new Promise(resolve => setTimeout(resolve, 50))
    return { runs: true }
  }
  await assert.rejects(rowsOf(client().ask(statement, { signal: controller.signal })), /stopped/)
  assert.deepEqual(stub.cancelled, ['q-1'])
})

test('errors of AWS are said in words, with what to do', async () => {
  for (const [name, status, message, what, hint] of [
    ['ExpiredTokenException', 400, 'canary', /credentials have expired/, /aws sso login/],
    [
      'AccessDeniedException',
      400,
      'User is not authorized to perform: athena:StartQueryExecution on resource: x',
      /access denied to the workgroup/,
      /athena:StartQueryExecution/,
    ],
    ['InvalidRequestException', 400, 'WorkGroup is not found.', /WorkGroup is not found/, /--workgroup/],
    ['UnrecognizedClientException', 400, 'x', /AWS does not know the credentials/, /--profile/],
  ] as const) {
    stub.fault = ({ action }) => (action === 'StartQueryExecution' ? { name, status, message } : null)
    const error = await errorOf(rowsOf(client().ask(statement)))
    assert.match(error.message, what)
    assert.match(error.hint!, hint)
  }
  stub.fault = () => null
  const error = await errorOf(client().table())
  assert.match(error.message, /there is no such table: logs\/flows/)
})

test('what Athena does not take is refused before it is sent', async () => {
  assert.match((await errorOf(rowsOf(client().ask(rawSql('x'.repeat(262_145)))))).message, /262,144 bytes/)
  const long = { text: '?', values: ['x'.repeat(1023)] }
  assert.match((await errorOf(rowsOf(client().ask(long)))).message, /1,024 characters/)
  assert.equal(stub.requests.length, 0)
  assert.throws(() => client({}, { location: 'https://x' }), UserError)
})

test('where more partitions may be there than were seen, values are a sample, also where some are null', async () => {
  stub.table = metadata({ srcaddr: 'string' }, { partitions: { month: 'string' } })
  for (const [seen, isSample] of [
    [200, true],
    [199, undefined],
  ] as const) {
    stub.outcome = () => ({ rows: Array.from({ length: seen }, (_, i) => [i === 0 ? null : '10']) })
    const [month] = (await client().table()).partitions
    assert.equal(month!.values.length, seen - 1)
    assert.equal(month!.isSample, isSample)
  }
})

test('the catalogue tells columns, and how partitions that are listed or worked out write days and hours', async () => {
  const types = { srcaddr: 'string', bytes: 'bigint', srcport: 'int', Action: 'STRING' }
  stub.table = metadata(types, { partitions: { day: 'string', hour: 'string' } })
  stub.outcome = ({ text }) =>
    text.includes('count(*)') ? { rows: [[text.includes('WHERE') ? '3' : '24']] } : { rows: [['2023-09-28', '17']] }
  const engine = client()
  const table = await engine.table()
  assert.deepEqual(table.columns, [
    { name: 'srcaddr', type: 'varchar' },
    { name: 'bytes', type: 'bigint' },
    { name: 'srcport', type: 'integer' },
    { name: 'action', type: 'varchar' },
  ])
  assert.deepEqual(
    table.partitions.map(({ name, values }) => [name, values]),
    [
      ['day', ['2023-09-28']],
      ['hour', ['17']],
    ],
  )
  assert.equal(table.sql, '"logs"."flows"')
  assert.deepEqual(await engine.estimate(statement, table, rawSql(`"hour" >= '17'`)), {
    ...{ partitions: 3, partitions_of_table: 24, bytes: null, objects: null, at_most: false },
    unknown: 'the catalogue does not tell where its objects lie',
  })
  assert.match(stub.started.at(-1)!.text, /FROM "logs"."flows\$partitions" WHERE "hour" >= '17'$/)
  stub.started.length = 0
  const projection = (name: string, of: object): object =>
    Object.fromEntries(Object.entries(of).map(([key, value]) => [`projection.${name}.${key}`, value]))
  stub.table = metadata(types, {
    partitions: { p_region: 'string', p_day: 'string', p_year: 'string', p_other: 'string' },
    parameters: {
      'projection.enabled': 'TRUE',
      ...projection('p_region', { type: 'enum', values: 'eu-west-1,us-east-1' }),
      ...projection('p_day', { type: 'date', format: 'yyyy/MM/dd', range: '2020/01/01,NOW' }),
      ...projection('p_year', { type: 'integer', range: '5,12', digits: '2' }),
      ...projection('p_other', { type: 'injected' }),
    },
  })
  const worked = await client().table()
  assert.deepEqual(
    worked.partitions.map(({ values }) => values),
    [['eu-west-1', 'us-east-1'], ['2023/09/28'], ['05'], []],
  )
  assert.equal((await client().estimate(statement, worked, null)).partitions_of_table, null)
  assert.equal(stub.started.length, 0)
})

/** The estimate of a question of that time, and the prefixes that were listed. */
async function estimated(window: string | null = null) {
  stub.requests.length = 0
  const engine = client()
  const table = await engine.table()
  const ranges = window === null ? [] : timesOf(parse(window, { files: false }).ast)
  const mayHold = window === null ? null : mayHoldOf(table, ranges)
  const found = await engine.estimate(statement, table, null, mayHold === null ? {} : { mayHold })
  const listed = stub.requests.flatMap(({ path }) => new URL(path, 'http://stub').searchParams.get('prefix') ?? [])
  return { ...found, listed }
}

test('what a question reads is told by a listing of the table’s objects', async () => {
  const types = { srcaddr: 'string' }
  stub.objects = {
    ...{ 'flows/a.log.gz': 100, 'flows/b/c.log.gz': 50, 'flows/_tmp/x': 7, 'flows/.part': 7, 'flows2/x': 9 },
  }
  stub.table = metadata(types, { parameters: { location: 's3://logs/flows' } })
  const text = await estimated()
  assert.deepEqual([text.objects, text.bytes, text.at_most, text.unknown], [2, 150, false, null])
  const inputformat = 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'
  stub.table = metadata(types, { parameters: { location: 's3://logs/flows/', inputformat } })
  assert.equal((await estimated()).at_most, true)
  assert.equal(stub.started.length, 0, 'nothing is run')
  stub.fault = ({ path }) => (path.includes('list-type') ? { name: 'AccessDenied', status: 403 } : null)
  const denied = await estimated()
  assert.equal(denied.bytes, null)
  assert.match(denied.unknown!, /cannot list s3:\/\/logs\/flows\/: access denied to the bucket: logs/)
  stub.fault = () => null
  stub.table = metadata(types, { parameters: { location: 's3://logs/flows/', table_type: 'ICEBERG' } })
  assert.equal((await estimated()).bytes, null)
})

test('of partitions that are worked out those of the time are listed, and no others', async () => {
  const day = (account: string, of: string): string => `AWSLogs/${account}/vpcflowlogs/eu-west-1/${of}/`
  stub.objects = {
    ...{ [`${day('1', '2022/09/28')}a.gz`]: 1, [`${day('1', '2023/09/27')}a.gz`]: 2 },
    ...{ [`${day('1', '2023/09/28')}a.gz`]: 10, [`${day('2', '2023/09/28')}deep/b.gz`]: 20 },
    ...{
      [`${day('2', '2023/09/29')}a.gz`]: 40,
      [`${day('2', '2023/09/30')}a.gz`]: 80,
      [`${day('2', 'x/y/z')}a.gz`]: 160,
    },
    ...{ 'AWSLogs/1/CloudTrail/eu-west-1/2023/09/28/a.gz': 320, 'AWSLogs/1/vpcflowlogs/eu-west-1/2023/b.gz': 640 },
  }
  const projection = { 'projection.enabled': 'true', 'projection.p_day.type': 'date', location: 's3://logs/elsewhere' }
  stub.table = metadata(
    { srcaddr: 'string' },
    {
      partitions: { p_account: 'string', p_day: 'string' },
      parameters: {
        ...{ ...projection, 'projection.p_day.format': 'yyyy/MM/dd' },
        'storage.location.template': `s3://logs/AWSLogs/\${p_account}/vpcflowlogs/eu-west-1/\${p_day}`,
      },
    },
  )
  const whole = await estimated()
  assert.deepEqual([whole.objects, whole.bytes], [6, 153])
  const late = await estimated('between 2023-09-28T10:00 and 2023-09-28T23:50')
  assert.deepEqual([late.objects, late.bytes], [3, 70])
  assert.ok(late.listed.some(prefix => prefix.endsWith('/2023/09/28/')))
  assert.deepEqual(
    late.listed.filter(prefix => /2022|CloudTrail|2023\/09\/(27|30)/.test(prefix)),
    [],
  )
  assert.equal((await estimated('between 2023-09-29T00:02 and 2023-09-29T10:00')).bytes, 70)
  assert.equal((await estimated('between 2023-09-29T00:06 and 2023-09-29T10:00')).bytes, 40)
})

test('of partitions that are listed the folders of their names count, and those elsewhere are not known', async () => {
  stub.objects = {
    ...{ 'f/day=2023-09-28/hour=16/a': 1, 'f/day=2023-09-28/hour=17/a': 2, 'f/DAY=2023-09-28/hour=18/a': 4 },
    ...{ 'f/day=2023-09-29/hour=17/a': 8, 'f/day=2023-09-28/a': 16, 'f/2023/a': 32 },
  }
  stub.table = metadata(
    { srcaddr: 'string' },
    { partitions: { day: 'string', hour: 'string' }, parameters: { location: 's3://logs/f/' } },
  )
  let partitions = 2
  stub.outcome = ({ text }) => ({ rows: text.includes('count(*)') ? [[String(partitions)]] : [['2023-09-28', '17']] })
  const hour = 'between 2023-09-28T17:10 and 2023-09-28T17:50'
  const found = await estimated(hour)
  assert.deepEqual([found.objects, found.bytes], [2, 6])
  partitions = 3
  const elsewhere = await estimated(hour)
  assert.equal(elsewhere.bytes, null)
  assert.match(elsewhere.unknown!, /not in folders of their names under s3:\/\/logs\/f\//)
})

test('a statement costs what it reads, and no less than ten megabytes', () => {
  assert.equal(athenaPrice(1e12, 2, listPrices), 10)
  assert.equal(athenaPrice(0, 1, listPrices), 0.00005)
  assert.equal(athenaPrice(1e12, 1, { ...listPrices, athena: 7 }), 7)
})
