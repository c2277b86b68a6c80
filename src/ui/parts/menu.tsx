/** The menu on a value: built when it is opened, beside the value, within the window. */
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { go, goTo, linkTo, state } from '../state.ts'
import { visible } from '../text.ts'
import { copy } from './copy.tsx'
import { type MenuItem, menuItems, nextItem } from './menu-items.ts'
import { noteHere } from './notes-actions.ts'
import { placeBeside } from './place.ts'
import { seenWindow } from './seen-window.ts'
import type { Term } from './term.ts'

interface Opened {
  term: Term
  at: Element
  /** What had the focus, and gets it back. */
  back: HTMLElement | SVGElement | null
}

const opened = signal<Opened | null>(null)

/** `at`: an element of HTML or SVG, beside which the menu is put. */
export function openMenu(term: Term, at: Element): void {
  const active = document.activeElement
  const own = at instanceof HTMLElement || at instanceof SVGElement ? at : null
  const back = active instanceof HTMLElement && active !== document.body ? active : own
  opened.value = { term, at, back }
}

export function Menu(): JSX.Element | null {
  const now = opened.value
  return now === null ? null : <OpenMenu key={now.term.text} {...now} />
}

function close(focus: boolean): void {
  const back = opened.peek()?.back
  opened.value = null
  if (focus) back?.focus()
}

function OpenMenu({ term, at }: Opened): JSX.Element {
  const own = useRef<HTMLElement>(null)
  const [place, put] = useState({ left: 0, top: 0 })
  useLayoutEffect(() => {
    const { left, top, width, height } = at.getBoundingClientRect()
    const menu = own.current!.getBoundingClientRect()
    put(placeBeside({ left, top, width, height }, menu, seenWindow()))
    itemsOf(own.current)[0]?.focus()
  }, [at])
  useEffect(() => {
    const outside = ({ target }: Event): void => {
      if (!own.current?.contains(target as Node)) close(false)
    }
    const moved = (): void => close(true)
    addEventListener('pointerdown', outside, true)
    addEventListener('scroll', outside, true)
    addEventListener('resize', moved)
    addEventListener('popstate', moved)
    return () => {
      removeEventListener('pointerdown', outside, true)
      removeEventListener('scroll', outside, true)
      removeEventListener('resize', moved)
      removeEventListener('popstate', moved)
    }
  }, [])
  const keys = (event: KeyboardEvent): void => {
    const items = itemsOf(own.current)
    const next = nextItem(event.key, items.indexOf(document.activeElement as HTMLElement), items.length)
    if (next !== null) items[next]!.focus()
    else if (event.key === 'Escape' || event.key === 'Tab') close(true)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const text = visible(term.text)
  return (
    <section
      ref={own}
      class="menu"
      aria-labelledby="menu-title"
      style={{ left: `${place.left}px`, top: `${place.top}px` }}
    >
      <p class="menu-title" id="menu-title">
        {text.length > 200 ? `${text.slice(0, 200)}…` : text}
      </p>
      <div role="menu" tabIndex={-1} aria-labelledby="menu-title" onKeyDown={keys}>
        {menuItems(term, state.value.filter).map((group, i) => (
          <div key={group[0]!.name} role="group">
            {i > 0 && <hr />}
            {group.map(item => (
              <Item key={item.name} item={item} />
            ))}
          </div>
        ))}
      </div>
    </section>
  )
}

function Item({ item }: { item: MenuItem }): JSX.Element {
  const act = (): void => {
    close(true)
    doItem(item)
  }
  return (
    <button type="button" role="menuitem" tabIndex={-1} onClick={act}>
      {item.name}
      {item.hint !== undefined && (
        <span class="muted" aria-hidden="true">
          {item.hint}
        </span>
      )}
    </button>
  )
}

export function doItem(item: MenuItem): void {
  if (item.does === 'filter') go({ filter: item.filter })
  else if (item.does === 'tab') open(linkTo(item.change), '_blank', 'noopener')
  else if (item.does === 'page') goTo(item.path)
  else if (item.does === 'note') noteHere({ kind: 'value', text: item.text })
  else void copy(item.text, 'Value')
}

function itemsOf(menu: HTMLElement | null): HTMLElement[] {
  return [...(menu?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])]
}
