import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { tar, zip } from './archives.ts'
import { read } from './carve-reading.ts'
import { temporaryFolder, tidemark } from './cli/run.ts'
import { type Bytes, ethernet, ipv4, type Record as PacketRecord, pcap, tcp, udp } from './packet/build.ts'

const client = '192.0.2.1'
const server = '198.51.100.7'
const other = '203.0.113.9'
const from = 1_700_000_000

const packet = (seconds: number, src: string, dst: string, protocol: number, payload: Bytes): PacketRecord => ({
  time: [from + seconds, 0],
  bytes: ethernet(0x0800, ipv4({ src, dst, protocol }, payload)),
})
const SYN = 2
const SYNACK = 18
const ACK = 16

/** Two SSH connections of one client, a web connection of another, and a question to a name server. */
const records = [
  packet(0, client, server, 6, tcp(40_000, 22, SYN)),
  packet(1, server, client, 6, tcp(22, 40_000, SYNACK)),
  packet(2, other, server, 6, tcp(50_000, 80, SYN)),
  packet(3, client, server, 6, tcp(40_000, 22, ACK, new Array<number>(100).fill(7))),
  packet(4, client, other, 17, udp(5353, 53, [1, 2, 3])),
  packet(5, server, other, 6, tcp(80, 50_000, SYNACK)),
  packet(6, client, server, 6, tcp(40_001, 22, SYN)),
  packet(7, server, client, 6, tcp(22, 40_001, SYNACK)),
]

function capture(t: TestContext, name = 'seen.pcap'): string {
  const folder = temporaryFolder(t)
  const path = join(folder, name)
  const bytes = pcap(records)
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(bytes) : bytes)
  return path
}

function carved(path: string, args: string[], out: string): ReturnType<typeof read> & { json: Carved } {
  const target = join(path, '..', out)
  const run = tidemark(['carve', ...args, '-o', target, '--json'])
  assert.equal(run.status, 0, run.stderr)
  return { ...read(readFileSync(target)), json: JSON.parse(run.stdout) as Carved }
}

interface Carved {
  carved: number
  packets: number
  matched: number
  packet_numbers: { path: string; packets: number[] }[]
}

test('the packets of a filter come with both directions, byte for byte, and with their numbers', t => {
  const path = capture(t)
  const result = carved(path, ['src port 40000', path], 'ssh.pcapng')
  assert.deepEqual(result.json.packet_numbers[0]?.packets, [1, 2, 4])
  assert.equal(result.json.packets, records.length)
  assert.deepEqual(
    result.packets.map(one => one.comment),
    ['packet 1 of seen.pcap', 'packet 2 of seen.pcap', 'packet 4 of seen.pcap'],
  )
  assert.deepEqual(
    result.packets.map(one => [one.microseconds, [...one.bytes]]),
    [0, 1, 3].map(i => [(from + i) * 1e6, [...records[i]!.bytes]]),
  )
})

test('a .pcap holds the same packets', t => {
  const path = capture(t)
  const result = carved(path, [`host ${other} and proto tcp`, path], 'web.pcap')
  assert.deepEqual(
    result.packets.map(one => [...one.bytes]),
    [records[2], records[5]].map(one => [...one!.bytes]),
  )
})

test('a packed capture is carved like a plain one, with the numbers of its packets', t => {
  const path = capture(t, 'seen.pcap.gz')
  const result = carved(path, ['proto udp', path], 'dns.pcapng')
  assert.deepEqual(result.json.packet_numbers[0]?.packets, [5])
})

test('the packets of a connection are found by its Community ID', t => {
  const path = capture(t)
  const folder = join(path, '..')
  const log = join(folder, 'conn.log')
  assert.equal(tidemark(['convert', path, '-o', log]).status, 0)
  const lines = readFileSync(log, 'utf8').split('\n')
  const names = lines
    .find(line => line.startsWith('#fields'))!
    .split('\t')
    .slice(1)
  const rows = lines.filter(line => line !== '' && !line.startsWith('#')).map(line => line.split('\t'))
  const second = rows.find(row => row[names.indexOf('id.orig_p')] === '40001')!
  const id = second[names.indexOf('community_id')]!
  const result = carved(path, ['--connection', id, path], 'one.pcapng')
  assert.deepEqual(result.json.packet_numbers[0]?.packets, [7, 8])
})

test('the packets of a finding are those of its services, from the captures of the case', t => {
  const path = capture(t)
  const caseDir = join(path, '..', 'case')
  assert.equal(tidemark(['add', path, '--case', caseDir]).status, 0)
  const run = tidemark(['investigate', client, '--case', caseDir, '--json'])
  const dossier = JSON.parse(run.stdout) as { findings: { id: string; rule: string }[] }
  const first = dossier.findings.find(finding => finding.rule === 'first-contact')
  assert.ok(first, 'the first contact is found')
  const result = carved(path, ['--finding', first.id, '--of', client, '--case', caseDir], 'finding.pcapng')
  assert.ok(result.json.carved > 0)
  assert.ok(result.json.packet_numbers[0]!.packets.every(number => [1, 2, 4, 7, 8].includes(number)))
})

test('nothing that matches is an empty capture, and says so', t => {
  const path = capture(t)
  const result = carved(path, ['port 9999', path], 'none.pcapng')
  assert.equal(result.json.carved, 0)
  assert.equal(result.packets.length, 0)
})

test('what no capture covers is said: nothing was taken, or the records reach beyond the captures', t => {
  const path = capture(t)
  const caseDir = join(path, '..', 'case')
  const log = join(path, '..', 'flows.log')
  const line = (start: number): string =>
    `2 1 eni-1 ${client} ${server} 40000 22 6 4 400 ${from + start} ${from + start + 5} ACCEPT OK\n`
  const header =
    'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
  writeFileSync(log, `${header}\n${line(0)}${line(7200)}`)
  assert.equal(tidemark(['add', path, log, '--case', caseDir]).status, 0)
  const carve = (filter: string): string => {
    const run = tidemark(['carve', filter, '--case', caseDir, '--force', '-o', join(path, '..', 'some.pcap')])
    assert.equal(run.status, 0, run.stderr)
    return run.stderr
  }
  const cover = 'the captures cover 2023-11-14T22:13:20Z to 2023-11-14T22:13:27Z'
  const beyond = `what is wanted is from 2023-11-14T22:13:20Z to 2023-11-15T00:13:25Z, but ${cover}`
  assert.ok(carve('port 22').includes(`tidemark: ${beyond}: the packets of the rest are in no capture`))
  const nothing = `tidemark: no packet was taken: no record of the captures matches; ${cover}`
  assert.ok(carve('port 9999').includes(nothing))
  assert.doesNotMatch(carve('port 80'), /in no capture|no packet was taken/)
})

test('a capture that changed since it was added is refused', t => {
  const path = capture(t)
  const caseDir = join(path, '..', 'case')
  assert.equal(tidemark(['add', path, '--case', caseDir]).status, 0)
  const bytes = readFileSync(path)
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(path, bytes)
  const out = join(path, '..', 'x.pcapng')
  const run = tidemark(['carve', 'port 22', '--case', caseDir, '-o', out])
  assert.equal(run.status, 1)
  assert.match(run.stderr, /changed since it was added/)
  assert.throws(() => readFileSync(out), /ENOENT/)
})

test('usage is told: no filter, no known format, no such finding, two ways at once', t => {
  const path = capture(t)
  const out = join(path, '..', 'x.pcapng')
  for (const [args, message] of [
    [['-o', out], /no filter/],
    [['port 22', path, '-o', join(path, '..', 'x.bin')], /cannot tell the format/],
    [['--finding', 'F99', '--of', client, path, '-o', out], /no such finding: F99/],
    [['--finding', 'F1', path, '-o', out], /whose finding/],
    [['--finding', 'F1', '--of', client, '--connection', '1:x', path, '-o', out], /exclude each other/],
    [['prot 22', path, '-o', out], /did you mean proto/],
  ] as const) {
    const run = tidemark(['carve', ...args])
    assert.equal(run.status, 2, `${args.join(' ')}: ${run.stderr}`)
    assert.match(run.stderr, message)
  }
})

test('tcpdump reads what was carved', t => {
  if (spawnSync('tcpdump', ['--version']).error) return t.skip('tcpdump is not installed')
  const path = capture(t)
  for (const out of ['a.pcap', 'a.pcapng']) {
    carved(path, ['port 22', path], out)
    const run = spawnSync('tcpdump', ['-n', '-r', join(path, '..', out)], { encoding: 'utf8' })
    assert.equal(run.stdout.trim().split('\n').length, 5, run.stderr)
  }
})

test('packets of captures in archives, and in archives in them, come as those of the captures themselves', t => {
  const path = capture(t)
  const plain = carved(path, ['src port 40000', path], 'plain.pcapng')
  const folder = join(path, '..')
  const bytes = readFileSync(path)
  const archives: Record<string, Uint8Array> = {
    'seen.zip': zip({ 'note.txt': 'x', 'a/seen.pcap': bytes }),
    'seen.tar.gz': gzipSync(tar({ 'seen.pcap.gz': gzipSync(bytes) })),
    'nested.tar': tar({ 'inner.zip': zip({ 'seen.pcap': bytes }) }),
  }
  for (const [name, archive] of Object.entries(archives)) {
    writeFileSync(join(folder, name), archive)
    const result = carved(path, ['src port 40000', join(folder, name)], `of-${name}.pcapng`)
    assert.equal(result.json.carved, plain.json.carved, name)
    assert.deepEqual(
      result.packets.map(one => one.bytes),
      plain.packets.map(one => one.bytes),
      name,
    )
  }
})
