/** The analyst's notes, kept by the server: what every page needs of them. */
import { effect, type Signal, signal } from '@preact/signals'
import type {
  NoteAbout,
  NotesAnswer,
  NotesChange,
  NotesChanged,
  VerdictItem,
  VerdictOf,
} from '../../server/contract/notes.ts'
import { type AskError, asAskError, get, notesRevision, post } from '../api.ts'
import { state } from '../state.ts'
import { urlOf } from '../url.ts'
import { aboutOf, viewName } from './note-about.ts'

/** Null until they are loaded. */
export const theNotes: Signal<NotesAnswer | null> = signal(null)
/** Why they could not be loaded. */
export const notesError: Signal<AskError | null> = signal(null)

export async function loadNotes(): Promise<void> {
  try {
    theNotes.value = await get<NotesAnswer>('/api/notes')
    notesError.value = null
  } catch (error) {
    notesError.value = asAskError(error)
  }
}

// Another window changed them.
effect(() => {
  const newest = notesRevision.value
  const known = theNotes.peek()
  if (known !== null && newest > known.revision) void loadNotes()
})

/** @returns what somebody else did meanwhile, for which nothing was written; null: it is kept. @throws AskError */
export async function changeNotes(change: NotesChange): Promise<string | null> {
  const { notes, conflict } = await post<NotesChanged>('/api/notes', change)
  theNotes.value = notes
  return conflict
}

/** What was decided of a finding. */
export function verdictOn({ key, first_start }: Pick<VerdictOf, 'key' | 'first_start'>): VerdictItem | null {
  return theNotes.value?.findings.find(one => one.key === key && one.first_start === first_start) ?? null
}

/** What is being written. */
export type Writing = { kind: 'note'; about: NoteAbout; url: string } | { kind: 'bookmark'; name: string; url: string }
export const writing: Signal<Writing | null> = signal(null)

/** Opens the dialog for a note on what the page shows; or on `about`. */
export function noteHere(about: NoteAbout = aboutOf(state.value)): void {
  writing.value = { kind: 'note', about, url: urlOf(state.value) }
}

/** Opens the dialog that gives the view a name. */
export function bookmarkHere(): void {
  writing.value = { kind: 'bookmark', name: viewName(state.value), url: urlOf(state.value) }
}
