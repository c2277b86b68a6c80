import { type Packet, tunnelNames } from './packet.ts'
import { linkCut, otherProtocol } from './reasons.ts'
import {
  genevePort,
  grePort,
  gtpPort,
  teredoPort,
  teredoPrefix,
  vxlanGpePort,
  vxlanLinuxPort,
  vxlanPort,
} from './transport.ts'
import {
  ethernetNext,
  etherTypeNext,
  ipv4Next,
  ipv6Next,
  mplsNext,
  nshNext,
  pppNext,
  rawNext,
  type Walk,
} from './walk.ts'

const kinds = {
  gre: tunnelNames.indexOf('gre'),
  ipip: tunnelNames.indexOf('ipip'),
  sixInFour: tunnelNames.indexOf('6in4'),
  erspan: tunnelNames.indexOf('erspan'),
  vxlan: tunnelNames.indexOf('vxlan'),
  geneve: tunnelNames.indexOf('geneve'),
  teredo: tunnelNames.indexOf('teredo'),
  gtp: tunnelNames.indexOf('gtp'),
  mpls: tunnelNames.indexOf('mpls'),
  pppoe: tunnelNames.indexOf('pppoe'),
  nsh: tunnelNames.indexOf('nsh'),
  etherip: tunnelNames.indexOf('etherip'),
  srv6: tunnelNames.indexOf('srv6'),
}

const udpHeaderBytes = 8

/**
 * The payload of an IP packet that may be a packet itself. `walk.at` is where the transport header would be. Whatever reason is
 * returned, it means that the packet is what it is outside.
 */
export function tunnel(walk: Walk, packet: Packet): number {
  switch (packet.protocol) {
    case 4: // RFC 2003; in IPv6 RFC 2473
      note(packet, kinds.ipip, -1)
      return ipv4Next
    case 41: // RFC 4213; in IPv6 RFC 2473
      note(packet, packet.version === 4 ? kinds.sixInFour : kinds.ipip, -1)
      return ipv6Next
    case 47:
      return gre(walk, packet)
    case 97: // RFC 3378: version 3 and nothing else in two bytes
      if (walk.to - walk.at < 2) return linkCut
      if (walk.bytes[walk.at]! !== 0x30) return otherProtocol
      note(packet, kinds.etherip, -1)
      walk.at += 2
      return ethernetNext
    case 137: // RFC 4023
      return mplsNext
    case 143:
      note(packet, kinds.srv6, -1)
      return ethernetNext
    case 145: // RFC 8300 in IP
      return nshNext
    default:
      walk.at += udpHeaderBytes
      return walk.at > walk.to ? linkCut : inUdp(walk, packet)
  }
}

function note(packet: Packet, kind: number, id: number): void {
  packet.tunnel = kind
  packet.tunnelId = id
}

function inUdp(walk: Walk, packet: Packet): number {
  switch (packet.dstPort) {
    case vxlanPort:
    case vxlanLinuxPort:
      return vxlan(walk, packet)
    case vxlanGpePort:
      return vxlanGpe(walk, packet)
    case genevePort:
      return geneve(walk, packet)
    case gtpPort:
      return gtp(walk, packet)
    case teredoPort:
      return teredo(walk, packet)
    case grePort:
      return gre(walk, packet)
    default:
      return packet.srcPort === gtpPort ? gtp(walk, packet) : teredo(walk, packet)
  }
}

const hasChecksum = 0x8000
const hasRouting = 0x4000
const hasKey = 0x2000
const hasSequence = 0x1000
const hasAcknowledgement = 0x0080

/** RFC 2784 with the key and sequence number of RFC 2890; version 1 is that of PPTP (RFC 2637). */
function gre(walk: Walk, packet: Packet): number {
  const { bytes, view, at } = walk
  if (walk.to - at < 4) return linkCut
  const flags = view.getUint16(at)
  const version = flags & 7
  const type = view.getUint16(at + 2)
  // A source route (RFC 1701) is as long as it likes; nobody has used it for decades.
  if (version > 1 || (flags & hasRouting) !== 0 || type < 0x600) return otherProtocol
  let next = at + 4 + ((flags & hasChecksum) !== 0 ? 4 : 0)
  const key = next
  if ((flags & hasKey) !== 0) next += 4
  if ((flags & hasSequence) !== 0) next += 4
  if (version === 1 && (flags & hasAcknowledgement) !== 0) next += 4
  if (next > walk.to) return linkCut
  // In PPTP the key is the length of the payload and then the number of the call.
  const id = (flags & hasKey) === 0 ? -1 : version === 1 ? view.getUint16(key + 2) : view.getUint32(key)
  note(packet, kinds.gre, id)
  walk.at = next
  switch (type) {
    case 0x88be:
      return erspan2(walk, packet, (flags & hasSequence) !== 0)
    case 0x22eb:
      return erspan3(walk, packet)
    case 0x883e: // WCCP: version 2 puts four bytes before the packet
      if (next < walk.to && bytes[next]! >>> 4 !== 4) walk.at = next + 4
      return ipv4Next
    default:
      walk.type = type
      return etherTypeNext
  }
}

/** ERSPAN type I has no header of its own, and no sequence number in GRE; type II has eight bytes (draft-foschiano-erspan, 4). */
function erspan2(walk: Walk, packet: Packet, hasHeader: boolean): number {
  const { bytes, view, at } = walk
  if (!hasHeader) {
    note(packet, kinds.erspan, -1)
    return ethernetNext
  }
  if (walk.to - at < 8) return linkCut
  if (bytes[at]! >>> 4 !== 1) return otherProtocol
  note(packet, kinds.erspan, view.getUint16(at + 2) & 0x3ff)
  walk.at = at + 8
  return ethernetNext
}

/** ERSPAN type III: 12 bytes, and eight more where the last bit says so; frames are of Ethernet (0) or IP (2). */
function erspan3(walk: Walk, packet: Packet): number {
  const { bytes, view, at } = walk
  if (walk.to - at < 12) return linkCut
  if (bytes[at]! >>> 4 !== 2) return otherProtocol
  note(packet, kinds.erspan, view.getUint16(at + 2) & 0x3ff)
  const last = view.getUint16(at + 10)
  walk.at = at + ((last & 1) !== 0 ? 20 : 12)
  const frameType = (last >>> 10) & 0x1f
  if (frameType === 0) return ethernetNext
  return frameType === 2 ? rawNext : otherProtocol
}

/** RFC 7348, 5: one flag says that there is a network identifier; all other bits are to be ignored, and extensions have their own use for them. */
function vxlan(walk: Walk, packet: Packet): number {
  const { bytes, view, at } = walk
  if (walk.to - at < 8) return linkCut
  if ((bytes[at]! & 0x08) === 0) return otherProtocol
  note(packet, kinds.vxlan, view.getUint32(at + 4) >>> 8)
  walk.at = at + 8
  return ethernetNext
}

/** draft-ietf-nvo3-vxlan-gpe, 3.1: version 0, not for the tunnel's own ends; without the P flag it is VXLAN. */
function vxlanGpe(walk: Walk, packet: Packet): number {
  const { bytes, at } = walk
  if (walk.to - at < 8) return linkCut
  const flags = bytes[at]!
  if ((flags & 0x31) !== 0) return otherProtocol
  const next = vxlan(walk, packet)
  return next === ethernetNext && (flags & 0x04) !== 0 ? nextProtocol(bytes[at + 3]!) : next
}

/** RFC 8300, 2: version 0, whose length is in words; the first word of the path has its identifier. */
export function nsh(walk: Walk, packet: Packet): number {
  const { bytes, view, at } = walk
  if (walk.to - at < 8) return linkCut
  const length = (bytes[at + 1]! & 0x3f) << 2
  if (bytes[at]! >>> 6 !== 0 || length < 8) return otherProtocol
  note(packet, kinds.nsh, view.getUint32(at + 4) >>> 8)
  walk.at = at + length
  return walk.at > walk.to ? linkCut : nextProtocol(bytes[at + 3]!)
}

/** The numbers that VXLAN-GPE and NSH have in common. */
function nextProtocol(number: number): number {
  return [otherProtocol, ipv4Next, ipv6Next, ethernetNext, nshNext, mplsNext][number] ?? otherProtocol
}

/** RFC 8926. */
function geneve(walk: Walk, packet: Packet): number {
  const { bytes, view, at } = walk
  if (walk.to - at < 8) return linkCut
  const first = bytes[at]!
  if (first >>> 6 !== 0 || (bytes[at + 1]! & 0x3f) !== 0 || bytes[at + 7]! !== 0) return otherProtocol
  const type = view.getUint16(at + 2)
  if (type < 0x600) return otherProtocol
  note(packet, kinds.geneve, view.getUint32(at + 4) >>> 8)
  walk.type = type
  walk.at = at + 8 + ((first & 0x3f) << 2)
  return etherTypeNext
}

const gtpUserData = 0xff

/** GTP-U, 3GPP TS 29.281, 5.1: version 1, user data, with whatever extension headers. */
function gtp(walk: Walk, packet: Packet): number {
  const { bytes, view, at } = walk
  if (walk.to - at < 8) return linkCut
  const flags = bytes[at]!
  const length = view.getUint16(at + 2)
  if ((flags & 0xf8) !== 0x30 || bytes[at + 1]! !== gtpUserData || length > walk.end - at - 8) return otherProtocol
  note(packet, kinds.gtp, view.getUint32(at + 4))
  let next = at + 8
  if ((flags & 7) !== 0) {
    next += 4
    if (next > walk.to) return linkCut
    let extension = (flags & 4) !== 0 ? bytes[next - 1]! : 0
    while (extension !== 0) {
      if (next >= walk.to || bytes[next]! === 0) return linkCut
      next += bytes[next]! << 2
      if (next > walk.to) return linkCut
      extension = bytes[next - 1]!
    }
  }
  walk.at = next
  return rawNext
}

/** RFC 4380, 5.1.1: an authentication and an origin header may come first. One address is Teredo's own, or of the link. */
function teredo(walk: Walk, packet: Packet): number {
  const { bytes, view } = walk
  let { at } = walk
  if (walk.to - at >= 4 && view.getUint16(at) === 1) at += 13 + bytes[at + 2]! + bytes[at + 3]!
  if (walk.to - at >= 8 && view.getUint16(at) === 0) at += 8
  if (walk.to - at < 40) return linkCut
  if (bytes[at]! >>> 4 !== 6 || view.getUint16(at + 4) + 40 > walk.end - at) return otherProtocol
  if (!ofTeredo(view.getUint32(at + 8)) && !ofTeredo(view.getUint32(at + 24))) return otherProtocol
  note(packet, kinds.teredo, -1)
  walk.at = at
  return ipv6Next
}

function ofTeredo(word: number): boolean {
  return word === teredoPrefix || word >>> 22 === 0xfe80 >>> 6
}

/** RFC 3032. What lies below the last label no field tells; the first four bits of IP do, and those of a control word (RFC 4385). */
export function mpls(walk: Walk, packet: Packet): number {
  const { bytes, to } = walk
  let { at } = walk
  do {
    if (to - at < 4) return linkCut
    at += 4
  } while ((bytes[at - 2]! & 1) === 0)
  note(packet, kinds.mpls, -1)
  walk.at = at
  if (at >= to) return linkCut
  const first = bytes[at]! >>> 4
  if (first === 4) return ipv4Next
  if (first === 6) return ipv6Next
  // A pseudowire (RFC 4448), with a control word or without one.
  if (first === 0 && isEthernet(walk, at + 4)) walk.at = at + 4
  else if (!isEthernet(walk, at)) return otherProtocol
  return ethernetNext
}

/** Whether what is at `at` has a type of Ethernet that is known here. */
function isEthernet(walk: Walk, at: number): boolean {
  if (walk.to - at < 14) return false
  const type = walk.view.getUint16(at + 12)
  return type === 0x0800 || type === 0x86dd || type === 0x8100 || type === 0x88a8 || type === 0x0806 || type === 0x8847
}

/** RFC 2516, 4: version and type 1, code 0 for a session, number of the session, length. */
export function pppoe(walk: Walk, packet: Packet): number {
  const { bytes, view, at } = walk
  if (walk.to - at < 6) return linkCut
  if (bytes[at]! !== 0x11 || bytes[at + 1]! !== 0) return otherProtocol
  note(packet, kinds.pppoe, -1)
  walk.at = at + 6
  walk.end = Math.min(walk.end, walk.at + view.getUint16(at + 4))
  return pppNext
}
