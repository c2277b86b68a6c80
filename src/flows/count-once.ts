/**
 * Conversations that several sensors or files recorded: which of their records stand for the others.
 *
 * The rule is that of `investigate`, over the whole case. It is worked out once and kept in the case's `cache` folder, which anybody may
 * delete: it is no part of the record. Where one sensor wrote every record, once, nothing is worked out at all.
 */

import { basename } from 'node:path'
import { countOnce } from '../conversations/count-once.ts'
import { fate } from '../conversations/fates.ts'
import { rawSql } from '../query/sql.ts'
import { readBlock } from '../record-index/question.ts'
import { lacksSensors, sensorSql } from '../record-index/sensor.ts'
import { type CachedTable, cachedTable } from '../store/cached-table.ts'
import type { Case } from '../store/case.ts'
import { quotedName } from '../store/duckdb.ts'
import { subscriptionOf } from '../store/entries.ts'
import { giveTable, numbers } from '../store/given-table.ts'
import type { EvidenceEntry } from '../store/ledger.ts'
import { tracksOf } from '../store/tracks.ts'
import type { Records } from './source.ts'

/** Changes with the rule: what an older one left is not read. */
const rule = 2

interface Doubt {
  /** Several vantages: the same conversation may have been seen at each. */
  twins: boolean
  /** Several files may hold the same records. */
  copies: boolean
  /** Vantage of each file of packets. */
  tracks: Map<number, number>
}

/** The table of records that others stand for; null where there are none. */
export async function collapsedTable(c: Case, records: Records): Promise<string | null> {
  const doubt = doubtOf(c, records)
  const translated = records.columns.has('pkt_srcaddr') || records.columns.has('pkt_dstaddr')
  if (!doubt.twins && !doubt.copies && !translated) return null
  const cached = keptCollapsed(records.evidence)
  const { table } = cached
  await cachedTable(c, cached, () => workOut(c, records, doubt, translated, table))
  const [row] = await c.db.rows(`SELECT count(*) AS n FROM ${table}`)
  return Number(row?.['n']) > 0 ? table : null
}

/** Where the records that others stand for are kept. */
export function keptCollapsed(evidence: Records['evidence']): CachedTable {
  return {
    table: `collapsed_${evidence}`,
    file: `counted-once-${evidence}-${rule}`,
    columns: { _file: 'UINTEGER', _line: 'UINTEGER' },
    what: 'which records are one and the same traffic',
  }
}

function doubtOf(c: Case, { evidence }: Records): Doubt {
  const isLog = (file: EvidenceEntry): boolean => file.kind?.includes('flow-log') === true
  const files = c.evidence.filter(file => file.id !== null && file.records > 0 && isLog(file) === (evidence === 'logs'))
  if (evidence === 'packets') {
    const tracks = tracksOf(files)
    return { twins: new Set(tracks.values()).size > 1, copies: false, tracks }
  }
  const sensors = new Set(files.flatMap(file => file.sensors))
  const several = sensors.size > 1 || files.some(file => file.sensor_count > 1) || lacksSensors(c)
  const subscriptions = new Set(files.map(file => subscriptionOf(file.path)))
  return { twins: several || subscriptions.size > 1, copies: mayRepeat(files), tracks: new Map() }
}

/** Whether a record may be in two files: not in those that one flow log delivered, each under a name of its own, and not at other times. */
function mayRepeat(files: readonly EvidenceEntry[]): boolean {
  const sorted = files
    .filter(file => file.first_start !== null)
    .sort((a, b) => (a.first_start! < b.first_start! ? -1 : 1))
  let open: EvidenceEntry[] = []
  for (const file of sorted) {
    open = open.filter(one => one.last_end! >= file.first_start!)
    if (open.some(one => !areDeliveries(one, file))) return true
    open.push(file)
  }
  return false
}

function areDeliveries(a: EvidenceEntry, b: EvidenceEntry): boolean {
  const subscription = subscriptionOf(a.path)
  const name = (file: EvidenceEntry): string => basename(file.path).replace(/\.(gz|zst|log|parquet)\b/g, '')
  return subscription !== null && subscription === subscriptionOf(b.path) && name(a) !== name(b)
}

const copyKey =
  'sensor, src_hi, src_lo, dst_hi, dst_lo, srcport, dstport, protocol, start_us, end_us, packets, bytes, action, tcp_flags'
/** A digest of a pair of ends, in either direction. */
const pair = 'xor(hash(src_hi, src_lo, srcport, protocol), hash(dst_hi, dst_lo, dstport, protocol))'

/** Candidates first, by digests over all records: the rule is then applied to few. */
async function workOut(c: Case, records: Records, doubt: Doubt, translated: boolean, table: string): Promise<void> {
  const { db } = c
  const all = await sourceSql(c, records, doubt, translated)
  const candidates = [
    ...(doubt.twins
      ? [`SELECT h FROM (SELECT ${pair} AS h, vantage FROM (${all})) GROUP BY h HAVING min(vantage) <> max(vantage)`]
      : []),
    ...(doubt.copies
      ? [
          `SELECT any_value(h) AS h FROM (SELECT ${pair} AS h, hash(${copyKey}) AS k, _file FROM (${all})) GROUP BY k HAVING min(_file) <> max(_file)`,
        ]
      : []),
    ...(translated ? [translatedSql(all)] : []),
  ]
  await db.run(`CREATE OR REPLACE TEMP TABLE candidate AS ${candidates.join(' UNION ')}`)
  const found = rawSql(`${endsDigest(records.columns)} IN (SELECT h FROM candidate)`)
  const { block, dictionaries } = await readBlock(c, found, records.evidence)
  const fates = countOnce(block, { evidence: records.evidence, vantages: dictionaries.vantages, isSubject: null })
  await db.run('DROP TABLE candidate')
  const others = rowsThat(fates, one => one !== fate.counted && one !== fate.withoutEnds)
  const columns = [
    numbers(
      '_file',
      others.map(row => block.file[row]!),
    ),
    numbers(
      '_line',
      others.map(row => block.line[row]!),
    ),
  ]
  await giveTable(db, table, columns, others.length, 'TABLE')
}

function rowsThat(fates: Uint8Array, isTrue: (fate: number) => boolean): Uint32Array {
  let count = 0
  for (const one of fates) if (isTrue(one)) count++
  const rows = new Uint32Array(count)
  let at = 0
  for (let row = 0; row < fates.length; row++) if (isTrue(fates[row]!)) rows[at++] = row
  return rows
}

/** `pair` over the columns of a record as it stands. */
function endsDigest(columns: ReadonlySet<string>): string {
  const end = (side: 'src' | 'dst'): string =>
    `hash(${trueHalf(columns, side, 'hi')}, ${trueHalf(columns, side, 'lo')}, ${side}port, protocol)`
  return `xor(${end('src')}, ${end('dst')})`
}

function trueHalf(columns: ReadonlySet<string>, end: 'src' | 'dst', half: 'hi' | 'lo'): string {
  return columns.has(`pkt_${end}addr`) ? `coalesce(pkt_${end}addr.${half}, ${end}addr.${half})` : `${end}addr.${half}`
}

/** Connections that a hop passes on, and those of the hop itself. */
function translatedSql(all: string): string {
  const naming = `SELECT src_hi, src_lo, dst_hi, dst_lo, src_seen, dst_seen, ${pair} AS h FROM (${all})
    WHERE src_seen.lo <> src_lo OR src_seen.hi <> src_hi OR dst_seen.lo <> dst_lo OR dst_seen.hi <> dst_hi`
  return `(WITH naming AS MATERIALIZED (${naming}),
    pair AS (SELECT src_seen AS h, struct_pack(hi := src_hi, lo := src_lo) AS f FROM naming UNION SELECT dst_seen, struct_pack(hi := dst_hi, lo := dst_lo) FROM naming)
    SELECT h FROM naming UNION
    SELECT ${pair} FROM (${all}) AS r SEMI JOIN (SELECT h, f FROM pair UNION SELECT f, h FROM pair) AS p
      ON p.h.hi = r.src_hi AND p.h.lo = r.src_lo AND p.f.hi = r.dst_hi AND p.f.lo = r.dst_lo)`
}

/** The records with what the rule asks of them. */
async function sourceSql(
  c: Case,
  { evidence, columns, table }: Records,
  doubt: Doubt,
  translated: boolean,
): Promise<string> {
  const side = (end: 'src' | 'dst', half: 'hi' | 'lo'): string => trueHalf(columns, end, half)
  const field = (name: string, type: string): string =>
    columns.has(name) ? quotedName(name) : `NULL::${type} AS ${quotedName(name)}`
  const seen = (end: string): string => (translated ? `${end}addr` : 'NULL::STRUCT(hi UBIGINT, lo UBIGINT)')
  const isLog = evidence === 'logs'
  if (!isLog) await tracksTable(c, doubt.tracks)
  const sensor = isLog ? sensorSql(c) : 'track::VARCHAR'
  const from = isLog
    ? 'flows LEFT JOIN evidence ON evidence.id = _file'
    : `${table(false)} LEFT JOIN tracks ON tracks.file = _file`
  const subscription = isLog ? 'evidence.subscription' : 'NULL::VARCHAR'
  return `SELECT _file, _line, ${sensor} AS sensor, ${subscription} AS subscription, hash(${sensor}, ${subscription}) AS vantage,
    ${columns.has('instance_id') ? 'instance_id IS NOT NULL' : 'false'} AS on_instance,
    ${side('src', 'hi')} AS src_hi, ${side('src', 'lo')} AS src_lo, ${side('dst', 'hi')} AS dst_hi, ${side('dst', 'lo')} AS dst_lo,
    ${seen('src')} AS src_seen, ${seen('dst')} AS dst_seen, srcport, dstport, protocol, packets, bytes,
    coalesce(epoch_us("start"), 0) AS start_us, coalesce(epoch_us("end"), 0) AS end_us,
    ${columns.has('action') ? `action IS NOT DISTINCT FROM 'REJECT'` : 'false'} AS rejected, ${field('action', 'VARCHAR')}, ${field('tcp_flags', 'UTINYINT')}
    FROM ${from}`
}

async function tracksTable(c: Case, tracks: ReadonlyMap<number, number>): Promise<void> {
  await c.db.run(
    `CREATE OR REPLACE TEMP TABLE tracks AS SELECT (row->>0)::UINTEGER AS file, (row->>1)::UINTEGER AS track
     FROM (SELECT unnest(json_extract($1::JSON, '$[*]')) AS row)`,
    [JSON.stringify([...tracks])],
  )
}
