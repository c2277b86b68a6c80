import { countIn } from './account.ts'
import { has, type NfcapdFlow } from './flow.ts'

/** Where the values of a block are, and in which order of bytes. */
export interface BlockView {
  view: DataView
  littleEndian: boolean
}

/** Milliseconds beyond which microseconds are no exact number. */
const millisecondsMax = Math.floor(Number.MAX_SAFE_INTEGER / 1000)

/** Microseconds of a 64-bit number of milliseconds; -1 if it is too large. */
export function microseconds(view: DataView, at: number, littleEndian: boolean): number {
  const low = view.getUint32(littleEndian ? at : at + 4, littleEndian)
  const high = view.getUint32(littleEndian ? at + 4 : at, littleEndian)
  const milliseconds = high * 2 ** 32 + low
  return milliseconds > millisecondsMax ? -1 : milliseconds * 1000
}

/** nfdump's elements of V3 records (nfxV3.h): name, and bytes without the element's header. */
const elements: readonly (readonly [name: string, bytes: number])[] = [
  ['EXnull', 0],
  ['EXgenericFlow', 48],
  ['EXipv4Flow', 8],
  ['EXipv6Flow', 32],
  ['EXflowMisc', 12],
  ['EXcntFlow', 24],
  ['EXvLan', 8],
  ['EXasRouting', 8],
  ['EXbgpNextHopV4', 4],
  ['EXbgpNextHopV6', 16],
  ['EXipNextHopV4', 4],
  ['EXipNextHopV6', 16],
  ['EXipReceivedV4', 4],
  ['EXipReceivedV6', 16],
  ['EXmplsLabel', 40],
  ['EXmacAddr', 32],
  ['EXasAdjacent', 8],
  ['EXlatency', 24],
  ['EXsamplerInfo', 12],
  ['EXnselCommon', 16],
  ['EXnatXlateIPv4', 8],
  ['EXnatXlateIPv6', 32],
  ['EXnatXlatePort', 4],
  ['EXnselAcl', 0],
  ['EXnselUser', 0],
  ['EXnatCommon', 9],
  ['EXnatPortBlock', 8],
  ['EXnbarApp', 0],
  ['EXlabel', 0],
  ['EXinPayload', 0],
  ['EXoutPayload', 0],
  ['EXtunIPv4', 12],
  ['EXtunIPv6', 36],
  ['EXobservation', 0],
  ['EXinmonMeta', 0],
  ['EXinmonFrame', 0],
  ['EXvrf', 8],
  ['EXpfinfo', 0],
  ['EXlayer2', 0],
  ['EXflowId', 0],
  ['EXnokiaNat', 0],
  ['EXnokiaNatString', 0],
  ['EXipInfo', 4],
]

const headBytes = 4

/**
 * Reads the elements of a V3 record, from `from` to `end`, into a flow.
 *
 * @returns what is wrong with them, null if nothing is.
 */
export function readElements(
  { view, littleEndian: le }: BlockView,
  from: number,
  end: number,
  count: number,
  flow: NfcapdFlow,
  others: Map<string, number>,
): string | null {
  let at = from
  for (let i = 0; i < count; i++) {
    if (at + headBytes > end) return `element ${i + 1} of ${count} is past the end of the record`
    const type = view.getUint16(at, le)
    const length = view.getUint16(at + 2, le)
    if (length < headBytes) return `element ${i + 1} has a length of ${length}`
    if (at + length > end) return `element ${i + 1} reaches past the end of the record`
    const known = elements[type]
    if (known !== undefined && length - headBytes < known[1]) return `${known[0]} has a length of ${length}`
    const value = at + headBytes
    if (type === 1) generic(view, value, le, flow)
    else if (type === 2) ipv4(view, value, le, flow)
    else if (type === 3) ipv6(view, value, le, flow)
    else if (!optional(view, type, value, length - headBytes, le, flow)) {
      countIn(others, known === undefined ? `element ${type}` : known[0])
    }
    at += length
  }
  return null
}

function generic(view: DataView, at: number, le: boolean, flow: NfcapdFlow): void {
  const low = le ? 0 : 4
  const high = 4 - low
  flow.first = microseconds(view, at, le)
  flow.last = microseconds(view, at + 8, le)
  flow.received = microseconds(view, at + 16, le)
  flow.packetsLow = view.getUint32(at + 24 + low, le)
  flow.packetsHigh = view.getUint32(at + 24 + high, le)
  flow.bytesLow = view.getUint32(at + 32 + low, le)
  flow.bytesHigh = view.getUint32(at + 32 + high, le)
  flow.srcPort = view.getUint16(at + 40, le)
  flow.dstPort = view.getUint16(at + 42, le)
  flow.protocol = view.getUint8(at + 44)
  flow.tcpFlags = view.getUint8(at + 45)
  flow.forwardingStatus = view.getUint8(at + 46)
  flow.tos = view.getUint8(at + 47)
}

function ipv4(view: DataView, at: number, le: boolean, flow: NfcapdFlow): void {
  flow.version = 4
  flow.src0 = flow.src1 = flow.dst0 = flow.dst1 = 0
  flow.src2 = flow.dst2 = 0xffff
  flow.src3 = view.getUint32(at, le)
  flow.dst3 = view.getUint32(at + 4, le)
}

/** An IPv6 address is two numbers of 64 bits, the upper one first. */
function ipv6(view: DataView, at: number, le: boolean, flow: NfcapdFlow): void {
  const high = le ? 4 : 0
  const low = 4 - high
  flow.version = 6
  flow.src0 = view.getUint32(at + high, le)
  flow.src1 = view.getUint32(at + low, le)
  flow.src2 = view.getUint32(at + 8 + high, le)
  flow.src3 = view.getUint32(at + 8 + low, le)
  flow.dst0 = view.getUint32(at + 16 + high, le)
  flow.dst1 = view.getUint32(at + 16 + low, le)
  flow.dst2 = view.getUint32(at + 24 + high, le)
  flow.dst3 = view.getUint32(at + 24 + low, le)
}

/** Returns whether the element has a place in a flow. */
function optional(view: DataView, type: number, at: number, bytes: number, le: boolean, flow: NfcapdFlow): boolean {
  if (type === 4) misc(view, at, bytes, le, flow)
  else if (type === 5) counters(view, at, le, flow)
  else if (type >= 6 && type <= 13) routing(view, type, at, le, flow)
  else if (type === 16) routing(view, type, at, le, flow)
  else if (type === 14 || type === 15 || type === 17 || type === 18) link(view, type, at, le, flow)
  else if (type === 19 || type === 25) event(view, type, at, bytes, le, flow)
  else if (type >= 20 && type <= 22) translated(view, type, at, le, flow)
  else if (type === 26) portBlock(view, at, le, flow)
  else if (type === 31 || type === 32) tunnel(view, type, at, le, flow)
  else if (type === 36) vrf(view, at, le, flow)
  else if (type === 42) ipInfo(view, at, flow)
  else return false
  return true
}

function misc(view: DataView, at: number, bytes: number, le: boolean, flow: NfcapdFlow): void {
  flow.has |= has.misc
  flow.input = view.getUint32(at, le)
  flow.output = view.getUint32(at + 4, le)
  flow.srcMask = view.getUint8(at + 8)
  flow.dstMask = view.getUint8(at + 9)
  flow.direction = view.getUint8(at + 10)
  flow.dstTos = view.getUint8(at + 11)
  if (bytes < 14) return
  flow.biFlowDirection = view.getUint8(at + 12)
  flow.flowEndReason = view.getUint8(at + 13)
}

function counters(view: DataView, at: number, le: boolean, flow: NfcapdFlow): void {
  const low = le ? 0 : 4
  const high = 4 - low
  flow.has |= has.counters
  flow.flowsLow = view.getUint32(at + low, le)
  flow.flowsHigh = view.getUint32(at + high, le)
  flow.outPacketsLow = view.getUint32(at + 8 + low, le)
  flow.outPacketsHigh = view.getUint32(at + 8 + high, le)
  flow.outBytesLow = view.getUint32(at + 16 + low, le)
  flow.outBytesHigh = view.getUint32(at + 16 + high, le)
}

function routing(view: DataView, type: number, at: number, le: boolean, flow: NfcapdFlow): void {
  const first = view.getUint32(at, le)
  switch (type) {
    case 6:
      flow.has |= has.vlan
      flow.srcVlan = first
      flow.dstVlan = view.getUint32(at + 4, le)
      break
    case 7:
      flow.has |= has.as
      flow.srcAs = first
      flow.dstAs = view.getUint32(at + 4, le)
      break
    case 16:
      flow.has |= has.adjacentAs
      flow.nextAdjacentAs = first
      flow.previousAdjacentAs = view.getUint32(at + 4, le)
      break
    case 8:
    case 10:
    case 12:
      hop(flow, type, 0, 0, 0xffff, first)
      break
    default: {
      const high = le ? 4 : 0
      const low = 4 - high
      hop(
        flow,
        type - 1,
        view.getUint32(at + high, le),
        view.getUint32(at + low, le),
        view.getUint32(at + 8 + high, le),
        view.getUint32(at + 8 + low, le),
      )
    }
  }
}

/** `type`: the element's for IPv4, 8 BGP's next hop, 10 the next hop, 12 the exporter. */
function hop(flow: NfcapdFlow, type: number, a: number, b: number, c: number, d: number): void {
  if (type === 8) {
    flow.has |= has.bgpNextHop
    flow.bgpNextHop0 = a
    flow.bgpNextHop1 = b
    flow.bgpNextHop2 = c
    flow.bgpNextHop3 = d
  } else if (type === 10) {
    flow.has |= has.nextHop
    flow.nextHop0 = a
    flow.nextHop1 = b
    flow.nextHop2 = c
    flow.nextHop3 = d
  } else {
    flow.has |= has.router
    flow.router0 = a
    flow.router1 = b
    flow.router2 = c
    flow.router3 = d
  }
}

function link(view: DataView, type: number, at: number, le: boolean, flow: NfcapdFlow): void {
  const low = le ? 0 : 4
  const high = 4 - low
  const wide = (from: number): number => view.getUint32(from + high, le) * 2 ** 32 + view.getUint32(from + low, le)
  if (type === 14) {
    flow.has |= has.mpls
    for (let i = 0; i < 10; i++) flow.mpls[i] = view.getUint32(at + 4 * i, le)
  } else if (type === 15) {
    flow.has |= has.mac
    flow.inSrcMacHigh = view.getUint32(at + high, le)
    flow.inSrcMacLow = view.getUint32(at + low, le)
    flow.outDstMacHigh = view.getUint32(at + 8 + high, le)
    flow.outDstMacLow = view.getUint32(at + 8 + low, le)
    flow.inDstMacHigh = view.getUint32(at + 16 + high, le)
    flow.inDstMacLow = view.getUint32(at + 16 + low, le)
    flow.outSrcMacHigh = view.getUint32(at + 24 + high, le)
    flow.outSrcMacLow = view.getUint32(at + 24 + low, le)
  } else if (type === 17) {
    flow.has |= has.latency
    flow.clientDelay = wide(at)
    flow.serverDelay = wide(at + 8)
    flow.applicationLatency = wide(at + 16)
  } else {
    flow.has |= has.sampler
    flow.samplerHigh = view.getUint32(at + high, le)
    flow.samplerLow = view.getUint32(at + low, le)
  }
}

function event(view: DataView, type: number, at: number, bytes: number, le: boolean, flow: NfcapdFlow): void {
  flow.eventTime = microseconds(view, at, le)
  if (type === 19) {
    flow.has |= has.firewall
    flow.connection = view.getUint32(at + 8, le)
    flow.firewallExtendedEvent = view.getUint16(at + 12, le)
    flow.firewallEvent = view.getUint8(at + 14)
    return
  }
  flow.has |= has.nat
  // nfdump 1.7.0 to 1.7.2 had the event where the pool's number is later.
  if (bytes >= 16) {
    flow.natPool = view.getUint32(at + 8, le)
    flow.natEvent = view.getUint8(at + 12)
  } else flow.natEvent = view.getUint8(at + 8)
}

function translated(view: DataView, type: number, at: number, le: boolean, flow: NfcapdFlow): void {
  if (type === 22) {
    flow.has |= has.translatedPorts
    flow.translatedSrcPort = view.getUint16(at, le)
    flow.translatedDstPort = view.getUint16(at + 2, le)
    return
  }
  flow.has |= has.translated
  if (type === 20) {
    flow.translatedSrc0 = flow.translatedSrc1 = flow.translatedDst0 = flow.translatedDst1 = 0
    flow.translatedSrc2 = flow.translatedDst2 = 0xffff
    flow.translatedSrc3 = view.getUint32(at, le)
    flow.translatedDst3 = view.getUint32(at + 4, le)
    return
  }
  const high = le ? 4 : 0
  const low = 4 - high
  flow.translatedSrc0 = view.getUint32(at + high, le)
  flow.translatedSrc1 = view.getUint32(at + low, le)
  flow.translatedSrc2 = view.getUint32(at + 8 + high, le)
  flow.translatedSrc3 = view.getUint32(at + 8 + low, le)
  flow.translatedDst0 = view.getUint32(at + 16 + high, le)
  flow.translatedDst1 = view.getUint32(at + 16 + low, le)
  flow.translatedDst2 = view.getUint32(at + 24 + high, le)
  flow.translatedDst3 = view.getUint32(at + 24 + low, le)
}

function portBlock(view: DataView, at: number, le: boolean, flow: NfcapdFlow): void {
  flow.has |= has.portBlock
  flow.blockStart = view.getUint16(at, le)
  flow.blockEnd = view.getUint16(at + 2, le)
  flow.blockStep = view.getUint16(at + 4, le)
  flow.blockSize = view.getUint16(at + 6, le)
}

function vrf(view: DataView, at: number, le: boolean, flow: NfcapdFlow): void {
  flow.has |= has.vrf
  flow.egressVrf = view.getUint32(at, le)
  flow.ingressVrf = view.getUint32(at + 4, le)
}

function tunnel(view: DataView, type: number, at: number, le: boolean, flow: NfcapdFlow): void {
  flow.has |= has.tunnel
  if (type === 31) {
    flow.tunnelSrc0 = flow.tunnelSrc1 = flow.tunnelDst0 = flow.tunnelDst1 = 0
    flow.tunnelSrc2 = flow.tunnelDst2 = 0xffff
    flow.tunnelSrc3 = view.getUint32(at, le)
    flow.tunnelDst3 = view.getUint32(at + 4, le)
    flow.tunnelProtocol = view.getUint32(at + 8, le)
    return
  }
  const high = le ? 4 : 0
  const low = 4 - high
  flow.tunnelSrc0 = view.getUint32(at + high, le)
  flow.tunnelSrc1 = view.getUint32(at + low, le)
  flow.tunnelSrc2 = view.getUint32(at + 8 + high, le)
  flow.tunnelSrc3 = view.getUint32(at + 8 + low, le)
  flow.tunnelDst0 = view.getUint32(at + 16 + high, le)
  flow.tunnelDst1 = view.getUint32(at + 16 + low, le)
  flow.tunnelDst2 = view.getUint32(at + 24 + high, le)
  flow.tunnelDst3 = view.getUint32(at + 24 + low, le)
  flow.tunnelProtocol = view.getUint32(at + 32, le)
}

function ipInfo(view: DataView, at: number, flow: NfcapdFlow): void {
  flow.has |= has.ip
  flow.fragmentFlags = view.getUint8(at + 1)
  flow.ttlMin = view.getUint8(at + 2)
  flow.ttlMax = view.getUint8(at + 3)
}
