/**
 * One conversation seen at several vantages (docs/reference/dossier.md, section 2): of each direction and stretch of time, the records of
 * one vantage count.
 *
 * Accepted and rejected records are different packets and never stand for each other here. What the chosen vantage has not seen is looked
 * at again, among the others: so no more than one counts, however many there are, and none that saw more is passed over.
 */
import { known, type RecordBlock } from '../record-index/block.ts'
import { fate, kindOf, type Points } from './fates.ts'
import { hashOf, KeyTable } from './key-table.ts'
import { counterOf } from './signs.ts'
import { Spans } from './spans.ts'

const rejectedKind = 0x200
const none = 0xffff_ffff

export function dropTwins(block: RecordBlock, fates: Uint8Array, points: Points): void {
  const isSuspect = suspects(block, fates)
  if (isSuspect === null) return
  const kinds = new Kinds(block, isSuspect)
  const isPending = kinds.pending()
  if (isPending === null) return
  const rowsOf = kinds.rows(isPending)
  const sawBoth = (kind: number, vantage: number): boolean =>
    kinds.reverses(kind).some(other => kinds.sawIt(other, vantage, rowsOf.get(other)))
  for (const [kind, rows] of rowsOf) {
    if (kinds.hasSeveral(kind)) settle(block, rows, fates, points, vantage => sawBoth(kind, vantage))
  }
  for (const [kind, rows] of rowsOf) {
    const stopped = kinds.rejectedOf(kind)
    if (stopped >= 0) dropStopped(block, rows, rowsOf.get(stopped)!, fates, points)
  }
}

/** A digest of a record's ends, the same in both directions, of some bits. */
export function endsDigest(block: RecordBlock, row: number, bits: number): number {
  const source = block.source[row]!
  const destination = block.destination[row]!
  const ports = block.sourcePort[row]! ^ block.destinationPort[row]!
  return hashOf(source ^ destination, ports, source + destination, block.protocol[row]!) >>> (32 - bits)
}

/** Records whose ends may have been seen at several vantages, by a digest of the ends; null where there are none. */
function suspects(block: RecordBlock, fates: Uint8Array): Uint8Array | null {
  const bits = Math.min(28, Math.ceil(Math.log2(2 * block.rows + 2)))
  const vantages = new Uint32Array(1 << bits)
  let some = false
  for (let row = 0; row < block.rows; row++) {
    if (fates[row] !== fate.counted) continue
    const digest = endsDigest(block, row, bits)
    const before = vantages[digest]!
    if (before === 0) vantages[digest] = block.vantage[row]! + 1
    else if (before !== block.vantage[row]! + 1 && before !== none) {
      vantages[digest] = none
      some = true
    }
  }
  if (!some) return null
  const isSuspect = new Uint8Array(block.rows)
  for (let row = 0; row < block.rows; row++) {
    if (fates[row] === fate.counted && vantages[endsDigest(block, row, bits)] === none) isSuspect[row] = 1
  }
  return isSuspect
}

/** Kinds of records: the direction and ends, and whether they were rejected. */
class Kinds {
  private readonly keys = new KeyTable()
  private readonly kindOfRow: Uint32Array
  /** By kind: the vantage of its first record, and whether there are others. */
  private readonly vantage: number[] = []
  private readonly several: boolean[] = []
  private readonly block: RecordBlock

  constructor(block: RecordBlock, isSuspect: Uint8Array) {
    this.block = block
    this.kindOfRow = new Uint32Array(block.rows).fill(none)
    for (let row = 0; row < block.rows; row++) {
      if (isSuspect[row] === 0) continue
      const kind = kindOf(this.keys, block, row)
      this.kindOfRow[row] = kind
      const vantage = block.vantage[row]!
      this.vantage[kind] ??= vantage
      if (this.vantage[kind] !== vantage) this.several[kind] = true
    }
  }

  hasSeveral(kind: number): boolean {
    return this.several[kind] === true
  }

  /** The kinds to be looked at: seen at several vantages, or both accepted and rejected. Null where there are none. */
  pending(): Uint8Array | null {
    const pending = new Uint8Array(this.keys.count)
    let some = false
    for (let kind = 0; kind < pending.length; kind++) {
      const rejected = this.rejectedOf(kind)
      if (rejected >= 0) pending[rejected] = 1
      if (rejected >= 0 || this.several[kind]) {
        pending[kind] = 1
        some = true
      }
    }
    return some ? pending : null
  }

  /** The rows of some kinds, in order. */
  rows(isPending: Uint8Array): Map<number, number[]> {
    const rows = new Map<number, number[]>()
    for (let row = 0; row < this.block.rows; row++) {
      const kind = this.kindOfRow[row]!
      if (kind === none || isPending[kind] === 0) continue
      const list = rows.get(kind)
      if (list === undefined) rows.set(kind, [row])
      else list.push(row)
    }
    return rows
  }

  /** The kind of the rejected records of an accepted one's direction and ends; -1 without. */
  rejectedOf(kind: number): number {
    const { keys } = this
    const flags = keys.part(kind, 3)
    if ((flags & rejectedKind) !== 0) return -1
    return keys.find(keys.part(kind, 0), keys.part(kind, 1), keys.part(kind, 2), flags | rejectedKind)
  }

  /** The kinds of the other direction. */
  reverses(kind: number): number[] {
    const { keys } = this
    const ports = keys.part(kind, 2)
    const flags = keys.part(kind, 3)
    const swapped = ((ports >>> 16) | (ports << 16)) >>> 0
    // The bits of unknown ports change places, too.
    const other = (flags & 0x1ff) | ((flags & 0x400) << 1) | ((flags & 0x800) >>> 1)
    return [other, other | rejectedKind]
      .map(one => keys.find(keys.part(kind, 1), keys.part(kind, 0), swapped, one))
      .filter(found => found >= 0)
  }

  sawIt(kind: number, vantage: number, rows: readonly number[] | undefined): boolean {
    if (!this.several[kind]) return this.vantage[kind] === vantage
    return rows!.some(row => this.block.vantage[row] === vantage)
  }
}

/** Chooses a vantage for each stretch of records of one kind, which come in the order of their starts; what none chosen has seen, again. */
function settle(
  block: RecordBlock,
  rows: readonly number[],
  fates: Uint8Array,
  points: Points,
  sawBoth: (vantage: number) => boolean,
): void {
  for (let pending = rows; pending.length > 0; ) {
    const left: number[] = []
    for (const stretch of stretchesOf(block, pending, points)) {
      const chosen = chooseVantage(block, stretch, sawBoth)
      if (chosen === null) continue
      const covered = new Spans()
      const own_us = points.gap_us[chosen]!
      for (const row of stretch) {
        if (block.vantage[row] === chosen) covered.add(block.start_us[row]!, block.end_us[row]!, 2 * own_us)
      }
      for (const row of stretch) {
        const vantage = block.vantage[row]!
        if (vantage === chosen) continue
        const within_us = Math.max(own_us, points.gap_us[vantage]!)
        if (covered.touch(block.start_us[row]!, block.end_us[row]!, within_us)) fates[row] = fate.twin
        else left.push(row)
      }
    }
    pending = left
  }
}

/** Runs of records that lie no further apart than the largest gap of them. */
function stretchesOf(block: RecordBlock, rows: readonly number[], points: Points): number[][] {
  let gap_us = 0
  for (const row of rows) gap_us = Math.max(gap_us, points.gap_us[block.vantage[row]!]!)
  const stretches: number[][] = []
  let latest = Number.NEGATIVE_INFINITY
  for (const row of rows) {
    if (block.start_us[row]! - latest > gap_us) stretches.push([])
    stretches.at(-1)!.push(row)
    latest = Math.max(latest, block.end_us[row]!)
  }
  return stretches
}

interface Seen {
  vantage: number
  bytes: bigint
  packets: bigint
  records: number
  onInstance: boolean
}

/** The vantage with the most; null where there is only one. */
function chooseVantage(
  block: RecordBlock,
  rows: readonly number[],
  sawBoth: (vantage: number) => boolean,
): number | null {
  if (rows.every(row => block.vantage[row] === block.vantage[rows[0]!])) return null
  const seen = new Map<number, Seen>()
  for (const row of rows) {
    const vantage = block.vantage[row]!
    // What nobody knows is less than nothing.
    const one = seen.get(vantage) ?? { vantage, bytes: -1n, packets: -1n, records: 0, onInstance: false }
    one.bytes = sumWith(one.bytes, block, row, 'bytes')
    one.packets = sumWith(one.packets, block, row, 'packets')
    one.records++
    if ((block.known[row]! & known.onInstance) !== 0) one.onInstance = true
    seen.set(vantage, one)
  }
  const order = (a: bigint, b: bigint): number => (a === b ? 0 : a > b ? -1 : 1)
  // Vantages are numbered in the order of their names.
  const [first] = [...seen.values()].sort(
    (x, y) =>
      order(x.bytes, y.bytes) ||
      order(x.packets, y.packets) ||
      y.records - x.records ||
      Number(sawBoth(y.vantage)) - Number(sawBoth(x.vantage)) ||
      Number(y.onInstance) - Number(x.onInstance) ||
      x.vantage - y.vantage,
  )
  return first!.vantage
}

/** A sum with a record's counter; -1 is that of none that is known. */
function sumWith(sum: bigint, block: RecordBlock, row: number, name: 'packets' | 'bytes'): bigint {
  if ((block.known[row]! & known[name]) === 0) return sum
  return (sum < 0n ? 0n : sum) + BigInt(counterOf(block, row, name))
}

interface SensorSum {
  packets: bigint
  bytes: bigint
  from_us: number
  to_us: number
  gap_us: number
}

/**
 * What one sensor let out and another one stopped: its accepted records are attempts, and the rejected ones stand for them. They are the
 * same packets only if there are about as many of them, with about as many bytes, at another sensor.
 */
function dropStopped(
  block: RecordBlock,
  accepted: readonly number[],
  rejected: readonly number[],
  fates: Uint8Array,
  points: Points,
): void {
  const stops = sumsBySensor(block, rejected, fates, points)
  const stopped = new Set<number>()
  for (const [sensor, one] of sumsBySensor(block, accepted, fates, points)) {
    for (const [other, stop] of stops) {
      const gap_us = Math.max(one.gap_us, stop.gap_us)
      const meet = one.from_us <= stop.to_us + gap_us && one.to_us >= stop.from_us - gap_us
      if (other !== sensor && meet && areAlike(one.packets, stop.packets) && areAlike(one.bytes, stop.bytes))
        stopped.add(sensor)
    }
  }
  for (const row of accepted) {
    if (fates[row] === fate.counted && stopped.has(points.sensor[block.vantage[row]!]!)) fates[row] = fate.twin
  }
}

function sumsBySensor(
  block: RecordBlock,
  rows: readonly number[],
  fates: Uint8Array,
  points: Points,
): Map<number, SensorSum> {
  const sums = new Map<number, SensorSum>()
  for (const row of rows) {
    if (fates[row] !== fate.counted) continue
    const vantage = block.vantage[row]!
    const sensor = points.sensor[vantage]!
    const sum = sums.get(sensor) ?? {
      ...{ packets: -1n, bytes: -1n, gap_us: 0 },
      ...{ from_us: Number.POSITIVE_INFINITY, to_us: Number.NEGATIVE_INFINITY },
    }
    sum.packets = sumWith(sum.packets, block, row, 'packets')
    sum.bytes = sumWith(sum.bytes, block, row, 'bytes')
    sum.from_us = Math.min(sum.from_us, block.start_us[row]!)
    sum.to_us = Math.max(sum.to_us, block.end_us[row]!)
    sum.gap_us = Math.max(sum.gap_us, points.gap_us[vantage]!)
    sums.set(sensor, sum)
  }
  return sums
}

/** Whether both are known and differ by at most a tenth of the first. */
function areAlike(one: bigint, other: bigint): boolean {
  return one >= 0n && other >= 0n && (one > other ? one - other : other - one) * 10n <= one
}
