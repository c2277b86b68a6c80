/** The rows of an answer as a Parquet file: addresses and prefixes as text, times as timestamps, counts as integers. */
import { dirname } from 'node:path'
import type { FileTarget } from '../disk/output.ts'
import { clearKilledOutputs, PartFile } from '../disk/part-file.ts'
import { rawSql, sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import { quotedName } from '../store/duckdb.ts'
import { copyToParquet } from '../store/parquet-file.ts'
import { type Plan, type PlannedColumn, totalNames } from './plan.ts'

let kept = 0

/** Works out a plan's rows, and keeps them. Returns the name of their table. */
export async function keepRows(c: Case, plan: Plan): Promise<string> {
  const table = `flows_answer_${++kept}`
  const names = [...(plan.totals ? totalNames : []), ...plan.columns.map((_, i) => `c${i}`)]
  const rows = sql`CREATE TABLE ${rawSql(table)} AS SELECT * FROM (${plan.statement}) AS answer(${rawSql(names.join(', '))})`
  await c.db.run(rows.text, rows.values)
  return table
}

/** Writes the rows that were kept in that table, and keeps them no longer. @throws UserError where the file cannot be written. */
export async function writeParquet(c: Case, plan: Plan, table: string, target: FileTarget): Promise<void> {
  await c.db.run(addressMacro)
  const paths = plan.columns.some(column => column.name === 'path') ? ' LEFT JOIN evidence ON evidence.id = c0' : ''
  const columns = plan.columns.map((column, i) => `${columnSql(column, `c${i}`)} AS ${quotedName(column.name)}`)
  const where = plan.totals ? ' WHERE _is' : ''
  clearKilledOutputs(dirname(target.path), target)
  try {
    const part = new PartFile(target)
    await copyToParquet(c.db, `SELECT ${columns.join(', ')} FROM ${table}${paths}${where}`, part)
  } finally {
    await c.db.run(`DROP TABLE ${table}`)
  }
}

function columnSql({ name, type, length }: PlannedColumn, column: string): string {
  if (name === 'path') return 'evidence.path'
  if (type === 'address') return `address_text(${column})`
  if (type === 'prefix') {
    const whole = length ?? 128
    return `address_text(${column}) || '/${whole >= 96 ? `' || CASE WHEN ${column}.hi = 0 AND (${column}.lo >> 32) = 65535 THEN ${whole - 96} ELSE ${whole} END` : `${whole}'`}`
  }
  // Parquet has no integers of 128 bits; DuckDB would write sums as floating point.
  return type === 'integer' ? `CAST(${column} AS DECIMAL(38, 0))::${integerType(name)}` : column
}

function integerType(name: string): string {
  return /_change$|^duration$/.test(name) ? 'BIGINT' : 'UBIGINT'
}

const groups = `list_transform(range(0, 8), lambda i: printf('%x', ((CASE WHEN i < 4 THEN a.hi ELSE a.lo END) >> (48 - 16 * (i % 4))::UBIGINT) & 65535))`

/** RFC 5952: the first of the longest runs of two or more zero groups is left out. */
const shortened = [8, 7, 6, 5, 4, 3, 2]
  .map(n => `(^|:)0(:0){${n - 1}}(:|$)`)
  .map(form => `WHEN regexp_matches(t, '${form}') THEN regexp_replace(t, '${form}', '::')`)
  .join(' ')

const addressMacro = `CREATE OR REPLACE TEMP MACRO address_text(a) AS
  CASE WHEN a IS NULL THEN NULL WHEN a.hi = 0 AND (a.lo >> 32) = 65535 THEN ip4(a)
  ELSE list_transform([array_to_string(${groups}, ':')], lambda t: CASE ${shortened} ELSE t END)[1] END`
