import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ethernet, ipv4, pcap, type Record, tcp, udp } from './build.ts'
import { fieldsOf, readAll } from './reading.ts'

const segment = ethernet(0x0800, ipv4({ protocol: 6 }, tcp(40000, 443, 0x18, [1, 2, 3])))
const query = ethernet(0x0800, ipv4({ protocol: 17, src: '192.0.2.7' }, udp(5353, 53, [1])))
const records: Record[] = [
  { bytes: segment, time: [1_700_000_000, 5] },
  { bytes: query, time: [1_700_000_001, 999_999] },
]

test('reads both byte orders alike', () => {
  const little = readAll(pcap(records))
  assert.deepEqual(little.packets, readAll(pcap(records, { big: true })).packets)
  assert.deepEqual(fieldsOf(little.packets[0]!, 'number', 'time', 'src', 'dst', 'srcPort', 'dstPort', 'tcpFlags'), {
    ...{ number: 1, time: 1_700_000_000_000_005, src: '192.0.2.1', dst: '198.51.100.2' },
    ...{ srcPort: 40000, dstPort: 443, tcpFlags: 0x18 },
  })
  assert.deepEqual(fieldsOf(little.packets[1]!, 'number', 'time', 'src', 'dstPort', 'payload', 'ipBytes'), {
    ...{ number: 2, time: 1_700_000_001_999_999, src: '192.0.2.7', dstPort: 53, payload: 1, ipBytes: 29 },
  })
  assert.equal(little.damage, null)
})

test('gives the same packets whatever the pieces', () => {
  const bytes = pcap(records)
  for (let size = 1; size <= bytes.length; size++) assert.deepEqual(readAll(bytes, [size]).packets.length, 2)
})

test('keeps what came before a cut, and names its place', () => {
  const bytes = pcap(records)
  const second = 24 + 16 + segment.length
  for (let length = second + 1; length < bytes.length; length++) {
    const { packets, damage, reader } = readAll(bytes.subarray(0, length))
    assert.equal(packets.length, 1)
    assert.deepEqual([damage?.kind, damage?.offset, reader.notRead], ['cut', second, length - second])
  }
})
