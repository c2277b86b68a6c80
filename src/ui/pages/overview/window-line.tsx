/** What the brush marks, in words, and what the bars are. */
import type { JSX } from 'preact'
import type { TimelineAnswer } from '../../../server/contract/view.ts'
import { state } from '../../state.ts'
import { windowText } from '../../text.ts'
import { widthText } from './ticks.ts'
import { brushed, choose, isDragging, showOnly } from './window.ts'

export function WindowLine({ answer }: { answer: TimelineAnswer | null }): JSX.Element | null {
  if (answer === null) return null
  const { span, series } = answer
  if (span === null || series === null) return <p class="window-line muted">No record says when it began.</p>
  const all = { from: span.first, to: span.last + 1 }
  const now = brushed.value
  const { from, to, zoomFrom, zoomTo } = state.value
  const isOpen = now === null && (from !== null || to !== null) && !isDragging.value
  const bars = `Each bar sums up the records that begin within ${widthText(series.width)}.`
  return (
    <p class="window-line">
      {isOpen ? (
        <>
          <span>
            <b>{windowText({ from, to })}</b> <span class="muted">(the records that begin then). {bars}</span>
          </span>
          <button type="button" class="quiet" onClick={() => choose(null)}>
            Clear
          </button>
        </>
      ) : now === null ? (
        <span class="muted">
          All of the time. Drag over the timeline to choose a window, click to take a bar. {bars}
        </span>
      ) : (
        <>
          <span>
            <b>{windowText(now)}</b>{' '}
            <span class="muted">
              ({lengthText(now.to - now.from)}): the records that begin in it. {bars}
            </span>
          </span>
          <button type="button" class="quiet" onClick={() => showOnly(now, all)}>
            Zoom to it
          </button>
          <button type="button" class="quiet" onClick={() => choose(null)}>
            Clear
          </button>
        </>
      )}
      {(zoomFrom !== null || zoomTo !== null) && (
        <button type="button" class="quiet" onClick={() => showOnly(all, all)}>
          Show all of the time
        </button>
      )}
    </p>
  )
}

/** `1 d 3 h`, `29 min`, `45 s`: the two largest units. */
function lengthText(seconds: number): string {
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const
  let rest = seconds
  const parts = units.flatMap(([size, unit]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? [] : [`${count} ${unit}`]
  })
  return parts.slice(0, 2).join(' ')
}
