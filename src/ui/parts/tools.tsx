/** Beside the filter: history, swap ends, the command and the SQL of what is shown, link. */
import type { JSX } from 'preact'
import type { SwapAnswer } from '../../server/contract/case.ts'
import type { Asked } from '../../server/contract/common.ts'
import { AskError, explain, post, useAnswer, viewAsk } from '../api.ts'
import { go, past, state } from '../state.ts'
import { visible, visibleLines } from '../text.ts'
import type { ViewState } from '../url.ts'
import { askedNow } from './asked.ts'
import { CopyButton, copy } from './copy.tsx'
import { Icon } from './icons.tsx'
import { Opener } from './opener.tsx'
import { remark } from './remark.ts'
import { Shown } from './states.tsx'
import { withWindow } from './term.ts'
import { ViewLink } from './view-link.tsx'

export function Tools(): JSX.Element {
  const { at, last } = past.value
  return (
    <div class="tools" role="group" aria-label="View" data-tour="tools">
      <Tool name="Back" icon="back" disabled={at === 0} act={() => history.back()} />
      <Tool name="Forward" icon="forward" disabled={at >= last} act={() => history.forward()} />
      <Tool name="Swap source and destination (s)" icon="swap" act={() => void swapEnds()} />
      <Opener name="CLI: commands of what is shown" class="quiet" label="CLI">
        {() => <AskedPanel of="command" />}
      </Opener>
      <Opener name="SQL of what is shown" class="quiet" label="SQL">
        {() => <AskedPanel of="sql" />}
      </Opener>
      <Tool name="Copy the link to this view" icon="link" act={() => void copy(location.href, 'Link')} />
    </div>
  )
}

interface ToolProps {
  name: string
  icon: 'back' | 'forward' | 'swap' | 'link'
  disabled?: boolean
  act: () => void
}

function Tool({ name, icon, disabled = false, act }: ToolProps): JSX.Element {
  return (
    <button type="button" class="quiet icon" title={name} aria-label={name} disabled={disabled} onClick={act}>
      <Icon name={icon} />
    </button>
  )
}

export async function swapEnds(): Promise<void> {
  const { filter } = state.value
  if (filter.trim() === '') {
    remark.value = 'There is no filter to swap.'
    return
  }
  try {
    const { filter: other } = await post<SwapAnswer>('/api/swap', { filter })
    if (other === null) remark.value = 'The filter is the same in both directions.'
    else go({ filter: other })
  } catch (error) {
    remark.value = error instanceof AskError ? error.failure.error : String(error)
  }
}

/** The records themselves, of which every figure is made. */
export async function viewAsked(view: ViewState, signal: AbortSignal): Promise<Asked> {
  const said = await explain({ ...viewAsk(view), filter: withWindow(view.filter, view) }, signal)
  if ('wrong' in said) throw new AskError(said.wrong, 400)
  return said
}

/** The first command of what is shown. */
export async function copyCommand(): Promise<void> {
  const asked = askedNow.value[0] ?? (await viewAsked(state.value, new AbortController().signal).catch(() => null))
  if (asked === null) remark.value = 'There is no command for a filter that cannot be read.'
  else await copy(asked.command, 'Command')
}

function AskedPanel({ of }: { of: 'command' | 'sql' }): JSX.Element {
  const view = state.value
  const records = useAnswer<Asked>(JSON.stringify([viewAsk(view), view.from, view.to]), signal =>
    viewAsked(view, signal),
  )
  const what = of === 'command' ? 'command' : 'SQL'
  return (
    <>
      <h2>{of === 'command' ? 'The same figures by command' : 'The same figures by SQL'}</h2>
      {askedNow.value.map(asked => (
        <AskedText key={asked.command + asked.sql} asked={asked} of={of} what={what} />
      ))}
      <Shown of={records} what={`the ${what}`}>
        {asked => <AskedText asked={asked} of={of} what={what} />}
      </Shown>
    </>
  )
}

function AskedText({ asked, of, what }: { asked: Asked; of: 'command' | 'sql'; what: string }): JSX.Element | null {
  const text = asked[of]
  if (text === '') return null
  return (
    <div class="asked">
      <p class="muted">{visible(asked.sentence)}</p>
      <div class="code">
        <pre>{visibleLines(text)}</pre>
        <CopyButton text={text} what={what} />
        {of === 'sql' && <OpenInSql sql={text} />}
      </div>
    </div>
  )
}

/** The query stands in the editor there, and is not run: it has no limits of its own. */
function OpenInSql({ sql }: { sql: string }): JSX.Element {
  const change = { path: '/sql', own: { _sql: sql }, sort: null, columns: null }
  return <ViewLink change={change}>Open in SQL</ViewLink>
}
