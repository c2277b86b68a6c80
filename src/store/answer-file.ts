/** The rows of an answer as a table that is kept for a while, and as a Parquet file: addresses as text, times as timestamps. */
import type { FileTarget } from '../disk/output.ts'
import { PartFile } from '../disk/part-file.ts'
import { type Database, quotedName, type Value } from './duckdb.ts'
import { copyToParquet } from './parquet-file.ts'

export interface AnswerColumn {
  name: string
  /** Of an `integer` whether it may be below zero; of a `prefix` its length, of 128 bits. `file`: the number of a file, whose path is wanted. */
  type: 'address' | 'prefix' | 'integer' | 'file' | 'other'
  signed?: boolean
  length?: number
}

/** Works out a statement's rows, and keeps them; its columns are called `names`. */
export async function keepAnswer(
  database: Database,
  table: string,
  statement: { text: string; values: readonly Value[] },
  names: readonly string[],
): Promise<void> {
  await database.run(
    `CREATE TABLE ${quotedName(table)} AS SELECT * FROM (${statement.text}) AS answer(${names.map(quotedName).join(', ')})`,
    statement.values,
  )
}

/**
 * Writes rows that were kept, whose columns are `c0`, `c1`, … in the order of `columns`, and keeps them no longer.
 *
 * @param where a column that is true for the rows that are wanted; null: all.
 * @throws UserError where the file cannot be written.
 */
export async function writeAnswer(
  database: Database,
  table: string,
  columns: readonly AnswerColumn[],
  where: string | null,
  target: FileTarget,
): Promise<void> {
  try {
    await database.run(addressMacro)
    const paths = columns.some(column => column.type === 'file') ? ' LEFT JOIN evidence ON evidence.id = c0' : ''
    const items = columns.map((column, i) => `${columnSql(column, `c${i}`)} AS ${quotedName(column.name)}`)
    const wanted = where === null ? '' : ` WHERE ${quotedName(where)}`
    await copyToParquet(
      database,
      `SELECT ${items.join(', ')} FROM ${quotedName(table)}${paths}${wanted}`,
      new PartFile(target),
    )
  } finally {
    await database.drop(table)
  }
}

function columnSql({ type, length, signed }: AnswerColumn, column: string): string {
  switch (type) {
    case 'file':
      return 'evidence.path'
    case 'address':
      return `address_text(${column})`
    case 'prefix': {
      const whole = length ?? 128
      return `address_text(${column}) || '/${whole >= 96 ? `' || CASE WHEN ${column}.hi = 0 AND (${column}.lo >> 32) = 65535 THEN ${whole - 96} ELSE ${whole} END` : `${whole}'`}`
    }
    case 'integer':
      // Parquet has no integers of 128 bits; DuckDB would write sums as floating point.
      return `CAST(${column} AS DECIMAL(38, 0))::${signed === true ? 'BIGINT' : 'UBIGINT'}`
    default:
      return column
  }
}

const groups = `list_transform(range(0, 8), lambda i: printf('%x', ((CASE WHEN i < 4 THEN a.hi ELSE a.lo END) >> (48 - 16 * (i % 4))::UBIGINT) & 65535))`

/** RFC 5952: the first of the longest runs of two or more zero groups is left out. */
const shortened = [8, 7, 6, 5, 4, 3, 2]
  .map(n => `(^|:)0(:0){${n - 1}}(:|$)`)
  .map(form => `WHEN regexp_matches(t, '${form}') THEN regexp_replace(t, '${form}', '::')`)
  .join(' ')

/** `address_text(a)`: an address as text, as `formatAddress` writes it. It needs `ip4` of the views. */
export const addressMacro = `CREATE OR REPLACE TEMP MACRO address_text(a) AS
  CASE WHEN a IS NULL THEN NULL WHEN a.hi = 0 AND (a.lo >> 32) = 65535 THEN ip4(a)
  ELSE list_transform([array_to_string(${groups}, ':')], lambda t: CASE ${shortened} ELSE t END)[1] END`
