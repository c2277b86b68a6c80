/** The state of the page, kept in the URL: the one place that is shared, so that back, forward, reload and a link give the same view. */
import { type Signal, signal } from '@preact/signals'
import { readUrl, urlOf, type ViewState } from './url.ts'

export const state = signal<ViewState>(readUrl(location.pathname, location.search))

/** Which of the page's own entries of the browser's history this is, from 0, and the last that is known. */
export const past: Signal<{ at: number; last: number }> = signal(pastOf(history.state))

/** Changes the view. `replace`: no new entry of the history, as while something is dragged or typed. */
export function go(change: Partial<ViewState>, { replace = false }: { replace?: boolean } = {}): void {
  const next = { ...state.value, ...change }
  const url = urlOf(next)
  if (url === urlOf(state.value)) return
  const { at } = past.value
  if (replace) history.replaceState({ at }, '', url)
  else {
    history.pushState({ at: at + 1 }, '', url)
    past.value = { at: at + 1, last: at + 1 }
  }
  state.value = next
}

/** Goes to a page; the filter and the window stay, what the page before kept of its own does not. */
export function goTo(path: string, change: Partial<ViewState> = {}): void {
  go({ sort: null, columns: null, own: {}, ...change, path })
}

/** The address of a view that differs from this one. */
export function linkTo(change: Partial<ViewState>): string {
  return urlOf({ ...state.value, ...change })
}

addEventListener('popstate', event => {
  past.value = { at: pastOf(event.state).at, last: past.value.last }
  state.value = readUrl(location.pathname, location.search)
})

function pastOf(kept: unknown): { at: number; last: number } {
  const at = (kept as { at?: unknown } | null)?.at
  return typeof at === 'number' ? { at, last: at } : { at: 0, last: 0 }
}
