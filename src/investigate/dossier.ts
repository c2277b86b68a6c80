/** The dossier: what the evidence says about a subject. Names are fixed by the contract. */
import type { EnrichmentFile, EnrichmentProblem } from '../enrich/enrichment-file.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Basis, Confidence, Finding, Severity } from '../rules/finding.ts'

export type { Basis, Confidence, Finding, Severity }

/** An exact sum; a bigint where it passes 2^53 - 1. JSON carries either as plain digits. */
export type Count = number | bigint

export interface PortCounts {
  records: number
  rejected: number
  /** Null where there are records, and none of them says how many. */
  packets: Count | null
  bytes: Count | null
  /** Some of the records do not say their packets or bytes: the sums are without them. */
  at_least?: true
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
  | 'icmp-error'
  | 'unknown'
export type SubjectRole = 'client' | 'server' | 'both' | 'transit'

export interface ServiceRow {
  server: string
  port: number | null
  protocol: number | null
  /** IANA's name of the service, else the protocol's name; null when neither has one. */
  name: string | null
  standard: boolean | null
  client: string
  subject_role: SubjectRole
  outcome: Outcome
  records: number
  rejected: number
  connections: number
  /** Sums are null where no record says how much. */
  bytes_to_server: Count | null
  bytes_to_client: Count | null
  packets_to_server: Count | null
  packets_to_client: Count | null
  /** Some records do not say how many bytes or packets: the sums are without them. */
  at_least: boolean
  /** Null where no record has a time. */
  first_start: string | null
  last_end: string | null
  role_basis: RoleBasis
  role_confidence: number
  /** Longest single connection, seconds. */
  longest_seconds: number | null
  findings: string[]
}

/** The services that are not listed, together. */
export interface ServicesOther {
  count: number
  records: number
  rejected: number
  connections: number
  bytes_to_server: Count
  bytes_to_client: Count
  packets_to_server: Count
  packets_to_client: Count
  at_least: boolean
  first_start: string | null
  last_end: string | null
  /** How many of them had each outcome. */
  outcomes: Record<Outcome, number>
}

export interface ServiceKey {
  server: string
  port: number | null
  protocol: number | null
}

export interface Gap {
  sensor: string | null
  from: string | null
  to: string | null
  reason:
    | 'skipdata'
    | 'time-gap'
    | 'malformed-lines'
    | 'unreadable-file'
    | 'partly-read-file'
    | 'dropped-packets'
    | 'rejected-only'
    | 'undecoded-packets'
    | 'outside-evidence'
  /** The file, for the reasons that name one. */
  path?: string
  detail: string
}

/** A flow log all of whose records have one action: its traffic type may be ACCEPT or REJECT, and the rest was never recorded. */
export interface OneSidedLog {
  /** Id of the flow log, or the path of a file whose name has none. */
  log: string
  action: 'ACCEPT' | 'REJECT'
  records: number
}

export interface AttackSurface {
  complete: boolean
  answered: ServiceKey[]
  refused: ServiceKey[]
  unanswered: ServiceKey[]
  rejected: ServiceKey[]
  /** How many more there are of each outcome than are listed. */
  not_listed: Record<Outcome, number>
  gaps: Gap[]
}

/** One observation point that recorded the subject, and what was counted there. */
export interface Vantage extends VantageCounts {
  sensor: string | null
  subscription: string | null
  /** Aggregation interval, seconds. */
  interval_seconds: number
}

export interface VantageCounts {
  records: number
  counted: number
  /** Not counted: copies of a line, twins of another vantage, legs of a translated connection. */
  copies: number
  twins: number
  translated: number
  /** Records without both addresses: in no volume and no service. */
  without_endpoints: number
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
  bytes_by_service: Record<string, Count>
  /** Those of services that are not listed. */
  bytes_other: Count
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

/** What one kind of evidence says of a connection. Times are of its own clock. */
export interface CorrelatedSide {
  /** Null where no record has a time. */
  first: string | null
  last: string | null
  /** Null where a record does not say how much. */
  packets_to_server: number | null
  packets_to_client: number | null
  /** At the IP layer, in both kinds of evidence. */
  bytes_to_server: number | null
  bytes_to_client: number | null
}

/** One connection as flow logs and captures have it. */
export interface CorrelationRow {
  /** `full`: ends, time and volume agree; `time`: ends and time do; else only one kind has it. */
  match: 'full' | 'time' | 'log-only' | 'capture-only'
  /** Why it is not `full`. */
  reason: string | null
  protocol: number | null
  client: string
  client_port: number | null
  server: string
  server_port: number | null
  /** Null for ICMP, whose types flow logs do not have. */
  community_id: string | null
  /** Index in `services`; null for what the logs do not have. */
  service: number | null
  log: (CorrelatedSide & { records: number; rejected: number }) | null
  /** `packet`: number of the first packet in `path`. State and history are null where several connections of the capture are one in the logs. */
  capture:
    | (CorrelatedSide & {
        path: string
        packet: number
        connections: number
        conn_state: string | null
        history: string | null
        rtt_us: number | null
      })
    | null
  /** Log minus capture. */
  delta: {
    packets_to_server: number | null
    packets_to_client: number | null
    bytes_to_server: number | null
    bytes_to_client: number | null
    start_seconds: number
    end_seconds: number
  } | null
}

export interface Correlation {
  log_connections: number
  capture_connections: number
  full: number
  time: number
  log_only: number
  capture_only: number
  reasons: { match: CorrelationRow['match']; reason: string; connections: number }[]
  /** How far the logs' clock is ahead of the capture's; null where too few connections tell. It is used to pair, and changes no time shown. */
  clock_offset: { seconds: number | null; spread_seconds: number | null; connections: number }
  captures: { path: string; first: string; last: string; packets: number; dropped: Count | null }[]
  /** The subject's services by both kinds of evidence. */
  surface: {
    server: string
    port: number | null
    protocol: number | null
    log_connections: number
    capture_connections: number
    matched: number
  }[]
  /** Rows in `correlation`. */
  listed: number
}

/** Which of the subject's records the dossier is about. */
export interface Selection {
  /** Records that overlap this time, each whole; null: no limit. */
  from: string | null
  to: string | null
  /** Those of these sensors; empty: of all. */
  sensors: string[]
  /** What the limits mean for the answer, in words. */
  notes: string[]
}

/** Accepted traffic of the subject, counted once. */
interface Volumes {
  /** Null where no record of that direction says how much. */
  from_subject: Count | null
  to_subject: Count | null
  at_least: boolean
  /** Records that do not say how much: the sums are without them. */
  unsummed: number
}

/** An entry of a list of the analyst's own that holds an address, valid when there was traffic. */
export interface ListedEntry {
  list: string
  path: string
  /** The longest prefix of the list that holds the address. */
  entry: string
  /** Line of the file; null for JSON, which has `object`, the id there. */
  line: number | null
  object: string | null
  /** What the list says of it. */
  note: string | null
  /** It is valid from the first, and before the second; null: without end. */
  valid_from: string | null
  valid_until: string | null
  /** When the list was made, as it says itself. */
  dated: string | null
}

/** What the analyst's own files say of an address; null: nothing. */
export interface SaidOfAddress extends FilesSay {
  address: string
  is: 'subject' | 'peer'
}

/** The same without the address. */
export interface FilesSay {
  country: string | null
  asn: number | null
  as_org: string | null
  aws_service: string | null
  aws_region: string | null
  network: string | null
  /** When there was traffic with it. */
  first_start: string | null
  last_end: string | null
  lists: ListedEntry[]
}

/** What explains rejected records. */
export const rejectExplanations = [
  /** After the end of its connection. */
  'late',
  /** An answer that a stateless network ACL refused. */
  'return-path',
  'block-public-access',
  'encryption-control',
  /** By rules that were tried: a security group, a network ACL. */
  'group',
  'acl',
  /** A plain refusal, of which flow logs do not tell by what; of rules that were tried: they would have let it through. */
  'none',
  'not-decidable',
] as const

/** Rejected records, each counted as a sensor wrote it, by what explains them. */
export interface RejectTriage {
  total: number
  /** The most first. */
  explained: {
    by: (typeof rejectExplanations)[number]
    reason: string
    records: number
    /** The first of them. */
    basis: Basis[]
  }[]
}

export interface Dossier {
  subject: string[]
  selection: Selection
  /** What the records are: those of flow logs or, in a case without any, flow records made of packets. */
  source: EvidenceKind
  window: { first_start: string | null; last_start: string | null; last_end: string | null; seconds: number | null }
  /** How far the true times may lie from the window's ends, seconds. */
  window_error: { start_seconds: number; end_seconds: number; interval_seconds: number; lateness_seconds: number }
  records: { total: number; subject: number; accepted: number; rejected: number }
  bytes: Volumes
  packets: Volumes
  ports: PortRow[]
  /** Of more services than `limits.services` those that weigh most; all are in `services_other` together that are not listed. */
  services: ServiceRow[]
  services_other: ServicesOther
  attack_surface: AttackSurface
  findings: Finding[]
  /** What rules found beyond `limits.findings_of_a_rule`, by rule. */
  findings_other: { rule: string; count: number }[]
  vantages: Vantage[]
  /** The observation points that are not listed, together. */
  vantages_other: VantageCounts & { count: number }
  coverage: SensorCoverage[]
  /** The action of every flow record of the case, if it is one and the same; null for captures too. */
  one_action: 'ACCEPT' | 'REJECT' | null
  /** At most 100, REJECT first; `one_sided_total` says how many there are. */
  one_sided_logs: OneSidedLog[]
  one_sided_total: number
  /** What explains the subject's rejected records. */
  rejects: RejectTriage
  timeline: TimelineBin[]
  /** Connection by connection; empty without a capture. */
  correlation: CorrelationRow[]
  /** Null without a capture. */
  correlation_summary: Correlation | null
  /** The most that is listed of each; `not_listed` counts what is there beyond. */
  limits: {
    services: number
    surface: number
    findings_of_a_rule: number
    gaps: number
    vantages: number
    coverage: number
  }
  not_listed: { gaps: number; coverage: number; addresses: number }
  not_logged: string[]
  cannot_tell: string[]
  /** The analyst's own files that say what addresses are, and what in them could not be used. */
  enrichment: readonly EnrichmentFile[]
  enrichment_problems: readonly EnrichmentProblem[]
  /** What they say of the subject and its peers, at most 1,000; empty without such files. */
  addresses: SaidOfAddress[]
  work: WorkItem[]
  problems: { path: string; line?: number; line_to?: number; offset?: number; problem: string }[]
  evidence: {
    files: number
    partly_read: number
    unreadable: number
    captures: number
    packets: number
    /** Packets left out as copies of one at another interface; packets like one at the same interface moments before, which are kept. */
    packet_copies: number
    packet_copies_suspected: number
    nfcapd_files: number
    /** Files of other programs' flows: conn.log, and tables. */
    flow_tables: number
    malformed: number
    no_data: number
    skip_data: number
  }
}
