/** One connection: `GET /api/connection/:key`. */
import type { Outcome, RoleBasis } from '../../investigate/dossier.ts'
import type { Asked, Count } from './common.ts'
import type { Place } from './place.ts'

export interface ConnectionAnswer {
  key: string
  asked: Asked
  source: 'logs' | 'packets'
  client: ConnectionEnd
  server: ConnectionEnd
  protocol: number | null
  /** `http/TCP`. */
  service: string
  /** Who began it, by which rule, how sure, in hundredths. */
  began: { basis: RoleBasis; words: string; confidence: number }
  outcome: Outcome
  /** ISO 8601, UTC; null where no record has a time. */
  first_start: string | null
  last_end: string | null
  seconds: number | null
  /** Some records do not say how much: the sums are without them. */
  at_least: boolean
  to_server: Way
  to_client: Way
  /** The same connection, as each point recorded it; those of captures too. */
  vantages: VantageColumn[]
  /** Its records, in time, the first of them. */
  records: ConnectionRecord[]
  records_total: number
  /** What captures have of it. */
  packets: { to_server: Count; to_client: Count } | null
  /** What carves its packets out of the captures, as a filter, and what the file is called after; null where there are none. */
  carve: { name: string; filter: string; command: string } | null
  /** Others of the same ends and ports, in time. */
  others: { key: string; first_start: string | null; last_end: string | null }[]
}

export interface ConnectionEnd {
  address: string
  port: number | null
  internal: boolean
}

/** Of accepted records, counted once. */
export interface Way {
  records: number
  rejected: number
  packets: Count
  bytes: Count
  /** Flags of all its records; null where none says. */
  flags: string[] | null
}

export interface VantageColumn {
  /** Sensor of a flow log, or the file of a capture. */
  name: string | null
  kind: 'logs' | 'packets'
  /** Whether its records are those that count. */
  counted: boolean
  records: number
  first_start: string | null
  last_end: string | null
  to_server: Way
  to_client: Way
}

export interface ConnectionRecord {
  at: Place
  kind: 'logs' | 'packets'
  sensor: string | null
  start: string | null
  end: string | null
  way: 'to-server' | 'to-client'
  action: string | null
  packets: Count
  bytes: Count
  flags: string[] | null
  /** What became of it: another record may stand for it. */
  fate: 'counted' | 'copy' | 'twin' | 'translated'
}
