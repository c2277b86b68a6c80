/** Addresses as classes: those of one class lie in the same prefixes, at the same interface and in the same subnet. */
import type { Address } from '../net/address.ts'
import { internalPrefixes } from '../net/internal.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Network } from './network.ts'
import type { Places } from './places.ts'

const half = (1n << 64n) - 1n
const whole = ({ hi, lo }: Address): bigint => (hi << 64n) | lo
const beyondAll = 1n << 128n

/** The first and last address of IPv4, as it lies in IPv6. */
const four: Prefix = {
  text: '::ffff:0:0/96',
  first: { hi: 0n, lo: 0xffff_0000_0000n },
  last: { hi: 0n, lo: 0xffff_ffff_ffffn },
}

export class Partition {
  /** First addresses of the classes, in order. */
  private readonly hi: BigUint64Array
  private readonly lo: BigUint64Array

  constructor(network: Network, places: Places) {
    const starts = new Set<bigint>([0n])
    for (const { first, last } of prefixesIn(network, places)) {
      starts.add(whole(first))
      starts.add(whole(last) + 1n)
    }
    starts.delete(beyondAll)
    const sorted = [...starts].sort((a, b) => (a < b ? -1 : 1))
    this.hi = BigUint64Array.from(sorted, start => start >> 64n)
    this.lo = BigUint64Array.from(sorted, start => start & half)
  }

  /** The class of an address. */
  at(hi: bigint, lo: bigint): number {
    let low = 0
    let high = this.hi.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = this.hi[middle]!
      if (first < hi || (first === hi && this.lo[middle]! <= lo)) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** An address of a class. */
  one(number: number): Address {
    return { hi: this.hi[number]!, lo: this.lo[number]! }
  }
}

function prefixesIn({ groups, acls, prefixLists }: Network, places: Places): Prefix[] {
  const rules = groups.flatMap(({ ingress, egress }) => [...ingress, ...egress])
  const entries = acls.flatMap(({ ingress, egress }) => [...ingress, ...egress])
  return [
    four,
    ...internalPrefixes,
    ...places.borders(),
    ...rules.flatMap(({ remote }) => (remote.kind === 'prefix' ? [remote.prefix] : [])),
    ...entries.map(({ prefix }) => prefix),
    ...prefixLists.flatMap(({ prefixes }) => prefixes ?? []),
  ]
}
