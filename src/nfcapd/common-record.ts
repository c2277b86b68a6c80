import { type BlockView, microseconds } from './elements.ts'
import { has, type NfcapdFlow } from './flow.ts'

/** Bytes of each extension of nfdump 1.6 by its number (nffile.h, nfx.c); 0: it has none, or nobody wrote it. */
const extensionBytes: readonly number[] = [
  ...[0, 0, 0, 0, 4, 8, 4, 8, 4, 4, 16, 4, 16, 4, 4, 8, 4, 8, 4, 8, 16, 16, 40, 4, 16, 4, 8, 8],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 4, 8, 32, 24, 24, 72, 0, 24, 12, 8, 8, 0],
]
/** A map has each extension once at most. */
const mapMax = extensionBytes.length
const mapHeadBytes = 8

const ipv6Addresses = 1
const packets64 = 2
const bytes64 = 4
const eventFlag = 64
const sampledFlag = 128

/** Which extensions follow each other in the records that name a map. Maps of nfdump 1.6 are records, before the first that needs them. */
export class ExtensionMaps {
  private readonly maps = new Map<number, { ids: Uint8Array; bytes: number }>()

  get(id: number): { ids: Uint8Array; bytes: number } | undefined {
    return this.maps.get(id)
  }

  /** Takes a map record. Returns what is wrong with it, null if nothing is. */
  add({ view, littleEndian }: BlockView, at: number, size: number): string | null {
    if (size < mapHeadBytes) return `an extension map of ${size} bytes`
    const ids: number[] = []
    let bytes = 0
    for (let from = at + mapHeadBytes, count = 0; from + 2 <= at + size; from += 2, count++) {
      const id = view.getUint16(from, littleEndian)
      if (id === 0) break
      const length = extensionBytes[id]
      if (length === undefined) return `an extension map with an extension ${id}, which is not known`
      if (count === mapMax) return `an extension map with more than ${mapMax} extensions`
      // Those without bytes are parts of every record, or were never used.
      if (length > 0) ids.push(id)
      bytes += length
    }
    this.maps.set(view.getUint16(at + 4, littleEndian), { ids: Uint8Array.from(ids), bytes })
    return null
  }
}

/**
 * Reads a common record of nfdump 1.6 into a flow: `short` of type 1, which has an exporter's number of 8 bits; otherwise of type 10.
 *
 * @returns what is wrong with it, null if nothing is.
 */
export function readCommonRecord(
  block: BlockView,
  at: number,
  size: number,
  short: boolean,
  maps: ExtensionMaps,
  flow: NfcapdFlow,
): string | null {
  const { view, littleEndian: le } = block
  const fixed = short ? 28 : 32
  if (size < fixed) return `a flow record of ${size} bytes`
  const flags = short ? view.getUint8(at + 4) : view.getUint16(at + 4, le)
  const mapId = view.getUint16(at + 6, le)
  const map = maps.get(mapId)
  if (map === undefined) return `the extension map ${mapId} is missing`
  const needs =
    fixed + (flags & ipv6Addresses ? 32 : 8) + (flags & packets64 ? 8 : 4) + (flags & bytes64 ? 8 : 4) + map.bytes
  if (size < needs) return `a flow record of ${size} bytes where its extensions need ${needs}`
  flow.clearOptional()
  flow.event = (flags & eventFlag) !== 0
  flow.sampled = (flags & sampledFlag) !== 0
  flow.anonymised = false
  flow.engineType = flow.engineId = 0
  flow.received = 0
  const milliseconds = (seconds: number, rest: number): number =>
    (view.getUint32(at + seconds, le) * 1000 + view.getUint16(at + rest, le)) * 1000
  flow.first = milliseconds(12, 8)
  flow.last = milliseconds(16, 10)
  flow.forwardingStatus = view.getUint8(at + 20)
  flow.tcpFlags = view.getUint8(at + 21)
  flow.protocol = view.getUint8(at + 22)
  flow.tos = view.getUint8(at + 23)
  flow.srcPort = view.getUint16(at + 24, le)
  flow.dstPort = view.getUint16(at + 26, le)
  flow.exporter = short ? view.getUint8(at + 5) : view.getUint16(at + 28, le)
  let from = readAddresses(view, at + fixed, le, (flags & ipv6Addresses) !== 0, flow)
  from = readCounters(view, from, le, flags, flow)
  for (let i = 0; i < map.ids.length; i++) {
    const id = map.ids[i]!
    readExtension(view, id, from, le, flow)
    from += extensionBytes[id]!
  }
  return null
}

function readAddresses(view: DataView, at: number, le: boolean, ipv6: boolean, flow: NfcapdFlow): number {
  if (!ipv6) {
    flow.version = 4
    flow.src0 = flow.src1 = flow.dst0 = flow.dst1 = 0
    flow.src2 = flow.dst2 = 0xffff
    flow.src3 = view.getUint32(at, le)
    flow.dst3 = view.getUint32(at + 4, le)
    return at + 8
  }
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
  return at + 32
}

function readCounters(view: DataView, at: number, le: boolean, flags: number, flow: NfcapdFlow): number {
  const high = le ? 4 : 0
  let from = at
  const wide = (flags & packets64) !== 0
  flow.packetsLow = view.getUint32(wide ? from + 4 - high : from, le)
  flow.packetsHigh = wide ? view.getUint32(from + high, le) : 0
  from += wide ? 8 : 4
  const wideBytes = (flags & bytes64) !== 0
  flow.bytesLow = view.getUint32(wideBytes ? from + 4 - high : from, le)
  flow.bytesHigh = wideBytes ? view.getUint32(from + high, le) : 0
  return from + (wideBytes ? 8 : 4)
}

function readExtension(view: DataView, id: number, at: number, le: boolean, flow: NfcapdFlow): void {
  if (id <= 8) readInterfaces(view, id, at, le, flow)
  else if (id <= 12 || id === 23 || id === 24) readHop(view, id, at, le, flow)
  else if (id <= 19) readOut(view, id, at, le, flow)
  else if (id <= 27) readLink(view, id, at, le, flow)
  else readEvent(view, id, at, le, flow)
}

function readInterfaces(view: DataView, id: number, at: number, le: boolean, flow: NfcapdFlow): void {
  const narrow = id === 4 || id === 6
  const first = narrow ? view.getUint16(at, le) : view.getUint32(at, le)
  if (id === 8) {
    flow.has |= has.misc
    flow.dstTos = view.getUint8(at)
    flow.direction = view.getUint8(at + 1)
    flow.srcMask = view.getUint8(at + 2)
    flow.dstMask = view.getUint8(at + 3)
    return
  }
  const second = narrow ? view.getUint16(at + 2, le) : view.getUint32(at + 4, le)
  if (id <= 5) {
    flow.has |= has.misc
    flow.input = first
    flow.output = second
  } else {
    flow.has |= has.as
    flow.srcAs = first
    flow.dstAs = second
  }
}

function readHop(view: DataView, id: number, at: number, le: boolean, flow: NfcapdFlow): void {
  const ipv6 = id === 10 || id === 12 || id === 24
  const high = le ? 4 : 0
  const low = 4 - high
  const a = ipv6 ? view.getUint32(at + high, le) : 0
  const b = ipv6 ? view.getUint32(at + low, le) : 0
  const c = ipv6 ? view.getUint32(at + 8 + high, le) : 0xffff
  const d = view.getUint32(ipv6 ? at + 8 + low : at, le)
  if (id <= 10) {
    flow.has |= has.nextHop
    flow.nextHop0 = a
    flow.nextHop1 = b
    flow.nextHop2 = c
    flow.nextHop3 = d
  } else if (id <= 12) {
    flow.has |= has.bgpNextHop
    flow.bgpNextHop0 = a
    flow.bgpNextHop1 = b
    flow.bgpNextHop2 = c
    flow.bgpNextHop3 = d
  } else {
    flow.has |= has.router
    flow.router0 = a
    flow.router1 = b
    flow.router2 = c
    flow.router3 = d
  }
}

/** VLANs and the counters of the way back. */
function readOut(view: DataView, id: number, at: number, le: boolean, flow: NfcapdFlow): void {
  if (id === 13) {
    flow.has |= has.vlan
    flow.srcVlan = view.getUint16(at, le)
    flow.dstVlan = view.getUint16(at + 2, le)
    return
  }
  const wide = id === 15 || id === 17 || id === 19
  const low = view.getUint32(wide && !le ? at + 4 : at, le)
  const high = wide ? view.getUint32(le ? at + 4 : at, le) : 0
  flow.has |= has.counters
  if (id <= 15) {
    flow.outPacketsLow = low
    flow.outPacketsHigh = high
  } else if (id <= 17) {
    flow.outBytesLow = low
    flow.outBytesHigh = high
  } else {
    flow.flowsLow = low
    flow.flowsHigh = high
  }
}

function readLink(view: DataView, id: number, at: number, le: boolean, flow: NfcapdFlow): void {
  const low = le ? 0 : 4
  const high = 4 - low
  if (id === 20) {
    flow.has |= has.mac
    flow.inSrcMacHigh = view.getUint32(at + high, le)
    flow.inSrcMacLow = view.getUint32(at + low, le)
    flow.outDstMacHigh = view.getUint32(at + 8 + high, le)
    flow.outDstMacLow = view.getUint32(at + 8 + low, le)
  } else if (id === 21) {
    flow.has |= has.mac
    flow.inDstMacHigh = view.getUint32(at + high, le)
    flow.inDstMacLow = view.getUint32(at + low, le)
    flow.outSrcMacHigh = view.getUint32(at + 8 + high, le)
    flow.outSrcMacLow = view.getUint32(at + 8 + low, le)
  } else if (id === 22) {
    flow.has |= has.mpls
    for (let i = 0; i < 10; i++) flow.mpls[i] = view.getUint32(at + 4 * i, le)
  } else if (id === 25) {
    flow.engineType = view.getUint8(at + 2)
    flow.engineId = view.getUint8(at + 3)
  } else if (id === 26) {
    flow.has |= has.adjacentAs
    flow.nextAdjacentAs = view.getUint32(at, le)
    flow.previousAdjacentAs = view.getUint32(at + 4, le)
  } else if (id === 27) flow.received = microseconds(view, at, le)
}

function readEvent(view: DataView, id: number, at: number, le: boolean, flow: NfcapdFlow): void {
  if (id === 37) {
    flow.has |= has.firewall
    flow.eventTime = microseconds(view, at, le)
    flow.connection = view.getUint32(at + 8, le)
    flow.firewallEvent = view.getUint8(at + 14)
    flow.firewallExtendedEvent = view.getUint16(at + 16, le)
  } else if (id === 38) {
    flow.has |= has.translatedPorts
    flow.translatedSrcPort = view.getUint16(at, le)
    flow.translatedDstPort = view.getUint16(at + 2, le)
  } else if (id === 39) {
    flow.has |= has.translated
    flow.translatedSrc2 = flow.translatedDst2 = 0xffff
    flow.translatedSrc3 = view.getUint32(at, le)
    flow.translatedDst3 = view.getUint32(at + 4, le)
  } else if (id === 45) {
    const wide = (from: number): number =>
      view.getUint32(le ? from + 4 : from, le) * 2 ** 32 + view.getUint32(le ? from : from + 4, le)
    flow.has |= has.latency
    flow.clientDelay = wide(at)
    flow.serverDelay = wide(at + 8)
    flow.applicationLatency = wide(at + 16)
  } else if (id === 46) {
    flow.has |= has.nat | has.vrf
    flow.natEvent = view.getUint8(at)
    flow.egressVrf = view.getUint32(at + 4, le)
    flow.ingressVrf = view.getUint32(at + 8, le)
  } else if (id === 48) {
    flow.has |= has.portBlock
    flow.blockStart = view.getUint16(at, le)
    flow.blockEnd = view.getUint16(at + 2, le)
    flow.blockStep = view.getUint16(at + 4, le)
    flow.blockSize = view.getUint16(at + 6, le)
  }
}
