import { ipv4, ipv6, rawIp } from './ip.ts'
import { ethernet, etherType, link, ppp } from './link.ts'
import type { Packet } from './packet.ts'
import { otherProtocol } from './reasons.ts'
import { transport } from './transport.ts'
import { ethernetNext, etherTypeNext, ipv4Next, ipv6Next, pppNext, rawNext, tunnelNext, Walk } from './walk.ts'

/** Decodes packets from the link layer to the transport header of the innermost IP packet. */
export class Decoder {
  private readonly walk = new Walk()

  /**
   * Fills `packet` from `bytes[from]` to `bytes[to - 1]`, of which there were `wireLength` on the wire; not its number and its time, which
   * must be there before: fragments are put together by it.
   *
   * @returns 0, or why it is no IP packet: a place in `reasonNames`; of `packet` only the two lengths are then of use
   */
  decode(bytes: Uint8Array, from: number, to: number, wireLength: number, linkType: number, packet: Packet): number {
    const { walk } = this
    packet.wireLength = wireLength
    packet.capturedLength = to - from
    packet.vlan = -1
    packet.tunnel = 0
    packet.tunnelId = -1
    walk.bytes = bytes
    walk.at = from
    walk.to = to
    // A capture that holds more than was on the wire is wrong about one of the two.
    walk.end = wireLength > to - from ? from + wireLength : to
    walk.notes = 0
    let next = linkType === 1 ? ethernet(walk, packet) : link(walk, linkType)
    while (next < 0) next = this.layer(next, packet)
    return next
  }

  /** What was odd about the packet that was decoded last: bits of `notes`. */
  get notes(): number {
    return this.walk.notes
  }

  private layer(next: number, packet: Packet): number {
    const { walk } = this
    switch (next) {
      case ipv4Next: {
        const reason = ipv4(walk, packet)
        return reason === 0 ? transport(walk, packet) : reason
      }
      case ipv6Next: {
        const reason = ipv6(walk, packet)
        return reason === 0 ? transport(walk, packet) : reason
      }
      case ethernetNext:
        return ethernet(walk, packet)
      case etherTypeNext:
        return etherType(walk, packet)
      case rawNext:
        return rawIp(walk)
      case pppNext:
        return ppp(walk)
      case tunnelNext:
        return 0
      default:
        return otherProtocol
    }
  }
}
