import { FragmentTable } from './fragments.ts'
import { ipv4, ipv6, rawIp } from './ip.ts'
import { ethernet, etherType, link, ppp } from './link.ts'
import { copyLayers, Packet } from './packet.ts'
import { otherProtocol } from './reasons.ts'
import { noTransport, transport } from './transport.ts'
import { mpls, nsh, pppoe, tunnel } from './tunnel.ts'
import {
  ethernetNext,
  etherTypeNext,
  ipv4Next,
  ipv6Next,
  mplsNext,
  noTransportNext,
  notes,
  nshNext,
  pppNext,
  pppoeNext,
  rawNext,
  tunnelNext,
  Walk,
} from './walk.ts'

/**
 * No packet is taken to be longer, whatever the capture says that there was on the wire: the lengths of IP packets are bounded by it where
 * their headers leave them open. The largest that Linux hands to a network card have half of that.
 */
export const wireBytesMax = 1 << 20

/** An IP packet is looked for in at most this many others; one that lies deeper counts as the last that was found. */
export const tunnelsMax = 8

/**
 * Decodes packets from the link layer to the transport header of the innermost IP packet.
 *
 * What a tunnel carries counts, once, in place of what carries it. Where that cannot be decoded (it is ARP, or no packet at all, but
 * only came to a tunnel's port), and where what carries it comes in fragments, the packet is what it is outside.
 */
export class Decoder {
  private readonly walk = new Walk()
  private readonly fragments = new FragmentTable()
  /** The last IP packet that was decoded while what it carries is looked into. */
  private readonly outside = new Packet()
  private depth = 0
  private readonly depthMax: number

  /** `depthMax` 0 looks into no tunnel: all packets count as what they are outside. */
  constructor(depthMax = tunnelsMax) {
    this.depthMax = depthMax
  }

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
    if (bytes !== walk.bytes) {
      walk.bytes = bytes
      walk.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    walk.at = from
    walk.to = to
    // A capture that holds more than was on the wire is wrong about one of the two.
    walk.end = wireLength > to - from ? from + Math.min(wireLength, Math.max(wireBytesMax, to - from)) : to
    walk.notes = 0
    this.depth = 0
    let next = linkType === 1 ? ethernet(walk, packet) : link(walk, linkType, packet)
    while (next < 0) next = this.layer(next, packet)
    if (next !== 0 && this.depth > 0) {
      copyLayers(this.outside, packet)
      next = 0
    }
    if (next === 0 && packet.fragment !== 0) {
      this.fragments.resolve(packet, walk.identification, walk.fragmentProtocol)
    }
    return next
  }

  /** What was odd about the packet that was decoded last: bits of `notes`. */
  get notes(): number {
    return this.walk.notes
  }

  /** Of the packet that was decoded last: what its envelope says the link is, where it has one. */
  get linkType(): number {
    return this.walk.linkType
  }

  /** Of the fragment that was decoded last: what it has in common with the others of its packet. */
  get fragmentOf(): { key: string; identification: number; protocol: number } {
    const { identification, fragmentProtocol } = this.walk
    return { key: this.fragments.key, identification, protocol: fragmentProtocol }
  }

  /** Gives a later fragment that was decoded earlier the ports of its first, if that has come by now. */
  complete(packet: Packet, identification: number, protocol: number): void {
    this.fragments.resolve(packet, identification, protocol)
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
      case mplsNext:
        return mpls(walk, packet)
      case pppoeNext:
        return pppoe(walk, packet)
      case nshNext:
        return nsh(walk, packet)
      case noTransportNext:
        return noTransport(walk, packet)
      case tunnelNext:
        return this.enter(packet)
      default:
        return otherProtocol
    }
  }

  private enter(packet: Packet): number {
    if (this.depth === this.depthMax) {
      this.walk.notes |= notes.tooDeep
      return 0
    }
    this.depth++
    copyLayers(packet, this.outside)
    return tunnel(this.walk, packet)
  }
}
