/** Notes. */
import type { JSX } from 'preact'

export function NotesPage(): JSX.Element {
  return <h1>Notes</h1>
}
