/** Hosts. */
import type { JSX } from 'preact'

export function HostsPage(): JSX.Element {
  return <h1>Hosts</h1>
}
