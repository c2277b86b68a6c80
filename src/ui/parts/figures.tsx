/** Figures and times of answers, as tables show them. */
import type { JSX } from 'preact'
import type { Count } from '../../server/contract/common.ts'
import { countText } from '../text.ts'

/** `265,183,813 B`. */
export function exactBytes(bytes: Count): string {
  return bytes === null ? 'no record says how many' : `${countText(bytes)} B`
}

/** A time of an answer, which is ISO 8601 in UTC; a dash where none is known. */
export function Moment({ at }: { at: string | null }): JSX.Element {
  if (at === null) return <span title="no record says when">–</span>
  return (
    <time class="moment" dateTime={at}>
      {at.replace('T', ' ').replace('Z', '')}
    </time>
  )
}

/** From one time to another: the day once where it is the same. */
export function Span({ from, to }: { from: string | null; to: string | null }): JSX.Element {
  if (from === null || to === null || from === to) return <Moment at={from ?? to} />
  const end = from.slice(0, 10) === to.slice(0, 10) ? to.slice(11).replace('Z', '') : null
  return (
    <span class="moment">
      <Moment at={from} /> – {end === null ? <Moment at={to} /> : <time dateTime={to}>{end}</time>}
    </span>
  )
}
