/** SQL. */
import type { JSX } from 'preact'

export function SqlPage(): JSX.Element {
  return <h1>SQL</h1>
}
