/**
 * Databases of MaxMind's format (MMDB): countries and autonomous systems of addresses.
 *
 * The tree and the values are read by `mmdb-lib`, which trusts the sizes that a file claims: each value is measured before it decodes it.
 */
import { createRequire } from 'node:module'
import { errorText, UserError } from '../errors.ts'
import { formatAddress } from '../net/address.ts'
import { utcSeconds } from '../net/time.ts'
import type { EnrichmentFile } from './enrichment-file.ts'
import { readSource } from './source-file.ts'

/** Of the old kind of modules, and loaded as that (see `cli/commander.ts`) when there is a database to read. */
const library = (): typeof import('mmdb-lib') => createRequire(import.meta.url)('mmdb-lib')

const megabytesMost = 1024

export interface AutonomousSystem {
  number: number
  org: string | null
}

/** A database that is open; what it says of an address as the file has it. */
export interface Mmdb {
  file: EnrichmentFile
  /** Null where it says nothing. @throws UserError where the database is damaged there. */
  get(hi: bigint, lo: bigint): Readonly<Record<string, unknown>> | null
}

type Fields = Readonly<Record<string, unknown>>

/** @throws UserError where the file cannot be read, is no MMDB, or says nothing of what it is for. */
export function openMmdb(path: string, kind: 'geoip' | 'asn'): Mmdb {
  const { bytes, sha256 } = readSource(path, kind, megabytesMost)
  const what = `--${kind} ${path}`
  const damaged = (error: unknown): UserError =>
    new UserError(`${what}: damaged MMDB`, { hint: errorText(error), cause: error })
  const { reader, base } = opened(what, bytes)
  const get = (hi: bigint, lo: bigint): Fields | null => {
    // IPv6 addresses are in no tree of IPv4.
    const text = formatAddress(hi, lo)
    if (reader.metadata.ipVersion === 4 && text.includes(':')) return null
    try {
      const found: unknown = reader.get(text)
      return isFields(found) ? found : null
    } catch (error) {
      throw damaged(error)
    }
  }
  const { nodeCount, buildEpoch, databaseType } = reader.metadata
  const says = kind === 'geoip' ? countryIn : asnIn
  if (!someLeaf(bytes, reader.metadata, base, (hi, lo) => says(get(hi, lo)) !== null)) {
    const wanted = kind === 'geoip' ? 'countries' : 'autonomous systems'
    throw new UserError(`${what}: says nothing of ${wanted}`, { hint: `it is a database of type ${databaseType}` })
  }
  const built = buildEpoch.getTime()
  const dated = Number.isFinite(built) ? utcSeconds(built * 1000) : null
  const file: EnrichmentFile = { path, kind, sha256, entries: nodeCount, from: null, to: null, dated, left_out: {} }
  return { file, get }
}

/** The two letters of a country; null where it is not said. */
export function countryIn(fields: Fields | null): string | null {
  if (fields === null) return null
  const { country, country_code } = fields
  const code = isFields(country) ? own(country, 'iso_code') : (country_code ?? country)
  return typeof code === 'string' && /^[A-Za-z]{2}$/.test(code) ? code.toUpperCase() : null
}

/** By MaxMind's names, else by IPinfo's: `asn` as `AS15169`, `as_name`. */
export function asnIn(fields: Fields | null): AutonomousSystem | null {
  if (fields === null) return null
  const number = Number(own(fields, 'autonomous_system_number') ?? String(own(fields, 'asn') ?? '').replace(/^AS/i, ''))
  if (!Number.isInteger(number) || number <= 0 || number >= 2 ** 32) return null
  const names = ['autonomous_system_organization', 'as_name', 'as_org', 'organization', 'name']
  const org = names.map(name => own(fields, name)).find(name => typeof name === 'string' && name !== '')
  return { number, org: (org as string | undefined) ?? null }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')
const separatorBytes = 16

function opened(what: string, bytes: Buffer) {
  const at = bytes.lastIndexOf(marker)
  if (at < 0) throw new UserError(`${what}: not an MMDB`, { hint: 'a database ends with .mmdb, and is unpacked' })
  try {
    const begin = at + marker.length
    measure(bytes, begin, begin)
    const values = new Map<number, unknown>()
    let base = 0
    const { Reader } = library()
    const reader = new Reader<never>(bytes, {
      cache: {
        get: (offset: string | number) => {
          const known = values.get(Number(offset))
          if (known === undefined) measure(bytes, base, Number(offset))
          return known as never
        },
        set: (offset: string | number, value: unknown) => {
          if (values.size >= cachedMost) values.clear()
          values.set(Number(offset), value)
        },
      },
    })
    const { nodeCount, recordSize, ipVersion, searchTreeSize } = reader.metadata
    base = searchTreeSize + separatorBytes
    const isSound = Number.isInteger(nodeCount) && nodeCount > 0 && (ipVersion === 4 || ipVersion === 6) && base <= at
    if (!isSound) throw new Error(`${nodeCount} nodes of ${recordSize} bits do not fit into it`)
    return { reader, base }
  } catch (error) {
    throw new UserError(`${what}: damaged MMDB`, { hint: errorText(error), cause: error })
  }
}

const cachedMost = 100_000
/** Values within one record, and how deep they may be within one another. */
const valuesMost = 20_000
const deepest = 64

/**
 * Walks over a value without making anything of it.
 *
 * @param base where pointers count from.
 * @throws Error where it is not whole, or holds more than a record does.
 */
function measure(bytes: Buffer, base: number, offset: number): void {
  let values = 0
  const fail = (what: string, at: number): never => {
    throw new Error(`${what} at byte ${at}`)
  }
  /** Where the value ends. */
  const walk = (from: number, depth: number): number => {
    if (++values > valuesMost || depth > deepest) fail('a record of too many values', from)
    let at = from
    const control = bytes[at++] ?? fail('the file ends', from)
    let type = control >> 5
    if (type === 1) {
      const size = (control >> 3) & 3
      if (at + size + 1 > bytes.length) fail('the file ends', at)
      const more = bytes.readUIntBE(at, size + 1)
      const value = size === 3 ? more : (control & 7) * 2 ** (8 * (size + 1)) + more + [0, 2048, 526_336][size]!
      walk(base + value, depth + 1)
      return at + size + 1
    }
    if (type === 0) type = (bytes[at++] ?? fail('the file ends', at)) + 7
    let size = control & 31
    if (size > 28) {
      const width = size - 28
      if (at + width > bytes.length) fail('the file ends', at)
      size = bytes.readUIntBE(at, width) + [29, 285, 65_821][width - 1]!
      at += width
    }
    if (type === 7 || type === 11) {
      for (let i = 0; i < (type === 7 ? 2 * size : size); i++) at = walk(at, depth + 1)
      return at
    }
    if (type === 14) return at
    if (at + size > bytes.length) fail('the file ends', at)
    return at + size
  }
  walk(offset, 0)
}

interface Tree {
  nodeCount: number
  recordSize: number
  nodeByteSize: number
  ipVersion: number
}

const leavesMost = 5000

/** Whether it holds for one of the first networks that the tree has something for. */
function someLeaf(bytes: Buffer, tree: Tree, base: number, holds: (hi: bigint, lo: bigint) => boolean): boolean {
  const bits = tree.ipVersion === 4 ? 32 : 128
  const seen = new Set<number>()
  const open: { node: number; prefix: bigint; depth: number }[] = [{ node: 0, prefix: 0n, depth: 0 }]
  for (let visits = 0; visits < 200_000 && seen.size < leavesMost; visits++) {
    const next = open.pop()
    if (next === undefined) return false
    const { node, prefix, depth } = next
    if (node > tree.nodeCount && !seen.has(node)) {
      seen.add(node)
      const low = prefix << BigInt(bits - depth)
      // IPv4 lies at ::/96 in a tree of IPv6.
      const isFour = low >> 32n === 0n
      if (holds(isFour ? 0n : low >> 64n, isFour ? 0xffff_0000_0000n | low : low & 0xffff_ffff_ffff_ffffn)) return true
    }
    if (node >= tree.nodeCount || depth >= bits || base === 0) continue
    for (const side of [1, 0] as const)
      open.push({ node: recordOf(bytes, tree, node, side), prefix: (prefix << 1n) | BigInt(side), depth: depth + 1 })
  }
  return false
}

function recordOf(bytes: Buffer, { recordSize, nodeByteSize }: Tree, node: number, side: 0 | 1): number {
  const at = node * nodeByteSize
  if (recordSize === 32) return bytes.readUInt32BE(at + 4 * side)
  if (recordSize === 24) return bytes.readUIntBE(at + 3 * side, 3)
  const middle = bytes[at + 3]!
  return (side === 0 ? middle >> 4 : middle & 15) * 2 ** 24 + bytes.readUIntBE(at + 4 * side, 3)
}
