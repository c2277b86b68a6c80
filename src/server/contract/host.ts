/** One address or network, by its own records: `POST /api/dossier` (a job), and its lists a page at a time. */
import type { Correlation, CorrelationRow, Dossier, Finding, Outcome, ServiceRow } from '../../investigate/dossier.ts'
import type { Block } from '../../report/block.ts'
import type { Asked, Count } from './common.ts'
import type { Place } from './place.ts'
import type { Said } from './said.ts'

export type PageBlock = Said<Block>
export type DossierCorrelation = Said<Correlation>

export interface DossierAsk {
  subjects: string[]
  /** Prefixes that count as internal beside those that the internet does not route. */
  own: string[]
  /** The state of the case that the page shows: of another one it is worked out again. */
  head: string
}

/** The value of the job: what is short of a dossier. Figures are those of `investigate --json`. */
export interface DossierAnswer {
  /** To ask its lists by: `GET /api/dossier/:id/:list?from&count` gives a `ListPage`. */
  id: string
  head: string
  asked: Asked
  subject: string[]
  source: Dossier['source']
  /** Whether the address is one that the internet does not route, or of the analyst's own; null for several of both kinds, or none. */
  internal: boolean | null
  window: Dossier['window']
  records: Dossier['records']
  bytes: Said<Dossier['bytes']>
  packets: Said<Dossier['packets']>
  complete: boolean
  gaps: number
  correlation: DossierCorrelation | null
  services_other: Said<Dossier['services_other']>
  findings_other: Dossier['findings_other']
  /** Parts of the dossier in the words of the report. */
  words: Record<DossierPart, PageBlock[]>
  /** Rows of each list. */
  lists: Record<DossierList, number>
}

export type DossierPart = 'headline' | 'who' | 'story' | 'sure' | 'packets' | 'rejects' | 'coverage' | 'limits'

/** In time, or with the most bytes first; all, or those that a capture has packets of. */
export type CorrelationList = 'correlation' | 'correlation-bytes' | 'correlation-packets' | 'correlation-packets-bytes'

export type DossierList = 'services' | 'lanes' | 'findings' | CorrelationList | 'ports' | 'gaps' | 'work'

export interface ListPage<Row> {
  from: number
  total: number
  rows: Row[]
}

/** Of `services`: those with findings first, then by outcome and bytes. */
export interface DossierService extends Said<ServiceRow> {
  /** Its place in `services` of the JSON, S1 the first. */
  number: string
  service: string
  /** Who the subject is in it, and how that is known. */
  role: string
  known: string
  approved: string
}

/** Of `findings`, the gravest first. */
export interface DossierFinding extends Said<Omit<Finding, 'basis'>> {
  /** The rule that finds the same over a whole case, and the hosts of its connections: by these it is one of the case's findings. */
  caseRule: string
  hosts: string[]
  basis: Place[]
  /** What the analyst's decision is kept by: it stays when evidence is added. */
  key: string
}

/** Of `lanes`: the connections of a service; services come as in `services`. */
export interface Lane {
  number: string
  client: string
  server: string
  port: number | null
  service: string
  outcome: Outcome
  /** All that it has; `bars` are those with the most bytes. */
  connections: number
  bars: LaneBar[]
  /** From the first connection of all lanes to the last one, seconds; null: none has a time. */
  axis: { from: number; to: number } | null
  /** The connections without a bar: how many are under way first in each equal part of the axis; null where all have one. */
  rest: number[] | null
}

export interface LaneBar {
  /** Page of the connection: `/connection/KEY`. */
  key: string
  /** Seconds since 1970. */
  start: number
  end: number
  /** Both ways, of accepted records; null where no record says. */
  bytes: Count
  outcome: Outcome
  /** Whether a capture has packets of it. */
  captured: boolean
}

/** Of `correlation`. */
export interface CorrelatedConnection extends Said<CorrelationRow> {
  why: string
  /** Null for what the logs do not have. */
  key: string | null
}
