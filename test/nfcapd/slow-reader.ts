/**
 * Flows of an nfcapd file of layout 2 that is not packed, read slowly: the whole file at once, numbers as bigints. Shares no code with the
 * reader that it judges. After nffileV2.h and nfxV3.h of nfdump 1.7.
 */
export interface SlowFlow {
  first: bigint
  last: bigint
  packets: bigint
  bytes: bigint
  srcPort: number
  dstPort: number
  protocol: number
  tcpFlags: number
  /** 128 bits in hexadecimal, IPv4 as ::ffff:a.b.c.d; empty for a record without addresses. */
  src: string
  dst: string
}

const blockMost = 16 * 1024 * 1024
/** Bytes that an element must have, by its number, without its head of four. */
const elementBytes = [
  0, 48, 8, 32, 12, 24, 8, 8, 4, 16, 4, 16, 4, 16, 40, 32, 8, 24, 12, 16, 8, 32, 4, 0, 0, 9, 8, 0, 0, 0, 0, 12, 36, 0,
  0, 0, 8, 0, 0, 0, 0, 0, 4,
]

/** Null for a file that says of itself that it is something else. */
export function slowFlows(file: Buffer): SlowFlow[] | null {
  if (file.length < 40) return null
  const little = file.readUInt16LE(0) === 0xa50c
  const u16 = (at: number): number => (little ? file.readUInt16LE(at) : file.readUInt16BE(at))
  const u32 = (at: number): number => (little ? file.readUInt32LE(at) : file.readUInt32BE(at))
  if (u16(0) !== 0xa50c || u16(2) !== 2 || file[16] !== 0 || file[17] !== 0) return null
  const flows: SlowFlow[] = []
  let at = 40
  while (file.length - at >= 12) {
    const size = u32(at + 4)
    const type = u16(at + 8)
    if (size > blockMost) break
    const start = at + 12
    const end = Math.min(start + size, file.length)
    if (type === 2 || type === 3) flows.push(...flowsOfBlock(file.subarray(start, end), little))
    else if (start + size > file.length) break
    at = start + size
  }
  return flows
}

function flowsOfBlock(block: Buffer, little: boolean): SlowFlow[] {
  const flows: SlowFlow[] = []
  const u16 = (at: number): number => (little ? block.readUInt16LE(at) : block.readUInt16BE(at))
  let at = 0
  while (block.length - at >= 4) {
    const size = u16(at + 2)
    if (size < 4 || size > block.length - at) break
    if (u16(at) === 11 && size >= 12) {
      const flow = flowOf(block.subarray(at + 12, at + size), u16(at + 4), little)
      if (flow !== null) flows.push(flow)
    }
    at += size
  }
  return flows
}

function flowOf(record: Buffer, count: number, little: boolean): SlowFlow | null {
  const u16 = (at: number): number => (little ? record.readUInt16LE(at) : record.readUInt16BE(at))
  const u64 = (at: number): bigint => (little ? record.readBigUInt64LE(at) : record.readBigUInt64BE(at))
  const u32 = (at: number): number => (little ? record.readUInt32LE(at) : record.readUInt32BE(at))
  const address = (high: bigint, low: bigint): string => ((high << 64n) | low).toString(16)
  const flow: SlowFlow = {
    ...{ first: 0n, last: 0n, packets: 0n, bytes: 0n, srcPort: 0, dstPort: 0, protocol: 0, tcpFlags: 0 },
    ...{ src: '', dst: '' },
  }
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 4 > record.length) return null
    const type = u16(at)
    const length = u16(at + 2)
    if (length < 4 || at + length > record.length || length - 4 < (elementBytes[type] ?? 0)) return null
    const value = at + 4
    if (type === 1) {
      flow.first = u64(value) * 1000n
      flow.last = u64(value + 8) * 1000n
      flow.packets = u64(value + 24)
      flow.bytes = u64(value + 32)
      flow.srcPort = u16(value + 40)
      flow.dstPort = u16(value + 42)
      flow.protocol = record[value + 44]!
      flow.tcpFlags = record[value + 45]!
    } else if (type === 2) {
      flow.src = address(0n, 0xffff_0000_0000n + BigInt(u32(value)))
      flow.dst = address(0n, 0xffff_0000_0000n + BigInt(u32(value + 4)))
    } else if (type === 3) {
      flow.src = address(u64(value), u64(value + 8))
      flow.dst = address(u64(value + 16), u64(value + 24))
    }
    at += length
  }
  return flow
}
