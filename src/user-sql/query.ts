/** A query in SQL as a library asks it: one process for one query, gone when the rows have been read. */
import type { Case } from '../store/case.ts'
import { type Cell, type ResultColumn, rowObject } from './cells.ts'
import type { Ending } from './protocol.ts'
import { defaultLimits, defaultMemoryBytes, type QueryLimits, QuerySession } from './session.ts'

export interface SqlOptions extends Partial<QueryLimits> {
  /** Most memory of the query, bytes; 1 GiB by default. */
  memoryBytes?: number
  signal?: AbortSignal
}

export type SqlRow = Record<string, Cell>

export interface SqlResult {
  columns: readonly ResultColumn[]
  rows: SqlRow[]
  /** Rows of the whole result; null where they were not counted to the end. */
  total_rows: number | null
  /** Whether `rows` has not all of them, for a limit. */
  truncated: boolean
}

/**
 * Runs one SELECT statement over the documented views of a case, read-only, in a process of its own with limits of rows, bytes, time and
 * memory. docs/reference/sql.md has the views and functions. The rows are held in memory; `eachSqlRow` gives them as they are read.
 *
 * @throws UserError with status 2 for a statement that is refused or wrong, with status 1 where a limit of time or memory was passed; the
 *   signal's reason where it was stopped.
 */
export async function querySql(c: Case, sql: string, options: SqlOptions = {}): Promise<SqlResult> {
  const rows: SqlRow[] = []
  const { columns, end } = await run(c, sql, options, own => void rows.push(own))
  return { columns, rows, total_rows: end.total, truncated: end.cut_by !== null }
}

/**
 * As `querySql`, a row at a time: the next is read when `take` is done with one. Gives all rows unless `rows` or `bytes` say otherwise.
 *
 * @returns the columns, and whether a limit left rows out.
 */
export async function eachSqlRow(
  c: Case,
  sql: string,
  take: (row: SqlRow) => void | Promise<void>,
  options: SqlOptions = {},
): Promise<Omit<SqlResult, 'rows'>> {
  const all = { rows: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER }
  const { columns, end } = await run(c, sql, { ...all, ...options }, take)
  return { columns, total_rows: end.total, truncated: end.cut_by !== null }
}

async function run(
  c: Case,
  sql: string,
  { memoryBytes = defaultMemoryBytes, signal, ...limits }: SqlOptions,
  take: (row: SqlRow) => void | Promise<void>,
): Promise<{ columns: readonly ResultColumn[]; end: Ending }> {
  const session = new QuerySession(c.dir, memoryBytes)
  let columns: readonly ResultColumn[] = []
  const sink = {
    columns: (own: readonly ResultColumn[]) => {
      columns = own
    },
    rows: async (cells: readonly Cell[][]) => {
      for (const row of cells) await take(rowObject(columns, row))
    },
  }
  try {
    const end = await session.run(sql, { ...defaultLimits, ...limits }, sink, signal)
    return { columns, end }
  } finally {
    await session.close()
  }
}
