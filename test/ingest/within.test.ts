import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { addEvidence } from '../../src/ingest/add.ts'
import { layoutOfFormat } from '../../src/vpc-text/layout.ts'
import { Bench, fault } from '../robustness/reading.ts'
import { assertSound, chanceFrom, defaultHeader, folderFor, logOf, recordLine, setting } from '../robustness/support.ts'

const mutations = setting('WITHIN_MUTATIONS', 1000)
const record = recordLine(1)
const noData = '2 123456789012 eni-01 - - - - - - - 1700000000 1700000059 - NODATA'
const json = JSON.stringify
/** A stamp of the wrapper: never a time of a record. */
const stamp = 1900000000000
const underscored = defaultHeader.replaceAll('-', '_')

/** `counts`: headers, records, NODATA, malformed. */
const wrapped: [what: string, content: string, counts: number[], how: string | null][] = [
  ['Firehose', `${json({ message: record })}\n${json({ message: noData })}\n`, [0, 1, 1, 0], 'JSON, "message"'],
  ['Firehose without line breaks', json({ message: `${record}\n` }).repeat(3), [0, 3, 0, 0], 'JSON, "message"'],
  [
    'a subscription',
    json({
      messageType: 'DATA_MESSAGE',
      logEvents: [record, noData].map(message => ({ id: '1', timestamp: stamp, message })),
    }),
    [0, 1, 1, 0],
    'JSON, "message"',
  ],
  [
    'subscriptions with a control message between them',
    [
      json({ logEvents: [{ message: record }] }),
      json({ messageType: 'CONTROL_MESSAGE', logEvents: [] }),
      json({ logEvents: [{ message: record }] }),
    ].join('\n'),
    [0, 2, 0, 1],
    'JSON, "message"',
  ],
  [
    'filter-log-events',
    json(
      {
        events: [noData, record].map(message => ({
          logStreamName: 'a',
          timestamp: stamp,
          message,
          ingestionTime: stamp,
        })),
        searchedLogStreams: [],
      },
      null,
      4,
    ),
    [0, 1, 1, 0],
    'JSON, "message"',
  ],
  [
    'get-log-events',
    json({
      events: [{ timestamp: stamp, message: record, ingestionTime: stamp }],
      nextForwardToken: 'f/1',
      nextBackwardToken: 'b/1',
    }),
    [0, 1, 0, 0],
    'JSON, "message"',
  ],
  [
    'get-query-results of Logs Insights',
    json({
      results: [record, record].map(value => [
        { field: '@timestamp', value: '2030-01-01 00:00:00.000' },
        { field: '@message', value },
        { field: '@ptr', value: 'Cl' },
      ]),
      status: 'Complete',
    }),
    [0, 2, 0, 0],
    'JSON, "value"',
  ],
  ['a list of lines', json([record, noData]), [0, 1, 1, 0], 'JSON, strings of lists'],
  ['Fluent Bit', `${json({ date: 1, log: `${record}\n`, stream: 'x' })}\n`, [0, 1, 0, 0], 'JSON, "log"'],
  [
    'the CloudWatch console',
    `timestamp,message\n${stamp},${record}\n${stamp},${noData}\n`,
    [1, 1, 1, 0],
    'CSV, column 2',
  ],
  [
    'Logs Insights',
    `@timestamp,@message,@logStream\n2030-01-01 00:00:00.000,"${record}",eni\n`,
    [1, 1, 0, 0],
    'CSV, column 2',
  ],
  ['quoted lines', `"${record}"\n"${record}"\n`, [0, 2, 0, 0], 'CSV, column 1'],
  [
    'rows of several lines',
    `timestamp,message\n${stamp},"${record}\n"\n${stamp},"${record}"\n`,
    [1, 2, 0, 0],
    'CSV, column 2',
  ],
  ['the AWS CLI', `EVENTS\t38\t${stamp}\teni-01-all\t${record}\t${stamp}\n`, [0, 1, 0, 0], 'tab-separated, column 5'],
  ['commas without a header', `${record.replaceAll(' ', ',')}\n`, [0, 1, 0, 0], 'CSV'],
  ['Athena', `${underscored.replaceAll(' ', ',')}\n${record.replaceAll(' ', ',')}\n`, [1, 1, 0, 0], null],
  [
    'quoted Athena',
    [underscored, record]
      .map(line =>
        line
          .split(' ')
          .map(cell => `"${cell}"`)
          .join(','),
      )
      .join('\n'),
    [1, 1, 0, 0],
    null,
  ],
  ['semicolons', `${defaultHeader.replaceAll(' ', ';')}\r\n${record.replaceAll(' ', ';')}\r\n`, [1, 1, 0, 0], null],
  [
    'JSON lines of a delivered file',
    [defaultHeader, record].map(message => json({ message })).join('\n'),
    [1, 1, 0, 0],
    null,
  ],
]

const asDefault = { format: { layout: layoutOfFormat('default'), columns: null } }

test('flow records in CSV and JSON are read, each line is accounted for, and the time of the wrapper is not theirs', async t => {
  const bench = new Bench(folderFor(t), asDefault)
  for (const [what, content, counts, how] of wrapped) {
    for (const bytes of [Buffer.from(content), gzipSync(content), Buffer.from(`\ufeff${content}`)]) {
      const reading = await bench.read(bytes)
      assert.equal(fault(reading), null, what)
      const { header_lines, records, no_data, malformed, status, first_start, last_end, form } = reading.entry
      assert.deepEqual([header_lines, records, no_data, malformed], counts, what)
      assert.equal(status, 'read', what)
      if (how !== null) assert.ok(form?.endsWith(how), what)
      assert.notEqual(form, null, what)
      assert.match(`${first_start} ${last_end}`, /^2023-\S+ 2023-\S+$/, what)
    }
  }
})

test('flow records in CSV and JSON without a header need --format, and the message says what they are in', async t => {
  const bench = new Bench(folderFor(t))
  for (const [what, content, counts, how] of wrapped) {
    const { entry } = await bench.read(Buffer.from(content))
    if (how === null) assert.deepEqual([entry.header_lines, entry.records], counts.slice(0, 2), what)
    else
      assert.deepEqual(
        [entry.status, entry.problem],
        [
          'unreadable',
          `flow records (${how}), but no header line names their fields: say which with --format (default, v3, v5, tgw or the field names)`,
        ],
        what,
      )
  }
})

test('UTF-16 is read, in both byte orders, with and without a byte order mark, also packed', async t => {
  const bench = new Bench(folderFor(t))
  const text = `${logOf(300)}${noData}\nnot a record ü\n`
  const little = Buffer.from(text, 'utf16le')
  const mark = Buffer.from([0xff, 0xfe])
  const plain = await bench.read(Buffer.from(text))
  for (const bytes of [
    Buffer.concat([mark, little]),
    Buffer.concat([mark, little]).swap16(),
    little,
    Buffer.from(little).swap16(),
    gzipSync(little),
    Buffer.from(`\ufeff${text}`),
  ]) {
    const reading = await bench.read(bytes)
    assert.equal(fault(reading), null)
    assert.deepEqual(reading.records, plain.records)
    const { lines, records, no_data, malformed, status } = reading.entry
    assert.deepEqual([lines, records, no_data, malformed, status], [303, 300, 1, 1, 'read'])
  }
  const headless = await new Bench(folderFor(t), asDefault).read(Buffer.from(`\ufeff${record}\n`, 'utf16le'))
  assert.equal(headless.entry.records, 1)
  const prose = await bench.read(Buffer.from('\ufeffwhat PowerShell said', 'utf16le'))
  assert.equal(prose.entry.status, 'not-evidence')
})

test('a line that holds no record is named by its number in the file, with the reason', async t => {
  const logs = folderFor(t)
  const contents = {
    'a.json': [
      json({ message: record }),
      '{"message": 7}',
      '{"message": "2 odd"}',
      '{"message',
      json({ message: record }),
    ].join('\n'),
    'b.csv': `timestamp,message\n1,${record}\n2\n\n3,"${record}\n`,
    'c.json': json({ events: [{ message: record }, { message: record }] }).slice(0, -30),
  }
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(logs, name), content)
  const dir = join(logs, 'case')
  const report = await addEvidence({
    case: dir,
    paths: Object.keys(contents).map(name => join(logs, name)),
    format: 'default',
    workers: 1,
  })
  await assertSound(dir)
  assert.deepEqual(
    report.problems.map(({ path, line, offset, problem }) => [path.slice(logs.length + 1), line ?? offset, problem]),
    [
      ['a.json', 2, 'JSON without a flow record'],
      ['a.json', 3, '2 fields where the format names 14'],
      ['a.json', 4, 'not JSON from here to the next line that begins with { or ['],
      ['b.csv', 3, 'no column 2'],
      ['b.csv', 5, 'a quote that is not closed'],
      ['c.json', contents['c.json'].length, 'the JSON is cut short; what came before is kept'],
    ],
  )
  assert.deepEqual(
    report.files.map(file => [file.status, file.records]),
    [
      ['read', 2],
      ['read', 1],
      ['partly-read', 1],
    ],
  )
})

test('JSON nested beyond reason, and strings without end, are one malformed line', async t => {
  const bench = new Bench(folderFor(t), asDefault)
  const good = json({ message: record })
  const deep = await bench.read(Buffer.from(`${good}\n${'['.repeat(1_000_000)}\n${good}\n`))
  const long = await bench.read(Buffer.from(`${good}\n{"message":"${'x\\"'.repeat(1_500_000)}"}\n${good}\n`))
  for (const reading of [deep, long]) {
    assert.equal(fault(reading), null)
    assert.deepEqual([reading.entry.records, reading.entry.malformed, reading.entry.status], [2, 1, 'read'])
  }
})

test('no mutant of wrapped records breaks the law, or gives a record that is not in it', async t => {
  const benches = [{}, asDefault, asDefault].map(options => new Bench(folderFor(t), options))
  const random = chanceFrom(3)
  const sources = wrapped.map(([, content]) => Buffer.from(content))
  for (let i = 0; i < mutations; i++) {
    let mutant = Buffer.from(random.pick(sources))
    for (let n = random.int(0, 3); n >= 0; n--) {
      const at = random.int(0, mutant.length - 1)
      if (random.maybe(0.5)) mutant[at] = random.pick([...Buffer.from('{}[]",:\\\n\0 0z;\t|')])
      else if (random.int(0, 1) === 0)
        mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(random.int(at, mutant.length))])
      else mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(random.int(0, at))])
    }
    const reading = await random.pick(benches).read(mutant)
    assert.equal(fault(reading), null, `mutant ${i}: ${json(mutant.toString('latin1'))}`)
  }
})
