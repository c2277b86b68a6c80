/**
 * Captures, read slowly: the whole file at once, numbers as bigints, a step of the format's description a line. Shares no code with the
 * reader that it judges. Of pcap version 2.4 and later, and of pcapng (draft-ietf-opsawg-pcap and -pcapng).
 */

/** One packet as the file frames it. */
export interface Framed {
  linkType: number
  /** Microseconds since the epoch, rounded down; null where the file has none. */
  time: bigint | null
  wire: number
  bytes: Buffer
}

export interface Framing {
  packets: Framed[]
  /** Where the file ceases to be readable; null if it is read to its end. */
  stops: number | null
}

const packetMost = 262_144
const blockMost = 16 * 1024 * 1024

export function slowPcap(file: Buffer): Framing {
  const packets: Framed[] = []
  if (file.length < 24) return { packets, stops: file.length === 0 ? null : 0 }
  const big = file.readUInt32BE(0)
  const little = file.readUInt32LE(0)
  const magics = [0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34]
  const isLittle = magics.includes(little)
  const magic = isLittle ? little : big
  if (!magics.includes(magic)) return { packets, stops: 0 }
  const u16 = (at: number): number => (isLittle ? file.readUInt16LE(at) : file.readUInt16BE(at))
  const u32 = (at: number): number => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at))
  if (u16(4) !== 2) return { packets, stops: 4 }
  const minor = u16(6)
  const header = magic === 0xa1b2cd34 ? 24 : 16
  const linkType = u32(20) % 0x400_0000
  let at = 24
  while (at < file.length) {
    if (file.length - at < header) return { packets, stops: at }
    const lengths = [u32(at + 8), u32(at + 12)] as const
    const length = minor >= 4 ? lengths[0] : minor === 3 ? Math.min(...lengths) : lengths[1]
    if (length > packetMost) return { packets, stops: at }
    const blank = [0, 4, 12].every(offset => u32(at + offset) === 0)
    if (length === 0 && blank) return { packets, stops: at }
    if (at + header + length > file.length) return { packets, stops: at }
    const fraction = BigInt(u32(at + 4))
    packets.push({
      linkType,
      time: BigInt(u32(at)) * 1_000_000n + (magic === 0xa1b23c4d ? fraction / 1000n : fraction),
      wire: minor >= 4 ? lengths[1] : Math.max(...lengths),
      bytes: file.subarray(at + header, at + header + length),
    })
    at += header + length
  }
  return { packets, stops: null }
}

interface Interface {
  linkType: number
  snapLength: number
  /** Units of a time in a second. */
  perSecond: bigint
  offset: bigint
}

export function slowPcapng(file: Buffer): Framing {
  const packets: Framed[] = []
  let interfaces: Interface[] = []
  let described = 0
  let isLittle = true
  let sections = 0
  /** Where the first section of another version lies, which is passed over; and whether the present one is such. */
  let passedOver: number | null = null
  let isOver = false
  const u16 = (at: number): number => (isLittle ? file.readUInt16LE(at) : file.readUInt16BE(at))
  const u32 = (at: number): number => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at))
  const stop = (at: number): Framing => ({ packets, stops: at })
  let at = 0
  while (at < file.length) {
    if (file.length - at < 12) return stop(at)
    const isSection = file.readUInt32BE(at) === 0x0a0d0d0a
    if (isSection) {
      const magic = file.readUInt32BE(at + 8)
      if (magic !== 0x1a2b3c4d && magic !== 0x4d3c2b1a) return stop(at)
      isLittle = magic === 0x4d3c2b1a
    } else if (sections === 0) return stop(at)
    const length = u32(at + 4)
    if (length < 12 || length % 4 !== 0 || length > blockMost || at + length > file.length) return stop(at)
    if (u32(at + length - 4) !== length) return stop(at)
    const type = u32(at)
    // What a block must have between its two lengths, by type.
    const least = { 168627466: 16, 1: 8, 2: 20, 3: 4, 5: 12, 6: 20 }[type] ?? 0
    if (isOver && !isSection) {
      at += length
      continue
    }
    if (length - 12 < least) return stop(at)
    if (isSection) {
      isOver = u16(at + 12) !== 1
      if (isOver) passedOver ??= at
      sections++
      interfaces = []
    } else if (type === 1) {
      if (described === 65_536) return stop(at)
      described++
      interfaces.push(interfaceOf(file, at, length, isLittle))
    } else if (type === 2 || type === 6) {
      const source = interfaces[type === 6 ? u32(at + 8) : u16(at + 8)] ?? unknownInterface
      const captured = u32(at + 20)
      if (captured > packetMost || 28 + captured > length - 4) return stop(at)
      packets.push({
        linkType: source.linkType,
        time: timeOf((BigInt(u32(at + 12)) << 32n) | BigInt(u32(at + 16)), source),
        wire: u32(at + 24),
        bytes: file.subarray(at + 28, at + 28 + captured),
      })
    } else if (type === 3) {
      const source = interfaces[0] ?? unknownInterface
      const wire = u32(at + 8)
      const captured = Math.min(wire, length - 16, source.snapLength > 0 ? source.snapLength : wire)
      if (captured > packetMost) return stop(at)
      packets.push({
        linkType: source.linkType,
        time: null,
        wire,
        bytes: file.subarray(at + 12, at + 12 + captured),
      })
    }
    at += length
  }
  return { packets, stops: passedOver }
}

const unknownInterface: Interface = { linkType: -1, snapLength: 0, perSecond: 1_000_000n, offset: 0n }

function interfaceOf(file: Buffer, at: number, length: number, isLittle: boolean): Interface {
  const u16 = (from: number): number => (isLittle ? file.readUInt16LE(from) : file.readUInt16BE(from))
  const found: Interface = {
    linkType: u16(at + 8),
    snapLength: isLittle ? file.readUInt32LE(at + 12) : file.readUInt32BE(at + 12),
    perSecond: 1_000_000n,
    offset: 0n,
  }
  const end = at + length - 4
  for (let option = at + 16; option + 4 <= end; ) {
    const code = u16(option)
    const size = u16(option + 2)
    if (code === 0 || option + 4 + size > end) break
    if (code === 9 && size >= 1) {
      const value = file[option + 4]!
      found.perSecond = value >= 128 ? 2n ** BigInt(value - 128) : 10n ** BigInt(value)
    } else if (code === 14 && size >= 8) {
      found.offset = isLittle ? file.readBigInt64LE(option + 4) : file.readBigInt64BE(option + 4)
    }
    option += 4 + Math.ceil(size / 4) * 4
  }
  return found
}

/** Rounded down, which division of bigints is not for times before 1970. */
function timeOf(count: bigint, source: Interface): bigint {
  const nanoseconds = (count * 1_000_000_000n) / source.perSecond + source.offset * 1_000_000_000n
  const micro = nanoseconds / 1000n
  return nanoseconds < 0n && micro * 1000n !== nanoseconds ? micro - 1n : micro
}
