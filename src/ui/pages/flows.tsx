/** Flows. */
import type { JSX } from 'preact'

export function FlowsPage(): JSX.Element {
  return <h1>Flows</h1>
}
