/** A long list of the server, some rows at a time. */
import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ListPage } from '../../server/contract/host.ts'
import { get, useAnswer } from '../api.ts'
import { countText } from '../text.ts'
import { Shown } from './states.tsx'

interface Props<Row> {
  /** `/api/dossier/ID/services`. */
  path: string
  /** What the rows are: "services". */
  what: string
  step?: number
  /** Only rows from this one, and before that one. */
  from?: number
  to?: number
  children: (rows: readonly Row[], page: ListPage<Row>) => ComponentChildren
}

export function Pages<Row>({ path, what, step = 100, from: first = 0, to, children }: Props<Row>): JSX.Element {
  const [from, go] = useState(first)
  const count = to === undefined ? step : Math.min(step, to - from)
  const answered = useAnswer<ListPage<Row>>(`${path} ${from}`, signal =>
    get(`${path}?from=${from}&count=${count}`, signal),
  )
  return (
    <Shown of={answered} what={what}>
      {page => (
        <>
          {children(page.rows, page)}
          {(to ?? page.total) - first > page.rows.length && (
            <p class="pager">
              <span class="muted">
                {countText(page.from - first + 1)} to {countText(page.from - first + page.rows.length)} of{' '}
                {countText((to ?? page.total) - first)} {what}
              </span>{' '}
              <button type="button" disabled={page.from <= first} onClick={() => go(Math.max(first, page.from - step))}>
                Previous
              </button>{' '}
              <button
                type="button"
                disabled={page.from + page.rows.length >= (to ?? page.total)}
                onClick={() => go(page.from + page.rows.length)}
              >
                Next
              </button>
            </p>
          )}
        </>
      )}
    </Shown>
  )
}
