/** What the analyst decided of a finding: shown, and changed. */
import './writing.css'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { VerdictOf, VerdictStatus } from '../../server/contract/notes.ts'
import { visibleLines } from '../text.ts'
import { loadNotes, theNotes, verdictOn } from './notes-actions.ts'
import { TextField, useSaving } from './writing.tsx'

const signs: Readonly<Record<VerdictStatus, string>> = {
  confirmed: '✓ confirmed',
  refuted: '✗ refuted',
  open: '○ open',
}
const statuses: readonly VerdictStatus[] = ['confirmed', 'refuted', 'open']

/** A button that says what was decided, and opens a form to decide. */
export function Verdict({ of }: { of: VerdictOf }): JSX.Element {
  const [isOpen, open] = useState(false)
  useEffect(() => {
    if (theNotes.value === null) void loadNotes()
  }, [])
  const known = verdictOn(of)
  const status = known?.status ?? null
  return (
    <div class="verdict">
      <button type="button" class={status ?? 'none'} aria-expanded={isOpen} onClick={() => open(!isOpen)}>
        {status === null ? 'Decide…' : signs[status]}
      </button>
      {!isOpen && known !== null && known.note !== '' && <p class="said">{visibleLines(known.note)}</p>}
      {isOpen && <Deciding of={of} close={() => open(false)} />}
    </div>
  )
}

function Deciding({ of, close }: { of: VerdictOf; close: () => void }): JSX.Element {
  const [begun] = useState(() => verdictOn(of))
  const [seen, see] = useState<number | null>(begun?.revision ?? null)
  const [status, choose] = useState<VerdictStatus | null>(begun?.status ?? null)
  const [note, type] = useState(begun?.note ?? '')
  const saving = useSaving(close)
  const { key, first_start, id, title } = of
  const save = async (): Promise<void> => {
    const conflict = await saving.save({ do: 'verdict', seen, status, note, key, first_start, id, title })
    // What the others decided can be seen now: the next save is made knowing it.
    if (typeof conflict === 'string') see(verdictOn(of)?.revision ?? null)
  }
  const theirs = verdictOn(of)
  return (
    <form
      class="deciding"
      onSubmit={event => {
        event.preventDefault()
        void save()
      }}
    >
      <fieldset>
        <legend>What do you decide?</legend>
        {statuses.map(one => (
          <label key={one}>
            <input
              type="radio"
              name={`verdict ${key} ${first_start}`}
              checked={status === one}
              onChange={() => choose(one)}
            />{' '}
            {signs[one]}
          </label>
        ))}
      </fieldset>
      <TextField label="Why" text={note} rows={3} type={type} submits />
      {saving.said}
      {theirs !== null && theirs.revision !== begun?.revision && (
        <p class="muted">
          As it is kept now: {theirs.status ?? 'not decided'}. {visibleLines(theirs.note)}
        </p>
      )}
      <p class="buttons">
        <button type="submit" class="main" disabled={saving.isBusy}>
          Keep
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </p>
    </form>
  )
}
