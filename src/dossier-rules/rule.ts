/**
 * What a rule of the dossier is given, and what it returns.
 *
 * Rules ask the tables that an investigation leaves (see `investigate/`): `service` holds the subject's services by number, `judged` the
 * connections of those services that a rule named (`Evidence.connectionsOf`). They never see the store. A subject can have millions of services:
 * what a rule looks for it asks in SQL, and it gets the services that it has found, `findingsMax` at most.
 */
import type { Prefix } from '../net/prefix.ts'
import type { Sql } from '../query/sql.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Basis, Finding } from '../rules/finding.ts'
import type { Thresholds } from '../rules/rule.ts'

/** Findings of one rule that are told singly; all are counted. */
export const findingsMax = 1000

/** What a rule needs to know of a service; the dossier's rows have more. */
export interface ServiceView {
  server: string
  port: number | null
  protocol: number | null
  name: string | null
  standard: boolean | null
  client: string
  subject_role: 'client' | 'server' | 'both' | 'transit'
  outcome: 'answered' | 'refused' | 'unanswered' | 'rejected'
  records: number
  connections: number
  /** Null where no record says how many. */
  bytes_to_server: number | bigint | null
  bytes_to_client: number | bigint | null
  /** Some records do not say how many bytes or packets. */
  at_least: boolean
  /** Null where no record has a time. */
  first_start: string | null
  last_end: string | null
  role_basis: string
  role_confidence: number
  longest_seconds: number | null
}

/** A service with its number in the tables. */
export interface FoundService {
  index: number
  service: ServiceView
}

export interface Evidence {
  /** What the records are: of flow logs, or of packets. */
  source: EvidenceKind
  /** The analyst's own prefixes, beside the private ones. */
  own: readonly Prefix[]
  run: (query: Sql) => Promise<Record<string, unknown>[]>
  /** The services that meet a condition over `service`, the weightiest by `weight` if there are too many; in the order of their numbers. */
  services: (condition: Sql, weight: string) => Promise<{ found: FoundService[]; left: number }>
  /** The numbers of the services that meet a condition over `service`, in order. */
  numbersOf: (condition: Sql) => Promise<Uint32Array>
  /** The service of a number; undefined where there is none. */
  service: (index: number) => ServiceView | undefined
  /**
   * Makes `judged`, the connections of some services from client to server, in the place of those of others: `service`, `client_packets`,
   * `client_bytes`, `client_accepted`, `server_…`, `start_us`, `end_us`. Sums are of accepted records.
   */
  connectionsOf: (indexes: Uint32Array) => Promise<void>
  /** Lines that connections of a service rest on: the first, the largest and the last of them, and how many there are. */
  basis: (index: number, span: FoundSpan | null) => { basis: Basis[]; basis_total: number }
  /** The first line of a service. */
  firstLine: (index: number) => Basis
  /** SQL over the case's segments for all records of a service in a time, with its sums. */
  sql: (service: ServiceView, span: FoundSpan | null) => string
}

/** A time in which records start, both ends included. Null stands for one that no record tells: all records are meant. */
export interface FoundSpan {
  from_us: number
  to_us: number
}

/**
 * A finding before it has a number. `services`: the numbers of those that it speaks of, or a condition over `service`; `restsOn`: those whose
 * records within its time are its evidence, where these are not the same.
 */
export type Draft = Omit<Finding, 'id' | 'services_total'> & {
  services: Sql | readonly number[]
  restsOn?: readonly number[]
}

export interface Found {
  drafts: Draft[]
  /** How many more there are, which are not told singly. */
  left: number
}

export interface Rule<T extends Thresholds = Thresholds> {
  /** As findings name it. */
  readonly name: string
  readonly thresholds: T
  find(evidence: Evidence, thresholds: T): Promise<Found>
}

/** Confidence of a role below which a finding is one level less sure: no handshake or the like tells it. */
export const roleConfidenceMin = 0.8
