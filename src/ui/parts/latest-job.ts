/** The last job of a kind, and what it made. */
import type { JobState } from '../../server/contract/events.ts'
import { type Answered, get, jobs, useAnswer } from '../api.ts'

export interface LatestJob<Value> {
  job: JobState
  /** What it made, once it is done. */
  value: Answered<Value>
}

export function isRunning({ state }: JobState): boolean {
  return state === 'running' || state === 'waiting'
}

/** Null where none was started. */
export function useLatestJob<Value>(kind: string): LatestJob<Value> | null {
  const own = [...jobs.value.values()].filter(job => job.kind === kind)
  const job = own.reduce<JobState | null>(
    (last, one) => (last === null || one.started >= last.started ? one : last),
    null,
  )
  const path = job?.state === 'done' ? `/api/job/${encodeURIComponent(job.id)}` : null
  const value = useAnswer<Value>(path, async signal => (await get<{ value: Value }>(path!, signal)).value)
  return job === null ? null : { job, value }
}
