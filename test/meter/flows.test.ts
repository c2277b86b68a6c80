import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Meter } from '../../src/meter/meter.ts'
import { flowsOf } from './flows-of.ts'
import { epoch, type PacketFields, packet } from './packets.ts'

const client = '192.0.2.1 40000'
const server = '198.51.100.2 443'

/** The records of packets, one line each: packets, bytes, first, last, why it ended. */
function lines(packets: PacketFields[], options = {}): string[] {
  return flowsOf(packets.map(packet), options).map(
    r => `${r.from} > ${r.to} ${r.packets} ${r.bytes} ${r.first}-${r.last} ${r.end}`,
  )
}

const up = (at: number, more: PacketFields = {}) => ({ from: client, to: server, at, ...more })
const down = (at: number, more: PacketFields = {}) => ({ from: server, to: client, at, ...more })

test('keeps one record for each direction', () => {
  assert.deepEqual(lines([up(0, { bytes: 60 }), down(0.1, { bytes: 1500 }), up(0.2), down(0.25, { bytes: 1500 })]), [
    '192.0.2.1 40000 > 198.51.100.2 443 2 100 0-0.2 finish',
    '198.51.100.2 443 > 192.0.2.1 40000 2 3000 0.1-0.25 finish',
  ])
})

test('splits a flow when the inactive timeout has passed, not when it is reached', () => {
  assert.deepEqual(lines([up(0), up(60), up(120.000001)]), [
    '192.0.2.1 40000 > 198.51.100.2 443 2 80 0-60 idle',
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 120.000001-120.000001 finish',
  ])
})

test('splits a flow when the active timeout is reached', () => {
  const steady = Array.from({ length: 8 }, (_, i) => up(i * 50))
  assert.deepEqual(lines(steady), [
    '192.0.2.1 40000 > 198.51.100.2 443 6 240 0-250 active',
    '192.0.2.1 40000 > 198.51.100.2 443 2 80 300-350 finish',
  ])
})

test('times the two directions apart', () => {
  const steady = Array.from({ length: 6 }, (_, i) => up(i * 50))
  assert.deepEqual(lines([down(0), ...steady, down(251)]), [
    '198.51.100.2 443 > 192.0.2.1 40000 1 40 0-0 idle',
    '192.0.2.1 40000 > 198.51.100.2 443 6 240 0-250 finish',
    '198.51.100.2 443 > 192.0.2.1 40000 1 40 251-251 finish',
  ])
})

test('takes other timeouts', () => {
  assert.deepEqual(lines([up(0), up(2), up(4), up(7)], { timeouts: { active: 4e6, inactive: 2e6 } }), [
    '192.0.2.1 40000 > 198.51.100.2 443 2 80 0-2 active',
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 4-4 idle',
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 7-7 finish',
  ])
})

const opened = [up(0, { flags: 'S', seq: 100 }), down(0.1, { flags: 'SA', seq: 500 }), up(0.2)]
const ended = [up(1, { flags: 'FA' }), down(1.1, { flags: 'FA' }), up(1.2)]

test('keeps the last ACK of a closed conversation in its record', () => {
  assert.deepEqual(lines([...opened, ...ended]), [
    '192.0.2.1 40000 > 198.51.100.2 443 4 160 0-1.2 finish',
    '198.51.100.2 443 > 192.0.2.1 40000 2 80 0.1-1.1 finish',
  ])
})

test('begins another record with a SYN on a closed conversation', () => {
  assert.deepEqual(lines([...opened, ...ended, up(1.5, { flags: 'S', seq: 7000 }), down(1.6, { flags: 'SA' })]), [
    '192.0.2.1 40000 > 198.51.100.2 443 4 160 0-1.2 reuse',
    '198.51.100.2 443 > 192.0.2.1 40000 2 80 0.1-1.1 reuse',
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 1.5-1.5 finish',
    '198.51.100.2 443 > 192.0.2.1 40000 1 40 1.6-1.6 finish',
  ])
})

test('leaves a SYN that is sent again after a reset in the record', () => {
  const refused = (at: number) => [up(at, { flags: 'S', seq: 100 }), down(at + 0.1, { flags: 'RA' })]
  assert.equal(lines([...refused(0), ...refused(0.5), ...refused(1)]).length, 2)
})

test('begins another record when the linger has passed, not when it is reached', () => {
  const reset = [up(0), down(1, { flags: 'R' })]
  assert.equal(lines([...reset, up(6)]).length, 2)
  assert.deepEqual(lines([...reset, up(6.000001)]), [
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 0-0 closed',
    '198.51.100.2 443 > 192.0.2.1 40000 1 40 1-1 closed',
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 6.000001-6.000001 finish',
  ])
})

test('takes a SYN inside an open conversation for part of it', () => {
  assert.equal(lines([...opened, up(3, { flags: 'S', seq: 9999 })]).length, 2)
})

test('or-s the flags, and keeps tos, VLAN, tunnel and number of the first packet', () => {
  const packets = [
    up(0, { flags: 'S', tos: 184, vlan: 0, tunnel: 5, tunnelId: 0xffffffff, number: 17 }),
    up(1, { flags: 'PA', tos: 0, vlan: 12, tunnel: 1, tunnelId: 3, number: 18 }),
  ]
  const [record] = flowsOf(packets.map(packet))
  const { flags, tos, vlan, tunnel, tunnelId, number } = record!
  assert.deepEqual(
    { flags, tos, vlan, tunnel, tunnelId, number },
    {
      flags: 26,
      tos: 184,
      vlan: 0,
      tunnel: 5,
      tunnelId: 0xffffffff,
      number: 17,
    },
  )
})

test('knows an ICMP conversation by its types and identifier', () => {
  const echo = (from: string, to: string, type: number, id: number) => ({ from, to, protocol: 1, type, id, bytes: 84 })
  const [a, b] = ['192.0.2.1', '198.51.100.2']
  const packets = [echo(a, b, 8, 1), echo(b, a, 0, 1), echo(a, b, 8, 2), echo(b, a, 8, 1), echo(a, b, 8, 1)]
  const records = flowsOf(packets.map(packet))
  assert.deepEqual(
    records.map(r => [r.from, r.to, r.type, r.id, r.packets]),
    [
      ['192.0.2.1 0', '198.51.100.2 0', 8, 1, 2],
      ['198.51.100.2 0', '192.0.2.1 0', 0, 1, 1],
      ['192.0.2.1 0', '198.51.100.2 0', 8, 2, 1],
      ['198.51.100.2 0', '192.0.2.1 0', 8, 1, 1],
    ],
  )
})

test('does not take an ICMP error for the answer to one', () => {
  const unreachable = { protocol: 1, type: 3, code: 3 }
  const records = flowsOf([
    packet({ ...unreachable, from: '192.0.2.1', to: '192.0.2.2' }),
    packet({ ...unreachable, from: '192.0.2.2', to: '192.0.2.1' }),
  ])
  assert.deepEqual(
    records.map(r => [r.from, r.type, r.code]),
    [
      ['192.0.2.1 0', 3, 3],
      ['192.0.2.2 0', 3, 3],
    ],
  )
})

test('keeps packets of unknown ports apart from those of port 0', () => {
  const packets = [
    { from: '192.0.2.1', to: '192.0.2.2', protocol: 17, fragment: 3 as const },
    { from: '192.0.2.1 0', to: '192.0.2.2 0', protocol: 17 },
    { from: '192.0.2.1 53', to: '192.0.2.2 9', protocol: 17, fragment: 2 as const },
    { from: '192.0.2.1', to: '192.0.2.2', protocol: 47 },
  ]
  assert.deepEqual(
    flowsOf(packets.map(packet)).map(r => [r.protocol, r.from, r.transport]),
    [
      [17, '192.0.2.1 0', false],
      [17, '192.0.2.1 0', true],
      [17, '192.0.2.1 53', true],
      [47, '192.0.2.1 0', true],
    ],
  )
})

test('counts beyond 32 bits exactly', () => {
  const records: number[] = []
  const meter = new Meter({ flows: r => records.push(r.bytes) })
  const big = packet(up(0, { bytes: 0xffff_ffff }))
  for (let i = 0; i < 2001; i++) meter.add(big)
  meter.finish()
  assert.deepEqual(records, [2001 * 0xffff_ffff])
})

test('never gives a negative duration when time goes back a little', () => {
  assert.deepEqual(lines([up(10), up(8), up(9), up(11)]), ['192.0.2.1 40000 > 198.51.100.2 443 4 160 8-11 finish'])
})

test('begins another record where a packet lies further back than the inactive timeout', () => {
  assert.deepEqual(lines([up(100), up(39.9), up(41)]), [
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 100-100 idle',
    '192.0.2.1 40000 > 198.51.100.2 443 2 80 39.9-41 finish',
  ])
})

test('closes what is open where the capture begins again', () => {
  assert.deepEqual(lines([up(4000), down(4000), up(399), down(4001)]), [
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 4000-4000 clock',
    '198.51.100.2 443 > 192.0.2.1 40000 1 40 4000-4000 clock',
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 399-399 idle',
    '198.51.100.2 443 > 192.0.2.1 40000 1 40 4001-4001 finish',
  ])
})

test('one stamp that is years ahead costs a split, not the timeouts that follow', () => {
  const ahead = { from: '192.0.2.9 1', to: '192.0.2.8 2', at: 1e9 }
  assert.deepEqual(lines([up(0), ahead, up(1), up(62)]), [
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 0-0 idle',
    '192.0.2.9 1 > 192.0.2.8 2 1 40 1000000000-1000000000 clock',
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 1-1 idle',
    '192.0.2.1 40000 > 198.51.100.2 443 1 40 62-62 finish',
  ])
})

test('ends the conversations that would end first when there are too many, and counts them', () => {
  const records: string[] = []
  const meter = new Meter({ limit: 64, capacity: 16, flows: r => records.push(`${r.srcPort} ${r.end}`) })
  for (let i = 0; i < 100; i++) meter.add(packet({ at: i / 100, from: `192.0.2.1 ${1000 + i}` }))
  meter.finish()
  assert.deepEqual(
    records.sort(),
    Array.from({ length: 100 }, (_, i) => `${1000 + i} ${i < 40 ? 'limit' : 'finish'}`),
  )
  const { packets, flowRecords, evicted, peak } = meter.counts
  assert.deepEqual({ packets, flowRecords, evicted, peak }, { packets: 100, flowRecords: 100, evicted: 40, peak: 64 })
})

test('sweeps ended flows rather than growing', () => {
  let records = 0
  const meter = new Meter({ capacity: 64, flows: () => records++ })
  for (let i = 0; i < 20_000; i++) meter.add(packet({ at: i * 10, from: `192.0.2.1 ${i % 60_000}` }))
  assert.equal(meter.counts.peak, 64)
  meter.finish()
  assert.equal(records, 20_000)
})

test('may be used again after it is finished', () => {
  const times: number[] = []
  const meter = new Meter({ flows: r => times.push((r.first - epoch) / 1e6) })
  meter.add(packet(up(1)))
  meter.finish()
  meter.add(packet(up(2)))
  meter.finish()
  assert.deepEqual(times, [1, 2])
})

test('of conversations that would end at the same moment no more are ended early than room is needed for', () => {
  const ends = { flows: 0, connections: 0 }
  const meter = new Meter({
    ...{ limit: 64, capacity: 16 },
    flows: record => void (ends.flows += Number(record.end === 'limit')),
    connections: connection => void (ends.connections += Number(connection.end === 'limit')),
  })
  for (let i = 0; i < 1000; i++) meter.add(packet({ at: 1, from: `192.0.2.1 ${1000 + i}` }))
  meter.finish()
  const { packets, flowRecords, connections, evicted, evictedConnections } = meter.counts
  assert.deepEqual([packets, flowRecords, connections], [1000, 1000, 1000])
  // Eight at a time, each time that the 65th, 73rd, … comes.
  assert.deepEqual([evicted, evictedConnections], [936, 936])
  assert.deepEqual(ends, { flows: evicted, connections: evictedConnections })
})
