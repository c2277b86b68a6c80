/** What the header and the filter bar need of the case: `GET /api/case`. All of it is from the ledger, so that it is there at once. */
import type { Failure } from './common.ts'

export interface CaseAnswer {
  none?: false
  /** Its folder, as the command named it. */
  case: string
  tool: { name: string; version: string }
  /** Digest of the ledger's last entry: what the answers are of. */
  head: string
  source: 'logs' | 'packets'
  /** Set where records were pulled from an engine: the case holds a part of what its table has. */
  pulled: {
    table: string
    /** Which records: `the records of 203.0.113.7`; of a filter there are no whole dossiers. */
    what: string
    hasDossier: boolean
    /** `from … until …`; null: all times. */
    time: string | null
    /** Records in the case, and all that the table has in that time. */
    records: number
    records_of_table: number
  } | null
  span: { first_start: string | null; last_end: string | null }
  files: { read: number; partly_read: number; unread: number; not_evidence: number; out: number }
  records: { total: number }
  gaps: { skip_data: number; no_data: number; malformed: number; unread_files: string[] }
  /** Columns that some record has. */
  columns: string[]
  captures: number
  /** Whether this is the reconstruction that `--demo` builds. */
  demo: boolean
  /** Networks that count as internal beside those that the internet does not route: `tidemark ui --internal`. */
  internal: string[]
}

/** `GET /api/case` where there is none yet: it is made by adding evidence. */
export interface NoCaseAnswer {
  none: true
  case: string
  tool: { name: string; version: string }
}

/** `POST /api/complete`: what can stand at a place of a filter. */
export interface CompleteAsk {
  text: string
  cursor: number
}

export interface CompleteAnswer {
  from: number
  to: number
  items: { text: string; kind: 'field' | 'word' | 'sign' | 'value'; detail: string }[]
}

/** `POST /api/explain`: what a filter means, as it is typed; an `ExplainAnswer`, or what is wrong with it. */
export interface ExplainAsk {
  filter: string
  raw: boolean
  own: string[]
}

export interface ExplainAnswer {
  sentence: string
  /** The filter as the program would write it. */
  printed: string
  /** The `tidemark flows` command. */
  command: string
  sql: string
  notes: string[]
}

/** A filter that cannot be read: while one is typed that is no error of the question. */
export interface WrongFilter {
  wrong: Failure
}

/** `POST /api/swap`: the filter of the other direction. */
export interface SwapAnswer {
  /** Null: it is the same. */
  filter: string | null
}
