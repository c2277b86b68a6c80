/** Evidence. */
import type { JSX } from 'preact'

export function EvidencePage(): JSX.Element {
  return <h1>Evidence</h1>
}
