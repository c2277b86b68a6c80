/**
 * What a rule of the dossier is given, and what it returns.
 *
 * Rules ask the tables that an investigation leaves (see `investigate/`): `judged` holds the subject's connections from client to server (`id`,
 * `service`, `client_packets`, `client_bytes`, `client_accepted`, `server_…`, `start_us`, `end_us`; sums are of accepted records), `numbered` their
 * records, `evidence` the files. They never see the store.
 */
import type { Prefix } from '../net/prefix.ts'
import type { Sql } from '../query/sql.ts'
import type { Basis, Finding } from './finding.ts'

/** What a rule needs to know of a service; the dossier's rows have more. */
export interface ServiceView {
  server: string
  port: number | null
  protocol: number
  name: string | null
  standard: boolean | null
  client: string
  subject_role: 'client' | 'server' | 'both' | 'transit'
  outcome: 'answered' | 'refused' | 'unanswered' | 'rejected'
  records: number
  connections: number
  bytes_to_server: number | bigint
  bytes_to_client: number | bigint
  first_start: string
  last_end: string
  role_basis: string
  role_confidence: number
  longest_seconds: number
}

export interface Evidence {
  services: readonly ServiceView[]
  /** What the records are: of flow logs, or of packets. */
  source: 'logs' | 'packets'
  /** The analyst's own prefixes, beside the private ones. */
  own: readonly Prefix[]
  run: (query: Sql) => Promise<Record<string, unknown>[]>
  /** Lines that connections of a service rest on: the first, the largest and the last of them, and how many there are. */
  basis: (index: number, from_us: number, to_us: number) => Promise<{ basis: Basis[]; basis_total: number }>
  /** SQL over the case's segments for all records of a service in a time, with its sums. */
  sql: (index: number, from_us: number, to_us: number) => string
}

/** A finding before it has a number. `services` are the indexes of those that it speaks of. */
export type Draft = Omit<Finding, 'id'> & { services: number[] }

export type Rule = (evidence: Evidence) => Promise<Draft[]>
