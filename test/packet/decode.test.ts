import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ethernet, hex, ipv4, ipv6, tcp, udp, vlan } from './build.ts'
import { decodeOne, fieldsOf } from './reading.ts'

const segment = ipv4({ protocol: 6, tos: 0x28, ttl: 63 }, tcp(40000, 443, 0xc2, [1, 2, 3]))

test('TCP over IPv4 on Ethernet, every field', () => {
  assert.deepEqual(decodeOne(1, ethernet(0x0800, segment), 100), {
    ...{ number: 0, time: 0, wireLength: 100, capturedLength: 57, version: 4 },
    ...{ src: '192.0.2.1', dst: '198.51.100.2', protocol: 6, ipBytes: 43, tos: 0x28, ipId: 0, checksum: 0, ttl: 63 },
    ...{
      srcPort: 40000,
      dstPort: 443,
      hasTransport: true,
      hasTcpHeader: true,
      tcpFlags: 0xc2,
      tcpSeq: 0xfffffff0,
      tcpAck: 7,
    },
    ...{ tcpWindow: 8192, payload: 3, icmpType: 0, icmpCode: 0, icmpId: 0, fragment: 0, vlan: -1 },
    ...{ tunnel: '', tunnelId: -1 },
  })
})

test('UDP over IPv6 in two VLAN tags: the inner one counts', () => {
  const packet = ipv6({ next: 17, tos: 0xb8 }, udp(5353, 53, [1, 2]))
  const tagged = ethernet(0x88a8, vlan(100, 0x8100, vlan(0x2007, 0x86dd, packet)))
  const names = ['version', 'src', 'dst', 'protocol', 'srcPort', 'dstPort', 'ipBytes', 'payload', 'vlan', 'tos']
  assert.deepEqual(fieldsOf(decodeOne(1, tagged), ...names), {
    ...{ version: 6, src: '20010db8:00000000:00000000:00000001', dst: '20010db8:00000000:00000000:00000002' },
    ...{ protocol: 17, srcPort: 5353, dstPort: 53, ipBytes: 50, payload: 2, vlan: 7, tos: 0xb8 },
  })
})

test('what is not IP has a reason', () => {
  assert.equal(decodeOne(1, ethernet(0x0806, hex('0001 0800 0604 0001'))), 'ARP')
  assert.equal(decodeOne(1, ethernet(0x88cc, hex('0207'))), 'link control')
  assert.equal(decodeOne(1, ethernet(0x1234, hex('0207'))), 'other protocol than IP')
  assert.equal(decodeOne(999, segment), 'unknown link type')
  assert.equal(decodeOne(-1, segment), 'unknown interface')
})
