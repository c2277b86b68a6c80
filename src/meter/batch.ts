import { TCP } from '../net/protocols.ts'
import type { Packet } from '../packet/packet.ts'
import { randomKeys, writeKey } from './conversation.ts'

/**
 * Packets that are metered together. The table's entries are rarely in the cache, and a processor that waits for each
 * of them in turn does nothing else: 235 ns a line where 15 ns do if the reads do not depend on each other. So the lines of a
 * whole batch are read first, then its packets are metered.
 */
export const batchPackets = 128

/** Words of a packet in a batch; the first are its key and hash. */
export const packetWords = 32
const packetDoubles = packetWords / 2

/** Words, from the start of a packet. */
export const bitsWord = 11
/** TCP flags, type of service, ICMP type and code, from the lowest byte. */
export const flagsWord = 12
/** 802.1Q tag or `noVlan`, the tunnel, `hasTunnelId`, `isKnown` and `withoutFlags`. */
export const layersWord = 13
export const tunnelIdWord = 14
export const sequenceWord = 15
export const acknowledgeWord = 16
export const windowWord = 17
export const payloadWord = 18
export const ipBytesWord = 19

/** Doubles, from the start of a packet: its time, the time of the capture, its number. */
export const timeDouble = 10
export const nowDouble = 11
export const numberDouble = 12

/** Bits of `bitsWord`. The lowest is the direction. */
export const isTcp = 2
/** Its TCP header is in the capture: flags and sequence numbers say something. */
export const hasTcpHeader = 4

/** Bits of `layersWord`. */
export const noVlan = 0xffff
export const hasTunnelId = 1 << 29
/** The transport header is known: from the packet or from the first fragment. */
export const isKnown = 1 << 28
/** TCP whose flags the capture does not have. A later fragment has none that could be missing. */
export const withoutFlags = 1 << 27

export class Batch {
  readonly words = new Int32Array(batchPackets * packetWords)
  readonly doubles = new Float64Array(this.words.buffer)
  length = 0
  private readonly keys = randomKeys()

  get isFull(): boolean {
    return this.length === batchPackets
  }

  /** Keeps what meters need of a packet. `now`: the time of the capture. */
  add(packet: Packet, now: number): void {
    const { words, doubles } = this
    const at = this.length * packetWords
    const direction = writeKey(packet, words, at, this.keys)
    const isOfTcp = packet.protocol === TCP && packet.hasTransport
    words[at + bitsWord] = direction | (isOfTcp ? isTcp : 0) | (packet.hasTcpHeader ? hasTcpHeader : 0)
    words[at + flagsWord] = packet.tcpFlags | (packet.tos << 8) | (packet.icmpType << 16) | (packet.icmpCode << 24)
    words[at + layersWord] =
      (packet.vlan < 0 ? noVlan : packet.vlan) |
      (packet.tunnel << 16) |
      (packet.hasTransport || packet.fragment === 2 ? isKnown : 0) |
      (isOfTcp && !packet.hasTcpHeader && packet.fragment !== 2 ? withoutFlags : 0) |
      (packet.tunnelId < 0 ? 0 : hasTunnelId)
    words[at + tunnelIdWord] = packet.tunnelId
    words[at + sequenceWord] = packet.tcpSeq
    words[at + acknowledgeWord] = packet.tcpAck
    words[at + windowWord] = packet.tcpWindow
    words[at + payloadWord] = packet.payload
    words[at + ipBytesWord] = packet.ipBytes
    const double = this.length * packetDoubles
    doubles[double + timeDouble] = packet.time
    doubles[double + nowDouble] = now
    doubles[double + numberDouble] = packet.number
    this.length++
  }
}
