/** The observation points that recorded the subject (docs/reference/dossier.md, section 2). */
import type { Case } from '../store/case.ts'
import type { Row } from '../store/duckdb.ts'
import type { Vantage, VantageCounts } from './dossier.ts'

/** Points that are listed: of more, those with the most records. */
export const vantagesMax = 10_000

const counts = ['records', 'counted', 'copies', 'twins', 'translated', 'without_endpoints'] as const

/** The points in the order of their names, and what those come to that are not listed. */
export async function gatherVantages(
  c: Case,
): Promise<{ listed: Vantage[]; other: VantageCounts & { count: number } }> {
  await c.db.run(`CREATE OR REPLACE TEMP TABLE seen_at AS
    SELECT vantage.v, vantage.sensor, vantage.subscription, vantage.interval_seconds, count(*) AS records, count(*) FILTER (counted) AS counted,
      count(*) FILTER (dropped = 'copy') AS copies, count(*) FILTER (dropped = 'twin') AS twins,
      count(*) FILTER (dropped = 'translated') AS translated, count(*) FILTER (dropped = 'no-address') AS without_endpoints
    FROM s JOIN vantage USING (v) GROUP BY vantage.v, vantage.sensor, vantage.subscription, vantage.interval_seconds`)
  const most = `SELECT * FROM seen_at ORDER BY records DESC, v LIMIT ${vantagesMax}`
  const rows = await c.db.rows(`SELECT * FROM (${most}) ORDER BY v`)
  const [other] =
    await c.db.rows(`SELECT count(*) AS count, ${counts.map(name => `coalesce(sum(${name}), 0) AS ${name}`).join(', ')}
    FROM seen_at WHERE v NOT IN (SELECT v FROM (${most}))`)
  return {
    listed: rows.map(row => ({
      sensor: row['sensor'] as string | null,
      subscription: row['subscription'] as string | null,
      ...countsOf(row),
      interval_seconds: Number(row['interval_seconds']),
    })),
    other: { count: Number(other!['count']), ...countsOf(other!) },
  }
}

function countsOf(row: Row): VantageCounts {
  return Object.fromEntries(counts.map(name => [name, Number(row[name])])) as unknown as VantageCounts
}
