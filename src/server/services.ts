/** What routes work with: the case, and the processes that answer about it. */
import type { EventStream } from './events.ts'
import type { Jobs } from './jobs.ts'
import type { Pool } from './pool.ts'

export interface Services {
  caseDir: string
  demo: boolean
  /** Answers questions about the case in processes of their own. */
  work: Pool
  /** The process that holds the time index. */
  view: Pool
  jobs: Jobs
  events: EventStream
}
