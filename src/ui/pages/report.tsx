/** Report: what it is about, a look at it, and its files; exports for other tools. */
import './report.css'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { ReportAnswer, ReportAsk, ReportFormat } from '../../server/contract/report.ts'
import { ownNetworks } from '../api.ts'
import { useAsked } from '../parts/asked.ts'
import { Check, Doing, Field, listIn, useJob } from '../parts/asking.tsx'
import { CopyButton } from '../parts/copy.tsx'
import { Exports } from '../parts/exports.tsx'
import { loadNotes, theNotes } from '../parts/notes-actions.ts'
import { Shown } from '../parts/states.tsx'
import { go, goTo, state } from '../state.ts'
import { bytesText, countText, visible } from '../text.ts'

/** What the page keeps in its address. */
function put(name: string, value: string): void {
  const { [name]: _, ...rest } = state.value.own
  go({ own: value === '' ? rest : { ...rest, [name]: value } }, { replace: true })
}

function askOf(own: Record<string, string>): ReportAsk {
  const ports = listIn(own['_ports'] ?? '').map(Number)
  return {
    subjects: listIn(own['_about'] ?? ''),
    controls: own['_controls'] !== '0',
    notes: own['_notes'] !== '0',
    approved_ports: ports.length === 0 ? null : ports,
    own: [...ownNetworks(), ...listIn(own['_internal'] ?? '')],
  }
}

export function ReportPage(): JSX.Element {
  const { own } = state.value
  const job = useJob<ReportAnswer>('/api/report')
  const ask = askOf(own)
  return (
    <div class="report-page pad">
      <h1>Report</h1>
      <form
        class="ask"
        onSubmit={event => {
          event.preventDefault()
          job.ask(ask)
        }}
      >
        <Field
          label="About"
          text={own['_about'] ?? ''}
          type={text => put('_about', text)}
          placeholder="addresses or networks; empty: the whole case"
          hint="Several make one report."
        />
        <Field
          label="Own networks"
          text={own['_internal'] ?? ''}
          type={text => put('_internal', text)}
          placeholder="198.51.100.0/24"
          hint={`Besides the private ones${ownNetworks()
            .map(one => `, ${one}`)
            .join('')}.`}
        />
        {ask.subjects.length > 0 && (
          <Field
            label="Approved ports"
            text={own['_ports'] ?? ''}
            type={text => put('_ports', text)}
            placeholder="22, 53, 80, 123, 443"
            hint="On which a service counts as standard."
          />
        )}
        <div class="checks">
          <Check is={ask.controls} set={is => put('_controls', is ? '' : '0')}>
            Controls and their trial
          </Check>
          <Check is={ask.notes} set={is => put('_notes', is ? '' : '0')}>
            My words, notes and verdicts
          </Check>
        </div>
        <button type="submit" class="main">
          Make the report
        </button>
      </form>
      {ask.notes && <OwnWordsLine />}
      <Doing of={job} />
      {job.isAsked && (
        <Shown of={job.answer} what="the report">
          {answer => <Made answer={answer} />}
        </Shown>
      )}
      <Exports />
    </div>
  )
}

/** What of the analyst's own stands in it. */
function OwnWordsLine(): JSX.Element | null {
  useEffect(() => {
    void loadNotes()
  }, [])
  const notes = theNotes.value
  if (notes === null) return null
  const { words, findings, unreadable } = notes
  const said = [
    words.title === '' ? 'no title' : `“${visible(words.title)}”`,
    words.examiner === '' ? 'no examiner' : visible(words.examiner),
    words.case_number === '' ? 'no case number' : visible(words.case_number),
    several(notes.notes.length, 'note'),
    several(notes.bookmarks.length, 'view'),
    several(findings.filter(one => one.status !== null || one.note !== '').length, 'verdict'),
  ]
  return (
    <p class="muted">
      {unreadable === null ? `Of your own: ${said.join(', ')}. ` : `${visible(unreadable.error)}. `}
      <a
        href="/notes"
        onClick={event => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return
          event.preventDefault()
          goTo('/notes')
        }}
      >
        Change them
      </a>
    </p>
  )
}

function several(count: number, what: string): string {
  return `${countText(count)} ${what}${count === 1 ? '' : 's'}`
}

const formats: readonly [ReportFormat, string][] = [
  ['html', 'HTML'],
  ['md', 'Markdown'],
  ['json', 'JSON'],
]

function Made({ answer }: { answer: ReportAnswer }): JSX.Element {
  const { id, asked, title, made, records, findings, controls, files } = answer
  useAsked(asked)
  const figures = [
    `${countText(records)} records`,
    `${countText(findings.total)} findings (${countText(findings.confirmed)} confirmed, ${countText(findings.refuted)} refuted)`,
    ...(controls === null ? [] : [`${countText(controls)} controls`]),
  ]
  return (
    <section aria-labelledby="report-made">
      <h2 id="report-made">{visible(title)}</h2>
      <p>
        {figures.join(' · ')} <span class="muted">· made {visible(made)}</span>
      </p>
      {answer.controls_left_out !== null && <p class="muted">Without controls: {visible(answer.controls_left_out)}.</p>}
      {answer.notes_not_found > 0 && (
        <p class="note">
          {countText(answer.notes_not_found)} of your notes are on findings that this report does not have; it lists
          them.
        </p>
      )}
      <p class="report-files">
        {formats.map(([format, name]) => (
          <a
            key={format}
            class="button"
            href={`/api/report/${encodeURIComponent(id)}/${format}`}
            download={files[format].name}
          >
            {name} <span class="muted">{bytesText(files[format].bytes)}</span>
          </a>
        ))}
      </p>
      <p class="command">
        <code>{visible(asked.command)}</code> <CopyButton text={asked.command} what="the command" />
      </p>
      <iframe
        class="preview"
        title={`Preview: ${visible(title)}`}
        src={`/api/preview/${encodeURIComponent(id)}`}
        sandbox=""
        referrerpolicy="no-referrer"
      />
    </section>
  )
}
