import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Copies } from '../../src/meter/copies.ts'
import { CaptureDecoder } from '../../src/packet/capture.ts'
import { Section } from '../packet/blocks.ts'
import { type Bytes, be16, ethernet, ipv4, tcp, udp } from '../packet/build.ts'

const section = new Section()

/** A capture with two interfaces; each packet is [interface, microseconds, IP packet]. */
function copiesOf(packets: readonly (readonly [at: number, us: number, ip: Bytes])[]): {
  found: number
  suspected: number
  kept: number
} {
  const file = [section.header(), section.interface(1), section.interface(1)]
  for (const [at, us, ip] of packets)
    file.push(section.enhanced(at, 1_700_000_000_000_000n + BigInt(us), ethernet(0x0800, ip)))
  const copies = new Copies()
  let kept = 0
  const capture = new CaptureDecoder((packet, captured) => {
    if (!copies.isCopy(packet, captured)) kept++
  })
  capture.feed(Uint8Array.from(file.flat()))
  capture.end()
  return { found: copies.found, suspected: copies.suspected, kept }
}

const data = (id: number, seq = 0): Bytes =>
  ipv4({ protocol: 6, id }, [
    ...tcp(40_000, 443, 24, [1, 2, 3]).slice(0, 4),
    0,
    0,
    ...be16(seq),
    ...tcp(40_000, 443, 24, [1, 2, 3]).slice(8),
  ])

test('what another interface had within a second is a copy', () => {
  assert.deepEqual(
    copiesOf([
      [0, 0, data(7)],
      [1, 10, data(7)],
    ]),
    { found: 1, suspected: 0, kept: 1 },
  )
  assert.deepEqual(
    copiesOf([
      [0, 0, data(7)],
      [1, 900_000, data(7)],
    ]),
    { found: 1, suspected: 0, kept: 1 },
  )
  assert.deepEqual(
    copiesOf([
      [0, 0, data(7)],
      [1, 1_100_000, data(7)],
    ]),
    { found: 0, suspected: 0, kept: 2 },
  )
})

test('a packet that is sent again counts again, however many interfaces see it', () => {
  // Sent twice, each seen at both, in either order.
  const [a, b] = [data(7, 1), data(8, 1)]
  assert.deepEqual(
    copiesOf([
      [0, 0, a],
      [1, 10, a],
      [0, 50_000, b],
      [1, 50_010, b],
    ]),
    { found: 2, suspected: 0, kept: 2 },
  )
  const same = data(0, 1)
  assert.deepEqual(
    copiesOf([
      [0, 0, same],
      [1, 10, same],
      [0, 50_000, same],
      [1, 50_010, same],
    ]),
    { found: 2, suspected: 0, kept: 2 },
  )
})

test('packets that differ in a number are none of each other', () => {
  assert.equal(
    copiesOf([
      [0, 0, data(7, 1)],
      [1, 10, data(7, 2)],
    ]).found,
    0,
  )
  assert.equal(
    copiesOf([
      [0, 0, data(7)],
      [1, 10, data(8)],
    ]).found,
    0,
  )
})

test('datagrams of a stream without identification and checksum are not told apart, and are kept', () => {
  const datagram = ipv4({ protocol: 17, id: 0 }, udp(5004, 5004, [1, 2, 3, 4]))
  assert.deepEqual(
    copiesOf([
      [0, 0, datagram],
      [1, 10, datagram],
    ]),
    { found: 0, suspected: 0, kept: 2 },
  )
})

test('at one interface a packet that comes twice is counted as suspected, and kept', () => {
  assert.deepEqual(
    copiesOf([
      [0, 0, data(7)],
      [0, 4000, data(7)],
    ]),
    { found: 0, suspected: 1, kept: 2 },
  )
  // Sent again, later.
  assert.deepEqual(
    copiesOf([
      [0, 0, data(7)],
      [0, 300_000, data(7)],
    ]),
    { found: 0, suspected: 0, kept: 2 },
  )
  // Two acknowledgements without content.
  const ack = ipv4({ protocol: 6, id: 0 }, tcp(40_000, 443, 16))
  assert.deepEqual(
    copiesOf([
      [0, 0, ack],
      [0, 4000, ack],
    ]),
    { found: 0, suspected: 0, kept: 2 },
  )
})
