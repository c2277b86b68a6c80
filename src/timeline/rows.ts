/** Rows of the time index as they are summed up: with the server's port of each, and whole counters. */
import type { ColumnName } from './layout.ts'
import { portCodes, serverPorts, type TimeIndex } from './read.ts'
import type { Rows } from './sums.ts'

/**
 * Which part of a counter is summed up: all of it, or 22 of its bits from the lowest on. Sums of parts are exact where those of the whole
 * pass 2^53.
 */
export type Digit = 0 | 1 | 2 | null
export const digitBits = 22

/** Blocks that stay as they are summed up: 2 MiB each. */
const keptBlocks = 16

export class RowReader {
  index: TimeIndex
  private readonly codes: Uint16Array
  private readonly none: number
  private readonly kept = new Map<number, Rows>()
  private readonly scratch: Record<'low' | 'high', Uint32Array>

  constructor(index: TimeIndex) {
    this.index = index
    this.codes = portCodes(index.about)
    this.none = index.about.ports.length
    const room = Math.min(index.blockRows, index.rows)
    const one = (): Uint32Array => new Uint32Array(room)
    this.scratch = { low: one(), high: one() }
  }

  /** Room for the rows of a block. */
  room(): Rows {
    const rows = Math.min(this.index.blockRows, this.index.rows)
    const one = (): Uint32Array => new Uint32Array(rows)
    return {
      ...{ source: one(), destination: one(), sourcePort: one(), destinationPort: one(), kind: one() },
      ...{ bytes: new Float64Array(rows), packets: new Float64Array(rows) },
    }
  }

  /** The rows of a block, which stay for a while. @throws DamagedSections */
  block(block: number, digit: Digit): Rows {
    const key = 4 * block + (digit ?? 3)
    const found = this.kept.get(key)
    if (found !== undefined) {
      this.kept.delete(key)
      this.kept.set(key, found)
      return found
    }
    let rows: Rows
    if (this.kept.size >= keptBlocks) {
      const [oldest, room] = this.kept.entries().next().value!
      this.kept.delete(oldest)
      rows = room
    } else rows = this.room()
    this.read(block, digit, rows)
    this.kept.set(key, rows)
    return rows
  }

  /** Reads the rows of a block. @throws DamagedSections */
  read(block: number, digit: Digit, into: Rows): void {
    const { index } = this
    index.readInto('source', block, into.source)
    index.readInto('destination', block, into.destination)
    this.readPorts(block, into)
    this.counters('bytes', block, digit, into.bytes)
    this.counters('packets', block, digit, into.packets)
  }

  /** Reads all but the counters that are not asked for; null: none is. @throws DamagedSections */
  readLinks(block: number, digit: Digit, counter: 'bytes' | 'packets' | null, into: Rows): void {
    this.index.readInto('source', block, into.source)
    this.index.readInto('destination', block, into.destination)
    this.readPorts(block, into)
    if (counter !== null) this.counters(counter, block, digit, into[counter])
  }

  /** Reads no more than kinds, ports and counters. @throws DamagedSections */
  readForPorts(block: number, into: Rows): void {
    this.readPorts(block, into)
    this.counters('bytes', block, null, into.bytes)
    this.counters('packets', block, null, into.packets)
  }

  private readPorts(block: number, { kind, sourcePort, destinationPort }: Rows): void {
    this.index.readInto('kind', block, kind)
    this.index.readInto('sourcePort', block, sourcePort)
    this.index.readInto('destinationPort', block, destinationPort)
  }

  /** Puts the server's port of some rows, as its number, into an array. */
  serverPorts(rows: Rows, some: readonly [number, number], into: Uint32Array): void {
    serverPorts(rows, some, this.index.hasPort, this.codes, this.none, into)
  }

  /** Reads from another file with the same rows: that of an index which was made again. */
  turnTo(index: TimeIndex): void {
    this.index = index
    this.kept.clear()
  }

  /** Forgets what it holds. */
  clear(): void {
    this.kept.clear()
  }

  private counters(name: 'bytes' | 'packets', block: number, digit: Digit, into: Float64Array): void {
    const { index } = this
    const { low, high } = this.scratch
    const highName: ColumnName = `${name}High`
    if (digit === null && index.isZero(highName, block)) {
      index.readInto(name, block, into)
      return
    }
    const rows = index.rowsOf(block)
    index.readInto(name, block, low)
    index.readInto(highName, block, high)
    if (digit === null) for (let row = 0; row < rows; row++) into[row] = high[row]! * 2 ** 32 + low[row]!
    else for (let row = 0; row < rows; row++) into[row] = digitOf(low[row]!, high[row]!, digit)
  }
}

/** Bits of a number of 64 bits. */
function digitOf(low: number, high: number, digit: 0 | 1 | 2): number {
  if (digit === 0) return low & 0x3f_ffff
  return digit === 1 ? (low >>> 22) | ((high & 0xfff) << 10) : high >>> 12
}
