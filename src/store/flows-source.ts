import { join } from 'node:path'
import type { Case } from './case.ts'
import { quotedString } from './duckdb.ts'
import { caseFiles } from './files.ts'

/** A case's flow records in SQL that any DuckDB can run. */
export function flowsSource(c: Pick<Case, 'dir' | 'source'>): string {
  const files = c.source === 'logs' ? 'flows-*.parquet' : 'packet-flows-*.parquet'
  return `read_parquet(${quotedString(join(c.dir, caseFiles.segments, files))}, union_by_name = true)`
}
