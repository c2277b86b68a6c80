import { createRequire } from 'node:module'

/** Of the old kind of modules, and loaded as that: see `cli/commander.ts`. */
const ipaddr = createRequire(import.meta.url)('ipaddr.js') as typeof import('ipaddr.js')

/**
 * An IP address as a value: 128 bits in two unsigned halves.
 *
 * IPv4 lies at ::ffff:0:0/96 (RFC 4291, 2.5.5.2), so `10.0.0.1` and `::ffff:10.0.0.1` are the same address.
 */
export interface Address {
  hi: bigint
  lo: bigint
}

const mappedBase = 0xffff_0000_0000n
const mappedLast = 0xffff_ffff_ffffn

/**
 * Reads an address, or returns null where the text is not one.
 *
 * IPv4 is four decimal parts without leading zeros, which other programs take for octal. IPv6 is any text of
 * RFC 4291, 2.2. A zone (`%eth0`) has a meaning on one machine only and is refused.
 */
export function parseAddress(text: string): Address | null {
  if (!text.includes(':')) {
    const quad = parseQuad(text)
    return quad === null ? null : { hi: 0n, lo: mappedBase | BigInt(quad) }
  }
  const groups = parseGroups(text)
  return groups === null ? null : { hi: joinGroups(groups, 0), lo: joinGroups(groups, 4) }
}

/** Writes the canonical text: RFC 5952 for IPv6, dotted quad for IPv4 and IPv4-mapped addresses. */
export function formatAddress(hi: bigint, lo: bigint): string {
  if (isIPv4({ hi, lo })) {
    const quad = Number(lo & 0xffff_ffffn)
    return `${quad >>> 24}.${(quad >>> 16) & 255}.${(quad >>> 8) & 255}.${quad & 255}`
  }
  return new ipaddr.IPv6([...splitGroups(hi), ...splitGroups(lo)]).toRFC5952String()
}

/** Whether the address is IPv4, in either notation. */
export function isIPv4(address: Address): boolean {
  return address.hi === 0n && address.lo >= mappedBase && address.lo <= mappedLast
}

/** Orders addresses by value: negative, zero or positive, as `Array.prototype.sort` wants it. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.hi !== b.hi) return a.hi < b.hi ? -1 : 1
  if (a.lo !== b.lo) return a.lo < b.lo ? -1 : 1
  return 0
}

/** The 32 bits of a dotted quad, unsigned; null where the text is not one. */
function parseQuad(text: string): number | null {
  let value = 0
  let part = -1
  let dots = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 46) {
      if (part < 0 || dots === 3) return null
      value = value * 256 + part
      part = -1
      dots++
    } else {
      if (code < 48 || code > 57 || part === 0) return null
      part = (part < 0 ? 0 : part * 10) + code - 48
      if (part > 255) return null
    }
  }
  return dots === 3 && part >= 0 ? value * 256 + part : null
}

function parseGroups(text: string): number[] | null {
  const hex = withoutQuad(text)
  if (hex === null || /[^0-9a-f:]/i.test(hex) || !ipaddr.IPv6.isValid(hex)) return null
  return ipaddr.IPv6.parse(hex).parts
}

/**
 * Turns `::ffff:1.2.3.4` into `::ffff:102:304`.
 *
 * ipaddr.js 2.5 reads the dotted form `::1.2.3.4` as IPv4-mapped, though it stands for ::102:304, and takes
 * octal and hexadecimal parts, so it is never shown one.
 */
function withoutQuad(text: string): string | null {
  if (!text.includes('.')) return text
  const at = text.lastIndexOf(':') + 1
  const quad = parseQuad(text.slice(at))
  if (quad === null) return null
  return `${text.slice(0, at)}${(quad >>> 16).toString(16)}:${(quad & 0xffff).toString(16)}`
}

function joinGroups(groups: number[], from: number): bigint {
  const word = (i: number) => BigInt(groups[from + i]! * 0x1_0000 + groups[from + i + 1]!)
  return (word(0) << 32n) | word(2)
}

function splitGroups(half: bigint): number[] {
  return [48n, 32n, 16n, 0n].map(shift => Number((half >> shift) & 0xffffn))
}
