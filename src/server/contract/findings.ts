/** What `detect` finds in the whole case: run once for each state of the case, as a job. */
import type { CaseFinding, SuspectHost } from '../../detect/detect.ts'
import type { Asked } from './common.ts'
import type { JobState } from './events.ts'
import type { PageBlock } from './host.ts'
import type { Place } from './place.ts'
import type { Said } from './said.ts'

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
  /** To ask its lists by: `GET /api/findings/:id/:list?from&count`. */
  id: string
  head: string
  asked: Asked
  /** Who stands out, and what could not be decided, in the words of the command. */
  verdict: PageBlock[]
  undecided: PageBlock[]
  complete: boolean
  connections: number
  findings_total: number
  hosts_total: number
  /** Beyond those that are told singly, by rule. */
  findings_other: { rule: string; count: number }[]
  /** How many there are of each severity. */
  severities: Record<CaseFinding['severity'], number>
}

/** Of the list `findings`: the gravest first, of one severity in time. Subjects and peers are the first of them. */
export interface FoundInCase
  extends Said<Omit<CaseFinding, 'basis' | 'counter_hypotheses' | 'would_change' | 'scores'>> {
  basis: Place[]
  /** What it was measured by, what else it could be, what would change it: in the words of the command. */
  details: PageBlock[]
  /** Its connections' packets, where a capture may have some: a filter; null: there is no capture. */
  carve: string | null
}

/** Of the list `hosts`, in their order. */
export type SuspectInCase = Said<SuspectHost>
