/** The filter, on every page: what is typed, what it means or where it is wrong, and what else narrows the view. */

import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ExplainAnswer, WrongFilter } from '../../server/contract/case.ts'
import type { Failure } from '../../server/contract/common.ts'
import { explain, useAnswer, viewAsk } from '../api.ts'
import { go, state } from '../state.ts'
import { visible } from '../text.ts'
import { Pins, RawSwitch, WindowChip } from './chips.tsx'
import { type FilterField, FilterFieldPlace } from './filter-field.tsx'
import { Icon } from './icons.tsx'
import { useKeys } from './keyboard.ts'
import { remark } from './remark.ts'
import { Tools } from './tools.tsx'

/** What is half written is not called wrong at once. */
const typingMilliseconds = 400

export function FilterBar(): JSX.Element {
  const { filter } = state.value
  const [draft, setDraft] = useState(filter)
  const settled = useSettled(draft, filter)
  const asked = { ...viewAsk(state.value), filter: settled }
  const said = useAnswer(JSON.stringify(asked), signal => explain(asked, signal))
  const isOf = settled === draft && said.since === null
  const wrong = isOf && said.value !== null && 'wrong' in said.value ? said.value.wrong : null
  const field = useRef<FilterField | null>(null)
  useKeys({ '/': () => field.current?.focus() })
  // What is typed goes from the editor to here, and only another filter the other way.
  useEffect(() => {
    field.current?.setText(filter)
    remark.value = null
  }, [filter])
  const apply = (text: string): void => {
    // What is known to be wrong stays where it can be put right.
    if (wrong === null || text !== settled) go({ filter: text.trim() })
  }
  const clear = (): void => {
    field.current?.setText('')
    go({ filter: '' })
    field.current?.focus()
  }
  return (
    <search class="filter-bar" data-tour="filter">
      <div class="filter-row">
        <div class={wrong === null ? 'filter-field' : 'filter-field wrong'}>
          <Icon name="filter" />
          <FilterFieldPlace field={field} draft={draft} setDraft={setDraft} apply={apply} wrong={wrong} />
          {draft.trim() !== filter.trim() && (
            <button type="button" class="quiet apply" title="Apply (Enter)" onClick={() => apply(draft)}>
              <Icon name="apply" /> Apply
            </button>
          )}
          {draft !== '' && (
            <button
              type="button"
              class="quiet icon"
              title="Clear the filter"
              aria-label="Clear the filter"
              onClick={clear}
            >
              <Icon name="close" />
            </button>
          )}
        </div>
        <WindowChip />
        <RawSwitch />
        <Tools />
      </div>
      <div class="filter-said">
        <Said error={said.error?.failure ?? null} answer={said.value} />
        <Pins />
      </div>
    </search>
  )
}

/** What was typed, once nobody types; at once where it is the filter already. */
function useSettled(draft: string, filter: string): string {
  const [settled, settle] = useState(draft)
  useEffect(() => {
    if (draft === filter) return settle(draft)
    const timer = setTimeout(() => settle(draft), typingMilliseconds)
    return () => clearTimeout(timer)
  }, [draft, filter])
  return draft === filter ? draft : settled
}

function Said({ error, answer }: { error: Failure | null; answer: ExplainAnswer | WrongFilter | null }): JSX.Element {
  if (remark.value !== null) return <p id="filter-said">{visible(remark.value)}</p>
  const failed = error ?? (answer !== null && 'wrong' in answer ? answer.wrong : null)
  if (failed !== null)
    return (
      <p id="filter-said" class="wrong" role="status">
        {visible(failed.error)}
        {failed.hint !== undefined && <span class="muted"> – {visible(failed.hint)}</span>}
      </p>
    )
  const { sentence, notes } = answer === null || 'wrong' in answer ? { sentence: '', notes: [] } : answer
  return (
    <p id="filter-said" class="muted">
      {visible(
        state.value.from !== null || state.value.to !== null
          ? sentence.replace(/\.$/, ' within the window.')
          : sentence,
      )}
      {notes.map(note => (
        <span key={note}> · {visible(note)}</span>
      ))}
    </p>
  )
}
