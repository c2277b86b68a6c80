/** Notes: what the analyst wrote, the views they keep, what they decided, and their words for the report. */
import './notes.css'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { BookmarkItem, NoteItem, NotesAnswer } from '../../server/contract/notes.ts'
import { asAskError } from '../api.ts'
import { changeNotes, loadNotes, noteHere, notesError, theNotes } from '../parts/notes-actions.ts'
import { OwnWords } from '../parts/own-words.tsx'
import { Empty, ErrorBox } from '../parts/states.tsx'
import { Verdict } from '../parts/verdict.tsx'
import { LineField, SureButton, TextField, useSaving } from '../parts/writing.tsx'
import { go } from '../state.ts'
import { countText, visible, visibleLines } from '../text.ts'
import { readUrl, urlOf } from '../url.ts'

export function NotesPage(): JSX.Element {
  useEffect(() => void loadNotes(), [])
  const notes = theNotes.value
  const error = notesError.value
  return (
    <div class="notes-page">
      <h1>Notes</h1>
      {error !== null ? (
        <ErrorBox error={error.failure.error} hint={error.failure.hint} again={() => void loadNotes()} />
      ) : notes === null ? (
        <p class="muted">Loading the notes…</p>
      ) : notes.unreadable !== null ? (
        <ErrorBox error={notes.unreadable.error} hint={notes.unreadable.hint} again={() => void loadNotes()} />
      ) : (
        <Lists notes={notes} />
      )}
    </div>
  )
}

function Lists({ notes }: { notes: NotesAnswer }): JSX.Element {
  const said = notes.findings.filter(one => one.status !== null || one.note !== '')
  return (
    <>
      <p class="muted">
        Kept in {visible(notes.path)}, which is no evidence. <code>n</code> writes a note on any page, <code>b</code>{' '}
        keeps a view.
      </p>
      <FileOfNotes />
      <section aria-labelledby="notes-own">
        <h2 id="notes-own">Notes {amount(notes.notes.length)}</h2>
        <p>
          <button type="button" onClick={() => noteHere({ kind: 'view', text: 'The case' })}>
            Write a note on the case
          </button>
        </p>
        {notes.notes.length === 0 && <Empty>No notes yet.</Empty>}
        <Notes notes={notes.notes} />
      </section>
      <section aria-labelledby="notes-views">
        <h2 id="notes-views">Views {amount(notes.bookmarks.length)}</h2>
        {notes.bookmarks.length === 0 && <Empty>No views are kept yet.</Empty>}
        <ul class="items">
          {[...notes.bookmarks].reverse().map(bookmark => (
            <Bookmark key={bookmark.id} bookmark={bookmark} />
          ))}
        </ul>
      </section>
      <section aria-labelledby="notes-verdicts">
        <h2 id="notes-verdicts">Findings that were decided {amount(said.length)}</h2>
        {said.length === 0 && <Empty>Nothing is decided yet: findings have a button for it.</Empty>}
        <ul class="items">
          {said.map(one => (
            <li key={`${one.key} ${one.first_start}`}>
              <p class="head">
                <strong>{visible(one.title ?? one.key)}</strong>{' '}
                <span class="muted">{visible(one.title === null ? '' : one.key)}</span>
              </p>
              <Verdict of={one} />
            </li>
          ))}
        </ul>
      </section>
      <OwnWords notes={notes} />
    </>
  )
}

function amount(count: number): JSX.Element | null {
  return count === 0 ? null : <span class="muted">{countText(count)}</span>
}

/** An address that was kept, as this program would write it: nothing else is opened. */
function openKept(url: string): void {
  const { pathname, search } = new URL(url, location.origin)
  go(readUrl(pathname, search))
}

function keptHref(url: string): string {
  const { pathname, search } = new URL(url, location.origin)
  return urlOf(readUrl(pathname, search))
}

function OpenLink({ url, children }: { url: string; children: string }): JSX.Element {
  return (
    <a
      href={keptHref(url)}
      onClick={event => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        openKept(url)
      }}
    >
      {children}
    </a>
  )
}

const kindNames: Readonly<Record<NoteItem['about']['kind'], string>> = {
  ...{ view: '', host: 'Host ', connection: 'Connection ', record: 'Record ', finding: 'Finding ', value: 'Value ' },
}

/** What is being edited: it outlives its note, which somebody else may delete meanwhile. */
interface Draft {
  note: NoteItem
  text: string
  seen: number
}

function Notes({ notes }: { notes: readonly NoteItem[] }): JSX.Element {
  const [draft, write] = useState<Draft | null>(null)
  const isLost = draft !== null && !notes.some(({ id }) => id === draft.note.id)
  const ofNote = (note: NoteItem): Draft | null => (draft !== null && draft.note.id === note.id ? draft : null)
  return (
    <ul class="items">
      {isLost && <Note key={draft.note.id} note={draft.note} draft={draft} write={write} isLost />}
      {[...notes].reverse().map(note => (
        <Note key={note.id} note={note} draft={ofNote(note)} write={write} isLost={false} />
      ))}
    </ul>
  )
}

interface NoteProps {
  note: NoteItem
  draft: Draft | null
  write: (draft: Draft | null) => void
  isLost: boolean
}

function Note({ note, draft, write, isLost }: NoteProps): JSX.Element {
  const deleting = useSaving(() => undefined)
  return (
    <li>
      <p class="head">
        <OpenLink url={note.url}>{`${kindNames[note.about.kind]}${visible(note.about.text)}`}</OpenLink>{' '}
        <Times written={note.written} changed={note.changed} />
      </p>
      {draft !== null ? (
        <Editing note={note} draft={draft} write={write} isLost={isLost} />
      ) : (
        <>
          <p class="words">{visibleLines(note.text)}</p>
          {deleting.said}
          <p class="buttons">
            <button type="button" onClick={() => write({ note, text: note.text, seen: note.revision })}>
              Edit
            </button>
            <SureButton
              name="Delete"
              act={() => void deleting.save({ do: 'delete-note', id: note.id, seen: note.revision })}
            />
          </p>
        </>
      )}
    </li>
  )
}

function Editing({ note, draft, write, isLost }: NoteProps & { draft: Draft }): JSX.Element {
  const saving = useSaving(() => write(null))
  const { text, seen } = draft
  const save = async (): Promise<void> => {
    const { id, about, url } = note
    if (isLost) return void (await saving.save({ do: 'add-note', text, about, url }))
    const conflict = await saving.save({ do: 'edit-note', id, seen, text })
    // What the others wrote is shown now: the next save is made knowing it.
    const now = theNotes.value?.notes.find(one => one.id === id)
    if (typeof conflict === 'string' && now !== undefined) write({ ...draft, seen: now.revision })
  }
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        void save()
      }}
    >
      <TextField label="Text" text={text} rows={6} submits type={typed => write({ ...draft, text: typed })} />
      {isLost ? (
        <p role="status">This note was deleted meanwhile. Keeping it makes a new one.</p>
      ) : (
        <>
          {saving.said}
          {saving.said !== null && note.revision === seen && (
            <p class="words theirs">As it is kept now: {visibleLines(note.text)}</p>
          )}
        </>
      )}
      <p class="buttons">
        <button type="submit" class="main" disabled={text.trim() === '' || saving.isBusy}>
          Keep
        </button>
        <button type="button" onClick={() => write(null)}>
          Cancel
        </button>
      </p>
    </form>
  )
}

function Times({ written, changed }: { written: string; changed: string | null }): JSX.Element {
  const text = (iso: string): string => iso.slice(0, 16).replace('T', ' ')
  return (
    <span class="muted when">
      {visible(text(written))} UTC{changed !== null && `, changed ${visible(text(changed))}`}
    </span>
  )
}

function Bookmark({ bookmark }: { bookmark: BookmarkItem }): JSX.Element {
  const [editing, edit] = useState<{ name: string; seen: number } | null>(null)
  const saving = useSaving(() => edit(null))
  const { id, revision, name, url, made } = bookmark
  return (
    <li>
      {editing === null ? (
        <p class="head">
          <OpenLink url={url}>{visible(name)}</OpenLink> <Times written={made} changed={null} />
        </p>
      ) : (
        <form
          onSubmit={event => {
            event.preventDefault()
            void saving.save({ do: 'edit-bookmark', id, ...editing })
          }}
        >
          <LineField label="Name" text={editing.name} type={text => edit({ ...editing, name: text })} />
          <p class="buttons">
            <button type="submit" class="main" disabled={editing.name.trim() === '' || saving.isBusy}>
              Keep
            </button>
            <button type="button" onClick={() => edit(null)}>
              Cancel
            </button>
          </p>
        </form>
      )}
      <p class="muted address">{visible(url)}</p>
      {saving.said}
      {editing === null && (
        <p class="buttons">
          <button type="button" onClick={() => edit({ name, seen: revision })}>
            Rename
          </button>
          <SureButton name="Delete" act={() => void saving.save({ do: 'delete-bookmark', id, seen: revision })} />
        </p>
      )}
    </li>
  )
}

/** The notes as a file: taken away, and brought in. */
function FileOfNotes(): JSX.Element {
  const chosen = useRef<HTMLInputElement>(null)
  const [said, say] = useState<JSX.Element | null>(null)
  const bring = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return
    try {
      const before = theNotes.value!.revision
      await changeNotes({ do: 'import', text: await file.text() })
      say(
        <p role="status">
          {theNotes.value!.revision === before ? 'Nothing new in it.' : `Read: ${visible(file.name)}`}
        </p>,
      )
    } catch (error) {
      const { failure } = asAskError(error)
      say(<ErrorBox error={failure.error} hint={failure.hint} />)
    } finally {
      chosen.current!.value = ''
    }
  }
  return (
    <div class="file-of-notes">
      <p class="buttons">
        <a class="button" href="/api/notes/file" download="notes.json">
          Download notes.json
        </a>
        <button type="button" onClick={() => chosen.current!.click()}>
          Read a file of notes…
        </button>
        <input
          ref={chosen}
          type="file"
          accept=".json,application/json"
          aria-label="File of notes"
          hidden
          onChange={event => void bring(event.currentTarget.files?.[0])}
        />
      </p>
      {said}
    </div>
  )
}
