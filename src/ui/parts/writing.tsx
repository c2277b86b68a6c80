/** The dialogs of notes and bookmarks, and fields for what the analyst writes. */
import './writing.css'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { NotesChange } from '../../server/contract/notes.ts'
import { asAskError } from '../api.ts'
import { visible } from '../text.ts'
import { useKeys } from './keyboard.ts'
import { bookmarkHere, changeNotes, noteHere, type Writing, writing } from './notes-actions.ts'
import { ErrorBox } from './states.tsx'

/** Stands once on the page; `noteHere`, `bookmarkHere` and their keys open it. */
export function WritingDialog(): JSX.Element | null {
  useKeys({ n: () => noteHere(), b: () => bookmarkHere() })
  const now = writing.value
  return now === null ? null : <Dialog key={now.url} now={now} />
}

function Dialog({ now }: { now: Writing }): JSX.Element {
  const own = useRef<HTMLDialogElement>(null)
  const [text, type] = useState(now.kind === 'bookmark' ? now.name : '')
  const saving = useSaving(() => {
    writing.value = null
  })
  useEffect(() => own.current?.showModal(), [])
  const change: NotesChange =
    now.kind === 'note'
      ? { do: 'add-note', text, about: now.about, url: now.url }
      : { do: 'add-bookmark', name: text, url: now.url }
  const title = now.kind === 'note' ? `Note on ${visible(now.about.text)}` : 'Keep this view'
  return (
    <dialog
      ref={own}
      class="writing"
      aria-labelledby="writing-title"
      onClose={() => {
        writing.value = null
      }}
    >
      <form
        onSubmit={event => {
          event.preventDefault()
          if (text.trim() !== '') void saving.save(change)
        }}
      >
        <h2 id="writing-title">{title}</h2>
        {now.kind === 'note' ? (
          <TextField label="Text" text={text} rows={6} type={type} submits />
        ) : (
          <LineField label="Name" text={text} type={type} />
        )}
        <p class="muted address">{visible(now.url)}</p>
        {saving.said}
        <p class="buttons">
          <button type="submit" class="main" disabled={text.trim() === '' || saving.isBusy}>
            {now.kind === 'note' ? 'Keep the note' : 'Keep the view'}
          </button>
          <button type="button" onClick={() => own.current?.close()}>
            Cancel
          </button>
        </p>
      </form>
    </dialog>
  )
}

interface FieldProps {
  label: string
  text: string
  type: (text: string) => void
}

export function LineField({ label, text, type }: FieldProps): JSX.Element {
  return (
    <label class="field">
      <span>{label}</span>
      <input value={text} maxLength={1000} autocomplete="off" onInput={event => type(event.currentTarget.value)} />
    </label>
  )
}

/** `submits`: Ctrl+Enter sends the form. */
export function TextField({
  label,
  text,
  type,
  rows,
  submits = false,
}: FieldProps & { rows: number; submits?: boolean }): JSX.Element {
  return (
    <label class="field">
      <span>{label}</span>
      <textarea
        rows={rows}
        value={text}
        maxLength={100_000}
        onInput={event => type(event.currentTarget.value)}
        onKeyDown={event => {
          if (submits && event.key === 'Enter' && (event.ctrlKey || event.metaKey))
            event.currentTarget.form?.requestSubmit()
        }}
      />
    </label>
  )
}

export interface Saving {
  isBusy: boolean
  /** What went wrong, to be shown; null: nothing. */
  said: JSX.Element | null
  /** @returns what somebody else changed meanwhile; null: it is kept; undefined: it could not be kept. */
  save(change: NotesChange): Promise<string | null | undefined>
}

export function useSaving(done: () => void): Saving {
  const [isBusy, busy] = useState(false)
  const [said, say] = useState<JSX.Element | null>(null)
  const save = async (change: NotesChange): Promise<string | null | undefined> => {
    busy(true)
    try {
      const conflict = await changeNotes(change)
      say(conflict === null ? null : <ErrorBox error={conflict} />)
      if (conflict === null) done()
      return conflict
    } catch (error) {
      const { failure } = asAskError(error)
      say(<ErrorBox error={failure.error} hint={failure.hint} />)
      return undefined
    } finally {
      busy(false)
    }
  }
  return { isBusy, said, save }
}

/** Asks once more before it acts. */
export function SureButton({ name, act }: { name: string; act: () => void }): JSX.Element {
  const [isAsked, ask] = useState(false)
  if (!isAsked)
    return (
      <button type="button" onClick={() => ask(true)}>
        {name}
      </button>
    )
  return (
    <>
      <button
        type="button"
        class="grave"
        ref={button => button?.focus()}
        onClick={() => {
          ask(false)
          act()
        }}
      >
        {name} for good
      </button>
      <button type="button" onClick={() => ask(false)}>
        Keep
      </button>
    </>
  )
}
