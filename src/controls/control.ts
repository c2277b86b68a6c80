/** What would have stopped an incident, or told of it: a control, what code is made of it, and what became of the recorded flows under it. */
import type { Artefact, CodeFormat, MetricAlarm } from '../as-code/artefact.ts'
import type { Count } from '../investigate/dossier.ts'
import type { Basis } from '../rules/finding.ts'

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

/** A rule as JSON and pages tell it. */
export interface ToldRule {
  direction: 'ingress' | 'egress'
  /** Of a network ACL. */
  number: number | null
  action: 'allow' | 'deny'
  /** IANA's number; null: all. */
  protocol: number | null
  from_port: number | null
  to_port: number | null
  icmp_type: number | null
  icmp_code: number | null
  /** A prefix, or the id of a group or prefix list. */
  remote: string
  description: string
}

/** Connections of the evidence with one peer and service, together. */
export interface TrialService {
  client: string
  server: string
  port: number | null
  protocol: number | null
  connections: number
  bytes: Count
  first_start: string | null
  last_end: string | null
  /** Some of the records that they rest on. */
  basis: Basis[]
}

/** What becomes of the recorded flows under a control. Connections are counted once, whoever recorded them. */
export interface Trial {
  attack: {
    connections: number
    bytes: Count
    stopped_connections: number
    stopped_bytes: Count
    first_stopped: string | null
    last_stopped: string | null
    /** What it would have let through all the same, the largest first. */
    let_through: TrialService[]
    let_through_total: number
  }
  innocent: {
    connections: number
    bytes: Count
    broken_connections: number
    broken_bytes: Count
    /** Addresses of the other ends. */
    peers: string[]
    peers_total: number
    broken: TrialService[]
    broken_total: number
  }
  /** Of an alarm: the periods after which it would have fired, each with the value that did it. */
  fired: { at: string; value: number }[]
  fired_total: number
  /** Of an alarm: the part of the evidence before the incident. */
  baseline: { from: string; to: string; periods: number; fired: number } | null
  not_decidable: { reason: string; connections: number; bytes: Count }[]
  basis: Basis[]
}

export interface Control extends Omit<Recommended, 'artefact'> {
  /** `C1`. */
  id: string
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

/** Records that were rejected, by what explains them. */
export interface RejectTriage {
  total: number
  /** The most first. */
  explained: {
    /** `late`: after the connection's end; `return-path`: an answer that a stateless ACL refused; `block-public-access`; `encryption-control`; `group`; `acl`; `none`. */
    by:
      | 'late'
      | 'return-path'
      | 'block-public-access'
      | 'encryption-control'
      | 'group'
      | 'acl'
      | 'none'
      | 'not-decidable'
    reason: string
    records: number
    basis: Basis[]
  }[]
}
