/** Copies a text, and says so. */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Icon } from './icons.tsx'
import { announce } from './live.tsx'

export async function copy(text: string, what: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    announce(`${what} copied`)
    return true
  } catch {
    announce(`the browser does not let the page copy`)
    return false
  }
}

export function CopyButton({
  text,
  what,
  children,
}: {
  text: string
  what: string
  children?: ComponentChildren
}): JSX.Element {
  const [done, tell] = useState(false)
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`Copy ${what}`}
      onClick={() => {
        void copy(text, what).then(copied => {
          tell(copied)
          setTimeout(() => tell(false), 2000)
        })
      }}
    >
      <Icon name="copy" />
      {done ? 'Copied' : (children ?? 'Copy')}
    </button>
  )
}
