/** The dossier: what the evidence says about a subject. Names are fixed by the contract. */
import type { Basis, Confidence, Finding, Severity } from '../detect/finding.ts'

export type { Basis, Confidence, Finding, Severity }

/** An exact sum; a bigint where it passes 2^53 - 1. JSON carries either as plain digits. */
export type Count = number | bigint

export interface PortCounts {
  records: number
  rejected: number
  packets: Count
  bytes: Count
}

export interface PortRow {
  port: number
  protocol: number
  as_source: PortCounts
  as_destination: PortCounts
}

export type Outcome = 'answered' | 'refused' | 'unanswered' | 'rejected'
export type RoleBasis =
  | 'syn'
  | 'aws-service'
  | 'rejected-attempt'
  | 'listener'
  | 'port-number'
  | 'first-seen'
  | 'unknown'
export type SubjectRole = 'client' | 'server' | 'both' | 'transit'

export interface ServiceRow {
  server: string
  port: number | null
  protocol: number
  /** IANA's name of the service, else the protocol's name; null when neither has one. */
  name: string | null
  standard: boolean | null
  client: string
  subject_role: SubjectRole
  outcome: Outcome
  records: number
  rejected: number
  connections: number
  bytes_to_server: Count
  bytes_to_client: Count
  packets_to_server: Count
  packets_to_client: Count
  first_start: string
  last_end: string
  role_basis: RoleBasis
  role_confidence: number
  /** Longest single connection, seconds. */
  longest_seconds: number
  findings: string[]
}

export interface ServiceKey {
  server: string
  port: number | null
  protocol: number
}

export interface Gap {
  sensor: string | null
  from: string | null
  to: string | null
  reason: 'skipdata' | 'time-gap' | 'malformed-lines' | 'unreadable-file' | 'partly-read-file'
  /** The file, for the reasons that name one. */
  path?: string
  detail: string
}

export interface AttackSurface {
  complete: boolean
  answered: ServiceKey[]
  refused: ServiceKey[]
  unanswered: ServiceKey[]
  rejected: ServiceKey[]
  gaps: Gap[]
}

/** One observation point that recorded the subject, and what was counted there. */
export interface Vantage {
  sensor: string | null
  subscription: string | null
  records: number
  counted: number
  /** Not counted: copies of a line, twins of another vantage, legs of a translated connection. */
  copies: number
  twins: number
  translated: number
  /** Records without both addresses: in no volume and no service. */
  without_endpoints: number
  /** Aggregation interval, seconds. */
  interval_seconds: number
}

/** What a sensor's log covers, over the whole case. */
export interface SensorCoverage {
  sensor: string | null
  first: string
  last: string
  records: number
  no_data: number
  skip_data: number
  /** Holes longer than two aggregation intervals. */
  holes: number
  recorded_subject: boolean
}

export interface TimelineBin {
  start: string
  seconds: number
  /** Indexed as `services` of the dossier: accepted bytes of both directions, spread over each record's time. */
  bytes_by_service: Record<string, number>
  records: number
}

/** A figure of the page with the ways to get it again. */
export interface WorkItem {
  figure: string
  value: string | Count | null
  sql: string
  /** A command over the raw files that gives the same figure, where one exists. */
  shell: string | null
}

export interface Dossier {
  subject: string[]
  window: { first_start: string | null; last_start: string | null; last_end: string | null; seconds: number | null }
  /** How far the true times may lie from the window's ends, seconds. */
  window_error: { start_seconds: number; end_seconds: number; interval_seconds: number; lateness_seconds: number }
  records: { total: number; subject: number; accepted: number; rejected: number }
  bytes: { from_subject: Count; to_subject: Count; at_least: boolean }
  packets: { from_subject: Count; to_subject: Count; at_least: boolean }
  ports: PortRow[]
  services: ServiceRow[]
  attack_surface: AttackSurface
  findings: Finding[]
  vantages: Vantage[]
  coverage: SensorCoverage[]
  timeline: TimelineBin[]
  correlation: []
  not_logged: string[]
  cannot_tell: string[]
  work: WorkItem[]
  problems: { path: string; line?: number; line_to?: number; offset?: number; problem: string }[]
  evidence: {
    files: number
    partly_read: number
    unreadable: number
    malformed: number
    no_data: number
    skip_data: number
  }
}
