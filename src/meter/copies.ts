import type { Captured } from '../packet/captured.ts'
import type { Packet } from '../packet/packet.ts'

const TCP = 6
const UDP = 17
const SYN = 2
const linuxCooked2 = 276
/** What another interface saw comes so soon after: on the way through a host, or to the other end of a connection. */
const elsewhere_us = 1_000_000
/** At the same interface a packet is sent again later than that. */
const here_us = 20_000
const slots = 1 << 18

/**
 * Finds packets that a capture holds more than once: seen at several interfaces of a host (`tcpdump -i any`), or at both ends of a connection
 * (captures that were merged).
 *
 * Two packets are the same if addresses, ports, IP identification, sequence and acknowledgement numbers, flags, window, checksum of UDP and lengths
 * are equal. Where the capture tells interfaces apart (pcapng, Linux cooked mode 2), what another interface had within a second is a copy. At one
 * interface nothing tells a copy from a packet that was sent twice: those are counted, and kept.
 */
export class Copies {
  /** Packets that are copies of one at another interface. */
  found = 0
  /** Packets like another one at the same interface, less than 20 ms before. */
  suspected = 0
  /** By place: the rest of the digest, the time, and the interface of the packet that was seen last. */
  private readonly digests = new Uint32Array(slots)
  private readonly times = new Float64Array(slots).fill(Number.NEGATIVE_INFINITY)
  private readonly interfaces = new Int32Array(slots)

  isCopy(packet: Packet, captured: Captured): boolean {
    // Fragments of a datagram are alike but for their place in it.
    if (packet.fragment !== 0 || !captured.timed) return false
    const low = digestOf(packet, 0x9e37_79b9)
    const high = digestOf(packet, 0x85eb_ca6b)
    const place = low & (slots - 1)
    const at = interfaceOf(captured)
    const apart = this.digests[place] === high ? Math.abs(packet.time - this.times[place]!) : Number.POSITIVE_INFINITY
    if (apart <= elsewhere_us && at !== this.interfaces[place]) {
      if (tellsCopies(packet)) {
        this.found++
        return true
      }
    } else if (apart <= here_us && isUnlikelyAgain(packet)) this.suspected++
    this.digests[place] = high
    this.times[place] = packet.time
    this.interfaces[place] = at
    return false
  }
}

/** Whether another packet of the same conversation would differ in something. */
function tellsCopies({ protocol, ipId, checksum }: Packet): boolean {
  return protocol === TCP || ipId !== 0 || (protocol === UDP && checksum !== 0)
}

/** An acknowledgement without content may come twice within moments; what has a number of its own, a SYN or content, hardly does. */
function isUnlikelyAgain({ protocol, ipId, tcpFlags, payload }: Packet): boolean {
  return ipId !== 0 || (protocol === TCP && ((tcpFlags & SYN) !== 0 || payload > 0))
}

function interfaceOf({ linkType, bytes, from, to, interface: number }: Captured): number {
  if (linkType !== linuxCooked2 || to - from < 20) return number
  // draft-ietf-opsawg-pcaplinktype, LINKTYPE_LINUX_SLL2: the interface index is the second word.
  const index = (bytes[from + 4]! << 24) | (bytes[from + 5]! << 16) | (bytes[from + 6]! << 8) | bytes[from + 7]!
  return Math.imul(number, 0x01_0001) + index
}

function digestOf(p: Packet, seed: number): number {
  let h = seed
  h = mixed(h, p.src0 ^ Math.imul(p.dst0, 31))
  h = mixed(h, p.src1 ^ Math.imul(p.dst1, 31))
  h = mixed(h, p.src2 ^ Math.imul(p.dst2, 31))
  h = mixed(h, p.src3)
  h = mixed(h, p.dst3)
  h = mixed(h, (p.srcPort << 16) | p.dstPort)
  h = mixed(h, (p.protocol << 24) | (p.tcpFlags << 16) | p.ipId)
  h = mixed(h, p.ipBytes)
  h = mixed(h, p.tcpSeq)
  h = mixed(h, p.tcpAck)
  h = mixed(h, (p.tcpWindow << 16) ^ p.checksum)
  h = mixed(h, (p.payload << 8) ^ (p.icmpType << 24) ^ (p.icmpCode << 16) ^ p.icmpId)
  h ^= h >>> 16
  h = Math.imul(h, 0x7feb_352d)
  h ^= h >>> 15
  return h >>> 0
}

/** A step of MurmurHash3 (Austin Appleby, public domain). */
function mixed(h: number, word: number): number {
  let k = Math.imul(word, 0xcc9e_2d51)
  k = (k << 15) | (k >>> 17)
  h ^= Math.imul(k, 0x1b87_3593)
  h = (h << 13) | (h >>> 19)
  return (Math.imul(h, 5) + 0xe654_6b64) | 0
}
