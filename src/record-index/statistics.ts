/** What the statistics of the segments say of a case's records, without reading one. */
import type { Case } from '../store/case.ts'
import { quotedPath } from '../store/duckdb.ts'
import { segmentPath } from '../store/files.ts'

export interface Statistics {
  /** The largest value of each column that was asked for; a column is absent where the segments do not say. */
  largest: ReadonlyMap<string, bigint>
  /**
   * Bounds between parts of some `rows` records each by their start, ascending: a guess, for within a row group the starts are taken to be
   * even. Without statistics there are none.
   */
  startBounds(rows: number): Float64Array
}

const counters = ['packets', 'bytes']
/** Upper halves of addresses: zero in IPv4. */
const halves = ['srcaddr', 'dstaddr', 'pkt_srcaddr', 'pkt_dstaddr'].map(name => `${name}, hi`)

export async function statisticsOf(c: Case, evidence: Case['source']): Promise<Statistics> {
  const kind = evidence === 'logs' ? 'flows' : 'packet-flows'
  const paths = c.segments
    .filter(segment => segment.kind === kind)
    .map(segment => quotedPath(segmentPath(c.dir, segment.name)))
  if (paths.length === 0) return { largest: new Map(), startBounds: () => new Float64Array(0) }
  const metadata = `parquet_metadata([${paths.join(', ')}])`
  const names = [...counters, ...halves].map(name => `'${name}'`).join(', ')
  const columns =
    await c.db.rows(`SELECT path_in_schema AS name, max(TRY_CAST(stats_max_value AS UBIGINT))::VARCHAR AS largest,
      bool_and(TRY_CAST(stats_max_value AS UBIGINT) IS NOT NULL) AS known
    FROM ${metadata} WHERE path_in_schema IN (${names}) AND stats_null_count IS DISTINCT FROM num_values GROUP BY ALL`)
  const groups =
    await c.db.rows(`SELECT row_group_num_rows AS n, epoch_us(TRY_CAST(stats_min_value AS TIMESTAMP)) AS least,
      epoch_us(TRY_CAST(stats_max_value AS TIMESTAMP)) AS most
    FROM ${metadata} WHERE path_in_schema = 'start' AND TRY_CAST(stats_min_value AS TIMESTAMP) IS NOT NULL
      AND TRY_CAST(stats_max_value AS TIMESTAMP) IS NOT NULL`)
  return {
    largest: new Map(
      columns.flatMap(row => (row['known'] === true ? [[String(row['name']), BigInt(String(row['largest']))]] : [])),
    ),
    startBounds: rows =>
      quantiles(
        groups.map(group => ({ n: Number(group['n']), least: Number(group['least']), most: Number(group['most']) })),
        rows,
      ),
  }
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
      // Far from zero the step may be less than a number can say.
      const next = Math.max(at + 1, Math.ceil(at + (rows - filled) / density))
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
