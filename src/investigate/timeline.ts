import { utcSeconds } from '../net/time.ts'
import type { Case } from '../store/case.ts'
import type { TimelineBin } from './dossier.ts'

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
 * Accepted bytes of each service over time. A record's bytes are spread over its time in proportion (SiLK's load-scheme 4): put at its
 * start they would make bursts that never were.
 */
export async function gatherTimeline(c: Case, from_us: number, to_us: number): Promise<TimelineBin[]> {
  const seconds = binSizes.find(size => (to_us - from_us) / 1e6 / size <= binsMax) ?? binSizes.at(-1)!
  const size = seconds * 1_000_000
  const rows = await c.db.rows(
    `WITH spread AS (
       SELECT service, n.start_us, n.end_us, CASE WHEN n.rejected THEN 0 ELSE n.bytes END AS bytes,
         unnest(range(n.start_us // ?, n.end_us // ? + 1)) AS bin
       FROM numbered n JOIN judged USING (id))
     SELECT bin, service, count(*) FILTER (bin = start_us // ?) AS records,
       sum(CASE WHEN end_us = start_us THEN bytes
         ELSE bytes * ((least(end_us, (bin + 1) * ?) - greatest(start_us, bin * ?))::DOUBLE / (end_us - start_us)) END)::DOUBLE AS bytes
     FROM spread GROUP BY ALL ORDER BY bin, service`,
    [size, size, size, size, size],
  )
  const bins = new Map<number, TimelineBin>()
  for (let bin = Math.floor(from_us / size); bin <= Math.floor(to_us / size); bin++) {
    bins.set(bin, { start: utcSeconds(bin * size), seconds, bytes_by_service: {}, records: 0 })
  }
  for (const row of rows) {
    const bin = bins.get(Number(row['bin']))
    if (!bin) continue
    bin.records += Number(row['records'])
    bin.bytes_by_service[String(row['service'])] = Math.round(Number(row['bytes'] ?? 0))
  }
  return [...bins.values()]
}
