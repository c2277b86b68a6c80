/** A job that is under way: what it does, for how long, and a way to stop it. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { JobState } from '../../server/contract/events.ts'
import { jobs, post } from '../api.ts'
import { countText, visible } from '../text.ts'

/** The newest that is known of a job. */
export function jobNow(job: JobState): JobState {
  return jobs.value.get(job.id) ?? job
}

export function JobLine({ job }: { job: JobState }): JSX.Element {
  const { title, doing, done, of, started } = jobNow(job)
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick(n => n + 1), 1000)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(started)) / 1000))
  const share = done !== null && of !== null && of > 0 ? ` (${countText(done)} of ${countText(of)})` : ''
  return (
    <p class="waiting job-line">
      {visible(title)}
      {doing === null ? '' : `: ${visible(doing)}`}
      {share} <span role="timer">{countText(seconds)} s</span>{' '}
      <button type="button" onClick={() => void post(`/api/job/${job.id}/stop`, {}).catch(() => undefined)}>
        Stop
      </button>
    </p>
  )
}
