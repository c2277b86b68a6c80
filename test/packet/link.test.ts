import assert from 'node:assert/strict'
import { test } from 'node:test'
import { losesIp, reasonNames, unknownLinkType } from '../../src/packet/reasons.ts'
import { type Bytes, be16, ethernet, hex, ipv4, ipv6, pcap, tcp, udp, vlan, zeros } from './build.ts'
import { decodeOne, fieldsOf, readAll } from './reading.ts'

const four = ipv4({ protocol: 17 }, udp(5353, 53, [1, 2, 3]))
const six = ipv6({ next: 6 }, tcp(40000, 443, 2))

/** The packet must come out as `four` or `six`, however it was framed. */
function isPacket(linkType: number, bytes: Bytes, inner: Bytes = four): void {
  const [version, dstPort] = inner === six ? [6, 443] : [4, 53]
  assert.deepEqual(fieldsOf(decodeOne(linkType, bytes), 'version', 'dstPort', 'ipBytes'), {
    ...{ version, dstPort, ipBytes: inner.length },
  })
  // Wherever it is cut there is a reason, or a packet without ports.
  for (let length = 0; length < bytes.length; length++) {
    const cut = decodeOne(linkType, bytes.slice(0, length), bytes.length)
    if (typeof cut !== 'string') assert.equal(cut['ipBytes'], inner.length)
  }
}

/** Of NFLOG. */
const attribute = (type: number, value: Bytes, big = false): Bytes => {
  const halves = [be16(4 + value.length), be16(type)].map(half => (big ? half : [...half].reverse()))
  return [...halves.flat(), ...value, ...zeros(-value.length & 3)]
}

const links: [string, number, Bytes, Bytes?][] = [
  ['Ethernet', 1, ethernet(0x0800, four)],
  ['Ethernet, IPv6', 1, ethernet(0x86dd, six), six],
  ['802.1Q', 1, ethernet(0x8100, vlan(5, 0x0800, four))],
  ['802.1ad', 1, ethernet(0x88a8, vlan(5, 0x8100, vlan(6, 0x0800, four)))],
  ['QinQ before the standard', 1, ethernet(0x9100, vlan(5, 0x8100, vlan(6, 0x86dd, six))), six],
  ['802.3 with SNAP', 1, ethernet(4 + four.length, [...hex('aaaa03 000000 0800'), ...four])],
  ['802.3 with SNAP in a VLAN', 1, ethernet(0x8100, vlan(5, 90, [...hex('aaaa03 000000 86dd'), ...six])), six],
  ['802.3 with the number of IP', 1, ethernet(3 + four.length, [...hex('060603'), ...four])],
  ['provider backbone bridge', 1, ethernet(0x88e7, [...zeros(4), ...ethernet(0x0800, four)])],
  ['FabricPath', 1, ethernet(0x8903, [...zeros(2), ...ethernet(0x0800, four)])],
  ['raw IP 12', 12, four],
  ['raw IP 14', 14, six, six],
  ['raw IP 101', 101, six, six],
  ['IPv4', 228, four],
  ['IPv6', 229, six, six],
  ['NULL, little-endian', 0, [...hex('02000000'), ...four]],
  ['NULL, big-endian', 0, [...hex('00000002'), ...four]],
  ['NULL, IPv6 of Darwin', 0, [...hex('1e000000'), ...six], six],
  ['LOOP, IPv6 of OpenBSD', 108, [...hex('00000018'), ...six], six],
  ['Linux cooked', 113, [...zeros(14), ...hex('0800'), ...four]],
  ['Linux cooked with a VLAN', 113, [...zeros(14), ...hex('8100 0005 86dd'), ...six], six],
  ['Linux cooked with 802.2', 113, [...zeros(14), ...hex('0004 aaaa03 000000 0800'), ...four]],
  ['Linux cooked 2', 276, [...hex('86dd'), ...zeros(18), ...six], six],
  ['PPP', 9, [...hex('0021'), ...four]],
  ['PPP, short protocol', 9, [...hex('21'), ...four]],
  ['PPP with HDLC framing', 9, [...hex('ff03 0057'), ...six], six],
  ['PPP_HDLC', 50, [...hex('ff03 0021'), ...four]],
  ['PPP_HDLC that is Cisco HDLC', 50, [...hex('0f00 0800'), ...four]],
  ['PPPoE', 51, [...hex('1100 0007 0021 0021'), ...four]],
  ['PPPoE on Ethernet', 1, ethernet(0x8864, [...hex('1100 0007 0021 0021'), ...four])],
  ['Cisco HDLC', 104, [...hex('0f00 86dd'), ...six], six],
  ['frame relay', 107, [...hex('1861 03 cc'), ...four]],
  ['frame relay with padding', 107, [...hex('1861 03 00 8e'), ...six], six],
  ['frame relay with SNAP', 107, [...hex('1861 03 00 80 000000 0800'), ...four]],
  ['frame relay of Cisco', 107, [...hex('1861 0800'), ...four]],
  ['VN-Tag', 1, ethernet(0x8926, [...hex('80010002 0800'), ...four])],
  ['VN-Tag with a VLAN', 1, ethernet(0x8926, [...hex('00010002 8100'), ...vlan(5, 0x86dd, six)]), six],
  ['Cisco metadata', 1, ethernet(0x8909, [...hex('01 01 0001 0010 0800'), ...four])],
  ['Cisco metadata of two options', 1, ethernet(0x8909, [...hex('01 02 0001 0010 0002 0011 86dd'), ...six]), six],
  ['Arista time, 64 bits', 1, ethernet(0xd28b, [...hex('0001 0010'), ...zeros(8), ...hex('0800'), ...four])],
  ['Arista time, 48 bits in UTC', 1, ethernet(0xd28b, [...hex('0001 0120'), ...zeros(6), ...hex('86dd'), ...six]), six],
  ['MACsec that only signs', 1, ethernet(0x88e5, [...hex('00 00 00000001 0800'), ...four, ...zeros(16)])],
  ['MACsec of a channel', 1, ethernet(0x88e5, [...hex('20 00 00000001'), ...zeros(8), ...hex('86dd'), ...six]), six],
  ['NSH', 1, ethernet(0x894f, [...hex('0fc6 0101 000005ff'), ...zeros(16), ...four])],
  ['NSH with Ethernet', 1, ethernet(0x894f, [...hex('0fc2 0203 000005ff'), ...ethernet(0x86dd, six)]), six],
  ['NSH in NSH', 1, ethernet(0x894f, [...hex('0fc2 0204 000005ff 0fc2 0202 000006ff'), ...six]), six],
  ['Marvell EDSA', 1, ethernet(0xdada, [...hex('0000 00080000 0800'), ...four])],
  ['Marvell EDSA as a link', 285, ethernet(0xdada, [...hex('0000 00080000 86dd'), ...six]), six],
  ['Marvell DSA', 284, [...zeros(12), ...hex('00080000 0800'), ...four]],
  ['Broadcom tag', 281, [...zeros(12), ...hex('00000001 86dd'), ...six], six],
  ['Broadcom tag before', 282, [...zeros(4), ...ethernet(0x0800, four)]],
  [
    'NFLOG',
    239,
    [...hex('02 00 0001'), ...attribute(1, hex('0800 01 00')), ...attribute(10, hex('6100')), ...attribute(9, four)],
  ],
  ['NFLOG of a big-endian machine', 239, [...hex('0a 00 0001'), ...attribute(9, six, true)], six],
  ['NFLOG of a bridge', 239, [...hex('07 00 0001'), ...attribute(1, hex('86dd 01 00')), ...attribute(9, six)], six],
  ['PPI', 192, [...hex('0000 0800 01000000'), ...ethernet(0x0800, four)]],
  ['PPI with fields', 192, [...hex('0000 1000 65000000'), ...zeros(8), ...six], six],
  ['FDDI', 10, [0x50, ...zeros(12), ...hex('aaaa03 000000 0800'), ...four]],
  ['IP over InfiniBand', 242, [...zeros(40), ...hex('86dd 0000'), ...six], six],
  ['ARCNET', 7, [...hex('0102 d4 00 0001'), ...four]],
  ['ARCNET, old numbers', 7, [...hex('0102 f0'), ...four]],
  ['ARCNET, exception packet', 7, [...hex('0102 d4 ff ffff ff00 0001'), ...four]],
  ['ARCNET of Linux, IPv6', 129, [...hex('0102 0000 c4 00 0001'), ...six], six],
  ['MPLS', 1, ethernet(0x8847, [...hex('00010040 00020140'), ...four])],
  ['MPLS, IPv6', 1, ethernet(0x8848, [...hex('00020140'), ...six]), six],
  ['MPLS with Ethernet', 1, ethernet(0x8847, [...hex('00020140'), ...ethernet(0x0800, four)])],
  ['MPLS with a control word', 1, ethernet(0x8847, [...hex('00020140 00000000'), ...ethernet(0x86dd, six)]), six],
]

for (const [name, linkType, bytes, inner] of links) {
  test(`${name}: the packet is found`, () => isPacket(linkType, bytes, inner))
}

test('PPPoE and MPLS are noted as what carried the packet', () => {
  const names = ['tunnel', 'tunnelId', 'vlan']
  const mpls = ethernet(0x8100, vlan(9, 0x8847, [...hex('00020140'), ...four]))
  assert.deepEqual(fieldsOf(decodeOne(1, mpls), ...names), { tunnel: 'mpls', tunnelId: -1, vlan: 9 })
  const pppoe = ethernet(0x8864, [...hex('1100 0007 0021 0021'), ...four])
  assert.deepEqual(fieldsOf(decodeOne(1, pppoe), ...names), { tunnel: 'pppoe', tunnelId: -1, vlan: -1 })
})

const reasons: [string, number, Bytes][] = [
  ['ARP', 1, ethernet(0x0806, zeros(28))],
  ['ARP', 1, ethernet(0x8035, zeros(28))],
  ['ARP', 113, [...zeros(14), ...hex('0806'), ...zeros(28)]],
  ['link control', 1, ethernet(0x88cc, zeros(20))],
  ['link control', 1, ethernet(38, [...hex('424203'), ...zeros(35)])], // spanning tree
  ['link control', 1, ethernet(80, [...hex('aaaa03 00000c 2000'), ...zeros(72)])], // CDP
  ['link control', 1, ethernet(0x8863, zeros(20))],
  ['link control', 9, [...hex('c021'), ...zeros(8)]], // LCP
  ['link control', 104, [...hex('8f00 8035'), ...zeros(18)]],
  ['other protocol than IP', 1, ethernet(0x88a2, zeros(20))],
  ['other protocol than IP', 1, ethernet(38, [...hex('fefe03'), ...zeros(35)])], // OSI
  ['other protocol than IP', 0, [...hex('07000000'), ...zeros(20)]],
  ['encrypted or compressed', 9, [...hex('00fd'), ...zeros(20)]],
  ['encrypted or compressed', 9, [...hex('002d'), ...zeros(20)]],
  ['encrypted or compressed', 1, ethernet(0x88e5, [0x0c, ...zeros(60)])],
  ['other protocol than IP', 1, ethernet(0xd28b, [...hex('0002 0010'), ...zeros(60)])],
  ['other protocol than IP', 192, [...hex('0000 0800 c0000000'), ...zeros(60)]], // itself again
  ['unknown link type', 192, [...hex('0000 0800 69000000'), ...zeros(60)]],
  ['other protocol than IP', 239, [...hex('10 00 0001'), ...attribute(9, four)]],
  ['link header cut short', 239, [...hex('02 00 0001'), ...attribute(10, hex('6100'))]],
  ['link control', 10, [0x41, ...zeros(40)]],
  ['ARP', 7, [...hex('0102 d5 00 0001'), ...zeros(28)]],
  ['other protocol than IP', 7, [...hex('0102 d4 02 0001'), ...four]], // a later piece
  ['other protocol than IP', 113, [...zeros(14), ...hex('000c'), ...zeros(20)]], // CAN
  ['other protocol than IP', 1, ethernet(0x8847, [...hex('00020140'), ...zeros(40)])],
  ['link header cut short', 1, zeros(13)],
  ['link header cut short', 1, ethernet(0x8100, zeros(3))],
  ['IP header cut short', 1, ethernet(0x0800, four.slice(0, 19))],
  ['IP header cut short', 1, ethernet(0x86dd, six.slice(0, 39))],
  ['IP header cut short', 1, ethernet(0x0800, [])],
  ['IP version neither 4 nor 6', 1, ethernet(0x0800, six)],
  ['IP version neither 4 nor 6', 101, hex('00')],
  ['IP header length wrong', 1, ethernet(0x0800, [0x44, ...four.slice(1)])],
  ['IP total length wrong', 1, ethernet(0x0800, ipv4({ protocol: 17, length: 19 }, zeros(8)))],
  ['unknown link type', 127, four],
  ['unknown interface', -1, four],
]

for (const [index, [reason, linkType, bytes]] of reasons.entries()) {
  test(`no IP packet (${index + 1}): ${reason}`, () => assert.equal(decodeOne(linkType, bytes), reason))
}

test('a tag of a switch that stands for an 802.1Q tag has its VLAN', () => {
  const tagged = [...zeros(12), ...hex('20080007 0800'), ...four]
  assert.deepEqual(fieldsOf(decodeOne(284, tagged), 'vlan', 'dstPort'), { vlan: 7, dstPort: 53 })
})

test('NFLOG hands on as much of a packet as it was told to: its length is that of its header', () => {
  const logged = [...hex('02 00 0001'), ...attribute(9, four.slice(0, 28))]
  assert.deepEqual(fieldsOf(decodeOne(239, logged), 'ipBytes', 'dstPort'), { ipBytes: four.length, dstPort: 53 })
})

test('which packets that are not decoded may be of IP', () => {
  const lost = reasonNames.filter((_, reason) => losesIp(reason, 105))
  assert.deepEqual(lost, [
    ...['unknown link type', 'unknown interface', 'link header cut short', 'IP header cut short'],
    ...['IP version neither 4 nor 6', 'IP header length wrong', 'IP total length wrong', 'encrypted or compressed'],
  ])
  assert.equal(losesIp(unknownLinkType, 189), false, 'USB')
  assert.equal(losesIp(unknownLinkType, 9999), true, 'nobody knows')
})

test('unknown link types are counted by number and name, and those that may be of IP apart with their times', () => {
  const frames = [ethernet(0x0806, zeros(28)), ethernet(0x0800, [0x99, ...zeros(40)])]
  const { accounts } = readAll(pcap(frames.map((bytes, i) => ({ bytes, time: [1_700_000_000 + i, 5] }))))
  assert.deepEqual(accounts.undecoded(), [
    { name: 'ARP', packets: 1 },
    { name: 'IP version neither 4 nor 6', packets: 1 },
  ])
  assert.deepEqual(accounts.undecoded(true), [{ name: 'IP version neither 4 nor 6', packets: 1 }])
  assert.deepEqual(accounts.lost, { packets: 1, first: 1_700_000_001_000_005, last: 1_700_000_001_000_005 })
  const wireless = (linkType: number) => readAll(pcap([{ bytes: zeros(60) }], { linkType })).accounts.undecoded(true)
  assert.deepEqual(wireless(105), [{ name: 'unknown link type 105 (IEEE802_11)', packets: 1 }])
  assert.deepEqual(wireless(999), [{ name: 'unknown link type 999', packets: 1 }])
  assert.deepEqual(wireless(189), [])
  const inPpi = readAll(pcap([{ bytes: [...hex('0000 0800 69000000'), ...zeros(60)] }], { linkType: 192 }))
  assert.deepEqual(inPpi.accounts.undecoded(), [{ name: 'unknown link type 105 (IEEE802_11)', packets: 1 }])
})
