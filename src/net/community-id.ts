import { hash } from 'node:crypto'
import { icmpCounterpart, isIcmp } from './icmp.ts'
import { hasPorts } from './protocols.ts'

/**
 * What a Community ID is made of. Addresses are four 32-bit words, most significant first, IPv4 as `::ffff:a.b.c.d`;
 * `srcPort` and `dstPort` are type and code for ICMP and ICMPv6, and of no account for protocols without ports.
 */
export interface FiveTuple {
  src0: number
  src1: number
  src2: number
  src3: number
  dst0: number
  dst1: number
  dst2: number
  dst3: number
  protocol: number
  srcPort: number
  dstPort: number
}

/** Longest input: seed, two IPv6 addresses, protocol and padding, two ports. */
const input = Buffer.alloc(2 + 32 + 2 + 4)

/**
 * Community ID version 1: one name for both directions of a conversation, which Zeek, Suricata, Wireshark and others
 * give to it too.
 *
 * Source: the specification at github.com/corelight/community-id-spec. SHA-1 over seed, addresses, protocol, a zero
 * byte and ports, all in network byte order, the lower end first; base64 after `1:`.
 */
export function communityId(tuple: FiveTuple, seed = 0): string {
  const { protocol } = tuple
  let srcPort = tuple.srcPort
  let dstPort = tuple.dstPort
  let oneWay = false
  if (isIcmp(protocol)) {
    const counterpart = icmpCounterpart(protocol, srcPort)
    oneWay = counterpart < 0
    if (!oneWay) dstPort = counterpart
  }
  const order = compareAddresses(tuple)
  const swap = !oneWay && (order > 0 || (order === 0 && srcPort > dstPort))
  if (swap) [srcPort, dstPort] = [dstPort, srcPort]
  let at = input.writeUInt16BE(seed, 0)
  at = writeAddresses(tuple, swap, at)
  at = input.writeUInt8(protocol, at)
  at = input.writeUInt8(0, at)
  if (isIcmp(protocol) || hasPorts(protocol)) {
    at = input.writeUInt16BE(srcPort, at)
    at = input.writeUInt16BE(dstPort, at)
  }
  return `1:${hash('sha1', input.subarray(0, at), 'base64')}`
}

/** Orders source and destination as unsigned values: negative, zero or positive. */
function compareAddresses(t: FiveTuple): number {
  if (t.src0 !== t.dst0) return (t.src0 >>> 0) - (t.dst0 >>> 0)
  if (t.src1 !== t.dst1) return (t.src1 >>> 0) - (t.dst1 >>> 0)
  if (t.src2 !== t.dst2) return (t.src2 >>> 0) - (t.dst2 >>> 0)
  return (t.src3 >>> 0) - (t.dst3 >>> 0)
}

function writeAddresses(t: FiveTuple, swap: boolean, at: number): number {
  const isQuad = (upper: number, middle: number, lower: number): boolean =>
    upper === 0 && middle === 0 && lower === 0xffff
  if (isQuad(t.src0, t.src1, t.src2) && isQuad(t.dst0, t.dst1, t.dst2)) {
    input.writeUInt32BE((swap ? t.dst3 : t.src3) >>> 0, at)
    return input.writeUInt32BE((swap ? t.src3 : t.dst3) >>> 0, at + 4)
  }
  const src = [t.src0, t.src1, t.src2, t.src3]
  const dst = [t.dst0, t.dst1, t.dst2, t.dst3]
  let next = at
  for (const word of swap ? [...dst, ...src] : [...src, ...dst]) next = input.writeUInt32BE(word >>> 0, next)
  return next
}
