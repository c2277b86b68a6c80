/** What can be done with a value. No DOM here. */
import type { ViewState } from '../url.ts'
import { joined, type Term, without } from './term.ts'

export type MenuItem =
  /** `sort`, `columns` and what a page keeps stay. */
  | { name: string; hint?: string; does: 'filter'; filter: string }
  | { name: string; hint?: string; does: 'tab'; change: Partial<ViewState> }
  | { name: string; hint?: string; does: 'page'; path: string }
  | { name: string; hint?: string; does: 'note' | 'copy'; text: string }

/** In groups, apart by a line. */
export function menuItems(term: Term, filter: string): MenuItem[][] {
  const own = term.filter
  const asked: MenuItem[] = []
  if (own !== null) {
    asked.push({ name: 'Only this', hint: 'f', does: 'filter', filter: joined(filter, own) })
    asked.push({ name: 'Not this', hint: 'x', does: 'filter', filter: joined(filter, without(own)) })
  }
  if (term.source !== undefined) asked.push({ name: 'As source', does: 'filter', filter: joined(filter, term.source) })
  if (term.destination !== undefined)
    asked.push({ name: 'As destination', does: 'filter', filter: joined(filter, term.destination) })
  const elsewhere: MenuItem[] = []
  if (own !== null) elsewhere.push({ name: 'Alone, in a new tab', does: 'tab', change: { filter: own } })
  if (term.page !== undefined)
    elsewhere.push({ name: `${pageName(term.page)} page`, hint: 'Enter', does: 'page', path: term.page })
  const rest: MenuItem[] = [
    { name: 'Note', does: 'note', text: term.text },
    { name: 'Copy', does: 'copy', text: term.text },
  ]
  return [asked, elsewhere, rest].filter(group => group.length > 0)
}

/** `Host` of `/host/10.0.0.1`. */
function pageName(path: string): string {
  const [, first = ''] = path.split('/')
  return first.charAt(0).toUpperCase() + first.slice(1)
}

/** Where the focus goes in a menu of `count`; null: the key is not the menu's. */
export function nextItem(key: string, at: number, count: number): number | null {
  switch (key) {
    case 'ArrowDown':
      return (at + 1) % count
    case 'ArrowUp':
      return (at + count - 1) % count
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return null
  }
}
