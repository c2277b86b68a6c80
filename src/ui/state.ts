/** The state of the page, kept in the URL: the one place that is shared, so that back, forward, reload and a link give the same view. */
import { signal } from '@preact/signals'
import { readUrl, urlOf, type ViewState } from './url.ts'

export const state = signal<ViewState>(readUrl(location.pathname, location.search))

/** Changes the view. `replace`: no new entry of the history, as while something is dragged or typed. */
export function go(change: Partial<ViewState>, { replace = false }: { replace?: boolean } = {}): void {
  const next = { ...state.value, ...change }
  const url = urlOf(next)
  if (url === urlOf(state.value)) return
  if (replace) history.replaceState(null, '', url)
  else history.pushState(null, '', url)
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

addEventListener('popstate', () => {
  state.value = readUrl(location.pathname, location.search)
})
