/** One record: what was read, and the line that it was read from. */
import type { FieldCell, FieldColumn } from './flows.ts'

/** `GET /api/record/:file/:line`. `:file` is the file's number in the ledger, which stays the same, or its SHA-256. */
export interface RecordAnswer {
  file: {
    id: number
    path: string
    sha256: string | null
    kind: string | null
    size: number
    /** Names of the fields of its lines, one text for each header that it has. */
    layouts: string[]
    /** What its lines were taken out of; null: they are there as they are. */
    form: string | null
    records: number
  }
  line: number
  /** What the number counts. */
  is: 'line' | 'packet' | 'record'
  columns: FieldColumn[]
  /** One; none for a line that is no record; two for a line of a table of flows that has both directions. */
  records: FieldCell[][]
  /** What a line is that is no record, in words; null for a record. */
  otherwise: string | null
  text: LineText
  /** Lines of the records before and after it in this file. */
  previous: number | null
  next: number | null
  /** Captures of the case. */
  captures: number
}

/**
 * The text around: of a file that is the same as when it was added. Otherwise there is none of it, and `problem` says why.
 * `not-text`: there are no lines in a file of this kind.
 */
export interface LineText {
  state: 'same' | 'changed' | 'not-there' | 'not-text'
  problem: string | null
  /** Its first line, where that is a header. */
  header: string | null
  /** The line and those around it, by their numbers. */
  lines: { line: number; text: string; cut: boolean }[]
}
