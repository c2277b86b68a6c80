/** From the columns that the engine gives to those of blocks, a batch at a time. */
import type { ColumnBatch, ColumnData } from '../store/answer.ts'
import { known, noHost } from './block.ts'
import type { ColumnArray, RecordColumns } from './columns.ts'
import type { HostNumbers } from './hosts.ts'
import type { ProjectedTexts, Projection } from './projection.ts'
import type { TextKeys } from './text-keys.ts'
import type { VantageNumbers } from './vantage-numbers.ts'

const two32 = 2 ** 32
/** Number of the first action that is neither ACCEPT nor REJECT. */
const firstOther = 3
/** `add` lets no other through. Of more than that in an altered case, all others have the last number. */
const actionsMax = 253

/** Numbers for hosts and vantages that were met; they are put in an order of their own at the end. */
export class Intake {
  private readonly projection: Projection
  private readonly hosts: HostNumbers
  private readonly vantages: VantageNumbers
  private readonly texts: ProjectedTexts
  /** Actions that are neither ACCEPT nor REJECT, from number 3 on. */
  readonly actions: string[]
  private readonly actionNumbers: Uint8Array

  constructor(projection: Projection, texts: ProjectedTexts, hosts: HostNumbers, vantages: VantageNumbers) {
    this.projection = projection
    this.texts = texts
    this.hosts = hosts
    this.vantages = vantages
    const words = texts.actions?.texts ?? []
    const others = words.filter(word => word !== null && word !== 'ACCEPT' && word !== 'REJECT') as string[]
    this.actions = others.sort().slice(0, actionsMax)
    this.actionNumbers = Uint8Array.from(words, word => this.actionNumber(word))
  }

  private actionNumber(word: string | null): number {
    if (word === null) return 0
    if (word === 'ACCEPT') return 1
    if (word === 'REJECT') return 2
    const place = this.actions.indexOf(word)
    return firstOther + (place < 0 ? actionsMax - 1 : place)
  }

  /** Puts the records of a batch at the beginning of columns. What `known` and the columns that no record has hold there must be zero. */
  take({ rows, columns }: ColumnBatch, into: RecordColumns): void {
    const { at, seen } = this.projection
    const of = (place: number | undefined): ColumnData | null => (place === undefined ? null : columns[place]!)
    into.file.set(new Uint32Array(of(at.file)!.data, 0, rows))
    into.line.set(new Uint32Array(of(at.line)!.data, 0, rows))
    this.addresses(of(at.sourceHigh), of(at.sourceLow), rows, into.source)
    this.addresses(of(at.destinationHigh), of(at.destinationLow), rows, into.destination)
    if (seen) {
      this.addresses(of(at.sourceSeenHigh), of(at.sourceSeenLow), rows, into.sourceSeen)
      this.addresses(of(at.destinationSeenHigh), of(at.destinationSeenLow), rows, into.destinationSeen)
    }
    short(of(at.sourcePort), rows, into.sourcePort, known.sourcePort, into.known)
    short(of(at.destinationPort), rows, into.destinationPort, known.destinationPort, into.known)
    byte(of(at.protocol), rows, into.protocol, known.protocol, into.known)
    byte(of(at.tcpFlags), rows, into.tcpFlags, known.tcpFlags, into.known)
    byte(of(at.icmpType), rows, into.icmpType, known.icmpType, into.known)
    counters(of(at.packets), rows, into.packets, into.packetsHigh, known.packets, into.known)
    counters(of(at.bytes), rows, into.bytes, into.bytesHigh, known.bytes, into.known)
    times(of(at.start), rows, into.start_us, known.start, into.known)
    times(of(at.end), rows, into.end_us, known.end, into.known)
    eachForTheOther(rows, into)
    flags(of(at.onInstance), rows, known.onInstance, into.known)
    flags(of(at.sourceIsService), rows, known.sourceIsService, into.known)
    flags(of(at.destinationIsService), rows, known.destinationIsService, into.known)
    const { actions, sensors } = this.texts
    if (actions !== null) this.takeActions(actions, new Uint32Array(of(at.actionKey)!.data), rows, into.action)
    this.takeVantages(sensors, of(at.sensorKey)?.data ?? null, rows, into)
  }

  private addresses(high: ColumnData | null, low: ColumnData | null, rows: number, into: Uint32Array): void {
    if (low === null) {
      into.fill(noHost, 0, rows)
      return
    }
    const { hosts } = this
    const { valid } = low
    const lower = new Uint32Array(low.data)
    const upper = high === null ? null : new Uint32Array(high.data)
    for (let row = 0; row < rows; row++) {
      const at = 2 * row
      if (valid !== null && !isValid(valid, row)) into[row] = noHost
      else if (upper === null) into[row] = hosts.numberOf(lower[at]!, lower[at + 1]!, 0, 0)
      else into[row] = hosts.numberOf(lower[at]!, lower[at + 1]!, upper[at]!, upper[at + 1]!)
    }
  }

  private takeActions(actions: TextKeys, keys: Uint32Array, rows: number, into: Uint8Array): void {
    const numbers = this.actionNumbers
    for (let row = 0; row < rows; row++) into[row] = numbers[actions.numberOf(keys[2 * row]!, keys[2 * row + 1]!)]!
  }

  private takeVantages(
    sensors: TextKeys | null,
    data: ArrayBufferLike | null,
    rows: number,
    into: RecordColumns,
  ): void {
    const { vantages } = this
    const { file, vantage, known: isKnown, start_us, end_us } = into
    const keys = data === null ? null : new Uint32Array(data)
    const both = known.start | known.end
    for (let row = 0; row < rows; row++) {
      const text = sensors === null || keys === null ? 0 : sensors.numberOf(keys[2 * row]!, keys[2 * row + 1]!)
      const number = vantages.numberOf(file[row]!, text)
      vantage[row] = number
      if ((isKnown[row]! & both) === both) vantages.lasted(number, end_us[row]! - start_us[row]!)
    }
  }
}

function isValid(valid: Uint8Array, row: number): boolean {
  return (valid[row >>> 3]! & (1 << (row & 7))) !== 0
}

/** Sets a bit of each row that has a value, and makes the others zero. */
function mark(
  valid: Uint8Array | null,
  rows: number,
  bit: number,
  isKnown: Uint16Array,
  into: Exclude<ColumnArray, Float64Array>,
): void {
  if (valid === null) {
    for (let row = 0; row < rows; row++) isKnown[row]! |= bit
    return
  }
  for (let row = 0; row < rows; row++) {
    if (isValid(valid, row)) isKnown[row]! |= bit
    else into[row] = 0
  }
}

function short(column: ColumnData | null, rows: number, into: Uint16Array, bit: number, isKnown: Uint16Array): void {
  if (column === null) return
  into.set(new Uint16Array(column.data, 0, rows))
  mark(column.valid, rows, bit, isKnown, into)
}

function byte(column: ColumnData | null, rows: number, into: Uint8Array, bit: number, isKnown: Uint16Array): void {
  if (column === null) return
  into.set(new Uint8Array(column.data, 0, rows))
  mark(column.valid, rows, bit, isKnown, into)
}

function counters(
  column: ColumnData | null,
  rows: number,
  low: Uint32Array,
  high: Uint32Array,
  bit: number,
  isKnown: Uint16Array,
): void {
  if (column === null) return
  const halves = new Uint32Array(column.data)
  for (let row = 0; row < rows; row++) low[row] = halves[2 * row]!
  mark(column.valid, rows, bit, isKnown, low)
  // Where no counter needs them, there is no column of upper halves.
  if (high.length === 0) return
  for (let row = 0; row < rows; row++) high[row] = halves[2 * row + 1]!
  if (column.valid !== null) mark(column.valid, rows, bit, isKnown, high)
}

function times(column: ColumnData | null, rows: number, into: Float64Array, bit: number, isKnown: Uint16Array): void {
  if (column === null) return
  const low = new Uint32Array(column.data)
  const high = new Int32Array(column.data)
  const { valid } = column
  for (let row = 0; row < rows; row++) {
    const isThere = valid === null || isValid(valid, row)
    into[row] = isThere ? high[2 * row + 1]! * two32 + low[2 * row]! : 0
    if (isThere) isKnown[row]! |= bit
  }
}

/** Where a record has one of its times, that is when it was: `known` tells that the other is not. */
function eachForTheOther(rows: number, { start_us, end_us, known: isKnown }: RecordColumns): void {
  const both = known.start | known.end
  for (let row = 0; row < rows; row++) {
    const times = isKnown[row]! & both
    if (times === known.start) end_us[row] = start_us[row]!
    else if (times === known.end) start_us[row] = end_us[row]!
  }
}

function flags(column: ColumnData | null, rows: number, bit: number, isKnown: Uint16Array): void {
  if (column === null) return
  const set = new Uint8Array(column.data)
  for (let row = 0; row < rows; row++) if (set[row] !== 0) isKnown[row]! |= bit
}
