/** Adding evidence: paths with completion, how they are read, how far it is, and what was not read. */
import './add-evidence.css'
import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import type { AddAnswer, AddAsk, PathsAnswer } from '../../server/contract/adding.ts'
import type { JobState } from '../../server/contract/events.ts'
import { AskError, jobs, post, useAnswer } from '../api.ts'
import { countText, visible } from '../text.ts'
import { JobProgress } from './job-progress.tsx'
import { isRunning, useLatestJob } from './latest-job.ts'
import { ErrorBox, Shown } from './states.tsx'

const pathsMax = 100

export function AddEvidence(): JSX.Element {
  const [paths, setPaths] = useState<readonly string[]>([''])
  const [error, tell] = useState<AskError | null>(null)
  const latest = useLatestJob<AddAnswer>('add')
  const isBusy = latest !== null && isRunning(latest.job)
  const put = (at: number, path: string): void => {
    const next = paths.map((one, i) => (i === at ? path : one))
    // There is always an empty one for the next.
    setPaths(path !== '' && at === paths.length - 1 && paths.length < pathsMax ? [...next, ''] : next)
  }
  const add = async (form: HTMLFormElement): Promise<void> => {
    const asked = askOf(paths, new FormData(form))
    if (asked === null) return
    tell(null)
    try {
      const job = await post<JobState>('/api/add', asked)
      jobs.value = new Map(jobs.peek()).set(job.id, jobs.peek().get(job.id) ?? job)
    } catch (thrown) {
      tell(thrown instanceof AskError ? thrown : new AskError({ error: String(thrown) }, 0))
    }
  }
  return (
    <section class="panel add-evidence" aria-labelledby="add-title">
      <header>
        <h2 id="add-title">Add evidence</h2>
      </header>
      <form
        onSubmit={event => {
          event.preventDefault()
          void add(event.currentTarget)
        }}
      >
        {paths.map((path, at) => (
          <PathInput key={at} path={path} isFirst={at === 0} put={text => put(at, text)} />
        ))}
        <Options />
        <p class="add-go">
          <button type="submit" class="main" disabled={isBusy || paths.every(path => path.trim() === '')}>
            Add
          </button>
          <span class="muted">
            Flow logs, captures, NetFlow, conn.log, archives and folders of them. The files stay where they are; nothing
            is sent anywhere.
          </span>
        </p>
      </form>
      {error !== null && <ErrorBox error={error.failure.error} hint={error.failure.hint} />}
      {latest !== null && (
        <>
          <JobProgress job={latest.job} again={() => undefined} />
          {latest.job.state === 'done' && (
            <Shown of={latest.value} what="what was added">
              {answer => <Outcome answer={answer} />}
            </Shown>
          )}
        </>
      )}
    </section>
  )
}

function PathInput(props: { path: string; isFirst: boolean; put: (text: string) => void }): JSX.Element {
  const { path, isFirst, put } = props
  const id = useId()
  const [at, look] = useState<string | null>(null)
  const found = useAnswer<PathsAnswer>(at, signal => post('/api/paths', { at }, signal))
  return (
    <p class="add-path">
      <label for={id}>{isFirst ? 'File or folder' : 'Another one'}</label>
      <input
        id={id}
        type="text"
        value={path}
        list={`${id}-paths`}
        spellcheck={false}
        autocomplete="off"
        onFocus={() => look(path)}
        onInput={({ currentTarget: { value } }) => {
          put(value)
          look(value)
        }}
      />
      <datalist id={`${id}-paths`}>
        {found.value?.items.map(({ path, kind }) => (
          <option key={path} value={kind === 'folder' ? `${path}/` : path} />
        ))}
      </datalist>
      <span class="muted">
        {found.error !== null
          ? visible(found.error.failure.error)
          : found.value?.cut
            ? `First ${countText(found.value.items.length)} names that fit; type more of it`
            : ''}
      </span>
    </p>
  )
}

function Options(): JSX.Element {
  return (
    <details>
      <summary>How it is read</summary>
      <p class="add-path">
        <label for="add-format">Format of logs without a header line</label>
        <input
          id="add-format"
          name="format"
          type="text"
          spellcheck={false}
          placeholder="default, v2 to v11, tgw, or the names of the fields"
        />
      </p>
      <p class="add-path">
        <label for="add-ratio">Most bytes out of a packed file per byte in</label>
        <input
          id="add-ratio"
          name="maxExpandRatio"
          type="number"
          min="1"
          max="1000000000"
          step="any"
          placeholder="200"
        />
      </p>
      {checks.map(([name, words]) => (
        <p key={name}>
          <label class="check">
            <input type="checkbox" name={name} /> {words}
          </label>
        </p>
      ))}
    </details>
  )
}

const checks = [
  ['formatUnknown', 'Take names of fields that this version does not know, and keep their values as text'],
  ['keepCopies', 'Captures: count packets that several interfaces saw as often as they are there'],
  ['again', 'Read files that are in the case once more; the new reading counts in the place of the old one'],
] as const

/** Null where no path is named. */
function askOf(paths: readonly string[], form: FormData): AddAsk | null {
  const named = paths.map(path => path.trim()).filter(path => path !== '')
  if (named.length === 0) return null
  const format = String(form.get('format') ?? '').trim()
  const ratio = Number(form.get('maxExpandRatio') ?? '')
  const isOn = (name: string): boolean => form.get(name) !== null
  return {
    paths: named,
    ...(format !== '' && { format }),
    ...(ratio >= 1 && { maxExpandRatio: ratio }),
    ...(isOn('formatUnknown') && { formatUnknown: true }),
    ...(isOn('keepCopies') && { keepCopies: true }),
    ...(isOn('again') && { again: true }),
  }
}

function Outcome({ answer }: { answer: AddAnswer }): JSX.Element {
  const { files, records, malformed, case_records, interrupted, troubled, troubled_total } = answer
  const { folders_without_evidence } = answer
  const parts = [
    `${countText(files.read)} ${files.read === 1 ? 'file' : 'files'} read`,
    ...some(files.partly_read, 'partly read'),
    ...some(files.unreadable, 'unreadable'),
    ...some(files.duplicate, 'in the case already'),
    ...some(files.not_evidence, 'not evidence'),
  ]
  return (
    <div
      class={`note add-outcome${interrupted || troubled_total > 0 || malformed > 0 ? ' warning' : ''}`}
      role="status"
    >
      {interrupted && (
        <p>
          <strong>Stopped before every file was read.</strong> What follows is in the case, the rest is not.
        </p>
      )}
      <p>
        {parts.join(', ')}: {countText(records)} {records === 1 ? 'record' : 'records'}. The case holds{' '}
        {countText(case_records)} flow records now.
      </p>
      {malformed > 0 && (
        <p>
          {countText(malformed)} {malformed === 1 ? 'line' : 'lines'} could not be read: see the files below.
        </p>
      )}
      {troubled_total > 0 && (
        <>
          <p>Not read, or not wholly:</p>
          <ul>
            {troubled.map(({ path, status, problem }) => (
              <li key={path}>
                {visible(path)}: {visible(problem ?? status)}
              </li>
            ))}
            {troubled_total > troubled.length && <li>{countText(troubled_total - troubled.length)} more</li>}
          </ul>
        </>
      )}
      {folders_without_evidence.map(({ path, problem }) => (
        <p key={path}>
          {visible(path)}: {visible(problem)}
        </p>
      ))}
    </div>
  )
}

function some(count: number, words: string): string[] {
  return count === 0 ? [] : [`${countText(count)} ${words}`]
}
