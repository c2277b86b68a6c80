/** A request to what is to be done: parts that are common to listings, groups and bins. */

import { roleColumns } from '../conversations/roles.ts'
import type { Filter } from '../filter/ast.ts'
import type { Compiled } from '../filter/compile.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import { sensorFields } from '../records/sensor.ts'
import { quotedName } from '../store/duckdb.ts'
import type { Element } from './elements.ts'
import type { FlowsColumn, FlowsRequest } from './request.ts'
import type { Records } from './source.ts'

/** Everything that was settled before the SQL is written. */
export interface Setting {
  request: FlowsRequest
  records: Records
  filter: Compiled
  /** Volumes leave out rejected records. */
  acceptedOnly: boolean
  /** The table of records that others stand for; null: there are none, or every record counts. */
  collapsed: string | null
  /** When the case's first record begins and its last one ends; null: no record has a time. */
  span: TimeWindow | null
  /** The window that the filter asks for. */
  window: TimeWindow | null
  /** Of time bins: whether products of counters and durations are taken to fit 64 bits. Where one does not, DuckDB says so. */
  small: boolean
  /** Two windows that are compared. */
  compared: { now: TimeWindow; before: TimeWindow; filter: Filter } | null
}

export interface TimeWindow {
  from_us: bigint
  to_us: bigint
}

/** A statement and how its columns are read. */
export interface Plan {
  statement: Sql
  columns: PlannedColumn[]
  /** Whether the first columns of each row are the totals: see `totalNames`. */
  totals: boolean
}

export interface PlannedColumn extends FlowsColumn {
  /** Length of a prefix, of 128 bits. */
  length?: number
}

/** Hidden columns at the beginning of each row. `_left`: rows that are left out; null: all beyond the limit. A row without groups has `_is` null. */
export const totalNames = ['_rows', '_records', '_rejected', '_packets', '_bytes', '_left', '_is'] as const

const sensorColumns: ReadonlySet<string> = new Set(sensorFields)

/**
 * The records that a request is about, to stand after FROM.
 *
 * @param needs columns that are read of them.
 */
export function matching(s: Setting, needs: Iterable<string>): Sql {
  const wanted = new Set([...needs, ...columnsIn(s.filter.where.text)])
  const table = s.records.table(
    [...wanted].some(name => sensorColumns.has(name)),
    roleColumns.some(name => wanted.has(name)),
  )
  const counted = s.collapsed === null ? table : `${table} ANTI JOIN ${s.collapsed} USING (_file, _line)`
  const all = sql`${rawSql(counted)} WHERE ${s.filter.where}`
  return s.request.first === undefined ? all : sql`(SELECT * FROM ${all} LIMIT ${s.request.first}) AS taken`
}

/** Columns that SQL of the filter names. */
export function columnsIn(text: string): string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"/g)].map(([, name]) => name!.replaceAll('""', '"'))
}

export function keyColumns(keys: readonly Element[]): PlannedColumn[] {
  return keys.map(({ name, type, length }) => ({
    name,
    type,
    unit: null,
    ...(length !== null && { length }),
  }))
}

/** ORDER BY for keys: unknown last. */
export function byKeys(names: readonly string[]): string[] {
  return names.map(name => `${quotedName(name)} ASC NULLS LAST`)
}

export function commas(parts: readonly string[]): string {
  return parts.join(', ')
}

export function limitSql(limit: number | null): Sql {
  return limit === null ? rawSql('') : sql`LIMIT ${limit}`
}
