import { join } from 'node:path'
import type { Case } from './case.ts'
import { quotedString } from './duckdb.ts'
import { caseFiles } from './files.ts'
import { rowsOf } from './ledger-entry.ts'
import { notOfFiles } from './standing.ts'

/** A case's flow records in SQL that any DuckDB can run. */
export function flowsSource(c: Pick<Case, 'dir' | 'source' | 'out'>): string {
  const kind = c.source === 'logs' ? 'flows' : 'packet-flows'
  const path = join(c.dir, caseFiles.segments, `${kind}-*.parquet`)
  const all = `read_parquet(${quotedString(path)}, union_by_name = true)`
  const out = c.out.filter(file => rowsOf(file, kind) > 0).map(file => file.id!)
  return out.length === 0 ? all : `(FROM ${all} WHERE ${notOfFiles(out)})`
}
