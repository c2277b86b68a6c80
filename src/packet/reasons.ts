import { mayCarryIp } from './link-types.ts'

/** Why a packet is not an IP packet, by code. 0 is what was decoded. */
export const reasonNames = [
  '',
  'ARP',
  'link control',
  'other protocol than IP',
  'unknown link type',
  'unknown interface',
  'link header cut short',
  'IP header cut short',
  'IP version neither 4 nor 6',
  'IP header length wrong',
  'IP total length wrong',
  'encrypted or compressed',
] as const

/** ARP and RARP. */
export const arp = 1
/** Protocols of the link itself: LLDP, spanning tree, CDP, 802.1X, LACP, PPP's LCP, PPPoE discovery and the like. */
export const linkControl = 2
export const otherProtocol = 3
export const unknownLinkType = 4
/** A pcapng packet of an interface that its section does not describe. */
export const unknownInterface = 5
export const linkCut = 6
/** Fewer than 20 (IPv4) or 40 (IPv6) bytes, in the capture or on the wire. */
export const ipCut = 7
export const ipVersionWrong = 8
/** IPv4: fewer than five words. */
export const ipHeaderLengthWrong = 9
/** IPv4: a total length below the header's own. */
export const ipTotalLengthWrong = 10
/** By the link: MACsec, PPP with encryption or compression. */
export const encrypted = 11

/** Whether IP traffic may be lost with a packet that was not decoded for this reason. `linkType` is that of the packet. */
export function losesIp(reason: number, linkType: number): boolean {
  if (reason === unknownLinkType) return mayCarryIp(linkType)
  return reason !== 0 && reason !== arp && reason !== linkControl && reason !== otherProtocol
}
