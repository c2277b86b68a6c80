/** Blocks that are put together from rows of others. */
import { large, type RecordBlock } from '../record-index/block.ts'

type Columns = Omit<RecordBlock, 'rows' | 'largeCounters'>
interface GatheredBlock extends RecordBlock {
  largeCounters: Map<number, { packets: bigint; bytes: bigint }>
}

/** A block of no rows with room for some. @param from whose rows it begins with. */
export function emptyBlock(room: number, from: GatheredBlock | null = null): GatheredBlock {
  const columns: Columns = {
    source: new Uint32Array(room),
    destination: new Uint32Array(room),
    sourceSeen: new Uint32Array(room),
    destinationSeen: new Uint32Array(room),
    sourcePort: new Uint16Array(room),
    destinationPort: new Uint16Array(room),
    protocol: new Uint8Array(room),
    tcpFlags: new Uint8Array(room),
    icmpType: new Uint8Array(room),
    action: new Uint8Array(room),
    packets: new Uint32Array(room),
    bytes: new Uint32Array(room),
    start_us: new Float64Array(room),
    end_us: new Float64Array(room),
    vantage: new Uint32Array(room),
    known: new Uint16Array(room),
    file: new Uint32Array(room),
    line: new Uint32Array(0),
  }
  if (from !== null)
    for (const name of Object.keys(columns) as (keyof Columns)[]) if (name !== 'line') columns[name]!.set(from[name]!)
  return { ...columns, rows: from?.rows ?? 0, largeCounters: from?.largeCounters ?? new Map() }
}

/** Adds a row of another block. What that does not have of seen addresses is the true one. */
export function copyRow(from: RecordBlock, row: number, into: GatheredBlock): void {
  const at = into.rows++
  into.source[at] = from.source[row]!
  into.destination[at] = from.destination[row]!
  into.sourceSeen![at] = (from.sourceSeen ?? from.source)[row]!
  into.destinationSeen![at] = (from.destinationSeen ?? from.destination)[row]!
  into.sourcePort[at] = from.sourcePort[row]!
  into.destinationPort[at] = from.destinationPort[row]!
  into.protocol[at] = from.protocol[row]!
  into.tcpFlags[at] = from.tcpFlags[row]!
  into.icmpType[at] = from.icmpType[row]!
  into.action[at] = from.action[row]!
  into.packets[at] = from.packets[row]!
  into.bytes[at] = from.bytes[row]!
  into.start_us[at] = from.start_us[row]!
  into.end_us[at] = from.end_us[row]!
  into.vantage[at] = from.vantage[row]!
  into.known[at] = from.known[row]!
  into.file[at] = from.file[row]!
  if (from.packets[row] === large || from.bytes[row] === large) into.largeCounters.set(at, from.largeCounters.get(row)!)
}
