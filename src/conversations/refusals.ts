/**
 * What explains rejected records: what the same sensor let through of the same ends (docs/reference/dossier.md, "Rejected records").
 *
 * AWS logs as REJECT what a security group, a network ACL or Block Public Access stopped, and also what came after a connection was closed.
 */
import { assert } from '../errors.ts'
import { hasPorts, TCP } from '../net/protocols.ts'
import { known, noHost, type RecordBlock, type RecordDictionaries } from '../record-index/block.ts'
import { batchKeys, KeyTable } from './key-table.ts'
import { requireMemory } from './memory.ts'
import { isForward, keyOf, portsOf } from './pairs.ts'
import { isRejected } from './signs.ts'

/** What a rejected record is judged to be. */
export const refusal = {
  /** Its connection had FIN or RST before. */
  closed: 0,
  /** Records of its direction were let through before, and none was after. */
  ended: 1,
  /** What it answers was let through, and no answer ever was. */
  returnPath: 2,
  /** A SYN. */
  opening: 3,
  /** Nothing of its ends was let through before. */
  first: 4,
  /** Let through before and after it. */
  again: 5,
  /** One interval has it and what was let through of its direction. */
  coarse: 6,
  /** Long after what was let through, and nothing tells an opening. */
  reused: 7,
  /** TCP without SYN, and nothing let through before. */
  notOpening: 8,
  /** Its log has REJECT alone. */
  oneSided: 9,
  withoutTime: 10,
  withoutEnds: 11,
} as const

export type Refusal = (typeof refusal)[keyof typeof refusal]

/** RFC 9293, 3.6.1: a port is not used again for the same connection for twice the longest life of a segment, four minutes. */
const quiet_us = 240 * 1_000_000

const [FIN_RST, SYN, ACK] = [5, 2, 16]
const noFlags = 0xffff
const noKey = 0xffff_ffff

/** Above the protocol, and which of that and the ports are known. */
const sensorShift = 11
const sensorsMax = 1 << (32 - sensorShift)

/** Bytes of a record in the columns below, with its place in a table; and of one that was let through, in order. */
const bytesOfRecord = 64
const bytesOfPassed = 40

/** Records of tuples, one column each. */
interface TupleRecords {
  count: number
  /** Number of the sensor and the ends. `noKey` where a record has none. */
  key: Uint32Array
  /** Whether it goes from end a to end b. */
  forward: Uint8Array
  start_us: Float64Array
  end_us: Float64Array
  /** `noFlags` where it has none, or is not of TCP. */
  flags: Uint16Array
  hasTime: Uint8Array
  file: Uint32Array
  line: Uint32Array
}

/** A rejected record that was judged. */
export interface Refused {
  file: number
  line: number
  is: Refusal
  /** Number of its sensor, ends and direction, for `endsOf`; `noEnds` where it has none. */
  ends: number
}

export const noEnds = -1

/** Who sent a record's packets to whom. */
export interface RefusedEnds {
  sensor: string | null
  /** Numbers of hosts. */
  source: number
  destination: number
  protocol: number
  /** Null where the protocol has none. */
  sourcePort: number | null
  destinationPort: number | null
}

/** Who recorded, of what the judge needs of dictionaries. */
type Vantages = RecordDictionaries['vantages']

/**
 * Judges rejected records in three steps, for blocks in the order of records: `note` of each, then `learn` of each, then `each`.
 * Holds the rejected records, and what was let through of their ends.
 */
export class RefusalJudge {
  /** Sensor, ends, ports and protocol. */
  private readonly tuples = new KeyTable()
  private readonly sensorOf: Uint32Array
  private readonly sensors: (string | null)[]
  private readonly rejected: TupleRecords[] = []
  private readonly accepted: TupleRecords[] = []
  /** Records of both. */
  private held = 0

  constructor(vantages: Vantages) {
    const sensors = new Map<string | null, number>()
    this.sensorOf = Uint32Array.from(vantages, ({ sensor }) => {
      const number = sensors.get(sensor) ?? sensors.size
      sensors.set(sensor, number)
      return number
    })
    this.sensors = [...sensors.keys()]
    assert(sensors.size <= sensorsMax, 'a case has fewer sensors than a key has room for')
  }

  /** Takes the rejected records of a block: all, or those that are wanted. */
  note(block: RecordBlock, isWanted: (row: number) => boolean = () => true): void {
    const rows = rowsWhere(block, row => isRejected(block, row) && isWanted(row))
    this.requireRoom(rows.length)
    this.rejected.push(recordsOf(block, rows, this.tuplesOf(block, rows, 'added')))
  }

  /** Takes what a block has of the ends of the rejected records that was let through. */
  learn(block: RecordBlock): void {
    if (this.tuples.count === 0) return
    const passed = rowsWhere(block, row => !isRejected(block, row) && hasTime(block, row))
    const tuples = this.tuplesOf(block, passed, 'found')
    let count = 0
    for (let i = 0; i < passed.length; i++) {
      if (tuples[i] === noKey) continue
      passed[count] = passed[i]!
      tuples[count++] = tuples[i]!
    }
    if (count === 0) return
    this.requireRoom(count)
    this.accepted.push(recordsOf(block, passed.subarray(0, count), tuples))
  }

  /**
   * Every rejected record, in the order in which they were noted.
   *
   * @param isRejectOnly whether a file's flow log has REJECT records alone.
   */
  each(isRejectOnly: (file: number) => boolean, take: (refused: Refused) => void): void {
    const accepted = this.accepted.reduce((sum, { count }) => sum + count, 0)
    requireMemory(this.held, bytesOfPassed * (accepted + this.tuples.count))
    const passed = passedOf(this.accepted, this.tuples.count)
    for (const records of this.rejected)
      for (let i = 0; i < records.count; i++) {
        const [file, key] = [records.file[i]!, records.key[i]!]
        const ends = key === noKey ? noEnds : 2 * key + records.forward[i]!
        take({ file, line: records.line[i]!, is: judge(records, i, passed, isRejectOnly(file)), ends })
      }
  }

  /** @throws UserError where there is too little memory for more records. */
  private requireRoom(records: number): void {
    this.held += records
    requireMemory(this.held, bytesOfRecord * records)
  }

  endsOf(ends: number): RefusedEnds {
    const tuple = Math.floor(ends / 2)
    const part = (place: 0 | 1 | 2 | 3): number => this.tuples.part(tuple, place)
    const [a, b, ports, last] = [part(0), part(1), part(2), part(3)]
    const protocol = last & 0xff
    const [aPort, bPort] = hasPorts(protocol) ? [ports & 0xffff, ports >>> 16] : [null, null]
    const sensor = this.sensors[last >>> sensorShift]!
    return ends % 2 === 1
      ? { sensor, source: a, destination: b, protocol, sourcePort: aPort, destinationPort: bPort }
      : { sensor, source: b, destination: a, protocol, sourcePort: bPort, destinationPort: aPort }
  }

  /** Numbers of the sensor and ends of rows; `noKey` where a record has no ends, or (unless they are added) they are not there. */
  private tuplesOf(block: RecordBlock, rows: Uint32Array, wanted: 'added' | 'found'): Uint32Array {
    const numbers = new Uint32Array(rows.length).fill(noKey)
    const batch = new Uint32Array(4 * batchKeys)
    const places = new Uint32Array(batchKeys)
    const given = new Uint32Array(batchKeys)
    let count = 0
    const flush = (): void => {
      if (wanted === 'added') this.tuples.addAll(batch, count, given)
      // What is not there is -1, which is `noKey`.
      else this.tuples.findAll(batch, count, new Int32Array(given.buffer))
      for (let i = 0; i < count; i++) numbers[places[i]!] = given[i]!
      count = 0
    }
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      if (!hasEnds(block, row)) continue
      const forward = isForward(block, row)
      batch[4 * count] = forward ? block.source[row]! : block.destination[row]!
      batch[4 * count + 1] = forward ? block.destination[row]! : block.source[row]!
      batch[4 * count + 2] = portsOf(block, row, forward)
      batch[4 * count + 3] = keyOf(block, row, forward) | (this.sensorOf[block.vantage[row]!]! << sensorShift)
      places[count++] = i
      if (count === batchKeys) flush()
    }
    flush()
    return numbers
  }
}

function recordsOf(block: RecordBlock, rows: Uint32Array, keys: Uint32Array): TupleRecords {
  const count = rows.length
  const records: TupleRecords = {
    count,
    key: keys.slice(0, count),
    forward: new Uint8Array(count),
    start_us: new Float64Array(count),
    end_us: new Float64Array(count),
    flags: new Uint16Array(count),
    hasTime: new Uint8Array(count),
    file: new Uint32Array(count),
    line: new Uint32Array(count),
  }
  for (let at = 0; at < count; at++) {
    const row = rows[at]!
    records.forward[at] = Number(isForward(block, row))
    records.start_us[at] = block.start_us[row]!
    records.end_us[at] = block.end_us[row]!
    records.flags[at] = tcpFlagsOf(block, row)
    records.hasTime[at] = Number(hasTime(block, row))
    records.file[at] = block.file[row]!
    records.line[at] = block.line[row]!
  }
  return records
}

function rowsWhere(block: RecordBlock, is: (row: number) => boolean): Uint32Array {
  const rows = new Uint32Array(block.rows)
  let count = 0
  for (let row = 0; row < block.rows; row++) if (is(row)) rows[count++] = row
  return rows.slice(0, count)
}

function hasTime(block: RecordBlock, row: number): boolean {
  return (block.known[row]! & (known.start | known.end)) !== 0
}

/** A connection is known by both addresses, the protocol, and both ports where the protocol has some. */
function hasEnds(block: RecordBlock, row: number): boolean {
  if (block.source[row] === noHost || block.destination[row] === noHost) return false
  const has = block.known[row]!
  if ((has & known.protocol) === 0) return false
  const ports = known.sourcePort | known.destinationPort
  return !hasPorts(block.protocol[row]!) || (has & ports) === ports
}

function tcpFlagsOf(block: RecordBlock, row: number): number {
  const has = block.known[row]!
  const isTcp = (has & known.protocol) !== 0 && block.protocol[row] === TCP
  return isTcp && (has & known.tcpFlags) !== 0 ? block.tcpFlags[row]! : noFlags
}

/** What was let through, by sensor, ends and direction (`2 * key + forward`), each list in order of start. */
interface Passed {
  /** Where each list begins, and the last one ends. */
  from: Uint32Array
  start_us: Float64Array
  /** Of a record and all before it in its list: the latest end, the latest start of one with a SYN alone, and of one with FIN or RST. */
  latestEnd_us: Float64Array
  latestSyn_us: Float64Array
  latestClose_us: Float64Array
}

function passedOf(parts: readonly TupleRecords[], keys: number): Passed {
  const from = new Uint32Array(2 * keys + 1)
  const listOf = ({ key, forward }: TupleRecords, i: number): number => 2 * key[i]! + forward[i]!
  for (const part of parts) for (let i = 0; i < part.count; i++) from[listOf(part, i) + 1]!++
  for (let list = 0; list < 2 * keys; list++) from[list + 1]! += from[list]!
  const next = from.slice()
  const count = from[2 * keys]!
  const [start_us, latestEnd_us] = [new Float64Array(count), new Float64Array(count)]
  const [latestSyn_us, latestClose_us] = [new Float64Array(count), new Float64Array(count)]
  for (const part of parts)
    for (let i = 0; i < part.count; i++) {
      const list = listOf(part, i)
      const at = next[list]!++
      const isFirst = at === from[list]
      const start = part.start_us[i]!
      const flags = part.flags[i]!
      const before = (column: Float64Array): number => (isFirst ? Number.NEGATIVE_INFINITY : column[at - 1]!)
      start_us[at] = start
      latestEnd_us[at] = Math.max(before(latestEnd_us), part.end_us[i]!)
      latestSyn_us[at] = isSynAlone(flags) ? start : before(latestSyn_us)
      latestClose_us[at] = flags !== noFlags && (flags & FIN_RST) !== 0 ? start : before(latestClose_us)
    }
  return { from, start_us, latestEnd_us, latestSyn_us, latestClose_us }
}

function isSynAlone(flags: number): boolean {
  return flags !== noFlags && (flags & (SYN | ACK)) === SYN
}

function judge(records: TupleRecords, i: number, passed: Passed, isRejectOnly: boolean): Refusal {
  const [key, flags, end] = [records.key[i]!, records.flags[i]!, records.end_us[i]!]
  if (key === noKey) return refusal.withoutEnds
  if (isSynAlone(flags)) return refusal.opening
  if (records.hasTime[i] === 0) return refusal.withoutTime
  const own = 2 * key + records.forward[i]!
  const other = 2 * key + 1 - records.forward[i]!
  const { from } = passed
  const ownBegun = placeAfter(passed, own, end)
  if (placeAfter(passed, own, records.start_us[i]!) > from[own]!)
    return judgeContinued(passed, { own: ownBegun, other: placeAfter(passed, other, end) }, own, records, i)
  if (ownBegun > from[own]!) return refusal.coarse
  if (placeAfter(passed, other, end) > from[other]!)
    return from[own + 1] === from[own] ? refusal.returnPath : refusal.again
  if (isRejectOnly) return refusal.oneSided
  return flags === noFlags ? refusal.first : refusal.notOpening
}

/** Of a record whose direction was let through before it. @param begun the places after what began until its end. */
function judgeContinued(
  passed: Passed,
  begun: { own: number; other: number },
  own: number,
  records: TupleRecords,
  i: number,
): Refusal {
  const { from, latestEnd_us, latestSyn_us, latestClose_us } = passed
  const other = 2 * records.key[i]! + 1 - records.forward[i]!
  const latest = (column: Float64Array): number =>
    Math.max(
      begun.own > from[own]! ? column[begun.own - 1]! : Number.NEGATIVE_INFINITY,
      begun.other > from[other]! ? column[begun.other - 1]! : Number.NEGATIVE_INFINITY,
    )
  const lastEnd = latestEnd_us[begun.own - 1]!
  if (lastEnd > records.end_us[i]!) return refusal.coarse
  if (records.flags[i] === noFlags && records.start_us[i]! - lastEnd > quiet_us) return refusal.reused
  const closed = latest(latestClose_us)
  if (closed !== Number.NEGATIVE_INFINITY && closed >= latest(latestSyn_us)) return refusal.closed
  return begun.own < from[own + 1]! ? refusal.again : refusal.ended
}

/** The place in a list after the last record that starts at a time or before. */
function placeAfter({ from, start_us }: Passed, list: number, time_us: number): number {
  let [low, high] = [from[list]!, from[list + 1]!]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (start_us[middle]! <= time_us) low = middle + 1
    else high = middle
  }
  return low
}
