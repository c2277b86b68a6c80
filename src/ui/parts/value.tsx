/** A value of the evidence: a link that filters by it, and a menu of what else can be done with it. */
import type { JSX } from 'preact'
import { go, linkTo, state } from '../state.ts'
import { visible } from '../text.ts'
import { openMenu } from './menu.tsx'
import { joined, type Term } from './term.ts'

export function Value({ term, children }: { term: Term; children?: JSX.Element | string }): JSX.Element {
  const text = children ?? visible(term.text)
  if (term.filter === null) return <span>{text}</span>
  const { filter, page } = term
  const href =
    page === undefined ? linkTo({ filter: joined(state.value.filter, filter) }) : linkTo({ path: page, own: {} })
  const open = (event: MouseEvent | KeyboardEvent): void => {
    event.preventDefault()
    openMenu(term, event.currentTarget as HTMLElement)
  }
  const click = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    if (page === undefined) go({ filter: joined(state.value.filter, filter) })
    else go({ path: page, own: {}, sort: null, columns: null })
  }
  return (
    <a class="value" href={href} onClick={click} onContextMenu={open} data-filter={filter} aria-haspopup="menu">
      {text}
    </a>
  )
}
