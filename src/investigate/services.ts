/** Services as rows of the dossier (docs/reference/dossier.md, section 5). */
import { roleBases } from '../conversations/ladder.ts'
import type { FoundService } from '../detect/rule.ts'
import { formatAddress } from '../net/address.ts'
import { registeredService } from '../net/ports.ts'
import { protocolName } from '../net/protocols.ts'
import { utcSeconds } from '../net/time.ts'
import type { Sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import type { Row } from '../store/duckdb.ts'
import type { Count, Outcome, ServiceRow, SubjectRole } from './dossier.ts'

/** Ports whose use is taken as approved unless `--approved-ports` says otherwise (contract). */
export const defaultApprovedPorts: readonly number[] = [22, 53, 80, 123, 443]

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
    role_confidence: Number(row['confidence']) / 100,
    longest_seconds: Number(row['longest_us']) / 1e6,
    findings: [],
  }
}

/** The address in two columns, which `rows` gives as numbers where they are small. */
function address(row: Row, name: string): string {
  return formatAddress(BigInt(row[`${name}_hi`] as number | bigint), BigInt(row[`${name}_lo`] as number | bigint))
}
