/** What an engine is asked besides its question: what the table is like, and what would be read. */
import type { Reply } from '../engines/stub.ts'
import { plainNames, tableOfNames } from '../engines/tables.ts'

const { columns } = tableOfNames(plainNames)
const shown = columns.map(({ name, type }) => [name, type, '', ''])

/** The answer to a statement that is done. */
export const finished = (data: unknown[][] = []): Reply => ({ body: { id: 'q', stats: { state: 'FINISHED' }, data } })

/** Null: it is the question itself. */
export function aside(body: string): Reply | null {
  if (/^SHOW COLUMNS/.test(body)) return finished(shown)
  if (/LIMIT 0$/.test(body)) return finished()
  return /^EXPLAIN/.test(body) ? finished([['{}']]) : null
}
