/** What is asked of hosts again and again, and worked out once for each. */
import { isIPv4 } from '../net/address.ts'
import type { ProtectedTraffic } from './protected.ts'

const untold = -0x8000_0000
/** Of hosts with higher numbers nothing is remembered: there are none but `noHost`. */
const hostsMost = 1 << 28

/** @param of a whole number for a host, above -2^31. */
export function rememberedByHost(of: (host: number) => number): (host: number) => number {
  let known = new Int32Array(1024).fill(untold)
  return host => {
    if (host >= known.length) {
      if (host >= hostsMost) return of(host)
      const more = new Int32Array(2 * host).fill(untold)
      more.set(known)
      known = more
    }
    const before = known[host]!
    if (before !== untold) return before
    const now = of(host)
    known[host] = now
    return now
  }
}

/** Whether a host's address is one of IPv6. */
export function isIPv6By({ address }: Pick<ProtectedTraffic, 'address'>): (host: number) => boolean {
  const is = rememberedByHost(host => Number(!isIPv4(address(host))))
  return host => is(host) === 1
}
