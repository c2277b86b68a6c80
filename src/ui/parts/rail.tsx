/** The pages. */
import type { JSX } from 'preact'
import { type Page, pages } from '../pages/all.tsx'
import { goTo, linkTo } from '../state.ts'
import { Icon, type IconName } from './icons.tsx'
import { useKeys } from './keyboard.ts'

const icons: Readonly<Record<string, IconName>> = {
  '': 'overview',
  hosts: 'hosts',
  fields: 'fields',
  graph: 'graph',
  flows: 'flows',
  sql: 'sql',
  evidence: 'evidence',
  controls: 'controls',
  report: 'report',
  notes: 'notes',
}

/** Pages that stand for those that are reached from them. */
const within: Readonly<Record<string, string>> = { host: 'hosts', connection: 'hosts', record: 'flows' }

export function Rail({ current }: { current: Page | null }): JSX.Element {
  const shown = pages.filter(({ key }) => key !== null)
  useKeys(Object.fromEntries(shown.map(({ key, name }) => [`g ${key}`, () => goTo(`/${name}`)])))
  return (
    <nav class="rail" aria-label="Pages">
      {shown.map(page => (
        <a
          key={page.name}
          href={linkTo({ path: `/${page.name}`, sort: null, columns: null, own: {} })}
          title={`${page.title} (g ${page.key})`}
          aria-current={
            page === current ? 'page' : current !== null && within[current.name] === page.name ? 'true' : undefined
          }
          onClick={event => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return
            event.preventDefault()
            goTo(`/${page.name}`)
          }}
        >
          <Icon name={icons[page.name] ?? 'more'} />
          {page.title}
        </a>
      ))}
    </nav>
  )
}
