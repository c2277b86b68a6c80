/**
 * Records row by row, on their way into the columns of blocks: a row lies in one place in memory, which is what putting them in order costs.
 *
 * A row is words of 32 bits: start and end as Float64, then what tells two records apart after their times, in the order in which it does.
 */
import { noHost } from './block.ts'
import type { ColumnName, RecordColumns } from './columns.ts'

/** First word of what comes after the times. */
const restAt = 4
const at = { source: 4, destination: 5, ports: 6, small: 7 } as const
/** Words after these, as far as records have such a column. */
const others = [
  ...(['packetsHigh', 'packets', 'bytesHigh', 'bytes', 'sourceSeen', 'destinationSeen'] as const),
  ...(['vantage', 'known', 'file', 'line'] as const),
]
type Other = (typeof others)[number]

/** Where each column stands in a row. */
export interface RowLayout {
  names: readonly ColumnName[]
  /** Words of a row; even, for the times. */
  stride: number
  /** Words of those columns that have one of their own. */
  word: Partial<Record<Other, number>>
}

export function layoutOf(names: readonly ColumnName[]): RowLayout {
  const word: RowLayout['word'] = {}
  let next = at.small + 1
  for (const name of others) if (names.includes(name)) word[name] = next++
  return { names, stride: next + (next % 2), word }
}

export function bytesOfRow({ stride }: RowLayout): number {
  return 4 * stride
}

/** Rows of words that come in the order of words from one on. */
export interface WordRows {
  words: Uint32Array
  stride: number
  first: number
}

const optional = ['packetsHigh', 'bytesHigh', 'sourceSeen', 'destinationSeen'] as const

export class Rows implements WordRows {
  readonly layout: RowLayout
  readonly buffer: ArrayBuffer
  readonly words: Uint32Array
  readonly stride: number
  readonly first = restAt
  /** Start of a row, then end, every `stride / 2` of them. */
  readonly times: Float64Array

  /** @param buffer with room for some rows. */
  constructor(layout: RowLayout, buffer: ArrayBuffer) {
    this.layout = layout
    this.buffer = buffer
    this.stride = layout.stride
    this.words = new Uint32Array(buffer)
    this.times = new Float64Array(buffer)
  }

  static of(layout: RowLayout, rows: number): Rows {
    return new Rows(layout, new ArrayBuffer(rows * bytesOfRow(layout)))
  }

  /** Puts some rows of columns at a row and after it. */
  put(row: number, columns: RecordColumns, chosen: Uint32Array): void {
    const { words, times, stride, layout } = this
    const { start_us, end_us, source, destination, sourcePort, destinationPort } = columns
    const { protocol, tcpFlags, action, packets, bytes, vantage, known, file, line } = columns
    const { word } = layout
    const [packetsAt, bytesAt, vantageAt] = [word.packets!, word.bytes!, word.vantage!]
    for (let n = 0, base = stride * row; n < chosen.length; n++, base += stride) {
      const i = chosen[n]!
      times[base >>> 1] = start_us[i]!
      times[(base >>> 1) + 1] = end_us[i]!
      words[base + at.source] = source[i]!
      words[base + at.destination] = destination[i]!
      words[base + at.ports] = (sourcePort[i]! << 16) | destinationPort[i]!
      words[base + at.small] = (protocol[i]! << 24) | (tcpFlags[i]! << 16) | action[i]!
      words[base + packetsAt] = packets[i]!
      words[base + bytesAt] = bytes[i]!
      words[base + vantageAt] = vantage[i]!
      words[base + vantageAt + 1] = known[i]!
      words[base + vantageAt + 2] = file[i]!
      words[base + vantageAt + 3] = line[i]!
    }
    const { icmpType } = columns
    if (layout.names.includes('icmpType'))
      for (let i = 0, place = stride * row + at.small; i < chosen.length; i++, place += stride)
        words[place]! |= icmpType[chosen[i]!]! << 8
    for (const name of optional) {
      if (word[name] === undefined) continue
      const column = columns[name]
      for (let i = 0, place = stride * row + word[name]; i < chosen.length; i++, place += stride)
        words[place] = column[chosen[i]!]!
    }
  }

  /** Gives some rows, in the order that is given, to columns, from a place on. */
  give(order: Uint32Array, columns: RecordColumns, place: number): void {
    // A few at a time, which the processor's nearest cache holds while one column after the other takes its part of them.
    for (let from = 0; from < order.length; from += rowsAtOnce) {
      const some = new Uint32Array(Math.min(rowsAtOnce, order.length - from))
      for (let i = 0; i < some.length; i++) some[i] = this.stride * order[from + i]!
      this.giveSome(some, columns, place + from)
    }
  }

  /** @param bases first words of the rows. */
  private giveSome(bases: Uint32Array, columns: RecordColumns, place: number): void {
    const { words, times, layout } = this
    giveTimes(times, 0, bases, columns.start_us, place)
    giveTimes(times, 1, bases, columns.end_us, place)
    giveWords(words, at.source, bases, columns.source, place)
    giveWords(words, at.destination, bases, columns.destination, place)
    giveShorts(words, at.ports, 16, bases, columns.sourcePort, place)
    giveShorts(words, at.ports, 0, bases, columns.destinationPort, place)
    giveBytes(words, at.small, 24, bases, columns.protocol, place)
    giveBytes(words, at.small, 16, bases, columns.tcpFlags, place)
    if (layout.names.includes('icmpType')) giveBytes(words, at.small, 8, bases, columns.icmpType, place)
    giveBytes(words, at.small, 0, bases, columns.action, place)
    for (const name of others) {
      const word = layout.word[name]
      if (word === undefined) continue
      if (name === 'known') giveShorts(words, word, 0, bases, columns.known, place)
      else giveWords(words, word, bases, columns[name], place)
    }
  }

  /** Puts one row of others, of the same layout, at a row. */
  copy(row: number, from: Rows, other: number): void {
    const { words, stride } = this
    for (let i = 0; i < stride; i++) words[stride * row + i] = from.words[stride * other + i]!
  }

  /** TCP flags of a row. */
  flags(row: number): number {
    return (this.words[this.stride * row + at.small]! >>> 16) & 255
  }

  /** Puts the numbers that hosts and vantages have in the end in the place of those that they have. */
  renumber(rows: number, { hosts, vantages }: Ranks): void {
    const { words, stride } = this
    const { sourceSeen, destinationSeen, vantage } = this.layout.word
    for (const place of [at.source, at.destination, sourceSeen, destinationSeen])
      if (place !== undefined) renumberWords(words, stride, place, rows, hosts)
    renumberWords(words, stride, vantage!, rows, vantages)
  }
}

const rowsAtOnce = 256

function giveTimes(times: Float64Array, which: 0 | 1, bases: Uint32Array, into: Float64Array, place: number): void {
  for (let i = 0; i < bases.length; i++) into[place + i] = times[(bases[i]! >>> 1) + which]!
}

function giveWords(words: Uint32Array, word: number, bases: Uint32Array, into: Uint32Array, place: number): void {
  for (let i = 0; i < bases.length; i++) into[place + i] = words[bases[i]! + word]!
}

function giveShorts(
  words: Uint32Array,
  word: number,
  shift: number,
  bases: Uint32Array,
  into: Uint16Array,
  place: number,
): void {
  for (let i = 0; i < bases.length; i++) into[place + i] = words[bases[i]! + word]! >>> shift
}

function giveBytes(
  words: Uint32Array,
  word: number,
  shift: number,
  bases: Uint32Array,
  into: Uint8Array,
  place: number,
): void {
  for (let i = 0; i < bases.length; i++) into[place + i] = words[bases[i]! + word]! >>> shift
}

/** What the numbers of hosts and vantages are in the end, by those that they were given. */
export interface Ranks {
  hosts: Uint32Array
  vantages: Uint32Array
}

function renumberWords(words: Uint32Array, stride: number, first: number, rows: number, ranks: Uint32Array): void {
  const end = first + stride * rows
  for (let place = first; place < end; place += stride) {
    const number = words[place]!
    if (number !== noHost) words[place] = ranks[number]!
  }
}
