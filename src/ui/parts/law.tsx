/** That nothing of the evidence is lost: the whole, its parts, and whether they add up. */
import type { JSX } from 'preact'
import type { Law } from '../../server/contract/evidence.ts'
import { countText } from '../text.ts'

/** @param isShort parts that are none are left out. */
export function LawText({ law, isShort = false }: { law: Law; isShort?: boolean }): JSX.Element {
  const { name, whole, parts, missing } = law
  const shown = isShort ? parts.filter(({ count }) => count !== 0) : parts
  const sum = shown.map(({ name, count }) => `${name} ${countText(count)}`).join(' + ')
  return (
    <span class="law">
      {name} {countText(whole)} = {sum === '' ? '0' : sum}
      {missing !== 0 ? (
        <strong class="law-wrong">
          {' '}
          does not add up: {countText(Math.abs(missing))} {missing > 0 ? 'unaccounted for' : 'too many'}
        </strong>
      ) : (
        !isShort && <span class="law-right"> ✓ adds up</span>
      )}
    </span>
  )
}
