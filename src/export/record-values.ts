/** Values of a flow record by the names of its columns; null where it has none. */
import type { ExportedRecord } from './items.ts'

export function textOf(record: ExportedRecord, name: string): string | null {
  const cell = record[name]
  return cell === null || cell === undefined ? null : String(cell)
}

/** Counters beyond 2^53 are bigints. */
export function wholeOf(record: ExportedRecord, name: string): number | bigint | null {
  const cell = record[name]
  return typeof cell === 'number' || typeof cell === 'bigint' ? cell : null
}

interface Ends {
  src: string
  dst: string
  /** The addresses that the sensor saw in their place, behind NAT or a gateway; null: the same. */
  srcSeen: string | null
  dstSeen: string | null
}

/** The ends of the packets themselves; null where the record does not name both. */
export function trueEnds(record: ExportedRecord): Ends | null {
  const [src, srcSeen] = endOf(record, 'src')
  const [dst, dstSeen] = endOf(record, 'dst')
  return src === null || dst === null ? null : { src, dst, srcSeen, dstSeen }
}

function endOf(record: ExportedRecord, side: 'src' | 'dst'): [string | null, string | null] {
  const seen = textOf(record, `${side}addr`)
  const own = textOf(record, `pkt_${side}addr`) ?? seen
  return [own, seen === own ? null : seen]
}
