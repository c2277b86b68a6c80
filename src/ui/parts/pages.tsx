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
  children: (rows: readonly Row[], page: ListPage<Row>) => ComponentChildren
}

export function Pages<Row>({ path, what, step = 100, children }: Props<Row>): JSX.Element {
  const [from, go] = useState(0)
  const answered = useAnswer<ListPage<Row>>(`${path} ${from}`, signal =>
    get(`${path}?from=${from}&count=${step}`, signal),
  )
  return (
    <Shown of={answered} what={what}>
      {page => (
        <>
          {children(page.rows, page)}
          {page.total > page.rows.length && (
            <p class="pager">
              <span class="muted">
                {countText(page.from + 1)} to {countText(page.from + page.rows.length)} of {countText(page.total)}{' '}
                {what}
              </span>{' '}
              <button type="button" disabled={page.from === 0} onClick={() => go(Math.max(0, page.from - step))}>
                Previous
              </button>{' '}
              <button
                type="button"
                disabled={page.from + page.rows.length >= page.total}
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
