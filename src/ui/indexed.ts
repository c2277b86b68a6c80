/** Answers out of the time index, which a case has to have built once: until it is there, the page says how far it is. */
import { effect, type Signal, signal } from '@preact/signals'
import type { JobState } from '../server/contract/events.ts'
import type { Building } from '../server/contract/view.ts'
import { AskError, asAskError, forgottenJob, get, isForgotten, jobs, keptJobs, post } from './api.ts'

/** The job that builds it, while somebody waits for that. */
export const building: Signal<JobState | null> = signal(null)

/** Asks, and once more when the index is there. @throws AskError; the signal's reason. */
export async function askIndexed<Answer extends { building?: undefined }>(
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<Answer> {
  for (;;) {
    const answer = await post<Answer | Building>(path, body, signal)
    if (answer.building === undefined) return answer
    building.value = answer.building
    try {
      await ended(answer.building, signal)
    } finally {
      building.value = null
    }
  }
}

/** Waits for a job that goes on whoever waits. */
async function ended(started: JobState, signal: AbortSignal): Promise<void> {
  const before = keptJobs.peek()
  const job = await new Promise<JobState>((resolve, reject) => {
    let stop: (() => void) | null = null
    const end = (act: () => void): void => {
      queueMicrotask(() => stop?.())
      act()
    }
    signal.addEventListener('abort', () => end(() => reject(signal.reason)))
    stop = effect(() => {
      const now = jobs.value.get(started.id)
      if (isForgotten(started.id, before)) return end(() => reject(forgottenJob))
      if (now !== undefined && now.state !== 'running' && now.state !== 'waiting') end(() => resolve(now))
    })
    // It may have been over before anybody listened.
    void get<{ job: JobState }>(`/api/job/${started.id}`, signal).then(
      ({ job: now }) => {
        if (now.state !== 'running' && now.state !== 'waiting') end(() => resolve(now))
      },
      (error: unknown) => {
        // Without an answer the page hears of it when the server is back.
        if (asAskError(error).status === 404) end(() => reject(forgottenJob))
      },
    )
  })
  if (job.state !== 'done')
    throw new AskError({ error: job.error ?? `the time index: ${job.state}`, ...(job.hint && { hint: job.hint }) }, 0)
}
