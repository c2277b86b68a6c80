/** Counts the values of several columns, of each by itself, in one pass. */
import { type Database, quotedName, type Value } from './duckdb.ts'

/** DuckDB tells columns apart by bits of a number of 64. */
export const columnsMost = 60
export const countedNames = { set: '_set', count: '_count' } as const

/**
 * Makes a temporary table with a row for each value of each column: the column's number as `countedNames.set`, the value in the column, and
 * how many rows have it.
 *
 * @param query its columns are those that are counted.
 */
export async function countValues(
  db: Database,
  into: string,
  query: { text: string; values: readonly Value[] },
  columns: readonly string[],
): Promise<void> {
  const names = columns.map(quotedName)
  const bits = `GROUPING(${names.join(', ')})`
  const sets = names.map(
    (_, i) => `WHEN ${(2n ** BigInt(names.length) - 1n) ^ (1n << BigInt(names.length - 1 - i))} THEN ${i}`,
  )
  await db.run(
    `CREATE OR REPLACE TEMP TABLE ${quotedName(into)} AS SELECT ${names.join(', ')}, CASE ${bits} ${sets.join(' ')} END AS ${countedNames.set},
      count(*) AS ${countedNames.count} FROM (${query.text}) GROUP BY GROUPING SETS (${names.map(name => `(${name})`).join(', ')})`,
    query.values,
  )
}
