/**
 * Conversations that several sensors or files recorded: which of their records stand for the others.
 *
 * The rule is that of `investigate`, over the whole case. It is worked out once and kept in the case's `cache` folder, which anybody may
 * delete: it is no part of the record. Where one sensor wrote every record, once, nothing is worked out at all.
 */

import { basename } from 'node:path'
import { countOnce } from '../conversations/count-once.ts'
import { gapSql } from '../conversations/intervals.ts'
import { lacksSensors, sensorSql } from '../conversations/sensor.ts'
import { type CachedTable, cachedTable } from '../store/cached-table.ts'
import type { Case } from '../store/case.ts'
import { quotedName } from '../store/duckdb.ts'
import { subscriptionOf } from '../store/entries.ts'
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
const connection = 'src_hi, src_lo, dst_hi, dst_lo, srcport, dstport, protocol'

/** Candidates first, by digests over all records: the rule is then applied to few. */
async function workOut(c: Case, records: Records, doubt: Doubt, translated: boolean, table: string): Promise<void> {
  const { db } = c
  const all = await sourceSql(c, records, doubt, translated)
  const candidates = [
    ...(doubt.twins
      ? [
          `SELECT h FROM (SELECT hash(${connection}) AS h, vantage FROM (${all})) GROUP BY h HAVING min(vantage) <> max(vantage)`,
        ]
      : []),
    ...(doubt.copies
      ? [
          `SELECT any_value(h) AS h FROM (SELECT hash(${connection}) AS h, hash(${copyKey}) AS k, _file FROM (${all})) GROUP BY k HAVING min(_file) <> max(_file)`,
        ]
      : []),
    ...(translated ? [translatedSql(all)] : []),
  ]
  await db.run(`CREATE OR REPLACE TEMP TABLE candidate AS ${candidates.join(' UNION ')}`)
  await db.run(`CREATE OR REPLACE TEMP TABLE point AS
    SELECT *, (row_number() OVER (ORDER BY sensor NULLS LAST, subscription NULLS LAST))::UINTEGER AS v,
      ${gapSql(records.evidence, 'longest_us')} AS own_gap_us
    FROM (SELECT sensor, subscription, max(end_us - start_us) AS longest_us FROM (${all}) GROUP BY ALL)`)
  await db.run(`CREATE OR REPLACE TEMP TABLE s AS
    SELECT _file, _line, r.sensor, on_instance, ${connection}, src_seen, dst_seen, packets, bytes, start_us, end_us, rejected, action, tcp_flags,
      true AS counted, NULL::VARCHAR AS dropped, v, own_gap_us
    FROM (SELECT * FROM (${all}) SEMI JOIN candidate ON candidate.h = hash(${connection})) AS r
    JOIN point ON point.sensor IS NOT DISTINCT FROM r.sensor AND point.subscription IS NOT DISTINCT FROM r.subscription`)
  const [row] = await db.rows('SELECT max(own_gap_us) AS gap_us FROM point')
  const gap_us = Number(row?.['gap_us'] ?? 0)
  await countOnce(db, { subject: null, gap_us, translated, twins: doubt.twins })
  await db.run(`CREATE TABLE ${table} AS SELECT _file, _line FROM s WHERE NOT counted AND dropped <> 'no-address'`)
  await db.run('DROP TABLE s')
  await db.run('DROP TABLE candidate')
  await db.run('DROP TABLE point')
}

/** Connections that a hop passes on, and those of the hop itself. */
function translatedSql(all: string): string {
  const naming = `SELECT src_hi, src_lo, dst_hi, dst_lo, src_seen, dst_seen, hash(${connection}) AS h FROM (${all})
    WHERE src_seen.lo <> src_lo OR src_seen.hi <> src_hi OR dst_seen.lo <> dst_lo OR dst_seen.hi <> dst_hi`
  return `(WITH naming AS MATERIALIZED (${naming}),
    pair AS (SELECT src_seen AS h, struct_pack(hi := src_hi, lo := src_lo) AS f FROM naming UNION SELECT dst_seen, struct_pack(hi := dst_hi, lo := dst_lo) FROM naming)
    SELECT h FROM naming UNION
    SELECT hash(${connection}) FROM (${all}) AS r SEMI JOIN (SELECT h, f FROM pair UNION SELECT f, h FROM pair) AS p
      ON p.h.hi = r.src_hi AND p.h.lo = r.src_lo AND p.f.hi = r.dst_hi AND p.f.lo = r.dst_lo)`
}

/** The records with what the rule asks of them. */
async function sourceSql(
  c: Case,
  { evidence, columns, table }: Records,
  doubt: Doubt,
  translated: boolean,
): Promise<string> {
  const side = (end: 'src' | 'dst', half: 'hi' | 'lo'): string =>
    columns.has(`pkt_${end}addr`) ? `coalesce(pkt_${end}addr.${half}, ${end}addr.${half})` : `${end}addr.${half}`
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
