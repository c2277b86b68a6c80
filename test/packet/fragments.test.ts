import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CaptureDecoder } from '../../src/packet/capture.ts'
import { Decoder } from '../../src/packet/decode.ts'
import { fragmentsMax } from '../../src/packet/fragments.ts'
import { heldMax } from '../../src/packet/held-fragments.ts'
import { Packet } from '../../src/packet/packet.ts'
import { type Bytes, be16, be32, ethernet, hex, ipv4, ipv6, pcap, udp, zeros } from './build.ts'
import { fieldsOf, readAll } from './reading.ts'

const more = 0x2000
const part = (id: number, fragment: number, payload: Bytes, protocol = 17) => ipv4({ protocol, id, fragment }, payload)
const names = ['fragment', 'srcPort', 'dstPort', 'hasTransport']
const read = (...packets: Bytes[]) =>
  readAll(
    pcap(
      packets.map(bytes => ({ bytes })),
      { linkType: 101 },
    ),
  )
const fragments = (...packets: Bytes[]) => read(...packets).packets.map(packet => fieldsOf(packet, ...names))
const known = { srcPort: 5353, dstPort: 53, hasTransport: true }
const unknown = { fragment: 3, srcPort: 0, dstPort: 0, hasTransport: false }

test('later fragments get the ports of the first', () => {
  const all = [part(1, more, udp(5353, 53, zeros(8))), part(1, more | 2, zeros(16)), part(1, 4, zeros(5))]
  assert.deepEqual(fragments(...all), [
    { ...known, fragment: 1 },
    { ...known, fragment: 2 },
    { ...known, fragment: 2 },
  ])
  assert.deepEqual(read(...all).accounts.fragments, [0, 1, 2, 0])
})

test('a fragment without its first, or of another packet has no ports', () => {
  const first = part(1, more, udp(5353, 53, zeros(8)))
  const other = ipv4({ protocol: 17, id: 1, fragment: 2, src: '192.0.2.9' }, zeros(8))
  assert.deepEqual(fragments(first, part(2, 2, zeros(8)), other), [{ ...known, fragment: 1 }, unknown, unknown])
})

test('a first fragment that is too short for the ports gives none', () => {
  assert.deepEqual(fragments(part(1, more, [1, 2]), part(1, 2, zeros(8))), [{ ...unknown, fragment: 1 }, unknown])
})

test('fragments of a minute later belong to another packet', () => {
  const records = [0, 60, 61].map(seconds => ({
    bytes: seconds === 0 ? part(1, more, udp(5353, 53, zeros(8))) : part(1, 2, zeros(8)),
    time: [1_700_000_000 + seconds, 0] as const,
  }))
  const { packets } = readAll(pcap(records, { linkType: 101 }))
  assert.deepEqual(
    packets.map(packet => packet['fragment']),
    [1, 2, 3],
  )
})

test('fragments of ICMP get its type, those of other protocols lack nothing', () => {
  const { packets } = read(
    part(1, more, hex('0800 0000 1234 0001'), 1),
    part(1, 1, zeros(8), 1),
    part(2, 1, zeros(8), 50),
  )
  const icmp = ['fragment', 'icmpType', 'icmpId', 'hasTransport']
  assert.deepEqual(
    packets.map(packet => fieldsOf(packet, ...icmp)),
    [
      { fragment: 1, icmpType: 8, icmpId: 0x1234, hasTransport: true },
      { fragment: 2, icmpType: 8, icmpId: 0x1234, hasTransport: true },
      { fragment: 2, icmpType: 0, icmpId: 0, hasTransport: true },
    ],
  )
})

const header = (next: number, offset: number, isLast: boolean): Bytes => [
  ...[next, 0],
  ...be16((offset << 3) | (isLast ? 0 : 1)),
  ...be32(0x01020304),
]

test('IPv6 fragments, also with an extension header in the first only', () => {
  assert.deepEqual(
    fragments(
      ipv6({ next: 44 }, [...header(17, 0, false), ...udp(5353, 53, zeros(8))]),
      ipv6({ next: 44 }, [...header(17, 2, true), ...zeros(8)]),
    ),
    [
      { ...known, fragment: 1 },
      { ...known, fragment: 2 },
    ],
  )
  const { packets } = read(
    ipv6({ next: 44 }, [...header(60, 2, true), ...zeros(8)]),
    ipv6({ next: 44 }, [...header(60, 0, false), 17, ...zeros(7), ...udp(5353, 53, zeros(8))]),
    ipv6({ next: 44 }, [...header(60, 3, true), ...zeros(8)]),
  )
  assert.deepEqual(
    packets.map(packet => fieldsOf(packet, ...names, 'protocol')),
    [
      { ...known, fragment: 2, protocol: 17 },
      { ...known, fragment: 1, protocol: 17 },
      { ...known, fragment: 2, protocol: 17 },
    ],
  )
})

test('an IPv6 fragment that is the whole packet is none', () => {
  const whole = ipv6({ next: 44 }, [...header(17, 0, true), ...udp(5353, 53)])
  assert.deepEqual(fragments(whole), [{ ...known, fragment: 0 }])
})

test('the same fragments in two tunnels are two packets', () => {
  const vxlan = (vni: number, payload: Bytes) => {
    const frame = ethernet(0x0800, payload)
    return ipv4({ protocol: 17 }, udp(50000, 4789, [...hex('08000000'), 0, 0, vni, 0, ...frame]))
  }
  assert.deepEqual(
    fragments(
      vxlan(1, part(1, more, udp(5353, 53, zeros(8)))),
      vxlan(2, part(1, 2, zeros(8))),
      vxlan(1, part(1, 2, zeros(8))),
    ),
    // What waits for its first comes last.
    [{ ...known, fragment: 1 }, { ...known, fragment: 2 }, unknown],
  )
})

test('the oldest first fragments are forgotten when there are too many', () => {
  const decoder = new Decoder()
  const packet = new Packet()
  const decode = (id: number, fragment: number) => {
    const bytes = Uint8Array.from(part(id, fragment, udp(5353, 53)))
    decoder.decode(bytes, 0, bytes.length, bytes.length, 228, packet)
    return packet.fragment
  }
  for (let id = 0; id <= fragmentsMax; id++) decode(id, more)
  assert.deepEqual([decode(0, 2), decode(1, 2), decode(fragmentsMax, 2)], [3, 2, 2])
})

/** All orders of a list. */
function ordersOf<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]]
  return list.flatMap((one, i) => ordersOf(list.filter((_, j) => j !== i)).map(rest => [one, ...rest]))
}

test('the order of fragments changes nothing: those before the first wait for its ports', () => {
  const datagram = [part(1, more, udp(5353, 53, zeros(8))), part(1, more | 2, zeros(16)), part(1, 4, zeros(5))]
  for (const order of ordersOf(datagram)) {
    const { packets, accounts } = read(...order)
    assert.deepEqual(
      packets.map(packet => fieldsOf(packet, 'srcPort', 'dstPort', 'hasTransport')),
      [known, known, known],
    )
    assert.deepEqual([accounts.fragments, accounts.withoutTransport], [[0, 1, 2, 0], 0])
    // Just before the first, in their order.
    const first = order.indexOf(datagram[0]!) + 1
    assert.deepEqual(
      packets.map(packet => packet['number']),
      [1, 2, 3],
      `the first is packet ${first}`,
    )
  }
})

test('fragments wait a minute for their first, and are then what they are', () => {
  const timed = (seconds: number, bytes: Bytes) => ({ bytes, time: [1_700_000_000 + seconds, 0] as const })
  const other = ipv4({ protocol: 17 }, udp(1, 2))
  const late = (seconds: number) => [
    timed(0, part(1, 2, zeros(8))),
    timed(seconds, other),
    timed(seconds, part(1, more, udp(5353, 53, zeros(8)))),
  ]
  const kinds = (seconds: number) => {
    const { packets, accounts } = readAll(pcap(late(seconds), { linkType: 101 }))
    return [packets.map(packet => packet['fragment']), accounts.fragments]
  }
  assert.deepEqual(kinds(60), [
    [0, 2, 1],
    [1, 1, 1, 0],
  ])
  assert.deepEqual(kinds(61), [
    [3, 0, 1],
    [1, 1, 0, 1],
  ])
  // A clock that was set back does not make them wait either.
  assert.deepEqual(kinds(-3000), [
    [3, 0, 1],
    [1, 1, 0, 1],
  ])
})

test('so many fragments wait at most; every one is given out once', () => {
  const parts = Array.from({ length: heldMax + 3 }, (_, id) => part(id, 2, zeros(8)))
  const seen: number[] = []
  const capture = new CaptureDecoder(packet => seen.push(packet.number))
  capture.feed(
    pcap(
      parts.map(bytes => ({ bytes })),
      { linkType: 101 },
    ),
  )
  assert.deepEqual(seen, [1, 2, 3])
  capture.end()
  assert.deepEqual(
    seen,
    parts.map((_, i) => i + 1),
  )
  assert.equal(capture.accounts.fragments[3], heldMax + 3)
})

test('what is handed out of a fragment that waited is its own record', () => {
  const bytes = pcap(
    [part(1, 2, [1, 2, 3, 4, 5, 6, 7, 8]), part(1, more, udp(5353, 53, zeros(8)))].map(one => ({ bytes: one })),
    { linkType: 101 },
  )
  const records: number[][] = []
  const capture = new CaptureDecoder((_, captured) =>
    records.push([captured.offset, ...captured.bytes.slice(captured.to - 8, captured.to)]),
  )
  for (const byte of bytes) capture.feed(Uint8Array.of(byte))
  capture.end()
  assert.deepEqual(records[0], [24, 1, 2, 3, 4, 5, 6, 7, 8])
})
