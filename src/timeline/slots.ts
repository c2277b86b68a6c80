/** For which hosts a view keeps totals, and whose network they are. */

export interface HostSlots {
  /** By host, and at last for none: its slot. Null: the number itself. */
  slots: Uint32Array | null
  /** By slot: the host; last the number of hosts, for none. Ascending. Null: the number itself. */
  hostOf: Uint32Array | null
  /** Slots of hosts, and of none. */
  listed: number
  /** Listed slots, and where not every host has one, the last for the others among them. */
  count: number
  /** What each host without a slot of its own has at most; null: every host of the view has one. */
  most: { bytes: number; records: number } | null
}

/** A slot for each host. */
export function allSlots(hosts: number): HostSlots {
  return { slots: null, hostOf: null, listed: hosts + 1, count: hosts + 1, most: null }
}

/** Slots for some hosts, ascending; the others have one together, the last. */
export function slotsFor(hosts: number, kept: Uint32Array, most: HostSlots['most']): HostSlots {
  const slots = new Uint32Array(hosts + 1).fill(kept.length + 1)
  for (const [slot, host] of kept.entries()) slots[host] = slot
  slots[hosts] = kept.length
  const hostOf = new Uint32Array(kept.length + 1)
  hostOf.set(kept)
  hostOf[kept.length] = hosts
  return { slots, hostOf, listed: kept.length + 1, count: kept.length + 2, most }
}

/**
 * What is asked of the hosts of each row, two bits a host: of millions of hosts most have no slot, and these bits lie in the processor's
 * cache where the slots do not.
 */
export class HostMarks {
  private readonly bits: Uint8Array
  private readonly slots: Uint32Array | null
  private readonly others: number

  /** @param own by host: 1 for those whose network it is. */
  constructor(hosts: number, { slots, count }: Pick<HostSlots, 'slots' | 'count'>, own: Uint8Array) {
    this.slots = slots
    this.others = count - 1
    this.bits = new Uint8Array((hosts >>> 2) + 1)
    for (let host = 0; host <= hosts; host++) {
      const isKept = slots === null || slots[host] !== this.others ? 1 : 0
      const isOwn = host < hosts && own[host] === 1 ? 2 : 0
      this.bits[host >>> 2]! |= (isKept | isOwn) << ((host & 3) << 1)
    }
  }

  get size(): number {
    return this.bits.byteLength + (this.slots?.byteLength ?? 0)
  }

  /** Puts the slots of some hosts, and whether each is of the own network, into arrays. */
  look(hosts: Uint32Array, [from, to]: readonly [number, number], slots: Uint32Array, own: Uint8Array): void {
    const { bits, slots: slotOf, others } = this
    if (slotOf === null) {
      for (let row = from; row < to; row++) {
        const host = hosts[row]!
        slots[row] = host
        own[row] = (bits[host >>> 2]! >>> ((host & 3) << 1)) & 2
      }
      return
    }
    for (let row = from; row < to; row++) {
      const host = hosts[row]!
      const marks = bits[host >>> 2]! >>> ((host & 3) << 1)
      slots[row] = (marks & 1) === 1 ? slotOf[host]! : others
      own[row] = marks & 2
    }
  }
}
