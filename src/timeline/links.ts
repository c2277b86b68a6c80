/** Who sent how much to whom, through which server's port: the largest of each, and all others in one. Every record of the window is in one link of each kind. */
import { setImmediate } from 'node:timers/promises'
import { countOf, hostText } from './figures.ts'
import { flag } from './layout.ts'
import type { End, Link, LinkSum, Links } from './link.ts'
import { isWide } from './make-view.ts'
import { type HostValues, largest, type NodesWanted, networkNodes } from './network-nodes.ts'
import type { ViewParts } from './parts.ts'
import { type Digit, digitBits } from './rows.ts'
import { how, type Rows } from './sums.ts'

export type LinkMeasure = 'bytes' | 'packets' | 'records'

export interface LinkOptions extends NodesWanted {
  measure: LinkMeasure
  /** Sources, ports and destinations that stand for themselves. */
  top: number
  /** Links between hosts that are listed. */
  links: number
  signal?: AbortSignal
}

/** @param window first row, and the one after the last. */
export async function linksOf(
  parts: ViewParts,
  window: readonly [number, number],
  options: LinkOptions,
): Promise<Links> {
  const { index } = parts.reader
  const passes: readonly Digit[] = options.measure !== 'records' && isWide(index) ? [0, 1, 2] : [null]
  const pass = new Pass(parts, window, options)
  const ranks = new Ranks(index.about.hosts + 1, index.about.ports.length + 1)
  for (const digit of passes) await pass.each(digit, picked => ranks.add(picked, 2 ** (digitBits * (digit ?? 0))))
  const noHost = index.about.hosts
  const noPort = index.about.ports.length
  const source = chosen(ranks.sent, ranks.isSource, options.top, noHost)
  const destination = chosen(ranks.received, ranks.isDestination, options.top, noHost)
  const port = chosen(ranks.ports, ranks.isPort, options.top, noPort)
  const network = networkNodes(index.hosts, ranks, options)
  const [sent, received, between] = [
    new Cells(source.count, port.count, passes.length),
    new Cells(port.count, destination.count, passes.length),
    new Cells(network.nodes.length, network.nodes.length, passes.length),
  ]
  for (const [part, digit] of passes.entries())
    await pass.each(digit, picked => {
      sent.add(picked, part, source.of, picked.rows.source, port.of, picked.port)
      received.add(picked, part, port.of, picked.port, destination.of, picked.rows.destination)
      between.add(picked, part, network.of, picked.rows.source, network.of, picked.rows.destination)
    })
  const isRecords = options.measure === 'records'
  const all = between.links(isRecords)
  const host = (number: number): End => ({ host: hostText(index.hosts, number)! })
  return {
    total: between.sum(all),
    sources: source.ends(host),
    ports: port.ends(number => ({ port: index.about.ports[number]! })),
    destinations: destination.ends(host),
    sent: sent.links(isRecords),
    received: received.links(isRecords),
    nodes: network.nodes,
    between: all.slice(0, options.links),
    left: { ...between.sum(all.slice(options.links)), links: Math.max(0, all.length - options.links) },
  }
}

/** Rows of a block that match and count. */
interface Picked {
  rows: Rows
  /** By row: number of the server's port. */
  port: Uint32Array
  at: Uint32Array
  count: number
  /** By kind: whether its records are summed up, and whether they say how much. */
  moves: Uint8Array
  says: Uint8Array
  /** By row; null: each counts as one. */
  values: Float64Array | null
}

/** Blocks that are read before others have their turn. */
const blocksAtOnce = 4

class Pass {
  private readonly parts: ViewParts
  private readonly window: readonly [number, number]
  private readonly options: LinkOptions
  private readonly rows: Rows
  private readonly port: Uint32Array
  private readonly at: Uint32Array
  private readonly counts: Uint8Array
  private readonly moves: Uint8Array
  private readonly says: Uint8Array

  constructor(parts: ViewParts, window: readonly [number, number], options: LinkOptions) {
    const { reader, running } = parts
    this.parts = parts
    this.window = window
    this.options = options
    this.rows = reader.room()
    this.port = new Uint32Array(this.rows.source.length)
    this.at = new Uint32Array(this.rows.source.length)
    const { measure } = options
    const { groups } = running[0]!.basis
    const unknownBit = measure === 'packets' ? packetsUnknown(parts) : null
    this.counts = groups.how.map(bits => Number((bits & how.aside) === 0))
    this.moves = groups.how.map(bits => Number(measure === 'records' || (bits & how.still) === 0))
    this.says = groups.how.map((bits, kind) =>
      Number(measure === 'records' || (unknownBit === null ? (bits & how.bytesUnknown) === 0 : unknownBit[kind] === 0)),
    )
  }

  /** @throws DamagedSections; the signal's reason. */
  async each(digit: Digit, work: (picked: Picked) => void): Promise<void> {
    const { reader, mask } = this.parts
    const { rows, at, counts, moves, says, options } = this
    const [from, to] = this.window
    const { blockRows } = reader.index
    const counter = options.measure === 'records' ? null : options.measure
    const values = counter === null ? null : rows[counter]
    for (let block = Math.floor(from / blockRows); block * blockRows < to; block++) {
      const first = block * blockRows
      reader.readLinks(block, digit, counter, rows)
      const [start, end] = [Math.max(0, from - first), Math.min(reader.index.rowsOf(block), to - first)]
      reader.serverPorts(rows, [start, end], this.port)
      let count = 0
      for (let row = start; row < end; row++) {
        if (mask !== null && !mask.has(first + row)) continue
        if (counts[rows.kind[row]!] === 1) at[count++] = row
      }
      work({ rows, port: this.port, at, count, moves, says, values })
      if (block % blocksAtOnce !== 0) continue
      await setImmediate()
      options.signal?.throwIfAborted()
    }
  }
}

function packetsUnknown({ reader }: ViewParts): Uint8Array {
  return Uint8Array.from(reader.index.about.kinds, ([, , , flags]) => Number((flags & flag.packetsUnknown) !== 0))
}

/** What each host and port has: to choose the largest, so that the last bits do not matter. */
class Ranks implements HostValues {
  readonly sent: Float64Array
  readonly received: Float64Array
  readonly ports: Float64Array
  readonly isSource: Uint8Array
  readonly isDestination: Uint8Array
  readonly isPort: Uint8Array

  constructor(hosts: number, ports: number) {
    this.sent = new Float64Array(hosts)
    this.received = new Float64Array(hosts)
    this.ports = new Float64Array(ports)
    this.isSource = new Uint8Array(hosts)
    this.isDestination = new Uint8Array(hosts)
    this.isPort = new Uint8Array(ports)
  }

  add({ rows, port, at, count, moves, says, values }: Picked, weight: number): void {
    const { source, destination, kind } = rows
    for (let i = 0; i < count; i++) {
      const row = at[i]!
      const [from, to, through] = [source[row]!, destination[row]!, port[row]!]
      this.isSource[from] = 1
      this.isDestination[to] = 1
      this.isPort[through] = 1
      const own = kind[row]!
      if (moves[own] === 0 || says[own] === 0) continue
      const value = values === null ? 1 : values[row]! * weight
      this.sent[from]! += value
      this.received[to]! += value
      this.ports[through]! += value
    }
  }
}

interface Chosen {
  /** By number of a host or port: which end it is. */
  of: Uint16Array
  count: number
  ends(name: (number: number) => End): End[]
}

/** The largest, then all others as one, then what has none. */
function chosen(values: Float64Array, isThere: Uint8Array, top: number, none: number): Chosen {
  const kept = largest(
    none,
    top,
    number => values[number]!,
    number => isThere[number] === 1,
  )
  const of = new Uint16Array(values.length).fill(kept.length)
  for (const [at, number] of kept.entries()) of[number] = at
  of[none] = kept.length + 1
  let others = -kept.length
  for (let number = 0; number < none; number++) others += isThere[number]!
  return {
    of,
    count: kept.length + 2,
    ends: name => [...kept.map(name), { others }, { none: true }],
  }
}

/** Sums between ends, in as many parts as there are passes. */
class Cells {
  private readonly width: number
  private readonly records: Float64Array
  private readonly unsaid: Float64Array
  private readonly values: readonly Float64Array[]

  constructor(from: number, to: number, parts: number) {
    this.width = to
    this.records = new Float64Array(from * to)
    this.unsaid = new Float64Array(from * to)
    this.values = Array.from({ length: parts }, () => new Float64Array(from * to))
  }

  add(
    { rows, at, count, moves, says, values }: Picked,
    part: number,
    fromOf: Uint16Array,
    from: Uint32Array,
    toOf: Uint16Array,
    to: Uint32Array,
  ): void {
    const { width, records, unsaid } = this
    const sums = this.values[part]!
    for (let i = 0; i < count; i++) {
      const row = at[i]!
      const cell = fromOf[from[row]!]! * width + toOf[to[row]!]!
      const own = rows.kind[row]!
      if (part === 0) records[cell]! += 1
      if (moves[own] === 0) continue
      if (says[own] === 1) sums[cell]! += values === null ? 1 : values[row]!
      else if (part === 0) unsaid[cell]! += 1
    }
  }

  /** Those with records, from the largest. */
  links(isRecords: boolean): Link[] {
    const links: (Link & { rank: bigint | number })[] = []
    this.records.forEach((records, cell) => {
      if (records === 0) return
      const value = isRecords ? records : this.valueOf(cell)
      const [from, to] = [Math.floor(cell / this.width), cell % this.width]
      links.push({ from, to, records, value: countOf(value), unsaid: this.unsaid[cell]!, rank: value })
    })
    links.sort((a, b) => (a.rank < b.rank ? 1 : a.rank > b.rank ? -1 : b.records - a.records))
    return links.map(({ rank: _, ...link }) => link)
  }

  sum(links: readonly Link[]): LinkSum {
    return {
      records: links.reduce((sum, { records }) => sum + records, 0),
      value: countOf(links.reduce((sum, { value }) => sum + BigInt(value), 0n)),
      unsaid: links.reduce((sum, { unsaid }) => sum + unsaid, 0),
    }
  }

  private valueOf(cell: number): number | bigint {
    if (this.values.length === 1) return this.values[0]![cell]!
    return this.values.reduce((sum, part, i) => sum + (BigInt(part[cell]!) << BigInt(digitBits * i)), 0n)
  }
}
