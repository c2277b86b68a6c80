/** Links that are the envelope of a capturing system, or of a network other than Ethernet: what comes next. */
import { linkControl, linkCut, otherProtocol } from './reasons.ts'
import { etherTypeNext, ipv4Next, ipv6Next, type Walk } from './walk.ts'

const payloadAttribute = 9
const packetHeaderAttribute = 1

/**
 * Linux' NFLOG: family, version and group, then attributes (length with its four bytes of header, type, value, padded to four) in the order
 * of the machine that captured. Types are small numbers, so the order shows.
 */
export function nflog(walk: Walk): number {
  const { bytes, view, to } = walk
  if (to - walk.at < 4) return linkCut
  const family = bytes[walk.at]!
  if (bytes[walk.at + 1]! !== 0) return otherProtocol
  let at = walk.at + 4
  let bridged = -1
  while (to - at >= 4) {
    const little = bytes[at + 3]! === 0
    const length = view.getUint16(at, little)
    const type = view.getUint16(at + 2, little)
    if (length < 4) return otherProtocol
    if (type === packetHeaderAttribute && length >= 6 && to - at >= 6) bridged = view.getUint16(at + 4)
    if (type === payloadAttribute) {
      walk.at = at + 4
      walk.end = Math.min(walk.end, at + length)
      walk.to = Math.min(to, at + length)
      return ofFamily(walk, family, bridged)
    }
    at += (length + 3) & ~3
  }
  return linkCut
}

function ofFamily(walk: Walk, family: number, bridged: number): number {
  if (family === 2) return ipv4Next
  if (family === 10) return ipv6Next
  if (family !== 7 || bridged < 0x600) return otherProtocol
  walk.type = bridged
  return etherTypeNext
}

/** FDDI: frame control, two addresses, and IEEE 802.2 in frames of LLC alone. */
export function fddi(walk: Walk): number {
  const { bytes, at } = walk
  if (walk.to - at < 13) return linkCut
  const control = bytes[at]!
  walk.at = at + 13
  walk.type = 0
  // Both classes of LLC frames, with 48-bit addresses; the others are of stations and tokens.
  return (control & 0x70) === 0x50 ? etherTypeNext : linkControl
}

/** IP over InfiniBand (RFC 4391, 6): the 40 bytes of a global route header come first, then a type of Ethernet and two bytes of nothing. */
export function infiniband(walk: Walk): number {
  const { at } = walk
  if (walk.to - at < 44) return linkCut
  walk.type = walk.view.getUint16(at + 40)
  walk.at = at + 44
  return walk.type < 0x600 ? otherProtocol : etherTypeNext
}

/**
 * ARCNET (RFC 1201): the type is behind two addresses, and in captures of Linux behind two more bytes. Flag and sequence number follow, but
 * for the old numbers of RFC 1051. A packet may come in pieces: the first has an odd flag, and the headers.
 */
export function arcnet(walk: Walk, typeAt: number): number {
  const { bytes, to } = walk
  const at = walk.at + typeAt
  if (to - at < 1) return linkCut
  const type = bytes[at]!
  if (type === 213 || type === 214 || type === 241) {
    walk.type = 0x0806
    walk.at = to
    return etherTypeNext
  }
  if (type === 240) {
    walk.at = at + 1
    return ipv4Next
  }
  if (type !== 212 && type !== 196) return otherProtocol
  if (to - at < 4) return linkCut
  const isException = bytes[at + 1]! === 0xff
  const start = at + (isException ? 8 : 4)
  if (start > to) return linkCut
  const flag = isException ? bytes[at + 5]! : bytes[at + 1]!
  if (flag !== 0 && (flag & 1) === 0) return otherProtocol
  walk.at = start
  return type === 212 ? ipv4Next : ipv6Next
}
