/** Where nothing matches: without which term something would. */
import type { JSX } from 'preact'
import type { ViewAsk, Window } from '../../../server/contract/common.ts'
import type { WhyAnswer, WhyAsk } from '../../../server/contract/view.ts'
import { post, useAnswer } from '../../api.ts'
import { Empty, Shown } from '../../parts/states.tsx'
import { go } from '../../state.ts'
import { countText, visible } from '../../text.ts'

export function Nothing({ view, window }: { view: ViewAsk; window: Window }): JSX.Element {
  const asked: WhyAsk = { view, window }
  const why = useAnswer<WhyAnswer>(JSON.stringify(asked), signal => post('/api/why', asked, signal))
  return (
    <section class="nothing" aria-label="Nothing matches">
      <Shown of={why} what="which term leaves nothing">
        {({ terms }) => (
          <Empty>
            <p>
              <b>No record matches.</b>{' '}
              {terms.length === 0
                ? 'The case has no records.'
                : terms.some(({ records }) => Number(records) > 0)
                  ? 'Without one of the terms there are some:'
                  : 'To leave out one term is not enough:'}
            </p>
            <ul>
              {terms.map(({ term, filter, records, alone }) => (
                <li key={String(term)}>
                  without {term === null ? 'the window' : <code>{visible(term)}</code>}: <b>{countText(records)}</b>{' '}
                  records
                  {Number(records) > 0 ? (
                    <button type="button" onClick={() => go(term === null ? { from: null, to: null } : { filter })}>
                      Drop {term === null ? 'the window' : 'this term'}
                    </button>
                  ) : (
                    <span class="muted">({countText(alone)} match it alone)</span>
                  )}
                </li>
              ))}
            </ul>
          </Empty>
        )}
      </Shown>
    </section>
  )
}
