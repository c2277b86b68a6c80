/** What Trino's catalogue says of a table, and what a statement will read. */
import { errorCode, exitStatus, UserError } from '../errors.ts'
import { rawSql, type Sql } from '../query/sql.ts'
import { type Ask, nameOf, partitionCounts, partitionValues, rowsOf, withValues } from './catalogue.ts'
import type { EngineTable, Estimate, TextRow } from './engine.ts'
import type { TrinoPlace } from './trino-place.ts'

/** @throws UserError where there is no such table. */
export async function tableOf(at: TrinoPlace, ask: Ask): Promise<EngineTable> {
  const sql = nameOf(partsOf(at))
  const described = await describedBy(at, ask, sql)
  const columns = described.map(([name, type]) => ({ name: name ?? '', type: (type ?? '').toLowerCase() }))
  const inFolders = new Set(described.filter(([, , extra]) => extra === 'partition key').map(([name]) => name))
  const partitions = columns.filter(({ name }) => inFolders.has(name))
  const seen = partitions.length === 0 ? [] : await partitionValues(partsOf(at), partitions, ask)
  const hasPath = await isThere(ask(rawSql(`SELECT "$path" FROM ${sql} LIMIT 0`)))
  return {
    sql,
    columns: columns.filter(({ name }) => !inFolders.has(name)),
    partitions: withValues(partitions, seen),
    listsPartitions: true,
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
      hint: `SHOW TABLES FROM ${at.catalog}.${at.schema} there lists its tables, SHOW SCHEMAS FROM ${at.catalog} and SHOW CATALOGS the rest`,
    })
  }
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
 * @param partitions which are read; null: all.
 */
export async function estimateOf(
  at: TrinoPlace,
  statement: Sql,
  table: EngineTable,
  partitions: Sql | null,
  ask: Ask,
): Promise<Estimate> {
  return {
    ...(await partitionCounts(partsOf(at), table, partitions, ask)),
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
    if (sizes.length === 0 || !sizes.every(size => typeof size === 'number')) return null
    const sum = sizes.reduce((before: number, size) => before + Number(size), 0)
    // Where no column is needed Trino says 0 of any table.
    return sum === 0 ? null : sum
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function partsOf({ catalog, schema, table }: TrinoPlace): string[] {
  return [catalog, schema, table]
}
