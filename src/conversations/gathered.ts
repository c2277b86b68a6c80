/** Blocks that are put together from rows of others. */
import { large, type RecordBlock } from '../record-index/block.ts'
import { gathered } from '../record-index/columns.ts'

const columns = [
  ...([
    'source',
    'destination',
    'sourcePort',
    'destinationPort',
    'protocol',
    'tcpFlags',
    'icmpType',
    'action',
  ] as const),
  ...(['packets', 'bytes', 'start_us', 'end_us', 'vantage', 'known', 'file'] as const),
]

/** A block that is filled, with all columns but the lines. */
export class GatheredBlock {
  readonly block: RecordBlock
  private readonly largeCounters = new Map<number, { packets: bigint; bytes: bigint }>()
  private filled = 0

  /** @param rows that it will have. */
  constructor(rows: number, seen: boolean) {
    this.block = {
      rows,
      source: new Uint32Array(rows),
      destination: new Uint32Array(rows),
      sourceSeen: seen ? new Uint32Array(rows) : null,
      destinationSeen: seen ? new Uint32Array(rows) : null,
      sourcePort: new Uint16Array(rows),
      destinationPort: new Uint16Array(rows),
      protocol: new Uint8Array(rows),
      tcpFlags: new Uint8Array(rows),
      icmpType: new Uint8Array(rows),
      action: new Uint8Array(rows),
      packets: new Uint32Array(rows),
      bytes: new Uint32Array(rows),
      largeCounters: this.largeCounters,
      start_us: new Float64Array(rows),
      end_us: new Float64Array(rows),
      vantage: new Uint32Array(rows),
      known: new Uint16Array(rows),
      file: new Uint32Array(rows),
      line: new Uint32Array(0),
    }
  }

  /** Adds rows of another block. */
  add(from: RecordBlock, rows: Uint32Array): void {
    const at = this.filled
    const { sourceSeen, destinationSeen } = this.block
    for (const name of columns) gathered(from[name], rows, this.block[name].subarray(at))
    if (sourceSeen !== null) gathered(from.sourceSeen!, rows, sourceSeen.subarray(at))
    if (destinationSeen !== null) gathered(from.destinationSeen!, rows, destinationSeen.subarray(at))
    if (from.largeCounters.size > 0) {
      for (const [i, row] of rows.entries()) {
        if (from.packets[row] === large || from.bytes[row] === large)
          this.largeCounters.set(at + i, from.largeCounters.get(row)!)
      }
    }
    this.filled += rows.length
  }
}
