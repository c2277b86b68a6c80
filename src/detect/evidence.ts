import { parseAddress } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import { rawSql, type Sql, shownSql, sql } from '../query/sql.ts'
import type { Basis } from './finding.ts'
import type { ConnectionView, Evidence, ServiceView } from './rule.ts'

/** More connections of one service are not looked at one by one. */
const connectionsMax = 500_000
const basisOfEachKind = 4

export interface EvidenceInput {
  services: readonly ServiceView[]
  own: readonly Prefix[]
  run: Evidence['run']
  /** SQL for the case's flow records, as a person would write it: `read_parquet('…')`. */
  flowsSource: string
}

/** The questions that rules ask, over the tables of an investigation. */
export function evidenceReader(input: EvidenceInput): Evidence {
  const { services, own, run, flowsSource } = input
  return {
    services,
    own,
    run,
    connections: index => connections(run, services[index]!),
    basis: (index, from_us, to_us) => basis(run, services[index]!, from_us, to_us),
    sql: (index, from_us, to_us) => shownSql(recordsSql(services[index]!, flowsSource, from_us, to_us)),
  }
}

function ofService(service: ServiceView): Sql {
  const server = parseAddress(service.server)!
  const client = parseAddress(service.client)!
  return sql`server_hi = ${server.hi} AND server_lo = ${server.lo} AND client_hi = ${client.hi} AND client_lo = ${client.lo}
    AND protocol IS NOT DISTINCT FROM ${service.protocol} AND service_port IS NOT DISTINCT FROM ${service.port}`
}

async function connections(run: Evidence['run'], service: ServiceView): Promise<ConnectionView[]> {
  const rows = await run(sql`SELECT id, start_us, end_us, client_packets, client_bytes, server_packets, server_bytes FROM judged
    WHERE ${ofService(service)} AND client_accepted > 0 AND server_accepted > 0 ORDER BY start_us, id LIMIT ${connectionsMax}`)
  return rows.map(row => ({
    id: Number(row['id']),
    start_us: Number(row['start_us']),
    end_us: Number(row['end_us']),
    client_packets: Number(row['client_packets']),
    client_bytes: Number(row['client_bytes']),
    server_packets: Number(row['server_packets']),
    server_bytes: Number(row['server_bytes']),
  }))
}

async function basis(run: Evidence['run'], service: ServiceView, from_us: number, to_us: number): Promise<{ basis: Basis[]; basis_total: number }> {
  const records = sql`SELECT evidence.path, n._file, n._line, n.start_us, n.bytes FROM numbered n
    JOIN conn ON conn.a_hi = n.a_hi AND conn.a_lo = n.a_lo AND conn.b_hi = n.b_hi AND conn.b_lo = n.b_lo AND conn.number = n.number
      AND conn.a_port IS NOT DISTINCT FROM n.a_port AND conn.b_port IS NOT DISTINCT FROM n.b_port AND conn.protocol IS NOT DISTINCT FROM n.protocol
    JOIN (SELECT id FROM judged WHERE ${ofService(service)}) j ON j.id = conn.id
    JOIN evidence ON evidence.id = n._file
    WHERE n.start_us BETWEEN ${from_us} AND ${to_us}`
  const rows = await run(sql`WITH records AS (${records}),
    ranked AS (SELECT *, count(*) OVER () AS total, row_number() OVER (ORDER BY start_us, _file, _line) AS early,
      row_number() OVER (ORDER BY start_us DESC, _file DESC, _line DESC) AS late, row_number() OVER (ORDER BY bytes DESC NULLS LAST, _file, _line) AS large FROM records)
    SELECT path, _line AS line, total FROM ranked
    WHERE early <= ${basisOfEachKind} OR late <= ${basisOfEachKind} OR large <= ${basisOfEachKind} ORDER BY start_us, _file, _line`)
  return {
    basis: rows.map(row => ({ path: String(row['path']), line: Number(row['line']) })),
    basis_total: Number(rows[0]?.['total'] ?? 0),
  }
}

function recordsSql(service: ServiceView, source: string, from_us: number, to_us: number): Sql {
  const is = (name: string, text: string): Sql => {
    const { hi, lo } = parseAddress(text)!
    return sql`${rawSql(name)}.hi = ${hi} AND ${rawSql(name)}.lo = ${lo}`
  }
  const port = (name: string): Sql => (service.port === null ? rawSql('true') : sql`${rawSql(name)} = ${service.port}`)
  return sql`SELECT dstport AS destination_port, action, count(*) AS records, sum(packets) AS packets, sum(bytes) AS bytes, min(start) AS first_start, max("end") AS last_end
FROM ${rawSql(source)}
WHERE protocol = ${service.protocol} AND epoch_us(start) BETWEEN ${from_us} AND ${to_us}
  AND ((${is('srcaddr', service.client)} AND ${is('dstaddr', service.server)} AND ${port('dstport')})
    OR (${is('srcaddr', service.server)} AND ${is('dstaddr', service.client)} AND ${port('srcport')}))
GROUP BY ALL ORDER BY bytes DESC`
}
