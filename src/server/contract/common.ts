/** What questions and answers of the workbench have in common. The page imports these types, and nothing else of the server. */

/** An exact integer: text where it passes 2^53, null where it is not known. */
export type Count = number | string | null

/** Which records are looked at: the whole of a view of the page, but for its window. */
export interface ViewAsk {
  /** In the filter language; empty: every record. */
  filter: string
  /** Volumes count every record as the sensors wrote it. */
  raw: boolean
  /** Prefixes that count as internal beside those that the internet does not route. */
  own: string[]
}

/** Records that begin at `from` or later and before `to`: seconds since 1970, UTC. Null: no bound. */
export interface Window {
  from: number | null
  to: number | null
}

/** What is asked, in the words of the command line and of SQL. */
export interface Asked {
  sentence: string
  /** The command whose `--json` has these figures. */
  command: string
  sql: string
}

/** An error as the page shows it. */
export interface Failure {
  error: string
  hint?: string
  /** Where in the text that was sent it is: first character and length. */
  at?: { offset: number; length: number }
}
