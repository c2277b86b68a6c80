/**
 * Who of a record's two ends began the connection, and what service that is (docs/reference/filter.md): the ladder of the dossier, over
 * every record of a case. One pass, made when a question needs it and kept in the case's cache.
 */
import { createHash } from 'node:crypto'
import { ICMP, ICMPV6, icmpAsks, icmpCounterpart } from '../net/icmp.ts'
import { serviceOn } from '../net/ports.ts'
import type { Prefix } from '../net/prefix.ts'
import { known, type RecordBlock } from '../record-index/block.ts'
import { withRecordIndex } from '../record-index/kept.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { type CachedTable, cachedTable } from '../store/cached-table.ts'
import type { Case } from '../store/case.ts'
import { quotedName } from '../store/duckdb.ts'
import { flags, giveTable, numbers } from '../store/given-table.ts'
import { noConnection } from './connection-table.ts'
import type { Judged } from './conversations.ts'
import { hasPorts } from './endpoints.ts'
import { fate } from './fates.ts'
import { ruleOf } from './ladder.ts'
import { isForward } from './stitch.ts'
import { connectionAt, wholeConversations } from './whole.ts'

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
const rule = 4

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

/** The records that count once, with `role` and `service`; needs `judgeRecords`. */
export function countedSql(from: string, evidence: 'logs' | 'packets'): string {
  const table = tableName({ evidence }, [])
  return `SELECT r.*, CASE j.is_client WHEN true THEN 'client' WHEN false THEN 'server' END AS role, n.name AS service
    FROM ${from} r LEFT JOIN main.${quotedName(table)} j USING (_file, _line) LEFT JOIN main.${quotedName(`${table}_names`)} n ON n.service = j.service
    WHERE j.counts IS DISTINCT FROM false`
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
  const columns = { _file: 'UINTEGER', _line: 'UINTEGER', is_client: 'BOOLEAN', service: 'UINTEGER', counts: 'BOOLEAN' }
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

async function workOut(c: Case, { evidence }: RoleRecords, own: readonly Prefix[], table: string): Promise<void> {
  await withRecordIndex(c, evidence, async index => {
    const whole = await wholeConversations(c, index, evidence, own)
    const rows = {
      file: numbersFor(index),
      line: numbersFor(index),
      isClient: new Uint8Array(index.rows),
      service: numbersFor(index),
      counts: new Uint8Array(index.rows),
    }
    let count = 0
    let at = 0
    for await (const block of index.blocks([...endColumns, 'icmpType', 'known', 'file', 'line'])) {
      for (let row = 0; row < block.rows; row++) {
        const connection = whole.connectionOf[at + row]!
        if (connection === noConnection) continue
        rows.file[count] = block.file[row]!
        rows.line[count] = block.line[row]!
        const [judged, number] = connectionAt(whole, connection)
        rows.isClient[count] = roleOf(judged, number, block, row, evidence)
        rows.service[count] = serviceOfConnection(judged, number)
        rows.counts[count] = Number(whole.fates[at + row] === fate.counted)
        count++
      }
      at += block.rows
    }
    const columns = [
      numbers('_file', rows.file),
      numbers('_line', rows.line),
      flags('is_client', rows.isClient, row => rows.isClient[row] !== nobody),
      numbers('service', rows.service, row => rows.service[row] !== noService),
      flags('counts', rows.counts),
    ]
    await giveTable(c.db, table, columns, count, 'TABLE')
  })
}

const endColumns = ['source', 'destination', 'sourcePort', 'destinationPort', 'protocol'] as const
const unknownRule = ruleOf('unknown')
const firstSeenRule = ruleOf('first-seen')
/** What stands for a role and a service that are not known. */
const nobody = 2
const noService = 0xffff_ffff

function numbersFor(index: RecordIndex): Uint32Array {
  return new Uint32Array(index.rows)
}

/** 1: the source of a record is its connection's client; 0: its server. */
function roleOf(
  { roles }: Judged,
  connection: number,
  block: RecordBlock,
  row: number,
  evidence: 'logs' | 'packets',
): number {
  const rule = roles.rule[connection]!
  // Of ICMP in packets the type says who asks, where the ladder has no more than who was seen first.
  if (evidence === 'packets' && rule >= firstSeenRule && (block.known[row]! & known.icmpType) !== 0) {
    const [protocol, type] = [block.protocol[row]!, block.icmpType[row]!]
    const hasTypes = protocol === ICMP || protocol === ICMPV6
    if (hasTypes && icmpCounterpart(protocol, type) >= 0) return Number(icmpAsks(protocol, type))
  }
  return rule === unknownRule ? nobody : Number(roles.client[connection] === (isForward(block, row) ? 0 : 1))
}

/** A service is that of the server's port. Where nobody knows which end that is, both may have the same port. */
function serviceOfConnection({ table, roles }: Judged, connection: number): number {
  const protocol = table.protocol(connection)
  if (protocol === null) return noService
  if (!hasPorts(protocol)) return protocol * 65536
  const ports = [table.port(connection, 0), table.port(connection, 1)] as const
  const port =
    roles.rule[connection] !== unknownRule
      ? ports[roles.client[connection] === 0 ? 1 : 0]
      : ports[0] === ports[1]
        ? ports[0]
        : null
  return port === null ? noService : protocol * 65536 + port
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
