/** The lines of the evidence that a finding rests on. */
import type { JSX } from 'preact'
import type { Place } from '../../server/contract/place.ts'
import { countText } from '../text.ts'
import { PlaceLink } from './place-link.tsx'

export function EvidenceLines({ basis, total }: { basis: readonly Place[]; total: number }): JSX.Element | null {
  if (total === 0 && basis.length === 0) return null
  return (
    <p class="evidence-lines">
      Rests on {countText(Math.max(total, basis.length))} {total === 1 ? 'record' : 'records'}
      {basis.length > 0 && ': '}
      {basis.map((at, i) => (
        <span key={i}>
          {i > 0 && ', '}
          <PlaceLink at={at} />
        </span>
      ))}
      {total > basis.length && basis.length > 0 && ', …'}
    </p>
  )
}
