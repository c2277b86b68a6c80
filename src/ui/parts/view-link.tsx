/** A link to another view of the workbench, which stays in this page. */
import type { ComponentChildren, JSX } from 'preact'
import { go, linkTo } from '../state.ts'
import type { ViewState } from '../url.ts'

interface Props {
  change: Partial<ViewState>
  class?: string
  label?: string
  children: ComponentChildren
}

export function ViewLink({ change, class: look, label, children }: Props): JSX.Element {
  return (
    <a
      class={look}
      href={linkTo(change)}
      aria-label={label}
      onClick={event => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        go(change)
      }}
    >
      {children}
    </a>
  )
}
