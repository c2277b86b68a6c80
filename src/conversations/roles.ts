/**
 * Who of a record's two ends began the connection, and what service that is (docs/reference/filter.md): the ladder of the dossier, over
 * every record of a case. One pass, made when a question needs it and kept in the case's cache.
 */
import { createHash } from 'node:crypto'
import { serviceOn } from '../net/ports.ts'
import type { Prefix } from '../net/prefix.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { type CachedTable, cachedTable, keptSource } from '../store/cached-table.ts'
import type { Case } from '../store/case.ts'
import { quotedName, quotedString } from '../store/duckdb.ts'

/** Of which records. */
interface RoleRecords {
  evidence: EvidenceKind
}

/**
 * What `withRoles` adds to a record.
 * - `_role`: `client` or `server`, of the record's source. `_service`: IANA's name of the server's port, else `8022/tcp`; of a protocol without
 *   ports its name. `_service_at`: the same as port and protocol throughout. Null where it cannot be told.
 */
export const roleColumns = ['_role', '_service', '_service_at'] as const

/** Changes with the ladder: what an older one left is not read. */
const rule = 5

/**
 * The records with their roles, to stand after FROM.
 *
 * @param from a table of the case's database with `_file` and `_line`.
 * @param own the analyst's own networks, internal beside those that the internet does not route.
 */
export function withRoles(from: string, records: RoleRecords, own: readonly Prefix[]): string {
  const table = tableName(records, own)
  return withRolesOf(from, records, { judged: quotedName(table), names: quotedName(`${table}_names`) })
}

/** @param tables what `judgeRecords` worked out, each to stand after FROM. */
function withRolesOf(from: string, { evidence }: RoleRecords, tables: { judged: string; names: string }): string {
  return `(SELECT r.*, CASE j.is_client WHEN true THEN 'client' WHEN false THEN 'server' END AS _role, n.name AS _service, n.at AS _service_at
    FROM ${from} r LEFT JOIN ${tables.judged} j ON ${isJudged(evidence)} LEFT JOIN ${tables.names} n ON n.service = j.service)`
}

/** A line of another program's table is two records, one each way: which of them it is tells `wayOf`. */
function isJudged(evidence: EvidenceKind): string {
  const sameLine = 'j._file = r._file AND j._line = r._line'
  if (evidence === 'logs') return sameLine
  const way = 'r.srcaddr > r.dstaddr OR (r.srcaddr = r.dstaddr AND coalesce(r.srcport, 0) > coalesce(r.dstport, 0))'
  return `${sameLine} AND j._way = (${way})::UTINYINT`
}

/** As `withRoles`, for any DuckDB: the roles are read from the cache, and the names stand in it. Null where nothing is kept. */
export async function shownWithRoles(
  c: Case,
  from: string,
  records: RoleRecords,
  own: readonly Prefix[],
): Promise<string | null> {
  const kept = keptRoles(records, own)
  const judged = await keptSource(c, kept)
  if (judged === null) return null
  const rows = await c.db.rows(`SELECT service, name, "at" FROM ${quotedName(`${kept.table}_names`)} ORDER BY service`)
  const values = rows.map(
    row => `(${Number(row['service'])}, ${quotedString(String(row['name']))}, ${quotedString(String(row['at']))})`,
  )
  const none = '(SELECT NULL::UINTEGER AS service, NULL::VARCHAR AS name, NULL::VARCHAR AS "at" WHERE false)'
  const names = values.length === 0 ? none : `(SELECT * FROM (VALUES ${values.join(', ')}) AS v(service, name, "at"))`
  return withRolesOf(from, records, { judged, names })
}

/** The records that count once, with `role` and `service`; needs `judgeRecords`. */
export function countedSql(from: string, evidence: EvidenceKind): string {
  const table = tableName({ evidence }, [])
  return `SELECT r.*, CASE j.is_client WHEN true THEN 'client' WHEN false THEN 'server' END AS role, n.name AS service
    FROM ${from} r LEFT JOIN main.${quotedName(table)} j ON ${isJudged(evidence)} LEFT JOIN main.${quotedName(`${table}_names`)} n ON n.service = j.service
    WHERE j.counts IS DISTINCT FROM false`
}

/** Works out what `withRoles` needs, unless it is there. */
export async function judgeRecords(c: Case, records: RoleRecords, own: readonly Prefix[]): Promise<void> {
  const cached = keptRoles(records, own)
  await cachedTable(c, cached, async () => {
    // Few questions need it, and it loads the engine.
    const { giveRoles } = await import('./give-roles.ts')
    await giveRoles(c, records.evidence, own, cached.table)
  })
  await c.db.once(`${cached.table}_names`, () => nameServices(c, cached.table))
}

/** Where the roles are kept. */
export function keptRoles({ evidence }: RoleRecords, own: readonly Prefix[]): CachedTable {
  const table = tableName({ evidence }, own)
  const key = { _file: 'UINTEGER', _line: 'UINTEGER', ...(evidence === 'packets' && { _way: 'UTINYINT' }) }
  const columns = { ...key, is_client: 'BOOLEAN', service: 'UINTEGER', counts: 'BOOLEAN' }
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
function tableName({ evidence }: RoleRecords, own: readonly Prefix[]): string {
  if (own.length === 0) return `roles_${evidence}`
  return `roles_${evidence}_${createHash('sha256').update(networksOf(own)).digest('hex').slice(0, 16)}`
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
