/** What Parquet keeps of each column of a segment: the smallest and the largest value, and how many are null. */
import { type Database, quotedPath } from './duckdb.ts'

/** What the footers of some segments say of their columns. */
export interface ColumnFacts {
  /** Columns that have a null in one of the segments, or may have one. */
  withNulls: ReadonlySet<string>
  /** Columns of addresses that are IPv4 throughout: the upper half of each is zero. */
  fourOnly: ReadonlySet<string>
}

export async function columnFacts(database: Database, paths: readonly string[]): Promise<ColumnFacts> {
  const files = paths.map(quotedPath).join(', ')
  const rows = await database.rows(`SELECT path_in_schema AS path,
      bool_or(stats_null_count IS NULL OR stats_null_count > 0) AS nulls,
      bool_and(coalesce(stats_max_value = '0' OR stats_null_count = num_values, false)) AS zero
    FROM parquet_metadata([${files}]) GROUP BY path_in_schema`)
  const parts = rows.map(row => ({ path: String(row['path']).split(', '), nulls: row['nulls'], zero: row['zero'] }))
  return {
    withNulls: new Set(parts.flatMap(({ path, nulls }) => (nulls === false ? [] : [path[0]!]))),
    fourOnly: new Set(parts.flatMap(({ path, zero }) => (path[1] === 'hi' && zero === true ? [path[0]!] : []))),
  }
}

export interface ColumnRange {
  /** Number of the row group. */
  group: number
  /** Of an address its halves: `srcaddr, hi`. */
  column: string
  least: string | null
  most: string | null
}

/** The smallest and the largest values of a file's row groups, as text. */
export async function columnRanges(database: Database, path: string): Promise<ColumnRange[]> {
  const rows =
    await database.rows(`SELECT row_group_id AS g, path_in_schema AS name, stats_min_value AS least, stats_max_value AS most
    FROM parquet_metadata(${quotedPath(path)}) ORDER BY row_group_id`)
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  return rows.map(row => ({
    group: Number(row['g']),
    column: String(row['name']),
    least: text(row['least']),
    most: text(row['most']),
  }))
}
