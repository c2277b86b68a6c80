import { SCTP, TCP, UDP } from '../net/protocols.ts'
import type { Packet } from './packet.ts'
import { tunnelNext, type Walk } from './walk.ts'

const ICMP = 1
const IPIP = 4
const IPV6 = 41
const GRE = 47
const ICMPV6 = 58
const ETHERIP = 97
const MPLS = 137
/** Ethernet in SRv6, RFC 8986. */
const ETHERNET = 143
const NSH = 145

const udpHeaderBytes = 8
const icmpHeaderBytes = 8
const sctpHeaderBytes = 12
const tcpHeaderBytes = 20

/** Whether a protocol has what tells its flows apart behind the IP header: ports, or type and code. */
export function hasEnds(protocol: number): boolean {
  return protocol === TCP || protocol === UDP || protocol === ICMP || protocol === ICMPV6 || protocol === SCTP
}

/** What follows the IP header and its extension headers. Returns 0, or `tunnelNext`. */
export function transport(walk: Walk, packet: Packet): number {
  clear(walk, packet)
  if (packet.fragment === 3) {
    packet.hasTransport = !hasEnds(packet.protocol)
    return 0
  }
  packet.hasTransport = true
  switch (packet.protocol) {
    case TCP:
      tcp(walk, packet)
      return 0
    case UDP:
      return udp(walk, packet)
    case ICMP:
    case ICMPV6:
      icmp(walk, packet)
      return 0
    case SCTP:
      if (ports(walk, packet)) packet.payload = rest(packet, sctpHeaderBytes)
      return 0
    case IPIP:
    case IPV6:
    case GRE:
    case MPLS:
    case ETHERIP:
    case ETHERNET:
    case NSH:
      // The rest of a packet in fragments is in others, so it is counted as what it is outside.
      return packet.fragment === 0 ? tunnelNext : 0
    default:
      return 0
  }
}

/** The transport header lies behind IPv6 extension headers that are not there. */
export function noTransport(walk: Walk, packet: Packet): number {
  clear(walk, packet)
  packet.hasTransport = false
  return 0
}

function clear(walk: Walk, packet: Packet): void {
  packet.srcPort = packet.dstPort = 0
  packet.hasTcpHeader = false
  packet.tcpFlags = packet.tcpSeq = packet.tcpAck = packet.tcpWindow = 0
  packet.icmpType = packet.icmpCode = packet.icmpId = packet.checksum = 0
  packet.payload = Math.max(walk.end - walk.at, 0)
}

function rest(packet: Packet, header: number): number {
  return packet.payload > header ? packet.payload - header : 0
}

function ports(walk: Walk, packet: Packet): boolean {
  const { view, at } = walk
  if (walk.to - at < 4) {
    packet.hasTransport = false
    return false
  }
  packet.srcPort = view.getUint16(at)
  packet.dstPort = view.getUint16(at + 2)
  return true
}

/** RFC 9293, 3.1. */
function tcp(walk: Walk, packet: Packet): void {
  if (!ports(walk, packet)) return
  const { bytes, view, at } = walk
  const captured = walk.to - at
  let header = tcpHeaderBytes
  if (captured >= 14) {
    packet.hasTcpHeader = true
    packet.tcpSeq = view.getUint32(at + 4)
    packet.tcpAck = view.getUint32(at + 8)
    packet.tcpFlags = bytes[at + 13]!
    header = (bytes[at + 12]! >>> 4) << 2
    if (header < tcpHeaderBytes) header = tcpHeaderBytes
    packet.tcpWindow = captured >= 16 ? view.getUint16(at + 14) : -1
  }
  packet.payload = rest(packet, header)
}

/** RFC 768. A length of 0 or one beyond the IP packet says nothing. */
function udp(walk: Walk, packet: Packet): number {
  if (!ports(walk, packet)) return 0
  const room = rest(packet, udpHeaderBytes)
  packet.payload = room
  if (walk.to - walk.at < udpHeaderBytes) return 0
  packet.checksum = walk.view.getUint16(walk.at + 6)
  const said = walk.view.getUint16(walk.at + 4) - udpHeaderBytes
  if (said >= 0 && said < room) packet.payload = said
  if (packet.fragment !== 0) return 0
  return mayCarry(packet.srcPort, packet.dstPort) || isTeredo(walk) ? tunnelNext : 0
}

export const vxlanPort = 4789
/** Of VXLAN in Linux before the IANA gave it a port (Documentation/networking/vxlan.rst). */
export const vxlanLinuxPort = 8472
/** draft-ietf-nvo3-vxlan-gpe. */
export const vxlanGpePort = 4790
export const genevePort = 6081
export const gtpPort = 2152
export const teredoPort = 3544
/** GRE in UDP, RFC 8086. */
export const grePort = 4754

/** `2001::/32`, RFC 4380, 2.6. */
export const teredoPrefix = 0x2001_0000

/** Teredo passes its own port by once two hosts know each other: its prefix in an IPv6 packet that fills the datagram is what shows it. */
function isTeredo(walk: Walk): boolean {
  const { view } = walk
  const at = walk.at + udpHeaderBytes
  if (walk.to - at < 40 || walk.bytes[at]! >>> 4 !== 6) return false
  if (view.getUint32(at + 8) !== teredoPrefix && view.getUint32(at + 24) !== teredoPrefix) return false
  return view.getUint16(at + 4) + 40 === walk.end - at
}

function mayCarry(src: number, dst: number): boolean {
  return (
    dst === vxlanPort ||
    dst === vxlanLinuxPort ||
    dst === vxlanGpePort ||
    dst === genevePort ||
    dst === gtpPort ||
    dst === teredoPort ||
    dst === grePort ||
    src === gtpPort ||
    src === teredoPort
  )
}

/** RFC 792, RFC 4443. */
function icmp(walk: Walk, packet: Packet): void {
  const { bytes, view, at } = walk
  const captured = walk.to - at
  if (captured < 2) {
    packet.hasTransport = false
    return
  }
  packet.icmpType = bytes[at]!
  packet.icmpCode = bytes[at + 1]!
  if (captured >= 6 && hasIdentifier(packet.protocol, packet.icmpType)) packet.icmpId = view.getUint16(at + 4)
  packet.payload = rest(packet, icmpHeaderBytes)
}

/** Echo, timestamp, information and address mask (RFC 792, RFC 950); extended echo (RFC 8335). */
function hasIdentifier(protocol: number, type: number): boolean {
  if (protocol === ICMPV6) return type === 128 || type === 129 || type === 160 || type === 161
  return type === 8 || type === 0 || (type >= 13 && type <= 18) || type === 42 || type === 43
}
