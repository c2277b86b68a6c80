import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  addressText,
  investigateSlow,
  type OracleDossier,
  type OracleEvidence,
  type OracleOptions,
  parseAddress,
  readFolder,
} from './oracle.ts'
import { writeRandomFolder } from './random-folder.ts'

// Small cases whose answers were worked out by hand from docs/reference/dossier.md.

const home = mkdtempSync(join(tmpdir(), 'oracle-'))
after(() => rmSync(home, { recursive: true, force: true }))
let folders = 0

/** Writes files; an array is lines, each with a newline. */
function folder(files: Record<string, string[] | string | Buffer>): string {
  const dir = join(home, `folder-${++folders}`)
  mkdirSync(dir)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), Array.isArray(content) ? content.map(line => `${line}\n`).join('') : content)
  }
  return dir
}

const header =
  'interface-id instance-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr srcport dstport protocol packets bytes start end ' +
  'action tcp-flags pkt-src-aws-service pkt-dst-aws-service log-status'

/** 2023-11-14T22:14:00Z */
const zero = 1700000040

interface Extra {
  instance?: string
  pkt_src?: string
  pkt_dst?: string
  protocol?: number
  packets?: number | string
  bytes?: number | string
  /** Seconds after `zero`. */
  at?: number
  /** Seconds from start to end; 10 by default. */
  lasts?: number
  reject?: boolean
  flags?: number
  src_service?: string
  dst_service?: string
}

/** `talk`: `20.106.124.93:40000 > 10.0.0.5:22`; without a port, `-`. IPv6 addresses are in brackets. */
function row(sensor: string, talk: string, extra: Extra = {}): string {
  const [src, srcport, dst, dstport] = talk.split(' > ').flatMap(end => {
    const parts = /^\[?(.*?)\]?(?::(\d+))?$/.exec(end)!
    return [parts[1]!, parts[2] ?? '-']
  })
  const start = zero + (extra.at ?? 0)
  return [
    ...[sensor, extra.instance ?? '-', src, dst, extra.pkt_src ?? src, extra.pkt_dst ?? dst, srcport, dstport],
    ...[extra.protocol ?? 6, extra.packets ?? 1, extra.bytes ?? 100, start, start + (extra.lasts ?? 10)],
    ...[extra.reject ? 'REJECT' : 'ACCEPT', extra.flags ?? 0, extra.src_service ?? '-', extra.dst_service ?? '-', 'OK'],
  ].join(' ')
}

function statusRow(sensor: string, status: string, at: number, lasts: number): string {
  return `${sensor} ${'- '.repeat(10)}${zero + at} ${zero + at + lasts} - - - - ${status}`
}

function investigate(
  files: Record<string, string[]>,
  subject: string | string[] = attacker,
  options: OracleOptions = {},
): OracleDossier {
  const withHeaders = Object.fromEntries(Object.entries(files).map(([path, lines]) => [path, [header, ...lines]]))
  return investigateSlow(readFolder(folder(withHeaders)), [subject].flat(), options)
}

/** Services in short: `server:port < client basis outcome records/rejected/connections`. */
function inShort(dossier: OracleDossier): string[] {
  return dossier.services.map(
    ({ server, port, client, role_rule, role_basis, outcome, records, rejected, connections }) =>
      `${server}:${port} < ${client} ${role_rule} ${role_basis} ${outcome} ${records}/${rejected}/${connections}`,
  )
}

const attacker = '20.106.124.93'

describe('addresses', () => {
  it('reads IPv4 and IPv6 into one number space', () => {
    assert.equal(parseAddress('10.0.0.1'), 0xffff0a000001n)
    assert.equal(parseAddress('::ffff:10.0.0.1'), 0xffff0a000001n)
    assert.equal(parseAddress('::FFFF:a00:1'), 0xffff0a000001n)
    assert.equal(parseAddress('::'), 0n)
    assert.equal(parseAddress('1::'), 2n ** 112n)
    assert.equal(parseAddress('0:0:0:0:0:0:0:1'), 1n)
    for (const text of [
      ...['10.0.0.01', '10.0.0', '10.0.0.256', '10.0.0.1.2', '10.0.0.', '', '-', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9'],
      ...['1::2::3', ':::', '12345::', 'g::', 'fe80::1%eth0', '1:2:3:4:5:6:7:8::', '::1.2.3', ':1:2:3:4:5:6:7:8', '1:'],
    ]) {
      assert.equal(parseAddress(text), null, text)
    }
  })

  it('writes canonical text', () => {
    for (const [text, canonical] of [
      ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
      ['1:0:0:0:0:0:0:0', '1::'],
      ['0:0:0:0:0:0:0:0', '::'],
      ['0:0:0:0:0:0:0:1', '::1'],
      ['::ffff:1.2.3.4', '1.2.3.4'],
      ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ]) {
      assert.equal(addressText(parseAddress(text!)!), canonical)
    }
  })
})

describe('reading', () => {
  const version2 =
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
  const good = '2 1 eni-a 20.106.124.93 10.0.0.5 40000 22 6 1 100 1700000040 1700000050 ACCEPT OK'
  const badLines = (lines: string[]): number[] =>
    readFolder(folder({ 'a.log': [version2, ...lines] })).files[0]!.problems.map(({ line }) => line)
  const withField = (index: number, value: string): string => good.split(' ').with(index, value).join(' ')

  it('counts every line once', () => {
    const { files, totals } = readFolder(
      folder({
        'a.log': [
          version2,
          '',
          good,
          '2 1 eni-a - - - - - - - 1700000100 1700000159 - NODATA',
          '\r',
          '2 1 eni-a - - - - - - - 1700000160 1700000219 - SKIPDATA',
          `${version2}\r`,
          `${good}\r`,
          `${good} more`,
          'start end bytes packets srcaddr dstaddr',
          '1700000000000 1700000000500 5 - 10.0.0.1 20.106.124.93',
          good,
        ],
        'b/README.txt': 'start and end\n',
        'c.log': '',
      }),
    )
    assert.deepEqual(files[0], {
      path: 'a.log',
      status: 'read',
      lines: 10,
      header_lines: 3,
      records: 3,
      no_data: 1,
      skip_data: 1,
      malformed: 2,
      first_start: '2023-11-14T22:13:20Z',
      last_end: '2023-11-14T22:14:10Z',
      first_start_ms: 1700000000000,
      last_end_ms: 1700000050000,
      problems: [
        { line: 9, problem: '15 fields instead of 14' },
        { line: 12, problem: '14 fields instead of 6' },
      ],
    })
    assert.deepEqual([files[1]!.path, files[1]!.status, files[1]!.lines], ['b/README.txt', 'not-evidence', 0])
    assert.deepEqual([files[2]!.path, files[2]!.status, files[2]!.lines], ['c.log', 'not-evidence', 0])
    assert.deepEqual(totals, {
      files: 1,
      lines: 10,
      header_lines: 3,
      records: 3,
      no_data: 1,
      skip_data: 1,
      malformed: 2,
    })
  })

  it('takes every possible value', () => {
    assert.deepEqual(
      badLines([
        withField(5, '0080'),
        withField(5, '65535'),
        withField(5, '-'),
        withField(7, '255'),
        withField(8, '18446744073709551615'),
        withField(9, '-'),
        withField(3, '::ffff:1.2.3.4'),
        withField(3, '-'),
        withField(12, '-'),
        withField(11, '9223372036854'),
        withField(1, 'unknown'),
        withField(11, '1700000040'),
        // Seconds to milliseconds.
        withField(11, '1700000040000'),
      ]),
      [],
    )
  })

  it('rejects every impossible value', () => {
    const lines = [
      ...[withField(5, '65536'), withField(5, '-1'), withField(5, '8e1'), withField(6, ''), withField(7, '256')],
      ...[withField(8, '18446744073709551616'), withField(9, '1.5'), withField(3, '20.106.124.930')],
      ...[withField(4, '10.0.0.05'), withField(12, 'accept'), withField(13, 'FINE'), withField(13, '-')],
      ...[withField(11, '9223372036855'), withField(11, '1700000039'), withField(10, '-'), withField(11, '-')],
      ...[withField(1, ''), `${good} `, ` ${good}`, good.replaceAll(' ', '\t'), '2 1 eni-a - - - - - - - - - - NODATA'],
      withField(10, '1700000050001'),
    ]
    assert.deepEqual(
      badLines(lines),
      lines.map((_, index) => index + 2),
    )
  })

  it('names files that cannot be read, and takes a format for them', () => {
    const dir = folder({ 'a.log': [good], 'b.txt': 'eight words are not by themselves a record\n' })
    assert.deepEqual(
      readFolder(dir).files.map(({ status, lines }) => [status, lines]),
      [
        ['unreadable', 0],
        ['not-evidence', 0],
      ],
    )
    assert.equal(readFolder(dir, version2).files[0]!.records, 1)
  })

  it('reads gzip members, and cut gzip as far as it goes', () => {
    const lines = [version2, ...Array.from({ length: 400 }, (_, index) => withField(5, String(index * 97)))]
    const text = `${lines.join('\n')}\n`
    const whole = gzipSync(text)
    const dir = folder({
      'cut.log.gz': whole.subarray(0, Math.floor(whole.length / 2)),
      'members.log.gz': Buffer.concat([gzipSync(text.slice(0, 500)), gzipSync(text.slice(500, -1))]),
      'nothing.log.gz': whole.subarray(0, 12),
      'tail.log.gz': whole.subarray(0, -1),
    })
    const [cut, members, nothing, tail] = readFolder(dir).files
    assert.equal(cut!.status, 'partly-read')
    assert.equal(cut!.malformed, 1)
    assert.ok(cut!.records > 20 && cut!.records < 380)
    assert.deepEqual(cut!.problems, [{ line: cut!.records + 2, problem: 'the file is damaged within this line' }])
    assert.deepEqual([members!.status, members!.records, members!.malformed], ['read', 400, 0])
    assert.equal(nothing!.status, 'unreadable')
    assert.deepEqual([tail!.status, tail!.records, tail!.malformed], ['partly-read', 400, 0])
  })

  it('knows sensors and subscriptions', () => {
    const dir = folder({
      '1_vpcflowlogs_us-east-1_fl-0abc_20231114T2215Z_x.log': [
        'interface-id resource-id tgw-attachment-id start end bytes',
        'eni-a nat-b tgw-attach-c 1 2 3',
        '- nat-b tgw-attach-c 1 2 3',
        '- - tgw-attach-c 1 2 3',
        '- - - 1 2 3',
      ],
      'fl-0def/other.log': ['start end bytes packets', '1 2 3 4'],
    })
    assert.deepEqual(
      readFolder(dir).records.map(({ sensor, subscription }) => [sensor, subscription]),
      [
        ['eni-a', 'fl-0abc'],
        ['nat-b', 'fl-0abc'],
        ['tgw-attach-c', 'fl-0abc'],
        [null, 'fl-0abc'],
        [null, null],
      ],
    )
  })
})

describe('records, window and ports', () => {
  it('compares addresses, not text', () => {
    const dossier = investigate({
      'a.log': [
        row('eni-a', '20.106.124.93:40000 > 10.0.0.5:22', { bytes: 100, packets: 1, flags: 2 }),
        row('eni-a', '10.0.0.5:22 > 20.106.124.93:40000', { bytes: 50, packets: 2, at: 1, lasts: 30, flags: 18 }),
        row('eni-a', '20.106.124.93:40001 > 10.0.0.5:8022', { bytes: 7, at: 2, reject: true }),
        row('eni-a', '120.106.124.93:40000 > 10.0.0.5:22'),
        row('eni-a', '20.106.124.9:40000 > 10.0.0.5:22', { at: 900 }),
        row('eni-a', '[::ffff:20.106.124.93] > 10.0.0.5', { bytes: 1, protocol: 1, at: 20 }),
      ],
    })
    assert.deepEqual(dossier.records, { total: 6, subject: 4, accepted: 3, rejected: 1 })
    assert.deepEqual(dossier.window, {
      first_start: '2023-11-14T22:14:00Z',
      last_start: '2023-11-14T22:14:20Z',
      last_end: '2023-11-14T22:14:31Z',
      seconds: 31,
    })
    assert.deepEqual(dossier.bytes, { from_subject: 101n, to_subject: 50n })
    assert.deepEqual(dossier.packets, { from_subject: 2n, to_subject: 2n })
    const none = { records: 0, rejected: 0, packets: 0n, bytes: 0n }
    const one = (bytes: bigint, packets = 1n, rejected = 0) => ({ records: 1, rejected, packets, bytes })
    assert.deepEqual(dossier.ports, [
      { port: 22, protocol: 6, as_source: one(50n, 2n), as_destination: one(100n) },
      { port: 8022, protocol: 6, as_source: none, as_destination: one(7n, 1n, 1) },
      { port: 40000, protocol: 6, as_source: one(100n), as_destination: one(50n, 2n) },
      { port: 40001, protocol: 6, as_source: one(7n, 1n, 1), as_destination: none },
    ])
    assert.deepEqual(inShort(dossier), [
      '10.0.0.5:null < 20.106.124.93 7 first-seen unanswered 1/0/1',
      '10.0.0.5:22 < 20.106.124.93 1 syn answered 2/0/1',
      '10.0.0.5:8022 < 20.106.124.93 4 rejected-attempt rejected 1/1/1',
    ])
    assert.deepEqual(
      dossier.services.map(({ standard }) => standard),
      [null, true, false],
    )
  })

  it('takes prefixes, several subjects and IPv6', () => {
    const files = {
      'a.log': [
        row('eni-a', '10.1.0.1:40000 > 10.1.0.2:443', { flags: 2, bytes: 10 }),
        row('eni-a', '[2001:db8:bad::1]:40000 > [2600::5]:443', { flags: 2, bytes: 20 }),
        row('eni-a', '10.2.0.1:40000 > 10.1.0.2:443', { flags: 2, bytes: 40 }),
      ],
    }
    const inner = investigate(files, '10.1.0.0/16')
    assert.deepEqual(inner.records, { total: 3, subject: 2, accepted: 2, rejected: 0 })
    assert.deepEqual(inner.bytes, { from_subject: 10n, to_subject: 50n })
    assert.deepEqual(
      inner.services.map(({ subject_role }) => subject_role),
      ['both', 'server'],
    )
    const several = investigate(files, ['2001:db8:bad::/48', '10.2.0.1'])
    assert.deepEqual(several.subject, ['2001:db8:bad::/48', '10.2.0.1'])
    assert.deepEqual(several.bytes, { from_subject: 60n, to_subject: 0n })
    assert.deepEqual(investigate(files, '192.0.2.1').window, {
      first_start: null,
      last_start: null,
      last_end: null,
      seconds: null,
    })
  })

  it('leaves records with an unknown end out of volumes and services only', () => {
    const dossier = investigate({ 'a.log': [row('eni-a', '20.106.124.93:40000 > -:22', { pkt_dst: '-', flags: 2 })] })
    assert.deepEqual(dossier.records, { total: 1, subject: 1, accepted: 1, rejected: 0 })
    assert.equal(dossier.ports.length, 2)
    assert.deepEqual(dossier.bytes, { from_subject: 0n, to_subject: 0n })
    assert.deepEqual(dossier.services, [])
    assert.equal(dossier.vantages[0]!.without_endpoints, 1)
  })
})

describe('counting once', () => {
  const there = '20.106.124.93:40000 > 10.0.0.5:22'
  const back = '10.0.0.5:22 > 20.106.124.93:40000'

  it('counts a copy in another file once, at the smaller place, and a repetition in one file twice', () => {
    const dossier = investigate({
      'x_fl-0a_1.log': [row('eni-a', there, { bytes: 10 }), row('eni-a', there, { bytes: 10 })],
      'x_fl-0b_1.log': [row('eni-a', there, { bytes: 10 }), row('eni-a', there, { bytes: 11, at: 500 })],
    })
    assert.equal(dossier.records.subject, 4)
    assert.deepEqual(dossier.bytes, { from_subject: 31n, to_subject: 0n })
    assert.deepEqual(
      dossier.vantages.map(({ subscription, records, counted, copies, twins }) => ({
        subscription,
        records,
        counted,
        copies,
        twins,
      })),
      [
        { subscription: 'fl-0a', records: 2, counted: 2, copies: 0, twins: 0 },
        { subscription: 'fl-0b', records: 2, counted: 1, copies: 1, twins: 0 },
      ],
    )
  })

  it('does not take records for copies that differ in flags, action or sensor', () => {
    const dossier = investigate({
      'a.log': [row('eni-a', there, { flags: 2 })],
      'b.log': [row('eni-a', there, { flags: 0 }), row('eni-a', there, { flags: 2, reject: true })],
    })
    assert.deepEqual(inShort(dossier), ['10.0.0.5:22 < 20.106.124.93 1 syn unanswered 3/1/1'])
  })

  it('counts the translated connection of a NAT gateway once', () => {
    // The user guide's four lines at the gateway, and the two of the instance.
    const nat = [
      row('eni-nat', '10.0.1.5:50000 > 10.0.0.220:443', { pkt_dst: attacker, bytes: 100, flags: 2 }),
      row('eni-nat', '10.0.0.220:443 > 10.0.1.5:50000', { pkt_src: attacker, bytes: 900, flags: 18 }),
      row('eni-nat', '10.0.0.220:6000 > 20.106.124.93:443', { bytes: 100, flags: 2 }),
      row('eni-nat', '20.106.124.93:443 > 10.0.0.220:6000', { bytes: 900, flags: 18 }),
    ]
    const instance = [
      row('eni-i', '10.0.1.5:50000 > 20.106.124.93:443', { instance: 'i-1', bytes: 101, flags: 2 }),
      row('eni-i', '20.106.124.93:443 > 10.0.1.5:50000', { instance: 'i-1', bytes: 901, flags: 18 }),
    ]
    const files = { 'a.log': [...nat, ...instance] }

    const outside = investigate(files)
    assert.equal(outside.records.subject, 6)
    assert.deepEqual(outside.bytes, { from_subject: 901n, to_subject: 101n })
    assert.deepEqual(inShort(outside), ['20.106.124.93:443 < 10.0.1.5 1 syn answered 2/0/1'])
    const { translated, twins } = outside.vantages.find(({ sensor }) => sensor === 'eni-nat')!
    assert.deepEqual([translated, twins], [2, 2])

    const inside = investigate(files, '10.0.1.5')
    assert.equal(inside.records.subject, 4)
    assert.deepEqual(inside.bytes, { from_subject: 101n, to_subject: 901n })

    // For the gateway itself its own legs count.
    const gateway = investigate(files, '10.0.0.220')
    assert.equal(gateway.records.subject, 4)
    assert.deepEqual(gateway.bytes, { from_subject: 100n, to_subject: 900n })
    assert.deepEqual(inShort(gateway), ['20.106.124.93:443 < 10.0.0.220 1 syn answered 2/0/1'])
    assert.equal(gateway.services[0]!.subject_role, 'client')

    // Without the outer legs the gateway is a hop on the way.
    const hop = investigate({ 'a.log': nat.slice(0, 2) }, '10.0.0.220')
    assert.deepEqual(hop.bytes, { from_subject: 0n, to_subject: 0n })
    assert.equal(hop.services[0]!.subject_role, 'transit')
  })

  it('takes a leg for translated only at the same sensor and within G', () => {
    const named = row('eni-nat', '10.0.1.5:50000 > 10.0.0.220:443', { pkt_dst: attacker, bytes: 1 })
    const leg = (sensor: string, at: number): string =>
      row(sensor, '10.0.0.220:6000 > 20.106.124.93:443', { bytes: 1000, at })
    const toSubject = (legRow: string): bigint | null => investigate({ 'a.log': [named, legRow] }).bytes.to_subject
    // The naming record ends at 10 s; G is 120 s.
    assert.equal(toSubject(leg('eni-nat', 130)), 1n)
    assert.equal(toSubject(leg('eni-nat', 131)), 1001n)
    assert.equal(toSubject(leg('eni-other', 0)), 1001n)
  })

  /** Bytes by which it shows which of two vantages was counted: 1 for eni-a, 2 for eni-b, 3 for both. */
  const chosen = (a: Extra[], b: Extra[], talk = there): bigint | null => {
    const rows = [
      ...a.map(extra => row('eni-a', talk, { ...extra, bytes: extra.bytes ?? 1 })),
      ...b.map(extra => row('eni-b', talk, { ...extra, bytes: extra.bytes ?? 2 })),
    ]
    return investigate({ 'a.log': rows }).bytes.from_subject
  }

  const countedAt = (a: Extra, b: Extra, others: string[] = []): string[] => {
    const rows = [row('eni-a', there, { bytes: 7, ...a }), row('eni-b', there, { bytes: 7, ...b }), ...others]
    const { vantages } = investigate({ 'a.log': rows })
    return vantages.filter(({ counted }) => counted > 0).map(({ sensor }) => sensor!)
  }

  it('chooses the vantage that saw most for a direction', () => {
    assert.equal(chosen([{}], [{}]), 2n, 'more bytes')
    assert.equal(chosen([{ instance: 'i-1' }], [{}]), 2n, 'more bytes than an instance')
    assert.deepEqual(countedAt({}, { packets: 9 }), ['eni-b'], 'more packets')
    assert.deepEqual(countedAt({}, { instance: 'i-1' }), ['eni-b'], 'the instance')
    assert.deepEqual(countedAt({}, {}, [row('eni-b', back)]), ['eni-b'], 'both directions')
    assert.deepEqual(countedAt({ instance: 'i-1' }, {}, [row('eni-b', back)]), ['eni-b'], 'both directions first')
  })

  it('takes accepted and rejected records for different packets, unless another sensor stopped as many', () => {
    assert.equal(chosen([{ reject: true, bytes: 2 }], [{}]), 0n, 'stopped there')
    assert.equal(chosen([{ reject: true, bytes: 1 }], [{}]), 2n, 'too few bytes')
    assert.equal(chosen([{ reject: true, packets: 9, bytes: 2 }], [{}]), 2n, 'too many packets')
    assert.equal(chosen([{ reject: true, bytes: 2, at: 500 }], [{}]), 2n, 'at another time')
    const oneSensor = investigate({
      'x_fl-0a.log': [row('eni-a', there, { bytes: 2 })],
      'x_fl-0b.log': [row('eni-a', there, { bytes: 2, reject: true })],
    })
    assert.equal(oneSensor.bytes.from_subject, 2n, 'the same sensor')
  })

  it('goes by sensor and subscription where all else is equal, null last', () => {
    const rows = [row('eni-a', there, { flags: 2 })]
    const later = [row('eni-a', there, { flags: 0 })]
    const { vantages } = investigate({ 'a.log': rows, 'z_fl-0b.log': later })
    assert.deepEqual(
      vantages.map(({ subscription, counted, twins }) => [subscription, counted, twins]),
      [
        ['fl-0b', 1, 0],
        [null, 0, 1],
      ],
    )
    const sensors = investigate({ 'a.log': [row('eni-b', there), row('eni-a', there)] }).vantages
    assert.deepEqual(
      sensors.map(({ sensor, counted }) => [sensor, counted]),
      [
        ['eni-a', 1],
        ['eni-b', 0],
      ],
    )
  })

  it('counts what the chosen vantage cannot have seen', () => {
    // The span of eni-b ends at 10 s, and G is 120 s.
    assert.equal(chosen([{ at: 130 }], [{}]), 2n)
    assert.equal(chosen([{ at: 131 }], [{}]), 3n)
    // The same with an aggregation interval of 600 s: G is 660 s, the span ends at 61 s.
    assert.equal(chosen([{ at: 721 }], [{ lasts: 61 }]), 2n)
    assert.equal(chosen([{ at: 722 }], [{ lasts: 61 }]), 3n)
    // Between its records, and far from each.
    assert.equal(chosen([{ at: 500 }], [{}, { at: 1000 }]), 5n)
    assert.equal(chosen([{ at: 120 }], [{}, { at: 240 }]), 4n)
  })
})

describe('connections', () => {
  const connections = (...extras: (Extra & { back?: boolean })[]): number =>
    investigate({
      'a.log': extras.map(({ back, ...extra }) =>
        row('eni-a', back ? '10.0.0.5:22 > 20.106.124.93:40000' : '20.106.124.93:40000 > 10.0.0.5:22', extra),
      ),
    }).services.reduce((sum, service) => sum + service.connections, 0)

  it('chains what is close in time', () => {
    // Ends at 10 s, G is 120 s; after a FIN, a gap is an end.
    assert.equal(connections({ flags: 1 }, { at: 130 }), 1)
    assert.equal(connections({ flags: 1 }, { at: 131 }), 2)
    // The latest end counts, not the last one's.
    assert.equal(connections({ flags: 1, lasts: 60 }, { at: 5, lasts: 1 }, { at: 180 }), 1)
    assert.equal(connections({ flags: 1, lasts: 60 }, { at: 5, lasts: 1 }, { at: 181 }), 2)
  })

  it('lets an open TCP connection be silent for an hour', () => {
    assert.equal(connections({}, { at: 3610 }), 1)
    assert.equal(connections({}, { at: 3611 }), 2)
    assert.equal(connections({ flags: 2 }, { flags: 1, at: 400 }, { at: 700 }), 2)
    assert.equal(connections({}, { flags: 2, at: 131 }), 2)
  })

  it('starts anew at a SYN after FIN or RST', () => {
    assert.equal(connections({ flags: 3 }, { flags: 19, back: true }, { flags: 2, at: 20 }), 2)
    assert.equal(connections({ flags: 2 }, { flags: 4, back: true }, { flags: 2, at: 20 }), 2)
    // No new one without FIN, at a SYN-ACK, or without SYN.
    assert.equal(connections({ flags: 2 }, { flags: 18, back: true }, { flags: 2, at: 20 }), 1)
    assert.equal(connections({ flags: 3 }, { flags: 18, at: 20, back: true }), 1)
    assert.equal(connections({ flags: 3 }, { flags: 0, at: 20 }), 1)
    // The FIN belongs to the connection before the last SYN.
    assert.equal(connections({ flags: 3 }, { flags: 2, at: 20 }, { flags: 2, at: 40 }), 2)
    // A FIN without any SYN before it.
    assert.equal(connections({ flags: 1 }, { flags: 2, at: 20 }), 2)
  })

  it('starts anew at a SYN after W', () => {
    assert.equal(connections({ flags: 2 }, { flags: 2, at: 70 }), 1)
    assert.equal(connections({ flags: 2 }, { flags: 2, at: 71 }), 2)
    assert.equal(connections({ flags: 2 }, { flags: 0, at: 71 }), 1)
    assert.equal(connections({ flags: 2, lasts: 61 }, { flags: 2, at: 661 }), 1)
    assert.equal(connections({ flags: 2, lasts: 61 }, { flags: 2, at: 662 }), 2)
  })

  it('puts the SYN first among records of one start', () => {
    // In file order the FIN of the server would stand before the SYN and split the two.
    assert.equal(connections({ flags: 19, back: true, lasts: 1 }, { flags: 3 }), 1)
  })
})

describe('who connected to whom', () => {
  const judge = (...rows: string[]): string[] => inShort(investigate({ 'a.log': rows }))
  const there = '20.106.124.93:50000 > 10.0.0.5:60000'
  const back = '10.0.0.5:60000 > 20.106.124.93:50000'

  it('rule 1: SYN and SYN-ACK', () => {
    assert.deepEqual(judge(row('e', there, { flags: 2 }), row('e', back, { flags: 18 })), [
      '10.0.0.5:60000 < 20.106.124.93 1 syn answered 2/0/1',
    ])
    assert.deepEqual(judge(row('e', back), row('e', there, { flags: 3, at: 9 })), [
      '10.0.0.5:60000 < 20.106.124.93 1 syn answered 2/0/1',
    ])
    assert.deepEqual(judge(row('e', there), row('e', back, { flags: 19, at: 9 })), [
      '10.0.0.5:60000 < 20.106.124.93 1 syn answered 2/0/1',
    ])
    // A side that sent both decides nothing, nor do two SYN sides.
    const both = judge(row('e', there, { flags: 2 }), row('e', there, { flags: 18, at: 1 }))
    assert.deepEqual(both, ['10.0.0.5:60000 < 20.106.124.93 7 first-seen unanswered 2/0/1'])
    const two = judge(row('e', there, { flags: 2 }), row('e', back, { flags: 2 }))
    assert.deepEqual(two, ['20.106.124.93:50000 < 10.0.0.5 8 unknown answered 2/0/1'])
    const confidence = (...rows: string[]): number => investigate({ 'a.log': rows }).services[0]!.role_confidence
    assert.equal(confidence(row('e', there, { flags: 2 }), row('e', back, { flags: 18 })), 0.98)
    assert.equal(confidence(row('e', there, { flags: 2 }), row('e', back)), 0.9)
  })

  it('rule 2: a listener known from another connection', () => {
    assert.deepEqual(
      judge(
        row('e', '20.106.124.93:40000 > 10.0.0.5:60000', { flags: 2 }),
        row('e', back, { at: 300 }),
        row('e', there, { at: 310 }),
        // Another protocol.
        row('e', back, { at: 300, protocol: 17 }),
      ),
      [
        '10.0.0.5:60000 < 20.106.124.93 1 syn answered 3/0/2',
        '20.106.124.93:50000 < 10.0.0.5 7 first-seen unanswered 1/0/1',
      ],
    )
  })

  it('rule 3: a service of AWS used from inside', () => {
    const s3 = (name: string, client = '10.0.0.5'): string[] =>
      judge(
        row('e', `20.106.124.93:50000 > ${client}:60000`, { src_service: name }),
        row('e', `${client}:60000 > 20.106.124.93:50000`, { dst_service: name }),
      )
    assert.deepEqual(s3('S3'), ['20.106.124.93:50000 < 10.0.0.5 3 aws-service answered 2/0/1'])
    assert.deepEqual(s3('S3', '100.127.0.1'), ['20.106.124.93:50000 < 100.127.0.1 3 aws-service answered 2/0/1'])
    assert.deepEqual(s3('EC2'), ['20.106.124.93:50000 < 10.0.0.5 8 unknown answered 2/0/1'])
    assert.deepEqual(s3('AMAZON'), ['20.106.124.93:50000 < 10.0.0.5 8 unknown answered 2/0/1'])
    assert.deepEqual(s3('S3', '9.9.9.9'), ['20.106.124.93:50000 < 9.9.9.9 8 unknown answered 2/0/1'])
    const told = investigate(
      { 'a.log': [row('e', '9.9.9.9:60000 > 20.106.124.93:50000', { dst_service: 'S3' })] },
      attacker,
      { internal: ['9.9.9.0/24'] },
    )
    assert.deepEqual(inShort(told), ['20.106.124.93:50000 < 9.9.9.9 3 aws-service unanswered 1/0/1'])
  })

  it('rule 4: a rejected attempt', () => {
    assert.deepEqual(judge(row('e', '20.106.124.93:80 > 10.0.0.5:60000', { reject: true })), [
      '10.0.0.5:60000 < 20.106.124.93 4 rejected-attempt rejected 1/1/1',
    ])
    // Not if the first was accepted, nor in two directions.
    assert.deepEqual(
      judge(
        row('e', '20.106.124.93:80 > 10.0.0.5:60000'),
        row('e', '20.106.124.93:80 > 10.0.0.5:60000', { reject: true, at: 1 }),
      ),
      ['20.106.124.93:80 < 10.0.0.5 6 port-number answered 2/1/1'],
    )
  })

  it('rule 5: a listener by its peers over the whole case', () => {
    const peers = (count: number): string[] =>
      Array.from({ length: count }, (_, index) => row('e', `9.9.9.9:${1000 + index} > 10.0.0.5:60000`))
    const talk = [row('e', there), row('e', back)]
    assert.deepEqual(judge(...talk, ...peers(1)), ['20.106.124.93:50000 < 10.0.0.5 8 unknown answered 2/0/1'])
    assert.deepEqual(judge(...talk, ...peers(2)), ['10.0.0.5:60000 < 20.106.124.93 5 listener answered 2/0/1'])
    // Three peers against two are not three times as many.
    const busy = row('e', '9.9.9.9:50000 > 20.106.124.93:50000', { protocol: 6 })
    assert.equal(judge(...talk, ...peers(2), busy)[1], '20.106.124.93:50000 < 10.0.0.5 8 unknown answered 2/0/1')
  })

  it('rule 5: who begins with many, or alone sends, is no listener', () => {
    // One source port, many system ports, each answered in the same second, or not at all.
    const probes = (ports: number[], answered: boolean): string[] =>
      ports.flatMap(port => [
        row('e', `20.106.124.93:40000 > 10.0.0.5:${port}`, { packets: 1 }),
        ...(answered ? [row('e', `10.0.0.5:${port} > 20.106.124.93:40000`, { packets: 1 })] : []),
      ])
    for (const answered of [true, false]) {
      const rows = judge(...probes([21, 22, 23, 25], answered))
      assert.ok(
        rows.every(text => text.includes(' < 20.106.124.93 ')),
        rows.join(),
      )
      const high = judge(...probes([21, 22, 23, 50_001], answered))
      assert.ok(
        high.every(text => text.includes(' < 20.106.124.93 ')),
        high.join(),
      )
    }
    // The same ports by a server whose clients begin.
    const clients = [50_001, 50_002, 50_003].flatMap(port => [
      row('e', `20.106.124.93:${port} > 10.0.0.5:40000`, { at: 0 }),
      row('e', `10.0.0.5:40000 > 20.106.124.93:${port}`, { at: 3 }),
    ])
    assert.ok(judge(...clients).every(text => text.startsWith('10.0.0.5:40000 < ')))
  })

  it('nothing but RST from one side has no roles, and what a server sent is an answer', () => {
    const rst = row('e', '10.0.0.5:443 > 20.106.124.93:50000', { flags: 4 })
    assert.deepEqual(judge(rst), ['10.0.0.5:443 < 20.106.124.93 8 unknown unanswered 1/0/1'])
    const answer = row('e', '10.0.0.5:443 > 20.106.124.93:50000', { flags: 19, packets: 30 })
    assert.deepEqual(judge(answer), ['10.0.0.5:443 < 20.106.124.93 1 syn answered 1/0/1'])
  })

  it('rule 6: port numbers', () => {
    const server = (a: number, b: number): string =>
      judge(row('e', `20.106.124.93:${a} > 10.0.0.5:${b}`), row('e', `10.0.0.5:${b} > 20.106.124.93:${a}`))[0]!.split(
        ' answered',
      )[0]!
    assert.equal(server(1023, 1024), '20.106.124.93:1023 < 10.0.0.5 6 port-number')
    assert.equal(server(1024, 1023), '10.0.0.5:1023 < 20.106.124.93 6 port-number')
    assert.equal(server(32768, 32767), '10.0.0.5:32767 < 20.106.124.93 6 port-number')
    assert.equal(server(49152, 49151), '10.0.0.5:49151 < 20.106.124.93 6 port-number')
    assert.equal(server(22, 80), '20.106.124.93:22 < 10.0.0.5 8 unknown')
    assert.equal(server(50001, 50000), '10.0.0.5:50000 < 20.106.124.93 8 unknown')
  })

  it('rules 7 and 8: who spoke first, and who has the smaller port or address', () => {
    assert.deepEqual(judge(row('e', back, { at: 3 }), row('e', there)), [
      '10.0.0.5:60000 < 20.106.124.93 7 first-seen answered 2/0/1',
    ])
    assert.deepEqual(judge(row('e', back, { at: 2 }), row('e', there)), [
      '20.106.124.93:50000 < 10.0.0.5 8 unknown answered 2/0/1',
    ])
    const ping = { protocol: 1 }
    assert.deepEqual(
      judge(row('e', '20.106.124.93:0 > 10.0.0.5:0', ping), row('e', '10.0.0.5:0 > 20.106.124.93:0', ping)),
      ['10.0.0.5:null < 20.106.124.93 8 unknown answered 2/0/1'],
    )
  })
})

describe('services', () => {
  const there = '20.106.124.93:40000 > 10.0.0.5:22'
  const back = '10.0.0.5:22 > 20.106.124.93:40000'
  const outcome = (...rows: string[]): string => investigate({ 'a.log': rows }).services[0]!.outcome

  it('says what came of it', () => {
    assert.equal(outcome(row('e', there, { flags: 2 }), row('e', back, { flags: 18 })), 'answered')
    assert.equal(outcome(row('e', there, { flags: 2 }), row('e', back, { flags: 4 })), 'refused')
    assert.equal(
      outcome(row('e', there, { flags: 2 }), row('e', back, { flags: 4 }), row('e', back, { at: 1 })),
      'answered',
    )
    assert.equal(outcome(row('e', there, { flags: 2 })), 'unanswered')
    assert.equal(outcome(row('e', there, { flags: 2 }), row('e', back, { flags: 18, reject: true })), 'unanswered')
    assert.equal(outcome(row('e', there, { flags: 2, reject: true })), 'rejected')
  })

  it('adds up a row over its connections', () => {
    const { services, attack_surface } = investigate({
      'a.log': [
        row('e', there, { flags: 3, bytes: 10, packets: 1 }),
        row('e', back, { flags: 19, bytes: 20, packets: 2 }),
        row('e', '20.106.124.93:40001 > 10.0.0.5:22', { at: 100, bytes: 40, packets: 4 }),
        row('e', '20.106.124.93:40002 > 10.0.0.5:22', { at: 200, bytes: 80, packets: 8, reject: true, flags: 2 }),
        row('e', '20.106.124.93:40003 > 10.0.0.6:22', { reject: true, flags: 2 }),
      ],
    })
    assert.deepEqual(services[0], {
      server: '10.0.0.5',
      port: 22,
      protocol: 6,
      standard: true,
      client: '20.106.124.93',
      subject_role: 'client',
      outcome: 'answered',
      records: 4,
      rejected: 1,
      connections: 3,
      bytes_to_server: 50n,
      bytes_to_client: 20n,
      packets_to_server: 5n,
      packets_to_client: 2n,
      at_least: false,
      first_start: '2023-11-14T22:14:00Z',
      last_end: '2023-11-14T22:17:30Z',
      role_basis: 'syn',
      role_confidence: 0.98,
      role_rule: 1,
    })
    assert.deepEqual(attack_surface.answered, [{ server: '10.0.0.5', port: 22, protocol: 6 }])
    assert.deepEqual(attack_surface.rejected, [{ server: '10.0.0.6', port: 22, protocol: 6 }])
    assert.deepEqual([attack_surface.refused, attack_surface.unanswered], [[], []])
  })

  it('knows standard services', () => {
    const standard = (port: number, protocol: number, options: OracleOptions = {}): boolean | null =>
      investigate({ 'a.log': [row('e', `20.106.124.93:40000 > 10.0.0.5:${port}`, { protocol })] }, attacker, options)
        .services[0]!.standard
    assert.equal(standard(443, 6), true)
    assert.equal(standard(53, 17), true)
    assert.equal(standard(8080, 6), false)
    assert.equal(standard(8080, 6, { approved_ports: [8080] }), true)
    assert.equal(standard(22, 6, { approved_ports: [8080] }), false)
    assert.equal(standard(22, 6, { registered: () => false }), false)
    assert.equal(standard(0, 1), null)
  })
})

describe('coverage and gaps', () => {
  const subjectRow = (at: number, lasts = 10): string =>
    row('eni-a', '20.106.124.93:40000 > 10.0.0.5:22', { at, lasts })
  const gaps = (rows: string[], subject = attacker): string[] => {
    const { attack_surface } = investigate({ 'a.log': rows }, subject)
    assert.equal(attack_surface.complete, attack_surface.gaps.length === 0)
    return attack_surface.gaps.map(({ sensor, from, to, reason }) => {
      const offset = (time: string | null): number | null => (time === null ? null : Date.parse(time) / 1000 - zero)
      return `${reason} ${sensor} ${offset(from)}..${offset(to)}`
    })
  }

  it('finds holes of more than two intervals', () => {
    assert.deepEqual(gaps([subjectRow(0), subjectRow(130)]), [])
    assert.deepEqual(gaps([subjectRow(0), subjectRow(131)]), ['time-gap eni-a 10..131'])
    assert.deepEqual(gaps([subjectRow(0), statusRow('eni-a', 'NODATA', 60, 59), subjectRow(131)]), [])
    // An interval of 600 s.
    assert.deepEqual(gaps([subjectRow(0, 61), subjectRow(1261)]), [])
    assert.deepEqual(gaps([subjectRow(0, 61), subjectRow(1262)]), ['time-gap eni-a 61..1262'])
    // A long record covers the short ones inside it.
    assert.deepEqual(gaps([subjectRow(0, 60), subjectRow(1, 1), subjectRow(180)]), [])
  })

  it('looks at every sensor, within the window', () => {
    const other = (at: number): string => row('eni-b', '9.9.9.9:1 > 10.0.0.6:22', { at })
    assert.deepEqual(gaps([subjectRow(0), subjectRow(100), other(-500), other(-200), other(50), other(300)]), [
      'time-gap eni-b -190..50',
      'time-gap eni-b 60..300',
    ])
    // The first hole ends where the window begins.
    assert.deepEqual(gaps([subjectRow(0), other(-500), other(0)]), [])
  })

  it('lists SKIPDATA once', () => {
    assert.deepEqual(
      gaps([
        subjectRow(0),
        subjectRow(60),
        statusRow('eni-b', 'SKIPDATA', 0, 59),
        statusRow('eni-b', 'SKIPDATA', 0, 59),
        statusRow('eni-b', 'SKIPDATA', 70, 59),
        statusRow('eni-b', 'SKIPDATA', 71, 59),
      ]),
      ['skipdata eni-b 0..59', 'skipdata eni-b 70..129'],
    )
  })

  it('lists malformed lines and damaged files unless they lie wholly outside', () => {
    const dossierOf = (evidence: OracleEvidence): string[] =>
      investigateSlow(evidence, [attacker]).attack_surface.gaps.map(({ reason, path }) => `${reason} ${path}`)
    const packed = gzipSync([header, subjectRow(0), subjectRow(10), 'cut off'].join('\n'))
    const evidence = readFolder(
      folder({
        'a.log': [header, subjectRow(0)],
        'b.log.gz': packed.subarray(0, -9),
        'c.log': [header, row('eni-a', '9.9.9.9:1 > 10.0.0.5:22', { at: 21, lasts: 1 }), 'broken'],
        'd.log': [header, 'broken'],
        'e.log': ['2 1 eni-a 1.1.1.1 2.2.2.2 1 2 6 1 1 1700000040 1700000050 ACCEPT OK'],
        'f.txt': ['nothing'],
      }),
    )
    assert.equal(evidence.files[1]!.status, 'partly-read')
    assert.deepEqual(dossierOf(evidence), [
      'malformed-lines b.log.gz',
      'partly-read-file b.log.gz',
      'malformed-lines d.log',
      'unreadable-file e.log',
    ])
  })

  it('lists everything for a subject without records', () => {
    assert.deepEqual(gaps([subjectRow(0), subjectRow(131), 'broken'], '192.0.2.1'), [
      'time-gap eni-a 10..131',
      'malformed-lines null 0..141',
    ])
  })
})

describe('random folders', () => {
  it('are the same for the same seed, and account for every line', () => {
    for (let seed = 1; seed <= 12; seed++) {
      const [one, two] = [folder({}), folder({})]
      const { subjects } = writeRandomFolder(one, seed)
      assert.deepEqual(writeRandomFolder(two, seed), { subjects })
      const evidence = readFolder(one)
      assert.deepEqual(readFolder(two), evidence)
      for (const file of evidence.files) {
        assert.equal(
          file.lines,
          file.header_lines + file.records + file.no_data + file.skip_data + file.malformed,
          `seed ${seed}: ${file.path}`,
        )
        assert.equal(file.problems.length, file.malformed)
      }
      const dossier = investigateSlow(evidence, subjects)
      // What is counted in services is what was counted at the vantages.
      assert.equal(
        dossier.services.reduce((sum, service) => sum + service.records, 0),
        dossier.vantages.reduce((sum, vantage) => sum + vantage.counted, 0),
      )
      for (const vantage of dossier.vantages) {
        const { records, counted, copies, translated, twins, without_endpoints } = vantage
        assert.equal(records, counted + copies + translated + twins + without_endpoints)
      }
    }
  })
})
