/** What would have stopped an incident, or told of it: a control, what code is made of it, and what became of the recorded flows under it. */
import type { Artefact, CodeFormat, MetricAlarm } from '../as-code/artefact.ts'
import type { Count, Dossier, Finding, RejectTriage, ServiceRow } from '../investigate/dossier.ts'
import type { RuleFile } from '../network-rules/read-network.ts'
import type { ToldRule } from '../network-rules/told-rule.ts'
import type { Basis } from '../rules/finding.ts'

export type { ToldRule }

export const controlKinds = [
  'security-group-ingress',
  'security-group-egress',
  'network-acl',
  'rate-limit',
  'alarm',
  'flow-log',
  'advice',
] as const
export type ControlKind = (typeof controlKinds)[number]

/** A control as it is recommended, before it is tried. */
export interface Recommended {
  kind: ControlKind
  title: string
  /** Findings (`F5`) and services (`S2`) of the dossier that it answers. */
  answers: string[]
  why: string
  /** What it costs: money, work, or what it forbids. */
  cost: string
  /** What an analyst must confirm before it is put in place. */
  confirm: string[]
  artefact: Artefact
}

/** Connections of the evidence with one peer and service, together. */
export interface TrialService {
  client: string
  server: string
  port: number | null
  protocol: number | null
  connections: number
  /** Both ways. Null where no record says how many. */
  bytes: Count | null
  bytes_to_server: Count | null
  bytes_to_client: Count | null
  first_start: string | null
  last_end: string | null
  /** Some of the records that they rest on. */
  basis: Basis[]
}

/** What connections come to. Bytes are both ways; out: from a protected host, of two the one that began it. Null where no record says how many. */
export interface TrialSum {
  connections: number
  bytes: Count | null
  bytes_out: Count | null
  bytes_in: Count | null
}

/** What becomes of the recorded flows under a control. Connections are counted once, whoever recorded them, and those that were rejected not at all. */
export interface Trial {
  attack: TrialSum & {
    stopped_connections: number
    stopped_bytes: Count | null
    stopped_bytes_out: Count | null
    stopped_bytes_in: Count | null
    /** When the first of them began, and the last one ended. */
    first_stopped: string | null
    last_stopped: string | null
    /** Those that are stopped, the largest first. */
    stopped: TrialService[]
    stopped_total: number
    /** What it would have let through all the same, the largest first. */
    let_through: TrialService[]
    let_through_total: number
    undecided_connections: number
  }
  innocent: TrialSum & {
    broken_connections: number
    broken_bytes: Count | null
    broken_bytes_out: Count | null
    broken_bytes_in: Count | null
    /** Addresses of the other ends, in their order. */
    peers: string[]
    peers_total: number
    /** Of those that are broken: what strangers sent to see whether somebody answers, from how many addresses, and the most packets of one. */
    probes: { connections: number; peers: number; packets_most: number }
    /** Those of internal clients first, then the largest. */
    broken: TrialService[]
    broken_total: number
    undecided_connections: number
  }
  /** Whether some records do not say how many bytes they had: sums are lower bounds. */
  at_least: boolean
  /** Of an alarm: the periods after which it would have fired, each with the value that did it. */
  fired: { at: string; value: number }[]
  fired_total: number
  /** Of an alarm: the part of the evidence before the incident; or all of it without the records of the subject, where that part is too short. */
  baseline: { from: string; to: string; periods: number; fired: number; before_incident: boolean } | null
  /** Without connections where it is about something else. */
  not_decidable: { of: 'attack' | 'innocent'; reason: string; connections: number; bytes: Count | null }[]
  /** Some of the records that `stopped` and `broken` rest on. */
  basis: Basis[]
}

export interface Control extends Omit<Recommended, 'artefact'> {
  /** `C1`. */
  id: string
  /** What it is for: addresses, and ids where the evidence tells them. */
  applies_to: { addresses: string[]; interfaces: string[]; subnets: string[] }
  rules: ToldRule[]
  /** Of an alarm. */
  alarm: MetricAlarm | null
  /** Each null where there is nothing to write. */
  code: Record<CodeFormat, string | null>
  /** Null where nothing can be tried, as of advice. */
  trial: Trial | null
  /** What of AWS's quotas it uses, and whether it fits. */
  quotas: { quota: string; used: number; limit: number; fits: boolean }[]
}

/** What was missing in the evidence, and what it would have told. */
export interface Missing {
  what: string
  why: string
}

/** A host that the attack reached. */
export interface ProtectedHost {
  address: string
  /** Whether it is of the subject itself: what it does besides the attack is innocent. */
  is_subject: boolean
  attack: TrialSum
  innocent: TrialSum
  /** Whether some records do not say how many bytes they had: sums are lower bounds. */
  at_least: boolean
}

/** What is asked for and what was chosen. */
export interface ControlsSelection {
  /** Whether the subject is what `detect` found, and not what was named. */
  from_findings: boolean
  approved_ports: number[]
  share: number
  /** When the rules come into force; null: before everything. */
  at: string | null
  only: string[]
  internal: string[]
}

/** A finding that controls answer; `detect` has it under its own id where it found the same. */
export type AnsweredFinding = Pick<
  Finding,
  'id' | 'rule' | 'title' | 'severity' | 'confidence' | 'first_start' | 'last_end'
> & { detect_id: string | null }

/** A service of the dossier, by the id that its page gives. */
export type AnsweredService = Pick<
  ServiceRow,
  'client' | 'server' | 'port' | 'protocol' | 'outcome' | 'connections' | 'findings'
> & { id: string }

/** All controls that are chosen, at once. */
export interface ControlSet {
  controls: string[]
  code: Record<CodeFormat, string | null>
  trial: Trial | null
  quotas: Control['quotas']
}

export interface ControlsAnswer {
  subject: string[]
  /** Those of the subject that are internal: a host that was taken over. */
  internal_subject: string[]
  selection: ControlsSelection
  window: { first_start: string; last_end: string } | null
  /** Of the case, and of the subject; null: nobody is asked about. */
  records: { total: number; subject: number | null }
  connections: number
  protected: ProtectedHost[]
  protected_total: number
  /** Connections of the subject with internal hosts that were rejected already: they moved no data, and no control is credited with them. */
  rejected_connections: number
  findings: AnsweredFinding[]
  services: AnsweredService[]
  controls: Control[]
  set: ControlSet
  missing: Missing[]
  not_decidable: string[]
  /** Null: no rules of the user's own are tried. */
  tried: TriedRules | null
  triage: RejectTriage | null
  enrichment: Dossier['enrichment']
  enrichment_problems: Dossier['enrichment_problems']
  problems: Dossier['problems']
  evidence: Dossier['evidence']
  source: Dossier['source']
}

/** The user's own rules, beside what was recorded when others were in force. */
export interface TriedRules {
  /** Whether AWS was asked for them just now; else they are of files. */
  live: boolean
  files: RuleFile[]
  /** What in them could not be used. */
  problems: { path: string; problem: string }[]
  /** Null without a subject: then all is judged, and nothing is the attack. */
  trial: Trial | null
  judged: { connections: number; allowed: number; denied: number; undecided: number }
  /** Protected addresses that no interface is known to have, where groups are judged: which groups they have is not known. */
  no_interface: string[]
  /** Recorded as accepted, and these rules would deny them. */
  accepted_denied: TrialService[]
  accepted_denied_total: number
  accepted_denied_connections: number
  /** Recorded as rejected, and these rules would allow them. */
  rejected_allowed: TrialService[]
  rejected_allowed_total: number
  rejected_allowed_connections: number
}
