/** Host. */
import type { JSX } from 'preact'

export function HostPage(): JSX.Element {
  return <h1>Host</h1>
}
