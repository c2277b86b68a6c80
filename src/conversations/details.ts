/** What the table of connections does not hold, from the records that count: for those who ask in SQL. */
import { known, noHost, type RecordBlock, type RecordVantage } from '../record-index/block.ts'
import { fate } from './fates.ts'
import { isForward } from './pairs.ts'
import { SensorSets } from './sensor-sets.ts'

export interface Details {
  /** By connection and side (a, b): flags of all its records. */
  flags: Uint8Array
  /** By connection and side: whether a record of it has flags. Null where every record has them. */
  hasFlags: Uint8Array | null
  /** By connection and side: the address as the sensor saw it where it is another one, else `noHost`. Null where there is none. */
  seen: Uint32Array | null
  /** By connection: the number of the sensors' names among `names`. */
  sensors: Uint32Array
  names: string[]
}

/** @param connectionOf of the records that count. */
export function detailsOf(
  block: RecordBlock,
  fates: Uint8Array,
  connectionOf: Uint32Array,
  connections: number,
  vantages: readonly RecordVantage[],
): Details {
  const sets = new SensorSets(connections)
  const flags = new Uint8Array(2 * connections)
  const hasFlags = haveAllFlags(block) ? null : new Uint8Array(2 * connections)
  const isSeen = block.sourceSeen !== null || block.destinationSeen !== null
  const seen = isSeen ? new Uint32Array(2 * connections).fill(noHost) : null
  for (let row = 0; row < block.rows; row++) {
    if (fates[row] !== fate.counted) continue
    const connection = connectionOf[row]!
    const side = isForward(block, row) ? 0 : 1
    if ((block.known[row]! & known.tcpFlags) !== 0) {
      flags[2 * connection + side]! |= block.tcpFlags[row]!
      if (hasFlags !== null) hasFlags[2 * connection + side] = 1
    }
    if (seen !== null) noteSeen(seen, connection, side, block, row)
    sets.note(connection, block.vantage[row]!)
  }
  return { flags, hasFlags, seen, ...sets.named(vantages.map(({ sensor }) => sensor)) }
}

function haveAllFlags({ known: has, rows }: RecordBlock): boolean {
  for (let row = 0; row < rows; row++) if ((has[row]! & known.tcpFlags) === 0) return false
  return true
}

function noteSeen(seen: Uint32Array, connection: number, side: number, block: RecordBlock, row: number): void {
  const [source, destination] = [block.sourceSeen, block.destinationSeen]
  if (source !== null && source[row] !== block.source[row]) seen[2 * connection + side] = source[row]!
  if (destination !== null && destination[row] !== block.destination[row])
    seen[2 * connection + 1 - side] = destination[row]!
}
