/** Services: connections by (server, port, protocol, client) (docs/reference/dossier.md, section 5). */
import { formatAddress } from '../net/address.ts'
import { registeredService } from '../net/ports.ts'
import type { Prefix } from '../net/prefix.ts'
import { hasPorts, protocolName } from '../net/protocols.ts'
import { utcSeconds } from '../net/time.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import { roleBases } from '../query/connections.ts'
import { sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import type { Row } from '../store/duckdb.ts'
import type { Count, Outcome, ServiceRow, SubjectRole } from './dossier.ts'

/** Ports whose use is taken as approved unless `--approved-ports` says otherwise (contract). */
export const defaultApprovedPorts: readonly number[] = [22, 53, 80, 123, 443]

/** Fills `judged` (each connection from client to server) and `service`, and returns the services. */
export async function gatherServices(
  c: Case,
  subject: readonly Prefix[],
  approved: readonly number[],
): Promise<ServiceRow[]> {
  const pick = (name: string): string =>
    `CASE WHEN client_is_a THEN a_${name} ELSE b_${name} END AS client_${name}, CASE WHEN client_is_a THEN b_${name} ELSE a_${name} END AS server_${name}`
  await c.db.run(`CREATE OR REPLACE TEMP TABLE judged AS
    SELECT id, ${['hi', 'lo', 'port', 'accepted', 'bytes', 'packets', 'not_rst', 'syn', 'synack'].map(pick).join(', ')},
      CASE WHEN protocol IN (6, 17, 132) THEN server_port END AS service_port,
      protocol, records, rejected, start_us, end_us, rule, confidence
    FROM conn`)
  const table = sql`CREATE OR REPLACE TEMP TABLE service AS
    SELECT row_number() OVER (ORDER BY first_us, server_hi, server_lo, service_port, protocol, client_hi, client_lo) - 1 AS service, * FROM (
      SELECT server_hi, server_lo, service_port, protocol, client_hi, client_lo,
        ${inAnyPrefix('server_hi', 'server_lo', subject)} AS server_in, ${inAnyPrefix('client_hi', 'client_lo', subject)} AS client_in,
        sum(records) AS records, sum(rejected) AS rejected, count(*) AS connections,
        sum(client_accepted) AS to_server, sum(server_accepted) AS to_client, sum(server_not_rst) AS not_rst,
        sum(client_bytes) AS bytes_to_server, sum(server_bytes) AS bytes_to_client,
        sum(client_packets) AS packets_to_server, sum(server_packets) AS packets_to_client,
        min(start_us) AS first_us, max(end_us) AS last_us, max(end_us - start_us) AS longest_us,
        arg_min(rule, (1 - confidence, rule)) AS rule, max(confidence) AS confidence
      FROM judged GROUP BY ALL)`
  await c.db.run(table.text, table.values)
  await c.db.run('ALTER TABLE judged ADD COLUMN service BIGINT')
  await c.db.run(`UPDATE judged SET service = service.service FROM service
    WHERE service.server_hi = judged.server_hi AND service.server_lo = judged.server_lo AND service.client_hi = judged.client_hi
      AND service.client_lo = judged.client_lo AND service.protocol IS NOT DISTINCT FROM judged.protocol
      AND service.service_port IS NOT DISTINCT FROM judged.service_port`)
  const rows = await c.db.rows('SELECT * FROM service ORDER BY service')
  return rows.map(row => serviceRow(row, approved))
}

function serviceRow(row: Row, approved: readonly number[]): ServiceRow {
  const port = row['service_port'] === null ? null : Number(row['service_port'])
  const protocol = Number(row['protocol'])
  const registered = port === null ? null : registeredService(port, protocol)
  return {
    server: address(row, 'server'),
    port,
    protocol,
    name: registered?.name ?? protocolName(protocol)?.toLowerCase() ?? null,
    standard: hasPorts(protocol) && port !== null ? registered !== null && approved.includes(port) : null,
    client: address(row, 'client'),
    subject_role: subjectRole(row),
    outcome: outcome(row),
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
export function address(row: Row, name: string): string {
  return formatAddress(BigInt(row[`${name}_hi`] as number | bigint), BigInt(row[`${name}_lo`] as number | bigint))
}

function subjectRole(row: Row): SubjectRole {
  if (row['server_in']) return row['client_in'] ? 'both' : 'server'
  return row['client_in'] ? 'client' : 'transit'
}

function outcome(row: Row): Outcome {
  const there = Number(row['to_server']) > 0
  const back = Number(row['to_client']) > 0
  if (!there && !back) return 'rejected'
  if (!there || !back) return 'unanswered'
  return Number(row['not_rst']) === 0 ? 'refused' : 'answered'
}
