import { lz4, lz4Bound } from '../codecs/lz4.ts'
import { zstd, zstdBound } from '../codecs/zstd.ts'
import { assert, UserError } from '../errors.ts'
import { has, type NfcapdFlow } from './flow.ts'
import { noTotals, totalsBytes, writeTotals } from './totals.ts'

/** nfdump's own blocks have up to 1 MiB (WRITE_BUFFSIZE of 1.7.1). */
const blockBytes = 1 << 20
/** A flow with all that is written, below: 352 bytes. */
const recordBytesMax = 512
const blockHeadBytes = 12
const headerBytes = 40
/** nfdump refuses longer records of its appendix. */
const identBytesMax = 120
/** The version of nfdump whose layout this is. */
const nfdumpVersion = 0x01070100
const magic = 0xa50c
/** What nfdump says of a file without flows. */
const noFirst = 0x7fffffffffffffffn
const compressionNumbers = { none: 0, lz4: 3, zstd: 4 } as const

const TCP = 6
const UDP = 17
const ICMP = 1
const ICMPV6 = 58
const protocolClasses = ['Tcp', 'Udp', 'Icmp', 'Other'] as const

export interface NfcapdWriterOptions {
  /** LZ4 is read by each nfdump 1.7, zstd by 1.7.3 and later where they were built with it: not by Debian's 1.7.1. */
  compression?: keyof typeof compressionNumbers
  /** What the sensor calls itself, up to 120 bytes. */
  ident?: string
  /** Seconds since the epoch. */
  created?: number
}

/**
 * Writes flows as nfdump 1.7 does (layout 2, V3 records); nfdump 1.7.1 and later read them.
 *
 * The file's bytes go to `sink` as they become ready, in order; they are valid until it returns. `finish` gives the header that must
 * then be put over the first 40 bytes: before, it says 0 blocks, and a reader that believes it sees an empty file.
 */
export class NfcapdWriter {
  private readonly sink: (bytes: Uint8Array) => void
  private readonly compression: keyof typeof compressionNumbers
  private readonly ident: Uint8Array
  private readonly created: number
  private readonly block = new Uint8Array(blockHeadBytes + blockBytes)
  private readonly view = new DataView(this.block.buffer)
  private readonly packed: Uint8Array
  private readonly packedView: DataView
  private at = blockHeadBytes
  private records = 0
  private blocks = 0
  private offset = 0
  private finished = false

  /** Sums since the last block, of each class of protocols: halves apart, so that they stay exact. */
  private readonly sums = {
    flowsLow: new Float64Array(4),
    flowsHigh: new Float64Array(4),
    packetsLow: new Float64Array(4),
    packetsHigh: new Float64Array(4),
    bytesLow: new Float64Array(4),
    bytesHigh: new Float64Array(4),
  }
  private readonly totals = noTotals()
  /** Milliseconds. */
  private first = Number.POSITIVE_INFINITY
  private last = 0

  constructor(sink: (bytes: Uint8Array) => void, options: NfcapdWriterOptions = {}) {
    this.sink = sink
    this.compression = options.compression ?? 'none'
    this.ident = new TextEncoder().encode(options.ident ?? 'none')
    if (this.ident.length > identBytesMax) {
      throw new UserError(`ident too long: ${options.ident}`, { hint: `up to ${identBytesMax} bytes` })
    }
    this.created = options.created ?? 0
    const bound = { none: () => 0, lz4: lz4Bound, zstd: zstdBound }[this.compression]
    this.packed = new Uint8Array(blockHeadBytes + bound(blockBytes))
    this.packedView = new DataView(this.packed.buffer)
    this.give(this.header(0, 0))
  }

  /** Adds a flow. Times are cut to milliseconds, -1 becomes 0. Of its optional fields those are written that `has` names, see the reference. */
  add(flow: NfcapdFlow): void {
    assert(!this.finished, 'nothing is added to a finished file')
    if (this.at + recordBytesMax > this.block.length) this.endBlock()
    const { view } = this
    const start = this.at
    let at = this.common(start, flow)
    let elements = 1
    if (flow.version === 4) {
      at = ipv4(view, at, flow)
      elements++
    } else if (flow.version === 6) {
      at = ipv6(view, at, flow)
      elements++
    }
    if (flow.has !== 0) {
      const optional = new Elements(view, at)
      optional.add(flow)
      at = optional.at
      elements += optional.count
    }
    view.setUint16(start, 11, true)
    view.setUint16(start + 2, at - start, true)
    view.setUint16(start + 4, elements, true)
    view.setUint8(start + 6, flow.engineType)
    view.setUint8(start + 7, flow.engineId)
    view.setUint16(start + 8, flow.exporter, true)
    view.setUint16(start + 10, (flow.event ? 1 : 0) | (flow.sampled ? 2 : 0) | (flow.anonymised ? 4 : 0), true)
    this.at = at
    this.records++
    this.sum(flow)
  }

  /** Writes what is left. Returns the file's first 40 bytes, which are to replace those that the sink got first. */
  finish(): Uint8Array {
    assert(!this.finished, 'a writer is finished once')
    this.endBlock()
    this.finished = true
    const appendix = this.offset
    const dataBlocks = this.blocks
    this.appendix()
    this.endBlock()
    return this.header(dataBlocks, appendix)
  }

  /** EXgenericFlow. Returns where the next element begins. */
  private common(start: number, flow: NfcapdFlow): number {
    const { view } = this
    const at = start + 12
    const first = flow.first > 0 ? Math.floor(flow.first / 1000) : 0
    const last = flow.last > 0 ? Math.floor(flow.last / 1000) : 0
    const received = flow.received > 0 ? Math.floor(flow.received / 1000) : 0
    if (first < this.first) this.first = first
    if (last > this.last) this.last = last
    view.setUint32(at, 1 | (52 << 16), true)
    view.setUint32(at + 4, first, true)
    view.setUint32(at + 8, first / 2 ** 32, true)
    view.setUint32(at + 12, last, true)
    view.setUint32(at + 16, last / 2 ** 32, true)
    view.setUint32(at + 20, received, true)
    view.setUint32(at + 24, received / 2 ** 32, true)
    view.setUint32(at + 28, flow.packetsLow, true)
    view.setUint32(at + 32, flow.packetsHigh, true)
    view.setUint32(at + 36, flow.bytesLow, true)
    view.setUint32(at + 40, flow.bytesHigh, true)
    view.setUint32(at + 44, flow.srcPort | (flow.dstPort << 16), true)
    view.setUint32(
      at + 48,
      flow.protocol | (flow.tcpFlags << 8) | (flow.forwardingStatus << 16) | (flow.tos << 24),
      true,
    )
    return at + 52
  }

  /** As nfdump counts: both directions, and each flow of an aggregate. */
  private sum(flow: NfcapdFlow): void {
    const { sums } = this
    const { protocol } = flow
    const kind = protocol === TCP ? 0 : protocol === UDP ? 1 : protocol === ICMP || protocol === ICMPV6 ? 2 : 3
    const aggregated = flow.flowsLow !== 0 || flow.flowsHigh !== 0
    sums.flowsLow[kind]! += aggregated ? flow.flowsLow : 1
    sums.flowsHigh[kind]! += flow.flowsHigh
    sums.packetsLow[kind]! += flow.packetsLow + flow.outPacketsLow
    sums.packetsHigh[kind]! += flow.packetsHigh + flow.outPacketsHigh
    sums.bytesLow[kind]! += flow.bytesLow + flow.outBytesLow
    sums.bytesHigh[kind]! += flow.bytesHigh + flow.outBytesHigh
  }

  private foldSums(): void {
    const { sums, totals } = this
    for (let kind = 0; kind < 4; kind++) {
      const name = protocolClasses[kind]!
      const take = (low: Float64Array, high: Float64Array): bigint => {
        const value = BigInt(low[kind]!) + (BigInt(high[kind]!) << 32n)
        low[kind] = high[kind] = 0
        return value
      }
      const flows = take(sums.flowsLow, sums.flowsHigh)
      const packets = take(sums.packetsLow, sums.packetsHigh)
      const bytes = take(sums.bytesLow, sums.bytesHigh)
      totals.flows += flows
      totals.packets += packets
      totals.bytes += bytes
      totals[`flows${name}`] += flows
      totals[`packets${name}`] += packets
      totals[`bytes${name}`] += bytes
    }
  }

  private endBlock(): void {
    if (this.records === 0) return
    const size = this.at - blockHeadBytes
    let bytes: Uint8Array = this.block
    let length = size
    if (this.compression !== 'none') {
      const pack = this.compression === 'lz4' ? lz4 : zstd
      bytes = this.packed
      length = pack(this.block.subarray(blockHeadBytes, this.at), this.packed.subarray(blockHeadBytes))
    }
    const head = bytes === this.block ? this.view : this.packedView
    head.setUint32(0, this.records, true)
    head.setUint32(4, length, true)
    head.setUint32(8, 3, true)
    this.give(bytes.subarray(0, blockHeadBytes + length))
    this.foldSums()
    this.at = blockHeadBytes
    this.records = 0
    this.blocks++
  }

  /** The last block: who the sensor is, and the totals. */
  private appendix(): void {
    const { view, ident, totals } = this
    totals.first = this.first === Number.POSITIVE_INFINITY ? noFirst : BigInt(this.first)
    totals.last = BigInt(this.last)
    let at = this.at
    view.setUint16(at, 0x8001, true)
    view.setUint16(at + 2, 4 + ident.length + 1, true)
    this.block.set(ident, at + 4)
    this.block[at + 4 + ident.length] = 0
    at += 4 + ident.length + 1
    view.setUint16(at, 0x8002, true)
    view.setUint16(at + 2, 4 + totalsBytes, true)
    writeTotals(totals, view, at + 4)
    this.at = at + 4 + totalsBytes
    this.records = 2
  }

  /** fileHeaderV2_s. */
  private header(blocks: number, appendix: number): Uint8Array {
    const bytes = new Uint8Array(headerBytes)
    const view = new DataView(bytes.buffer)
    view.setUint16(0, magic, true)
    view.setUint16(2, 2, true)
    view.setUint32(4, nfdumpVersion, true)
    view.setBigUint64(8, BigInt(Math.floor(this.created)), true)
    view.setUint8(16, compressionNumbers[this.compression])
    view.setUint16(18, appendix === 0 ? 0 : 1, true)
    view.setBigUint64(24, BigInt(appendix), true)
    view.setUint32(36, blocks, true)
    return bytes
  }

  private give(bytes: Uint8Array): void {
    this.offset += bytes.length
    this.sink(bytes)
  }
}

function ipv4(view: DataView, at: number, flow: NfcapdFlow): number {
  view.setUint32(at, 2 | (12 << 16), true)
  view.setUint32(at + 4, flow.src3, true)
  view.setUint32(at + 8, flow.dst3, true)
  return at + 12
}

function ipv6(view: DataView, at: number, flow: NfcapdFlow): number {
  view.setUint32(at, 3 | (36 << 16), true)
  view.setUint32(at + 4, flow.src1, true)
  view.setUint32(at + 8, flow.src0, true)
  view.setUint32(at + 12, flow.src3, true)
  view.setUint32(at + 16, flow.src2, true)
  view.setUint32(at + 20, flow.dst1, true)
  view.setUint32(at + 24, flow.dst0, true)
  view.setUint32(at + 28, flow.dst3, true)
  view.setUint32(at + 32, flow.dst2, true)
  return at + 36
}

/** Writes the optional elements of a record one after the other. */
class Elements {
  at: number
  count = 0
  private readonly view: DataView

  constructor(view: DataView, at: number) {
    this.view = view
    this.at = at
  }

  add(flow: NfcapdFlow): void {
    const bits = flow.has
    if (bits & has.misc) this.misc(flow)
    if (bits & has.counters) {
      this.words(
        5,
        flow.flowsLow,
        flow.flowsHigh,
        flow.outPacketsLow,
        flow.outPacketsHigh,
        flow.outBytesLow,
        flow.outBytesHigh,
      )
    }
    if (bits & has.vlan) this.words(6, flow.srcVlan, flow.dstVlan)
    if (bits & has.as) this.words(7, flow.srcAs, flow.dstAs)
    if (bits & has.bgpNextHop) this.address(8, flow.bgpNextHop0, flow.bgpNextHop1, flow.bgpNextHop2, flow.bgpNextHop3)
    if (bits & has.nextHop) this.address(10, flow.nextHop0, flow.nextHop1, flow.nextHop2, flow.nextHop3)
    if (bits & has.router) this.address(12, flow.router0, flow.router1, flow.router2, flow.router3)
    if (bits & has.mpls) this.words(14, ...flow.mpls)
    if (bits & has.mac) this.mac(flow)
    if (bits & has.adjacentAs) this.words(16, flow.nextAdjacentAs, flow.previousAdjacentAs)
    if (bits & has.latency) this.latency(flow)
  }

  private words(type: number, ...words: number[]): void {
    const { view } = this
    view.setUint32(this.at, type | ((4 + 4 * words.length) << 16), true)
    this.at += 4
    for (const word of words) {
      view.setUint32(this.at, word, true)
      this.at += 4
    }
    this.count++
  }

  /** `type`: of the element for IPv4; that for IPv6 follows. */
  private address(type: number, a: number, b: number, c: number, d: number): void {
    if (a === 0 && b === 0 && c === 0xffff) this.words(type, d)
    else this.words(type + 1, b, a, d, c)
  }

  private misc(flow: NfcapdFlow): void {
    this.words(
      4,
      flow.input,
      flow.output,
      flow.srcMask | (flow.dstMask << 8) | (flow.direction << 16) | (flow.dstTos << 24),
      flow.biFlowDirection | (flow.flowEndReason << 8),
    )
  }

  private mac(flow: NfcapdFlow): void {
    this.words(
      15,
      ...[flow.inSrcMacLow, flow.inSrcMacHigh, flow.outDstMacLow, flow.outDstMacHigh],
      ...[flow.inDstMacLow, flow.inDstMacHigh, flow.outSrcMacLow, flow.outSrcMacHigh],
    )
  }

  private latency(flow: NfcapdFlow): void {
    const { clientDelay, serverDelay, applicationLatency } = flow
    const high = (value: number): number => value / 2 ** 32
    this.words(
      17,
      ...[clientDelay, high(clientDelay), serverDelay, high(serverDelay)],
      ...[applicationLatency, high(applicationLatency)],
    )
  }
}
