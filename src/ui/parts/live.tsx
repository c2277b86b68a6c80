/** What changed, for those who do not see it change. */
import { signal } from '@preact/signals'
import type { JSX } from 'preact'

const said = signal('')

/** Is read aloud when the reader has time for it. */
export function announce(text: string): void {
  // The same text once more is a change too.
  said.value = said.peek() === text ? `${text}\u00a0` : text
}

export function Live(): JSX.Element {
  return (
    <p class="aside" role="status" aria-live="polite">
      {said.value}
    </p>
  )
}
