/** A request to what is to be done: parts that are common to listings, groups and bins. */

import { roleColumns } from '../conversations/roles.ts'
import type { Filter } from '../filter/ast.ts'
import type { Compiled } from '../filter/compile.ts'
import type { Prefix } from '../net/prefix.ts'
import { column, every, join, named, order, renamed, select } from '../query/build.ts'
import type { Dialect } from '../query/dialect.ts'
import type { Aggregate, Expression, Item, Ordering, Query, Relation } from '../query/nodes.ts'
import { isAlways } from '../query/walk.ts'
import { sensorFields } from '../records/sensor.ts'
import type { ColumnFacts } from '../store/statistics.ts'
import type { Element } from './elements.ts'
import type { Measure } from './measures.ts'
import type { FlowsColumn, FlowsRequest, FlowsResult } from './request.ts'
import type { Records } from './source.ts'

/** Everything that was settled before the question is made. */
export interface Setting {
  request: FlowsRequest
  records: Records
  filter: Compiled
  /** What is known of the columns of a large case; null: it is read where it is needed. */
  facts: ColumnFacts | null
  /** What groups are summed up from instead of the records; null: the records. */
  totals: Totals | null
  /** Of the engine that is asked. */
  dialect: Dialect
  /** Volumes leave out rejected records. */
  acceptedOnly: boolean
  /** Records that others stand for; null: there are none, or every record counts. */
  collapsed: Relation | null
  /** The analyst's own networks. */
  internal: readonly Prefix[]
  /** The user's own files that say what is asked of addresses. */
  enrichment: FlowsResult['enrichment']
  /** When the case's first record begins and its last one ends; null: no record has a time. */
  span: TimeWindow | null
  /** The window that the filter asks for. */
  window: TimeWindow | null
  /** Of time bins: whether products of counters and durations are taken to fit 64 bits. Where one does not, DuckDB says so. */
  small: boolean
  /**
   * With both directions in one row: whether a record would match the filter if it were of the other direction. Null: that is so of every
   * record that matches.
   */
  otherWay: Expression | null
  /** Two windows that are compared. */
  compared: { now: TimeWindow; before: TimeWindow; filter: Filter } | null
}

/** Totals that stand for the records of a question, a row for each value of the fields that it reads. */
export interface Totals {
  /** A table for each side. */
  tables: readonly string[]
  cells: readonly TotalCell[]
  /** The measures of the question, over totals. */
  measures: readonly Measure[]
}

/** A column of totals, and what it is over the records. */
export interface TotalCell {
  name: string
  of: Aggregate
}

export interface TimeWindow {
  from_us: bigint
  to_us: bigint
}

/** A statement and how its columns are read. */
export interface Plan {
  statement: Query
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

/** Records and which of them: parts of a query over them. */
interface Matching {
  from: Relation
  where: Expression | null
}

/**
 * The records that a request is about.
 *
 * @param needs columns that are read of them.
 */
export function matching(s: Setting, needs: Iterable<string>): Matching {
  const wanted = new Set([...needs, ...s.filter.where.columns])
  const records = s.records.table(
    [...wanted].some(name => sensorColumns.has(name)),
    roleColumns.some(name => wanted.has(name)),
    wanted,
  )
  const counted = s.collapsed === null ? records : join('anti', records, s.collapsed, ['_file', '_line'])
  const where = isAlways(s.filter.where) ? null : s.filter.where
  if (s.request.first === undefined) return { from: counted, where }
  const first = select([every()], { from: counted, where, limit: s.request.first })
  return { from: renamed(first, 'taken'), where: null }
}

export function keyColumns(keys: readonly Element[]): PlannedColumn[] {
  return keys.map(({ name, type, length }) => ({
    name,
    type,
    unit: null,
    ...(length !== null && { length }),
  }))
}

/** Name of a key's column before it is grouped by: a record may have a column of its own name. */
export function keyName(name: string): string {
  return `_key_${name}`
}

/** The keys as columns of the records. */
export function keyItems(keys: readonly Element[]): Item[] {
  return keys.map(({ name, value }) => named(value, keyName(name)))
}

/** The keys of groups under their own names. */
export function keysOut(keys: readonly Element[]): Item[] {
  return keys.map(({ name }) => named(column(keyName(name)), name))
}

export function grouping(keys: readonly Element[]): Expression[] {
  return keys.map(({ name }) => column(keyName(name)))
}

/** By keys, from the smallest. */
export function byKeys(names: readonly string[]): Ordering[] {
  return names.map(name => order(column(name)))
}
