/** Figures out of sums: exact, as plain JSON. */
import { formatAddress } from '../net/address.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import { flag, noProtocol, type TimelineAbout } from './layout.ts'
import { digitBits } from './rows.ts'
import { type Groups, how, type Sums } from './sums.ts'

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
    if (parts.length === 1) return parts[0]![name][at]!
    return parts.reduceRight((sum, part) => (sum << BigInt(digitBits)) + BigInt(part[name][at]!), 0n)
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

  /** @param slots of hosts, ascending by their addresses, that may be in the list. @param address of a slot. */
  hosts(order: Order, top: number, count: number, addressOf: (slot: number) => string | null): HostRow[] {
    const { groups, sums } = this
    const { hosts } = groups
    const bytesOf = (slot: number): Whole | null => this.bytesAt([slot, hosts + slot])
    const fast = this.parts.length === 1 && !groups.unsaid && this.fields.hasBytes
    const rank =
      order === 'records'
        ? (slot: number) => sums.records[slot]!
        : fast
          ? (slot: number) => sums.bytes[slot]! + sums.bytes[hosts + slot]!
          : (slot: number) => bytesOf(slot) ?? -1
    return largest(sums.records, [0, count], top, rank).map(slot => ({
      host: addressOf(slot),
      ...this.volume(sums.records[slot]!, sums.rejected[slot]!, bytesOf(slot)),
      sent: nullable(this.bytesAt([slot])),
      received: nullable(this.bytesAt([hosts + slot])),
    }))
  }

  /** How many records a slot of hosts has. */
  othersOf(slot: number): number {
    return this.sums.records[slot]!
  }

  ports(order: Order, top: number): PortRow[] {
    const { sums, groups, about } = this
    const { hosts, ports } = groups
    const bytesOf = (port: number): Whole | null => this.bytesAt([2 * hosts + port])
    const rank = (at: number): Whole => (order === 'records' ? sums.records[at]! : (bytesOf(at - hosts) ?? -1))
    return largest(sums.records, [hosts, hosts + ports], top, rank).map(at => ({
      port: about.ports[at - hosts] ?? null,
      ...this.volume(sums.records[at]!, sums.rejected[at]!, bytesOf(at - hosts)),
    }))
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
  private byKind<Key extends string | number>(
    order: Order,
    { keys, of }: KindKeys<Key>,
  ): (Volume & { key: Key | null })[] {
    const sums = keys.map(emptySum)
    for (let kind = 0; kind < of.length; kind++) this.addKind(sums[of[kind]!]!, kind)
    const rows = keys.flatMap((key, i) => {
      const { records, rejected } = sums[i]!
      const bytes = this.sumOf(sums[i]!, 'bytes')
      return records === 0
        ? []
        : [{ key, rank: order === 'records' ? records : (bytes ?? -1), records, rejected, bytes }]
    })
    rows.sort((a, b) => (a.rank === b.rank ? compareKeys(a.key, b.key) : a.rank < b.rank ? 1 : -1))
    return rows.map(({ key, records, rejected, bytes }) => ({ key, ...this.volume(records, rejected, bytes) }))
  }

  /** Adds the records of a kind. */
  private addKind(into: KindSum, kind: number): void {
    const { groups, sums, about, fields } = this
    const { hosts, ports, how: ofKind } = groups
    const count = sums.records[hosts + ports + kind]!
    if (count === 0) return
    const does = ofKind[kind]!
    if ((does & how.aside) !== 0) {
      into.collapsed += count
      return
    }
    const flags = about.kinds[kind]![3]
    into.records += count
    if ((does & how.rejected) !== 0) into.rejected += count
    if ((does & how.still) !== 0) return
    into.bytes = plus(into.bytes, this.whole('bytes', 2 * hosts + ports + kind))
    into.packets = plus(into.packets, this.whole('packets', kind))
    const lacksBytes = (flags & flag.bytesUnknown) !== 0
    const lacksPackets = (flags & flag.packetsUnknown) !== 0
    into.moved += count
    if (!lacksBytes) into.bytesSaid += count
    if (!lacksPackets) into.packetsSaid += count
    if ((lacksBytes && fields.hasBytes) || (lacksPackets && fields.hasPackets)) into.unsummed += count
  }

  private sumOf(sum: KindSum, name: 'bytes' | 'packets'): Whole | null {
    const { hasBytes, hasPackets } = this.fields
    const isThere = name === 'bytes' ? hasBytes : hasPackets
    return isThere && (sum.moved === 0 || sum[`${name}Said`] > 0) ? sum[name] : null
  }

  totals(): Totals {
    const sum = emptySum()
    for (let kind = 0; kind < this.about.kinds.length; kind++) this.addKind(sum, kind)
    const { records, rejected, collapsed, unsummed } = sum
    // Of no records there is no sum, as in `flows`.
    const told = (name: 'bytes' | 'packets'): Whole | null => (records === 0 ? null : this.sumOf(sum, name))
    return { ...this.volume(records, rejected, told('bytes')), packets: nullable(told('packets')), collapsed, unsummed }
  }
}

/** What the records of some kinds sum up to. */
interface KindSum {
  records: number
  rejected: number
  bytes: Whole
  packets: Whole
  /** Records whose volumes are summed up, and how many of them say them. */
  moved: number
  bytesSaid: number
  packetsSaid: number
  collapsed: number
  unsummed: number
}

function emptySum(): KindSum {
  return {
    ...{ records: 0, rejected: 0, bytes: 0, packets: 0, moved: 0 },
    ...{ bytesSaid: 0, packetsSaid: 0, collapsed: 0, unsummed: 0 },
  }
}

/** What kinds are told apart by: the keys, and by kind the number of its own. */
interface KindKeys<Key> {
  keys: readonly (Key | null)[]
  of: Uint32Array
}

interface AllKeys {
  sensors: KindKeys<string>
  actions: KindKeys<string>
  protocols: KindKeys<number>
}

/** Of the indexes that are open. */
const known = new WeakMap<TimelineAbout, AllKeys>()

function keysOf(about: TimelineAbout): AllKeys {
  let keys = known.get(about)
  if (keys === undefined) {
    const { kinds, sensors, actions } = about
    const protocols = [...new Set(kinds.map(([, , protocol]) => protocol))]
    keys = {
      sensors: { keys: sensors, of: Uint32Array.from(kinds, ([sensor]) => sensor) },
      actions: { keys: [null, 'ACCEPT', 'REJECT', ...actions], of: Uint32Array.from(kinds, ([, of]) => of) },
      protocols: {
        keys: protocols.map(protocol => (protocol === noProtocol ? null : protocol)),
        of: Uint32Array.from(kinds, ([, , protocol]) => protocols.indexOf(protocol)),
      },
    }
    known.set(about, keys)
  }
  return keys
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

/** The places with records that rank first, from the largest; of equal ones those that come first. */
function largest(
  records: Uint32Array,
  [from, to]: readonly [number, number],
  top: number,
  rank: (at: number) => Whole,
): number[] {
  const found: number[] = []
  const ranks: Whole[] = []
  if (top <= 0) return found
  for (let at = from; at < to; at++) {
    if (records[at] === 0) continue
    const own = rank(at)
    if (found.length === top && own <= ranks[top - 1]!) continue
    let place = found.length
    while (place > 0 && ranks[place - 1]! < own) place--
    found.splice(place, 0, at)
    ranks.splice(place, 0, own)
    if (found.length > top) {
      found.pop()
      ranks.pop()
    }
  }
  return found
}

/** The address of a host, as text. */
export function hostText({ hi, lo, count }: RecordDictionaries['hosts'], host: number): string | null {
  return host < count ? formatAddress(hi[host]!, lo[host]!) : null
}
