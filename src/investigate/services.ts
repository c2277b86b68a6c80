/** Services: connections by (server, port, protocol, client) (docs/reference/dossier.md, section 5). */

import { roleBases, ruleOf } from '../conversations/connections.ts'
import type { FoundService } from '../detect/rule.ts'
import { formatAddress } from '../net/address.ts'
import { registeredService } from '../net/ports.ts'
import type { Prefix } from '../net/prefix.ts'
import { protocolName, SCTP, TCP, UDP } from '../net/protocols.ts'
import { utcSeconds } from '../net/time.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import type { Row } from '../store/duckdb.ts'
import type { Count, Outcome, ServiceRow, SubjectRole } from './dossier.ts'

/** Ports whose use is taken as approved unless `--approved-ports` says otherwise (contract). */
export const defaultApprovedPorts: readonly number[] = [22, 53, 80, 123, 443]

const key = 'server_hi, server_lo, service_port, protocol, client_hi, client_lo'

/** Makes `service`, one row for each, numbered in the order of their first records, and `judged`: each connection from client to server. */
export async function judgeServices(c: Case, subject: readonly Prefix[], approved: readonly number[]): Promise<void> {
  const pick = (name: string): string =>
    `CASE WHEN client_is_a THEN a_${name} ELSE b_${name} END AS client_${name}, CASE WHEN client_is_a THEN b_${name} ELSE a_${name} END AS server_${name}`
  await c.db.run(`CREATE OR REPLACE TEMP VIEW sided AS
    SELECT id, ${['hi', 'lo', 'port', 'accepted', 'bytes', 'packets', 'not_rst'].map(pick).join(', ')},
      CASE WHEN protocol IN (6, 17, 132) THEN server_port END AS service_port,
      protocol, records, rejected, start_us, end_us, rule, confidence
    FROM conn`)
  const table = sql`CREATE OR REPLACE TEMP TABLE service AS
    SELECT row_number() OVER (ORDER BY first_us, server_hi, server_lo, service_port, protocol, client_hi, client_lo) - 1 AS service, *,
      ${rawSql(outcomeSql)} AS outcome, ${standardSql(approved)} AS standard,
      CASE WHEN server_in AND client_in THEN 'both' WHEN server_in THEN 'server' WHEN client_in THEN 'client' ELSE 'transit' END AS subject_role
    FROM (
      SELECT ${rawSql(key)},
        ${inAnyPrefix('server_hi', 'server_lo', subject)} AS server_in, ${inAnyPrefix('client_hi', 'client_lo', subject)} AS client_in,
        sum(records) AS records, sum(rejected) AS rejected, count(*) AS connections,
        sum(client_accepted) AS to_server, sum(server_accepted) AS to_client, sum(server_not_rst) AS not_rst,
        sum(client_bytes) AS bytes_to_server, sum(server_bytes) AS bytes_to_client,
        sum(client_packets) AS packets_to_server, sum(server_packets) AS packets_to_client,
        min(start_us) AS first_us, max(end_us) AS last_us, max(end_us - start_us) AS longest_us,
        arg_min(rule, (1 - confidence, rule)) AS rule, max(confidence) AS confidence
      FROM sided GROUP BY ALL)`
  await c.db.run(table.text, table.values)
  const same = key
    .split(', ')
    .map(name => `service.${name} IS NOT DISTINCT FROM sided.${name}`)
    .join(' AND ')
  await c.db.run(
    `CREATE OR REPLACE TEMP TABLE judged AS SELECT sided.*, service.service FROM sided JOIN service ON ${same}`,
  )
  // All that it has is in `judged`.
  await c.db.run('DROP VIEW sided')
  await c.db.run('DROP TABLE conn')
}

/**
 * What became of the attempts, by accepted records there, accepted records back, and those of them that are no RST alone. What the server
 * sent is an answer, also where nobody recorded what was asked; where it is not known who the server is, both directions must be there.
 */
const outcomeSql = `CASE WHEN to_server = 0 AND to_client = 0 THEN 'rejected'
  WHEN rule = ${ruleOf('icmp-error')} THEN 'refused'
  WHEN to_client = 0 OR (to_server = 0 AND rule = ${ruleOf('unknown')}) THEN 'unanswered'
  WHEN not_rst = 0 THEN 'refused' ELSE 'answered' END`

/** Null where a service has no port. */
function standardSql(approved: readonly number[]): Sql {
  const standard = [TCP, UDP, SCTP].flatMap(protocol =>
    approved.filter(port => registeredService(port, protocol) !== null).map(port => protocol * 65536 + port),
  )
  const among = standard.length === 0 ? 'false' : `protocol * 65536 + service_port IN (${standard.join(', ')})`
  return rawSql(`CASE WHEN service_port IS NOT NULL THEN ${among} END`)
}

/** The services that a query over `service` gives, in its order. */
export async function readServices(c: Case, query: Sql): Promise<(FoundService & { service: ServiceRow })[]> {
  const rows = await c.db.rows(query.text, query.values)
  return rows.map(row => ({ index: Number(row['service']), service: serviceRow(row) }))
}

function serviceRow(row: Row): ServiceRow {
  const port = row['service_port'] === null ? null : Number(row['service_port'])
  const protocol = Number(row['protocol'])
  const registered = port === null ? null : registeredService(port, protocol)
  return {
    server: address(row, 'server'),
    port,
    protocol,
    name: registered?.name ?? protocolName(protocol)?.toLowerCase() ?? null,
    standard: row['standard'] as boolean | null,
    client: address(row, 'client'),
    subject_role: row['subject_role'] as SubjectRole,
    outcome: row['outcome'] as Outcome,
    records: Number(row['records']),
    rejected: Number(row['rejected']),
    connections: Number(row['connections']),
    bytes_to_server: row['bytes_to_server'] as Count,
    bytes_to_client: row['bytes_to_client'] as Count,
    packets_to_server: row['packets_to_server'] as Count,
    packets_to_client: row['packets_to_client'] as Count,
    first_start: utcSeconds(Number(row['first_us'])),
    last_end: utcSeconds(Number(row['last_us'])),
    role_basis: roleBases[Number(row['rule']) - 1]!,
    role_confidence: Number(row['confidence']),
    longest_seconds: Number(row['longest_us']) / 1e6,
    findings: [],
  }
}

/** The address in two columns, which `rows` gives as numbers where they are small. */
function address(row: Row, name: string): string {
  return formatAddress(BigInt(row[`${name}_hi`] as number | bigint), BigInt(row[`${name}_lo`] as number | bigint))
}
