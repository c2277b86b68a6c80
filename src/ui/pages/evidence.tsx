/** Evidence. */
import type { JSX } from 'preact'
import { Coverage } from '../parts/coverage.tsx'

export function EvidencePage(): JSX.Element {
  return (
    <>
      <h1>Evidence</h1>
      <Coverage rows={40} />
    </>
  )
}
