/** What Trino's catalogue says of a table, and what a statement will read. */
import { errorCode, exitStatus, UserError } from '../errors.ts'
import { rawSql, type Sql } from '../query/sql.ts'
import { quotedName } from '../store/duckdb.ts'
import type { EngineTable, Estimate, TextRow } from './engine.ts'
import type { TrinoPlace } from './trino-place.ts'

type Ask = (statement: Sql) => AsyncGenerator<TextRow[]>

/** Values of partitions that are looked at, to know how days and hours are written. */
const partitionsSeen = 200

/** @throws UserError where there is no such table. */
export async function tableOf(at: TrinoPlace, ask: Ask): Promise<EngineTable> {
  const sql = nameOf(at, at.table)
  const described = await describedBy(at, ask, sql)
  const columns = described.map(([name, type]) => ({ name: name ?? '', type: (type ?? '').toLowerCase() }))
  const inFolders = new Set(described.filter(([, , extra]) => extra === 'partition key').map(([name]) => name))
  const partitions = columns.filter(({ name }) => inFolders.has(name))
  const seen =
    partitions.length === 0
      ? []
      : await partitionValues(
          at,
          ask,
          partitions.map(({ name }) => name),
        )
  const hasPath = await isThere(ask(rawSql(`SELECT "$path" FROM ${sql} LIMIT 0`)))
  return {
    sql,
    columns: columns.filter(({ name }) => !inFolders.has(name)),
    partitions: partitions.map((one, i) => ({ ...one, values: seen.flatMap(row => row[i] ?? []) })),
    hasPath,
  }
}

async function describedBy(at: TrinoPlace, ask: Ask, sql: string): Promise<TextRow[]> {
  try {
    return await rowsOf(ask(rawSql(`SHOW COLUMNS FROM ${sql}`)))
  } catch (error) {
    if (!['TABLE_NOT_FOUND', 'SCHEMA_NOT_FOUND', 'CATALOG_NOT_FOUND', 'NOT_FOUND'].includes(errorCode(error) ?? ''))
      throw error
    throw new UserError(`no such table on the engine: ${at.catalog}/${at.schema}/${at.table}`, {
      status: exitStatus.usage,
      hint: `SHOW TABLES FROM ${at.catalog}.${at.schema} there lists what it has`,
    })
  }
}

function partitionValues(at: TrinoPlace, ask: Ask, names: readonly string[]): Promise<TextRow[]> {
  const texts = names.map(name => `CAST(${quotedName(name)} AS VARCHAR)`).join(', ')
  return rowsOf(ask(rawSql(`SELECT ${texts} FROM ${nameOf(at, `${at.table}$partitions`)} LIMIT ${partitionsSeen}`)))
}

/** Whether a statement is understood. */
async function isThere(rows: AsyncGenerator<TextRow[]>): Promise<boolean> {
  try {
    await rowsOf(rows)
    return true
  } catch (error) {
    if (errorCode(error) === 'COLUMN_NOT_FOUND') return false
    throw error
  }
}

/**
 * Trino knows how much a table has only where somebody had it analysed.
 *
 * @param partitions which are read; null: all; `none`: it has none.
 */
export async function estimateOf(
  at: TrinoPlace,
  statement: Sql,
  partitions: Sql | null | 'none',
  ask: Ask,
): Promise<Estimate> {
  const count = async (where: Sql | null): Promise<number> => {
    const text = `SELECT CAST(count(*) AS VARCHAR) FROM ${nameOf(at, `${at.table}$partitions`)}`
    const [row] = await rowsOf(
      ask(where === null ? rawSql(text) : { text: `${text} WHERE ${where.text}`, values: where.values }),
    )
    return Number(row?.[0])
  }
  const all = partitions === 'none' ? null : await count(null)
  return {
    partitionsOfTable: all,
    partitions: partitions === 'none' || partitions === null ? all : await count(partitions),
    bytes: await explainedBytes(
      ask({ text: `EXPLAIN (TYPE IO, FORMAT JSON) ${statement.text}`, values: statement.values }),
    ),
  }
}

async function explainedBytes(rows: AsyncGenerator<TextRow[]>): Promise<number | null> {
  try {
    const [row] = await rowsOf(rows)
    const { inputTableColumnInfos: tables = [] } = JSON.parse(row?.[0] ?? '{}') as {
      inputTableColumnInfos?: { estimate?: { outputSizeInBytes?: unknown } }[]
    }
    const sizes = tables.map(({ estimate }) => estimate?.outputSizeInBytes)
    return sizes.length > 0 && sizes.every(size => typeof size === 'number')
      ? sizes.reduce((sum: number, size) => sum + Number(size), 0)
      : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function nameOf({ catalog, schema }: TrinoPlace, table: string): string {
  return [catalog, schema, table].map(quotedName).join('.')
}

async function rowsOf(batches: AsyncGenerator<TextRow[]>): Promise<TextRow[]> {
  const rows: TextRow[] = []
  for await (const batch of batches) rows.push(...batch)
  return rows
}
