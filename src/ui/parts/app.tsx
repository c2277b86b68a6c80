/** The frame of every page: header, rail, filter bar, and the page of the path. */
import './frame.css'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { noCase, theCase } from '../api.ts'
import { type Page, pages } from '../pages/all.tsx'
import { state } from '../state.ts'
import { visible } from '../text.ts'
import { askedNow } from './asked.ts'
import { Banners } from './banners.tsx'
import { Boundary } from './boundary.tsx'
import { FilterBar } from './filter-bar.tsx'
import { GlobalKeys } from './global-keys.tsx'
import { Header } from './header.tsx'
import { Help } from './help.tsx'
import { announce, Live } from './live.tsx'
import { Menu } from './menu.tsx'
import { NoCase } from './no-case.tsx'
import { Rail } from './rail.tsx'
import { Tour } from './tour.tsx'
import { WritingDialog } from './writing.tsx'

export function App(): JSX.Element {
  const { path } = state.value
  const page = pageOf(path)
  useArrival(path, page)
  return (
    <>
      <a class="skip button" href="#main">
        To the page
      </a>
      <Header />
      <Rail current={page} />
      <main id="main" tabIndex={-1}>
        {noCase.value === null && <FilterBar />}
        <Banners />
        {page === null ? (
          <Nowhere />
        ) : noCase.value !== null && page.name !== 'evidence' ? (
          <NoCase of={noCase.value} />
        ) : (
          <Boundary key={path}>
            <page.Body />
          </Boundary>
        )}
      </main>
      <Menu />
      <Help />
      <Tour />
      <GlobalKeys />
      <Live />
      <WritingDialog />
    </>
  )
}

export function pageOf(path: string): Page | null {
  const [, first = ''] = path.split('/')
  return pages.find(({ name }) => name === first) ?? null
}

/** The window's title; and on another page, what a reader of a document expects: its top, and the focus there. */
function useArrival(path: string, page: Page | null): void {
  const before = useRef(path)
  const name = theCase.value?.case
  useEffect(() => {
    const about = path.split('/').slice(2).map(decoded).join(' ')
    const parts = [page === null ? 'No such page' : page.title, ...(about === '' ? [] : [about])]
    const title = parts.join(' ')
    document.title = [title, ...(name === undefined ? [] : [visible(name)]), 'Tidemark'].join(' · ')
    if (before.current === path) return
    before.current = path
    announce(title)
    scrollTo(0, 0)
    document.getElementById('main')?.focus({ preventScroll: true })
  }, [path, page, name])
  // A page that is left takes along what it showed.
  const shownFor = useRef(path)
  if (shownFor.current !== path) {
    shownFor.current = path
    askedNow.value = []
  }
}

function decoded(text: string): string {
  try {
    return visible(decodeURIComponent(text))
  } catch {
    return visible(text)
  }
}

function Nowhere(): JSX.Element {
  return (
    <div class="pad">
      <h1>There is no such page</h1>
      <p>
        Go to the <a href="/">overview</a>.
      </p>
    </div>
  )
}
