/**
 * Where decoding has got to within one packet. A layer takes its header from here, moves `at` behind it and returns what comes next:
 * a layer (negative), a reason to stop (positive, see `reasons.ts`), or 0 where the packet is decoded.
 */
export class Walk {
  /** The buffer that the packet lies in, and a view of the same, for numbers of more than one byte. */
  bytes: Uint8Array = new Uint8Array(0)
  view = new DataView(this.bytes.buffer)
  at = 0
  /** Where what was captured of the present layer ends. */
  to = 0
  /** Where the present layer ended on the wire, by the lengths in the headers around it: beyond `to` where the capture was cut. */
  end = 0
  /** LINKTYPE_ value of the packet; within PPI that of what it carries. */
  linkType = 0
  /** EtherType or PPP protocol of what is at `at`. */
  type = 0
  /** Of the present IP packet: identification (16 bits in IPv4, 32 in IPv6), for its fragments. */
  identification = 0
  /** The protocol by the header that all fragments have: in IPv6 it may be that of a further extension header, which only the first has. */
  fragmentProtocol = 0
  /** Bits of `notes`. */
  notes = 0
}

/** What comes next. */
export const ethernetNext = -1
export const etherTypeNext = -2
export const pppNext = -3
export const rawNext = -4
export const ipv4Next = -5
export const ipv6Next = -6
export const mplsNext = -7
export const pppoeNext = -8
/** The payload of the IP packet may be a packet itself: `Packet.protocol` and the ports tell of what kind. */
export const tunnelNext = -9
export const noTransportNext = -10
export const nshNext = -11

/** What was odd about a packet that is decoded all the same. */
export const notes = {
  /** Its length is that on the wire: the header says 0, as where the network card cut TCP into segments after the capture. */
  lengthFromWire: 1,
  /** The header claims more bytes than were on the wire. */
  longerThanWire: 2,
  /** It carries yet another packet, deeper than is looked. */
  tooDeep: 4,
} as const
