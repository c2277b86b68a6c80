import { noConnection } from '../conversations/connection-table.ts'
import type { Chained } from '../conversations/conversations.ts'
import type { Services } from '../conversations/services.ts'
import { counterOf, isRejected } from '../conversations/signs.ts'
import { spread } from '../conversations/spread.ts'
import type { SubjectRecords } from '../conversations/subject.ts'
import { exactSum } from '../conversations/sums.ts'
import { utcSeconds } from '../net/time.ts'
import { known } from '../record-index/block.ts'
import type { Count, TimelineBin } from './dossier.ts'
import { type Listed, notListed } from './listing.ts'
import { hasTime } from './records.ts'

const binSizes = [
  1,
  5,
  10,
  30,
  60,
  300,
  600,
  900,
  1800,
  3600,
  7200,
  14400,
  21600,
  43200,
  86400,
  7 * 86400,
  30 * 86400,
  365 * 86400,
]
const binsMax = 96

/**
 * Accepted bytes of each service over time. A record's bytes are spread over its time: put at its start they would make bursts that never
 * were.
 */
export function gatherTimeline(
  { from_us, to_us }: { from_us: number; to_us: number },
  { block }: SubjectRecords,
  { connectionOf }: Chained,
  { serviceOf }: Services,
  { places }: Listed,
): TimelineBin[] {
  const seconds = binSizes.find(size => (to_us - from_us) / 1e6 / size <= binsMax) ?? binSizes.at(-1)!
  const size_us = seconds * 1_000_000
  const first = Math.floor(from_us / size_us)
  const bins = Array.from({ length: Math.floor(to_us / size_us) - first + 1 }, (_, i) => ({
    start: utcSeconds((first + i) * size_us),
    seconds,
    bytes: new Map<number, Count>(),
    records: 0,
  }))
  for (let row = 0; row < block.rows; row++) {
    const connection = connectionOf[row]!
    // Without a time a record belongs to no bin.
    if (connection === noConnection || !hasTime(block, row)) continue
    const place = places[serviceOf[connection]!]!
    const start_us = block.start_us[row]!
    bins[Math.floor(start_us / size_us) - first]!.records++
    const moves = !isRejected(block, row) && (block.known[row]! & known.bytes) !== 0
    const bytes = moves ? counterOf(block, row, 'bytes') : 0
    spread(bytes, start_us, block.end_us[row]!, size_us, (bin, share) => {
      const sums = bins[bin - first]!.bytes
      sums.set(place, exactSum(sums.get(place) ?? 0, share))
    })
  }
  return bins.map(({ start, seconds, bytes, records }) => {
    const listed = [...bytes].filter(([place]) => place !== notListed).sort(([a], [b]) => a - b)
    return {
      start,
      seconds,
      bytes_by_service: Object.fromEntries(listed),
      bytes_other: bytes.get(notListed) ?? 0,
      records,
    }
  })
}
