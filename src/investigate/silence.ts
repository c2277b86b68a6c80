/** When logs said that they had nothing, or had lost something, and when they said nothing at all. */
import { holeSql } from '../conversations/coverage-sql.ts'
import type { Case } from '../store/case.ts'

/** Lines of one flow log that are no records, by the period in which they start. */
export interface SilentLines {
  /** Its id; null: the files do not say it. */
  log: string | null
  status: string
  /** Number of the period: its begin in seconds, divided by its length. */
  period: number
  lines: number
}

/** The NODATA and SKIPDATA lines that have a time. @param period seconds. */
export async function silentLines(c: Case, period: number): Promise<SilentLines[]> {
  if (c.source !== 'logs') return []
  const rows = await c.db.rows(
    `SELECT evidence.subscription AS log, status, epoch_us(start) // ${period * 1_000_000} AS period, count(*) AS lines
     FROM silence JOIN evidence ON evidence.id = silence._file WHERE start IS NOT NULL GROUP BY ALL`,
  )
  return rows.map(row => ({
    log: row['log'] as string | null,
    status: String(row['status']),
    period: Number(row['period']),
    lines: Number(row['lines']),
  }))
}

/** When some sensors' logs have no line of any kind, microseconds. Reads `span` (`gatherSpans`). */
export async function holesOf(c: Case, sensors: readonly string[]): Promise<{ from_us: number; to_us: number }[]> {
  const rows = await c.db.rows(
    `SELECT epoch_us(from_t) AS from_us, epoch_us(to_t) AS to_us FROM (${holeSql(c)}) WHERE list_contains(json_extract_string($1::JSON, '$[*]'), sensor)`,
    [JSON.stringify(sensors)],
  )
  return rows.map(row => ({ from_us: Number(row['from_us']), to_us: Number(row['to_us']) }))
}
