/**
 * Which records count, where several sensors or files can have the same traffic (docs/reference/dossier.md, section 2).
 *
 * What is decided of a record depends on those of its pair of ends alone, but for the legs of hops: on those of its two hosts.
 */
import { known, noHost, type RecordBlock, type RecordVantage } from '../record-index/block.ts'
import { fate, type Points } from './fates.ts'
import { gap_us } from './intervals.ts'
import { hashOf, KeyTable } from './key-table.ts'
import { Spans } from './spans.ts'
import { dropTwins } from './twins.ts'

export interface CountOnce {
  evidence: 'logs' | 'packets'
  vantages: readonly RecordVantage[]
  /** Whose traffic it is: a hop's own legs count if it is the subject's. Null: everybody's. */
  isSubject: ((host: number) => boolean) | null
}

/**
 * The fate of each record.
 *
 * @param block all records of their pairs of ends (and of their pairs of hosts, where hops pass on), in order.
 */
export function countOnce(block: RecordBlock, how: CountOnce): Uint8Array {
  const fates = new Uint8Array(block.rows)
  const points = pointsOf(how)
  for (let row = 0; row < block.rows; row++) {
    if (block.source[row] === noHost || block.destination[row] === noHost) fates[row] = fate.withoutEnds
  }
  const named = namedPairs(block, fates, points, Math.max(0, ...points.gap_us))
  dropCopies(block, fates, points)
  if (named !== null) dropTranslated(block, fates, points, how, named)
  if (how.vantages.length > 1) dropTwins(block, fates, points)
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

/** The same record, written to several files: the first file's counts. */
function dropCopies(block: RecordBlock, fates: Uint8Array, points: Points): void {
  const { rows, file } = block
  if (file.every(one => one === file[0])) return
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * rows + 2)))
  const mask = slots.length - 1
  // Of equal records the first one's row stands for all; the smallest of their files is kept there.
  const firstFile = new Uint32Array(rows)
  const alike = new Uint32Array(rows)
  let repeated = false
  for (let row = 0; row < rows; row++) {
    if (fates[row] !== fate.counted) continue
    let slot = hashOf(block.source[row]!, block.destination[row]!, block.start_us[row]! / 1e6, block.bytes[row]!) & mask
    while (slots[slot] !== 0 && !areEqual(block, slots[slot]! - 1, row, points)) slot = (slot + 1) & mask
    if (slots[slot] === 0) {
      slots[slot] = row + 1
      firstFile[row] = file[row]!
    }
    const one = slots[slot]! - 1
    alike[row] = one
    if (firstFile[one] !== file[row]) repeated = true
    if (file[row]! < firstFile[one]!) firstFile[one] = file[row]!
  }
  if (!repeated) return
  for (let row = 0; row < rows; row++) {
    if (fates[row] === fate.counted && file[row] !== firstFile[alike[row]!]) fates[row] = fate.copy
  }
}

const compared =
  known.sourcePort | known.destinationPort | known.protocol | known.tcpFlags | known.packets | known.bytes

function areEqual(block: RecordBlock, one: number, other: number, points: Points): boolean {
  const b = block
  const isEqual =
    b.source[one] === b.source[other] &&
    b.destination[one] === b.destination[other] &&
    b.start_us[one] === b.start_us[other] &&
    b.end_us[one] === b.end_us[other] &&
    b.sourcePort[one] === b.sourcePort[other] &&
    b.destinationPort[one] === b.destinationPort[other] &&
    b.protocol[one] === b.protocol[other] &&
    b.packets[one] === b.packets[other] &&
    b.bytes[one] === b.bytes[other] &&
    b.action[one] === b.action[other] &&
    b.tcpFlags[one] === b.tcpFlags[other] &&
    (b.known[one]! & compared) === (b.known[other]! & compared) &&
    points.sensor[b.vantage[one]!] === points.sensor[b.vantage[other]!]
  if (!isEqual || b.largeCounters.size === 0) return isEqual
  const [x, y] = [b.largeCounters.get(one), b.largeCounters.get(other)]
  return x?.packets === y?.packets && x?.bytes === y?.bytes
}

/** Pairs (sensor, hop, the far end that it stands in for), and when records named them. */
interface NamedPairs {
  keys: KeyTable
  spans: Spans[]
  /** Half of what two of them may lie apart and still be one. */
  gap_us: number
}

/** What records name where the sensor saw another address than the packets'; null where none does. */
function namedPairs(block: RecordBlock, fates: Uint8Array, points: Points, gap_us: number): NamedPairs | null {
  if (block.sourceSeen === null && block.destinationSeen === null) return null
  const keys = new KeyTable()
  const spans: Spans[] = []
  for (let row = 0; row < block.rows; row++) {
    if (fates[row] === fate.withoutEnds) continue
    for (const [hop, end] of namedBy(block, row)) {
      const pair = keys.add(points.sensor[block.vantage[row]!]!, hop, end, 0)
      spans[pair] ??= new Spans()
      spans[pair].add(block.start_us[row]!, block.end_us[row]!, 2 * gap_us)
    }
  }
  return keys.count === 0 ? null : { keys, spans, gap_us }
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
