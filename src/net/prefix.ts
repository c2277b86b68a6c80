import { type Address, compareAddresses, formatAddress, isIPv4, parseAddress } from './address.ts'

/** A range of addresses that share their leading bits; a single address is the prefix of full length. */
export interface Prefix {
  /** Canonical: host bits cleared, and without a length where the prefix is one address. */
  text: string
  first: Address
  last: Address
}

const halfMask = 0xffff_ffff_ffff_ffffn

/**
 * Reads an address or a CIDR prefix, or returns null where the text is neither.
 *
 * Host bits are allowed and cleared: `10.1.2.3/8` is `10.0.0.0/8`. The length of an IPv4 prefix counts from the
 * IPv4 address, that of an IPv4-mapped one from the IPv6 address: `::ffff:10.0.0.0/104` is `10.0.0.0/8`. As
 * IPv4 lies within IPv6 here, `::/0` holds every address of both.
 */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (address === null) return null
  const offset = text.includes(':') ? 0 : 96
  const length = slash < 0 ? 128 : parseLength(text.slice(slash + 1), 128 - offset)
  return length === null ? null : prefixOf(address, slash < 0 ? 128 : length + offset)
}

/** Whether the address lies in the prefix. */
export function prefixContains(prefix: Prefix, address: Address): boolean {
  return compareAddresses(prefix.first, address) <= 0 && compareAddresses(address, prefix.last) <= 0
}

function parseLength(text: string, longest: number): number | null {
  if (!/^(0|[1-9]\d{0,2})$/.test(text)) return null
  const length = Number(text)
  return length <= longest ? length : null
}

/** The prefix of `length` of 128 bits around the address. */
export function prefixOf(address: Address, length: number): Prefix {
  const hostBits = BigInt(128 - length)
  const hosts = (1n << hostBits) - 1n
  const value = (((address.hi << 64n) | address.lo) >> hostBits) << hostBits
  const first = { hi: value >> 64n, lo: value & halfMask }
  const last = { hi: (value | hosts) >> 64n, lo: (value | hosts) & halfMask }
  return { text: prefixText(first, length), first, last }
}

function prefixText(first: Address, length: number): string {
  if (length === 128) return formatAddress(first.hi, first.lo)
  // Shorter than 96 bits, a prefix is of IPv6 even where its first address is all zeros.
  const within = isIPv4(first) && length >= 96
  return `${formatAddress(first.hi, first.lo)}/${within ? length - 96 : length}`
}
