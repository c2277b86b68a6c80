import { Captured } from './captured.ts'
import { fragmentTimeMax } from './fragments.ts'
import { copyPacket, Packet } from './packet.ts'

/** Later fragments that wait for their first at once, and the bytes that are kept of them: beyond, the oldest is given out as it is. */
export const heldMax = 4096
const heldBytesMax = 16 << 20

/** A fragment that came before the first of its packet, which alone has the ports. */
export interface HeldFragment {
  key: string
  packet: Packet
  captured: Captured
  /** See `Walk`. */
  identification: number
  protocol: number
}

/** Keeps later fragments until the first of their packet comes, in the order of the capture. */
export class HeldFragments {
  private readonly byKey = new Map<string, Set<HeldFragment>>()
  /** The oldest first, from `head` on; null in the place of one that has gone. A Set is slow to find its oldest when many have gone. */
  private queue: (HeldFragment | null)[] = []
  private head = 0
  private readonly places = new Map<HeldFragment, number>()
  private bytes = 0

  get isEmpty(): boolean {
    return this.places.size === 0
  }

  keep(held: HeldFragment): void {
    const own = { ...held, packet: copyPacket(held.packet, new Packet()), captured: ownCopy(held.captured) }
    const same = this.byKey.get(held.key)
    if (same === undefined) this.byKey.set(held.key, new Set([own]))
    else same.add(own)
    if (this.queue.length >= 4 * heldMax) this.closeUp()
    this.places.set(own, this.queue.length)
    this.queue.push(own)
    this.bytes += own.captured.bytes.length
  }

  /** Those of the packet whose first fragment has come. */
  release(key: string): HeldFragment[] {
    const released = [...(this.byKey.get(key) ?? [])]
    for (const held of released) this.remove(held)
    return released
  }

  /** The oldest, if its first will not come any more (`now` is the time of the capture), or if there are too many. */
  overdue(now: number): HeldFragment | null {
    const oldest = this.oldest()
    if (oldest === null) return null
    const isLate = Math.abs(now - oldest.packet.time) > fragmentTimeMax
    return isLate || this.places.size > heldMax || this.bytes > heldBytesMax ? this.remove(oldest) : null
  }

  /** The oldest, at the end of the capture. */
  next(): HeldFragment | null {
    const oldest = this.oldest()
    return oldest === null ? null : this.remove(oldest)
  }

  private oldest(): HeldFragment | null {
    while (this.head < this.queue.length) {
      const one = this.queue[this.head]!
      if (one !== null) return one
      this.head++
    }
    return null
  }

  private closeUp(): void {
    this.queue = this.queue.filter(one => one !== null)
    this.head = 0
    for (const [place, held] of this.queue.entries()) this.places.set(held!, place)
  }

  private remove(held: HeldFragment): HeldFragment {
    const same = this.byKey.get(held.key)!
    same.delete(held)
    if (same.size === 0) this.byKey.delete(held.key)
    this.queue[this.places.get(held)!] = null
    this.places.delete(held)
    this.bytes -= held.captured.bytes.length
    return held
  }
}

/** The reader's buffer is used again: the record is copied out of it. */
function ownCopy(captured: Captured): Captured {
  const { recordFrom } = captured
  return Object.assign(new Captured(), captured, {
    bytes: captured.bytes.slice(recordFrom, captured.recordTo),
    from: captured.from - recordFrom,
    to: captured.to - recordFrom,
    recordFrom: 0,
    recordTo: captured.recordTo - recordFrom,
  })
}
