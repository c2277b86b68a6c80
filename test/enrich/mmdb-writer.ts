/** Writes MMDB files as MaxMind's specification 2.0 has them: of a few networks, plain and slow. */
import { parsePrefix } from '../../src/net/prefix.ts'

export type MmdbValue = string | number | bigint | boolean | MmdbValue[] | { [key: string]: MmdbValue }

export interface MmdbForm {
  type?: string
  ipVersion?: 4 | 6
  /** Bits of a record: 24, 28 or 32. */
  size?: 24 | 28 | 32
}

type Record = { node: number } | { data: number } | null

/** @param networks prefixes that do not overlap, with what is said of each. */
export function mmdb(networks: readonly (readonly [prefix: string, value: MmdbValue])[], form: MmdbForm = {}): Buffer {
  const { type = 'Test', ipVersion = 6, size = 28 } = form
  const nodes: [Record, Record][] = [[null, null]]
  const data: Buffer[] = []
  let bytes = 0
  const places = new Map<string, number>()
  const placeOf = (value: MmdbValue): number => {
    const key = JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}n` : one))
    const known = places.get(key)
    if (known !== undefined) return known
    places.set(key, bytes)
    data.push(encoded(value))
    bytes += data.at(-1)!.length
    return places.get(key)!
  }
  for (const [text, value] of networks) insert(nodes, bitsOf(text, ipVersion), { data: placeOf(value) })
  const numberOf = (record: Record): number =>
    record === null ? nodes.length : 'node' in record ? record.node : nodes.length + 16 + record.data
  const tree = Buffer.concat(nodes.map(([left, right]) => nodeBytes(numberOf(left), numberOf(right), size)))
  const metadata = {
    ...{ node_count: nodes.length, record_size: size, ip_version: ipVersion, database_type: type, languages: ['en'] },
    ...{ binary_format_major_version: 2, binary_format_minor_version: 0, build_epoch: 1_695_859_200n },
    description: { en: 'of a test' },
  }
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    encoded(metadata),
  ])
}

/** IPv4 lies at ::/96 there, not at ::ffff:0:0/96. */
function bitsOf(text: string, ipVersion: 4 | 6): string {
  const { first } = parsePrefix(text)!
  const isFour = !text.includes(':')
  const length = Number(text.split('/')[1] ?? (isFour ? 32 : 128))
  const low = first.lo & (isFour ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn)
  const whole = (first.hi << 64n) | low
  if (ipVersion === 4) return low.toString(2).padStart(32, '0').slice(0, length)
  return whole
    .toString(2)
    .padStart(128, '0')
    .slice(0, length + (isFour ? 96 : 0))
}

function insert(nodes: [Record, Record][], bits: string, leaf: Record): void {
  let at = 0
  for (const [i, bit] of [...bits].entries()) {
    const side = Number(bit) as 0 | 1
    if (i === bits.length - 1) nodes[at]![side] = leaf
    else {
      const next = nodes[at]![side]
      if (next !== null && 'node' in next) at = next.node
      else {
        nodes.push([null, null])
        nodes[at]![side] = { node: nodes.length - 1 }
        at = nodes.length - 1
      }
    }
  }
}

function nodeBytes(left: number, right: number, size: 24 | 28 | 32): Buffer {
  const node = Buffer.alloc(size / 4)
  if (size === 32) {
    node.writeUInt32BE(left, 0)
    node.writeUInt32BE(right, 4)
  } else {
    node.writeUIntBE(left & 0xff_ffff, 0, 3)
    node.writeUIntBE(right & 0xff_ffff, size / 4 - 3, 3)
    if (size === 28) node[3] = ((left >>> 24) << 4) | (right >>> 24)
  }
  return node
}

function encoded(value: MmdbValue): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)])
  if (typeof value === 'boolean') return control(14, Number(value))
  if (typeof value === 'number' || typeof value === 'bigint') {
    const hex = value === 0 || value === 0n ? '' : value.toString(16)
    const digits = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
    return Buffer.concat([control(typeof value === 'number' ? 6 : 9, digits.length), digits])
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encoded)])
  const pairs = Object.entries(value)
  return Buffer.concat([control(7, pairs.length), ...pairs.flatMap(([key, one]) => [encoded(key), encoded(one)])])
}

/** The control bytes of a value: its type, and its size as far as 16 bits hold it. */
export function control(type: number, size: number): Buffer {
  const low = size < 29 ? size : size < 285 ? 29 : 30
  const rest = size < 29 ? [] : size < 285 ? [size - 29] : [(size - 285) >> 8, (size - 285) & 255]
  return Buffer.from(type > 7 ? [low, type - 7, ...rest] : [(type << 5) | low, ...rest])
}
