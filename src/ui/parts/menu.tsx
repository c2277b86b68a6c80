/** The menu on a value: built when it is opened. */
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { go, linkTo, state } from '../state.ts'
import { joined, type Term } from './term.ts'

const opened = signal<{ term: Term; at: HTMLElement } | null>(null)

export function openMenu(term: Term, at: HTMLElement): void {
  opened.value = { term, at }
}

export function Menu(): JSX.Element | null {
  const own = useRef<HTMLDivElement>(null)
  const now = opened.value
  useEffect(() => own.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus(), [now])
  if (now === null) return null
  const { term, at } = now
  const close = (): void => {
    opened.value = null
    at.focus()
  }
  const items: [string, () => void][] = []
  const filter = state.value.filter
  if (term.filter !== null) {
    items.push(['Only this', () => go({ filter: joined(filter, term.filter!) })])
    items.push(['Not this', () => go({ filter: joined(filter, `not (${term.filter})`) })])
    items.push(['This alone', () => go({ filter: term.filter! })])
    items.push(['Alone, in a new tab', () => void open(linkTo({ filter: term.filter! }), '_blank', 'noopener')])
  }
  items.push(['Copy', () => void navigator.clipboard.writeText(term.text)])
  return (
    <div
      ref={own}
      class="menu"
      role="menu"
      tabIndex={-1}
      onKeyDown={event => {
        if (event.key === 'Escape') close()
      }}
    >
      {items.map(([name, act]) => (
        <button
          key={name}
          type="button"
          role="menuitem"
          onClick={() => {
            close()
            act()
          }}
        >
          {name}
        </button>
      ))}
    </div>
  )
}
