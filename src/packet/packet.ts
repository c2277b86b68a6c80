/**
 * One packet, decoded to what flows are made of. A decoder fills one object again and again; nobody keeps it.
 *
 * Addresses are four 32-bit words, signed, most significant first, IPv4 as `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2). All fields
 * are of the innermost IP packet; what it was carried in is noted in `vlan` and `tunnel`.
 */
export class Packet {
  /** In its capture, from 1, every packet counted: also those that cannot be decoded. */
  number = 0
  /** Microseconds since the epoch, rounded down. */
  time = 0
  /** Bytes on the wire and bytes in the capture, link layer included. */
  wireLength = 0
  capturedLength = 0

  version: 4 | 6 = 4
  src0 = 0
  src1 = 0
  src2 = 0
  src3 = 0
  dst0 = 0
  dst1 = 0
  dst2 = 0
  dst3 = 0
  protocol = 0
  /** The whole IP packet, by its own header (IPv4 total length; IPv6 payload length + 40), also where the capture was cut short. */
  ipBytes = 0
  tos = 0
  ttl = 0
  /** IPv4: the identification; 0 for IPv6. */
  ipId = 0

  /** TCP, UDP and SCTP; 0 for others, and while the ports are unknown. */
  srcPort = 0
  dstPort = 0
  /** False where the transport header is not in the capture: ports, flags and type are then 0. */
  hasTransport = false
  /** TCP: false where the capture has the ports at most. Flags, numbers and window are then 0, and the header is taken to be 20 bytes long. */
  hasTcpHeader = false
  /** All eight bits of the TCP flags, CWR and ECE too. */
  tcpFlags = 0
  tcpSeq = 0
  tcpAck = 0
  /** -1 where the capture ends before it. */
  tcpWindow = 0
  /** Of UDP, as the header has it; 0 for others. */
  checksum = 0
  /** Bytes after the transport header by the lengths in the headers, not by what was captured. */
  payload = 0
  icmpType = 0
  icmpCode = 0
  /** Identifier of an ICMP echo and its like; 0 for other types. */
  icmpId = 0

  /** 0: whole; 1: first fragment; 2: a later one, whose ports were taken from the first; 3: a later one whose first is not known. */
  fragment: 0 | 1 | 2 | 3 = 0
  /** The innermost 802.1Q tag, -1 without one. */
  vlan = -1
  /** What carried this packet: see `tunnelNames`; 0: nothing. */
  tunnel = 0
  /** VXLAN and Geneve network identifier, GRE key, ERSPAN session; -1 without one. */
  tunnelId = -1
}

/** By `Packet.tunnel`; of nested tunnels the innermost. */
export const tunnelNames = [
  '',
  'gre',
  'ipip',
  '6in4',
  'erspan',
  'vxlan',
  'geneve',
  'teredo',
  'gtp',
  'mpls',
  'pppoe',
  'nsh',
  'etherip',
  'srv6',
] as const

/** All that `decode` fills but the lengths, which are those of the whole. */
export function copyLayers(from: Packet, to: Packet): void {
  to.version = from.version
  to.src0 = from.src0
  to.src1 = from.src1
  to.src2 = from.src2
  to.src3 = from.src3
  to.dst0 = from.dst0
  to.dst1 = from.dst1
  to.dst2 = from.dst2
  to.dst3 = from.dst3
  to.protocol = from.protocol
  to.ipBytes = from.ipBytes
  to.tos = from.tos
  to.ttl = from.ttl
  to.ipId = from.ipId
  to.srcPort = from.srcPort
  to.dstPort = from.dstPort
  to.hasTransport = from.hasTransport
  to.hasTcpHeader = from.hasTcpHeader
  to.tcpFlags = from.tcpFlags
  to.tcpSeq = from.tcpSeq
  to.tcpAck = from.tcpAck
  to.tcpWindow = from.tcpWindow
  to.checksum = from.checksum
  to.payload = from.payload
  to.icmpType = from.icmpType
  to.icmpCode = from.icmpCode
  to.icmpId = from.icmpId
  to.fragment = from.fragment
  to.vlan = from.vlan
  to.tunnel = from.tunnel
  to.tunnelId = from.tunnelId
}

export function copyPacket(from: Packet, to: Packet): Packet {
  to.number = from.number
  to.time = from.time
  to.wireLength = from.wireLength
  to.capturedLength = from.capturedLength
  copyLayers(from, to)
  return to
}
