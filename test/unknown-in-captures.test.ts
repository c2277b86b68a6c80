// What a capture does not tell, from its bytes to the answers: unknown is not zero, and what does not exist is not unknown.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { convert } from '../src/convert/convert.ts'
import { compile } from '../src/filter/compile.ts'
import { contextOf, countMatches } from '../src/filter/context.ts'
import { parse } from '../src/filter/filter.ts'
import { addEvidence } from '../src/ingest/add.ts'
import { investigate } from '../src/investigate/investigate.ts'
import { dossierPage } from '../src/report/dossier.ts'
import { terminalText } from '../src/report/terminal.ts'
import { type Case, openCase } from '../src/store/case.ts'
import { temporaryFolder } from './cli/run.ts'
import { Section } from './packet/blocks.ts'
import { type Bytes, ethernet, hex, ipv4, ipv6, pcap, tcp, udp, vlan, zeros } from './packet/build.ts'

const start = 1_700_000_000

async function opened(t: TestContext, bytes: Uint8Array): Promise<Case> {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a.pcap')
  writeFileSync(path, bytes)
  await addEvidence({ case: join(folder, 'case'), paths: [path], workers: 1 })
  const c = await openCase(join(folder, 'case'))
  t.after(() => c.close())
  return c
}

/** How many records a filter matches, and of how many it cannot be told. */
async function matches(c: Case, text: string): Promise<[number, number]> {
  const context = contextOf(c, 'packet_flows', [])
  const compiled = compile(parse(text, { columns: context.columns }), context)
  const { matched, unknown } = await countMatches(c, compiled, 'packet_flows')
  return [matched, unknown]
}

const page = async (c: Case, subject: string): Promise<string> =>
  terminalText(dossierPage(await investigate(c, [subject]), { showWork: false, full: true }), {
    width: 400,
    color: false,
  }).replace(/\s+/g, ' ')

const frames = (list: Bytes[], kept = 65_535): Uint8Array =>
  pcap(
    list.map((bytes, i) => ({ bytes: bytes.slice(0, kept), wire: bytes.length, time: [start + i, 0] })),
    { linkType: 1 },
  )

test('TCP headers that the snapshot length cut have no flags, rather than none of them set', async t => {
  const six = (src: number, dst: number) =>
    ethernet(0x8100, vlan(7, 0x86dd, ipv6({ next: 6 }, tcp(src, dst, 16, zeros(20)))))
  const c = await opened(t, frames([six(50000, 22), six(50000, 22)], 68))
  assert.deepEqual(await c.db.rows('SELECT tcp_flags, srcport, packets, bytes FROM packet_flows'), [
    { tcp_flags: null, srcport: 50000, packets: 2, bytes: 160 },
  ])
  assert.deepEqual(await matches(c, 'flags none SAFRPU'), [0, 1])
  const [row] = await c.db.rows('SELECT history, orig_bytes, orig_payload, orig_ip_bytes, resp_bytes FROM connections')
  assert.deepEqual(row, { history: null, orig_bytes: null, orig_payload: null, orig_ip_bytes: 160, resp_bytes: 0 })
})

test('what the snapshot length cut is not written as zero either', async t => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a.pcap')
  const four = (options: Bytes) => ethernet(0x0800, ipv4({ protocol: 6, options }, tcp(50000, 22, 16, zeros(20))))
  // Of the second packet the capture has ten bytes of TCP.
  writeFileSync(path, frames([four([]), four(zeros(40))], 84))
  const fields: Record<string, string[]> = {}
  for (const to of ['csv', 'vpc', 'conn-log'] as const) {
    await convert({ paths: [path], out: join(folder, to), to })
    const lines = readFileSync(join(folder, to), 'utf8').trim().split('\n')
    fields[to] = lines.at(-1)!.split({ csv: ',', vpc: ' ', 'conn-log': '\t' }[to])
  }
  assert.equal(fields['csv']![9], '', 'tcp_flags')
  assert.deepEqual(fields['vpc']!.slice(7, 10), ['6', '2', '160'])
  assert.equal(fields['vpc']!.at(-3), '-', 'tcp-flags')
  assert.deepEqual(fields['conn-log']!.slice(9, 12), ['-', '0', 'OTH'])
})

test('ICMP and ESP have no port, TCP without its ports has some', async t => {
  const web = ethernet(0x0800, ipv4({ protocol: 6 }, tcp(40000, 443, 2)))
  const ping = ethernet(0x0800, ipv4({ protocol: 1 }, hex('0800 0000 1234 0001')))
  const esp = ethernet(0x0800, ipv4({ protocol: 50 }, zeros(40)))
  const c = await opened(t, frames([web, ping, esp]))
  assert.deepEqual(await matches(c, 'not port 443'), [2, 0])
  assert.deepEqual(await matches(c, 'src port != 443'), [3, 0])
  assert.deepEqual(await matches(c, 'port > 0'), [1, 0])
  const cut = await opened(t, frames([web, ping, esp], 34))
  assert.deepEqual(await matches(cut, 'not port 443'), [2, 1])
})

test('fragments in any order are one flow; those whose first is missing have unknown ports', async t => {
  const part = (fragment: number, payload: Bytes) => ethernet(0x0800, ipv4({ protocol: 17, id: 1, fragment }, payload))
  const all = [part(0x2000, udp(50000, 53, zeros(1000))), part(0x2000 | 126, zeros(1000)), part(251, zeros(100))]
  for (const order of [all, [...all].reverse(), [all[1]!, all[0]!, all[2]!]]) {
    const c = await opened(t, frames(order))
    assert.deepEqual(await c.db.rows('SELECT dstport, packets, bytes, _line FROM packet_flows'), [
      { dstport: 53, packets: 3, bytes: 2168, _line: 1 },
    ])
  }
  const c = await opened(t, frames(all.slice(1)))
  assert.match(await page(c, '192.0.2.1'), /ports unknown/)
})

test('packets that were not decoded are a gap of the dossier, unless nothing of IP is lost with them', async t => {
  const s = new Section()
  const packet = ethernet(0x0800, ipv4({ protocol: 17 }, udp(50000, 53, [1])))
  const time = (seconds: number) => BigInt(start + seconds) * 1_000_000n
  const both = (linkType: number, other: Bytes) =>
    Uint8Array.from([
      ...[s.header(), s.interface(1), s.interface(linkType)].flat(),
      ...[0, 1].flatMap(i => s.enhanced(0, time(i), packet)),
      ...[2, 3, 4].flatMap(i => s.enhanced(1, time(i), other)),
    ])
  const lost = await opened(t, both(105, zeros(60)))
  const d = await investigate(lost, ['192.0.2.1'])
  assert.deepEqual([d.attack_surface.complete, d.bytes.at_least, d.packets.at_least], [false, true, true])
  assert.deepEqual(
    d.attack_surface.gaps.map(({ sensor: _, ...gap }) => gap),
    [
      {
        ...{ from: '2023-11-14T22:13:22Z', to: '2023-11-14T22:13:24Z', reason: 'undecoded-packets' },
        detail:
          '3 packets that may be of IP were not decoded (unknown link type 105 (IEEE802_11) 3): every count here is a floor',
      },
    ],
  )
  assert.match(await page(lost, '192.0.2.1'), /Packets were not decoded: .* 3 packets that may be of IP/)
  for (const [linkType, other] of [
    [1, ethernet(0x0806, zeros(28))],
    [1, ethernet(0x88cc, zeros(28))],
    [189, zeros(60)],
  ] as const) {
    const whole = await investigate(await opened(t, both(linkType, other)), ['192.0.2.1'])
    assert.deepEqual([whole.attack_surface.complete, whole.bytes.at_least], [true, false])
  }
})

test('a RST alone: nobody connected to anybody', async t => {
  const rst = (from: number, to: number) => ethernet(0x0800, ipv4({ protocol: 6 }, tcp(from, to, 4)))
  // Which end is called the server says nothing where the role is unknown.
  for (const [from, to, server, port] of [
    [443, 63625, '192.0.2.1', 443],
    [55555, 44444, '198.51.100.2', 44444],
  ] as const) {
    const c = await opened(t, frames([rst(from, to)]))
    const [row] = await c.db.rows('SELECT conn_state FROM connections')
    assert.match(String(row!['conn_state']), /^(OTH|RSTRH)$/)
    const d = await investigate(c, ['192.0.2.1'])
    assert.deepEqual(
      d.services.map(one => [one.server, one.port, one.role_basis]),
      [[server, port, 'unknown']],
    )
    const text = await page(c, '192.0.2.1')
    assert.doesNotMatch(text, /connected to (?!whom is not known)/)
    assert.match(text, /sent 40 B to 198\.51\.100\.2(?::44444)? \(TCP\); who connected to whom is not known/)
  }
})

test('the server of DHCP has port 67, also where only its answer was captured', async t => {
  const answer = ethernet(0x0800, ipv4({ protocol: 17 }, udp(67, 68, zeros(300))))
  const c = await opened(t, frames([answer]))
  const [row] = await c.db.rows('SELECT orig_port, resp_port FROM connections')
  assert.deepEqual(row, { orig_port: 68, resp_port: 67 })
  const { services } = await investigate(c, ['192.0.2.1'])
  assert.deepEqual([services[0]!.server, services[0]!.port, services[0]!.role_basis], ['192.0.2.1', 67, 'port-number'])
})
