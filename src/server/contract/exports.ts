/** Findings and flows in other tools' formats: `POST /api/export` starts a job, whose value is an `ExportAnswer`. */
import type { Asked, ViewAsk } from './common.ts'

export type ExportFormat = 'ocsf' | 'ecs' | 'stix' | 'sigma' | 'guardduty' | 'csv' | 'ndjson' | 'conn-log'
export type ExportKind = 'records' | 'connections' | 'findings' | 'all'

export interface ExportAsk extends Pick<ViewAsk, 'filter' | 'own'> {
  /** Of what begins at `from` or later, and before `until`: seconds since 1970, UTC. Null: no bound. */
  from: number | null
  until: number | null
  to: ExportFormat
  what: ExportKind
  /** Findings are those of these addresses, in the place of those of the view. */
  of: string[]
  notes: boolean
}

export interface ExportAnswer {
  asked: Asked
  /** Given once: `GET /api/download/:id`. */
  download: { id: string; name: string; bytes: number }
  records: number
  connections: number
  findings: number
  /** What is not in it, and how its figures are to be read. */
  left_out: string[]
  notes: string[]
}
