import { join } from 'node:path'
import { quotedString } from '../store/duckdb.ts'
import { caseFiles } from '../store/files.ts'

/** A case's flow records in SQL that any DuckDB can run. */
export function flowsSource(caseDir: string): string {
  return `read_parquet(${quotedString(join(caseDir, caseFiles.segments, 'flows-*.parquet'))}, union_by_name = true)`
}
