/** Connection. */
import type { JSX } from 'preact'

export function ConnectionPage(): JSX.Element {
  return <h1>Connection</h1>
}
