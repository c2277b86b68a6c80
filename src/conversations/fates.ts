/** What may become of a record that is counted once, and what that is decided by. */
import { known, type RecordBlock } from '../record-index/block.ts'
import type { KeyTable } from './key-table.ts'
import { isRejected } from './signs.ts'

/** What becomes of a record: it counts, it has not both ends, another one stands for it, or it is looked at elsewhere. */
export const fate = { counted: 0, withoutEnds: 1, copy: 2, translated: 3, twin: 4, elsewhere: 5 } as const

/** Points that recorded, by number (which is also the order of their names): their sensors as numbers, and how late their records may be. */
export interface Points {
  sensor: Uint32Array
  gap_us: Float64Array
}

/** The number of a record's direction and ends, together with whether it was rejected (bit 9 of the last part). */
export function kindOf(keys: KeyTable, block: RecordBlock, row: number): number {
  const has = block.known[row]!
  const flags =
    ((has & known.protocol) !== 0 ? block.protocol[row]! : 0x100) |
    (isRejected(block, row) ? 0x200 : 0) |
    ((has & known.sourcePort) !== 0 ? 0 : 0x400) |
    ((has & known.destinationPort) !== 0 ? 0 : 0x800)
  const ports = (block.sourcePort[row]! | (block.destinationPort[row]! << 16)) >>> 0
  return keys.add(block.source[row]!, block.destination[row]!, ports, flags)
}
