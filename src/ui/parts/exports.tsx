/** Findings and flows of the view, in the formats of other tools. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ExportAnswer, ExportAsk, ExportFormat, ExportKind } from '../../server/contract/exports.ts'
import { ownNetworks } from '../api.ts'
import { state } from '../state.ts'
import { bytesText, visible, windowText } from '../text.ts'
import { useAsked } from './asked.ts'
import { Check, Doing, Field, listIn, useJob } from './asking.tsx'
import { CopyButton } from './copy.tsx'
import { Shown } from './states.tsx'

/** What each format holds, the usual first. */
const formats: readonly { to: ExportFormat; name: string; holds: readonly ExportKind[] }[] = [
  { to: 'csv', name: 'CSV', holds: ['connections', 'findings', 'records'] },
  { to: 'ndjson', name: 'JSON lines', holds: ['connections', 'findings', 'records', 'all'] },
  { to: 'ocsf', name: 'OCSF', holds: ['connections', 'findings', 'records', 'all'] },
  { to: 'ecs', name: 'Elastic Common Schema', holds: ['connections', 'findings', 'records', 'all'] },
  { to: 'stix', name: 'STIX 2.1', holds: ['findings', 'connections', 'all'] },
  { to: 'sigma', name: 'Sigma rules', holds: ['findings'] },
  { to: 'guardduty', name: 'GuardDuty findings', holds: ['findings'] },
  { to: 'conn-log', name: 'Zeek conn.log', holds: ['connections'] },
]

export function Exports(): JSX.Element {
  const job = useJob<ExportAnswer>('/api/export')
  const [to, chooseFormat] = useState<ExportFormat>('csv')
  const [wanted, chooseKind] = useState<ExportKind>('connections')
  const [of, type] = useState('')
  const [withNotes, setNotes] = useState(true)
  const { holds } = formats.find(one => one.to === to)!
  const what = holds.includes(wanted) ? wanted : holds[0]!
  const { filter, from, to: until } = state.value
  const isOfFindings = what === 'findings' || what === 'all'
  const subjects = what === 'findings' ? listIn(of) : []
  const ask: ExportAsk = {
    to,
    what,
    filter,
    from,
    until,
    own: ownNetworks(),
    of: subjects,
    notes: withNotes && isOfFindings,
  }
  const view = [filter.trim() === '' ? 'all records' : filter.trim(), windowText({ from, to: until })]
  return (
    <section aria-labelledby="exports">
      <h2 id="exports">For other tools</h2>
      <p class="muted">
        {subjects.length > 0
          ? 'Of the dossier of these addresses, all times.'
          : `Of this view: ${visible(view.join(', '))}.`}
      </p>
      <form
        class="ask"
        onSubmit={event => {
          event.preventDefault()
          job.ask(ask)
        }}
      >
        <label class="ask-field">
          <span>Format</span>
          <select value={to} onChange={event => chooseFormat(event.currentTarget.value as ExportFormat)}>
            {formats.map(one => (
              <option key={one.to} value={one.to}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <label class="ask-field">
          <span>What</span>
          <select value={what} onChange={event => chooseKind(event.currentTarget.value as ExportKind)}>
            {holds.map(one => (
              <option key={one} value={one}>
                {one === 'all' ? 'all it can hold' : one}
              </option>
            ))}
          </select>
        </label>
        {what === 'findings' && (
          <Field label="Findings about" text={of} type={type} placeholder="addresses; empty: of the whole case" />
        )}
        {isOfFindings && (
          <div class="checks">
            <Check is={withNotes} set={setNotes}>
              My verdicts
            </Check>
          </div>
        )}
        <button type="submit">Write the file</button>
      </form>
      <Doing of={job} />
      {job.isAsked && (
        <Shown of={job.answer} what="the export">
          {answer => <Written key={answer.download.id} answer={answer} />}
        </Shown>
      )}
    </section>
  )
}

function Written({ answer }: { answer: ExportAnswer }): JSX.Element {
  const { asked, download, left_out, notes } = answer
  const [isTaken, take] = useState(false)
  useAsked(asked)
  return (
    <>
      <p>{visible(asked.sentence)}</p>
      {[...left_out.map(one => `Not in it: ${one}`), ...notes].map(one => (
        <p key={one} class="muted">
          {visible(one)}
        </p>
      ))}
      <p class="report-files">
        {isTaken ? (
          <span class="muted">{visible(download.name)} is given once: write it again for another.</span>
        ) : (
          <a
            class="button"
            href={`/api/download/${encodeURIComponent(download.id)}`}
            download={download.name}
            onClick={() => setTimeout(() => take(true))}
          >
            {visible(download.name)} <span class="muted">{bytesText(download.bytes)}</span>
          </a>
        )}
      </p>
      <p class="command">
        <code>{visible(asked.command)}</code> <CopyButton text={asked.command} what="the command" />
      </p>
    </>
  )
}
