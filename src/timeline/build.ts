/** Makes the time index of a case from its record index. What comes out depends on the records alone. */

import { hasPorts } from '../net/protocols.ts'
import { known, large, noHost, type RecordBlock, type RecordDictionaries, wayOf } from '../record-index/block.ts'
import type { ColumnArray } from '../record-index/columns.ts'
import { encode, encodedMax } from '../record-index/encoding.ts'
import type { BlockColumn, RecordIndex } from '../record-index/read.ts'
import { SectionWriter } from '../store/section-file.ts'
import { KindNumbers } from './kinds.ts'
import type { HostOrder } from './largest-hosts.ts'
import { action, type ColumnName, columnNames, flag, noProtocol, serverPort, type TimelineAbout } from './layout.ts'
import { Bits, basesOf, type Places } from './places.ts'

/** What is known beside the record index. */
export interface BuildSettings {
  evidence: TimelineAbout['evidence']
  places: Places
  /** Places of the records that others stand for. */
  aside: Bits
  /** By vantage of the record index: the number of its sensor in `sensors`. */
  sensorOf: Uint32Array
  sensors: readonly (string | null)[]
  areSensorsTold: boolean
  onProgress: (rows: number) => void
  blockRows: number
  order: HostOrder
}

const two32 = 2 ** 32
const second_us = 1_000_000

/** Writes the file. @throws the system's error. */
export async function buildTimeline(index: RecordIndex, path: string, settings: BuildSettings): Promise<void> {
  const writer = new SectionWriter(path)
  try {
    await new Build(index, writer, settings).run()
  } finally {
    writer.close()
  }
}

class Build {
  private readonly index: RecordIndex
  private readonly writer: SectionWriter
  private readonly settings: BuildSettings
  private readonly dictionaries: RecordDictionaries
  private readonly kinds: KindNumbers
  private readonly bases: Float64Array
  private readonly seen: Bits
  private readonly shared = new Set<number>()
  private readonly hasPort = new Uint8Array(1 << 16)
  private readonly columns: Record<ColumnName, ColumnArray>
  private readonly buffer: ArrayBuffer
  /** Second of the first and the last row of each block. */
  private readonly starts: number[] = []
  private readonly sums = { bytes: 0n, packets: 0n }
  /** Rows of the block that is filled. */
  private filled = 0
  private rows = 0
  private timed = 0
  private last_us = Number.NaN

  constructor(index: RecordIndex, writer: SectionWriter, settings: BuildSettings) {
    this.index = index
    this.writer = writer
    this.settings = settings
    this.dictionaries = index.dictionaries
    this.kinds = new KindNumbers(settings.sensors.length, action.firstOther + this.dictionaries.actions.length)
    this.bases = basesOf(settings.places.files)
    this.seen = new Bits(settings.places.places)
    const { blockRows } = settings
    this.buffer = new ArrayBuffer(encodedMax(blockRows))
    this.columns = Object.fromEntries(
      columnNames.map(name => [name, name === 'second' ? new Float64Array(blockRows) : new Uint32Array(blockRows)]),
    ) as Record<ColumnName, ColumnArray>
  }

  async run(): Promise<void> {
    await this.take(true)
    this.timed = this.rows
    if (this.timed < this.index.rows) await this.take(false)
    if (this.filled > 0) this.flush()
    this.finish()
  }

  /** Takes the rows with a start, or those without one. */
  private async take(areTimed: boolean): Promise<void> {
    const { seen } = this.index
    const ends = seen ? (['sourceSeen', 'destinationSeen'] as const) : (['source', 'destination'] as const)
    const wanted: BlockColumn[] = [
      ...ends,
      ...(['sourcePort', 'destinationPort', 'protocol', 'action', 'packets', 'bytes'] as const),
      ...(['start_us', 'vantage', 'known', 'file', 'line'] as const),
    ]
    for await (const block of this.index.blocks(wanted)) {
      for (let row = 0; row < block.rows; ) {
        row = this.takeRows(block, row, areTimed)
        if (this.filled === this.settings.blockRows) this.flush()
      }
      this.settings.onProgress(this.rows)
    }
  }

  /** Takes rows until the block is full. @returns the first row that is left. */
  private takeRows(block: RecordBlock, from: number, areTimed: boolean): number {
    const { columns, bases } = this
    const { blockRows } = this.settings
    const { ways } = this.settings.places
    const { second, source, destination, sourcePort, destinationPort, kind, place } = columns
    const sources = block.sourceSeen ?? block.source
    const destinations = block.destinationSeen ?? block.destination
    const { numbers } = this.settings.order
    const none = numbers.length
    let at = this.filled
    let row = from
    for (; row < block.rows && at < blockRows; row++) {
      if (((block.known[row]! & known.start) !== 0) !== areTimed) continue
      const start_us = block.start_us[row]!
      second[at] = areTimed ? Math.floor(start_us / second_us) : (this.starts.at(-1) ?? 0)
      source[at] = sources[row] === noHost ? none : numbers[sources[row]!]!
      destination[at] = destinations[row] === noHost ? none : numbers[destinations[row]!]!
      sourcePort[at] = block.sourcePort[row]!
      destinationPort[at] = block.destinationPort[row]!
      const line = bases[block.file[row]!]! + ways * block.line[row]!
      place[at] =
        ways === 1 ? line : line + wayOf(sources[row]!, destinations[row]!, sourcePort[at]!, destinationPort[at]!)
      kind[at] = this.kindOf(block, row, place[at]!, start_us)
      this.last_us = start_us
      this.putCounters(block, row, at++)
    }
    this.rows += at - this.filled
    this.filled = at
    return row
  }

  private kindOf(block: RecordBlock, row: number, place: number, start_us: number): number {
    const has = block.known[row]!
    const { aside, sensorOf } = this.settings
    if (this.seen.has(place)) this.shared.add(place)
    else this.seen.add(place)
    let flags = aside.has(place) ? flag.aside : 0
    if ((has & known.bytes) === 0) flags |= flag.bytesUnknown
    if ((has & known.packets) === 0) flags |= flag.packetsUnknown
    if ((has & known.sourcePort) !== 0) flags |= flag.sourcePortKnown
    if ((has & known.destinationPort) !== 0) flags |= flag.destinationPortKnown
    if (start_us === this.last_us) flags |= flag.sameStart
    const protocol = (has & known.protocol) === 0 ? noProtocol : block.protocol[row]!
    const ports = flag.sourcePortKnown | flag.destinationPortKnown
    if ((flags & ports) === ports && hasPorts(protocol))
      this.hasPort[serverPort(block.sourcePort[row]!, block.destinationPort[row]!)] = 1
    return this.kinds.numberOf(sensorOf[block.vantage[row]!]!, block.action[row]!, protocol, flags)
  }

  private putCounters(block: RecordBlock, row: number, at: number): void {
    const { bytes, bytesHigh, packets, packetsHigh } = this.columns
    bytes[at] = block.bytes[row]!
    packets[at] = block.packets[row]!
    bytesHigh[at] = 0
    packetsHigh[at] = 0
    if (block.bytes[row] !== large && block.packets[row] !== large) return
    const counters = block.largeCounters.get(row)!
    bytes[at] = Number(counters.bytes & 0xffff_ffffn)
    bytesHigh[at] = Number(counters.bytes >> 32n)
    packets[at] = Number(counters.packets & 0xffff_ffffn)
    packetsHigh[at] = Number(counters.packets >> 32n)
  }

  private flush(): void {
    const rows = this.filled
    const { second } = this.columns
    this.starts.push(second[0]!, second[rows - 1]!)
    this.sums.bytes += this.sumOf('bytes', rows)
    this.sums.packets += this.sumOf('packets', rows)
    for (const name of columnNames) this.writer.add(encode(this.columns[name], rows, this.buffer))
    this.filled = 0
  }

  private sumOf(name: 'bytes' | 'packets', rows: number): bigint {
    const [low, high] = [this.columns[name], this.columns[`${name}High`]]
    let sum = 0
    let sumHigh = 0
    for (let row = 0; row < rows; row++) {
      sum += low[row]!
      sumHigh += high[row]!
    }
    return BigInt(sum) + BigInt(sumHigh) * BigInt(two32)
  }

  private finish(): void {
    const { evidence, places, sensors, areSensorsTold, blockRows, order } = this.settings
    const { hosts, actions } = this.dictionaries
    const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
      new Uint8Array(buffer, byteOffset, byteLength)
    this.writer.add(bytesOf(Float64Array.from(this.starts)))
    for (const words of hostWords(hosts, order.numbers))
      this.writer.add(encode(words, hosts.count, new ArrayBuffer(encodedMax(hosts.count))))
    const about: TimelineAbout = {
      ...{ evidence, rows: this.rows, timed: this.timed, hosts: hosts.count, kinds: this.kinds.kinds, sensors },
      ...{ areSensorsTold, blockRows, kept: order.kept, hostsMost: order.hostsMost, most: order.most },
      ...{ actions: [...actions], ports: [...this.hasPort.keys()].filter(port => this.hasPort[port] === 1) },
      ...{ files: places.files, ways: places.ways, places: places.places },
      shared: [...this.shared].sort((a, b) => a - b),
      ...{ bytes: String(this.sums.bytes), packets: String(this.sums.packets) },
    }
    this.writer.finish(Buffer.from(JSON.stringify(about)))
  }
}

/** Words of 32 bits of the hosts' addresses, the highest first. */
function hostWords({ hi, lo }: RecordDictionaries['hosts'], numbers: Uint32Array): Uint32Array[] {
  const [high, low] = [new Uint32Array(hi.buffer), new Uint32Array(lo.buffer)]
  const words = [0, 1, 2, 3].map(() => new Uint32Array(numbers.length))
  for (let host = 0; host < numbers.length; host++) {
    const at = numbers[host]!
    words[0]![at] = high[2 * host + 1]!
    words[1]![at] = high[2 * host]!
    words[2]![at] = low[2 * host + 1]!
    words[3]![at] = low[2 * host]!
  }
  return words
}
