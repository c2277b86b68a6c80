/** What engines that are alike say of a table's partitions: it is a table beside it, which is listed without reading data. */
import { rawSql, type Sql } from '../query/sql.ts'
import { quotedName } from '../store/duckdb.ts'
import type { EngineColumn, EngineTable, Estimate, PartitionColumn, TextRow } from './engine.ts'

export type Ask = (statement: Sql) => AsyncGenerator<TextRow[]>

/** Values of partitions that are looked at, to know how days and hours are written. */
const partitionsSeen = 200

/** A name of several parts as SQL. */
export function nameOf(parts: readonly string[]): string {
  return parts.map(quotedName).join('.')
}

/** @param parts of the table's name. */
export function partitionValues(
  parts: readonly string[],
  columns: readonly EngineColumn[],
  ask: Ask,
): Promise<TextRow[]> {
  const texts = columns.map(({ name }) => `CAST(${quotedName(name)} AS VARCHAR)`).join(', ')
  return rowsOf(ask(rawSql(`SELECT ${texts} FROM ${beside(parts)} LIMIT ${partitionsSeen}`)))
}

/** Values of each column, out of rows that were seen. A null is not a value. */
export function withValues(columns: readonly EngineColumn[], seen: readonly TextRow[]): PartitionColumn[] {
  const isSample = seen.length >= partitionsSeen
  return columns.map((one, i) => ({
    ...{ ...one, values: seen.flatMap(row => row[i] ?? []) },
    ...(isSample && { isSample }),
  }))
}

/** How many partitions there are, and how many a condition on their columns leaves; null: all. */
export async function partitionCounts(
  parts: readonly string[],
  { partitions, listsPartitions }: EngineTable,
  where: Sql | null,
  ask: Ask,
): Promise<Pick<Estimate, 'partitions' | 'partitions_of_table'>> {
  if (partitions.length === 0 || !listsPartitions) return { partitions: null, partitions_of_table: null }
  const text = `SELECT CAST(count(*) AS VARCHAR) FROM ${beside(parts)}`
  const count = async (statement: Sql): Promise<number> => Number((await rowsOf(ask(statement)))[0]?.[0])
  const all = await count(rawSql(text))
  const some = where === null ? all : await count({ text: `${text} WHERE ${where.text}`, values: where.values })
  return { partitions_of_table: all, partitions: some }
}

function beside(parts: readonly string[]): string {
  return nameOf([...parts.slice(0, -1), `${parts.at(-1)}$partitions`])
}

export async function rowsOf(batches: AsyncGenerator<TextRow[]>): Promise<TextRow[]> {
  const rows: TextRow[] = []
  for await (const batch of batches) rows.push(...batch)
  return rows
}
