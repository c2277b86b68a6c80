import { assert } from '../errors.ts'
import type { Captured } from './captured.ts'
import { linkTypeText } from './link-types.ts'
import { type Packet, tunnelNames } from './packet.ts'
import { losesIp, reasonNames, unknownLinkType } from './reasons.ts'
import { notes } from './walk.ts'

/** A sum of lengths that a capture claims, each below 2^32: exact also beyond 2^53. */
class ExactSum {
  private low = 0
  private high = 0n

  add(length: number): void {
    this.low += length
    if (this.low < 2 ** 52) return
    this.high += BigInt(this.low)
    this.low = 0
  }

  get value(): number | bigint {
    return exactInteger(this.high + BigInt(this.low))
  }
}

/** The number, where it is exact as one. */
export function exactInteger(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}
/** At most this many unknown link types are distinguished; further ones are counted under -1. */
const linkTypesMax = 64

/** What became of the packets of a capture. Everything is a number of packets, if it does not say otherwise. */
export class CaptureAccounts {
  packets = 0
  decoded = 0
  /** Not decoded, by the codes of `reasonNames`; 0 at its place 0. */
  readonly reasons: number[] = reasonNames.map(() => 0)
  /** Of packets of an unknown link type: how many there are of each; -1 for more kinds than are distinguished. */
  private readonly linkTypes = new Map<number, number>()
  /** Not decoded, though they may be of IP, and their times. */
  readonly lost = { packets: 0, first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY }
  private readonly wire = new ExactSum()
  /** Bytes in the capture, link layer included, also of packets that were not decoded. */
  capturedBytes = 0
  /** Bytes of IP packets, of those that were decoded. */
  ipBytes = 0
  /** Cut by the snapshot length. */
  cut = 0
  /** Decoded, but the ports, or type and code, are unknown. */
  withoutTransport = 0
  /** By `Packet.fragment`, those that are whole at place 0. */
  readonly fragments: number[] = [0, 0, 0, 0]
  /** By `Packet.tunnel`, those outside of any at place 0. */
  readonly tunnels: number[] = tunnelNames.map(() => 0)
  /** See `notes` in `walk.ts`. */
  lengthFromWire = 0
  longerThanWire = 0
  tooDeep = 0
  /** Without a time of their own (pcapng Simple Packet Blocks). */
  untimed = 0
  /** Earlier than the packet before them, and the largest such step, in microseconds. */
  backwards = 0
  largestStepBack = 0
  private previousTime = Number.NEGATIVE_INFINITY
  private first = Number.POSITIVE_INFINITY
  private last = Number.NEGATIVE_INFINITY

  /** Bytes on the wire, as the capture claims, of the same packets; a bigint beyond 2^53. */
  get wireBytes(): number | bigint {
    return this.wire.value
  }

  /** Microseconds since the epoch; null without a packet that has a time. */
  get firstTime(): number | null {
    return this.first === Number.POSITIVE_INFINITY ? null : this.first
  }

  get lastTime(): number | null {
    return this.last === Number.NEGATIVE_INFINITY ? null : this.last
  }

  /** Enters one packet. `reason`, `noted` and `linkType` are what the decoder said. */
  count(captured: Captured, packet: Packet, reason: number, noted: number, linkType: number): void {
    this.packets++
    this.wire.add(captured.wireLength)
    const length = captured.to - captured.from
    this.capturedBytes += length
    if (length < captured.wireLength) this.cut++
    if (captured.timed) this.countTime(captured.time)
    else this.untimed++
    if (reason !== 0) {
      this.countUndecoded(captured, reason, linkType)
      return
    }
    this.decoded++
    this.ipBytes += packet.ipBytes
    if (!packet.hasTransport) this.withoutTransport++
    this.fragments[packet.fragment]!++
    this.tunnels[packet.tunnel]!++
    if (noted !== 0) this.countNotes(noted)
  }

  /** A later fragment that was counted has been given its ports since. */
  countCompleted(packet: Packet): void {
    if (!packet.hasTransport) return
    this.withoutTransport--
    this.fragments[3]!--
    this.fragments[packet.fragment]!++
  }

  /** Every packet was decoded, or there is a reason why not. */
  check(): void {
    const reasons = this.reasons.reduce((sum, count) => sum + count, 0)
    assert(this.packets === this.decoded + reasons, 'packets = decoded + reasons')
    assert(this.decoded === this.fragments.reduce((sum, count) => sum + count, 0), 'decoded = whole + fragments')
    assert(this.decoded === this.tunnels.reduce((sum, count) => sum + count, 0), 'decoded = by tunnel')
  }

  /** Packets that were not decoded, by reason; those of unknown links by their types. `lost`: those alone that may be of IP. */
  undecoded(lost = false): { name: string; packets: number }[] {
    return this.reasons.flatMap((packets, reason) => {
      const kinds = reason === unknownLinkType ? [...this.linkTypes] : [[0, packets] as const]
      return kinds
        .filter(([linkType, count]) => count > 0 && (!lost || losesIp(reason, linkType)))
        .map(([linkType, count]) => {
          const which = reason !== unknownLinkType ? '' : ` ${linkType < 0 ? '(others)' : linkTypeText(linkType)}`
          return { name: reasonNames[reason]! + which, packets: count }
        })
    })
  }

  private countUndecoded(captured: Captured, reason: number, linkType: number): void {
    this.reasons[reason]!++
    if (reason === unknownLinkType) {
      const kind = this.linkTypes.has(linkType) || this.linkTypes.size < linkTypesMax ? linkType : -1
      this.linkTypes.set(kind, (this.linkTypes.get(kind) ?? 0) + 1)
    }
    if (!losesIp(reason, linkType)) return
    this.lost.packets++
    if (captured.time < this.lost.first) this.lost.first = captured.time
    if (captured.time > this.lost.last) this.lost.last = captured.time
  }

  private countTime(time: number): void {
    if (time < this.previousTime) {
      this.backwards++
      this.largestStepBack = Math.max(this.largestStepBack, this.previousTime - time)
    }
    this.previousTime = time
    if (time < this.first) this.first = time
    if (time > this.last) this.last = time
  }

  private countNotes(noted: number): void {
    if ((noted & notes.lengthFromWire) !== 0) this.lengthFromWire++
    if ((noted & notes.longerThanWire) !== 0) this.longerThanWire++
    if ((noted & notes.tooDeep) !== 0) this.tooDeep++
  }
}
