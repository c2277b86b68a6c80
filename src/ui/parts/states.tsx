/** Loading, empty, error and cut: no page shows a blank where something is missing. */
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Count } from '../../server/contract/common.ts'
import type { Answered } from '../api.ts'
import { countText, visible } from '../text.ts'

/** From then on an answer to an earlier question is dimmer. */
export const oldMilliseconds = 150

interface Props<Answer> {
  of: Answered<Answer>
  /** What is waited for: "the connections". */
  what: string
  children: (answer: Answer) => ComponentChildren
}

/** Shows an answer, dims an old one while the next is on its way, and says what went wrong. */
export function Shown<Answer>({ of, what, children }: Props<Answer>): JSX.Element {
  const waited = useWaited(of.since)
  return (
    <div class={`shown${waited > oldMilliseconds && of.value !== null ? ' old' : ''}`} aria-busy={of.since !== null}>
      {waited > 1000 && <Waiting what={what} milliseconds={waited} stop={of.stop} />}
      {of.error !== null && of.since === null ? (
        <ErrorBox error={of.error.failure.error} hint={of.error.failure.hint} again={of.again} />
      ) : of.value !== null ? (
        children(of.value)
      ) : (
        <p class="muted pad">Loading {what}…</p>
      )}
    </div>
  )
}

function Waiting({ what, milliseconds, stop }: { what: string; milliseconds: number; stop: () => void }): JSX.Element {
  return (
    <p class="waiting" role="status">
      Loading {what}: {Math.floor(milliseconds / 1000)} s{' '}
      <button type="button" onClick={stop}>
        Stop
      </button>
    </p>
  )
}

/** Milliseconds since a question was asked. */
export function useWaited(since: number | null): number {
  const [, tick] = useState(0)
  useEffect(() => {
    if (since === null) return
    const timer = setInterval(() => tick(n => n + 1), 150)
    return () => clearInterval(timer)
  }, [since])
  return since === null ? 0 : performance.now() - since
}

export function ErrorBox(props: { error: string; hint?: string | undefined; again?: () => void }): JSX.Element {
  return (
    <div class="error" role="alert">
      <p>{visible(props.error)}</p>
      {props.hint !== undefined && <p class="muted">{visible(props.hint)}</p>}
      {props.again !== undefined && (
        <button type="button" onClick={props.again}>
          Try again
        </button>
      )}
    </div>
  )
}

export function Empty({ children }: { children: ComponentChildren }): JSX.Element {
  return <div class="empty muted pad">{children}</div>
}

/** "First 200 of 48,213"; nothing where all is shown. */
export function Cut({ shown, of, what }: { shown: number; of: Count; what: string }): JSX.Element | null {
  if (of !== null && Number(of) <= shown) return null
  return (
    <p class="cut muted">
      First {countText(shown)} of {of === null ? 'more' : countText(of)} {what}
    </p>
  )
}
