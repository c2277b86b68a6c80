/** What Parquet keeps of each column of a segment: the smallest and the largest value, and how many are null. */
import { type Database, quotedPath } from './duckdb.ts'

/** The columns that have a null in one of some files, or may have one. */
export async function columnsWithNulls(database: Database, paths: readonly string[]): Promise<ReadonlySet<string>> {
  const files = paths.map(quotedPath).join(', ')
  const rows =
    await database.rows(`SELECT DISTINCT split_part(path_in_schema, ', ', 1) AS name FROM parquet_metadata([${files}])
    WHERE stats_null_count IS NULL OR stats_null_count > 0`)
  return new Set(rows.map(row => String(row['name'])))
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
