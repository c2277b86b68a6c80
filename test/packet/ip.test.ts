import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wireBytesMax } from '../../src/packet/decode.ts'
import { type Bytes, be16, be32, ethernet, hex, ipv4, ipv6, tcp, udp, zeros } from './build.ts'
import { decodeOne, fieldsOf } from './reading.ts'

const four = (protocol: number, payload: Bytes) => decodeOne(228, ipv4({ protocol }, payload))
const six = (next: number, payload: Bytes) => decodeOne(229, ipv6({ next }, payload))
/** An IPv6 extension header of `units` times eight bytes. */
const extension = (next: number, units = 1): Bytes => [next, units - 1, ...zeros(units * 8 - 2)]

test('bytes are those of the IP header, without padding and where the capture was cut', () => {
  const packet = ipv4({ protocol: 6 }, tcp(1, 2, 0x10, zeros(1000)))
  assert.deepEqual(fieldsOf(decodeOne(228, packet.slice(0, 60), packet.length), 'ipBytes', 'payload', 'dstPort'), {
    ...{ ipBytes: 1040, payload: 1000, dstPort: 2 },
  })
  const small = ethernet(0x0800, [...ipv4({ protocol: 6 }, tcp(1, 2, 0x10)), ...zeros(6)])
  assert.deepEqual(fieldsOf(decodeOne(1, small), 'ipBytes', 'payload', 'wireLength'), {
    ...{ ipBytes: 40, payload: 0, wireLength: 60 },
  })
})

test('ports that are not there are not made up', () => {
  // Three bytes of the header, then padding that belongs to no packet.
  const runt = ethernet(0x0800, [...ipv4({ protocol: 6 }, [1, 2, 3]), ...zeros(20)])
  assert.deepEqual(fieldsOf(decodeOne(1, runt), 'hasTransport', 'srcPort', 'dstPort', 'tcpFlags', 'payload'), {
    ...{ hasTransport: false, srcPort: 0, dstPort: 0, tcpFlags: 0, payload: 3 },
  })
  const packet = ipv4({ protocol: 6, options: zeros(40) }, tcp(1, 2, 0x10))
  for (let length = 20; length < packet.length; length++) {
    const cut = decodeOne(228, packet.slice(0, length), packet.length)
    const names = ['hasTransport', 'srcPort', 'tcpFlags', 'tcpWindow', 'ipBytes']
    assert.deepEqual(fieldsOf(cut, ...names), {
      ...{ hasTransport: length >= 64, srcPort: length >= 64 ? 1 : 0, tcpFlags: length >= 74 ? 0x10 : 0 },
      ...{ tcpWindow: length >= 76 ? 8192 : length >= 74 ? -1 : 0, ipBytes: 80 },
    })
  }
})

test('a total length of 0 is that on the wire', () => {
  const packet = ipv4({ protocol: 6, length: 0 }, tcp(1, 2, 0x10, zeros(3000)))
  assert.deepEqual(fieldsOf(decodeOne(1, ethernet(0x0800, packet)), 'ipBytes', 'payload'), {
    ...{ ipBytes: 3040, payload: 3000 },
  })
  const six = ipv6({ next: 6, length: 0 }, tcp(1, 2, 0x10, zeros(3000)))
  assert.deepEqual(fieldsOf(decodeOne(1, ethernet(0x86dd, six)), 'ipBytes', 'payload'), {
    ...{ ipBytes: 3060, payload: 3000 },
  })
})

test('what a capture says of the wire is believed up to 1 MiB', () => {
  const packet = ipv4({ protocol: 6, length: 0 }, tcp(1, 2, 0x10))
  const { ipBytes, wireLength } = fieldsOf(decodeOne(228, packet, 0xffff_ffff), 'ipBytes', 'wireLength')
  assert.deepEqual([ipBytes, wireLength], [wireBytesMax, 0xffff_ffff])
})

test('an empty IPv6 packet is not as long as its padding', () => {
  const packet = ipv6({ next: 59 }, [])
  assert.equal(fieldsOf(decodeOne(1, ethernet(0x86dd, [...packet, ...zeros(6)])), 'ipBytes')['ipBytes'], 40)
})

test('a jumbogram is as long as its option says, if that can be', () => {
  const jumbo = (length: number): Bytes => [6, 0, 0xc2, 4, ...be32(length)]
  const payload = [...jumbo(70_008), ...tcp(1, 2, 0x10, zeros(69_980))]
  const packet = ipv6({ next: 0, length: 0 }, payload)
  assert.deepEqual(fieldsOf(decodeOne(229, packet), 'ipBytes', 'dstPort', 'payload'), {
    ...{ ipBytes: 70_048, dstPort: 2, payload: 69_980 },
  })
  const liar = ipv6({ next: 0, length: 0 }, [...jumbo(0xffff_ffff), ...payload.slice(8)])
  assert.equal(fieldsOf(decodeOne(229, liar), 'ipBytes')['ipBytes'], 70_048)
})

test('IPv6 extension headers are passed over', () => {
  const headers = [
    ...extension(43),
    ...extension(60, 3),
    ...extension(51, 2),
    ...[17, 4, ...zeros(22)], // authentication: in words of four bytes, less two
  ]
  const packet = six(0, [...headers, ...udp(5353, 53, [1])])
  assert.deepEqual(fieldsOf(packet, 'protocol', 'dstPort', 'payload', 'ipBytes'), {
    ...{ protocol: 17, dstPort: 53, payload: 1, ipBytes: 40 + headers.length + 9 },
  })
})

test('where the capture ends among extension headers the transport is unknown', () => {
  const packet = ipv6({ next: 0 }, [...extension(60), ...extension(17), ...udp(5353, 53)])
  const cut = fieldsOf(decodeOne(229, packet.slice(0, 50), packet.length), 'protocol', 'hasTransport', 'ipBytes')
  assert.deepEqual(cut, { protocol: 60, hasTransport: false, ipBytes: 64 })
})

test('a mobility header that is the last is the protocol', () => {
  assert.equal(fieldsOf(six(135, extension(59)), 'protocol')['protocol'], 135)
  assert.equal(fieldsOf(six(135, [...extension(17), ...udp(1, 53)]), 'dstPort')['dstPort'], 53)
})

test('UDP: the payload is by the length in its header, unless that cannot be', () => {
  const payload = (packet: ReturnType<typeof four>) => fieldsOf(packet, 'payload')['payload']
  assert.equal(payload(four(17, udp(1, 2, zeros(20), 18))), 10)
  assert.equal(payload(four(17, udp(1, 2, zeros(20), 0))), 20)
  assert.equal(payload(four(17, udp(1, 2, zeros(20), 500))), 20)
})

test('SCTP has ports', () => {
  assert.deepEqual(fieldsOf(four(132, [...be16(2905), ...be16(2906), ...zeros(20)]), 'srcPort', 'dstPort', 'payload'), {
    ...{ srcPort: 2905, dstPort: 2906, payload: 12 },
  })
})

test('ICMP has a type and a code, and where it answers an identifier', () => {
  const names = ['icmpType', 'icmpCode', 'icmpId', 'srcPort', 'dstPort', 'payload', 'hasTransport']
  const none = { srcPort: 0, dstPort: 0, hasTransport: true }
  const echo = hex('0800 0000 1234 0001 aabb')
  assert.deepEqual(fieldsOf(four(1, echo), ...names), { ...none, icmpType: 8, icmpCode: 0, icmpId: 0x1234, payload: 2 })
  const unreachable = hex('0303 0000 1234 0001 aabb')
  assert.deepEqual(fieldsOf(four(1, unreachable), ...names), {
    ...{ ...none, icmpType: 3, icmpCode: 3, icmpId: 0, payload: 2 },
  })
  assert.equal(fieldsOf(six(58, hex('8000 0000 1234 0001')), 'icmpId')['icmpId'], 0x1234)
  assert.equal(fieldsOf(six(58, hex('8700 0000 1234 0001')), 'icmpId')['icmpId'], 0)
  assert.equal(fieldsOf(four(1, [8]), 'hasTransport')['hasTransport'], false)
})

test('other protocols are told by their number only', () => {
  for (const protocol of [2, 50, 51, 89, 103, 112, 255]) {
    assert.deepEqual(fieldsOf(four(protocol, zeros(16)), 'protocol', 'hasTransport', 'srcPort', 'payload'), {
      ...{ protocol, hasTransport: true, srcPort: 0, payload: 16 },
    })
  }
})
