/** What routes work with: the case, and the processes that answer about it. */
import type { CaseState } from './case-state.ts'
import type { Downloads } from './downloads.ts'
import type { EventStream } from './events.ts'
import type { Jobs } from './jobs.ts'
import type { KeptLists } from './kept-lists.ts'
import type { Pool } from './pool.ts'
import type { Reports } from './reports.ts'
import type { SqlSessions } from './sql.ts'

export interface Services {
  caseDir: string
  demo: boolean
  /** Networks of the analyst's own, as the command was told. */
  internal: readonly string[]
  state: CaseState
  /** Answers questions about the case in processes of their own. */
  work: Pool
  /** The process that holds the time index. */
  view: Pool
  /** Adds evidence, and looks for it. */
  adding: Pool
  /** Checks the case against its ledger. */
  checking: Pool
  sql: SqlSessions
  jobs: Jobs
  downloads: Downloads
  /** Long lists of answers. */
  lists: KeptLists
  reports: Reports
  events: EventStream
  /** Has all answers be of the newest state of the case from now on. */
  reload(): Promise<void>
  /** Runs work that changes the case, and has all answers be of what came of it. */
  change<T>(work: () => Promise<T>): Promise<T>
}
