/**
 * Which records count, where several sensors or files can have the same traffic (docs/reference/dossier.md, section 2).
 *
 * What is decided of a record depends on those of its pair of ends alone, but for the legs of hops: on those of its two hosts.
 */

import { known, noHost, type RecordBlock, type RecordVantage } from '../record-index/block.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { fate, type Points } from './fates.ts'
import { gap_us } from './intervals.ts'
import { KeyTable } from './key-table.ts'
import type { PairNumbers } from './pairs.ts'
import { Spans } from './spans.ts'
import { dropTwins } from './twins.ts'

export interface CountOnce {
  evidence: EvidenceKind
  vantages: readonly RecordVantage[]
  /** Whose traffic it is: a hop's own legs count if it is the subject's. Null: everybody's. */
  isSubject: ((host: number) => boolean) | null
}

/**
 * The fate of each record.
 *
 * @param block all records of their pairs of ends (and of their pairs of hosts, where hops pass on), in order.
 * @param pairs of its records.
 */
export function countOnce(
  block: RecordBlock,
  pairs: PairNumbers,
  how: CountOnce,
  named: NamedPairs | null = namedPairs(block, how),
): Uint8Array {
  const fates = new Uint8Array(block.rows)
  const points = pointsOf(how)
  for (let row = 0; row < block.rows; row++) {
    if (block.source[row] === noHost || block.destination[row] === noHost) fates[row] = fate.withoutEnds
  }
  dropCopies(block, fates, points)
  if (named !== null && named.keys.count > 0) dropTranslated(block, fates, points, how, named)
  if (how.vantages.length > 1) dropTwins(block, fates, points, pairs)
  return fates
}

export function pointsOf({ evidence, vantages }: Pick<CountOnce, 'evidence' | 'vantages'>): Points {
  const sensors = new Map<string | null, number>()
  const sensor = Uint32Array.from(vantages, one => {
    if (!sensors.has(one.sensor)) sensors.set(one.sensor, sensors.size)
    return sensors.get(one.sensor)!
  })
  return { sensor, gap_us: Float64Array.from(vantages, one => gap_us(evidence, one.longest_us)) }
}

/**
 * The same record, written to several files: the first file's counts. In the order of records equal ones follow one another, but for what
 * names their vantage.
 */
function dropCopies(block: RecordBlock, fates: Uint8Array, points: Points): void {
  for (let from = 0, row = 1; row <= block.rows; row++) {
    if (row < block.rows && areAlike(block, from, row)) continue
    if (row - from > 1) dropCopiesAmong(block, from, row, fates, points)
    from = row
  }
}

/** Of rows that are alike those with the same sensor are one record in each file. */
function dropCopiesAmong(block: RecordBlock, from: number, to: number, fates: Uint8Array, points: Points): void {
  // Most often there are few, of one file.
  if (isOfOneFile(block, from, to)) return
  const firstFile = new Map<number, number>()
  const nameOf = (row: number): number =>
    points.sensor[block.vantage[row]!]! * 0x1_0000 + (block.known[row]! & compared)
  for (let row = from; row < to; row++) {
    if (fates[row] !== fate.counted) continue
    const name = nameOf(row)
    firstFile.set(name, Math.min(firstFile.get(name) ?? Number.POSITIVE_INFINITY, block.file[row]!))
  }
  for (let row = from; row < to; row++) {
    if (fates[row] === fate.counted && firstFile.get(nameOf(row)) !== block.file[row]) fates[row] = fate.copy
  }
}

function isOfOneFile({ file }: RecordBlock, from: number, to: number): boolean {
  for (let row = from + 1; row < to; row++) if (file[row] !== file[from]) return false
  return true
}

const compared =
  known.sourcePort | known.destinationPort | known.protocol | known.tcpFlags | known.packets | known.bytes

/** Whether two records are equal, but for their vantages, places and what is not known. */
function areAlike(b: RecordBlock, one: number, other: number): boolean {
  const areEqual =
    b.start_us[one] === b.start_us[other] &&
    b.source[one] === b.source[other] &&
    b.destination[one] === b.destination[other] &&
    b.sourcePort[one] === b.sourcePort[other] &&
    b.destinationPort[one] === b.destinationPort[other] &&
    b.end_us[one] === b.end_us[other] &&
    b.protocol[one] === b.protocol[other] &&
    b.packets[one] === b.packets[other] &&
    b.bytes[one] === b.bytes[other] &&
    b.action[one] === b.action[other] &&
    b.tcpFlags[one] === b.tcpFlags[other] &&
    b.icmpType[one] === b.icmpType[other]
  if (!areEqual || b.largeCounters.size === 0) return areEqual
  const [x, y] = [b.largeCounters.get(one), b.largeCounters.get(other)]
  return x?.packets === y?.packets && x?.bytes === y?.bytes
}

/** Pairs (sensor, hop, the far end that it stands in for), and when records named them. */
export class NamedPairs {
  readonly keys = new KeyTable()
  readonly spans: Spans[] = []
  /** Half of what two records of a pair may lie apart and still be of one span. */
  readonly gap_us: number
  private readonly points: Points

  constructor(points: Points) {
    this.points = points
    this.gap_us = points.gap_us.reduce((most, one) => Math.max(most, one), 0)
  }

  /** Notes what records name, which come in order. */
  add(block: RecordBlock): void {
    const { keys, spans, points } = this
    for (let row = 0; row < block.rows; row++) {
      if (block.source[row] === noHost || block.destination[row] === noHost) continue
      for (const [hop, end] of namedBy(block, row)) {
        const pair = keys.add(points.sensor[block.vantage[row]!]!, hop, end, 0)
        spans[pair] ??= new Spans()
        spans[pair].add(block.start_us[row]!, block.end_us[row]!, 2 * this.gap_us)
      }
    }
  }
}

/** What records name where the sensor saw another address than the packets'; null where there are none of such records. */
function namedPairs(block: RecordBlock, how: CountOnce): NamedPairs | null {
  if (block.sourceSeen === null && block.destinationSeen === null) return null
  const pairs = new NamedPairs(pointsOf(how))
  pairs.add(block)
  return pairs
}

function namedBy(block: RecordBlock, row: number): [number, number][] {
  const named: [number, number][] = []
  const source = block.sourceSeen?.[row] ?? noHost
  const destination = block.destinationSeen?.[row] ?? noHost
  if (source !== noHost && source !== block.source[row]) named.push([source, block.source[row]!])
  if (destination !== noHost && destination !== block.destination[row])
    named.push([destination, block.destination[row]!])
  return named
}

/**
 * Legs of a connection that a hop H (NAT gateway, load balancer) passes on under its own address, instead of the far end F.
 *
 * Records that name a pair (H, F) at a sensor and those between H and F themselves are the same traffic. Either kind is dropped where it
 * overlaps the other in time: the direct ones, or the naming ones if H is the subject's.
 */
function dropTranslated(
  block: RecordBlock,
  fates: Uint8Array,
  points: Points,
  { isSubject }: CountOnce,
  { keys, spans, gap_us }: NamedPairs,
): void {
  const direct: Spans[] = []
  for (let row = 0; row < block.rows; row++) {
    if (fates[row] === fate.withoutEnds) continue
    const sensor = points.sensor[block.vantage[row]!]!
    const [start, end] = [block.start_us[row]!, block.end_us[row]!]
    const [source, destination] = [block.source[row]!, block.destination[row]!]
    for (const hop of source === destination ? [source] : [source, destination]) {
      const pair = keys.find(sensor, hop, hop === source ? destination : source, 0)
      if (pair < 0) continue
      if (isSubject?.(hop) === true) {
        direct[pair] ??= new Spans()
        direct[pair].add(start, end, 2 * gap_us)
      } else if (fates[row] === fate.counted && spans[pair]!.touch(start, end, gap_us)) fates[row] = fate.translated
    }
  }
  if (isSubject === null) return
  for (let row = 0; row < block.rows; row++) {
    if (fates[row] !== fate.counted) continue
    for (const [hop, end] of namedBy(block, row)) {
      const pair = keys.find(points.sensor[block.vantage[row]!]!, hop, end, 0)
      const legs = isSubject(hop) ? direct[pair] : undefined
      if (legs?.touch(block.start_us[row]!, block.end_us[row]!, gap_us) === true) fates[row] = fate.translated
    }
  }
}
