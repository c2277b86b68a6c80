// Logs and captures of the same traffic: handmade cases for every grade and every reason (docs/reference/dossier.md, section 7).
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { addEvidence } from '../src/ingest/add.ts'
import type { Correlation, CorrelationRow, Dossier } from '../src/investigate/dossier.ts'
import { investigate } from '../src/investigate/investigate.ts'
import { dossierPage } from '../src/report/dossier.ts'
import { terminalText } from '../src/report/terminal.ts'
import { openCase } from '../src/store/case.ts'
import { temporaryFolder } from './cli/run.ts'
import { golden } from './golden.ts'
import { ask, captureOf, logFields, logOf, type MadePacket, talk } from './handmade.ts'
import { Section } from './packet/blocks.ts'
import { ethernet, ipv4, tcp, udp } from './packet/build.ts'

const start = 1_700_000_000
const subject = '203.0.113.9'
const host = '10.0.0.5'

async function dossierOf(
  t: TestContext,
  files: Record<string, Uint8Array | string>,
  subjects = [subject],
): Promise<Dossier> {
  const folder = temporaryFolder(t)
  const paths = Object.entries(files).map(([name, content]) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  })
  const dir = join(folder, 'case')
  await addEvidence({ case: dir, paths, workers: 1 })
  const opened = await openCase(dir)
  try {
    return JSON.parse(JSON.stringify(await investigate(opened, subjects)).replaceAll(folder, '/evidence')) as Dossier
  } finally {
    await opened.close()
  }
}

async function compared(
  t: TestContext,
  log: string,
  capture: Uint8Array,
  subjects?: string[],
): Promise<{ rows: CorrelationRow[]; summary: Correlation }> {
  const dossier = await dossierOf(t, { 'a.log': log, 'a.pcap': capture }, subjects)
  return { rows: dossier.correlation, summary: dossier.correlation_summary! }
}

const grades = (rows: CorrelationRow[]): string[] =>
  rows.map(row => `${row.match}${row.reason === null ? '' : ` ${row.reason}`}`)

const http = (at: number, port: number, more: Partial<Parameters<typeof talk>[0]> = {}): MadePacket[] =>
  talk({ at, client: `${subject} ${port}`, server: `${host} 80`, ...more })
/** Traffic of the host from half an hour before to half an hour after, so that neither kind ends too early. */
const around = [
  ...ask(start - 1800, `${host} 5000`, '198.51.100.53 53'),
  ...ask(start + 1800, `${host} 5001`, '198.51.100.53 53'),
]
/** Lines at each minute, so that the logs have no hole. */
const steady = Array.from({ length: 61 }, (_, i) =>
  ask(start - 1800 + 60 * i, `${host} 123`, '198.51.100.123 123'),
).flat()

test('full: ends, time and volume agree', async t => {
  const packets = [...around, ...http(start, 4000)]
  const { rows, summary } = await compared(t, logOf(packets), captureOf(packets))
  assert.deepEqual(grades(rows), ['full'])
  const [row] = rows
  assert.deepEqual(
    [row!.log!.bytes_to_server, row!.capture!.bytes_to_server, row!.delta!.bytes_to_server],
    [340, 340, 0],
  )
  assert.deepEqual([row!.capture!.conn_state, row!.capture!.history, row!.capture!.rtt_us], ['SF', 'ShADdFf', 100_000])
  assert.deepEqual([row!.client, row!.client_port, row!.server, row!.server_port], [subject, 4000, host, 80])
  assert.match(row!.community_id!, /^1:/)
  assert.deepEqual([summary.full, summary.time, summary.log_only, summary.capture_only], [1, 0, 0, 0])
})

test('full: a log that has 95 % of the bytes; time: one that has 85 %, or more than the capture', async t => {
  const whole = http(start, 4000, { answer: 10_000 })
  const scaled = (factor: number): string =>
    logOf([...around, ...whole.map(packet => ({ ...packet, bytes: Math.round(packet.bytes * factor) }))])
  for (const [factor, expected] of [
    [0.95, 'full'],
    [0.85, 'time volumes-differ'],
    [1.01, 'time volumes-differ'],
  ] as const) {
    const { rows } = await compared(t, scaled(factor), captureOf([...around, ...whole]))
    assert.deepEqual(grades(rows), [expected], `${factor}`)
  }
})

test('time: the connection reaches beyond the capture', async t => {
  const long = http(start, 4000, { ends: 'open', lasts: 900 })
  const { rows } = await compared(
    t,
    logOf([...around, ...long]),
    captureOf(long.filter(packet => packet.at > start + 200)),
  )
  assert.deepEqual(grades(rows), ['time reaches-beyond-the-capture'])
  assert.ok(rows[0]!.delta!.packets_to_server! > 0)
})

test('time, and logs only: the capture lost packets, or is damaged', async t => {
  const packets = [...around, ...http(start, 4000, { answer: 9000 }), ...http(start + 100, 4001)]
  const kept = packets.filter(packet => packet.payload !== 9000 && packet.srcPort !== 4001 && packet.dstPort !== 4001)
  const dropping = (await compared(t, logOf(packets), dropped(kept, 2))).rows
  assert.deepEqual(grades(dropping), ['time capture-lost-packets', 'log-only capture-lost-packets'])
  const damaged = captureOf(kept)
  const { rows } = await compared(t, logOf(packets), damaged.subarray(0, damaged.length - 3))
  // What is cut off its end ends earlier too: the connection is at its edge no more than before.
  assert.deepEqual(grades(rows), ['time capture-is-damaged', 'log-only capture-is-damaged'])
})

/** The packets as pcapng whose statistics say that some were dropped. */
function dropped(packets: readonly MadePacket[], drops: number): Uint8Array {
  const section = new Section()
  const pcap = Buffer.from(captureOf(packets))
  const blocks: number[] = []
  for (let at = 24; at < pcap.length; ) {
    const length = pcap.readUInt32LE(at + 8)
    const time = BigInt(pcap.readUInt32LE(at)) * 1_000_000n + BigInt(pcap.readUInt32LE(at + 4))
    blocks.push(...section.enhanced(0, time, [...pcap.subarray(at + 16, at + 16 + length)]))
    at += 16 + length
  }
  const statistics = section.statistics(0, [[5, section.u64(BigInt(drops))]])
  return Uint8Array.from([...section.header(), ...section.interface(1), ...blocks, ...statistics])
}

test('logs only: outside the capture, rejected, at its edge, of another host, not explained', async t => {
  const inside = http(start, 4000)
  const other = talk({ at: start + 10, client: `${subject} 4001`, server: '10.0.0.99 80' })
  const log = [
    logOf([
      ...steady,
      ...inside,
      ...other,
      ...http(start - 1500, 4002),
      ...http(start + 290, 4003),
      ...http(start + 30, 4004),
    ]),
    logOf(http(start + 20, 4005, { ends: 'unanswered' }), { action: 'REJECT', header: false }),
  ].join('')
  const span = [
    ...ask(start - 300, `${host} 5000`, '198.51.100.53 53'),
    ...ask(start + 300, `${host} 5001`, '198.51.100.53 53'),
  ]
  const { rows, summary } = await compared(t, log, captureOf([...span, ...inside]))
  assert.deepEqual(Object.fromEntries(rows.map(row => [row.client_port, grades([row])[0]])), {
    4000: 'full',
    4001: 'log-only other-host',
    4002: 'log-only outside-the-capture',
    4003: 'log-only at-the-edge-of-the-capture',
    4004: 'log-only unexplained',
    4005: 'log-only rejected-before-the-host',
  })
  assert.equal(
    summary.reasons.reduce((sum, reason) => sum + reason.connections, 0),
    5,
  )
})

test('logs only: a capture on another host, and an end that was translated', async t => {
  const elsewhere = [
    ...ask(start - 600, '10.0.0.77 5000', '198.51.100.53 53'),
    ...ask(start + 600, '10.0.0.77 5001', '198.51.100.53 53'),
  ]
  const log = logOf([...steady, ...http(start, 4000)])
  assert.deepEqual(grades((await compared(t, log, captureOf(elsewhere))).rows), ['log-only other-host'])
  // Behind the load balancer the host sees another client.
  const behind = talk({ at: start, client: '192.0.2.200 4000', server: `${host} 80` })
  const { rows } = await compared(t, log, captureOf([...around, ...behind]))
  assert.deepEqual(grades(rows), ['log-only address-translated-or-filtered'])
})

test('packets only: what AWS never logs', async t => {
  const unlogged: [MadePacket[], string][] = [
    [talk({ at: start, client: `${host} 3000`, server: '169.254.169.254 80' }), 'never-logged: instance metadata'],
    [ask(start + 1, `${host} 3001`, '169.254.169.123 123'), 'never-logged: time service'],
    [ask(start + 2, `${host} 68`, '10.0.0.1 67'), 'never-logged: DHCP'],
    [ask(start + 3, `${host} 3003`, '10.0.0.2 53'), 'never-logged: Amazon resolver'],
    [ask(start + 4, `${host} 3004`, '169.254.169.253 53'), 'never-logged: Amazon resolver'],
    [
      talk({ at: start + 5, client: `${host} 3005`, server: '169.254.169.250 1688' }),
      'never-logged: Windows activation',
    ],
  ]
  const { rows } = await compared(t, logOf(steady), captureOf(unlogged.flatMap(([packets]) => packets)), [host])
  const alone = rows.filter(row => row.match === 'capture-only')
  assert.deepEqual(
    alone.map(row => row.reason),
    unlogged.map(([, reason]) => reason),
  )
})

test('packets only: outside the logs, SKIPDATA, a hole, an address that the logs do not have', async t => {
  const line = (at: number, status: string): string => `2 eni-1 - - - - - - - ${at} ${at + 59} - ${status} -\n`
  const log = `${logOf([...steady.filter(packet => packet.at < start + 300 || packet.at > start + 900), ...http(start - 1790, 3999)])}${line(start - 600, 'SKIPDATA')}`
  const packets = [
    ...http(start, 4000),
    ...http(start - 590, 4001),
    ...http(start + 600, 4002),
    ...http(start + 9000, 4003),
    ...talk({ at: start + 50, client: `${subject} 4004`, server: '10.0.0.99 80' }),
    ...http(start + 60, 4005, { ends: 'unanswered' }),
  ]
  const { rows } = await compared(t, log, captureOf(packets))
  assert.deepEqual(Object.fromEntries(rows.map(row => [row.client_port, grades([row])[0]])), {
    3999: 'log-only outside-the-capture',
    4000: 'capture-only unexplained',
    4001: 'capture-only skipdata',
    4002: 'capture-only hole-in-the-logs',
    4003: 'capture-only outside-the-logs',
    4004: 'capture-only address-translated-or-not-logged',
    4005: 'capture-only log-of-accepted-traffic-only',
  })
})

test('packets only: no interface that logs has seen the subject; neither end is logged; mirrored', async t => {
  const unseen = await compared(t, logOf(steady), captureOf(http(start, 4000)))
  assert.deepEqual(grades(unseen.rows), ['capture-only no-sensor-of-the-subject'])
  const seen = await compared(
    t,
    logOf([...steady, ...http(start - 1500, 1)]),
    captureOf(talk({ at: start, client: '203.0.113.77 4000', server: '10.0.0.77 80' })),
    [subject, '203.0.113.77'],
  )
  assert.deepEqual(grades(seen.rows), ['log-only outside-the-capture', 'capture-only interface-not-logged'])
  const inner = ethernet(0x0800, ipv4({ protocol: 6, src: subject, dst: host }, tcp(4000, 80, 2)))
  const outer = ethernet(
    0x0800,
    ipv4({ protocol: 17, src: host, dst: '10.0.0.50' }, udp(60000, 4789, [8, 0, 0, 0, 0, 0, 7, 0, ...inner])),
  )
  const mirrored = await compared(
    t,
    logOf([...steady, ...http(start - 1500, 1)]),
    captureOf([], 65_535, [{ bytes: outer, time: [start, 0] }]),
  )
  assert.deepEqual(grades(mirrored.rows), ['log-only outside-the-capture', 'capture-only mirrored'])
})

test('several connections of the capture in one of the logs', async t => {
  // The same ports three times within an interval: the log has one record a direction.
  const packets = [0, 5, 10].flatMap(later => http(start + later, 4000))
  const { rows, summary } = await compared(t, logOf([...around, ...packets]), captureOf([...around, ...packets]))
  assert.deepEqual(grades(rows), ['full'])
  assert.deepEqual(
    [rows[0]!.capture!.connections, rows[0]!.capture!.conn_state, rows[0]!.capture!.history],
    [3, null, null],
  )
  assert.deepEqual([rows[0]!.log!.packets_to_server, rows[0]!.capture!.packets_to_server], [18, 18])
  assert.deepEqual([summary.log_connections, summary.capture_connections, summary.full], [1, 3, 1])
})

test('ports that are used again are paired in order of time', async t => {
  const packets = [0, 600, 1200].flatMap((later, i) => http(start + later, 4000, { request: 100 * (i + 1) }))
  const { rows } = await compared(t, logOf([...around, ...packets]), captureOf([...around, ...packets]))
  assert.deepEqual(grades(rows), ['full', 'full', 'full'])
})

for (const ahead of [7.4, -12.25]) {
  test(`the clock offset: logs ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead' : 'behind'}, from 25 connections`, async t => {
    const packets = Array.from({ length: 25 }, (_, i) => http(start + i * 7.37, 4000 + i)).flat()
    const { rows, summary } = await compared(
      t,
      logOf([...around, ...packets], { ahead }),
      captureOf([...around, ...packets]),
    )
    assert.equal(summary.clock_offset.connections, 25)
    assert.ok(Math.abs(summary.clock_offset.seconds! - ahead) <= 0.5, `${summary.clock_offset.seconds}`)
    assert.ok(summary.clock_offset.spread_seconds! < 0.5)
    assert.equal(summary.full, 25)
    // It is told, not applied: each kind keeps its own times.
    assert.equal(rows[0]!.capture!.first, '2023-11-14T22:13:20Z')
    assert.ok(Math.abs(rows[0]!.delta!.start_seconds - ahead) <= 1)
  })
}

test('no clock offset from 19 connections, from such whose beginning was not seen, or from scattered ones', async t => {
  const few = Array.from({ length: 19 }, (_, i) => http(start + i, 4000 + i)).flat()
  const offset = async (log: MadePacket[], capture: MadePacket[]) =>
    (await compared(t, logOf([...around, ...log]), captureOf([...around, ...capture]))).summary.clock_offset
  assert.deepEqual(await offset(few, few), { seconds: null, spread_seconds: null, connections: 19 })
  const many = Array.from({ length: 25 }, (_, i) => http(start + i, 4000 + i)).flat()
  assert.deepEqual(
    await offset(
      many,
      many.filter(packet => packet.flags !== 2),
    ),
    { seconds: null, spread_seconds: null, connections: 0 },
  )
  const scattered = many.map(packet => ({
    ...packet,
    at: packet.at + ((packet.srcPort + packet.dstPort - 4080) % 5) * 150,
  }))
  const { seconds, spread_seconds, connections } = await offset(scattered, many)
  assert.deepEqual([seconds, connections], [null, 25])
  assert.ok(spread_seconds! > 60)
})

test('volumes are never added: all but the comparison is the same with and without the capture', async t => {
  const packets = [...steady, ...http(start, 4000), ...http(start + 10, 4001, { answer: 50_000 })]
  const log = logOf(packets)
  const both = await dossierOf(t, { 'a.log': log, 'b.pcap': captureOf(packets) })
  const alone = await dossierOf(t, { 'a.log': log })
  assert.equal(both.correlation_summary!.full, 2)
  assert.deepEqual([alone.correlation, alone.correlation_summary], [[], null])
  const counted = ({ correlation: _c, correlation_summary: _s, evidence: _e, work, ...rest }: Dossier) => ({
    ...rest,
    figures: work.map(item => [item.figure, item.value]),
  })
  assert.deepEqual(counted(both), counted(alone))
})

test('the section on the page', async t => {
  const packets = [
    ...Array.from({ length: 25 }, (_, i) => http(start + i * 7.37, 4000 + i)).flat(),
    ...talk({ at: start + 30, client: `${subject} 5000`, server: `${host} 22`, ends: 'open', lasts: 240 }),
    ...http(start - 1500, 6000),
  ]
  const seen = packets.filter(packet => packet.at > start - 100)
  const log = `${logOf([...steady, ...packets], { ahead: 3 })}${logOf(http(start + 20, 7000, { ends: 'unanswered' }), { action: 'REJECT', header: false })}`
  const capture = [
    ...ask(start - 200, `${host} 5000`, '198.51.100.53 53'),
    ...ask(start + 600, `${host} 5001`, '198.51.100.53 53'),
    ...seen,
  ]
  const dossier = await dossierOf(t, { 'a.log': log, 'a.pcap': captureOf(capture) })
  for (const width of [80, 140]) {
    const page = terminalText(dossierPage(dossier, { showWork: false, full: true }), { width, color: false })
    assert.match(page.replace(/\s+/g, ' '), /in logs only \(captures cover [^.]*Z\)/)
    const section = /\n── Logs and packets[\s\S]*?(?=\n\n── )/.exec(page)![0]
    golden(`correlation-${width}.golden.txt`, `${section.trimStart()}\n`)
  }
})

test('the fields of a log made by hand are those of a flow log', () => {
  assert.equal(logFields.split(' ').length, logOf(http(start, 4000)).split('\n')[1]!.split(' ').length)
})
