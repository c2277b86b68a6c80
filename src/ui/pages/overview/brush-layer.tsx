/** Over the steps of a timeline: the brush, its handles, and what a bin holds. */
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { binAt, clicked, dragged, endOf, type Grid, marked, resized, type Span } from './brush.ts'
import { brushed, choose, drag, dropDrag, release, windowKey } from './window.ts'

interface Props {
  grid: Grid
  /** Pixels of the steps. */
  width: number
  /** What a bin holds. */
  told: (bin: number) => ComponentChildren
  /** Narrower or wider around a second. */
  onZoom: (factor: number, around: number) => void
}

/** Pixels beside an edge that still take hold of it. */
const handle = 6
/** Pixels that a hand may move within a click. */
const still = 3
const wheelFactor = 1.25

interface Hold {
  what: 'mark' | 'move' | 'from' | 'to'
  /** Where it began. */
  x: number
  second: number
  before: Span | null
  moved: boolean
}

export function BrushLayer({ grid, width, told, onZoom }: Props): JSX.Element {
  const layer = useRef<HTMLDivElement>(null)
  const [pointed, point] = useState<number | null>(null)
  const hold = useRef<Hold | null>(null)
  const span = brushed.value
  const perPixel = (grid.width * grid.bins) / Math.max(1, width)
  const secondAt = (x: number): number => grid.from + x * perPixel
  const xOf = (second: number): number => Math.min(width, Math.max(0, (second - grid.from) / perPixel))
  const placeOf = (event: MouseEvent): number => event.clientX - layer.current!.getBoundingClientRect().left
  useWheel(layer, event => onZoom(event.deltaY > 0 ? wheelFactor : 1 / wheelFactor, secondAt(placeOf(event))))
  const whatIsAt = (x: number): Hold['what'] => {
    if (span === null) return 'mark'
    const [from, to] = [xOf(span.from), xOf(span.to)]
    const edge = Math.min(handle, Math.max(2, (to - from) / 3))
    if (Math.abs(x - from) <= edge && span.from >= grid.from) return 'from'
    if (Math.abs(x - to) <= edge && span.to <= endOf(grid)) return 'to'
    return x > from && x < to ? 'move' : 'mark'
  }
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return
    const x = placeOf(event)
    hold.current = { what: whatIsAt(x), x, second: secondAt(x), before: span, moved: false }
    layer.current!.setPointerCapture(event.pointerId)
  }
  const move = (event: PointerEvent): void => {
    const x = placeOf(event)
    point(x >= 0 && x <= width ? x : null)
    const held = hold.current
    if (held === null) {
      layer.current!.dataset['at'] = whatIsAt(x)
      return
    }
    held.moved ||= Math.abs(x - held.x) > still
    if (held.moved) drag(spanOf(grid, held, secondAt(x)))
  }
  const up = (event: PointerEvent): void => {
    const held = hold.current
    hold.current = null
    if (held === null) return
    if (held.moved) release()
    else choose(clicked(grid, secondAt(placeOf(event))))
  }
  const cancel = (): void => {
    hold.current = null
    dropDrag()
  }
  return (
    <div
      ref={layer}
      class="brush-layer"
      data-window={windowKey(span ?? { from: null, to: null })}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={cancel}
      onPointerLeave={() => point(null)}
    >
      {span !== null && <Brush from={xOf(span.from)} to={xOf(span.to)} width={width} />}
      {pointed !== null && <Told x={pointed} width={width} of={told(binAt(grid, secondAt(pointed)))} />}
    </div>
  )
}

function spanOf(grid: Grid, { what, before, second }: Hold, now: number): Span {
  if (what === 'mark' || before === null) return marked(grid, second, now)
  return what === 'move' ? dragged(grid, before, now - second) : resized(grid, before, what, now)
}

function Brush({ from, to, width }: { from: number; to: number; width: number }): JSX.Element {
  return (
    <>
      <div class="beside" style={{ left: 0, width: `${from}px` }} />
      <div class="beside" style={{ left: `${to}px`, width: `${width - to}px` }} />
      <div class="brush" style={{ left: `${from}px`, width: `${Math.max(1, to - from)}px` }}>
        <i class="handle left" />
        <i class="handle right" />
      </div>
    </>
  )
}

function Told({ x, width, of }: { x: number; width: number; of: ComponentChildren }): JSX.Element {
  const isRight = x > width / 2
  return (
    <>
      <div class="pointed" style={{ left: `${x}px` }} />
      <div class="told" style={isRight ? { right: `${width - x + 12}px` } : { left: `${x + 12}px` }}>
        {of}
      </div>
    </>
  )
}

/** The wheel zooms instead of scrolling; such a listener may not be passive. */
function useWheel(layer: { current: HTMLDivElement | null }, act: (event: WheelEvent) => void): void {
  const latest = useRef(act)
  latest.current = act
  useEffect(() => {
    const element = layer.current!
    const wheel = (event: WheelEvent): void => {
      if (event.deltaY === 0 || event.shiftKey) return
      event.preventDefault()
      latest.current(event)
    }
    element.addEventListener('wheel', wheel, { passive: false })
    return () => element.removeEventListener('wheel', wheel)
  }, [])
}
