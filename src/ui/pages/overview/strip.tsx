/** All of the case in a strip below the timeline: what of it is shown above, and where the brush is. */
import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { Count } from '../../../server/contract/common.ts'
import type { TimelineAnswer } from '../../../server/contract/view.ts'
import { timeText } from '../../text.ts'
import { dragged, endOf, type Grid, marked, type Span } from './brush.ts'
import { brushed } from './window.ts'

interface Props {
  strip: NonNullable<TimelineAnswer['strip']>
  /** What the timeline shows; null: all. */
  shown: Span | null
  width: number
  onZoom: (span: Span | null) => void
}

const height = 36
const still = 3

export function Strip({ strip, shown, width, onZoom }: Props): JSX.Element {
  const grid: Grid = { from: strip.from, width: strip.width, bins: strip.values.length }
  const box = useRef<SVGSVGElement>(null)
  const hold = useRef<{ x: number; second: number; before: Span | null } | null>(null)
  const [drawn, draw] = useState<Span | null>(null)
  const perPixel = (grid.width * grid.bins) / Math.max(1, width)
  const xOf = (second: number): number => Math.min(width, Math.max(0, (second - grid.from) / perPixel))
  const secondAt = (event: MouseEvent): number =>
    grid.from + (event.clientX - box.current!.getBoundingClientRect().left) * perPixel
  const span = brushed.value
  const zoom = drawn ?? shown
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return
    const second = secondAt(event)
    const isWithin = shown !== null && second >= shown.from && second < shown.to
    hold.current = { x: event.clientX, second, before: isWithin ? shown : null }
    box.current!.setPointerCapture(event.pointerId)
  }
  const move = (event: PointerEvent): void => {
    const held = hold.current
    if (held === null || (drawn === null && Math.abs(event.clientX - held.x) <= still)) return
    const { before, second } = held
    draw(before === null ? marked(grid, second, secondAt(event)) : dragged(grid, before, secondAt(event) - second))
  }
  const up = (): void => {
    hold.current = null
    draw(null)
    if (drawn !== null) onZoom(drawn)
  }
  const most = Math.max(1, ...strip.whole.map(Number))
  return (
    <div class="strip">
      <svg
        ref={box}
        width={width}
        height={height}
        role="img"
        aria-label={`The whole case, ${timeText(grid.from)} to ${timeText(endOf(grid))} UTC; drag to choose what is shown above`}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={() => {
          hold.current = null
          draw(null)
        }}
        onDblClick={() => onZoom(null)}
      >
        <path class="whole" d={stepsPath(strip.whole, most, width)} />
        <path class="match" d={stepsPath(strip.values, most, width)} />
        {zoom !== null && (
          <>
            <rect class="beside" x={0} y={0} width={xOf(zoom.from)} height={height} />
            <rect class="beside" x={xOf(zoom.to)} y={0} width={width - xOf(zoom.to)} height={height} />
            <rect
              class="zoom"
              x={xOf(zoom.from) + 0.5}
              y={0.5}
              width={Math.max(2, xOf(zoom.to) - xOf(zoom.from) - 1)}
              height={height - 1}
            />
          </>
        )}
        {span !== null && (
          <rect
            class="window"
            x={xOf(span.from)}
            y={height - 4}
            width={Math.max(2, xOf(span.to) - xOf(span.from))}
            height={4}
          />
        )}
      </svg>
    </div>
  )
}

/** Steps from the bottom. Small values stay to be seen: the height is by the root. */
function stepsPath(values: readonly Count[], most: number, width: number): string {
  const each = width / values.length
  const parts = values.map((value, i) => {
    const top = height - Math.sqrt(Number(value) / most) * (height - 2)
    return `H${(i * each).toFixed(1)}V${top.toFixed(1)}`
  })
  return `M0 ${height}${parts.join('')}H${width}V${height}Z`
}
