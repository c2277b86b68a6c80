import { arcnet, fddi, infiniband, nflog } from './log-links.ts'
import type { Packet } from './packet.ts'
import { arp, encrypted, linkControl, linkCut, otherProtocol, unknownInterface, unknownLinkType } from './reasons.ts'
import { aristaTime, broadcom, ciscoMetadata, macsec, marvell, marvellTag, switchTag, vnTag } from './switch-tags.ts'
import {
  ethernetNext,
  etherTypeNext,
  ipv4Next,
  ipv6Next,
  mplsNext,
  nshNext,
  pppNext,
  pppoeNext,
  rawNext,
  type Walk,
} from './walk.ts'

const ethernetHeaderBytes = 14

/** The first layer of a packet, by its LINKTYPE_ value (draft-ietf-opsawg-pcaplinktype). */
export function link(walk: Walk, linkType: number, packet: Packet): number {
  walk.linkType = linkType
  switch (linkType) {
    case 1:
    case 285: // DSA_TAG_EDSA: its tag has a type of its own
      return ethernetNext
    case 12: // DLT_RAW in files of most systems
    case 14: // the same in those of OpenBSD
    case 101: // RAW
      return rawNext
    case 228: // IPV4
      return ipv4Next
    case 229: // IPV6
      return ipv6Next
    case 0: // NULL
    case 108: // LOOP
      return loopback(walk)
    case 9: // PPP
    case 50: // PPP_HDLC
      return pppFrame(walk)
    case 7: // ARCNET_BSD
      return arcnet(walk, 2)
    case 129: // ARCNET_LINUX
      return arcnet(walk, 4)
    case 10: // FDDI
      return fddi(walk)
    case 51: // PPP_ETHER
      return pppoeNext
    case 104: // C_HDLC
      return hdlc(walk)
    case 107: // FRELAY
      return frameRelay(walk)
    case 113: // LINUX_SLL
      return cooked(walk, 14, 16)
    case 276: // LINUX_SLL2
      return cooked(walk, 0, 20)
    case 192: // PPI
      return perPacketInformation(walk, packet)
    case 239: // NFLOG
      return nflog(walk)
    case 242: // IPOIB
      return infiniband(walk)
    case 281: // DSA_TAG_BRCM
    case 284: // DSA_TAG_DSA
      return switchFrame(walk, packet, linkType)
    case 282: // DSA_TAG_BRCM_PREPEND
      walk.at += 4
      return ethernetNext
    case -1:
      return unknownInterface
    default:
      return unknownLinkType
  }
}

/** CACE's Per-Packet Information: a header of some length, with a link type of its own. */
function perPacketInformation(walk: Walk, packet: Packet): number {
  const { view, at } = walk
  if (walk.to - at < 8) return linkCut
  const length = view.getUint16(at + 2, true)
  const linkType = view.getUint32(at + 4, true)
  if (length < 8 || linkType === 192) return otherProtocol
  walk.at = at + length
  return walk.at > walk.to ? linkCut : link(walk, linkType, packet)
}

/** A switch's tag between the addresses of Ethernet and the type. */
function switchFrame(walk: Walk, packet: Packet, linkType: number): number {
  walk.at += 12
  const reason = linkType === 281 ? broadcom(walk) : marvell(walk, packet)
  return reason === 0 ? etherType(walk, packet) : reason
}

/** Ethernet II and IEEE 802.3, which put a type or a length into the same place. */
export function ethernet(walk: Walk, packet: Packet): number {
  const { at } = walk
  if (walk.to - at < ethernetHeaderBytes) return linkCut
  walk.type = walk.view.getUint16(at + 12)
  walk.at = at + ethernetHeaderBytes
  return etherType(walk, packet)
}

/** What follows a type of Ethernet: `walk.type`, or, below 0x600, the length of an IEEE 802.3 frame. */
export function etherType(walk: Walk, packet: Packet): number {
  for (;;) {
    switch (walk.type) {
      case 0x0800:
        return ipv4Next
      case 0x86dd:
        return ipv6Next
      case 0x8100: // IEEE 802.1Q
      case 0x88a8: // IEEE 802.1ad, the outer of two tags
      case 0x9100: // the same before there was a standard
      case 0x9200: {
        const { view, at } = walk
        if (walk.to - at < 4) return linkCut
        packet.vlan = view.getUint16(at) & 0xfff
        walk.type = view.getUint16(at + 2)
        walk.at = at + 4
        break
      }
      case 0x8847: // RFC 3032
      case 0x8848: // RFC 5332
        return mplsNext
      case 0x8864: // RFC 2516, session
        return pppoeNext
      case 0x880b: // PPP in GRE, RFC 2637
        return pppNext
      case 0x6558: // Ethernet in GRE, RFC 1701
        return ethernetNext
      case 0x88e7: // IEEE 802.1ah: four bytes of service tag
        walk.at += 4
        return ethernetNext
      case 0x894f: // RFC 8300
        return nshNext
      case vnTag:
      case ciscoMetadata:
      case aristaTime:
      case marvellTag:
      case macsec: {
        const reason = switchTag(walk, packet)
        if (reason !== 0) return reason
        break
      }
      case 0x8903: // Cisco FabricPath: two bytes of tree and hop count
        walk.at += 2
        return ethernetNext
      default: {
        if (walk.type >= 0x600) return notIp(walk.type)
        const reason = llc(walk)
        if (reason !== 0) return reason
      }
    }
  }
}

/** IEEE 802.2. Returns 0 where a SNAP header (RFC 1042) has told the type, else what comes next. */
function llc(walk: Walk): number {
  const { bytes, view, at } = walk
  if (walk.to - at < 3) return linkCut
  const destination = bytes[at]!
  if (destination === 0x06 && bytes[at + 1]! === 0x06) {
    walk.at = at + 3
    return ipv4Next
  }
  if (destination === 0x42) return linkControl // spanning tree
  if (destination !== 0xaa) return otherProtocol
  if (walk.to - at < 8) return linkCut
  const organisation = view.getUint32(at + 2) & 0x00ff_ffff
  // 00-00-0c is Cisco: CDP, VTP, UDLD, its own spanning tree.
  if (organisation === 0x00000c) return linkControl
  // 00-00-f8 stands for types of Ethernet too, where bridges translate (IEEE 802.1H).
  if (organisation !== 0 && organisation !== 0x0000f8) return otherProtocol
  walk.type = view.getUint16(at + 6)
  walk.at = at + 8
  return walk.type < 0x600 ? otherProtocol : 0
}

function notIp(type: number): number {
  switch (type) {
    case 0x0806:
    case 0x8035: // RARP, RFC 903
      return arp
    case 0x88cc: // LLDP
    case 0x8809: // LACP and other slow protocols
    case 0x888e: // 802.1X
    case 0x8863: // PPPoE discovery
    case 0x8808: // pause frames
    case 0x8902: // connectivity fault management
    case 0x9000: // loopback test
      return linkControl
    default:
      return otherProtocol
  }
}

/**
 * BSD loopback: the address family as four bytes, in LOOP in network order, in NULL in the order of the machine that captured. Families
 * are small numbers, so the order shows.
 */
function loopback(walk: Walk): number {
  const { bytes, at } = walk
  if (walk.to - at < 4) return linkCut
  const family = bytes[at]! | bytes[at + 3]!
  if (bytes[at + 1]! !== 0 || bytes[at + 2]! !== 0 || (bytes[at]! !== 0 && bytes[at + 3]! !== 0)) return otherProtocol
  walk.at = at + 4
  switch (family) {
    case 2: // AF_INET everywhere
      return ipv4Next
    case 10: // AF_INET6 of Linux
    case 23: // Windows
    case 24: // NetBSD, OpenBSD
    case 28: // FreeBSD
    case 30: // Darwin
      return ipv6Next
    default:
      return otherProtocol
  }
}

/** PPP, in whose place a Cisco HDLC frame may stand. */
function pppFrame(walk: Walk): number {
  const { bytes, at } = walk
  if (walk.to - at < 2) return linkCut
  const first = bytes[at]!
  return first === 0x0f || first === 0x8f ? hdlc(walk) : pppNext
}

/** Cisco HDLC: address, control, type of Ethernet. */
function hdlc(walk: Walk): number {
  const { view, at } = walk
  if (walk.to - at < 4) return linkCut
  walk.type = view.getUint16(at + 2)
  walk.at = at + 4
  return walk.type === 0x8035 || walk.type < 0x600 ? linkControl : etherTypeNext // 0x8035 is its keep-alive, not RARP
}

/**
 * RFC 2427: an address of two to four bytes whose last one is odd, control 3, perhaps padding, and the number of the protocol. Cisco puts
 * a type of Ethernet behind the address.
 */
function frameRelay(walk: Walk): number {
  const { bytes, view, to } = walk
  let { at } = walk
  while (at < to && (bytes[at]! & 1) === 0) at++
  at++
  if (to - at < 2) return linkCut
  if (bytes[at]! !== 0x03) {
    walk.type = view.getUint16(at)
    walk.at = at + 2
    return walk.type < 0x600 ? otherProtocol : etherTypeNext
  }
  at++
  if (bytes[at]! === 0) at++
  if (at >= to) return linkCut
  walk.at = at + 1
  switch (bytes[at]!) {
    case 0xcc:
      return ipv4Next
    case 0x8e:
      return ipv6Next
    case 0x80: {
      if (to - at < 6) return linkCut
      walk.type = view.getUint16(at + 4)
      walk.at = at + 6
      const organisation = view.getUint32(at) & 0x00ff_ffff
      return organisation === 0 && walk.type >= 0x600 ? etherTypeNext : otherProtocol
    }
    case 0x00: // Q.933, the link's own
    case 0x08:
      return linkControl
    default:
      return otherProtocol
  }
}

/**
 * PPP, with or without the two bytes of HDLC framing (RFC 1662): what follows the protocol field
 * (https://www.iana.org/assignments/ppp-numbers), which may be one byte (RFC 1661, 6.5).
 */
export function ppp(walk: Walk): number {
  const { bytes, view } = walk
  let { at } = walk
  if (walk.to - at >= 2 && bytes[at]! === 0xff && bytes[at + 1]! === 0x03) at += 2
  if (at >= walk.to) return linkCut
  const short = (bytes[at]! & 1) === 1
  if (!short && walk.to - at < 2) return linkCut
  const protocol = short ? bytes[at]! : view.getUint16(at)
  walk.at = at + (short ? 1 : 2)
  switch (protocol) {
    case 0x0021:
      return ipv4Next
    case 0x0057:
      return ipv6Next
    case 0x0281:
    case 0x0283:
      return mplsNext
    case 0x002d: // Van Jacobson, compressed and uncompressed TCP (RFC 1332, 4)
    case 0x002f:
    case 0x0053: // encrypted (RFC 1968)
    case 0x0055:
    case 0x0061: // compressed headers (RFC 2509, 4)
    case 0x0063:
    case 0x0065:
    case 0x0067:
    case 0x0069:
    case 0x00fb:
    case 0x00fd: // compressed (RFC 1962), also Microsoft's encryption (RFC 3078)
      return encrypted
    default:
      return protocol >= 0x8000 ? linkControl : otherProtocol
  }
}

/** Linux cooked capture, version 1 and 2: the type of Ethernet is at `typeAt` of the header. */
function cooked(walk: Walk, typeAt: number, headerBytes: number): number {
  const { at } = walk
  if (walk.to - at < headerBytes) return linkCut
  walk.type = walk.view.getUint16(at + typeAt)
  walk.at = at + headerBytes
  // Below 0x600 are Linux' own numbers (if_ether.h): 4 stands for an 802.2 header, the others for what is not Ethernet.
  if (walk.type === 4) return etherTypeNext
  return walk.type < 0x600 ? otherProtocol : etherTypeNext
}
