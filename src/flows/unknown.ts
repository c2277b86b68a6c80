/** For how many records something cannot be told. */
import { rawSql, sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import { quotedName, quotedPath } from '../store/duckdb.ts'
import { segmentPath } from '../store/files.ts'
import type { SegmentEntry } from '../store/ledger.ts'
import { isRejected } from './measures.ts'
import { columnsIn, matching, type Setting } from './plan.ts'
import type { Cell } from './request.ts'
import { integer } from './values.ts'

/** Asks the records only where a column that the filter names has unknown values, by the statistics of the segments. */
export async function unknownCount(c: Case, s: Setting): Promise<Cell> {
  const { where } = s.filter
  if (!where.text.includes('NULL::BOOLEAN') && !(await hasUnknown(c, s, columnsIn(where.text)))) return 0
  const { unknown } = s.filter
  const piece = sql`SELECT count(*) AS n FROM ${matching({ ...s, filter: { ...s.filter, where: unknown }, request: {} }, columnsIn(where.text))}`
  const [row] = await c.db.rows(piece.text, piece.values)
  return integer(row?.['n'])
}

/** How many of the records that are summed up do not say how much they moved: the sums are lower bounds then. */
export async function unsummedCount(c: Case, s: Setting): Promise<Cell> {
  const { records, acceptedOnly } = s
  const names = ['packets', 'bytes'].filter(name => records.columns.has(name))
  if (records.nfdump || !(await hasUnknown(c, s, names))) return 0
  const isUnknown = names.map(name => `${quotedName(name)} IS NULL`).join(' OR ')
  const needs = acceptedOnly ? [...names, 'action'] : names
  const piece = sql`SELECT count(*) AS n FROM (SELECT ${rawSql(needs.map(quotedName).join(', '))} FROM ${matching(s, needs)}) WHERE (${rawSql(isUnknown)})${rawSql(acceptedOnly ? ` AND NOT (${isRejected})` : '')}`
  const [row] = await c.db.rows(piece.text, piece.values)
  return integer(row?.['n'])
}

async function hasUnknown(c: Case, { records }: Setting, names: readonly string[]): Promise<boolean> {
  const kind = records.evidence === 'logs' ? 'flows' : 'packet-flows'
  const columns = names.filter(name => records.columns.has(name))
  const segments = c.segments.filter(segment => segment.kind === kind)
  if (columns.length === 0 || segments.length === 0) return false
  if (columns.includes('interface_id') && records.evidence === 'packets') return true
  if (segments.some(segment => columns.some(name => !segment.columns.includes(name)))) return true
  let withNulls = nullable.get(c.segments)?.get(kind)
  if (withNulls === undefined) {
    withNulls = await columnsWithNulls(c, segments)
    nullable.set(c.segments, (nullable.get(c.segments) ?? new Map()).set(kind, withNulls))
  }
  return columns.some(name => withNulls.has(name))
}

/** What was read of the segments' statistics: they never change. */
const nullable = new WeakMap<Case['segments'], Map<SegmentEntry['kind'], ReadonlySet<string>>>()

async function columnsWithNulls(c: Case, segments: readonly SegmentEntry[]): Promise<ReadonlySet<string>> {
  const files = segments.map(segment => quotedPath(segmentPath(c.dir, segment.name))).join(', ')
  const rows =
    await c.db.rows(`SELECT DISTINCT split_part(path_in_schema, ', ', 1) AS name FROM parquet_metadata([${files}])
    WHERE stats_null_count IS NULL OR stats_null_count > 0`)
  return new Set(rows.map(row => String(row['name'])))
}
