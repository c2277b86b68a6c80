/** A value of the evidence: a link that opens or filters by it, and a menu of what else can be done with it. */
import type { ComponentChildren, JSX } from 'preact'
import { go, goTo, linkTo, state } from '../state.ts'
import { visible } from '../text.ts'
import { lettersOn } from './keyboard.ts'
import { pressOf } from './keys.ts'
import { openMenu } from './menu.tsx'
import { joined, type Term, without } from './term.ts'

interface Props {
  term: Term
  children?: ComponentChildren
  /** Not reached by Tab: within a grid, which moves by arrows. */
  untabbed?: boolean
}

export function Value({ term, children, untabbed = false }: Props): JSX.Element {
  const text = children ?? visible(term.text)
  const tab = untabbed ? { tabIndex: -1 } : {}
  const menu = (event: MouseEvent | KeyboardEvent): void => {
    event.preventDefault()
    event.stopPropagation()
    openMenu(term, event.currentTarget as Element)
  }
  if (term.filter === null && term.page === undefined)
    return (
      <span class="value" onContextMenu={menu}>
        {text}
      </span>
    )
  const click = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    openValue(term)
  }
  const key = (event: KeyboardEvent): void => {
    const press = pressOf(event)
    if (opensMenu(event)) menu(event)
    else if (lettersOn.value && (press === 'f' || press === 'x') && narrow(term, press === 'f')) event.preventDefault()
  }
  const { page, filter } = term
  return (
    <a
      class="value"
      href={
        page === undefined
          ? linkTo({ filter: joined(state.value.filter, filter!) })
          : linkTo({ path: page, own: {}, sort: null, columns: null })
      }
      onClick={click}
      onKeyDown={key}
      onContextMenu={menu}
      data-filter={filter ?? undefined}
      data-page={page}
      aria-haspopup="menu"
      {...tab}
    >
      {text}
    </a>
  )
}

/** The menu key, and what stands for it where there is none. */
export function opensMenu({ key, shiftKey }: KeyboardEvent): boolean {
  return key === 'ContextMenu' || (key === 'F10' && shiftKey)
}

/** What a click does: its page, else only what has this value. */
export function openValue({ page, filter }: Term): void {
  if (page !== undefined) goTo(page)
  else if (filter !== null) go({ filter: joined(state.value.filter, filter) })
}

/** Only this, or not this. False: it cannot be asked for. */
export function narrow({ filter }: Term, only: boolean): boolean {
  if (filter === null) return false
  go({ filter: joined(state.value.filter, only ? filter : without(filter)) })
  return true
}
