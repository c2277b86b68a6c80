import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { temporaryFolder } from '../cli/run.ts'
import { flowsOf, only } from './flows-of.ts'

const header =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const record = (source: string, rest = '40000 443 6 10 840 1700000000 1700000059 ACCEPT OK') =>
  `2 123456789012 eni-0a1b2c3d ${source} 198.51.100.2 ${rest}`
const text = (...lines: string[]) => `${lines.join('\n')}\n`

/** The header and one record of 192.0.2.1, as zstd -19 packs them. */
const zstdFile =
  'KLUv/QRoBQUAEgsiGWCvDhCjwH4zAlynXKy2ZQpURC8HjAAGBA7AwtxplCRBfgyueHfRuHsnLsR4Fw+bc6+9oRmvweYaPN6pMOHzpAukqh4+dxgFMUQBvkOAr5bNQWSpnvK0qu8rm8+1s+fcdZrSOmWnbXutZvq+1pqXm+kvpXJerlNCt3YlnUpBV5edU76yEt+KBQgALhsEw4IDPrQAcgzxwPmV9sA6nTD6wHo='

function folderWith(t: TestContext, files: Record<string, string | Uint8Array>): string {
  const folder = temporaryFolder(t)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

const first = {
  _line: 2,
  version: 2,
  account_id: '123456789012',
  interface_id: 'eni-0a1b2c3d',
  srcaddr: '192.0.2.1',
  dstaddr: '198.51.100.2',
  srcport: 40000,
  dstport: 443,
  protocol: 6,
  packets: 10,
  bytes: 840,
  start: '2023-11-14T22:13:20Z',
  end: '2023-11-14T22:14:19Z',
  action: 'ACCEPT',
  log_status: 'OK',
}
const whole = text(header, record('192.0.2.1'))

const packings: Record<string, string | Uint8Array> = {
  'plain text': whole,
  gzip: gzipSync(whole),
  'gzip of several members': Buffer.concat([gzipSync(whole.slice(0, 90)), gzipSync(whole.slice(90))]),
  zstd: Buffer.from(zstdFile, 'base64'),
  'lines that end in CR LF': whole.replaceAll('\n', '\r\n'),
  'a last line without an end': whole.trimEnd(),
  'blank lines at the end': `${whole}\n\n`,
}

for (const [name, content] of Object.entries(packings)) {
  test(`reads ${name}, whatever the file is called`, async t => {
    const { report, flows } = await flowsOf(t, [folderWith(t, { 'evidence.bin': content })])
    assert.deepEqual(flows, [first])
    assert.deepEqual([report.files[0]?.kind, report.totals.lines, report.totals.malformed], ['vpc-flow-log', 2, 0])
  })
}

test('a dash is unknown, and zero is zero', async t => {
  const line = '- - eni-0a1b2c3d 192.0.2.1 198.51.100.2 - 0 1 0 - 1700000000 1700000059 - OK'
  const { flows } = await flowsOf(t, [folderWith(t, { 'a.log': text(header, line) })])
  const { version, account_id, srcport, bytes, action, ...known } = first
  assert.deepEqual(flows, [{ ...known, dstport: 0, protocol: 1, packets: 0 }])
})

test('columns are bound by name, in every file of a folder', async t => {
  const shuffled = 'bytes dstaddr srcaddr end start action dstport'
  const folder = folderWith(t, {
    'a.log': whole,
    'b.log': text(shuffled, '55 192.0.2.9 2001:db8::9 1700000120 1700000060 REJECT 22'),
    'c.log': text(header, record('192.0.2.3'), shuffled, '66 192.0.2.9 192.0.2.8 1700000120 1700000060 ACCEPT 23'),
  })
  const { report, flows } = await flowsOf(t, [folder])
  assert.deepEqual(only(flows, '_line', 'srcaddr', 'dstport', 'bytes', 'protocol'), [
    { _line: 2, srcaddr: '192.0.2.1', dstport: 443, bytes: 840, protocol: 6 },
    { _line: 2, srcaddr: '2001:db8::9', dstport: 22, bytes: 55 },
    { _line: 2, srcaddr: '192.0.2.3', dstport: 443, bytes: 840, protocol: 6 },
    { _line: 4, srcaddr: '192.0.2.8', dstport: 23, bytes: 66 },
  ])
  assert.equal(report.files[2]?.layout, `${header}; ${shuffled}`)
  assert.equal(report.totals.header_lines, 4)
})

test('a field of the future is kept as text', async t => {
  const file = text(`${header} quantum-state`, `${record('192.0.2.1')} 0815`)
  const { flows } = await flowsOf(t, [folderWith(t, { 'a.log': file, 'b.log': text(header, record('192.0.2.2')) })])
  assert.deepEqual(only(flows, 'srcaddr', 'quantum_state'), [
    { srcaddr: '192.0.2.1', quantum_state: '0815' },
    { srcaddr: '192.0.2.2' },
  ])
})

test('a file without a header is not guessed at', async t => {
  const { report, flows } = await flowsOf(t, [folderWith(t, { 'a.log': text(record('192.0.2.1')) })])
  assert.deepEqual(flows, [])
  assert.equal(report.files[0]?.status, 'unreadable')
  assert.match(report.files[0]?.problem ?? '', /--format/)
})

for (const [name, format] of Object.entries({
  'by its name': 'default',
  'as a list': header,
  'with commas': header.replaceAll(' ', ', '),
  'as AWS spells it': header.replaceAll(/[a-z-]+/g, '$${$&}'),
})) {
  test(`the format of files without a header is given ${name}; headers keep their word`, async t => {
    const folder = folderWith(t, {
      'a.log': text(record('192.0.2.1')),
      'b.log': text('srcaddr dstaddr bytes start end', '192.0.2.2 192.0.2.9 7 1700000000 1700000059'),
    })
    const { report, flows } = await flowsOf(t, [folder], format)
    assert.deepEqual(flows[0], { ...first, _line: 1 })
    assert.deepEqual(only(flows.slice(1), 'srcaddr', 'bytes'), [{ srcaddr: '192.0.2.2', bytes: 7 }])
    assert.equal(report.totals.malformed, 0)
  })
}

test('time stamps that CloudWatch puts before each line are no part of it', async t => {
  const stamp = '2023-11-14T22:15:00.000Z'
  const { flows } = await flowsOf(
    t,
    [folderWith(t, { 'a.gz': gzipSync(text(`${stamp} ${record('192.0.2.1')}`)) })],
    'default',
  )
  assert.deepEqual(flows, [{ ...first, _line: 1 }])
})

test('times beyond the seconds of a signed 32-bit number are milliseconds', async t => {
  const line = record('192.0.2.1', '40000 443 6 10 840 1700000000000 1700000059999 ACCEPT OK')
  const { report, flows } = await flowsOf(t, [folderWith(t, { 'a.log': text(header, line) })])
  assert.equal(flows[0]?.['start'], first.start)
  assert.match(report.files[0]?.last_end ?? '', /^2023-11-14T22:14:19/)
})

test('Transit Gateway logs are told by their fields', async t => {
  const file = text(
    'version resource-type tgw-id tgw-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status packets-lost-blackhole',
    '6 TransitGateway tgw-0a tgw-attach-0b 192.0.2.1 192.0.2.2 40000 443 6 10 840 1700000000 1700000059 OK 3',
    '6 TransitGateway tgw-0a tgw-attach-0b - - - - - - - 1700000060 1700000119 NODATA -',
  )
  const { report, flows, silence } = await flowsOf(t, [folderWith(t, { 'a.log': file })])
  assert.equal(report.files[0]?.kind, 'tgw-flow-log')
  assert.deepEqual(report.files[0]?.sensors, ['tgw-attach-0b'])
  assert.deepEqual(only(flows, 'tgw_attachment_id', 'srcaddr', 'packets_lost_blackhole', 'action'), [
    { tgw_attachment_id: 'tgw-attach-0b', srcaddr: '192.0.2.1', packets_lost_blackhole: 3 },
  ])
  assert.equal(silence[0]?.['sensor'], 'tgw-attach-0b')
})

test('addresses are values: every spelling of one is the same', async t => {
  const spellings = ['2001:db8::1', '2001:0DB8:0:0:0:0:0:1', '::ffff:192.0.2.1', '192.0.2.1']
  const { flows } = await flowsOf(t, [folderWith(t, { 'a.log': text(header, ...spellings.map(one => record(one))) })])
  assert.deepEqual(
    flows.map(row => row['srcaddr']),
    ['2001:db8::1', '2001:db8::1', '192.0.2.1', '192.0.2.1'],
  )
})

test('fields of version 11: tags and the next hop', async t => {
  const fields = 'srcaddr dstaddr start end instance-tag interface-tag-2 next-hop-interface-type encryption-status'
  const line = '192.0.2.1 192.0.2.2 1700000000 1700000059 web%20tier%3Da - nat_gateway 1'
  const { flows } = await flowsOf(t, [folderWith(t, { 'a.log': text(fields, line) })])
  assert.deepEqual(only(flows, 'instance_tag', 'interface_tag_2', 'next_hop_interface_type', 'encryption_status'), [
    { instance_tag: 'web%20tier%3Da', next_hop_interface_type: 'nat_gateway', encryption_status: 1 },
  ])
})

test('folders named like Hive partitions are folders', async t => {
  const path = 'AWSLogs/aws-account-id=123456789012/aws-region=eu-west-1/year=2023/month=11/day=14/hour=22/a.log'
  const { report, flows } = await flowsOf(t, [folderWith(t, { [path]: whole })])
  assert.deepEqual(flows, [first])
  assert.ok(report.files[0]?.path.endsWith(path))
})

test('what is no flow log is listed with its digest, and left alone', async t => {
  const folder = folderWith(t, {
    'a.log': whole,
    'empty.log': '',
    'notes.txt': 'called the customer at noon\n',
    'picture.png': Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0),
    'capture.pcap': Uint8Array.of(0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0),
  })
  const { report, flows } = await flowsOf(t, [folder])
  assert.deepEqual(flows, [first])
  const statuses = report.files.map(({ path, status, kind }) => [path.slice(folder.length + 1), status, kind])
  assert.deepEqual(statuses, [
    ['a.log', 'read', 'vpc-flow-log'],
    ['capture.pcap', 'unreadable', 'pcap'],
    ['empty.log', 'not-evidence', null],
    ['notes.txt', 'not-evidence', null],
    ['picture.png', 'not-evidence', null],
  ])
  assert.ok(report.files.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256 ?? '')))
  assert.equal(report.totals.files, 1)
})

test('the layout of the lab, with its 20 fields', async t => {
  const fields =
    'version region account-id instance-id interface-id type srcaddr dstaddr srcport dstport protocol bytes packets tcp-flags start end action log-status flow-direction traffic-path'
  const line =
    '5 us-east-2 123456789012 i-0a eni-0a1b2c3d IPv4 192.0.2.1 198.51.100.2 40000 443 6 840 10 2 1700000000 1700000059 ACCEPT OK egress 8'
  const { flows } = await flowsOf(t, [folderWith(t, { 'a.log': text(fields, line) })])
  const own = {
    region: 'us-east-2',
    instance_id: 'i-0a',
    type: 'IPv4',
    tcp_flags: 2,
    flow_direction: 'egress',
    traffic_path: 8,
  }
  assert.deepEqual(flows, [{ ...first, ...own, version: 5 }])
})

test('counters are exact up to 2^64 - 1, and beyond it malformed', async t => {
  const counters = ['9007199254740993', '18446744073709551615', '18446744073709551616']
  const lines = counters.map(bytes => record('192.0.2.1', `40000 443 6 10 ${bytes} 1700000000 1700000059 ACCEPT OK`))
  const { report, flows } = await flowsOf(t, [folderWith(t, { 'a.log': text(header, ...lines) })])
  assert.deepEqual(
    flows.map(row => row['bytes']),
    [9007199254740993n, 18446744073709551615n],
  )
  assert.deepEqual(
    report.problems.map(({ line, problem }) => [line, problem]),
    [[4, 'field bytes: expected a whole number below 2^64, found "18446744073709551616"']],
  )
})

test('every line is a header, a record, silence or malformed', async t => {
  const silent = '2 123456789012 eni-0a1b2c3d - - - - - - - 1700000060 1700000119 -'
  const file = text(
    header,
    record('192.0.2.1'),
    '',
    `${silent} NODATA`,
    `${silent} SKIPDATA`,
    'half a li',
    header,
    record('192.0.2.x'),
  )
  const { report, flows, silence } = await flowsOf(t, [folderWith(t, { 'a.log': file })])
  assert.deepEqual(report.totals, {
    files: 1,
    lines: 7,
    header_lines: 2,
    records: 1,
    no_data: 1,
    skip_data: 1,
    malformed: 2,
  })
  assert.deepEqual(flows, [first])
  assert.deepEqual(
    silence.map(row => [row['_line'], row['status']]),
    [
      [4, 'NODATA'],
      [5, 'SKIPDATA'],
    ],
  )
  assert.deepEqual(
    report.problems.map(({ line }) => line),
    [6, 8],
  )
})

test('the same content is read once, under whatever name', async t => {
  const { report, flows } = await flowsOf(t, [folderWith(t, { 'a.log': whole, 'b/copy.log': whole })])
  assert.deepEqual(flows, [first])
  assert.deepEqual(report.files.map(({ status }) => status).sort(), ['duplicate', 'read'])
})
