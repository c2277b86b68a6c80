/** Where to divide a case's records by their start, so that the parts are about as large as wished. */
import type { Case } from '../store/case.ts'
import { quotedPath } from '../store/duckdb.ts'
import { segmentPath } from '../store/files.ts'
import type { Evidence } from './projection.ts'

/**
 * Bounds between parts of some `rows` records each, ascending, by the statistics of the segments: a guess, for within a row group the starts
 * are taken to be even. Without statistics there are none.
 */
export async function startBounds(c: Case, evidence: Evidence, rows: number): Promise<Float64Array> {
  const kind = evidence === 'logs' ? 'flows' : 'packet-flows'
  const paths = c.segments
    .filter(segment => segment.kind === kind)
    .map(segment => quotedPath(segmentPath(c.dir, segment.name)))
  if (paths.length === 0) return new Float64Array(0)
  const groups =
    await c.db.rows(`SELECT row_group_num_rows AS n, epoch_us(TRY_CAST(stats_min_value AS TIMESTAMP)) AS least,
      epoch_us(TRY_CAST(stats_max_value AS TIMESTAMP)) AS most
    FROM parquet_metadata([${paths.join(', ')}]) WHERE path_in_schema = 'start' AND stats_min_value IS NOT NULL AND stats_max_value IS NOT NULL`)
  return quantiles(
    groups.map(group => ({ n: Number(group['n']), least: Number(group['least']), most: Number(group['most']) })),
    rows,
  )
}

/** Where each further `rows` of records begin that lie evenly between the least and the most of their group. */
function quantiles(groups: readonly { n: number; least: number; most: number }[], rows: number): Float64Array {
  const changes = groups.flatMap(({ n, least, most }) => {
    const density = n / (most - least + 1)
    return [
      { at: least, by: density },
      { at: most + 1, by: -density },
    ]
  })
  changes.sort((a, b) => a.at - b.at)
  const bounds: number[] = []
  let density = 0
  let filled = 0
  let at = changes[0]?.at ?? 0
  for (const change of changes) {
    while (density > 0 && filled + density * (change.at - at) >= rows) {
      const next = Math.ceil(at + (rows - filled) / density)
      filled = 0
      if (next >= change.at) {
        at = change.at
        break
      }
      at = next
      bounds.push(at)
    }
    filled += density * (change.at - at)
    at = change.at
    density += change.by
  }
  return Float64Array.from(new Set(bounds))
}
