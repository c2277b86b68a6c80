// Samples of other projects, read with the values that those projects state (their origin is in SOURCES.md beside them).
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { flowsOf, only, type PlainRow } from '../ingest/flows-of.ts'
import { sharedDir, skipWithout } from '../repo.ts'

const folder = sharedDir === null ? null : join(sharedDir, 'data', 'vpcflow')
const there = skipWithout(folder)
const sample = (name: string) => join(folder ?? '', name)
const json = (name: string) => JSON.parse(readFileSync(sample(name), 'utf8'))

const withoutLine = (rows: PlainRow[]) => rows.map(({ _line, ...row }) => row)

for (const version of [3, 4, 5, 6]) {
  test(`flowlogs-reader: version ${version} gives its expected records`, there, async t => {
    const { report, flows } = await flowsOf(t, [sample(`flowlogs-reader/v${version}_file.log`)])
    const expected = json('flowlogs-reader/expected.json')[`V${version}_FILE`] as PlainRow[]
    // Its times are UTC without saying so.
    const utc = expected.map(row => ({
      ...row,
      ...('start' in row && { start: `${row['start']}Z`, end: `${row['end']}Z` }),
    }))
    assert.deepEqual(withoutLine(flows), utc)
    // flowlogs-reader drops "bogus line" without a word; here it is malformed, and named.
    const bogus = version === 5 ? [[4, '2 fields where the header names 29']] : []
    assert.deepEqual(
      report.problems.map(({ line, problem }) => [line, problem]),
      bogus,
    )
    // Version 6 is that of Transit Gateway logs: the sample has neither times nor addresses, and is a record all the same.
    assert.equal(report.files[0]?.kind, version === 6 ? 'tgw-flow-log' : 'vpc-flow-log')
  })
}

test('flowlogs-reader: Parquet of pandas, with "None" and "-" for nulls', there, async t => {
  const { report, flows, silence } = await flowsOf(t, [sample('flowlogs-reader/flows.parquet')])
  assert.deepEqual(withoutLine(flows), [
    {
      version: 2,
      account_id: '123456789010',
      interface_id: 'eni-102010ab',
      srcaddr: '198.51.100.1',
      dstaddr: '192.0.2.1',
      srcport: 443,
      dstport: 49152,
      protocol: 6,
      packets: 10,
      bytes: 840,
      start: '2015-08-12T13:47:43Z',
      end: '2015-08-12T13:47:44Z',
      action: 'ACCEPT',
      log_status: 'OK',
    },
  ])
  assert.deepEqual(only(silence, '_line', 'sensor', 'status'), [{ _line: 2, sensor: 'eni-202010ab', status: 'NODATA' }])
  // The third row is NODATA, but has addresses, ports and a protocol 8080, which no packet can have. flowlogs-reader takes it.
  assert.deepEqual(
    report.problems.map(({ line, problem }) => [line, problem]),
    [[3, 'field protocol: expected a whole number from 0 to 255, found "8080"']],
  )
})

interface ElasticRow {
  line: number
  source?: string
  'source.port'?: number
  destination?: string
  'destination.port'?: number
  'network.bytes'?: number
  'network.packets'?: number
  'network.iana_number'?: string
  'event.start': string
  'event.end': string
  action?: string
  log_status: string
  interface_id?: string
  account_id?: string
}

test('elastic: lines without a header give the values of its pipeline', there, async t => {
  const rows: ElasticRow[] = json('elastic-integrations/test-extra-samples.expected.json').rows
  const { report, flows, silence } = await flowsOf(
    t,
    [sample('elastic-integrations/test-extra-samples.log')],
    'default',
  )
  const seconds = (time: string) => time.replace('.000Z', 'Z')
  const records = rows.filter(row => row.log_status === 'OK')
  assert.deepEqual(
    flows,
    records.map(row => ({
      _line: row.line,
      version: 2,
      // The expectations name account and interface only in the first rows; they are the same in all.
      account_id: row.account_id ?? records[0]?.account_id,
      interface_id: row.interface_id ?? records[0]?.interface_id,
      srcaddr: row.source,
      dstaddr: row.destination,
      srcport: row['source.port'],
      dstport: row['destination.port'],
      protocol: Number(row['network.iana_number']),
      packets: row['network.packets'],
      bytes: row['network.bytes'],
      start: seconds(row['event.start']),
      end: seconds(row['event.end']),
      action: row.action,
      log_status: 'OK',
    })),
  )
  const silent = rows.filter(row => row.log_status !== 'OK')
  assert.deepEqual(
    silence,
    silent.map(row => ({
      _line: row.line,
      sensor: row.interface_id,
      status: row.log_status,
      start: seconds(row['event.start']),
      end: seconds(row['event.end']),
    })),
  )
  assert.deepEqual([report.totals.lines, report.totals.malformed], [rows.length, 0])
})

test('elastic: a header before every line, SKIPDATA and NODATA', there, async t => {
  const { report, flows, silence } = await flowsOf(t, [sample('elastic-integrations/test-tcp-flag-sequence.log')])
  assert.deepEqual(report.totals, {
    files: 1,
    lines: 6,
    header_lines: 3,
    records: 1,
    no_data: 1,
    skip_data: 1,
    malformed: 0,
  })
  assert.deepEqual(only(flows, '_line', 'srcaddr', 'srcport', 'dstport', 'bytes', 'packets', 'tcp_flags'), [
    { _line: 2, srcaddr: '52.213.180.42', srcport: 43416, dstport: 5001, bytes: 568, packets: 8, tcp_flags: 2 },
  ])
  assert.deepEqual(only(silence, '_line', 'status'), [
    { _line: 4, status: 'SKIPDATA' },
    { _line: 6, status: 'NODATA' },
  ])
})

test('opentelemetry: a NODATA line has no values, and is no record', there, async t => {
  const [expected] = json('otel-collector-contrib/expected.json')['valid_vpc_flow_log.log'].rows
  const { flows, silence } = await flowsOf(t, [sample('otel-collector-contrib/valid_vpc_flow_log.log')])
  assert.deepEqual(flows, [])
  const utc = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
  assert.deepEqual(silence, [
    {
      _line: 2,
      sensor: expected.interface,
      status: expected.status,
      start: utc(expected.start),
      end: utc(expected.end),
    },
  ])
})

test('opentelemetry: a last line without a newline counts', there, async t => {
  const { flows } = await flowsOf(t, [sample('otel-collector-contrib/valid_vpc_flow_log_multi.log')])
  assert.deepEqual(only(flows, 'srcaddr', 'dstaddr', 'dstport', 'bytes', 'action'), [
    { srcaddr: '172.31.16.139', dstaddr: '172.31.16.21', dstport: 22, bytes: 4249, action: 'ACCEPT' },
    { srcaddr: '172.31.9.69', dstaddr: '172.31.9.12', dstport: 3389, bytes: 4249, action: 'REJECT' },
  ])
})

test('grafana: both ends of translated traffic are kept, and the services', there, async t => {
  const { report, flows } = await flowsOf(t, [sample('grafana-vpc-flow-logs-analyzer/aws-test_flow_logs.log')])
  const { records, no_data, skip_data } = report.totals
  assert.deepEqual([records, no_data, skip_data], [4, 1, 1])
  const services = ['pkt_src_aws_service', 'pkt_dst_aws_service'] as const
  assert.deepEqual(only(flows, 'srcaddr', 'dstaddr', 'pkt_srcaddr', 'pkt_dstaddr', 'bytes', ...services), [
    {
      ...{ srcaddr: '10.3.6.187', dstaddr: '10.63.37.34', pkt_srcaddr: '10.3.6.187', pkt_dstaddr: '3.75.6.195' },
      ...{ bytes: 208, pkt_dst_aws_service: 'EC2' },
    },
    {
      ...{ srcaddr: '10.63.37.34', dstaddr: '10.60.155.242', pkt_srcaddr: '3.78.206.74', pkt_dstaddr: '10.60.155.242' },
      ...{ bytes: 6942, pkt_src_aws_service: 'AMAZON' },
    },
    {
      ...{ srcaddr: '10.63.37.34', dstaddr: '3.5.246.198', pkt_srcaddr: '10.63.37.34', pkt_dstaddr: '3.5.246.198' },
      ...{ bytes: 40672, pkt_dst_aws_service: 'S3' },
    },
    {
      ...{
        srcaddr: '85.214.204.244',
        dstaddr: '10.63.37.34',
        pkt_srcaddr: '85.214.204.244',
        pkt_dstaddr: '10.63.37.34',
      },
      bytes: 4065,
    },
  ])
})

test('lambda-promtail and m-mizutani: plain and gzip files of the default format', there, async t => {
  const paths = [sample('lambda-promtail/vpcflowlog.log.gz'), sample('m-mizutani/sample1.log')]
  const { flows } = await flowsOf(t, paths)
  assert.deepEqual(
    flows.map(row => [
      row['srcaddr'],
      row['srcport'],
      row['dstaddr'],
      row['dstport'],
      row['protocol'],
      row['packets'],
      row['bytes'],
    ]),
    [
      ['10.26.1.153', 60220, '3.239.232.29', 443, 6, 48, 21869],
      ['3.239.232.29', 443, '10.26.1.153', 60220, 6, 47, 12071],
      ['10.26.0.9', 5007, '10.26.4.139', 57879, 6, 2, 112],
      ['10.0.2.2', 1234, '10.0.4.8', 5245, 17, 6, 965],
      ['10.0.2.2', 5678, '10.0.0.15', 2346, 17, 3, 553],
    ],
  )
})

for (const name of ['pyarrow-gzip-dict-v1', 'pyarrow-snappy-v1-rg500', 'pyarrow-zstd-v2-delta']) {
  test(`Parquet: ${name} gives the rows that it was written from`, there, async t => {
    const csv = gunzipSync(readFileSync(sample('parquet-variants/expected.csv.gz'))).toString()
    const [header, ...lines] = csv.trimEnd().split(/\r?\n/)
    const names = header!.split(',')
    const expected = lines.map((line, i) => ({ line: i + 1, values: line.split(',') }))
    const status = names.indexOf('log_status')
    const { report, flows, silence } = await flowsOf(t, [sample(`parquet-variants/${name}.parquet`)])
    const epoch = (time: unknown) => String(Date.parse(String(time)) / 1000)
    const asCsv = (row: PlainRow) =>
      names.map(field => (['start', 'end'].includes(field) ? epoch(row[field]) : String(row[field] ?? ''))).join()
    const records = expected.filter(row => row.values[status] === 'OK')
    assert.deepEqual(
      flows.map(row => [row['_line'], asCsv(row)]),
      records.map(row => [row.line, row.values.join()]),
    )
    const silent = expected.filter(row => row.values[status] !== 'OK')
    assert.deepEqual(
      silence.map(row => [row['_line'], row['status']]),
      silent.map(row => [row.line, row.values[status]]),
    )
    assert.deepEqual([report.totals.lines, report.totals.malformed], [lines.length, 0])
  })
}

// What is no flow log is listed and left alone: nothing is guessed out of it.
const notEvidence: Record<string, string> = {
  'azure-nsg/test-nsg.log': 'flow logs of Azure',
  'ocsf-examples/v1.0.0-rc.2/vpcflowlog.ocsf': 'an OCSF event made of a flow record',
  'ocsf-examples/silk/SampleOCSF_FCCX.json': 'an OCSF event made of a SiLK flow',
  'flowlogs-reader/expected.json': 'results, not evidence',
}

for (const [name, what] of Object.entries(notEvidence)) {
  test(`not evidence: ${what}`, there, async t => {
    const { report, flows } = await flowsOf(t, [sample(name)])
    assert.deepEqual(flows, [])
    assert.deepEqual(
      report.files.map(({ status, id, records }) => [status, id, records]),
      [['not-evidence', null, 0]],
    )
    assert.match(report.files[0]?.problem ?? '', /no flow log|JSON|comma-separated/)
    assert.match(report.files[0]?.sha256 ?? '', /^[0-9a-f]{64}$/)
  })
}

test('a table of SiLK is read as flows of its own kind, never as a flow log', there, async t => {
  const { report, flows } = await flowsOf(t, [sample('ocsf-examples/silk/SiLK_FCCX.raw.csv')])
  assert.equal(flows.length, 1)
  const [file] = report.files
  assert.deepEqual([file?.status, file?.flow_table?.rows], ['read', 1])
  assert.match(file?.flow_table?.note ?? '', /not kept: sensor/)
})

// Records inside JSON have no header line: they are read where --format names their fields, and are named else.
const wrapped: Record<string, [what: string, counts: { records: number; no_data: number }]> = {
  'elastic-integrations/test-with-message-field.log': [
    'a line wrapped in JSON, as a log shipper writes it',
    { records: 0, no_data: 1 },
  ],
  'otel-collector-contrib/valid_vpc_flow_cw.json': [
    'the events of a CloudWatch subscription',
    countsIn('otel-collector-contrib/valid_vpc_flow_cw.json'),
  ],
  'opensearch-catalog/aws_vpc-logs.json': ['documents of OpenSearch', countsIn('opensearch-catalog/aws_vpc-logs.json')],
}

/** Records of the default format anywhere in a text. */
function countsIn(name: string): { records: number; no_data: number } {
  const text = existsSync(sample(name)) ? readFileSync(sample(name), 'utf8') : ''
  return {
    records: (text.match(/"2 \d{12} eni-[^"]* OK"/g) ?? []).length,
    no_data: (text.match(/"2 \d{12} eni-[^"]* NODATA"/g) ?? []).length,
  }
}

for (const [name, [what, counts]] of Object.entries(wrapped)) {
  test(`${what}: read with --format, and named without`, there, async t => {
    const without = await flowsOf(t, [sample(name)])
    assert.deepEqual([without.flows, without.report.files[0]?.status], [[], 'unreadable'])
    assert.match(without.report.files[0]?.problem ?? '', /^flow records \(JSON, .*--format/)
    const { report } = await flowsOf(t, [sample(name)], 'default')
    const { records, no_data, malformed } = report.totals
    assert.deepEqual({ records, no_data, malformed }, { ...counts, malformed: 0 })
  })
}

test('a flow log as CSV with commas, as Athena exports it, is read by its header line', there, async t => {
  const { report, flows } = await flowsOf(t, [sample('ocsf-examples/v1.0.0-rc.2/vpcflowlog.raw')])
  assert.deepEqual([report.totals.lines, report.totals.header_lines, flows.length], [2, 1, 1])
})
