/** What is asked of hosts by their numbers, which are in the order of their addresses. */
import { type Address, compareAddresses } from '../net/address.ts'
import { internalPrefixes } from '../net/internal.ts'
import type { Prefix } from '../net/prefix.ts'
import { noHost, type RecordDictionaries } from '../record-index/block.ts'

type HostDictionary = RecordDictionaries['hosts']

/** Whether a host's address lies in one of the prefixes; `noHost` lies in none. */
export function hostsIn(hosts: HostDictionary, prefixes: readonly Prefix[]): (host: number) => boolean {
  const isIn = marksOf(hosts, prefixes)
  return host => isIn[host] === 1
}

/** By host: 1 where its address lies in one of the prefixes, else 0. In memory that threads have in common. */
export function marksOf(hosts: HostDictionary, prefixes: readonly Prefix[]): Uint8Array {
  const isIn = new Uint8Array(new SharedArrayBuffer(hosts.count))
  for (const { first, last } of prefixes) {
    isIn.fill(
      1,
      placeOf(hosts, address => compareAddresses(address, first) >= 0),
      placeOf(hosts, address => compareAddresses(address, last) > 0),
    )
  }
  return isIn
}

/** Whether the internet does not route a host's address, or it is the analyst's own. */
export function internalHosts(hosts: HostDictionary, own: readonly Prefix[]): (host: number) => boolean {
  return hostsIn(hosts, [...internalPrefixes, ...own])
}

/** The same, as `marksOf`. */
export function internalMarks(hosts: HostDictionary, own: readonly Prefix[]): Uint8Array {
  return marksOf(hosts, [...internalPrefixes, ...own])
}

/** The number of a host; null where the dictionary has no such address. */
export function hostNumber(hosts: HostDictionary, address: Address): number | null {
  const place = placeOf(hosts, one => compareAddresses(one, address) >= 0)
  return place < hosts.count && hosts.hi[place] === address.hi && hosts.lo[place] === address.lo ? place : null
}

/** The first host for whose address it is true; it must be true for all after it, too. */
function placeOf({ count, hi, lo }: HostDictionary, isAfter: (address: { hi: bigint; lo: bigint }) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isAfter({ hi: hi[middle]!, lo: lo[middle]! })) high = middle
    else low = middle + 1
  }
  return low
}

/** The numbers that hosts of one dictionary have in another one; `noHost` where it has no such host. */
export function numbersIn(to: HostDictionary, from: HostDictionary): Uint32Array {
  const numbers = new Uint32Array(from.count).fill(noHost)
  for (let one = 0, other = 0; one < from.count && other < to.count; ) {
    const [oneHi, otherHi] = [from.hi[one]!, to.hi[other]!]
    const [oneLo, otherLo] = [from.lo[one]!, to.lo[other]!]
    if (oneHi === otherHi && oneLo === otherLo) numbers[one++] = other++
    else if (oneHi < otherHi || (oneHi === otherHi && oneLo < otherLo)) one++
    else other++
  }
  return numbers
}
