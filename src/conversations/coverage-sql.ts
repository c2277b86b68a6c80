/** What the logs of each sensor cover, and where none of them says anything. One place for the dossier and for the view `coverage`. */
import { sensorSql } from '../record-index/sensor.ts'
import type { Case } from '../store/case.ts'
import { notOfParts } from '../store/pulled.ts'
import { minute_us } from './intervals.ts'

/** Silence is a hole where it lasts longer than two aggregation intervals. */
const intervalsOfHole = 2
/** From there to 1970, in whole minutes: a division rounds towards zero. */
const yearOne_us = 62_135_596_800_000_000n

/**
 * SQL for what the logs cover: `sensor`, `from_t`, `to_t`, `longest_us` (longest record), `records`, `no_data`, `skip_data`.
 *
 * Records are gathered by sensor and the minute of their start: a hole that matters is longer than two minutes, so none is hidden there, and
 * the sort that follows is of these, not of records. So what begins in whole minutes can be counted exactly.
 */
export function spanSql(c: Pick<Case, 'columns' | 'evidence' | 'pulled'>): string {
  // Of what was pulled the sums over all of it, by the same minutes, stand for the records.
  const others = notOfParts(c.pulled)
  const [ids, left] =
    others === null
      ? ['', '']
      : [
          ` WHERE ${others}`,
          `
    UNION ALL
    SELECT sensor, start, "end", longest_us::BIGINT, records::BIGINT, 0, 0 FROM main.pulled WHERE start IS NOT NULL`,
        ]
  return `SELECT sensor, make_timestamp(min(start_us)) AS from_t, make_timestamp(max(end_us)) AS to_t, max(end_us - start_us) AS longest_us,
      count(*) AS records, 0 AS no_data, 0 AS skip_data
    FROM (SELECT ${sensorSql(c)} AS sensor, coalesce(epoch_us(start), epoch_us("end")) AS start_us, coalesce(epoch_us("end"), epoch_us(start)) AS end_us
      FROM main.flows${ids})
    GROUP BY sensor, (start_us + ${yearOne_us}) // ${minute_us} HAVING min(start_us) IS NOT NULL
    UNION ALL
    SELECT sensor, start, "end", 0, 0, (status = 'NODATA')::INT, (status = 'SKIPDATA')::INT FROM main.silence WHERE start IS NOT NULL${left}`
}

/** SQL for the holes in a table or query `span`: `sensor`, `from_t`, `to_t`. Only logs have any: a capture is silent where nobody speaks. */
export function holeSql(c: Pick<Case, 'source'>): string {
  const hole_us = (minutes: number): number => intervalsOfHole * minutes * minute_us
  return `SELECT before.sensor, covered_to AS from_t, from_t AS to_t
    FROM (SELECT sensor, from_t,
        max(to_t) OVER (PARTITION BY sensor ORDER BY from_t, to_t ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_to FROM span) AS before
    JOIN (SELECT sensor, CASE WHEN max(longest_us) <= ${minute_us} THEN ${hole_us(1)} ELSE ${hole_us(10)} END AS hole_us FROM span GROUP BY sensor) AS allowed
      ON allowed.sensor IS NOT DISTINCT FROM before.sensor
    WHERE ${c.source === 'logs'} AND epoch_us(from_t) - epoch_us(covered_to) > hole_us`
}
