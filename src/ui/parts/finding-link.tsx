/** The name of a finding of the whole case: a link that opens it. */
import type { JSX } from 'preact'
import { goTo, linkTo } from '../state.ts'
import { visible } from '../text.ts'

export function FindingLink({ id, children }: { id: string; children?: string }): JSX.Element {
  const own = { _finding: id }
  return (
    <a
      href={linkTo({ path: '/', own })}
      onClick={event => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        goTo('/', { own })
      }}
    >
      {children ?? id}
    </a>
  )
}

/** Words in which each `F12` is such a link. */
export function FindingWords({ text }: { text: string }): JSX.Element {
  return (
    <>{text.split(/\b(F\d+)\b/).map((part, i) => (i % 2 === 1 ? <FindingLink key={i} id={part} /> : visible(part)))}</>
  )
}
