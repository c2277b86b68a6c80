import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { addEvidence } from '../../src/ingest/add.ts'
import { CaptureDecoder } from '../../src/packet/capture.ts'
import { Packet } from '../../src/packet/packet.ts'
import { addPage, evidencePage } from '../../src/report/evidence.ts'
import { terminalText } from '../../src/report/terminal.ts'
import { openCase } from '../../src/store/case.ts'
import type { EvidenceReport } from '../../src/store/reports.ts'
import { verifyCase } from '../../src/store/verify.ts'
import { temporaryFolder } from '../cli/run.ts'
import { golden } from '../golden.ts'
import { ask, captureOf, logOf, type MadePacket, talk } from '../handmade.ts'
import { addressText, type PlainFlow } from '../meter/flows-of.ts'
import { epoch } from '../meter/packets.ts'
import { referenceFlows } from '../meter/reference-flows.ts'
import { randomFlows, textOf, written } from '../nfcapd/support.ts'
import { Section } from '../packet/blocks.ts'
import { ethernet, ipv4, udp } from '../packet/build.ts'

const start = 1_700_000_000
const web = '198.51.100.2 443'

/** Conversations of every kind that ends differently, and what is no IP. */
function conversations(): MadePacket[] {
  return [
    ...talk({ at: start, client: '192.0.2.1 40000', server: web }),
    ...talk({ at: start + 3, client: '192.0.2.1 40001', server: web, ends: 'open', lasts: 400 }),
    ...talk({ at: start + 4, client: '192.0.2.9 40002', server: '198.51.100.2 23', ends: 'refused' }),
    ...talk({ at: start + 5, client: '192.0.2.9 40003', server: '198.51.100.2 25', ends: 'unanswered' }),
    // The same ports again, at once after both had closed.
    ...talk({ at: start + 6, client: '192.0.2.1 40000', server: web, request: 7 }),
    ...ask(start + 7, '192.0.2.1 5353', '192.0.2.53 53'),
  ]
}

const arpFrame = { bytes: ethernet(0x0806, new Array<number>(28).fill(0)), time: [start + 410, 0] as const }
const capture = (kept?: number): Uint8Array => captureOf(conversations(), kept, [arpFrame, arpFrame])

async function added(t: TestContext, files: Record<string, Uint8Array | string>) {
  const folder = temporaryFolder(t)
  const dir = join(folder, 'case')
  const paths = Object.entries(files).map(([name, content]) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  })
  const report = await addEvidence({ case: dir, paths, workers: 1 })
  const file = (name: string) => report.files.find(({ path }) => path === join(folder, name))!
  return { folder, dir, report, file }
}

/** What the slow meter makes of a capture, with a decoder's packets. */
function slowFlows(bytes: Uint8Array): PlainFlow[] {
  const packets: Packet[] = []
  const decoder = new CaptureDecoder(packet => packets.push(Object.assign(new Packet(), packet)))
  decoder.feed(bytes)
  decoder.end()
  return referenceFlows(packets, { active: 300, inactive: 60, linger: 5, disorder: 3600 })
}

const seconds = (us: unknown): number => (Number(us) - epoch) / 1e6

async function flowRows(dir: string): Promise<object[]> {
  const opened = await openCase(dir)
  const end = (name: string): string => `${name}.hi AS ${name}_hi, ${name}.lo AS ${name}_lo`
  const rows = await opened.db.rows(
    `SELECT * EXCLUDE (srcaddr, dstaddr, start, "end"), ${end('srcaddr')}, ${end('dstaddr')}, epoch_us(start) AS start, epoch_us("end") AS "end"
     FROM packet_flows ORDER BY _line`,
  )
  await opened.close()
  const half = (row: Record<string, unknown>, name: string): [bigint, bigint] => [
    BigInt(row[`${name}_hi`] as number),
    BigInt(row[`${name}_lo`] as number),
  ]
  const text = ([hi, lo]: [bigint, bigint]): string =>
    addressText(
      ...([hi >> 32n, hi & 0xffff_ffffn, lo >> 32n, lo & 0xffff_ffffn].map(Number) as [number, number, number, number]),
    )
  return rows.map(row => ({
    from: `${text(half(row, 'srcaddr'))} ${row['srcport']}`,
    to: `${text(half(row, 'dstaddr'))} ${row['dstport']}`,
    protocol: row['protocol'],
    packets: row['packets'],
    bytes: row['bytes'],
    first: seconds(row['start']),
    last: seconds(row['end']),
    number: row['_line'],
    flags: row['tcp_flags'] ?? 0,
    end: row['flow_end'],
  }))
}

test('the flow records of a capture are those that a slow meter makes of it', async t => {
  const bytes = capture()
  const { dir, file } = await added(t, { 'a.pcap': bytes })
  const expected = slowFlows(bytes).map(
    ({ from, to, protocol, packets, bytes: size, first, last, number, flags, end }) => {
      return { from, to, protocol, packets, bytes: size, first, last, number, flags, end }
    },
  )
  const rows = await flowRows(dir)
  assert.deepEqual(
    rows,
    expected.sort((a, b) => a.number - b.number),
  )
  assert.equal(file('a.pcap').records, rows.length)
  // Nothing of a packet is lost on the way.
  const total = conversations()
  assert.equal(
    expected.reduce((sum, one) => sum + one.packets, 0),
    total.length,
  )
  assert.equal(
    expected.reduce((sum, one) => sum + one.bytes, 0),
    total.reduce((sum, one) => sum + one.bytes, 0),
  )
})

test('the connections of a capture have both directions, state, history, round trip and Community ID', async t => {
  const { dir } = await added(t, { 'a.pcap': capture() })
  const opened = await openCase(dir)
  const rows =
    await opened.db.rows(`SELECT ip4(orig_addr) AS orig, orig_port, ip4(resp_addr) AS resp, resp_port, protocol, orig_packets,
    orig_ip_bytes, orig_bytes, resp_packets, resp_ip_bytes, resp_bytes, conn_state, history, rtt_us, role_basis, community_id, _line
    FROM connections ORDER BY start, orig_port`)
  await opened.close()
  const of = (port: number) => rows.filter(row => row['orig_port'] === port)
  assert.deepEqual(
    of(40000).map(row => [
      row['conn_state'],
      row['orig_packets'],
      row['orig_ip_bytes'],
      row['orig_bytes'],
      row['resp_ip_bytes'],
      row['resp_bytes'],
      row['rtt_us'],
    ]),
    [
      ['SF', 6, 340, 100, 1120, 1000, 100000],
      ['SF', 6, 247, 7, 1120, 1000, 100000],
    ],
  )
  assert.deepEqual(
    [of(40001)[0], of(40002)[0], of(40003)[0], of(5353)[0]].map(row => [
      row!['conn_state'],
      row!['history'],
      row!['role_basis'],
    ]),
    [
      ['S1', 'ShADd', 'syn'],
      ['REJ', 'Sr', 'syn'],
      ['S0', 'S', 'syn'],
      ['SF', 'Dd', 'first-seen'],
    ],
  )
  // Community ID's own example (corelight/community-id-spec), whoever speaks first.
  const { dir: other } = await added(t, {
    'b.pcap': captureOf(talk({ at: start, client: '128.232.110.120 34855', server: '66.35.250.204 80' })),
    'c.pcap': captureOf(talk({ at: start, server: '128.232.110.120 34855', client: '66.35.250.204 80' })),
  })
  const second = await openCase(other)
  const ids = await second.db.rows('SELECT community_id FROM connections')
  await second.close()
  assert.deepEqual(
    ids.map(row => row['community_id']),
    ['1:LQU9qZlK+B5F3KDmev6m5PMibrg=', '1:LQU9qZlK+B5F3KDmev6m5PMibrg='],
  )
})

test('a capture’s account: packets = decoded + undecoded, what was cut, dropped, out of order', async t => {
  const section = new Section()
  const frame = ethernet(0x0800, ipv4({ protocol: 17 }, udp(5, 6, [1, 2, 3])))
  const at = (us: number): bigint => BigInt(start) * 1_000_000n + BigInt(us)
  const pcapng = Uint8Array.from([
    ...section.header(),
    ...section.interface(1),
    ...section.interface(1),
    ...section.enhanced(0, at(500), frame),
    ...section.enhanced(0, at(100), frame),
    ...section.enhanced(1, at(900), ethernet(0x0806, new Array<number>(28).fill(0))),
    ...section.enhanced(1, at(950), ethernet(0x0800, [0x45, 0, 0]), 60),
    ...section.simple(frame.length, frame),
    ...section.statistics(0, [[5, section.u64(7n)]]),
  ])
  const { file } = await added(t, { 'a.pcapng': pcapng, 'b.pcap': capture(60) })
  const { capture: account, ...entry } = file('a.pcapng')
  assert.deepEqual([entry.kind, entry.status, entry.lines, entry.problem], ['pcapng', 'read', 0, null])
  assert.deepEqual(account, {
    ...{
      packets: 5,
      decoded: 3,
      undecoded: [
        { name: 'ARP', packets: 1 },
        { name: 'IP header cut short', packets: 1 },
      ],
      lost: {
        ...{ packets: 1, first: '2023-11-14T22:13:20.000950Z', last: '2023-11-14T22:13:20.000950Z' },
        reasons: [{ name: 'IP header cut short', packets: 1 }],
      },
    },
    ...{ cut: 1, without_transport: 0, fragments: 0, tunnels: [], out_of_order: 1, untimed: 1 },
    ...{ copies: 0, copies_suspected: 0 },
    ...{ wire_bytes: 3 * frame.length + 42 + 60, ip_bytes: 3 * 31, interfaces: 2, dropped: 7 },
    ...{ flow_records: account!.flow_records, connections: account!.connections, evicted: 0 },
  })
  assert.equal(account!.packets, account!.decoded + account!.undecoded.reduce((sum, one) => sum + one.packets, 0))
  const cut = file('b.pcap').capture!
  // Lengths in the headers count, not what was kept of a packet.
  assert.equal(
    cut.ip_bytes,
    conversations().reduce((sum, one) => sum + one.bytes, 0),
  )
  assert.equal(cut.cut, conversations().filter(one => one.bytes + 14 > 60).length)
  assert.equal(cut.dropped, null)
  assert.equal(file('b.pcap').first_start, '2023-11-14T22:13:20Z')
})

test('a capture that ends early is partly read, with the place; what is none is unreadable', async t => {
  const whole = capture()
  const { file, report } = await added(t, {
    'cut.pcap': whole.subarray(0, whole.length - 30),
    'head.pcap': whole.subarray(0, 20),
    'empty.pcap': whole.subarray(0, 24),
  })
  assert.equal(file('cut.pcap').status, 'partly-read')
  const from = whole.length - 58
  assert.match(file('cut.pcap').problem!, new RegExp(`^byte ${from}: cut short: 28 of the 58 bytes of a record$`))
  assert.equal(file('cut.pcap').capture!.packets, conversations().length + 1)
  assert.deepEqual([file('head.pcap').status, file('head.pcap').records], ['unreadable', 0])
  assert.match(file('head.pcap').problem!, /^byte 0: cut short: 20 of the 24 bytes of the file header$/)
  assert.deepEqual([file('empty.pcap').status, file('empty.pcap').capture!.packets], ['read', 0])
  assert.deepEqual(report.problems.map(({ path, offset }) => [path.slice(path.lastIndexOf('/') + 1), offset]).sort(), [
    ['cut.pcap', from],
    ['head.pcap', undefined],
  ])
})

test('gzip and zstd around a capture change nothing; damage inside is named by the packed file’s byte', async t => {
  const whole = capture()
  const gz = gzipSync(whole)
  const half = gz.subarray(0, Math.floor(gz.length / 2))
  const noFrame = gzipSync(Buffer.concat([whole.subarray(0, whole.length - 30)]))
  const { file, report } = await added(t, {
    'a.pcap': whole,
    'a.pcap.gz': gz,
    'a.pcap.zst': storedZstd(whole),
    'half.gz': half,
    'cut.gz': noFrame,
  })
  const { id: _i, path: _p, size: _s, sha256: _h, ...plain } = file('a.pcap')
  for (const name of ['a.pcap.gz', 'a.pcap.zst']) {
    const { id: _1, path: _2, size: _3, sha256: _4, ...packed } = file(name)
    assert.deepEqual(packed, plain, name)
  }
  const places = (name: string) => report.problems.filter(({ path }) => path.endsWith(name))
  assert.equal(file('half.gz').status, 'partly-read')
  assert.match(
    file('half.gz').problem!,
    new RegExp(`^byte ${half.length}: gzip: the file is cut short; what came before is kept$`),
  )
  // That the capture ends there too is no second damage.
  assert.equal(places('half.gz').length, 1)
  assert.ok(file('half.gz').capture!.packets > 0)
  assert.match(file('cut.gz').problem!, /^byte \d+: \(unpacked\) cut short/)
})

/** A zstd frame of raw blocks (RFC 8878, 3.1.1). */
function storedZstd(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0, ...le(bytes.length, 4))]
  const most = 100_000
  for (let at = 0; at < bytes.length; at += most) {
    const piece = bytes.subarray(at, at + most)
    const last = at + most >= bytes.length ? 1 : 0
    parts.push(Uint8Array.from(le((piece.length << 3) | last, 3)), piece)
  }
  return Buffer.concat(parts)
}

const le = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 255)

test('the same capture is not added twice, under whatever name', async t => {
  const { dir, folder, file } = await added(t, { 'a.pcap': capture(), 'b.pcap': capture() })
  assert.deepEqual([file('a.pcap').status, file('b.pcap').status], ['read', 'duplicate'])
  writeFileSync(join(folder, 'c.pcap'), capture())
  const again = await addEvidence({ case: dir, paths: [join(folder, 'c.pcap')], workers: 1 })
  assert.equal(again.files[0]!.status, 'duplicate')
  const opened = await openCase(dir)
  const [count] = await opened.db.rows('SELECT count(*) AS n FROM packet_flows')
  await opened.close()
  assert.equal(count!['n'], file('a.pcap').records)
})

test('an nfcapd file’s records are all there, with what only they know; damage names block and record', async t => {
  const flows = randomFlows(500, 3)
  const bytes = written(flows, { ident: 'edge', compression: 'lz4' })
  const damaged = bytes.slice()
  damaged[damaged.length - 40]! ^= 0xff
  const { dir, file } = await added(t, { 'nfcapd.202311142210': bytes, 'cut.nf': bytes.subarray(0, bytes.length - 9) })
  const { nfcapd, ...entry } = file('nfcapd.202311142210')
  assert.deepEqual([entry.kind, entry.status, entry.records, entry.capture], ['nfcapd', 'read', 500, null])
  assert.deepEqual([nfcapd!.layout, nfcapd!.compression, nfcapd!.ident, nfcapd!.flow_records], [2, 'lz4', 'edge', 500])
  assert.equal(nfcapd!.records, nfcapd!.flow_records + nfcapd!.skipped.reduce((sum, one) => sum + one.records, 0))
  assert.match(file('cut.nf').problem!, /^byte \d+: block \d+: /)
  const opened = await openCase(dir)
  const rows = await opened.db.rows(
    `SELECT _line, protocol, srcport, packets, bytes, input_if, src_as, vlan FROM packet_flows WHERE _file = ${entry.id} ORDER BY _line`,
  )
  await opened.close()
  const u64 = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  rows.forEach((row, i) => {
    const flow = flows[i]!
    assert.equal(BigInt(row['packets'] as number), u64(flow.packetsHigh, flow.packetsLow), textOf(flow))
    assert.equal(BigInt(row['bytes'] as number), u64(flow.bytesHigh, flow.bytesLow), textOf(flow))
    assert.equal(row['protocol'], flow.protocol)
    if ([6, 17, 132].includes(flow.protocol)) assert.equal(row['srcport'], flow.srcPort)
    else assert.equal(row['srcport'], null)
  })
  assert.ok(rows.some(row => row['src_as'] !== null) && rows.some(row => row['src_as'] === null))
})

test('logs, captures and nfcapd files in one case: flows are those of the logs, and the others have views of their own', async t => {
  const log = logOf(conversations())
  const { dir, report } = await added(t, { 'a.pcap': capture(), 'b.nf': written(randomFlows(10, 1)), 'c.log': log })
  const opened = await openCase(dir)
  const count = async (view: string) => Number((await opened.db.rows(`SELECT count(*) AS n FROM ${view}`))[0]!['n'])
  const lines = log.trim().split('\n').length - 1
  assert.equal(opened.source, 'logs')
  assert.equal(await count('flows'), lines)
  assert.equal(await count('packet_flows'), 10 + report.files.find(file => file.capture)!.records)
  assert.equal(await count('connections'), report.files.find(file => file.capture)!.capture!.connections)
  await opened.close()
  assert.equal(report.totals.files, 3)
})

test('verify passes, and finds a flipped bit in segments of packets', async t => {
  const { dir } = await added(t, { 'a.pcap': capture() })
  assert.equal((await verifyCase(dir)).intact, true)
  const segments = readdirSync(join(dir, 'segments'))
  assert.deepEqual(segments.map(name => name.replace(/-[0-9].*/, '')).sort(), ['connections', 'packet-flows'])
  for (const name of segments) {
    const path = join(dir, 'segments', name)
    const bytes = readFileSync(path)
    for (const place of [4, bytes.length >> 1, bytes.length - 1]) {
      bytes[place]! ^= 0x10
      writeFileSync(path, bytes)
      const report = await verifyCase(dir)
      assert.equal(report.intact, false)
      assert.deepEqual(
        report.findings.map(({ what, path: found }) => [what, found.endsWith(name)]),
        [['altered', true]],
      )
      bytes[place]! ^= 0x10
      writeFileSync(path, bytes)
    }
  }
  assert.equal((await verifyCase(dir)).intact, true)
})

test('the pages of add and evidence show what captures and nfcapd files held', async t => {
  const { folder, report } = await added(t, {
    'a.pcap': capture(80),
    'b.pcap': capture().subarray(0, 900),
    'c.nf': written(randomFlows(40, 5), { ident: 'edge' }),
    'd.log': logOf(conversations()),
  })
  const shown = placed(report, folder)
  for (const width of [80, 140]) {
    golden(`packets-add-${width}.golden.txt`, terminalText(addPage(shown), { width, color: false }))
    golden(`packets-evidence-${width}.golden.txt`, terminalText(evidencePage(shown), { width, color: false }))
  }
})

/** The report as of a folder that is the same everywhere. */
function placed(report: EvidenceReport, folder: string): EvidenceReport {
  return JSON.parse(JSON.stringify(report).replaceAll(folder, '/evidence')) as EvidenceReport
}
