/** Reading the time index: any column of any block, with the digest of each checked when it is first read. */
import { statSync } from 'node:fs'
import { marksOf } from '../conversations/hosts.ts'
import type { Prefix } from '../net/prefix.ts'
import { hasPorts } from '../net/protocols.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import { decode, encodedMax } from '../record-index/encoding.ts'
import { DamagedSections, type SectionFile } from '../store/section-file.ts'
import {
  type ColumnName,
  columnNames,
  endSections,
  flag,
  noProtocol,
  serverPort,
  type TimelineAbout,
} from './layout.ts'

/** Numbers of one block, a column each; what is not asked for is empty. */
export interface Block {
  /** Its first row. */
  from: number
  rows: number
  source: Uint32Array
  destination: Uint32Array
  sourcePort: Uint32Array
  destinationPort: Uint32Array
  kind: Uint32Array
}

/** Columns that stay decoded, of any blocks: some 256 KiB each. */
const keptColumns = 96

type Column = Uint32Array | Float64Array

export class TimeIndex {
  readonly about: TimelineAbout
  readonly file: SectionFile
  readonly blocks: number
  /** By kind: 1 where its records have a server's port, by number. */
  readonly hasPort: Uint8Array
  private readonly starts: Float64Array
  private readonly buffer: Uint8Array
  private readonly one = new Uint32Array(1)
  private readonly kept = new Map<number, Column>()
  private checked: Uint8Array
  private stamp: string
  private dictionary: RecordDictionaries['hosts'] | null = null

  /** @throws DamagedSections for a file that is not what was written. */
  constructor(file: SectionFile) {
    this.file = file
    this.about = aboutOf(file)
    const { rows, blockRows } = this.about
    this.blocks = Math.ceil(rows / blockRows)
    this.buffer = new Uint8Array(encodedMax(Math.min(blockRows, rows)))
    this.checked = new Uint8Array(file.sections)
    this.stamp = stampOf(file.path)
    this.starts = new Float64Array(this.whole(0))
    this.hasPort = Uint8Array.from(this.about.kinds, ([, , protocol, flags]) => {
      const both = flag.sourcePortKnown | flag.destinationPortKnown
      return Number((flags & both) === both && protocol !== noProtocol && hasPorts(protocol))
    })
  }

  get blockRows(): number {
    return this.about.blockRows
  }

  get rows(): number {
    return this.about.rows
  }

  /** The addresses of the hosts, by their numbers. */
  get hosts(): RecordDictionaries['hosts'] {
    this.dictionary ??= this.readHosts()
    return this.dictionary
  }

  private readHosts(): RecordDictionaries['hosts'] {
    const { hosts: count } = this.about
    const halves = [new BigUint64Array(count), new BigUint64Array(count)]
    const words = new Uint32Array(count)
    for (let i = 0; i < 4; i++) {
      decode(new Uint8Array(this.whole(1 + i)), count, words)
      const into = new Uint32Array(halves[i >>> 1]!.buffer)
      const from = i % 2 === 0 ? 1 : 0
      for (let host = 0; host < count; host++) into[2 * host + from] = words[host]!
    }
    return { count, hi: halves[0]!, lo: halves[1]! }
  }

  /** By host: 1 where its address lies in one of some prefixes. */
  hostsIn(prefixes: readonly Prefix[]): Uint8Array {
    const { hosts, about } = this
    const marks = new Uint8Array(hosts.count)
    for (const [from, to] of [
      [0, about.kept],
      [about.kept, hosts.count],
    ] as const) {
      const some = { count: to - from, hi: hosts.hi.subarray(from, to), lo: hosts.lo.subarray(from, to) }
      marks.set(marksOf(some, prefixes), from)
    }
    return marks
  }

  /** First and last second with a record; null where no record has a time. */
  get span(): { first_s: number; last_s: number } | null {
    const { timed, blockRows } = this.about
    if (timed === 0) return null
    const last = Math.floor((timed - 1) / blockRows)
    return { first_s: this.starts[0]!, last_s: this.column('second', last)[(timed - 1) % blockRows]! }
  }

  /** Before a question: what was changed since the last one is checked again as it is read. */
  begin(): void {
    const stamp = stampOf(this.file.path)
    if (stamp === this.stamp) return
    this.stamp = stamp
    this.checked.fill(0)
    this.kept.clear()
  }

  rowsOf(block: number): number {
    const { blockRows, rows } = this.about
    return Math.min(blockRows, rows - block * blockRows)
  }

  /** A column of a block, which stays for a while. @throws DamagedSections */
  column(name: ColumnName, block: number): Column {
    const key = block * columnNames.length + columnNames.indexOf(name)
    const found = this.kept.get(key)
    if (found !== undefined) {
      // The latest last.
      this.kept.delete(key)
      this.kept.set(key, found)
      return found
    }
    const rows = this.rowsOf(block)
    const column = name === 'second' ? new Float64Array(rows) : new Uint32Array(rows)
    this.readInto(name, block, column)
    this.kept.set(key, column)
    if (this.kept.size > keptColumns) this.kept.delete(this.kept.keys().next().value!)
    return column
  }

  /** Reads a column into an array with room for it. @throws DamagedSections */
  readInto(name: ColumnName, block: number, into: Column): void {
    const section = block * columnNames.length + columnNames.indexOf(name)
    const bytes = this.file.read(section, this.buffer, this.checked[section] === 1)
    this.checked[section] = 1
    decode(bytes, this.rowsOf(block), into)
  }

  /** Whether all values of a column of a block are zero, and not only the same. @throws DamagedSections */
  isZero(name: 'bytesHigh' | 'packetsHigh', block: number): boolean {
    const section = block * columnNames.length + columnNames.indexOf(name)
    if (this.file.lengthOf(section) !== encodedMax(0)) return false
    this.readInto(name, block, this.one)
    return this.one[0] === 0
  }

  /** The first row that begins in a second or after it; of those without a time none. */
  rowAt(second: number): number {
    const { timed, blockRows } = this.about
    let low = 0
    let high = Math.ceil(timed / blockRows)
    // The first block whose last row is not before it.
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.lastSecond(middle) < second) low = middle + 1
      else high = middle
    }
    if (low * blockRows >= timed) return timed
    const rows = Math.min(this.rowsOf(low), timed - low * blockRows)
    if (this.starts[2 * low]! >= second) return low * blockRows
    const seconds = this.column('second', low)
    let from = 0
    let to = rows
    while (from < to) {
      const middle = (from + to) >>> 1
      if (seconds[middle]! < second) from = middle + 1
      else to = middle
    }
    return low * blockRows + from
  }

  private lastSecond(block: number): number {
    const { timed, blockRows } = this.about
    return (block + 1) * blockRows <= timed
      ? this.starts[2 * block + 1]!
      : this.column('second', block)[timed - 1 - block * blockRows]!
  }

  private whole(section: number): ArrayBuffer {
    const at = this.blocks * columnNames.length + section
    const bytes = new ArrayBuffer(this.file.lengthOf(at))
    this.file.read(at, new Uint8Array(bytes))
    return bytes
  }

  close(): void {
    this.kept.clear()
    this.file.close()
  }
}

/** Rows from one up to another one, by their blocks. */
export function* piecesOf({ blockRows }: TimeIndex, from: number, to: number): Generator<Piece> {
  for (let row = from; row < to; ) {
    const block = Math.floor(row / blockRows)
    const first = block * blockRows
    const until = Math.min(to, first + blockRows)
    yield { block, first, rows: [row - first, until - first] }
    row = until
  }
}

export interface Piece {
  block: number
  /** The first row of the block. */
  first: number
  /** From which row of the block up to which one. */
  rows: readonly [from: number, to: number]
}

/** Puts the server's port of some rows, as its number in `TimelineAbout.ports`, into an array; `none` for a row without one. */
export function serverPorts(
  { sourcePort, destinationPort, kind }: Pick<Block, 'sourcePort' | 'destinationPort' | 'kind'>,
  [from, to]: readonly [number, number],
  hasPort: Uint8Array,
  codes: Uint16Array,
  none: number,
  into: Uint32Array,
): void {
  for (let row = from; row < to; row++)
    into[row] = hasPort[kind[row]!] === 1 ? codes[serverPort(sourcePort[row]!, destinationPort[row]!)]! : none
}

/** By port: its number in `TimelineAbout.ports`. */
export function portCodes({ ports }: TimelineAbout): Uint16Array {
  const codes = new Uint16Array(1 << 16)
  for (const [code, port] of ports.entries()) codes[port] = code
  return codes
}

/** What says whether somebody wrote to a file. */
function stampOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? '' : `${found.mtimeNs} ${found.ctimeNs} ${found.size} ${found.ino}`
}

function aboutOf(file: SectionFile): TimelineAbout {
  let about: TimelineAbout | null = null
  try {
    about = JSON.parse(Buffer.from(file.about).toString()) as TimelineAbout
  } catch {
    // Told below.
  }
  const blocks = Math.ceil(Number(about?.rows) / Number(about?.blockRows))
  if (about === null || file.sections !== blocks * columnNames.length + endSections.length)
    throw new DamagedSections(file.path, 'what it says of itself does not fit')
  return about
}
