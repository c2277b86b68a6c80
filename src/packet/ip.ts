import { TCP } from '../net/protocols.ts'
import type { Packet } from './packet.ts'
import { ipCut, ipHeaderLengthWrong, ipTotalLengthWrong, ipVersionWrong } from './reasons.ts'
import { ipv4Next, ipv6Next, noTransportNext, notes, type Walk } from './walk.ts'

/** The words of `::ffff:0:0/96`. */
const mapped = 0xffff
const ipv6HeaderBytes = 40
/** Longer packets do not fit the length field. */
const jumboFrom = 65_535 + ipv6HeaderBytes

/** IPv4 or IPv6, as the first four bits say. */
export function rawIp(walk: Walk): number {
  if (walk.at >= walk.to) return ipCut
  const version = walk.bytes[walk.at]! >>> 4
  if (version === 4) return ipv4Next
  return version === 6 ? ipv6Next : ipVersionWrong
}

/** RFC 791. Returns 0 with `walk.at` at the payload. */
export function ipv4(walk: Walk, packet: Packet): number {
  const { bytes, view, at } = walk
  if (at >= walk.to) return ipCut
  const first = bytes[at]!
  if (first >>> 4 !== 4) return ipVersionWrong
  const headerBytes = (first & 15) << 2
  if (headerBytes < 20) return ipHeaderLengthWrong
  const onWire = walk.end - at
  if (walk.to - at < 20 || onWire < 20) return ipCut
  let length = view.getUint16(at + 2)
  if (length === 0) {
    length = onWire
    walk.notes |= notes.lengthFromWire
  }
  if (length < headerBytes) return ipTotalLengthWrong
  if (length > onWire) walk.notes |= notes.longerThanWire
  packet.version = 4
  packet.src0 = packet.src1 = packet.dst0 = packet.dst1 = 0
  packet.src2 = packet.dst2 = mapped
  packet.src3 = view.getInt32(at + 12)
  packet.dst3 = view.getInt32(at + 16)
  packet.protocol = bytes[at + 9]!
  packet.ipBytes = length
  packet.tos = bytes[at + 1]!
  packet.ttl = bytes[at + 8]!
  packet.ipId = view.getUint16(at + 4)
  // More fragments (0x2000), or an offset.
  const fragment = view.getUint16(at + 6) & 0x3fff
  packet.fragment = 0
  if (fragment !== 0) {
    packet.fragment = fragment === 0x2000 ? 1 : 3
    walk.identification = view.getUint16(at + 4)
    walk.fragmentProtocol = packet.protocol
  }
  enter(walk, at + headerBytes, at + length)
  return 0
}

/** RFC 8200. Returns 0 with `walk.at` at what follows the extension headers, or `noTransportNext`. */
export function ipv6(walk: Walk, packet: Packet): number {
  const { bytes, view, at } = walk
  if (at >= walk.to) return ipCut
  if (bytes[at]! >>> 4 !== 6) return ipVersionWrong
  const onWire = walk.end - at
  if (walk.to - at < ipv6HeaderBytes || onWire < ipv6HeaderBytes) return ipCut
  packet.version = 6
  packet.src0 = view.getInt32(at + 8)
  packet.src1 = view.getInt32(at + 12)
  packet.src2 = view.getInt32(at + 16)
  packet.src3 = view.getInt32(at + 20)
  packet.dst0 = view.getInt32(at + 24)
  packet.dst1 = view.getInt32(at + 28)
  packet.dst2 = view.getInt32(at + 32)
  packet.dst3 = view.getInt32(at + 36)
  packet.protocol = bytes[at + 6]!
  packet.tos = (view.getUint16(at) >>> 4) & 0xff
  packet.ttl = bytes[at + 7]!
  packet.ipId = 0
  packet.fragment = 0
  const length = ipv6Length(walk, at, packet.protocol)
  if (length > onWire) walk.notes |= notes.longerThanWire
  packet.ipBytes = length
  enter(walk, at + ipv6HeaderBytes, at + length)
  return packet.protocol > destinationOptions && packet.protocol < mobility ? 0 : extensionHeaders(walk, packet)
}

/**
 * The payload length and the header's own.
 *
 * It is 0 for nothing, where a jumbo payload option says more (RFC 2675), and where the network card cuts TCP into segments after the
 * capture: then the length is that on the wire. An Ethernet frame is padded to 60 bytes, so up to six may follow an empty packet.
 */
function ipv6Length(walk: Walk, at: number, next: number): number {
  const length = walk.view.getUint16(at + 4)
  const onWire = walk.end - at
  if (length !== 0 || onWire <= ipv6HeaderBytes) return length + ipv6HeaderBytes
  if (next === hopByHop) {
    const jumbo = jumboOption(walk, at + ipv6HeaderBytes) + ipv6HeaderBytes
    if (jumbo > jumboFrom && jumbo <= onWire) return jumbo
  } else if (next !== TCP || onWire < ipv6HeaderBytes + 20) {
    if (onWire <= jumboFrom) return ipv6HeaderBytes
  }
  walk.notes |= notes.lengthFromWire
  return onWire
}

/** Value of the jumbo payload option in the hop-by-hop header at `at`, -1 without one. */
function jumboOption(walk: Walk, at: number): number {
  const { bytes, view, to } = walk
  if (to - at < 8) return -1
  const end = Math.min(at + ((bytes[at + 1]! + 1) << 3), to)
  let option = at + 2
  while (option + 1 < end) {
    if (bytes[option]! === 0xc2) return option + 6 <= end && bytes[option + 1]! === 4 ? view.getUint32(option + 2) : -1
    option += bytes[option]! === 0 ? 1 : 2 + bytes[option + 1]!
  }
  return -1
}

const hopByHop = 0
const routing = 43
const fragmentHeader = 44
const authentication = 51
const noNext = 59
const destinationOptions = 60
const mobility = 135
const hip = 139
const shim6 = 140

/**
 * Passes over IPv6 extension headers (RFC 8200, 4; the registry "IPv6 Extension Header Types"). Where the capture ends among them, the
 * protocol is that of the header that is not there, and the transport is unknown.
 */
function extensionHeaders(walk: Walk, packet: Packet): number {
  const { bytes, view } = walk
  for (;;) {
    const { at } = walk
    const { protocol } = packet
    let length: number
    if (isExtension(protocol)) {
      if (walk.to - at < 8) return noTransportNext
      length = (bytes[at + 1]! + 1) << 3
    } else if (protocol === authentication) {
      if (walk.to - at < 8) return noTransportNext
      length = (bytes[at + 1]! + 2) << 2
    } else if (protocol === fragmentHeader) {
      if (walk.to - at < 8) return noTransportNext
      length = 8
      const fragment = view.getUint16(at + 2)
      // A fragment that is the whole packet does not count as one (RFC 6946).
      packet.fragment = fragment >>> 3 !== 0 ? 3 : (fragment & 1) !== 0 ? 1 : 0
      walk.identification = view.getInt32(at + 4)
      walk.fragmentProtocol = bytes[at]!
    } else {
      return 0
    }
    const next = bytes[at]!
    // Mobility and HIP messages are the last header, mostly: then they are what the packet is about (RFC 6275, 6.1.1; RFC 7401, 5.1).
    if (next === noNext && (protocol === mobility || protocol === hip)) return 0
    packet.protocol = next
    walk.at = at + length
    // What follows in a later fragment is no header, whatever the number says.
    if (packet.fragment === 3) return isExtension(next) ? noTransportNext : 0
  }
}

function isExtension(protocol: number): boolean {
  if (protocol > destinationOptions) return protocol === mobility || protocol === hip || protocol === shim6
  return protocol === hopByHop || protocol === routing || protocol === destinationOptions
}

/** Goes on at `at` and not beyond `end`, where the IP packet says that it ends. */
function enter(walk: Walk, at: number, end: number): void {
  walk.at = at
  walk.end = end
  if (end < walk.to) walk.to = end
}
