/** The frame of every page: header, rail, filter bar, and the page of the path. */
import type { JSX } from 'preact'
import { caseError, theCase } from '../api.ts'
import { type Page, pages } from '../pages/all.tsx'
import { goTo, state } from '../state.ts'
import { countText, visible } from '../text.ts'
import { FilterBar } from './filter-bar.tsx'
import { Menu } from './menu.tsx'
import { ErrorBox } from './states.tsx'

export function App(): JSX.Element {
  const page = pageOf(state.value.path)
  return (
    <>
      <Header />
      <Rail current={page} />
      <main id="main" tabIndex={-1}>
        <FilterBar />
        {caseError.value !== null && (
          <ErrorBox error={caseError.value.failure.error} hint={caseError.value.failure.hint} />
        )}
        {page === null ? <p class="pad">There is no such page.</p> : <page.Body />}
      </main>
      <Menu />
    </>
  )
}

export function pageOf(path: string): Page | null {
  const [, first = ''] = path.split('/')
  return pages.find(({ name }) => name === first) ?? null
}

function Header(): JSX.Element {
  const known = theCase.value
  return (
    <header>
      <strong>Tidemark</strong>
      {known !== null && (
        <span>
          {visible(known.case)} · {countText(known.records.total)} records
        </span>
      )}
    </header>
  )
}

function Rail({ current }: { current: Page | null }): JSX.Element {
  return (
    <nav aria-label="Pages">
      {pages
        .filter(({ key }) => key !== null)
        .map(page => (
          <a
            key={page.name}
            href={`/${page.name}`}
            aria-current={page === current ? 'page' : undefined}
            onClick={event => {
              event.preventDefault()
              goTo(`/${page.name}`)
            }}
          >
            {page.title}
          </a>
        ))}
    </nav>
  )
}
