/** The filter: what is typed, what it means, and where it is wrong. */
import type { JSX } from 'preact'
import type { ExplainAnswer } from '../../server/contract/case.ts'
import { post, useAnswer, viewAsk } from '../api.ts'
import { go, state } from '../state.ts'
import { visible } from '../text.ts'

export function FilterBar(): JSX.Element {
  const { filter } = state.value
  const asked = viewAsk(state.value)
  const said = useAnswer<ExplainAnswer>(JSON.stringify(asked), signal => post('/api/explain', asked, signal))
  return (
    <form
      class="filter-bar"
      onSubmit={event => {
        event.preventDefault()
        go({ filter: new FormData(event.currentTarget).get('filter') as string })
      }}
    >
      <input name="filter" aria-label="Filter" value={filter} spellcheck={false} autocomplete="off" />
      <p class="muted">{visible(said.error?.failure.error ?? said.value?.sentence ?? '')}</p>
    </form>
  )
}
