import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bytes, ethernet, hex, ipv4, ipv6, tcp, udp, vlan, zeros } from './build.ts'
import { decodeOne, fieldsOf } from './reading.ts'

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
  ['other protocol than IP', 9, [...hex('00fd'), ...zeros(20)]], // compressed
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
