/** Whether the segments are what the ledger says of them: rows, columns and types. Their bytes are for `verify` to check. */

import { errorText } from '../errors.ts'
import { countText, integerText } from '../net/counts.ts'
import type { ColumnType } from '../records/column.ts'
import { coreFields, fieldNamed } from '../records/fields.ts'
import { connectionFields, packetFlowFields } from '../records/packet-fields.ts'
import { systemFailure } from '../system-error.ts'
import { type Database, quotedPath, type Row } from './duckdb.ts'
import { segmentPath } from './files.ts'
import type { SegmentEntry } from './ledger.ts'
import { pulledCounts } from './pulled.ts'

export interface SegmentFault {
  name: string
  fault: string
}

/** What of the segments in Parquet does not fit the ledger, by their footers. */
export async function layoutFaults(
  db: Database,
  dir: string,
  segments: readonly SegmentEntry[],
): Promise<SegmentFault[]> {
  const tables = segments.filter(segment => segment.kind !== 'problems')
  if (tables.length === 0) return []
  try {
    const found = await footers(db, dir, tables)
    return tables.flatMap(segment => faultOf(segment, found.get(segmentPath(dir, segment.name))))
  } catch (error) {
    if (systemFailure(error) !== null) throw error
    // One of them has no footer that can be read.
    const faults: SegmentFault[] = []
    for (const segment of tables) {
      const own = await footers(db, dir, [segment]).catch(textOfDamage)
      const path = segmentPath(dir, segment.name)
      faults.push(
        ...(typeof own === 'string'
          ? [{ name: segment.name, fault: unreadable(own) }]
          : faultOf(segment, own.get(path))),
      )
    }
    return faults
  }
}

/** What the machine refused, as memory, is no damage of a segment. */
function textOfDamage(error: unknown): string {
  if (systemFailure(error) !== null) throw error
  return errorText(error)
}

function unreadable(message: string): string {
  return `it is not a sound Parquet file (${message.split('\n')[0]})`
}

interface Footer {
  rows: number
  /** Names and types, in order; parts of a struct follow it. */
  columns: string
}

async function footers(db: Database, dir: string, segments: readonly SegmentEntry[]): Promise<Map<string, Footer>> {
  const list = `[${segments.map(segment => quotedPath(segmentPath(dir, segment.name))).join(', ')}]`
  const rows = await db.rows(`SELECT file_name, num_rows FROM parquet_file_metadata(${list})`)
  const columns =
    await db.rows(`SELECT file_name, string_agg(name || ' ' || coalesce(duckdb_type, 'STRUCT'), ', ' ORDER BY column_id) AS columns
    FROM parquet_schema(${list}) WHERE column_id > 0 GROUP BY file_name`)
  const layouts = new Map(columns.map(row => [String(row['file_name']), String(row['columns'])]))
  const footer = (row: Row): Footer => ({
    rows: Number(row['num_rows']),
    columns: layouts.get(String(row['file_name'])) ?? '',
  })
  return new Map(rows.map(row => [String(row['file_name']), footer(row)]))
}

function faultOf(segment: SegmentEntry, found: Footer | undefined): SegmentFault[] {
  const { name, rows } = segment
  if (found === undefined) return [{ name, fault: 'it cannot be read' }]
  if (found.rows !== rows)
    return [{ name, fault: `it has ${countText(found.rows, 'row')}, the ledger says ${integerText(rows)}` }]
  return fits(segment, found.columns)
    ? []
    : [{ name, fault: 'its columns, or their types, are not those of the ledger' }]
}

function fits({ kind, columns }: SegmentEntry, found: string): boolean {
  const types = typesOf(kind)
  if (columns[0] !== '_file' || columns[1] !== '_line' || new Set(columns).size !== columns.length) return false
  const wanted = columns.map(column => `${column} ${sqlTypes[types(column)]}`).join(', ')
  // A field that the writer's version did not know is text.
  return (
    found === wanted || found === columns.map(column => `${column} ${sqlTypes[olderType(column, types)]}`).join(', ')
  )
}

function olderType(column: string, types: (column: string) => Type): Type {
  return column.startsWith('_') || (coreFields as readonly string[]).includes(column) ? types(column) : 'text'
}

type Type = ColumnType | 'u32'

function typesOf(kind: SegmentEntry['kind']): (column: string) => Type {
  const fields = kind === 'packet-flows' ? packetFlowFields : kind === 'connections' ? connectionFields : null
  const own = new Map<string, Type>(fields?.map(field => [field.name, field.type]))
  for (const name of ['_file', '_line']) own.set(name, 'u32')
  if (kind === 'silence' || kind === 'pulled') for (const name of ['start', 'end']) own.set(name, 'time')
  if (kind === 'pulled') for (const name of pulledCounts) own.set(name, 'u64')
  return column => own.get(column) ?? (kind === 'flows' ? (fieldNamed(column)?.type ?? 'text') : 'text')
}

/** As `parquet_schema` names them. */
const sqlTypes: Record<Type, string> = {
  u8: 'UTINYINT',
  u16: 'USMALLINT',
  u32: 'UINTEGER',
  u64: 'UBIGINT',
  time: 'TIMESTAMP',
  address: 'STRUCT, hi UBIGINT, lo UBIGINT',
  text: 'VARCHAR',
  id: 'VARCHAR',
}
