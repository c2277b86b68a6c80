/** Running totals of a view: sums up to some places of the index, with which those of any window are worked out. */
import { setImmediate } from 'node:timers/promises'
import type { Going } from './going.ts'
import type { Mask } from './mask.ts'
import { Matching } from './matching.ts'
import { pack, unpack } from './packed.ts'
import { piecesOf, type TimeIndex } from './read.ts'
import type { Digit, RowReader } from './rows.ts'
import { classes, classOf, Series, ways } from './series.ts'
import { type HostSlots, isOwn, lookUp, type OwnHosts } from './slots.ts'
import { SumPlaces } from './sum-places.ts'
import { type Groups, how, type Rows, type SeenRows, Sums } from './sums.ts'

/** Which rows are summed up, and how. */
export interface Basis {
  reader: RowReader
  groups: Groups
  /** Bits of the rows that match; null: all. */
  mask: Mask | null
  /** Whether these are so few that they are held in memory: then it needs no places. */
  isFew: boolean
  hosts: HostSlots
  own: OwnHosts
  /** By number of a port: its own class in the series, or `portsMost`. */
  portClass: Uint8Array
  digit: Digit
}

/** Bytes that the places of a view may take. */
const bytesMost = 128 << 20
const places = { usual: 64, large: 256, largeFrom: 50_000_000 }
/** Blocks that are read before others have their turn. */
const blocksAtOnce = 4

/** How many places a view has, one at most for each block. */
export function placesFor({ blocks, rows }: TimeIndex, groups: Groups, parts: number): number {
  const wanted = rows > places.largeFrom ? places.large : places.usual
  const fitting = Math.floor(bytesMost / parts / Sums.sizeOf(groups))
  return Math.max(1, Math.min(wanted, blocks, fitting))
}

export class Running {
  readonly basis: Basis
  /** Blocks before each place, ascending; the last one is the end. */
  readonly at: readonly number[]
  /** What comes before each. */
  readonly places: SumPlaces
  /** What all rows sum up to, those without a time too. */
  readonly whole: Sums
  /** Null where no record has a time. */
  readonly series: Series | null
  private readonly scratch: Sums
  private readonly sight: Sight
  /** The rows of the view, where they are few. */
  private readonly gathered: SeenRows | null

  constructor(
    basis: Basis,
    at: readonly number[],
    places: SumPlaces,
    series: Series | null,
    gathered: SeenRows | null,
  ) {
    this.basis = basis
    this.gathered = gathered
    this.at = at
    this.places = places
    this.whole = new Sums(basis.groups)
    unpack(places.packedAt(places.count - 1), this.whole)
    this.series = series
    this.scratch = new Sums(basis.groups)
    this.sight = new Sight(basis)
  }

  get size(): number {
    const { basis, gathered } = this
    const rows = gathered === null ? 0 : bytesOfRow * gathered.kind.length
    return this.places.size + 2 * Sums.sizeOf(basis.groups) + (this.series?.size ?? 0) + rows
  }

  /** What rows from one up to another sum up to, until it is asked again. @throws DamagedSections */
  between(from: number, to: number): Sums {
    const { places, scratch } = this
    const [i, j] = [this.nearest(from), this.nearest(to)]
    const [low, high] = [this.place(i), this.place(j)]
    if (to - from <= Math.abs(low - from) + Math.abs(high - to)) {
      scratch.clear()
      this.add(scratch, from, to, 1)
      return scratch
    }
    scratch.difference(places.at(j), places.at(i))
    if (high < to) this.add(scratch, high, to, 1)
    else this.add(scratch, to, high, -1)
    if (low < from) this.add(scratch, low, from, -1)
    else this.add(scratch, from, low, 1)
    return scratch
  }

  private get index(): TimeIndex {
    return this.basis.reader.index
  }

  /** The row before which a place is. */
  private place(number: number): number {
    return Math.min(this.at[number]! * this.index.blockRows, this.index.rows)
  }

  /** The number of the place that lies nearest to a row. */
  private nearest(row: number): number {
    const { at } = this
    let low = 0
    while (low + 1 < at.length && this.place(low + 1) <= row) low++
    if (low + 1 === at.length) return low
    return row - this.place(low) <= this.place(low + 1) - row ? low : low + 1
  }

  private add(into: Sums, from: number, to: number, sign: 1 | -1): void {
    const { reader, groups, mask, digit } = this.basis
    if (this.gathered !== null) {
      into.add(this.gathered, [mask!.rank(from), mask!.rank(to)], sign, groups, null, 0)
      return
    }
    for (const { block, first, rows } of piecesOf(this.index, from, to)) {
      if (mask !== null && !hasAny(mask.words, first, reader.index.rowsOf(block))) continue
      into.add(this.sight.of(reader.block(block, digit), rows), rows, sign, groups, mask?.words ?? null, first)
    }
  }
}

/** Looks at rows as a view does. What it gave is overwritten by the next. */
export class Sight {
  private readonly basis: Basis
  private readonly room: Omit<SeenRows, keyof Rows>

  constructor(basis: Basis) {
    const { index } = basis.reader
    const one = (): Uint32Array => new Uint32Array(Math.min(index.blockRows, index.rows))
    this.basis = basis
    this.room = { sourceSlot: one(), destinationSlot: one(), port: one() }
  }

  of(rows: Rows, some: readonly [number, number]): SeenRows {
    const { hosts, reader } = this.basis
    const { sourceSlot, destinationSlot, port } = this.room
    lookUp(hosts, rows.source, some, sourceSlot)
    lookUp(hosts, rows.destination, some, destinationSlot)
    reader.serverPorts(rows, some, port)
    return { ...rows, ...this.room }
  }
}

/** One pass over all rows. @throws DamagedSections; the signal's reason. */
export async function runningOf(basis: Basis, count: number, { onProgress, signal }: Going = {}): Promise<Running> {
  const { reader, groups, mask, digit, isFew } = basis
  const { index } = reader
  const { span } = index
  const series = span === null ? null : new Series(span.first_s, span.last_s)
  const at = [...new Set(Array.from({ length: count + 1 }, (_, i) => Math.round((i * index.blocks) / count)))]
  const sum = new Sums(groups)
  const packed = [pack(sum)]
  const rows = reader.room()
  const seconds = new Float64Array(rows.kind.length)
  const sight = new Sight(basis)
  const matching = new Matching(rows.kind.length)
  const gathered = isFew ? roomFor(mask!.count) : null
  for (let block = 0; block < index.blocks; block++) {
    const first = block * index.blockRows
    const length = index.rowsOf(block)
    const count = mask === null ? length : matching.find(mask.words, first, length)
    if (count > 0) {
      reader.read(block, digit, rows)
      if (count < length) matching.gather(rows, count)
      const seen = sight.of(rows, [0, count])
      sum.add(seen, [0, count], 1, groups, null, 0)
      if (gathered !== null) keep(seen, count, mask!.before[block]!, gathered)
      const ends = Math.min(first + length, index.about.timed)
      const timed = ends <= first ? 0 : mask === null ? ends - first : mask.rank(ends) - mask.before[block]!
      if (series !== null && timed > 0) {
        index.readInto('second', block, seconds)
        if (count < length) matching.gatherFloats(seconds, timed)
        addToSeries(series, seen, seconds, [0, timed], basis, null, 0)
      }
    }
    if (block + 1 === at[packed.length]) packed.push(pack(sum))
    if (block % blocksAtOnce === 0) {
      onProgress?.(first + length)
      await setImmediate()
      signal?.throwIfAborted()
    }
  }
  const held = packed.reduce((bytes, one) => bytes + one.length, 0)
  return new Running(basis, at, new SumPlaces(groups, packed.length, place => packed[place]!, held), series, gathered)
}

/** Memory of a row that is gathered. */
const bytesOfRow = 32

function roomFor(rows: number): SeenRows {
  const one = (): Uint32Array => new Uint32Array(rows)
  // Slots and the server's port say all that is asked of hosts and ports.
  const none = new Uint32Array(0)
  return {
    ...{ source: none, destination: none, sourcePort: none, destinationPort: none },
    ...{ sourceSlot: one(), destinationSlot: one(), port: one(), kind: one() },
    ...{ bytes: new Float64Array(rows), packets: new Float64Array(rows) },
  }
}

/** Takes over the first rows of a block. @param at the number of the first one among all that are kept. */
function keep(rows: SeenRows, count: number, at: number, into: SeenRows): void {
  into.sourceSlot.set(rows.sourceSlot.subarray(0, count), at)
  into.destinationSlot.set(rows.destinationSlot.subarray(0, count), at)
  into.port.set(rows.port.subarray(0, count), at)
  into.kind.set(rows.kind.subarray(0, count), at)
  into.bytes.set(rows.bytes.subarray(0, count), at)
  into.packets.set(rows.packets.subarray(0, count), at)
}

/** Whether any bit of a block is set. */
export function hasAny(mask: Uint32Array, first: number, rows: number): boolean {
  const to = (first + rows + 31) >>> 5
  for (let word = first >>> 5; word < to; word++) if (mask[word] !== 0) return true
  return false
}

/**
 * Adds rows to the bins in which they begin; what lies outside of these is passed over.
 *
 * @param mask bits of those that count, from row `first` on; null: all.
 */
export function addToSeries(
  series: Series,
  rows: SeenRows,
  seconds: Float64Array,
  [from, to]: readonly [number, number],
  { groups, portClass, own }: Basis,
  mask: Uint32Array | null,
  first: number,
): void {
  const { records, bytes, packets, width_s, first: firstBin, bins } = series
  const { source, destination, port, kind } = rows
  const { bits } = own
  let second = Number.NaN
  let bin = 0
  for (let row = from; row < to; row++) {
    if (mask !== null && ((mask[(first + row) >>> 5]! >>> ((first + row) & 31)) & 1) === 0) continue
    const does = groups.how[kind[row]!]!
    if ((does & how.aside) !== 0) continue
    if (seconds[row] !== second) {
      second = seconds[row]!
      bin = Math.floor(second / width_s) - firstBin
    }
    if (bin < 0 || bin >= bins) continue
    const isOut = isOwn(bits, source[row]!)
    const way = isOut === isOwn(bits, destination[row]!) ? ways.other : isOut === 1 ? ways.out : ways.in
    const cell = bin * classes + classOf(portClass[port[row]!]!, (does & how.rejected) === 0 ? 0 : 1, way)
    records[cell]!++
    if ((does & how.still) !== 0) continue
    bytes[cell]! += rows.bytes[row]!
    packets[cell]! += rows.packets[row]!
  }
}
