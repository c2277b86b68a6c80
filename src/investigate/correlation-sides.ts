/** Connections of logs and of captures in one form (docs/reference/dossier.md, section 7). */
import { at, at4, lack } from '../conversations/connection-table.ts'
import type { Judged } from '../conversations/conversations.ts'
import { noProtocol, type Services } from '../conversations/services.ts'
import type { SubjectRecords } from '../conversations/subject.ts'
import { formatAddress } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import { hasPorts } from '../net/protocols.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import type { Value } from '../store/duckdb.ts'

/** One connection of either kind, from client to server. */
export interface Side {
  client: Host
  client_port: number | null
  server: Host
  server_port: number | null
  /** `noProtocol` where it is not known. */
  protocol: number
  start_us: number
  end_us: number
  /** Null where a record does not say how much. */
  packets_to_server: number | null
  packets_to_client: number | null
  bytes_to_server: number | null
  bytes_to_client: number | null
}

export interface LogSide extends Side {
  /** Whether a record of it has a time. */
  timed: boolean
  service: number
  records: number
  rejected: number
}

export interface CaptureSide extends Side {
  path: string
  packet: number
  conn_state: string
  history: string | null
  rtt_us: number | null
  sawStart: boolean
  tunnel: string | null
}

/** An address, once for all sides that have it. */
export interface Host {
  readonly hi: bigint
  readonly lo: bigint
  readonly text: string
  readonly index: number
}

/** The addresses of the sides: equal ones are the same object. */
export class Hosts {
  private readonly byHalves = new Map<bigint, Map<bigint, Host>>()
  private size = 0

  of(hi: bigint, lo: bigint): Host {
    let byLow = this.byHalves.get(hi)
    if (byLow === undefined) {
      byLow = new Map()
      this.byHalves.set(hi, byLow)
    }
    let host = byLow.get(lo)
    if (host === undefined) {
      host = { hi, lo, text: formatAddress(hi, lo), index: this.size++ }
      byLow.set(lo, host)
    }
    return host
  }
}

// Counts come as floating point, which a dossier has them in: nothing of each row is a bigint but its addresses.
const sideColumns = `protocol, start_us::DOUBLE, end_us::DOUBLE, client_packets::DOUBLE, server_packets::DOUBLE, client_bytes::DOUBLE,
  server_bytes::DOUBLE, client_hi, client_lo, client_port, server_hi, server_lo, server_port`
const own = 13

/** The subject's connections in the captures, of which there is one at least; those of conn.log may be the same once more. */
export async function captureSides(c: Case, hosts: Hosts, subject: readonly Prefix[]): Promise<CaptureSide[]> {
  const files = c.evidence.flatMap(file => (file.capture === null || file.id === null ? [] : [file.id]))
  const mine = sql`${inAnyPrefix('orig_addr.hi', 'orig_addr.lo', subject)} OR ${inAnyPrefix('resp_addr.hi', 'resp_addr.lo', subject)}`
  const query = sql`SELECT ${rawSql(sideColumns)}, path, packet::DOUBLE, conn_state, history, rtt_us::DOUBLE, tunnel
    FROM (SELECT orig_addr.hi AS client_hi, orig_addr.lo AS client_lo, orig_port AS client_port,
      resp_addr.hi AS server_hi, resp_addr.lo AS server_lo, resp_port AS server_port, protocol,
      epoch_us(start) AS start_us, epoch_us("end") AS end_us, orig_packets AS client_packets, resp_packets AS server_packets,
      orig_ip_bytes AS client_bytes, resp_ip_bytes AS server_bytes, conn_state, history, rtt_us, tunnel, evidence.path, _line AS packet
    FROM connections JOIN evidence ON evidence.id = _file
    WHERE _file IN (${rawSql(files.join(', '))}) AND (${mine}) ORDER BY start, _file, _line)`
  return sidesOf(c, query, row => {
    const side = sideOf(row, hosts)
    const history = row[own + 3] as string | null
    return {
      ...side,
      path: String(row[own]),
      packet: row[own + 1] as number,
      conn_state: String(row[own + 2]),
      history,
      rtt_us: row[own + 4] as number | null,
      tunnel: row[own + 5] as string | null,
      sawStart: side.protocol !== 6 || (history ?? '').startsWith('S'),
    }
  })
}

/** The subject's connections in the logs, as the dossier judged them, in the order of their starts. */
export function logSides(
  hosts: Hosts,
  { table, roles }: Judged,
  { serviceOf }: Pick<Services, 'serviceOf'>,
  { hi, lo, count }: SubjectRecords['dictionaries']['hosts'],
): LogSide[] {
  const known = new Array<Host | undefined>(count)
  const hostOf = (host: number): Host => {
    const found = known[host] ?? hosts.of(hi[host]!, lo[host]!)
    known[host] = found
    return found
  }
  const sides = new Array<LogSide>(table.count)
  for (let connection = 0; connection < table.count; connection++) {
    const client = roles.client[connection] as 0 | 1
    const server = client === 0 ? 1 : 0
    const protocol = table.protocol(connection) ?? noProtocol
    const sum = (what: 'bytes' | 'packets', side: 0 | 1): number | null =>
      table.lacks(connection, lack[what === 'bytes' ? 'aBytes' : 'aPackets'] + side) > 0
        ? null
        : Number(table[what](connection, side))
    const withPorts = hasPorts(protocol)
    sides[connection] = {
      client: hostOf(table.integer(connection, at4.aHost + client)),
      client_port: withPorts ? table.port(connection, client) : null,
      server: hostOf(table.integer(connection, at4.aHost + server)),
      server_port: withPorts ? table.port(connection, server) : null,
      protocol,
      start_us: table.start(connection),
      end_us: table.number(connection, at.end),
      packets_to_server: sum('packets', client),
      packets_to_client: sum('packets', server),
      bytes_to_server: sum('bytes', client),
      bytes_to_client: sum('bytes', server),
      timed: table.hasTime(connection),
      service: serviceOf[connection]!,
      records: table.records(connection),
      rejected: table.rejected(connection),
    }
  }
  return sides.sort((a, b) => a.start_us - b.start_us)
}

async function sidesOf<T>(c: Case, query: Sql, read: (row: readonly Value[]) => T): Promise<T[]> {
  const sides: T[] = []
  for await (const batch of await c.db.stream(query.text, query.values)) for (const row of batch) sides.push(read(row))
  return sides
}

function sideOf(row: readonly Value[], hosts: Hosts): Side {
  const protocol = Number(row[0])
  const withPorts = hasPorts(protocol)
  return {
    protocol,
    start_us: row[1] as number,
    end_us: row[2] as number,
    packets_to_server: row[3] as number | null,
    packets_to_client: row[4] as number | null,
    bytes_to_server: row[5] as number | null,
    bytes_to_client: row[6] as number | null,
    client: hosts.of(row[7] as bigint, row[8] as bigint),
    client_port: withPorts ? (row[9] as number | null) : null,
    server: hosts.of(row[10] as bigint, row[11] as bigint),
    server_port: withPorts ? (row[12] as number | null) : null,
  }
}
