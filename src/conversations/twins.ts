/**
 * One conversation seen at several vantages (docs/reference/dossier.md, section 2): of each direction and stretch of time, the records of
 * one vantage count.
 *
 * Accepted and rejected records are different packets and never stand for each other here. What the chosen vantage has not seen is looked
 * at again, among the others: so no more than one counts, however many there are, and none that saw more is passed over.
 */
import { known, type RecordBlock } from '../record-index/block.ts'
import { fate, type Points } from './fates.ts'
import { isForward, type PairNumbers } from './pairs.ts'
import { counterOf, isRejected } from './signs.ts'
import { Spans } from './spans.ts'
import { exactSum } from './sums.ts'
import { VantageSums } from './vantage-sums.ts'

/** Kinds of the records of a pair of ends: the direction, and above it whether they were rejected. */
const kinds = [0, 1, 2, 3] as const
const ways = [0, 1] as const

export function dropTwins(block: RecordBlock, fates: Uint8Array, points: Points, pairs: PairNumbers): void {
  const severals = ofSeveralVantages(block, fates, pairs)
  if (severals === null) return
  const { rows, ends } = severals
  const twins = new Twins(block, fates, points)
  for (let i = 0, from = 0; i < ends.length; from = ends[i++]!) twins.settlePair(rows, from, ends[i]!)
}

/** Rows of the pairs of ends that several vantages have seen, pair by pair, in order. Null where there are none. */
function ofSeveralVantages(
  block: RecordBlock,
  fates: Uint8Array,
  { of, count }: PairNumbers,
): { rows: Uint32Array; ends: Uint32Array } | null {
  /** By pair: its only vantage so far, and one; then, of those that several have seen, its place among them, and one. */
  const vantageOf = new Uint32Array(count)
  const isSeveral = new Uint8Array(count)
  let pairs = 0
  for (let row = 0; row < block.rows; row++) {
    if (fates[row] !== fate.counted) continue
    const pair = of[row]!
    const before = vantageOf[pair]!
    if (before === 0) vantageOf[pair] = block.vantage[row]! + 1
    else if (before !== block.vantage[row]! + 1 && isSeveral[pair] === 0) {
      isSeveral[pair] = 1
      pairs++
    }
  }
  if (pairs === 0) return null
  const ends = new Uint32Array(pairs + 1)
  const placeOf = vantageOf
  let next = 0
  for (let pair = 0; pair < count; pair++) placeOf[pair] = isSeveral[pair] === 1 ? next++ : 0
  for (let row = 0; row < block.rows; row++) {
    if (isSeveral[of[row]!] === 1 && fates[row] === fate.counted) ends[placeOf[of[row]!]! + 1]!++
  }
  for (let i = 0; i < pairs; i++) ends[i + 1]! += ends[i]!
  const rows = new Uint32Array(ends[pairs]!)
  for (let row = 0; row < block.rows; row++) {
    if (isSeveral[of[row]!] === 1 && fates[row] === fate.counted) rows[ends[placeOf[of[row]!]!]!++] = row
  }
  // Where a pair ended, the next one began.
  return { rows, ends: ends.subarray(0, pairs) }
}

class Twins {
  private readonly block: RecordBlock
  private readonly fates: Uint8Array
  private readonly points: Points
  private readonly sums: VantageSums
  /** Of the pair at hand: the rows, kind by kind, and where each kind ends. */
  private rows = new Uint32Array(64)
  private readonly ends = new Uint32Array(4)
  private pending = new Uint32Array(64)
  /** Of the pair at hand: whether its ends are the same, so that there is one direction. */
  private isOneWay = false

  constructor(block: RecordBlock, fates: Uint8Array, points: Points) {
    this.block = block
    this.fates = fates
    this.points = points
    this.sums = new VantageSums(points.gap_us.length)
  }

  /** @param all in which all counted rows of a pair of ends stand, from one place up to another. */
  settlePair(all: Uint32Array, from: number, to: number): void {
    const { block } = this
    this.sortByKind(all, from, to)
    const one = all[from]!
    const has = block.known[one]!
    this.isOneWay =
      block.source[one] === block.destination[one] &&
      block.sourcePort[one] === block.destinationPort[one] &&
      ((has & known.sourcePort) === 0) === ((has & known.destinationPort) === 0)
    for (const kind of kinds) if (this.hasSeveral(kind)) this.settle(kind)
    for (const way of ways) this.dropStopped(way, way + 2)
  }

  private sortByKind(all: Uint32Array, from: number, to: number): void {
    if (to - from > this.rows.length) {
      this.rows = new Uint32Array(2 * (to - from))
      this.pending = new Uint32Array(2 * (to - from))
    }
    const { block, rows, ends } = this
    let count = 0
    for (const kind of kinds) {
      for (let i = from; i < to; i++) {
        const row = all[i]!
        if (Number(isForward(block, row)) + 2 * Number(isRejected(block, row)) === kind) rows[count++] = row
      }
      ends[kind] = count
    }
  }

  private beginOf(kind: number): number {
    return kind === 0 ? 0 : this.ends[kind - 1]!
  }

  private hasSeveral(kind: number): boolean {
    const { rows, ends } = this
    const { vantage } = this.block
    const from = this.beginOf(kind)
    for (let i = from + 1; i < ends[kind]!; i++) if (vantage[rows[i]!] !== vantage[rows[from]!]) return true
    return false
  }

  /** Whether a vantage saw the other direction, too. */
  private sawOther(kind: number, vantage: number): boolean {
    const way = this.isOneWay ? kind & 1 : 1 - (kind & 1)
    return this.sawKind(way, vantage) || this.sawKind(way + 2, vantage)
  }

  private sawKind(kind: number, vantage: number): boolean {
    for (let i = this.beginOf(kind); i < this.ends[kind]!; i++) {
      if (this.block.vantage[this.rows[i]!] === vantage) return true
    }
    return false
  }

  /** Chooses a vantage for each stretch of records of one kind, which come in the order of their starts; what none chosen has seen, again. */
  private settle(kind: number): void {
    const { rows, ends, pending } = this
    let count = 0
    for (let i = this.beginOf(kind); i < ends[kind]!; i++) pending[count++] = rows[i]!
    while (count > 0) {
      const gap_us = this.largestGap(pending, count)
      let left = 0
      for (let from = 0; from < count; ) {
        const to = this.endOfStretch(pending, from, count, gap_us)
        left = this.settleStretch(kind, pending, from, to, left)
        from = to
      }
      count = left
    }
  }

  private largestGap(rows: Uint32Array, count: number): number {
    const { gap_us } = this.points
    let largest = 0
    for (let i = 0; i < count; i++) largest = Math.max(largest, gap_us[this.block.vantage[rows[i]!]!]!)
    return largest
  }

  /** Where the run of records ends that lie no further apart than a gap. */
  private endOfStretch(rows: Uint32Array, from: number, count: number, gap_us: number): number {
    const { start_us, end_us } = this.block
    let latest = end_us[rows[from]!]!
    let to = from + 1
    for (; to < count && start_us[rows[to]!]! - latest <= gap_us; to++) latest = Math.max(latest, end_us[rows[to]!]!)
    return to
  }

  /** Puts what the chosen vantage has not seen to the place `left` of the rows. @returns where these end. */
  private settleStretch(kind: number, rows: Uint32Array, from: number, to: number, left: number): number {
    const { block, points, fates } = this
    const chosen = this.chooseVantage(kind, rows, from, to)
    if (chosen === null) return left
    const covered = new Spans()
    const own_us = points.gap_us[chosen]!
    for (let i = from; i < to; i++) {
      const row = rows[i]!
      if (block.vantage[row] === chosen) covered.add(block.start_us[row]!, block.end_us[row]!, 2 * own_us)
    }
    let next = left
    for (let i = from; i < to; i++) {
      const row = rows[i]!
      const vantage = block.vantage[row]!
      if (vantage === chosen) continue
      const within_us = Math.max(own_us, points.gap_us[vantage]!)
      if (covered.touch(block.start_us[row]!, block.end_us[row]!, within_us)) fates[row] = fate.twin
      else rows[next++] = row
    }
    return next
  }

  /** The vantage with the most; null where there is only one. */
  private chooseVantage(kind: number, rows: Uint32Array, from: number, to: number): number | null {
    const { sums, block } = this
    sums.clear()
    for (let i = from; i < to; i++) sums.add(block, rows[i]!, block.vantage[rows[i]!]!)
    if (sums.seen.length === 1) return null
    let best = sums.seen[0]!
    for (const other of sums.seen) {
      if (other === best) continue
      const order =
        sums.compare(other, best) ||
        Number(this.sawOther(kind, other)) - Number(this.sawOther(kind, best)) ||
        Number(sums.onInstance[other]) - Number(sums.onInstance[best]) ||
        // Vantages are numbered in the order of their names.
        best - other
      if (order > 0) best = other
    }
    return best
  }

  /**
   * What one sensor let out and another one stopped: its accepted records are attempts, and the rejected ones stand for them. They are the
   * same packets only if there are about as many of them, with about as many bytes, at another sensor.
   */
  private dropStopped(accepted: number, rejected: number): void {
    const { block, fates, points, rows, ends } = this
    if (this.beginOf(accepted) === ends[accepted] || this.beginOf(rejected) === ends[rejected]) return
    const stops = this.sumsBySensor(rejected)
      .filter(stop => stop.packets >= 0 && stop.bytes >= 0)
      .sort((a, b) => (a.bytes < b.bytes ? -1 : Number(a.bytes > b.bytes)))
    const stopped = new Set<number>()
    for (const one of this.sumsBySensor(accepted)) {
      if (one.packets >= 0 && one.bytes >= 0 && hasLike(stops, one)) stopped.add(one.sensor)
    }
    if (stopped.size === 0) return
    for (let i = this.beginOf(accepted); i < ends[accepted]!; i++) {
      const row = rows[i]!
      if (fates[row] === fate.counted && stopped.has(points.sensor[block.vantage[row]!]!)) fates[row] = fate.twin
    }
  }

  private sumsBySensor(kind: number): SensorSum[] {
    const { block, fates, points } = this
    const sums = new Map<number, SensorSum>()
    for (const row of this.rows.subarray(this.beginOf(kind), this.ends[kind]!)) {
      if (fates[row] !== fate.counted) continue
      const vantage = block.vantage[row]!
      const sensor = points.sensor[vantage]!
      const sum = sums.get(sensor) ?? {
        ...{ sensor, packets: -1, bytes: -1, gap_us: 0 },
        ...{ from_us: Number.POSITIVE_INFINITY, to_us: Number.NEGATIVE_INFINITY },
      }
      sum.packets = sumWith(sum.packets, block, row, 'packets')
      sum.bytes = sumWith(sum.bytes, block, row, 'bytes')
      sum.from_us = Math.min(sum.from_us, block.start_us[row]!)
      sum.to_us = Math.max(sum.to_us, block.end_us[row]!)
      sum.gap_us = Math.max(sum.gap_us, points.gap_us[vantage]!)
      sums.set(sensor, sum)
    }
    return [...sums.values()]
  }
}

/** A sum with a record's counter; -1 is that of none that is known. */
function sumWith(sum: number | bigint, block: RecordBlock, row: number, name: 'packets' | 'bytes'): number | bigint {
  if ((block.known[row]! & known[name]) === 0) return sum
  return exactSum(sum < 0 ? 0 : sum, counterOf(block, row, name))
}

interface SensorSum {
  sensor: number
  packets: number | bigint
  bytes: number | bigint
  from_us: number
  to_us: number
  gap_us: number
}

/** Whether another sensor stopped about as much at about the time. @param stops in the order of their bytes. */
function hasLike(stops: readonly SensorSum[], one: SensorSum): boolean {
  let low = 0
  let high = stops.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const { bytes } = stops[middle]!
    if (bytes < one.bytes && !areAlike(one.bytes, bytes)) low = middle + 1
    else high = middle
  }
  for (let i = low; i < stops.length && areAlike(one.bytes, stops[i]!.bytes); i++) {
    const stop = stops[i]!
    const gap_us = Math.max(one.gap_us, stop.gap_us)
    const meet = one.from_us <= stop.to_us + gap_us && one.to_us >= stop.from_us - gap_us
    if (meet && stop.sensor !== one.sensor && areAlike(one.packets, stop.packets)) return true
  }
  return false
}

/** Whether two counters differ by at most a tenth of the first. */
function areAlike(one: number | bigint, other: number | bigint): boolean {
  const isSmall = typeof one === 'number' && typeof other === 'number' && Math.max(one, other) < 2 ** 49
  if (isSmall) return Math.abs(one - other) * 10 <= one
  const [a, b] = [BigInt(one), BigInt(other)]
  return (a > b ? a - b : b - a) * 10n <= a
}
