/** A link to another view of the workbench, which stays in this page. */
import type { ComponentChildren, JSX } from 'preact'
import { go, linkTo } from '../state.ts'
import type { ViewState } from '../url.ts'

interface Props {
  change: Partial<ViewState>
  class?: string
  label?: string
  /** Not reached by Tab: the same is elsewhere for who uses keys. */
  untabbed?: boolean
  children: ComponentChildren
}

export function ViewLink({ change, class: look, label, untabbed = false, children }: Props): JSX.Element {
  return (
    <a
      class={look}
      href={linkTo(change)}
      aria-label={label}
      {...(untabbed && { tabIndex: -1 })}
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
