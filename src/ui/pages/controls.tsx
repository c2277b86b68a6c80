/** Controls. */
import type { JSX } from 'preact'

export function ControlsPage(): JSX.Element {
  return <h1>Controls</h1>
}
