/** What would have stopped it: `POST /api/controls`, `POST /api/controls/try`. Both start a job; its value is a `ControlsPageAnswer`. */
import type { Text as Words } from '../../report/block.ts'
import type { Asked, Count } from './common.ts'
import type { Place } from './place.ts'

/** A sentence of the report: texts, and values that are shown as what they are. */
export type { Words }

export interface ControlsAsk {
  /** Addresses or prefixes; none: the hosts outside that detect finds to act. */
  subjects: string[]
  /** Null: those that count as standard by default. */
  approved_ports: number[] | null
  own: string[]
  /** When the rules come into force, ISO 8601; null: before everything. */
  at: string | null
}

/** Rules of the analyst's own: what AWS prints, or controls that were edited. */
export interface TryAsk extends Omit<ControlsAsk, 'approved_ports'> {
  files: { name: string; text: string }[]
  /** Paths of files of this machine. */
  paths: string[]
}

/** Connections with one peer and service. */
export interface TriedService {
  client: string
  server: string
  /** `22/tcp (ssh)`. */
  service: string
  connections: number
  bytes: Count
  first_start: string | null
  last_end: string | null
  /** Some of the records that they rest on. */
  places: Place[]
}

/** The first of a list, and how many there are. */
export interface Listed {
  rows: TriedService[]
  total: number
}

export interface TriedSums {
  connections: number
  bytes: Count
  bytes_out: Count
}

export interface TrialAnswer {
  /** What it does to the attack, and to the rest, in words. */
  attack_words: Words
  rest_words: Words
  attack: TriedSums & {
    stopped: TriedSums
    undecided: number
    first_stopped: string | null
    last_stopped: string | null
  }
  rest: TriedSums & { broken: TriedSums; undecided: number; probes: number; peers: number }
  /** Whether some records do not say how many bytes they had. */
  at_least: boolean
  stopped: Listed
  let_through: Listed
  broken: Listed
  not_decidable: Words[]
  /** Of an alarm. */
  alarm: {
    words: Words
    fired: { at: string; value: number }[]
    fired_total: number
    false_alarms: number | null
  } | null
}

export interface ControlRule {
  /** Of an entry of a network ACL. */
  number: number | null
  direction: 'ingress' | 'egress'
  action: 'allow' | 'deny'
  traffic: string
  remote: string
  description: string
}

export type ControlCode = Record<'terraform' | 'cloudformation' | 'aws_cli', string | null>

export interface ControlAnswer {
  id: string
  kind: string
  title: string
  why: string
  cost: string
  confirm: string[]
  /** Ids of findings and services, with what they are. */
  answers: { id: string; title: string }[]
  addresses: string[]
  rules: ControlRule[]
  pattern: string | null
  code: ControlCode
  trial: TrialAnswer | null
  quotas: { quota: string; used: number; limit: number; fits: boolean }[]
}

export interface ControlsPageAnswer {
  asked: Asked
  head: string
  subject: string[]
  /** What the controls, or the rules that are tried, come to. */
  verdict: Words
  /** That a host of one's own is asked about. */
  warning: Words | null
  about: Words[]
  controls: ControlAnswer[]
  /** All of them at once. */
  set: { code: ControlCode; trial: TrialAnswer | null }
  missing: { what: string; why: string }[]
  undecided: Words[]
  tried: {
    files: { path: string; holds: string[] }[]
    problems: { path: string; problem: string }[]
    conclusion: Words | null
    judged: { connections: number; allowed: number; denied: number; undecided: number }
    trial: TrialAnswer | null
    accepted_denied: Listed & { connections: number }
    rejected_allowed: Listed & { connections: number }
    no_interface: string[]
  } | null
  /** Rejected records, by what explains them. */
  triage: { total: number; explained: { words: Words; records: number }[] } | null
}
