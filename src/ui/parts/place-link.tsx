/** Where a record stands in the evidence: a link to its page. */
import type { JSX } from 'preact'
import type { Count } from '../../server/contract/common.ts'
import type { Place } from '../../server/contract/place.ts'
import { goTo, linkTo } from '../state.ts'
import { countText, visible } from '../text.ts'

const charactersMax = 32

interface Props {
  at: Place
  /** Packets of the flow that begins there; left out for what is one record. */
  flow?: Count
}

export function PlaceLink({ at, flow }: Props): JSX.Element {
  const number = at.line ?? at.packet ?? at.record ?? 0
  const isFlow = flow !== undefined && at.packet !== undefined
  const kind = isFlow ? 'first packet ' : at.packet !== undefined ? 'packet ' : at.record !== undefined ? 'record ' : ''
  const name = endOf(at.path.split('/').at(-1)!)
  const text = `${visible(name)}${kind === '' ? ':' : ` ${kind}`}${kind === '' ? number : countText(number)}${isFlow ? `, a flow of ${countText(flow)} packets` : ''}`
  if (at.file === null)
    return (
      <span title={visible(at.path)}>
        {text} <span class="muted">(no link: several files of the case had this path)</span>
      </span>
    )
  const path = `/record/${at.file}/${number}`
  return (
    <a
      class="place"
      href={linkTo({ path, own: {} })}
      title={visible(at.path)}
      onClick={event => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        goTo(path)
      }}
    >
      {text}
    </a>
  )
}

/** Names of logs begin alike, and differ at their ends. */
function endOf(name: string): string {
  const all = [...name]
  return all.length > charactersMax ? `…${all.slice(1 - charactersMax).join('')}` : name
}
