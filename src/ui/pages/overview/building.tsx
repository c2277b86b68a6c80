/** How far the time index is, which a case has built once. */
import type { JSX } from 'preact'
import { jobs } from '../../api.ts'
import { building } from '../../indexed.ts'
import { countText } from '../../text.ts'

export function BuildingNote(): JSX.Element | null {
  if (building.value === null) return null
  const { done, of } = jobs.value.get(building.value.id) ?? building.value
  const percent = done === null || !of ? null : Math.floor((100 * done) / of)
  return (
    <div class="building note">
      <p role="status">Building the time index{percent === null ? '…' : `: ${percent} %`}</p>
      <progress aria-label="Building the time index" max={100} {...(percent !== null && { value: percent })} />
      <p class="muted">
        Once for this case{of ? `, of ${countText(of)} records` : ''}: then every window is counted at once. Other pages
        can be used meanwhile.
      </p>
    </div>
  )
}
