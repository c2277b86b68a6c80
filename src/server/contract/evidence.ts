/** What the case was built from, what is taken out of it, and whether it is as its ledger says. Figures are those of `evidence --json`. */
import type { Law } from '../../store/laws.ts'
import type {
  EvidenceFile,
  EvidenceProblem,
  EvidenceReport,
  EvidenceStatus,
  FileHistory,
  RemoveReport,
  VerifyReport,
} from '../../store/reports.ts'
import type { Asked } from './common.ts'
import type { Said } from './said.ts'

export type { EvidenceStatus, Law }

/** `POST /api/evidence`: some of the files, for there can be 100,000. */
export interface EvidenceAsk {
  offset: number
  /** At most 500. */
  count: number
  order: FileOrder
  descending: boolean
  /** Only files whose path has this in it, or whose digest begins with it; empty: all. */
  text: string
  only: FileChoice
}

export const fileOrders = ['path', 'kind', 'size', 'records', 'problems', 'first', 'status'] as const
export type FileOrder = (typeof fileOrders)[number]

/** `troubled`: of which something is in no record. */
export const fileChoices = ['all', 'troubled', 'logs', 'metered'] as const
export type FileChoice = (typeof fileChoices)[number]

export type FileRow = Said<EvidenceFile> & {
  /** What its lines, packets or records come to, and whether that adds up. */
  laws: Law[]
  /** Places in it that are in no record, as far as they are named one by one. */
  problems: number
}

export interface EvidenceAnswer {
  case: string
  head: string
  /** The files that were asked for, out of `matching`; `all` are in the case. */
  files: FileRow[]
  matching: number
  all: number
  statuses: { status: EvidenceStatus; files: number }[]
  totals: EvidenceReport['totals']
  laws: Law[]
  case_records: number
  case_metered_records: number
  /** Files and places that are in no record. */
  problems_total: number
  /** Files that were removed, put back or read again: the first of `history_total`. */
  history: FileHistory[]
  history_total: number
  asked: Asked
}

/** `POST /api/problems`: files and places that are in no record. */
export interface ProblemsAsk {
  /** Of the file with that path; empty: of all files. */
  path: string
  offset: number
  /** At most 500. */
  count: number
}

export interface ProblemsAnswer {
  /**
   * Of all files: what is wrong with each, once, with its first place. `file`: its number in the ledger, where a line of it can be looked at.
   * `places`: how many places of the file have it.
   */
  problems: (EvidenceProblem & { file: number | null; places: number })[]
  total: number
}

/** `POST /api/verify`, a job: its value. */
export type VerifyAnswer = VerifyReport

/** `POST /api/remove`: takes files out of what counts, or puts them back. */
export interface RemoveAsk {
  /** Paths as the case has them, or digests. */
  files: string[]
  undo: boolean
  /** Why, for the ledger; empty: not said. */
  reason: string
}

export type RemoveAnswer = RemoveReport
