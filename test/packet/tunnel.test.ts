import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notes } from '../../src/packet/walk.ts'
import { type Bytes, be16, ethernet, groups, hex, ipv4, ipv6, pcap, tcp, udp, vlan, zeros } from './build.ts'
import { decodeOne, fieldsOf, readAll } from './reading.ts'

const inner = ipv4({ protocol: 6, src: '10.0.0.1', dst: '10.0.0.2' }, tcp(40000, 443, 2, [1, 2, 3]))
const inner6 = ipv6({ next: 6 }, tcp(40000, 443, 2, [1, 2, 3]))
const frame = ethernet(0x0800, inner)
const outer = (protocol: number, payload: Bytes) => ipv4({ protocol }, payload)
const gre = (flags: number, type: number, payload: Bytes) => outer(47, [...be16(flags), ...be16(type), ...payload])
const inUdp = (port: number, payload: Bytes, src = 50000) => outer(17, udp(src, port, payload))
const vxlan = (payload: Bytes) => inUdp(4789, [...hex('08000000 00abcd00'), ...payload])

/** A routing header of type 4 with two segments, of which one is left (RFC 8754, 2). */
const segments = (next: number, payload: Bytes): Bytes => [
  ...[next, 4, 4, 1, 1, 0, 0, 0],
  ...groups('2001:db8::b'),
  ...groups('2001:db8::a'),
  ...payload,
]

const tunnels: [string, Bytes, string, number, Bytes?][] = [
  ['IP in IP', outer(4, inner), 'ipip', -1],
  ['IPv6 in IPv4', outer(41, inner6), '6in4', -1, inner6],
  ['IPv4 in IPv6', ipv6({ next: 4 }, inner), 'ipip', -1],
  ['IPv6 in IPv6', ipv6({ next: 41 }, inner6), 'ipip', -1, inner6],
  ['GRE', gre(0, 0x0800, inner), 'gre', -1],
  [
    'GRE with checksum, key and sequence',
    gre(0xb000, 0x86dd, [...zeros(4), ...hex('00000102'), ...zeros(4), ...inner6]),
    'gre',
    258,
    inner6,
  ],
  ['GRE with Ethernet', gre(0x2000, 0x6558, [...hex('80000001'), ...frame]), 'gre', 0x8000_0001],
  ['GRE with MPLS', gre(0, 0x8847, [...hex('00020140'), ...inner]), 'mpls', -1],
  ['GRE of PPTP', gre(0x3081, 0x880b, [...hex('0030 0007'), ...zeros(8), ...hex('ff03 0021'), ...inner]), 'gre', 7],
  ['GRE in UDP', inUdp(4754, [...hex('0000 0800'), ...inner]), 'gre', -1],
  ['GRE of WCCP 2', gre(0, 0x883e, [...hex('00000000'), ...inner]), 'gre', -1],
  ['ERSPAN I', gre(0, 0x88be, frame), 'erspan', -1],
  ['ERSPAN II', gre(0x1000, 0x88be, [...zeros(4), ...hex('1000 0064 00000000'), ...frame]), 'erspan', 100],
  ['ERSPAN III', gre(0x1000, 0x22eb, [...zeros(4), ...hex('2000 0065'), ...zeros(8), ...frame]), 'erspan', 101],
  [
    'ERSPAN III with more',
    gre(0x1000, 0x22eb, [...zeros(4), ...hex('2000 0065 00000000 0000 0001'), ...zeros(8), ...frame]),
    'erspan',
    101,
  ],
  [
    'ERSPAN III with IP',
    gre(0x1000, 0x22eb, [...zeros(4), ...hex('2000 0065 00000000 0000 0800'), ...inner]),
    'erspan',
    101,
  ],
  ['MPLS in IP', outer(137, [...hex('00020140'), ...inner]), 'mpls', -1],
  ['VXLAN', vxlan(frame), 'vxlan', 0xabcd],
  ['VXLAN of Linux', inUdp(8472, [...hex('08000000 00000100'), ...frame]), 'vxlan', 1],
  ['VXLAN with a group policy', inUdp(4789, [...hex('88000007 00000100'), ...frame]), 'vxlan', 1],
  ['VXLAN with reserved bits', inUdp(4789, [...hex('f8123456 000001ff'), ...frame]), 'vxlan', 1],
  ['VXLAN-GPE with Ethernet', inUdp(4790, [...hex('0c000003 00000100'), ...frame]), 'vxlan', 1],
  ['VXLAN-GPE with IPv6', inUdp(4790, [...hex('0c000002 00000100'), ...inner6]), 'vxlan', 1, inner6],
  ['VXLAN-GPE that is VXLAN', inUdp(4790, [...hex('08000000 00000100'), ...frame]), 'vxlan', 1],
  ['VXLAN-GPE with NSH', inUdp(4790, [...hex('0c000004 00000100 0fc2 0201 000005ff'), ...inner]), 'nsh', 5],
  ['NSH in IP', outer(145, [...hex('0fc2 0201 000005ff'), ...inner]), 'nsh', 5],
  ['Ethernet in IP', outer(97, [...hex('3000'), ...frame]), 'etherip', -1],
  ['SRv6 with IPv4', ipv6({ next: 43 }, segments(4, inner)), 'ipip', -1],
  ['SRv6 with IPv6', ipv6({ next: 43 }, segments(41, inner6)), 'ipip', -1, inner6],
  ['SRv6 with Ethernet', ipv6({ next: 43 }, segments(143, frame)), 'srv6', -1],
  ['VXLAN with a VLAN', vxlan(ethernet(0x8100, vlan(7, 0x86dd, inner6))), 'vxlan', 0xabcd, inner6],
  ['Geneve', inUdp(6081, [...hex('0000 6558 00000200'), ...frame]), 'geneve', 2],
  [
    'Geneve with options and IP',
    inUdp(6081, [...hex('0200 86dd 00000200'), ...zeros(8), ...inner6]),
    'geneve',
    2,
    inner6,
  ],
  ['GTP', inUdp(2152, [...hex('30ff'), ...be16(inner.length), ...hex('80000005'), ...inner]), 'gtp', 0x8000_0005],
  [
    'GTP from the port',
    outer(17, udp(2152, 9, [...hex('30ff'), ...be16(inner.length), ...hex('00000005'), ...inner])),
    'gtp',
    5,
  ],
  [
    'GTP with extensions',
    inUdp(2152, [...hex('36ff'), ...be16(inner.length + 8), ...hex('00000005 0001 00 85 01 0010 00'), ...inner]),
    'gtp',
    5,
  ],
  ['Teredo', inUdp(3544, ipv6({ next: 6, src: '2001:0::1' }, tcp(40000, 443, 2, [1, 2, 3]))), 'teredo', -1, inner6],
  [
    'Teredo past its port',
    inUdp(40001, ipv6({ next: 6, src: '2001:0::1' }, tcp(40000, 443, 2, [1, 2, 3]))),
    'teredo',
    -1,
    inner6,
  ],
  [
    'Teredo with both headers',
    outer(
      17,
      udp(3544, 50000, [
        ...hex('0001 0000'),
        ...zeros(9),
        ...hex('0000'),
        ...zeros(6),
        ...ipv6({ next: 6, src: '2001:0::1' }, tcp(40000, 443, 2, [1, 2, 3])),
      ]),
    ),
    'teredo',
    -1,
    inner6,
  ],
]

for (const [name, bytes, tunnel, tunnelId, packet = inner] of tunnels) {
  test(`${name}: what it carries counts, in place of what carries it`, () => {
    const names = ['tunnel', 'tunnelId', 'version', 'srcPort', 'dstPort', 'ipBytes', 'payload', 'tcpFlags']
    assert.deepEqual(fieldsOf(decodeOne(101, bytes), ...names), {
      ...{ tunnel, tunnelId, version: packet === inner6 ? 6 : 4, srcPort: 40000, dstPort: 443 },
      ...{ ipBytes: packet.length, payload: 3, tcpFlags: 2 },
    })
    // Cut short anywhere, it is one of the packets that carry each other, or there is no IP header.
    for (let length = 20; length < bytes.length; length++) {
      const cut = decodeOne(101, bytes.slice(0, length), bytes.length)
      if (typeof cut !== 'string') assert.ok([bytes.length, packet.length].includes(cut['ipBytes'] as number))
    }
  })
}

const plainOutside: [string, Bytes][] = [
  ['ARP in VXLAN', vxlan(ethernet(0x0806, zeros(28)))],
  ['no VXLAN on its port', inUdp(4789, zeros(60))],
  ['no IP version in VXLAN', vxlan(ethernet(0x0800, zeros(40)))],
  ['VXLAN without its flag', inUdp(4789, [...hex('f7000000 00000100'), ...frame])],
  ['VXLAN-GPE for the end of the tunnel', inUdp(4790, [...hex('0d000001 00000100'), ...inner])],
  ['VXLAN-GPE of a version to come', inUdp(4790, [...hex('1c000001 00000100'), ...inner])],
  ['NSH of a version to come', outer(145, [...hex('4fc2 0201 000005ff'), ...inner])],
  ['no Ethernet in IP', outer(97, zeros(40))],
  ['IPComp, which nobody can look into', outer(108, zeros(40))],
  ['no Geneve on its port', inUdp(6081, [0xff, ...zeros(60)])],
  ['a GTP echo', inUdp(2152, hex('32010004 00000000 00010000'))],
  ['IPv6 in UDP that is not Teredo', inUdp(40001, inner6)],
  [
    'Teredo past its port that does not fill the datagram',
    inUdp(40001, [...ipv6({ next: 59, src: '2001:0::1' }, []), 0]),
  ],
  ['no Teredo on its port', inUdp(3544, inner6)],
  ['a DNS answer to a tunnel port', outer(17, udp(53, 4789, hex('1234 8180 0001 0001 0000 0000')))],
  ['a GRE keep-alive', gre(0, 0, [])],
  ['GRE with a source route', gre(0x4000, 0x0800, inner)],
  ['GRE of a version to come', gre(0x0002, 0x0800, inner)],
  ['OSI in GRE', gre(0, 0x00fe, zeros(30))],
  ['nothing in IP in IP', outer(4, [])],
  ['garbage in IP in IP', outer(4, zeros(40))],
]

for (const [name, bytes] of plainOutside) {
  test(`${name}: the packet is what it is outside`, () => {
    const names = ['src', 'protocol', 'ipBytes', 'tunnel', 'tunnelId', 'vlan', 'hasTransport']
    assert.deepEqual(fieldsOf(decodeOne(101, bytes), ...names), {
      ...{ src: '192.0.2.1', protocol: bytes[9]!, ipBytes: bytes.length, tunnel: '', tunnelId: -1, vlan: -1 },
      ...{ hasTransport: true },
    })
  })
}

test('an outer packet in fragments is not looked into', () => {
  const first = ipv4({ protocol: 4, fragment: 0x2000 }, inner)
  assert.deepEqual(fieldsOf(decodeOne(101, first), 'protocol', 'tunnel', 'fragment'), {
    ...{ protocol: 4, tunnel: '', fragment: 1 },
  })
})

test('of nested tunnels the innermost is noted', () => {
  const nested = vxlan(ethernet(0x0800, gre(0x2000, 0x0800, [...hex('00000009'), ...inner])))
  assert.deepEqual(fieldsOf(decodeOne(101, nested), 'tunnel', 'tunnelId', 'src'), {
    ...{ tunnel: 'gre', tunnelId: 9, src: '10.0.0.1' },
  })
  // If that cannot be decoded, the next.
  const half = vxlan(ethernet(0x0800, gre(0x2000, 0x0800, [...hex('00000009'), ...zeros(20)])))
  assert.deepEqual(fieldsOf(decodeOne(101, half), 'tunnel', 'tunnelId', 'protocol'), {
    ...{ tunnel: 'vxlan', tunnelId: 0xabcd, protocol: 47 },
  })
})

test('eight tunnels are looked into, and not one more', () => {
  const nest = (depth: number): Bytes => (depth === 0 ? inner : ipv4({ protocol: 4, tos: depth }, nest(depth - 1)))
  const { packets, accounts } = readAll(
    pcap(
      [8, 9, 40].map(depth => ({ bytes: nest(depth) })),
      { linkType: 101 },
    ),
  )
  assert.deepEqual(
    packets.map(packet => [packet['protocol'], packet['tos'], packet['tunnel']]),
    [
      [6, 0, 'ipip'],
      [4, 1, 'ipip'],
      [4, 32, 'ipip'],
    ],
  )
  assert.equal(accounts.tooDeep, 2)
  assert.equal(notes.tooDeep, 4)
})

test('SRv6 without a packet inside: the addresses are those of the header', () => {
  const routed = ipv6({ next: 43 }, segments(6, tcp(40000, 443, 2)))
  assert.deepEqual(fieldsOf(decodeOne(101, routed), 'protocol', 'dstPort', 'dst', 'tunnel'), {
    ...{ protocol: 6, dstPort: 443, dst: '20010db8:00000000:00000000:00000002', tunnel: '' },
  })
})
