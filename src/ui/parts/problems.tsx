/** Places of the evidence that are in no record, each with a link to its line. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ProblemsAnswer, ProblemsAsk } from '../../server/contract/evidence.ts'
import { post, useAnswer } from '../api.ts'
import { goTo, linkTo } from '../state.ts'
import { countText, visible } from '../text.ts'
import { Shown } from './states.tsx'

const firstPlaces = 20
const morePlaces = 500

/** @param path of a file; empty: of all. */
export function Problems({ path }: { path: string }): JSX.Element {
  const [count, show] = useState(firstPlaces)
  const asked: ProblemsAsk = { path, offset: 0, count }
  const answer = useAnswer<ProblemsAnswer>(JSON.stringify(asked), signal => post('/api/problems', asked, signal))
  return (
    <Shown of={answer} what="what is in no record">
      {({ problems, total }) => (
        <>
          <ul class="problems">
            {problems.map((one, i) => (
              <li key={i}>
                <Place problem={one} hasPath={path === ''} />: {visible(one.problem)}
                {one.places > 1 && (
                  <span class="muted"> (and {countText(one.places - 1)} other places of that file)</span>
                )}
              </li>
            ))}
          </ul>
          {total > problems.length && (
            <p class="cut muted">
              First {countText(problems.length)} of {countText(total)} {path === '' ? 'problems' : 'places'}{' '}
              {count < morePlaces && (
                <button type="button" onClick={() => show(morePlaces)}>
                  Show up to {morePlaces}
                </button>
              )}
            </p>
          )}
        </>
      )}
    </Shown>
  )
}

function Place(props: { problem: ProblemsAnswer['problems'][number]; hasPath: boolean }): JSX.Element {
  const { problem, hasPath } = props
  const { path, line, line_to, offset, file } = problem
  const place =
    line !== undefined
      ? `line ${countText(line)}${line_to === undefined || line_to === line ? '' : `–${countText(line_to)}`}`
      : offset !== undefined
        ? `byte ${countText(offset)}`
        : 'the whole file'
  const text = hasPath ? `${visible(path)}, ${place}` : place
  if (line === undefined || file === null) return <span>{text}</span>
  const page = `/record/${file}/${line}`
  return (
    <a
      href={linkTo({ path: page, own: {} })}
      onClick={event => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        goTo(page)
      }}
    >
      {text}
    </a>
  )
}
