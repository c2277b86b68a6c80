import type { Packet } from './packet.ts'
import { encrypted, linkCut, otherProtocol } from './reasons.ts'
import type { Walk } from './walk.ts'

export const vnTag = 0x8926
export const ciscoMetadata = 0x8909
export const aristaTime = 0xd28b
export const marvellTag = 0xdada
export const macsec = 0x88e5

/**
 * What switches, network cards and MACsec put between a type of Ethernet and the next: passes over it and takes that type. Returns 0, or a
 * reason to stop.
 */
export function switchTag(walk: Walk, packet: Packet): number {
  switch (walk.type) {
    case vnTag: // Cisco VN-Tag, IEEE 802.1BR: virtual interfaces
      return next(walk, 4)
    case ciscoMetadata: // version, number of options of four bytes each: a security group
      return walk.to - walk.at < 2 ? linkCut : next(walk, 2 + 4 * walk.bytes[walk.at + 1]!)
    case aristaTime:
      return next(walk, aristaBytes(walk))
    case marvellTag: // two bytes of nothing, then the tag
      if (walk.to - walk.at < 6) return linkCut
      walk.at += 2
      return marvell(walk, packet)
    default:
      return securityTag(walk)
  }
}

function next(walk: Walk, tagBytes: number): number {
  if (tagBytes < 0) return otherProtocol
  const at = walk.at + tagBytes
  if (walk.to - at < 2) return linkCut
  walk.type = walk.view.getUint16(at)
  walk.at = at + 2
  return 0
}

/** Subtype 1, then 64 or 48 bits of time in TAI (0x…10, 0x…20) or UTC. -1 for what else there may be. */
function aristaBytes(walk: Walk): number {
  if (walk.to - walk.at < 4) return 0
  if (walk.view.getUint16(walk.at) !== 1) return -1
  const version = walk.view.getUint16(walk.at + 2) & 0xff
  if (version === 0x10) return 4 + 8
  return version === 0x20 ? 4 + 6 : -1
}

/** The four bytes of a switch of Marvell (Linux, net/dsa/tag_dsa.c). Where the frame had an 802.1Q tag, they stand in its place. */
export function marvell(walk: Walk, packet: Packet): number {
  const { bytes, view, at } = walk
  if (walk.to - at < 6) return linkCut
  const wasTagged = (bytes[at]! & 0x20) !== 0
  if (wasTagged) packet.vlan = view.getUint16(at + 2) & 0xfff
  return next(walk, 4)
}

/** Broadcom: four bytes after the addresses. */
export function broadcom(walk: Walk): number {
  return next(walk, 4)
}

/** IEEE 802.1AE, 9.3: six bytes, and eight of a channel where the header says so. Content that is only signed can be read. */
function securityTag(walk: Walk): number {
  if (walk.to - walk.at < 6) return linkCut
  const control = walk.bytes[walk.at]!
  if ((control & 0x80) !== 0) return otherProtocol
  if ((control & 0x0c) !== 0) return encrypted
  return next(walk, (control & 0x20) !== 0 ? 14 : 6)
}
