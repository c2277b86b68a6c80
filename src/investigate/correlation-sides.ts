/** Connections of logs and of captures in one form (docs/reference/dossier.md, section 7). */
import type { Prefix } from '../net/prefix.ts'
import { inAnyPrefix } from '../query/address-sql.ts'
import { sql } from '../query/sql.ts'
import type { Case } from '../store/case.ts'
import type { Row } from '../store/duckdb.ts'

/** One connection of either kind, from client to server. */
export interface Side {
  client_hi: bigint
  client_lo: bigint
  client_port: number | null
  server_hi: bigint
  server_lo: bigint
  server_port: number | null
  protocol: number
  start_us: number
  end_us: number
  packets_to_server: number
  packets_to_client: number
  bytes_to_server: number
  bytes_to_client: number
}

export interface LogSide extends Side {
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

/** The subject's connections in the captures. */
export async function captureSides(c: Case, subject: readonly Prefix[]): Promise<CaptureSide[]> {
  const mine = sql`${inAnyPrefix('orig_addr.hi', 'orig_addr.lo', subject)} OR ${inAnyPrefix('resp_addr.hi', 'resp_addr.lo', subject)}`
  const query = sql`SELECT orig_addr.hi AS client_hi, orig_addr.lo AS client_lo, orig_port AS client_port,
      resp_addr.hi AS server_hi, resp_addr.lo AS server_lo, resp_port AS server_port, protocol,
      epoch_us(start) AS start_us, epoch_us("end") AS end_us, orig_packets AS client_packets, resp_packets AS server_packets,
      orig_ip_bytes AS client_bytes, resp_ip_bytes AS server_bytes, conn_state, history, rtt_us, tunnel, evidence.path, _line AS packet
    FROM connections JOIN evidence ON evidence.id = _file WHERE ${mine} ORDER BY start, _file, _line`
  return (await c.db.rows(query.text, query.values)).map(row => ({
    ...sideOf(row),
    path: String(row['path']),
    packet: Number(row['packet']),
    conn_state: String(row['conn_state']),
    history: row['history'] as string | null,
    rtt_us: row['rtt_us'] === null ? null : Number(row['rtt_us']),
    tunnel: row['tunnel'] as string | null,
    sawStart: Number(row['protocol']) !== 6 || String(row['history'] ?? '').startsWith('S'),
  }))
}

/** The subject's connections in the logs, as the dossier judged them. */
export async function logSides(c: Case): Promise<LogSide[]> {
  return (await c.db.rows('SELECT * FROM judged ORDER BY start_us, id')).map(logSide)
}

function logSide(row: Row): LogSide {
  return {
    ...sideOf(row),
    service: Number(row['service']),
    records: Number(row['records']),
    rejected: Number(row['rejected']),
  }
}

function sideOf(row: Row): Side {
  const big = (name: string): bigint => BigInt(row[name] as number | bigint)
  const port = (name: string): number | null => (row[name] === null ? null : Number(row[name]))
  const protocol = Number(row['protocol'])
  // Flow logs write ports 0 for protocols without ports.
  const withPorts = protocol === 6 || protocol === 17 || protocol === 132
  return {
    client_hi: big('client_hi'),
    client_lo: big('client_lo'),
    client_port: withPorts ? port('client_port') : null,
    server_hi: big('server_hi'),
    server_lo: big('server_lo'),
    server_port: withPorts ? port('server_port') : null,
    protocol,
    start_us: Number(row['start_us']),
    end_us: Number(row['end_us']),
    packets_to_server: Number(row['client_packets']),
    packets_to_client: Number(row['server_packets']),
    bytes_to_server: Number(row['client_bytes']),
    bytes_to_client: Number(row['server_bytes']),
  }
}
