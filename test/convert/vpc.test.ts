import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { namedFormats } from '../../src/vpc-text/layout.ts'
import { slowPackets } from '../demo/slow-pcap.ts'
import { flowsOf, type PlainRow } from '../ingest/flows-of.ts'
import { captures, converted, made, start } from './support.ts'

type Sums = Record<string, [packets: number, bytes: number]>

function sums(rows: { key: string; packets: number; bytes: number }[]): Sums {
  const all: Sums = {}
  for (const { key, packets, bytes } of rows) {
    const sum = (all[key] ??= [0, 0])
    sum[0] += packets
    sum[1] += bytes
  }
  return all
}

const key = (row: PlainRow): string =>
  `${row['srcaddr']} ${row['dstaddr']} ${row['srcport']} ${row['dstport']} ${row['protocol']}`

for (const interval of [60, 600]) {
  test(`read again by add: the packets and bytes of the capture by 5-tuple, ${interval} s`, async t => {
    const { folder, plain } = captures(t)
    const out = join(folder, 'vpc.log')
    await converted([plain], out, { interval })
    const { flows, report } = await flowsOf(t, [out])
    assert.deepEqual(
      [report.files[0]!.status, report.files[0]!.malformed, report.files[0]!.kind],
      ['read', 0, 'vpc-flow-log'],
    )
    const packets = [...slowPackets(plain)]
    assert.deepEqual(
      sums(flows.map(row => ({ key: key(row), packets: Number(row['packets']), bytes: Number(row['bytes']) }))),
      sums(
        packets.map(p => ({
          key: `${p.source} ${p.target} ${p.source_port} ${p.target_port} ${p.protocol}`,
          packets: 1,
          bytes: p.ip_bytes,
        })),
      ),
    )
    // No record reaches beyond its interval.
    for (const row of flows) {
      const [from, to] = ['start', 'end'].map(name => Math.floor(Date.parse(String(row[name])) / 1000 / interval))
      assert.equal(from, to)
    }
    const windows = new Set(
      packets.map(
        p => `${p.source}:${p.source_port} ${p.target}:${p.target_port} ${Math.floor(p.time / 1e6 / interval)}`,
      ),
    )
    assert.equal(flows.length, windows.size)
  })
}

test('what a capture cannot know is "-", and nothing is invented', async t => {
  const { folder, plain } = captures(t)
  const out = join(folder, 'vpc.log')
  await converted([plain], out)
  const [header, ...lines] = readFileSync(out, 'utf8').trimEnd().split('\n')
  const names = header!.split(' ')
  const values = (name: string): string[] => [...new Set(lines.map(line => line.split(' ')[names.indexOf(name)]!))]
  for (const name of ['account-id', 'interface-id', 'action', 'flow-direction'])
    assert.deepEqual(values(name), ['-'], name)
  assert.deepEqual([values('version'), values('log-status'), values('type')], [['5'], ['OK'], ['IPv4']])
})

test('the address and the name of the interface give direction and sensor', async t => {
  const { folder, plain } = captures(t)
  const out = join(folder, 'vpc.log')
  await converted([plain], out, { interfaceAddress: '198.51.100.2', interfaceId: 'eni-0a1b' })
  const { flows } = await flowsOf(t, [out])
  for (const row of flows) {
    const expected =
      row['srcaddr'] === '198.51.100.2' ? 'egress' : row['dstaddr'] === '198.51.100.2' ? 'ingress' : undefined
    assert.equal(row['flow_direction'], expected)
    assert.equal(row['interface_id'], 'eni-0a1b')
  }
})

test('flags are FIN, SYN, RST and SYN-ACK only, as AWS keeps them', async t => {
  const { folder, plain, odd } = captures(t)
  const out = join(folder, 'vpc.log')
  await converted([plain, odd], out)
  const { flows } = await flowsOf(t, [out])
  const flags = new Set(flows.map(row => row['tcp_flags']))
  assert.deepEqual(
    [...flags].sort((a, b) => Number(a) - Number(b)),
    [0, 2, 3, 4, 18, 19],
  )
  const of = (src: string): unknown[] =>
    flows
      .filter(row => row['srcport'] === 40002 || row['dstport'] === 40002)
      .filter(row => row['srcaddr'] === src)
      .map(row => row['tcp_flags'])
  assert.deepEqual([of('192.0.2.9'), of('198.51.100.2')], [[2], [4]])
})

test('protocols without ports have 0, ports that no packet showed are unknown', async t => {
  const { folder, odd } = captures(t)
  const out = join(folder, 'vpc.log')
  await converted([odd], out)
  const { flows } = await flowsOf(t, [out])
  const ports = (protocol: number): unknown[][] =>
    flows.filter(row => row['protocol'] === protocol).map(row => [row['srcport'], row['dstport']])
  assert.deepEqual(
    [ports(1), ports(58), ports(89)],
    [
      [
        [0, 0],
        [0, 0],
      ],
      [[0, 0]],
      [[0, 0]],
    ],
  )
  assert.deepEqual(
    ports(17).sort(),
    [
      [1000, 2000],
      [7, 8],
      [undefined, undefined],
    ].sort(),
  )
})

test('every list of fields that add knows by name, and lists of one’s own', async t => {
  const { folder, plain } = captures(t)
  for (const [name, fields] of namedFormats) {
    const out = join(folder, 'vpc.log')
    await converted([plain], out, { fields: name })
    const text = readFileSync(out, 'utf8')
    assert.equal(text.slice(0, text.indexOf('\n')), fields, name)
    const { report } = await flowsOf(t, [out])
    assert.deepEqual([report.files[0]!.status, report.totals.malformed], ['read', 0], name)
  }
  const own = join(folder, 'own.log')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: AWS's own spelling of a custom format
  await converted([plain], own, { to: 'vpc', fields: '${srcaddr} ${dstaddr} ${bytes} ${start}' })
  const [header, first] = readFileSync(own, 'utf8').split('\n')
  assert.equal(header, 'srcaddr dstaddr bytes start')
  assert.match(first!, new RegExp(`^\\S+ \\S+ \\d+ ${start}$`))
  const versions = async (fields: string): Promise<string> => {
    await converted([plain], own, { to: 'vpc', fields })
    return readFileSync(own, 'utf8').split('\n')[1]!.split(' ')[0]!
  }
  // AWS: the highest version among the fields.
  assert.equal(await versions('version srcaddr dstaddr bytes'), '2')
  assert.equal(await versions('version srcaddr dstaddr pkt-srcaddr'), '3')
  await assert.rejects(
    converted([plain], own, { to: 'vpc', fields: 'version srcadr dstaddr bytes' }),
    /not a field of flow logs: srcadr/,
  )
  await assert.rejects(
    converted([plain], own, { to: 'vpc', fields: 'version version dstaddr bytes' }),
    /duplicate field in --fields: version/,
  )
})

test('the same dossier totals from the capture’s flow log as the capture has', async t => {
  const { folder, plain } = captures(t)
  const out = join(folder, 'vpc.log')
  const report = await converted([plain], out)
  assert.equal(
    report.bytes,
    made().reduce((sum, packet) => sum + packet.bytes, 0),
  )
  assert.equal(report.packets, made().length)
})
