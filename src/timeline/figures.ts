/** Figures out of sums: exact, as plain JSON. */
import { formatAddress } from '../net/address.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import { type KindFigures, type KindKeys, type KindSum, keysOf, sumsByKey } from './kind-sums.ts'
import type { TimelineAbout } from './layout.ts'
import { digitBits } from './rows.ts'
import { type HostSlots, hostOfSlot } from './slots.ts'
import type { Groups, Sums } from './sums.ts'

/** A whole number; as text where it passes 2^53. */
export type Count = number | string

export interface Volume {
  records: number
  /** Null where the records have no action. */
  rejected: number | null
  /** Of the records whose volumes count; null where none says. */
  bytes: Count | null
}

export interface HostRow extends Volume {
  /** Null: records without an address. A record is of both its ends. */
  host: string | null
  sent: Count | null
  received: Count | null
}
export interface PortRow extends Volume {
  /** The server's port, by number alone; null: of protocols without ports, or not known. */
  port: number | null
}
export interface SensorRow extends Volume {
  sensor: string | null
}
export interface ActionRow extends Volume {
  action: string | null
}
export interface ProtocolRow extends Volume {
  protocol: number | null
}

/** Of no records the sums are null, as in `flows`. */
export interface Totals extends Volume {
  packets: Count | null
  /** Matching records for which others stand; they are not in `records`. */
  collapsed: number
  /** Of the records that are summed up those that do not say how many bytes or packets: the sums are at least what they say. */
  unsummed: number
}

export type Order = 'bytes' | 'records'
/** Hosts also by what they sent, or received. */
export type HostOrder = Order | 'sent' | 'received'

export interface Page<Row> {
  rows: Row[]
  /** Rows that there are; null where that is not known without `complete`. */
  count: number | null
  /** Whether the rows are proven to be the first ones, and all figures exact. */
  exact: boolean
}

/** What of a case its figures depend on. */
export interface Fields {
  hasAction: boolean
  hasBytes: boolean
  hasPackets: boolean
}

type Whole = number | bigint

export function countOf(value: Whole): Count {
  if (typeof value === 'number') return value
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
}

/** The sums of some rows, in one part or in three, and what they mean. */
export class Figures {
  private readonly about: TimelineAbout
  private readonly groups: Groups
  private readonly parts: readonly Sums[]
  private readonly fields: Fields

  constructor(about: TimelineAbout, groups: Groups, parts: readonly Sums[], fields: Fields) {
    this.about = about
    this.groups = groups
    this.parts = parts
    this.fields = fields
  }

  private get sums(): Sums {
    return this.parts[0]!
  }

  private whole(name: 'bytes' | 'packets', at: number): Whole {
    const { parts } = this
    return parts.length === 1 ? parts[0]![name][at]! : wholeOf(parts.map(part => part[name][at]!))
  }

  /** Null where no record says it: some that count do not, and none does. */
  private known(value: Whole, said: number, unsaid: number): Whole | null {
    return this.fields.hasBytes && (unsaid === 0 || said > 0) ? value : null
  }

  private bytesAt(places: readonly number[]): Whole | null {
    let value: Whole = 0
    let said = 0
    let unsaid = 0
    for (const at of places) {
      value = plus(value, this.whole('bytes', at))
      said += this.sums.said[at] ?? 0
      unsaid += this.sums.unsaid[at] ?? 0
    }
    return this.known(value, said, unsaid)
  }

  private volume(records: number, rejected: number, bytes: Whole | null): Volume {
    return { records, rejected: this.fields.hasAction ? rejected : null, bytes: bytes === null ? null : countOf(bytes) }
  }

  /**
   * @param textOf the address of a host.
   * @param isBefore of two slots; absent: they are in the order of their addresses.
   */
  hosts(
    order: HostOrder,
    top: number,
    slots: HostSlots,
    textOf: (host: number) => string | null,
    isBefore?: (one: number, other: number) => boolean,
  ): HostRow[] {
    const { groups, sums } = this
    const { hosts } = groups
    const bytesOf = (slot: number): Whole | null => this.bytesAt([slot, hosts + slot])
    const found = largest(sums.records, [0, slots.listed], top, this.hostRanks(order, slots.listed), isBefore)
    return found.map(slot => ({
      host: textOf(hostOfSlot(slots, slot)),
      ...this.volume(sums.records[slot]!, sums.rejected[slot]!, bytesOf(slot)),
      sent: nullable(this.bytesAt([slot])),
      received: nullable(this.bytesAt([hosts + slot])),
    }))
  }

  /** What hosts rank by, by slot. */
  private hostRanks(order: HostOrder, count: number): ArrayLike<Whole> {
    const { sums, groups, parts, fields } = this
    const { hosts } = groups
    if (order === 'records') return sums.records
    const sent = order !== 'received'
    const received = order !== 'sent'
    if (parts.length > 1 || groups.unsaid || !fields.hasBytes) {
      const placesOf = (slot: number): number[] => [...(sent ? [slot] : []), ...(received ? [hosts + slot] : [])]
      return Array.from({ length: count }, (_, slot) =>
        sums.records[slot] === 0 ? -1 : (this.bytesAt(placesOf(slot)) ?? -1),
      )
    }
    const { bytes } = sums
    const ranks = new Float64Array(count)
    for (let slot = 0; slot < count; slot++)
      ranks[slot] = (sent ? bytes[slot]! : 0) + (received ? bytes[hosts + slot]! : 0)
    return ranks
  }

  /** How many records a slot of hosts has. */
  othersOf(slot: number): number {
    return this.sums.records[slot]!
  }

  ports(order: Order, top: number): PortRow[] {
    const { sums, groups, about } = this
    const { hosts, ports } = groups
    const bytesOf = (port: number): Whole | null => this.bytesAt([2 * hosts + port])
    return largest(sums.records, [hosts, hosts + ports], top, this.portRanks(order, bytesOf)).map(at => ({
      port: about.ports[at - hosts] ?? null,
      ...this.volume(sums.records[at]!, sums.rejected[at]!, bytesOf(at - hosts)),
    }))
  }

  /** What ports rank by, by their place among the records. */
  private portRanks(order: Order, bytesOf: (port: number) => Whole | null): ArrayLike<Whole> {
    const { sums, groups, parts, fields } = this
    const { hosts, ports } = groups
    if (order === 'records') return sums.records
    if (parts.length === 1 && !groups.unsaid && fields.hasBytes) return sums.bytes.subarray(hosts)
    return Array.from({ length: hosts + ports }, (_, at) => (at < hosts ? -1 : (bytesOf(at - hosts) ?? -1)))
  }

  /** How many hosts, or ports, have records. */
  countOf(what: 'hosts' | 'ports', hosts: number): number {
    const { records } = this.sums
    const [from, to] = what === 'hosts' ? [0, hosts] : [this.groups.hosts, this.groups.hosts + this.groups.ports]
    let count = 0
    for (let at = from; at < to; at++) if (records[at]! > 0) count++
    return count
  }

  sensors(order: Order): SensorRow[] {
    return this.byKind(order, keysOf(this.about).sensors).map(({ key, ...rest }) => ({ sensor: key, ...rest }))
  }

  actions(order: Order): ActionRow[] {
    return this.byKind(order, keysOf(this.about).actions).map(({ key, ...rest }) => ({ action: key, ...rest }))
  }

  protocols(order: Order): ProtocolRow[] {
    return this.byKind(order, keysOf(this.about).protocols).map(({ key, ...rest }) => ({ protocol: key, ...rest }))
  }

  /** Rows by what kinds have in common. */
  private byKind<Key extends string | number>(order: Order, keys: KindKeys<Key>): (Volume & { key: Key | null })[] {
    const rows = sumsByKey(this.kindFigures(), keys).filter(({ sum }) => sum.records > 0)
    const rank = ({ records, bytes }: KindSum): Whole => (order === 'records' ? records : (bytes ?? -1))
    rows.sort((a, b) => {
      const [one, other] = [rank(a.sum), rank(b.sum)]
      return one === other ? compareKeys(a.key, b.key) : one < other ? 1 : -1
    })
    return rows.map(({ key, sum }) => ({ key, ...this.volume(sum.records, sum.rejected, sum.bytes) }))
  }

  private kindFigures(): KindFigures {
    const { groups, parts, fields } = this
    const { hosts, ports, how } = groups
    return {
      how,
      records: this.sums.records.subarray(hosts + ports),
      bytes: parts.map(part => part.bytes.subarray(2 * hosts + ports)),
      packets: parts.map(part => part.packets),
      whole: wholeOf,
      ...{ hasBytes: fields.hasBytes, hasPackets: fields.hasPackets },
    }
  }

  totals(): Totals {
    const [all] = sumsByKey(this.kindFigures(), keysOf(this.about).all)
    if (all === undefined) return { ...this.volume(0, 0, null), packets: null, collapsed: 0, unsummed: 0 }
    const { records, rejected, bytes, packets, collapsed, unsummed } = all.sum
    // Of no records there is no sum, as in `flows`.
    const told = <T>(sum: T): T | null => (records === 0 ? null : sum)
    return { ...this.volume(records, rejected, told(bytes)), packets: nullable(told(packets)), collapsed, unsummed }
  }
}

/** A number out of its parts. */
function wholeOf(parts: readonly number[]): Whole {
  if (parts.length === 1) return parts[0]!
  return parts.reduceRight((sum, part) => (sum << BigInt(digitBits)) + BigInt(part), 0n)
}

function nullable(value: Whole | null): Count | null {
  return value === null ? null : countOf(value)
}

function plus(one: Whole, other: Whole): Whole {
  return typeof one === 'number' && typeof other === 'number' ? one + other : BigInt(one) + BigInt(other)
}

/** As the engine has them: texts by their bytes, null last. */
function compareKeys(one: string | number | null, other: string | number | null): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null)
  if (typeof one === 'number' || typeof other === 'number') return Number(one) - Number(other)
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}

/**
 * The places with records that rank first, from the largest.
 *
 * @param isBefore which of two equal ones comes first; absent: the lower place.
 */
function largest(
  records: Uint32Array,
  [from, to]: readonly [number, number],
  top: number,
  ranks: ArrayLike<Whole>,
  isBefore: (one: number, other: number) => boolean = () => false,
): number[] {
  const found: number[] = []
  if (top <= 0) return found
  const comesBefore = (one: number, other: number): boolean =>
    ranks[one]! > ranks[other]! || (ranks[one] === ranks[other] && isBefore(one, other))
  let least: Whole = -1
  for (let at = from; at < to; at++) {
    if (records[at] === 0) continue
    const isFull = found.length === top
    if (isFull && (ranks[at]! < least || !comesBefore(at, found[top - 1]!))) continue
    let place = found.length
    while (place > 0 && comesBefore(at, found[place - 1]!)) place--
    found.splice(place, 0, at)
    if (isFull) found.pop()
    if (found.length === top) least = ranks[found[top - 1]!]!
  }
  return found
}

/** The address of a host, as text. */
export function hostText({ hi, lo, count }: RecordDictionaries['hosts'], host: number): string | null {
  return host < count ? formatAddress(hi[host]!, lo[host]!) : null
}
