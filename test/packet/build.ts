// Packets and captures written byte by byte. Every layer is a function from its payload to its bytes.

export type Bytes = readonly number[]

export const be16 = (value: number): Bytes => [(value >>> 8) & 255, value & 255]
export const be32 = (value: number): Bytes => [...be16(value >>> 16), ...be16(value & 0xffff)]
const le16 = (value: number): Bytes => [...be16(value)].reverse()
const le32 = (value: number): Bytes => [...be32(value)].reverse()

export const hex = (text: string): Bytes =>
  text
    .replace(/\s+/g, '')
    .match(/../g)!
    .map(byte => Number.parseInt(byte, 16))

export const zeros = (count: number): Bytes => new Array<number>(count).fill(0)

const quad = (text: string): Bytes => text.split('.').map(Number)

/** IPv6 without a quad within: groups and at most one `::`. */
export function groups(text: string): Bytes {
  const [left, right] = text.split('::').map(part => part.split(':').filter(group => group !== ''))
  const tail = right ?? []
  const middle = new Array<string>(8 - left!.length - tail.length).fill('0')
  return [...left!, ...(right === undefined ? [] : middle), ...tail].flatMap(group => be16(Number.parseInt(group, 16)))
}

// --- link layers

export const ethernet = (type: number, payload: Bytes): Bytes => [...zeros(12), ...be16(type), ...payload]
export const vlan = (id: number, type: number, payload: Bytes): Bytes => [...be16(id), ...be16(type), ...payload]

// --- network and transport

interface Ipv4 {
  protocol: number
  src?: string
  dst?: string
  id?: number
  /** The field with flags and offset. */
  fragment?: number
  length?: number
  options?: Bytes
  tos?: number
  ttl?: number
}

export function ipv4(fields: Ipv4, payload: Bytes): Bytes {
  const { protocol, options = [], src = '192.0.2.1', dst = '198.51.100.2' } = fields
  const header = 20 + options.length
  return [
    ...[0x40 | (header >>> 2), fields.tos ?? 0],
    ...be16(fields.length ?? header + payload.length),
    ...be16(fields.id ?? 0),
    ...be16(fields.fragment ?? 0),
    ...[fields.ttl ?? 64, protocol],
    ...zeros(2),
    ...quad(src),
    ...quad(dst),
    ...options,
    ...payload,
  ]
}

interface Ipv6 {
  next: number
  src?: string
  dst?: string
  length?: number
  tos?: number
}

export function ipv6(fields: Ipv6, payload: Bytes): Bytes {
  const { next, src = '2001:db8::1', dst = '2001:db8::2' } = fields
  return [
    ...be32((6 << 28) | ((fields.tos ?? 0) << 20)),
    ...be16(fields.length ?? payload.length),
    ...[next, 64],
    ...groups(src),
    ...groups(dst),
    ...payload,
  ]
}

export function tcp(src: number, dst: number, flags: number, payload: Bytes = []): Bytes {
  const header = [...be16(src), ...be16(dst), ...be32(0xfffffff0), ...be32(7), 0x50, flags, ...be16(8192), ...zeros(4)]
  return [...header, ...payload]
}

export function udp(src: number, dst: number, payload: Bytes = [], length = 8 + payload.length): Bytes {
  return [...be16(src), ...be16(dst), ...be16(length), 0, 0, ...payload]
}

// --- captures

export interface Record {
  bytes: Bytes
  /** Seconds and the fraction as it is written. */
  time?: readonly [number, number]
  wire?: number
}

export interface PcapOptions {
  big?: boolean
  magic?: number
  linkType?: number
  minor?: number
}

export function pcap(records: readonly Record[], options: PcapOptions = {}): Uint8Array {
  const { magic = 0xa1b2c3d4, linkType = 1, minor = 4 } = options
  const [n16, n32] = options.big ? [be16, be32] : [le16, le32]
  const header = [...n32(magic), ...n16(2), ...n16(minor), ...zeros(8), ...n32(65535), ...n32(linkType)]
  const extra = magic === 0xa1b2cd34 ? zeros(8) : []
  const body = records.flatMap(({ bytes, time = [1_700_000_000, 0], wire = bytes.length }) => [
    ...n32(time[0]),
    ...n32(time[1]),
    ...n32(bytes.length),
    ...n32(wire),
    ...extra,
    ...bytes,
  ])
  return Uint8Array.from([...header, ...body])
}
