/** What a report says, as one document: all of its figures, and where they stand, is here; pages are printed from it. */
import type { ControlsAnswer } from '../../controls/control.ts'
import type { Detections } from '../../detect/detect.ts'
import type { CoverageMap } from '../../investigate/mapped-time.ts'
import type { Score } from '../../rules/rule.ts'
import type { FindingStatus, KeptNote, NotesSection } from '../../store/notes.ts'
import type { EvidenceFile } from '../../store/reports.ts'
import type { UnreadLines } from '../../verbatim/lines.ts'
import type { DossierJson } from '../dossier-json.ts'

export interface ReportHead {
  title: string
  case_number: string | null
  examiner: string | null
  /** When it was made, and with what. */
  made: string
  tool: { name: string; version: string }
  command: string | null
  /** The addresses that it is about; empty: it is about the whole case. */
  subject: string[]
}

/** A line of the evidence; a long one is cut, and `characters` says how long it is. */
export interface ReportLine {
  path: string
  line: number
  text: string
  characters: number
  /** When the record began, where the order of the line's fields is known. */
  start: string | null
}

/** What a report adds to a finding of the dossier or of `detect`. */
export interface ReportFinding {
  id: string
  /** Stays the same when evidence is added, unlike the id. */
  key: string
  /** What was measured, beside the thresholds; and what would have made the rule silent. */
  scores: Score[]
  would_change: string | null
  lines: ReportLine[]
  /** Lines that are not shown, and why. */
  unread: UnreadLines[]
  /** Records that it rests on. */
  records: number
  status: FindingStatus | null
  notes: string[]
}

export interface ReportEvidence {
  /** The digest of the ledger's last entry, which holds those of all files. */
  ledger_head: string
  files: Pick<
    EvidenceFile,
    | 'path'
    | 'kind'
    | 'size'
    | 'sha256'
    | 'lines'
    | 'header_lines'
    | 'records'
    | 'no_data'
    | 'skip_data'
    | 'malformed'
    | 'status'
    | 'problem'
  >[]
}

export interface CaseReport {
  report: ReportHead
  /** As `investigate --json`; null where the report is about the whole case. */
  dossier: DossierJson | null
  /** As `detect --json`; null where it is about addresses. */
  detections: Detections | null
  findings: ReportFinding[]
  /** Of the servers of the attack surface, those of the case's own networks. */
  own_servers: string[]
  /** What would have stopped it, as `controls --json`; null where it is left out. */
  controls: ControlsAnswer | null
  /** Why: `--no-controls was given`. Null where they are there. */
  controls_left_out: string | null
  coverage: CoverageMap
  evidence: ReportEvidence
  notes: {
    summary: string | null
    sections: NotesSection[]
    /** Notes on findings that are not found any more, or that cannot be told apart. */
    not_found: KeptNote[]
  }
}
