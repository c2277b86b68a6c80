/** The segments of a case as views of its database, and the table of its files. */

import type { ColumnType } from '../records/column.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { coreFields, fieldNamed, flowFields } from '../records/fields.ts'
import { connectionFields, type PacketField, packetFlowFields } from '../records/packet-fields.ts'
import { otherFields } from '../records/unknown-columns.ts'
import { regularSegment } from './damage.ts'
import { type Database, quotedName, quotedPath, quotedString, type Value } from './duckdb.ts'
import { ofKind, subscriptionOf, unknownColumnsOf } from './entries.ts'
import { segmentPath } from './files.ts'
import type { EvidenceEntry } from './ledger.ts'
import { isMetered } from './reports.ts'
import type { CountedSegment } from './standing.ts'
import { notOfFiles } from './standing.ts'
import { tracksOf } from './tracks.ts'

/** What of a case is needed to read its records. */
interface Segmented {
  dir: string
  segments: readonly CountedSegment[]
  source: EvidenceKind
  db: Database
}

export async function createViews(
  db: Database,
  dir: string,
  segments: readonly CountedSegment[],
  kind: Segmented['source'],
): Promise<void> {
  await db.run(
    `CREATE MACRO ip4(a) AS concat_ws('.', (a.lo >> 24) & 255, (a.lo >> 16) & 255, (a.lo >> 8) & 255, a.lo & 255)`,
  )
  const flows = ofKind(segments, 'flows')
  await createPacketView(db, 'packet_flows', dir, ofKind(segments, 'packet-flows'), packetFlowFields)
  await createPacketView(db, 'connections', dir, ofKind(segments, 'connections'), connectionFields)
  if (kind === 'packets') await createFlowsOfPackets(db)
  else
    await db.run(
      flows.length > 0
        ? `CREATE VIEW flows AS ${flowsSql(dir, flows, flows)}`
        : `CREATE VIEW flows AS SELECT ${emptyFlows()} WHERE false`,
    )
  const silence = fileList(dir, ofKind(segments, 'silence'))
  const nothing = `SELECT 0::UINTEGER AS _file, 0::UINTEGER AS _line, ''::VARCHAR AS sensor, ''::VARCHAR AS status, NULL::TIMESTAMP AS start, NULL::TIMESTAMP AS "end" WHERE false`
  await db.run(`CREATE VIEW silence AS ${silence ? `SELECT * FROM ${silence}` : nothing}`)
  const pulled = fileList(dir, ofKind(segments, 'pulled'))
  if (pulled !== null) await db.run(`CREATE VIEW pulled AS SELECT * FROM ${pulled}`)
}

/** Columns of addresses that the records of `flows` have, those of the packets themselves after those of the sensor. */
export function addressColumns({ columns }: { columns: ReadonlySet<string> }): string[] {
  return ['srcaddr', 'dstaddr', 'pkt_srcaddr', 'pkt_dstaddr'].filter(name => columns.has(name))
}

/** The flow records of some segments, with the columns that `flows` has: those of all segments, and the core ones that none of them has. */
function flowsSql(
  dir: string,
  all: readonly CountedSegment[],
  some: readonly CountedSegment[],
  pathColumn: string | null = null,
): string {
  const wanted = new Set([...all.flatMap(segment => segment.columns), ...coreFields])
  const here = new Set(some.flatMap(segment => segment.columns))
  // A field that has a column in one segment may be among the others in the next.
  const found = new Map(here.has(otherFields) ? unknownColumnsOf(all).map(name => [name, otherField(name)]) : [])
  const replaced = [...found]
    .filter(([name]) => here.has(name))
    .map(([name, text]) => `coalesce(${quotedName(name)}, ${text}) AS ${quotedName(name)}`)
  const absent = [...wanted]
    .filter(name => !here.has(name))
    .map(name => `${found.get(name) ?? `CAST(NULL AS ${sqlType(name)})`} AS ${quotedName(name)}`)
  const own = replaced.length === 0 ? '*' : `* REPLACE (${replaced.join(', ')})`
  return `SELECT ${[own, ...absent].join(', ')} FROM ${fileList(dir, some, pathColumn)}`
}

/** The value of a field in `other_fields`, null if it is not there. */
function otherField(name: string): string {
  return `nullif(regexp_extract(${otherFields}, ${quotedString(`(?:^| )${name.replace(/\W/g, '\\$&')}=([^ ]+)`)}, 1), '')`
}

/**
 * A relation like `flows`, with the records for which `test` is true and others: those segments only in which there is one. To ask first
 * reads the columns of the test alone, and all the other columns of the segments without such a record need not be read then.
 */
export async function flowsWith(c: Segmented, test: { text: string; values: readonly Value[] }): Promise<string> {
  const flows = ofKind(c.segments, 'flows')
  if (c.source !== 'logs' || flows.length < 2) return 'flows'
  // No field of a log begins like that.
  const name = '_segment'
  const all = flowsSql(c.dir, flows, flows, name)
  const rows = await c.db.rows(`SELECT DISTINCT ${name} FROM (${all}) WHERE ${test.text}`, test.values)
  const paths = new Set(rows.map(row => String(row[name])))
  const some = flows.filter(segment => paths.has(segmentPath(c.dir, segment.name)))
  return some.length === 0 || some.length === flows.length ? 'flows' : `(${flowsSql(c.dir, flows, some)})`
}

/** The same questions for captures alone: what packets do not say is null. */
async function createFlowsOfPackets(db: Database): Promise<void> {
  const known = new Set<string>(['interface_id', ...packetFlowFields.map(field => field.name)])
  const absent = coreFields
    .filter(name => !known.has(name))
    .map(name => `CAST(NULL AS ${sqlType(name)}) AS ${quotedName(name)}`)
  await db.run(
    `CREATE VIEW flows AS SELECT packet_flows.*, evidence.sensor AS interface_id, ${absent.join(', ')}
     FROM packet_flows LEFT JOIN evidence ON evidence.id = packet_flows._file`,
  )
}

/** Rows that were made of packets: `_line` is the number of a packet in its capture, or of a record in its nfcapd file. */
async function createPacketView(
  db: Database,
  name: string,
  dir: string,
  segments: readonly CountedSegment[],
  fields: readonly PacketField[],
): Promise<void> {
  const source = fileList(dir, segments)
  // Segments of an older version lack the fields that came since.
  const here = new Set(segments.flatMap(segment => segment.columns))
  const none = fields
    .filter(field => !here.has(field.name))
    .map(field => `CAST(NULL AS ${sqlTypes[field.type]}) AS ${quotedName(field.name)}`)
  await db.run(
    source
      ? `CREATE VIEW ${name} AS SELECT ${['*', ...none].join(', ')} FROM ${source}`
      : `CREATE VIEW ${name} AS SELECT 0::UINTEGER AS _file, 0::UINTEGER AS _line, ${none.join(', ')} WHERE false`,
  )
}

function fileList(dir: string, segments: readonly CountedSegment[], pathColumn: string | null = null): string | null {
  if (segments.length === 0) return null
  const path = pathColumn === null ? '' : `, filename=${quotedString(pathColumn)}`
  const paths = segments.map(segment => quotedPath(regularSegment(dir, segment.name)))
  // Where all have the same columns, the first one's footer tells them: the others are not opened before they are read.
  const layouts = new Set(segments.map(({ columns, hidden }) => [...columns, ...hidden].sort().join(',')))
  const all = `read_parquet([${paths.join(', ')}], union_by_name=${layouts.size > 1}, hive_partitioning=false${path})`
  const out = segments.flatMap(segment => segment.out)
  if (out.length === 0) return all
  const known = new Set(segments.flatMap(segment => segment.columns))
  const hidden = [...new Set(segments.flatMap(segment => segment.hidden))].filter(name => !known.has(name))
  const exclude = hidden.length === 0 ? '' : ` EXCLUDE (${hidden.map(quotedName).join(', ')})`
  return `(SELECT *${exclude} FROM ${all} WHERE ${notOfFiles(out)})`
}

function emptyFlows(): string {
  const own = ['0::UINTEGER AS _file', '0::UINTEGER AS _line']
  return [...own, ...flowFields.map(field => `CAST(NULL AS ${sqlType(field.name)}) AS ${quotedName(field.name)}`)].join(
    ', ',
  )
}

const sqlTypes: Record<ColumnType, string> = {
  u8: 'UTINYINT',
  u16: 'USMALLINT',
  u64: 'UBIGINT',
  time: 'TIMESTAMP',
  address: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  text: 'VARCHAR',
  id: 'VARCHAR',
}

/** The DuckDB type of a column of `flows`. */
export function sqlType(name: string): string {
  return sqlTypes[fieldNamed(name)?.type ?? 'text']
}

/** `evidence(id, path, subscription)`: the files that records refer to. */
export async function createEvidenceTable(db: Database, evidence: readonly EvidenceEntry[]): Promise<void> {
  const kept = evidence.filter(file => file.id !== null)
  const packets = kept.filter(isMetered)
  const tracks = tracksOf(packets)
  // A capture that was cut into several files has one name as a sensor: that of the first.
  const firsts = new Map<number, string>()
  const byTime = [...packets].sort((a, b) => ((a.first_start ?? '') < (b.first_start ?? '') ? -1 : 1))
  for (const file of byTime) {
    const track = tracks.get(file.id!)!
    if (!firsts.has(track)) firsts.set(track, file.path)
  }
  const sensorOf = (file: EvidenceEntry): string => firsts.get(tracks.get(file.id!) ?? -1) ?? file.path
  const rows = kept.map(file => ({
    ...{ id: file.id, path: file.path, subscription: subscriptionOf(file.path), sensor: sensorOf(file) },
  }))
  const texts = (of: (row: (typeof rows)[number]) => string | null): string[] => rows.map(row => of(row) ?? '')
  db.chunkTable().offer(
    [
      { name: 'id', type: 'UINTEGER', data: Uint32Array.from(rows, row => row.id!), valid: null },
      { name: 'path', type: 'VARCHAR', data: texts(row => row.path), valid: null },
      { name: 'subscription', type: 'VARCHAR', data: texts(row => row.subscription), valid: null },
      { name: 'sensor', type: 'VARCHAR', data: texts(row => row.sensor), valid: null },
    ],
    rows.length,
  )
  await db.run(
    `CREATE TABLE evidence AS SELECT id, path, nullif(subscription, '') AS subscription, sensor FROM chunks()`,
  )
}
