import type { Packet } from './packet.ts'
import { hasEnds } from './transport.ts'

/** First fragments that are remembered; beyond that the oldest is forgotten. Some 300 bytes each. */
export const fragmentsMax = 8192
/** So far apart, in microseconds, fragments belong to one packet (RFC 8200, 4.5; identifications come round again). */
export const fragmentTimeMax = 60_000_000

interface First {
  time: number
  protocol: number
  /** The two ports, or type, code and identifier. */
  high: number
  low: number
}

/**
 * Gives later fragments of an IP packet the ports of the first, which alone has them. Of one that comes before its first see
 * `held-fragments.ts`.
 */
export class FragmentTable {
  /** Of the fragment that came last: all of its packet have the same. */
  key = ''
  private readonly firsts = new Map<string, First>()

  /** Remembers a first fragment, or completes a later one. `protocol` is what the fragments have in common, in IPv6 not always `packet.protocol`. */
  resolve(packet: Packet, identification: number, protocol: number): void {
    this.key = keyOf(packet, identification, protocol)
    if (packet.fragment === 1) this.remember(packet, this.key)
    else this.complete(packet, this.key)
  }

  private remember(packet: Packet, key: string): void {
    if (!packet.hasTransport || !hasEnds(packet.protocol)) return
    const isIcmp = packet.srcPort === 0 && packet.dstPort === 0
    this.firsts.delete(key)
    this.firsts.set(key, {
      time: packet.time,
      protocol: packet.protocol,
      high: isIcmp ? (packet.icmpType << 8) | packet.icmpCode : packet.srcPort,
      low: isIcmp ? packet.icmpId : packet.dstPort,
    })
    if (this.firsts.size > fragmentsMax) for (const oldest of this.firsts.keys()) return void this.firsts.delete(oldest)
  }

  private complete(packet: Packet, key: string): void {
    const first = this.firsts.get(key)
    if (first !== undefined && Math.abs(packet.time - first.time) <= fragmentTimeMax) {
      packet.protocol = first.protocol
      if (first.protocol === 1 || first.protocol === 58) {
        packet.icmpType = first.high >>> 8
        packet.icmpCode = first.high & 255
        packet.icmpId = first.low
      } else {
        packet.srcPort = first.high
        packet.dstPort = first.low
      }
      packet.hasTransport = true
    }
    // Where there are no ports to be known, nothing is missing.
    if (packet.hasTransport) packet.fragment = 2
  }
}

/** The fields that fragments of one packet have in common, as a string of their 16-bit halves. */
function keyOf(packet: Packet, identification: number, protocol: number): string {
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3, tunnel, tunnelId } = packet
  const within = (tunnel << 8) | protocol
  const outer = String.fromCharCode(within, tunnelId >>> 16, tunnelId & 0xffff, identification >>> 16, identification)
  const low = String.fromCharCode(src2 >>> 16, src2, src3 >>> 16, src3, dst2 >>> 16, dst2, dst3 >>> 16, dst3)
  if (packet.version === 4) return outer + low
  return outer + low + String.fromCharCode(src0 >>> 16, src0, src1 >>> 16, src1, dst0 >>> 16, dst0, dst1 >>> 16, dst1)
}
