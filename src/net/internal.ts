import type { Address } from './address.ts'
import { type Prefix, parsePrefix, prefixContains } from './prefix.ts'

/** Prefixes that the internet does not route, so that an address in them belongs to the network under study. */
export const internalPrefixes: readonly Prefix[] = [
  '10.0.0.0/8', // RFC 1918
  '172.16.0.0/12', // RFC 1918
  '192.168.0.0/16', // RFC 1918
  '100.64.0.0/10', // RFC 6598, carrier-grade NAT; AWS lets VPCs use it
  '127.0.0.0/8', // RFC 1122
  '169.254.0.0/16', // RFC 3927; also the AWS metadata, DNS and time services
  'fc00::/7', // RFC 4193
  'fe80::/10', // RFC 4291
  '::1', // RFC 4291
].map(text => parsePrefix(text)!)

/** Whether the address lies in an internal prefix, or in one of the analyst's own (`--internal`). */
export function isInternal(address: Address, own: readonly Prefix[] = []): boolean {
  const holds = (prefix: Prefix) => prefixContains(prefix, address)
  return internalPrefixes.some(holds) || own.some(holds)
}
