import type { NfcapdFlow } from '../../src/nfcapd/flow.ts'

/** Bytes one after the other, in either order: files as nfdump writes them on machines of both kinds. */
export class Bytes {
  private readonly little: boolean
  private readonly bytes: number[] = []

  constructor(little = true) {
    this.little = little
  }

  get length(): number {
    return this.bytes.length
  }

  u8(...values: number[]): this {
    this.bytes.push(...values)
    return this
  }

  u16(...values: number[]): this {
    for (const value of values) this.number(value, 2)
    return this
  }

  u32(...values: number[]): this {
    for (const value of values) this.number(value, 4)
    return this
  }

  /** Of 64 bits: the upper half first, as in the words of an address. */
  u64(high: number, low: number): this {
    return this.little ? this.u32(low, high) : this.u32(high, low)
  }

  add(part: Uint8Array): this {
    for (const byte of part) this.bytes.push(byte)
    return this
  }

  pad(to: number): this {
    while (this.bytes.length < to) this.bytes.push(0)
    return this
  }

  done(): Uint8Array {
    return Uint8Array.from(this.bytes)
  }

  private number(value: number, bytes: number): void {
    for (let i = 0; i < bytes; i++) {
      const place = this.little ? i : bytes - 1 - i
      this.bytes.push(Math.floor(value / 256 ** place) & 255)
    }
  }
}

export interface FileOptions {
  little?: boolean
  /** Flags of layout 1, compression of layout 2. */
  packing?: number
  announced?: number
  ident?: string
}

/** A file of nfdump 1.6, with a statistics record of zeros but for the number of flows. */
export function layout1(blocks: readonly Uint8Array[], options: FileOptions = {}): Uint8Array {
  const { little = true, packing = 0, announced = blocks.length, ident = 'none' } = options
  const file = new Bytes(little).u16(0xa50c, 1).u32(packing, announced)
  file.add(Buffer.from(ident)).pad(140)
  file.u64(0, 7).pad(140 + 120)
  file.u32(1_700_000_000, 1_700_000_300).u16(12, 34).u32(5)
  for (const block of blocks) file.add(block)
  return file.done()
}

/** A file of nfdump 1.7 without an appendix. */
export function layout2(blocks: readonly Uint8Array[], options: FileOptions = {}): Uint8Array {
  const { little = true, packing = 0, announced = blocks.length } = options
  const file = new Bytes(little).u16(0xa50c, 2).u32(0x01070100).u64(0, 1_700_000_000)
  file.u8(packing, 0).u16(0).u32(0).u64(0, 0).u32(0, announced)
  for (const block of blocks) file.add(block)
  return file.done()
}

export interface BlockOptions {
  little?: boolean
  type?: number
  flags?: number
  records?: number
  size?: number
}

export function block(records: readonly Uint8Array[], options: BlockOptions = {}): Uint8Array {
  const body = Buffer.concat(records)
  const { little = true, type = 2, flags = 0, size = body.length } = options
  const head = new Bytes(little).u32(options.records ?? records.length, size).u16(type, flags)
  return head.add(body).done()
}

/** An extension map (record type 2). */
export function extensionMap(id: number, extensions: readonly number[], little = true): Uint8Array {
  const size = 8 + 2 * (extensions.length + 1) + (extensions.length % 2 === 0 ? 2 : 0)
  const map = new Bytes(little).u16(2, size, id, 0)
  return map
    .u16(...extensions)
    .pad(size)
    .done()
}

const none: Uint8Array = new Uint8Array(0)

interface RecordOptions {
  little?: boolean
  short?: boolean
  extensions?: Uint8Array
}

/**
 * A common record: of type 1 if `short`, else 10. Counters take 64 bits if they need them. `extensions` are the bytes that the map
 * says follow.
 */
export function commonRecord(
  flow: NfcapdFlow,
  map: number,
  { little = true, short = false, extensions = none }: RecordOptions = {},
): Uint8Array {
  const widePackets = flow.packetsHigh > 0
  const wideBytes = flow.bytesHigh > 0
  const flags =
    (flow.version === 6 ? 1 : 0) |
    (widePackets ? 2 : 0) |
    (wideBytes ? 4 : 0) |
    (flow.event ? 64 : 0) |
    (flow.sampled ? 128 : 0)
  const body = new Bytes(little)
  if (short) body.u8(flags, flow.exporter)
  else body.u16(flags)
  const seconds = (us: number): number => Math.floor(us / 1_000_000)
  const rest = (us: number): number => Math.floor(us / 1000) % 1000
  body.u16(map, rest(flow.first), rest(flow.last)).u32(seconds(flow.first), seconds(flow.last))
  body.u8(flow.forwardingStatus, flow.tcpFlags, flow.protocol, flow.tos).u16(flow.srcPort, flow.dstPort)
  if (!short) body.u16(flow.exporter, 0)
  if (flow.version === 6) {
    body.u64(flow.src0, flow.src1).u64(flow.src2, flow.src3).u64(flow.dst0, flow.dst1).u64(flow.dst2, flow.dst3)
  } else body.u32(flow.src3, flow.dst3)
  if (widePackets) body.u64(flow.packetsHigh, flow.packetsLow)
  else body.u32(flow.packetsLow)
  if (wideBytes) body.u64(flow.bytesHigh, flow.bytesLow)
  else body.u32(flow.bytesLow)
  body.add(extensions)
  return new Bytes(little)
    .u16(short ? 1 : 10, body.length + 4)
    .add(body.done())
    .done()
}

/** A V3 record of elements, each a number and its bytes. */
export function v3Record(
  elements: readonly (readonly [type: number, bytes: Uint8Array])[],
  { little = true, flags = 0, count = elements.length } = {},
): Uint8Array {
  const body = new Bytes(little)
  for (const [type, bytes] of elements) body.u16(type, bytes.length + 4).add(bytes)
  const head = new Bytes(little)
    .u16(11, body.length + 12, count)
    .u8(0, 0)
    .u16(0)
    .u8(flags, 0)
  return head.add(body.done()).done()
}

/** EXgenericFlow and the addresses. */
export function v3Elements(flow: NfcapdFlow, little = true): [type: number, bytes: Uint8Array][] {
  const generic = new Bytes(little)
  for (const us of [flow.first, flow.last, flow.received]) {
    const ms = Math.floor(us / 1000)
    generic.u64(Math.floor(ms / 2 ** 32), ms % 2 ** 32)
  }
  generic.u64(flow.packetsHigh, flow.packetsLow).u64(flow.bytesHigh, flow.bytesLow)
  generic.u16(flow.srcPort, flow.dstPort).u8(flow.protocol, flow.tcpFlags, flow.forwardingStatus, flow.tos)
  const addresses = new Bytes(little)
  if (flow.version === 4) addresses.u32(flow.src3, flow.dst3)
  else {
    addresses.u64(flow.src0, flow.src1).u64(flow.src2, flow.src3)
    addresses.u64(flow.dst0, flow.dst1).u64(flow.dst2, flow.dst3)
  }
  return [
    [1, generic.done()],
    [flow.version === 4 ? 2 : 3, addresses.done()],
  ]
}
