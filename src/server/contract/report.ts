/** The report: `POST /api/report` starts a job, whose value is a `ReportAnswer`. */
import type { Asked, Count } from './common.ts'

export interface ReportAsk {
  /** Addresses or prefixes; none: the whole case. */
  subjects: string[]
  /** Whether controls are recommended and tried. */
  controls: boolean
  /** Whether the words, notes and verdicts of the case's notes.json are in it. */
  notes: boolean
  /** Null: those that count as standard by default. Of addresses only. */
  approved_ports: number[] | null
  own: string[]
}

export type ReportFormat = 'html' | 'md' | 'json'

export interface ReportAnswer {
  /** `GET /api/report/:id/:format` gives it to keep, `GET /api/preview/:id` to look at, as long as it is among the last few. */
  id: string
  head: string
  asked: Asked
  title: string
  made: string
  files: Record<ReportFormat, { name: string; bytes: number }>
  records: Count
  findings: { total: number; confirmed: number; refuted: number }
  controls: number | null
  /** Why there are none. */
  controls_left_out: string | null
  /** Notes on findings that it does not have. */
  notes_not_found: number
}
