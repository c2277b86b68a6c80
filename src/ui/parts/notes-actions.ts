/** The analyst's notes, kept by the server: what every page needs of them. */
import { type Signal, signal } from '@preact/signals'
import type { NotesAnswer, NotesChange, NotesChanged, VerdictItem, VerdictOf } from '../../server/contract/notes.ts'
import { get, post } from '../api.ts'

/** Null until they are loaded. */
export const theNotes: Signal<NotesAnswer | null> = signal(null)

export async function loadNotes(): Promise<void> {
  theNotes.value = await get<NotesAnswer>('/api/notes')
}

/** @returns what somebody else did meanwhile, for which nothing was written; null: it is kept. */
export async function changeNotes(change: NotesChange): Promise<string | null> {
  const { notes, conflict } = await post<NotesChanged>('/api/notes', change)
  theNotes.value = notes
  return conflict
}

/** What was decided of a finding. */
export function verdictOn({ key, first_start }: Pick<VerdictOf, 'key' | 'first_start'>): VerdictItem | null {
  return theNotes.value?.findings.find(one => one.key === key && one.first_start === first_start) ?? null
}
