export const ICMP = 1
export const ICMPV6 = 58

/** Types that ask and types that answer, of ICMP (RFC 792, 950, 1256). */
const pairs = [
  [8, 0], // echo
  [13, 14], // timestamp
  [15, 16], // information
  [10, 9], // router solicitation, advertisement
  [17, 18], // address mask
] as const

/** The same of ICMPv6 (RFC 4443, 2710, 4861, 4620, 6275). */
const pairs6 = [
  [128, 129], // echo
  [130, 131], // listener query, report
  [133, 134], // router solicitation, advertisement
  [135, 136], // neighbour solicitation, advertisement
  [139, 140], // node information
  [144, 145], // home agent discovery
] as const

const counterparts = tableOf(pairs)
const counterparts6 = tableOf(pairs6)

export function isIcmp(protocol: number): boolean {
  return protocol === ICMP || protocol === ICMPV6
}

/**
 * The type that answers this one, or that this one answers; -1 where none does (errors, for one).
 *
 * The pairs are those of the Community ID specification and of Zeek, so that both name the same conversation.
 */
export function icmpCounterpart(protocol: number, type: number): number {
  return (protocol === ICMPV6 ? counterparts6 : counterparts)[type & 0xff]!
}

/** Whether the type asks for what another answers: who sends it is the client. */
export function icmpAsks(protocol: number, type: number): boolean {
  return (protocol === ICMPV6 ? pairs6 : pairs).some(([request]) => request === type)
}

function tableOf(pairs: readonly (readonly [number, number])[]): Int16Array {
  const table = new Int16Array(256).fill(-1)
  for (const [request, reply] of pairs) {
    table[request] = reply
    table[reply] = request
  }
  return table
}
