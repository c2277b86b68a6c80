/** For which hosts a view keeps totals, and whose network they are. */

export interface HostSlots {
  /** Number of hosts, which is that of none. */
  hosts: number
  /** Hosts before that number have their number as slot; where there is no table, those from it on share the last one. */
  leading: number
  /** By host, and at last for none: its slot. Null: see `leading`. */
  table: Uint32Array | null
  /** By slot: the host; null: the slot itself. Hosts come in the order of their addresses, none last. */
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
  return { hosts, leading: hosts, table: null, hostOf: null, listed: hosts + 1, count: hosts + 1, most: null }
}

/** Slots for the first hosts; the others have one together, the last. */
export function leadingSlots(hosts: number, leading: number, most: HostSlots['most']): HostSlots {
  return { hosts, leading, table: null, hostOf: null, listed: leading + 1, count: leading + 2, most }
}

/** Slots for all hosts of a view. @param met these, in the order of their addresses. */
export function slotsFor(hosts: number, met: readonly number[]): HostSlots {
  const table = new Uint32Array(hosts + 1)
  for (const [slot, host] of met.entries()) table[host] = slot
  table[hosts] = met.length
  const hostOf = Uint32Array.from([...met, hosts])
  return { hosts, leading: 0, table, hostOf, listed: met.length + 1, count: met.length + 1, most: null }
}

/** The host of a slot. */
export function hostOfSlot({ hosts, leading, hostOf }: HostSlots, slot: number): number {
  if (hostOf !== null) return hostOf[slot]!
  return slot < leading ? slot : hosts
}

/** Puts the slots of some rows' hosts into an array. */
export function lookUp(
  { hosts, leading, table }: HostSlots,
  of: Uint32Array,
  [from, to]: readonly [number, number],
  into: Uint32Array,
): void {
  if (table !== null) for (let row = from; row < to; row++) into[row] = table[of[row]!]!
  else if (leading === hosts) into.set(of.subarray(from, to), from)
  else {
    for (let row = from; row < to; row++) {
      const host = of[row]!
      into[row] = host < leading ? host : host === hosts ? leading : leading + 1
    }
  }
}

/** Whether hosts are of the own network, a bit each: of millions they lie in the processor's cache. */
export class OwnHosts {
  private readonly find: () => Uint8Array
  private known: Uint8Array | null = null

  /** @param find by host: 1 for those whose network it is; asked when that is first wanted. */
  constructor(find: () => Uint8Array) {
    this.find = find
  }

  /** Bit `host & 7` of byte `host >>> 3`. @throws DamagedSections */
  get bits(): Uint8Array {
    this.known ??= bitsOf(this.find())
    return this.known
  }
}

function bitsOf(own: Uint8Array): Uint8Array {
  const bits = new Uint8Array((own.length >>> 3) + 1)
  for (let host = 0; host < own.length; host++) bits[host >>> 3]! |= own[host]! << (host & 7)
  return bits
}

export function isOwn(bits: Uint8Array, host: number): number {
  return (bits[host >>> 3]! >>> (host & 7)) & 1
}
