/** What is exported: flow records, connections and findings, with their addresses as the export names them. */
import type { FlowsRow } from '../flows/request.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Basis, Confidence, Severity } from '../rules/finding.ts'
import type { Score } from '../rules/rule.ts'
import type { FindingStatus } from '../store/notes.ts'

/** A flow record as a sensor wrote it: its columns as `flows` names them. Unknown is null. */
export type ExportedRecord = FlowsRow

/** A conversation, counted once. Sums are of accepted records; null where the records do not say them. */
export interface ExportedConnection {
  client: string
  server: string
  /** Null where the protocol has none, or it is not known. */
  client_port: number | null
  port: number | null
  protocol: number | null
  /** Microseconds since the epoch. */
  start_us: number
  end_us: number
  packets_to_server: number | null
  packets_to_client: number | null
  bytes_to_server: number | null
  bytes_to_client: number | null
  /** Some of its records do not say their packets or bytes: the sums are without them. */
  at_least: boolean
  records: number
  rejected: number
  outcome: 'rejected' | 'refused' | 'unanswered' | 'answered'
  /** Who began it: false where client and server are names only; how sure it is, from 0 to 1. */
  role_known: boolean
  role_confidence: number
  client_internal: boolean
  server_internal: boolean
  /** TCP: a SYN of the client, a SYN-ACK of the server, and a FIN or RST were recorded. */
  opened: boolean
  accepted: boolean
  closed: boolean
}

/** What a host does in a finding. Of outside hosts, those that `act` or `receive` are worth looking for elsewhere. */
export type HostPart = 'acts' | 'receives' | 'suffers' | 'reaches' | 'none'

export interface FindingHost {
  address: string
  internal: boolean
  part: HostPart
}

export interface HostPair {
  client: string
  server: string
}

export interface ExportedFinding {
  id: string
  rule: string
  title: string
  severity: Severity
  confidence: Confidence
  tactic: string | null
  technique: string | null
  technique_name: string | null
  summary: string
  scores: readonly Score[]
  would_change: string | null
  counter_hypotheses: readonly string[]
  /** ISO 8601, UTC. */
  first_start: string | null
  last_end: string | null
  /** Those that are named; there may be more. */
  subject: readonly FindingHost[]
  subject_total: number
  peers: readonly FindingHost[]
  peers_total: number
  /** Client and server of the connections that it rests on, each pair of hosts once; of very many some. */
  pairs: readonly HostPair[]
  pairs_cut: boolean
  /** Of the servers, in all that it rests on; null where they differ, or it is not known. */
  port: number | null
  protocol: number | null
  connections: number | null
  /** Lines of the evidence, some of `basis_total`. */
  basis: readonly Basis[]
  basis_total: number
  /** What the analyst decided of it, and wrote. */
  verdict: FindingStatus | null
  comments: readonly string[]
  /** Of GuardDuty, for what the rule looks for. */
  guardduty_types: readonly string[]
  /** Null where addresses were changed: it names those of the evidence. */
  sql: string | null
}

/** What all of an export has in common. */
export interface ExportContext {
  /** Tidemark's. */
  version: string
  source: EvidenceKind
  /** Of the case: the same whenever it is exported. */
  key: string
}

/** An item that a format cannot hold. */
export interface LeftOut {
  left: string
}

/** Writes one format. What it does not hold has no function. */
export interface Printer {
  /** What comes before the first item; after the last one. */
  begin?(): string
  end?(): string
  record?(record: ExportedRecord): string | LeftOut
  connection?(connection: ExportedConnection): string | LeftOut
  finding?(finding: ExportedFinding): string | LeftOut
}
