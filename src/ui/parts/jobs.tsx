/** Long work: what runs, how far it is, and how to stop it. */
import type { JSX } from 'preact'
import type { JobState } from '../../server/contract/events.ts'
import { jobs, post } from '../api.ts'
import { countText, visible } from '../text.ts'
import { Opener } from './opener.tsx'

export function Jobs(): JSX.Element | null {
  const all = [...jobs.value.values()]
  const running = all.filter(isRunning)
  if (all.length === 0) return null
  const name = running.length === 0 ? 'No job is running' : running.length === 1 ? '1 job' : `${running.length} jobs`
  return (
    <Opener name={`Jobs: ${name}`} class="quiet" label={running.length === 0 ? 'Jobs' : name}>
      {() => (
        <ul class="jobs">
          {[...all].reverse().map(job => (
            <Job key={job.id} job={job} />
          ))}
        </ul>
      )}
    </Opener>
  )
}

function isRunning({ state }: JobState): boolean {
  return state === 'running' || state === 'waiting'
}

function Job({ job }: { job: JobState }): JSX.Element {
  const { id, title, state, doing, done, of, error } = job
  return (
    <li>
      <span>{visible(title)}</span>
      {isRunning(job) ? (
        <button type="button" aria-label={`Stop: ${visible(title)}`} onClick={() => void stopJob(id)}>
          Stop
        </button>
      ) : (
        <span class="muted number">{state}</span>
      )}
      {isRunning(job) && (
        <progress aria-label={visible(title)} {...(done !== null && of !== null && { value: done, max: of })} />
      )}
      <span class="muted">
        {visible(error ?? doing ?? '')}
        {isRunning(job) && done !== null && of !== null && ` ${countText(done)} of ${countText(of)}`}
      </span>
    </li>
  )
}

/** What comes of it is told by events. */
export async function stopJob(id: string): Promise<void> {
  await post(`/api/job/${encodeURIComponent(id)}/stop`, {}).catch(() => undefined)
}
