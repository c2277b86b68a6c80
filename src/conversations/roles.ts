/**
 * Who of a record's two ends began the connection, and what service that is (docs/reference/filter.md): the ladder of the dossier, over
 * every record of a case. One pass, made when a question needs it and kept in the case's cache.
 */
import { createHash } from 'node:crypto'
import { ICMP, ICMPV6, icmpAsks, icmpCounterpart } from '../net/icmp.ts'
import { serviceOn } from '../net/ports.ts'
import type { Prefix } from '../net/prefix.ts'
import { type CachedTable, cachedTable } from '../store/cached-table.ts'
import type { Case } from '../store/case.ts'
import { quotedName } from '../store/duckdb.ts'
import { judgeRoles, ruleOf, stitch } from './connections.ts'
import { intervalSql, lateness_us, packetGap_us } from './intervals.ts'

/** Of which records: their kind, and their columns. */
export interface RoleRecords {
  evidence: 'logs' | 'packets'
  columns: ReadonlySet<string>
}

/**
 * What `withRoles` adds to a record.
 * - `_role`: `client` or `server`, of the record's source. `_service`: IANA's name of the server's port, else `8022/tcp`; of a protocol without
 *   ports its name. `_service_at`: the same as port and protocol throughout. Null where it cannot be told.
 */
export const roleColumns = ['_role', '_service', '_service_at'] as const

/** Changes with the ladder: what an older one left is not read. */
const rule = 3
/** So many are chained at once: each takes some 150 bytes of memory for the while. */
const recordsAtOnce = 4_000_000
const temporary = ['oriented', 'numbered', 'conn', 'listener', 'undecided', 'peers', 'all_numbered', 'all_conn']

/**
 * The records with their roles, to stand after FROM.
 *
 * @param from a table of the case's database with `_file` and `_line`.
 * @param own the analyst's own networks, internal beside those that the internet does not route.
 */
export function withRoles(from: string, records: RoleRecords, own: readonly Prefix[]): string {
  const table = tableName(records, own)
  return `(SELECT r.*, CASE j.is_client WHEN true THEN 'client' WHEN false THEN 'server' END AS _role, n.name AS _service, n.at AS _service_at
    FROM ${from} r LEFT JOIN ${quotedName(table)} j USING (_file, _line) LEFT JOIN ${quotedName(`${table}_names`)} n ON n.service = j.service)`
}

/** Works out what `withRoles` needs, unless it is there. */
export async function judgeRecords(c: Case, records: RoleRecords, own: readonly Prefix[]): Promise<void> {
  const cached = keptRoles(records, own)
  await cachedTable(c, cached, () => workOut(c, records, own, cached.table))
  await c.db.once(`${cached.table}_names`, () => nameServices(c, cached.table))
}

/** Where the roles are kept. */
export function keptRoles({ evidence }: Pick<RoleRecords, 'evidence'>, own: readonly Prefix[]): CachedTable {
  const table = tableName({ evidence }, own)
  const columns = { _file: 'UINTEGER', _line: 'UINTEGER', is_client: 'BOOLEAN', service: 'UINTEGER' }
  const settings = networksOf(own)
  return { table, file: `${table.replaceAll('_', '-')}-${rule}`, columns, what: 'who connected to whom', settings }
}

function networksOf(own: readonly Prefix[]): string {
  return own
    .map(prefix => prefix.text)
    .sort()
    .join(' ')
}

/** Different networks of the analyst's may give different answers. */
function tableName({ evidence }: Pick<RoleRecords, 'evidence'>, own: readonly Prefix[]): string {
  if (own.length === 0) return `roles_${evidence}`
  return `roles_${evidence}_${createHash('sha256').update(networksOf(own)).digest('hex').slice(0, 16)}`
}

async function workOut(c: Case, records: RoleRecords, own: readonly Prefix[], table: string): Promise<void> {
  const { db } = c
  const judged = { db, source: records.evidence, columns: records.columns }
  const all = records.evidence === 'packets' && c.source === 'logs' ? 'packet_flows' : 'flows'
  try {
    await chain(c, judged, all)
    await judgeRoles(judged, own, all)
    // A service is that of the server's port. Where nobody knows which end that is, both may have the same port.
    const port = `CASE WHEN rule <> ${unknownRule} AND client_is_a THEN b_port WHEN rule <> ${unknownRule} THEN a_port WHEN a_port = b_port THEN a_port END`
    await db.run(`CREATE TABLE ${quotedName(table)} AS
      SELECT _file, _line, CASE WHEN rule <> ${unknownRule} THEN client_is_a = forward END AS is_client,
        (protocol::UINTEGER << 16) + CASE WHEN protocol IN (6, 17, 132) THEN ${port} ELSE 0 END AS service
      FROM (SELECT _file, _line, forward, id FROM numbered) JOIN conn USING (id)`)
    if (records.evidence === 'packets') await judgeByIcmp(c, table)
  } finally {
    for (const name of temporary) await db.run(`DROP TABLE IF EXISTS ${name}`)
  }
}

const unknownRule = ruleOf('unknown')
const firstSeenRule = ruleOf('first-seen')

/** Chains the records into `numbered` and `conn`, some at a time: both directions of two ends together. */
async function chain(c: Case, judged: Parameters<typeof stitch>[0], all: string): Promise<void> {
  const { db } = c
  const isLog = judged.source === 'logs'
  const longest = `coalesce(max(epoch_us("end") - epoch_us("start")), 0)`
  const [row] = await db.rows(`SELECT count(*) AS n, ${intervalSql(longest)} AS interval_us FROM ${all}`)
  const interval_us = isLog ? Number(row!['interval_us']) : 0
  const gap_us = isLog ? interval_us + lateness_us : packetGap_us
  const from = endpointsSql(judged.columns, all)
  const parts = Math.max(1, Math.ceil(Number(row?.['n'] ?? 0) / recordsAtOnce))
  if (parts === 1) return stitch(judged, interval_us, gap_us, from)
  for (let part = 0; part < parts; part++) {
    const pair = 'xor(hash(src_hi, src_lo, srcport), hash(dst_hi, dst_lo, dstport))'
    await stitch(judged, interval_us, gap_us, `${from} WHERE ${pair} % ${parts} = ${part}`)
    const into = (name: string): string =>
      part === 0 ? `CREATE OR REPLACE TEMP TABLE all_${name} AS` : `INSERT INTO all_${name}`
    await db.run(`${into('numbered')} SELECT _file, _line, forward, opens, start_us, id FROM numbered`)
    await db.run(`${into('conn')} SELECT * FROM conn`)
  }
  for (const name of ['numbered', 'conn']) {
    await db.run(`DROP TABLE ${name}`)
    await db.run(`ALTER TABLE all_${name} RENAME TO ${name}`)
  }
}

/** The records that have both ends, with the columns that `stitch` reads. */
function endpointsSql(columns: ReadonlySet<string>, all: string): string {
  const half = (end: 'src' | 'dst', part: 'hi' | 'lo'): string =>
    columns.has(`pkt_${end}addr`) ? `coalesce(pkt_${end}addr.${part}, ${end}addr.${part})` : `${end}addr.${part}`
  const service = (end: 'src' | 'dst'): string =>
    columns.has(`pkt_${end}_aws_service`) ? `pkt_${end}_aws_service` : 'NULL::VARCHAR'
  return `(SELECT _file, _line, ${half('src', 'hi')} AS src_hi, ${half('src', 'lo')} AS src_lo, ${half('dst', 'hi')} AS dst_hi,
      ${half('dst', 'lo')} AS dst_lo, srcport, dstport, protocol, packets, bytes, coalesce(epoch_us("start"), 0) AS start_us,
      coalesce(epoch_us("end"), 0) AS end_us, ${columns.has('action') ? `action IS NOT DISTINCT FROM 'REJECT'` : 'false'} AS rejected,
      ${columns.has('tcp_flags') ? 'tcp_flags' : 'NULL::UTINYINT AS tcp_flags'},
      ${columns.has('icmp_type') ? 'icmp_type' : 'NULL::UTINYINT AS icmp_type'}, ${service('src')} AS src_service, ${service('dst')} AS dst_service
    FROM ${all} WHERE ${half('src', 'lo')} IS NOT NULL AND ${half('dst', 'lo')} IS NOT NULL)`
}

/** Of ICMP in packets the type says who asks, where the ladder has no more than who was seen first. */
async function judgeByIcmp(c: Case, table: string): Promise<void> {
  const types = [ICMP, ICMPV6].flatMap(protocol =>
    Array.from({ length: 256 }, (_, type) => ({ protocol, type })).filter(
      ({ type }) => icmpCounterpart(protocol, type) >= 0,
    ),
  )
  const known = types.map(({ protocol, type }) => `(${protocol}, ${type}, ${icmpAsks(protocol, type)})`).join(', ')
  await c.db.run(`UPDATE ${quotedName(table)} AS j SET is_client = found.asks FROM (
      SELECT f._file, f._line, k.asks FROM packet_flows f JOIN (VALUES ${known}) k(protocol, type, asks)
        ON k.protocol = f.protocol AND k.type = f.icmp_type
      JOIN numbered ON numbered._file = f._file AND numbered._line = f._line JOIN conn USING (id) WHERE conn.rule >= ${firstSeenRule}) found
    WHERE found._file = j._file AND found._line = j._line`)
}

/** `…_names`: what the services of the table are called. */
async function nameServices(c: Case, table: string): Promise<void> {
  const names = quotedName(`${table}_names`)
  const found = await c.db.rows(`SELECT DISTINCT service FROM ${quotedName(table)} WHERE service IS NOT NULL`)
  const rows = found.flatMap(row => {
    const code = Number(row['service'])
    const service = serviceOn(code & 0xffff, code >>> 16)
    return service === null ? [] : [[code, service.name, service.at]]
  })
  await c.db.run(
    `CREATE TABLE ${names} AS SELECT (row->>0)::UINTEGER AS service, row->>1 AS name, row->>2 AS at
     FROM (SELECT unnest(json_extract($1::JSON, '$[*]')) AS row)`,
    [JSON.stringify(rows)],
  )
}
