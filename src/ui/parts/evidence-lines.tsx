/** The lines of the evidence that a finding rests on. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Place } from '../../server/contract/place.ts'
import { countText } from '../text.ts'
import { PlaceLink } from './place-link.tsx'

const shownFirst = 3

export function EvidenceLines({ basis, total }: { basis: readonly Place[]; total: number }): JSX.Element | null {
  const [isOpen, open] = useState(false)
  const shown = isOpen ? basis : basis.slice(0, shownFirst)
  if (total === 0 && basis.length === 0) return null
  return (
    <p class="evidence-lines">
      Rests on {countText(Math.max(total, basis.length))} {total === 1 ? 'record' : 'records'}
      {basis.length > 0 && ': '}
      {shown.map((at, i) => (
        <span key={i}>
          {i > 0 && ', '}
          <PlaceLink at={at} />
        </span>
      ))}
      {shown.length < total && basis.length > 0 && ', … '}
      {shown.length < basis.length && (
        <button type="button" class="more-lines" onClick={() => open(true)}>
          {countText(basis.length - shown.length)} more
        </button>
      )}
    </p>
  )
}
