/** What `detect` finds in the whole case: run once for each state of the case, as a job. */
import type { Confidence, Severity } from '../../rules/finding.ts'

export type { Severity } from '../../rules/finding.ts'

import type { Asked } from './common.ts'
import type { JobState } from './events.ts'
import type { ServiceOfPackets } from './files.ts'
import type { PageBlock } from './host.ts'
import type { Place } from './place.ts'

/** `POST /api/findings` starts it and gives its JobState; `GET /api/findings?head&own` says how far it is. */
export interface FindingsAsk {
  own: string[]
  head: string
}

export interface FindingsState {
  /** Null: nobody has asked for it yet, or it failed. */
  job: JobState | null
  /** Null until the job is done. */
  found: FindingsAnswer | null
}

export interface FindingsAnswer {
  /** To ask its lists by: `GET /api/findings/:id/:list?from&count` gives a `ListPage`. */
  id: string
  head: string
  asked: Asked
  /** Who stands out, and what could not be decided, in the words of the command. */
  verdict: PageBlock[]
  undecided: PageBlock[]
  /** Whether the case has a capture, of which packets can be carved. */
  captures: boolean
  /** Whether no gap of the evidence is known of. */
  complete: boolean
  connections: number
  findings_total: number
  hosts_total: number
  /** Beyond those that are told singly, by rule. */
  findings_other: { rule: string; count: number }[]
  /** How many there are of each severity. */
  severities: Record<Severity, number>
}

/** Of the list `brief`, in the order of `findings`: all of them, in short. */
export interface FindingBrief {
  id: string
  rule: string
  severity: Severity
  confidence: Confidence
  title: string
  first_start: string | null
  last_end: string | null
  /** Subjects and peers, in order; the first of them. */
  hosts: string[]
}

/** Of the list `findings`: the gravest first, of one severity in time. Names are those of `detect --json`. */
export interface FoundInCase {
  id: string
  /** What the analyst's decision is kept by: it stays when evidence is added. */
  key: string
  rule: string
  title: string
  severity: Severity
  confidence: Confidence
  tactic: string
  technique: string | null
  technique_name: string | null
  summary: string
  first_start: string | null
  last_end: string | null
  /** The first of them. */
  subject: string[]
  subject_total: number
  peers: string[]
  peers_total: number
  connections: number
  basis: Place[]
  basis_total: number
  sql: string
  /** What it was measured by, what else it could be, what would change it: in the words of the command. */
  details: PageBlock[]
  /** Whether the peers came to the subjects: then they are named first. */
  inward: boolean
  /** The services of its connections; null: too many to name. */
  services: ServiceOfPackets[] | null
  /** All records of these services, whenever they were, as a filter; null: too many to name. */
  filter: string | null
}

/** Of the list `hosts`, in their order. */
export interface SuspectInCase {
  rank: number
  address: string
  role: 'actor' | 'target' | 'both'
  severity: Severity
  tactics: string[]
  findings: string[]
  peers: string[]
  peers_total: number
  first_start: string
  last_end: string
  why: string
}
