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
  await c.db.run(
    `CREATE OR REPLACE TEMP TABLE binned AS WITH spread AS (
       SELECT service, n.start_us, n.end_us, CASE WHEN n.rejected THEN 0 ELSE n.bytes END AS bytes,
         unnest(range(n.start_us // ?, n.end_us // ? + 1)) AS bin
       FROM numbered n JOIN judged USING (id))
     SELECT bin, place, count(*) FILTER (bin = start_us // ?) AS records,
       sum(CASE WHEN end_us = start_us THEN bytes
         ELSE bytes * ((least(end_us, (bin + 1) * ?) - greatest(start_us, bin * ?))::DOUBLE / (end_us - start_us)) END)::DOUBLE AS bytes
     FROM spread LEFT JOIN listed USING (service) GROUP BY bin, place`,
    [size, size, size, size, size],
  )
  const bins: TimelineBin[] = []
  for (let bin = Math.floor(from_us / size); bin <= Math.floor(to_us / size); bin++) {
    const one: TimelineBin = {
      start: utcSeconds(bin * size),
      seconds,
      bytes_by_service: {},
      bytes_other: 0,
      records: 0,
    }
    for (const row of await c.db.rows('SELECT * FROM binned WHERE bin = ? ORDER BY place', [bin])) {
      const bytes = Math.round(Number(row['bytes'] ?? 0))
      one.records += Number(row['records'])
      if (row['place'] === null) one.bytes_other = bytes
      else one.bytes_by_service[String(row['place'])] = bytes
    }
    bins.push(one)
  }
  return bins
}
