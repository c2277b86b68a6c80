/** What the case was built from, what is added to it, taken out of it and checked. Figures are those of `tidemark evidence --json`. */
import type {
  EvidenceFile,
  EvidenceProblem,
  EvidenceReport,
  EvidenceStatus,
  FileHistory,
  RemoveReport,
  VerifyReport,
} from '../../store/reports.ts'
import type { Said } from './said.ts'

export type { EvidenceProblem, EvidenceStatus, FileHistory }

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

export const fileOrders = ['path', 'kind', 'size', 'records', 'problems', 'first_start', 'status'] as const
export type FileOrder = (typeof fileOrders)[number]

/** `troubled`: of which something is in no record. */
export const fileChoices = ['all', 'troubled', 'logs', 'packets'] as const
export type FileChoice = (typeof fileChoices)[number]

export type FileRow = Said<EvidenceFile> & {
  /** What its lines, packets or records come to, and whether that adds up. */
  laws: Law[]
  /** Places in it that are in no record, as far as they are named one by one. */
  problems: number
}

/** `lines 120 = headers 1 + records 119`: `missing` is 0 where it adds up. */
export interface Law {
  name: string
  whole: number
  parts: { name: string; count: number }[]
  missing: number
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
  /** Places that are in no record. */
  problems_total: number
  /** Files that were removed, put back or read again: the first of `history_total`. */
  history: Said<FileHistory>[]
  history_total: number
  /** `tidemark evidence …` */
  command: string
}

/** `POST /api/evidence/problems`: places of a file that are in no record; empty path: of all files. */
export interface ProblemsAsk {
  path: string
  offset: number
  /** At most 500. */
  count: number
}

export interface ProblemsAnswer {
  problems: EvidenceProblem[]
  total: number
}

/** `POST /api/add`: files and folders that are read into the case. Gives a `JobState` whose value is an `AddResult`. */
export interface AddAsk {
  paths: string[]
  /** `--format`: field names of flow logs without a header line. */
  format?: string
  /** `--format-unknown` */
  formatUnknown?: boolean
  /** `--max-expand`, a ratio from 1. */
  maxExpandRatio?: number
  /** `--max-expanded`, bytes. */
  maxExpandedBytes?: number
  /** `--keep-copies` */
  keepCopies?: boolean
  /** `--again` */
  again?: boolean
}

/** What an `add` came to; `tidemark add --json` has each file. */
export interface AddResult {
  statuses: { status: EvidenceStatus; files: number }[]
  totals: EvidenceReport['totals']
  /** Flow records that are in the case now. */
  case_records: number
  /** Files and places that were not read, the first of `not_read_total`. */
  not_read: EvidenceProblem[]
  not_read_total: number
  folders_without_evidence: EvidenceReport['folders_without_evidence']
  /** It was stopped: what is told here is in the case, the rest is not. */
  interrupted: boolean
}

/** `GET /api/paths?at=TEXT`: what a path that begins so can go on as. */
export interface PathsAnswer {
  items: { path: string; folder: boolean }[]
  /** There are more. */
  truncated: boolean
}

/** `POST /api/verify` gives a `JobState` whose value is this. */
export type VerifyAnswer = VerifyReport

/** `POST /api/remove`: takes files out of what counts, or puts them back. */
export interface RemoveAsk {
  /** Paths as the case has them, or digests. */
  files: string[]
  undo: boolean
  reason: string
}

export type RemoveAnswer = RemoveReport
