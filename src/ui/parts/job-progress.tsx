/** A job as it runs, or why it did not come to its end. */
import type { JSX } from 'preact'
import type { JobState } from '../../server/contract/events.ts'
import { countText, visible } from '../text.ts'
import { stopJob } from './jobs.tsx'
import { isRunning } from './latest-job.ts'
import { ErrorBox } from './states.tsx'

/** Nothing where it is done. */
export function JobProgress({ job, again }: { job: JobState; again: () => void }): JSX.Element | null {
  const { id, title, state, doing, done, of, error, hint } = job
  if (state === 'failed') return <ErrorBox error={error ?? 'failed'} hint={hint} again={again} />
  if (state === 'stopped') return <p class="note">Stopped: {visible(title)}</p>
  if (!isRunning(job)) return null
  const measured = done !== null && of !== null && of > 0
  return (
    <div class="note job-progress">
      <span>{visible(title)}</span>
      <button type="button" onClick={() => void stopJob(id)}>
        Stop
      </button>
      <progress aria-label={visible(title)} {...(measured && { value: done, max: of })} />
      <span class="muted" role="status">
        {state === 'waiting' ? 'waits for another job' : visible(doing ?? '')}
        {measured && ` (${countText(done)} of ${countText(of)} B)`}
      </span>
    </div>
  )
}
