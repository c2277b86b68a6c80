import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CaptureReader } from '../../src/packet/capture.ts'
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

test('nanoseconds come out as microseconds and a rest', () => {
  const bytes = pcap([{ bytes: segment, time: [1_700_000_000, 123_456_789] }], { magic: 0xa1b23c4d, big: true })
  const seen: number[][] = []
  const reader = new CaptureReader(captured => seen.push([captured.time, captured.nanoseconds]))
  reader.feed(bytes)
  reader.end()
  assert.deepEqual(seen, [[1_700_000_000_123_456, 789]])
  assert.deepEqual(
    reader.interfaces.map(({ linkType, snapLength, resolution }) => [linkType, snapLength, resolution]),
    [[1, 65535, 9]],
  )
})

test('times are unsigned: 2038 comes and goes', () => {
  const { packets } = readAll(pcap([{ bytes: segment, time: [0xffff_ffff, 999_999] }]))
  assert.equal(packets[0]?.['time'], 4_294_967_295_999_999)
})

test('the header of the patched libpcap has records of its own', () => {
  assert.deepEqual(readAll(pcap(records, { magic: 0xa1b2cd34 })).packets, readAll(pcap(records)).packets)
})

test('up to version 2.3 the lengths may lie the other way round', () => {
  const swapped = pcap([{ bytes: segment, wire: 1500 }], { minor: 2 })
  const view = new DataView(swapped.buffer)
  view.setUint32(24 + 8, 1500, true)
  view.setUint32(24 + 12, segment.length, true)
  const lengths = (bytes: Uint8Array) => fieldsOf(readAll(bytes).packets[0]!, 'wireLength', 'capturedLength')
  const expected = { wireLength: 1500, capturedLength: segment.length }
  assert.deepEqual(lengths(swapped), expected)
  view.setUint16(6, 3, true)
  assert.deepEqual(lengths(swapped), expected)
  assert.deepEqual(lengths(pcap([{ bytes: segment, wire: 1500 }], { minor: 3 })), expected)
})

test('the upper bits of the link type are about the frame check sequence', () => {
  assert.equal(readAll(pcap(records, { linkType: 0x3000_0001 })).packets.length, 2)
})

test('a packet that claims too much is damage, and takes no memory', () => {
  const bytes = pcap([...records, ...records])
  const place = 24 + 2 * 16 + segment.length + query.length
  new DataView(bytes.buffer).setUint32(place + 8, 256 * 1024 + 1, true)
  const { packets, damage, reader } = readAll(bytes)
  assert.equal(packets.length, 2)
  assert.deepEqual(damage, { kind: 'damaged', offset: place, problem: 'a packet that claims 262145 captured bytes' })
  assert.equal(reader.notRead, bytes.length - place)
})

test('zeros at the end of a file are no packets', () => {
  const bytes = Uint8Array.from([...pcap(records), ...new Array<number>(4096).fill(0)])
  const { accounts, damage, reader } = readAll(bytes)
  assert.equal(accounts.packets, 2)
  assert.equal(damage?.problem, 'zeros where a record should be')
  assert.equal(reader.notRead, 4096)
})

test('a version to come is not guessed at', () => {
  const bytes = pcap(records)
  bytes[4] = 3
  assert.deepEqual(readAll(bytes).damage, { kind: 'unknown', offset: 4, problem: 'pcap version 3.4' })
})

test('the handler sees the record where it is, and where it lies in the file', () => {
  const bytes = pcap(records)
  const copies: Uint8Array[] = []
  for (const size of [1, 7, 40, bytes.length]) {
    const parts: Uint8Array[] = []
    const reader = new CaptureReader(captured => {
      assert.equal(captured.offset, 24 + parts.reduce((sum, part) => sum + part.length, 0))
      parts.push(captured.bytes.slice(captured.recordFrom, captured.recordTo))
    })
    for (let at = 0; at < bytes.length; at += size) reader.feed(bytes.subarray(at, at + size))
    reader.end()
    copies.push(Uint8Array.from([...bytes.subarray(0, 24), ...parts.flatMap(part => [...part])]))
  }
  for (const copy of copies) assert.deepEqual(copy, bytes)
})

test('the accounts: every packet is decoded or has a reason', () => {
  const arp = ethernet(0x0806, [])
  const { accounts } = readAll(
    pcap([
      { bytes: segment, time: [100, 0] },
      { bytes: arp, time: [200, 0] },
      { bytes: segment.slice(0, 40), wire: segment.length, time: [150, 0] },
      { bytes: segment.slice(0, 20), wire: segment.length, time: [250, 5] },
    ]),
  )
  const { packets, decoded, cut, backwards, largestStepBack, firstTime, lastTime, withoutTransport } = accounts
  assert.deepEqual(
    { packets, decoded, cut, backwards, largestStepBack, firstTime, lastTime, withoutTransport },
    {
      ...{ packets: 4, decoded: 2, cut: 2, backwards: 1, largestStepBack: 50_000_000 },
      ...{ firstTime: 100_000_000, lastTime: 250_000_005, withoutTransport: 0 },
    },
  )
  assert.equal(accounts.reasons[1], 1)
  assert.equal(accounts.reasons[7], 1)
  assert.equal(accounts.wireBytes, 3 * segment.length + arp.length)
  assert.equal(accounts.capturedBytes, segment.length + arp.length + 60)
  assert.equal(accounts.ipBytes, 2 * (segment.length - 14))
  accounts.packets++
  assert.throws(() => accounts.check(), /packets = decoded \+ reasons/)
})

test('an empty capture has no times', () => {
  const { accounts, damage } = readAll(pcap([]))
  assert.deepEqual([accounts.packets, accounts.firstTime, accounts.lastTime, damage], [0, null, null, null])
})
