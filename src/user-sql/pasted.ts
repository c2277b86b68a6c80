/** SQL that Tidemark prints for any DuckDB, pasted into its own prompt: what it reads of this case are views here. */
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { caseFiles } from '../store/files.ts'

const segments = new RegExp(
  `read_parquet\\('((?:[^']|'')*)/${caseFiles.segments}/(flows|packet-flows)-\\*\\.parquet', union_by_name = true\\)`,
  'g',
)
const countedOnce =
  /\(SELECT _file, _line FROM read_parquet\('((?:[^']|'')*)\/counted-once-(?:logs|packets)-[^']*\.parquet'\)\)/g

/** The same query over the documented views, where it names files of this case as Tidemark prints them; else as it is. */
export function overViews(sql: string, caseDir: string, source: 'logs' | 'packets'): string {
  const isHere = (folder: string): boolean => {
    try {
      return realpathSync(folder.replaceAll("''", "'").replace(/\[([*?[])\]/g, '$1')) === realpathSync(caseDir)
    } catch {
      return false
    }
  }
  return sql
    .replace(segments, (text, folder: string, kind: string) =>
      isHere(folder) ? (kind === 'flows' ? 'flows' : source === 'packets' ? 'flows' : 'packet_flows') : text,
    )
    .replace(countedOnce, (text, folder: string) =>
      isHere(dirname(folder)) ? '(SELECT _file, _line FROM flows ANTI JOIN counted_flows USING (_file, _line))' : text,
    )
}
