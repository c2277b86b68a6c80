/** What the sensors' logs cover, and the gaps in it (docs/reference/dossier.md, section 6). */

import { holeSql, spanSql } from '../conversations/coverage-sql.ts'
import { countText, integerText } from '../net/counts.ts'
import { microsecondsOf, utcSeconds } from '../net/time.ts'
import type { Case } from '../store/case.ts'
import { isUnread } from '../store/reports.ts'
import type { Gap, SensorCoverage, Vantage } from './dossier.ts'

export interface Coverage {
  sensors: SensorCoverage[]
  gaps: Gap[]
  /** How many more there are than are listed. */
  sensorsLeft: number
  gapsLeft: number
}

/** Gaps that are listed of each of two kinds, lost records and silence; those of files are as many as the files. */
export const gapsMax = 1000
/** Sensors that are listed. */
export const sensorsMax = 10_000
/** Reasons of one capture that are named. */
const reasonsMax = 5

/** Makes the table `span` of what the logs cover, once for all questions, beside what else is asked. */
export async function gatherSpans(c: Case): Promise<void> {
  await c.db.once('span', () => c.db.runBeside(`CREATE TABLE span AS ${spanSql(c)}`))
}

/**
 * Each sensor's covered time, and the gaps that overlap the window, after those that are known already. Reads `span`.
 *
 * @param vantages the points that recorded the subject.
 */
export async function gatherCoverage(
  c: Case,
  window: { from_us: number; to_us: number } | null,
  vantages: readonly Pick<Vantage, 'sensor'>[],
  known: Gap[] = [],
): Promise<Coverage> {
  await c.db.run(
    `CREATE OR REPLACE TEMP TABLE vantage AS SELECT row->>0 AS sensor FROM (SELECT unnest(json_extract($1::JSON, '$[*]')) AS row)`,
    [JSON.stringify(vantages.map(({ sensor }) => [sensor]))],
  )
  await c.db.run(`CREATE OR REPLACE TEMP TABLE hole AS ${holeSql(c)}`)
  const sensors =
    await c.db.rows(`SELECT * FROM (SELECT span.sensor, epoch_us(min(from_t)) AS first_us, epoch_us(max(to_t)) AS last_us, sum(records) AS records,
      sum(no_data) AS no_data, sum(skip_data) AS skip_data, any_value(holes) AS holes, any_value(subject) AS subject,
      count(*) OVER () AS sensors
    FROM span
    LEFT JOIN (SELECT sensor, count(*) AS holes FROM hole GROUP BY sensor) h ON h.sensor IS NOT DISTINCT FROM span.sensor
    LEFT JOIN (SELECT sensor, count(*) AS subject FROM vantage GROUP BY sensor) v ON v.sensor IS NOT DISTINCT FROM span.sensor
    GROUP BY span.sensor ORDER BY any_value(subject) IS NULL, sum(records) DESC, span.sensor NULLS LAST LIMIT ${sensorsMax}) ORDER BY sensor NULLS LAST`)
  const gaps = await gatherGaps(c, window)
  return {
    sensors: sensors.map(row => ({
      sensor: row['sensor'] as string | null,
      first: utcSeconds(Number(row['first_us'])),
      last: utcSeconds(Number(row['last_us'])),
      records: Number(row['records']),
      no_data: Number(row['no_data']),
      skip_data: Number(row['skip_data']),
      holes: Number(row['holes'] ?? 0),
      recorded_subject: row['subject'] !== null,
    })),
    sensorsLeft: Number(sensors[0]?.['sensors'] ?? 0) - sensors.length,
    gaps: [...known, ...gaps.listed],
    gapsLeft: gaps.left,
  }
}

async function gatherGaps(
  c: Case,
  window: { from_us: number; to_us: number } | null,
): Promise<{ listed: Gap[]; left: number }> {
  const { from_us, to_us } = window ?? { from_us: -1e15, to_us: 1e16 }
  // The first of them in order; counted before they are cut off.
  const some = (query: string): string =>
    `SELECT *, count(*) OVER () AS gaps FROM (${query}) ORDER BY sensor, from_us, to_us LIMIT ${gapsMax}`
  const skipped = await c.db.rows(
    some(`SELECT DISTINCT sensor, epoch_us(start) AS from_us, epoch_us("end") AS to_us FROM silence
     WHERE status = 'SKIPDATA' AND (start IS NULL OR (epoch_us(start) <= ? AND epoch_us("end") >= ?))`),
    [to_us, from_us],
  )
  const holes = await c.db.rows(
    some(`SELECT sensor, epoch_us(from_t) AS from_us, epoch_us(to_t) AS to_us FROM hole
     WHERE epoch_us(from_t) < ? AND epoch_us(to_t) > ?`),
    [to_us, from_us],
  )
  const at = (us: unknown): string | null => (us === null ? null : utcSeconds(Number(us)))
  const gaps: Gap[] = []
  for (const row of skipped) {
    gaps.push({
      sensor: row['sensor'] as string | null,
      from: at(row['from_us']),
      to: at(row['to_us']),
      reason: 'skipdata',
      detail: 'the sensor dropped records (SKIPDATA): every count here is a floor',
    })
  }
  for (const row of holes) {
    gaps.push({
      sensor: row['sensor'] as string | null,
      from: at(row['from_us']),
      to: at(row['to_us']),
      reason: 'time-gap',
      detail: 'no line of any kind, not even NODATA: files are missing, or the interface did not exist',
    })
  }
  const left = [skipped, holes].reduce((sum, rows) => sum + Number(rows[0]?.['gaps'] ?? 0) - rows.length, 0)
  return { listed: [...gaps, ...fileGaps(c, from_us, to_us), ...captureGaps(c, from_us, to_us)], left }
}

/** The files of the case in one order, whichever of them was read first. */
function byPath({ evidence }: Case): Case['evidence'] {
  return [...evidence].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

/** Captures of whose packets some are missing. */
function captureGaps(c: Case, from_us: number, to_us: number): Gap[] {
  if (c.source === 'logs') return []
  return byPath(c).flatMap(file => {
    const { dropped = 0, lost = null } = file.capture ?? {}
    const [first, last] = [file.first_start, file.last_end].map(time => (time === null ? null : microsecondsOf(time)))
    if (first == null || last == null || first > to_us || last < from_us) return []
    const gaps: Gap[] = []
    if (dropped !== null && dropped > 0) {
      const detail = `the capturing system dropped ${countText(dropped, 'packet')}: every count here is a floor`
      gaps.push({ sensor: file.path, from: file.first_start, to: file.last_end, reason: 'dropped-packets', detail })
    }
    if (lost !== null) {
      const detail = `${countText(lost.packets, 'packet')} that may be of IP ${lost.packets === 1 ? 'was' : 'were'} not decoded (${reasonsText(lost.reasons)}): every count here is a floor`
      gaps.push({ sensor: file.path, from: lost.first, to: lost.last, reason: 'undecoded-packets', detail })
    }
    return gaps
  })
}

/** The commonest first. */
function reasonsText(reasons: readonly { name: string; packets: number }[]): string {
  const sorted = [...reasons].sort((a, b) => b.packets - a.packets)
  const named = sorted.slice(0, reasonsMax).map(one => `${one.name} ${integerText(one.packets)}`)
  return [...named, ...(sorted.length > reasonsMax ? ['…'] : [])].join(', ')
}

/** Files whose unread parts may hold something, unless their times lie wholly outside the window. */
function fileGaps(c: Case, from_us: number, to_us: number): Gap[] {
  const gaps: Gap[] = []
  for (const file of byPath(c)) {
    const starts = file.first_start === null ? null : microsecondsOf(file.first_start)
    const ends = file.last_end === null ? null : microsecondsOf(file.last_end)
    if (starts !== null && ends !== null && (starts > to_us || ends < from_us)) continue
    const gap = { sensor: null, from: file.first_start, to: file.last_end, path: file.path }
    if (isUnread(file)) gaps.push({ ...gap, reason: 'unreadable-file', detail: file.problem ?? 'unreadable' })
    if (file.status === 'partly-read')
      gaps.push({ ...gap, reason: 'partly-read-file', detail: file.problem ?? 'partly read' })
    if (file.malformed > 0)
      gaps.push({ ...gap, reason: 'malformed-lines', detail: `${countText(file.malformed, 'line')} could not be read` })
  }
  return gaps
}
