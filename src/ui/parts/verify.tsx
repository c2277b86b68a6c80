/** Whether every byte of the case is as its ledger says. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { JobState } from '../../server/contract/events.ts'
import type { VerifyAnswer } from '../../server/contract/evidence.ts'
import { AskError, jobs, post } from '../api.ts'
import { countText, visible } from '../text.ts'
import { CopyButton } from './copy.tsx'
import { JobProgress } from './job-progress.tsx'
import { isRunning, useLatestJob } from './latest-job.ts'
import { ErrorBox, Shown } from './states.tsx'

export function Verify(): JSX.Element {
  const [error, tell] = useState<AskError | null>(null)
  const latest = useLatestJob<VerifyAnswer>('verify')
  const start = async (): Promise<void> => {
    tell(null)
    try {
      const job = await post<JobState>('/api/verify', {})
      jobs.value = new Map(jobs.peek()).set(job.id, jobs.peek().get(job.id) ?? job)
    } catch (thrown) {
      tell(thrown instanceof AskError ? thrown : new AskError({ error: String(thrown) }, 0))
    }
  }
  return (
    <>
      <p class="verify-go">
        <button type="button" disabled={latest !== null && isRunning(latest.job)} onClick={() => void start()}>
          Verify
        </button>
        <span class="muted">compares every byte of the case with its ledger (tidemark verify)</span>
      </p>
      {error !== null && <ErrorBox error={error.failure.error} hint={error.failure.hint} />}
      {latest !== null && (
        <>
          <JobProgress job={latest.job} again={() => void start()} />
          {latest.job.state === 'done' && (
            <Shown of={latest.value} what="what was found">
              {answer => <Verdict answer={answer} at={latest.job.started} />}
            </Shown>
          )}
        </>
      )}
    </>
  )
}

function Verdict({ answer, at }: { answer: VerifyAnswer; at: string }): JSX.Element {
  const { intact, files_checked, bytes_checked, ledger_entries, head, findings } = answer
  return (
    <div class={intact ? 'note verdict' : 'error verdict'} role={intact ? 'status' : 'alert'}>
      <p>
        <strong>{intact ? 'Intact:' : 'NOT intact:'}</strong> {intact ? 'every byte' : 'the case'} is{' '}
        {intact ? '' : 'not '}as the ledger says.
      </p>
      <p>
        {countText(files_checked)} files, {countText(bytes_checked)} B, {countText(ledger_entries)} entries of the
        ledger; begun {at.slice(0, 19).replace('T', ' ')} UTC.
      </p>
      <p>
        The logs and captures that were read were not compared: they lie outside the case. The ledger has the digest of
        each.
      </p>
      {head !== null && (
        <p>
          Head <code>{head}</code> <CopyButton text={head} what="head of the ledger" />
          Note it down outside the case: only then a ledger that was cut short can be noticed.
        </p>
      )}
      {findings.length > 0 && (
        <ul>
          {findings.map(({ what, path, detail }, i) => (
            <li key={i}>
              {what}: {visible(path)}: {visible(detail)}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
