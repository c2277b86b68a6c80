/** Fields. */
import type { JSX } from 'preact'

export function FieldsPage(): JSX.Element {
  return <h1>Fields</h1>
}
