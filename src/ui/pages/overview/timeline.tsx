/** The timeline: what moved when, with a brush, what is missing, and the whole case below. */
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Count } from '../../../server/contract/common.ts'
import type { GapsAnswer, Stack, TimelineAnswer } from '../../../server/contract/view.ts'
import { look } from '../../parts/theme.ts'
import { state } from '../../state.ts'
import { timeText } from '../../text.ts'
import type { Measure } from '../../url.ts'
import { type Grid, type Span, unlessAll, zoomed } from './brush.ts'
import { BrushLayer } from './brush-layer.tsx'
import { type ChartData, chartEdges, drawChart, isCutOff } from './chart.ts'
import { Lane, type Mark } from './lane.tsx'
import { exactText, type Named, namedOf, Swatch } from './layers.tsx'
import { Legend } from './legend.tsx'
import { Strip } from './strip.tsx'
import { useTimelineKeys } from './timeline-keys.ts'
import { ValuesTable } from './values-table.tsx'
import { showOnly } from './window.ts'

interface Props {
  answer: TimelineAnswer
  measure: Measure
  stack: Stack
  gaps: readonly GapsAnswer['gaps'][number][]
  marks: readonly Mark[]
}

const chartHeight = 200

export function Timeline({ answer, measure, stack, gaps, marks }: Props): JSX.Element | null {
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const { series, strip, span } = answer
  const layers = useMemo(() => (series === null ? [] : namedOf(series.layers, answer.ports)), [series])
  const grid = useMemo(() => gridOf(series), [series])
  const all = span === null ? null : { from: span.first, to: span.last + 1 }
  useTimelineKeys(grid, all)
  if (series === null || strip === null || all === null || grid === null) return null
  const inner = Math.max(0, width - chartEdges.left - chartEdges.right)
  const { zoomFrom, zoomTo } = state.value
  const shown: Span = { from: zoomFrom ?? all.from, to: zoomTo ?? all.to }
  const zoomBy = (factor: number, around: number): void => showOnly(zoomed(shown, all, factor, around), all)
  return (
    <div class="timeline">
      <Legend layers={layers} stack={stack} outline={outlineText(grid, layers, answer.outline)} />
      <div
        ref={box}
        class="chart"
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys
        tabIndex={0}
        aria-label="Timeline"
        aria-describedby="timeline-keys"
        onPointerDown={event => event.currentTarget.focus({ preventScroll: true })}
      >
        <Lane grid={grid} width={inner} gaps={gaps} marks={marks} />
        <div class="plot">
          <Steps grid={grid} measure={measure} layers={layers} outline={answer.outline} width={width} />
          <BrushLayer
            grid={grid}
            width={inner}
            onZoom={zoomBy}
            told={bin => <BinTold grid={grid} bin={bin} layers={layers} outline={answer.outline} measure={measure} />}
          />
        </div>
        <Strip strip={strip} shown={unlessAll(shown, all)} width={inner} onZoom={to => showOnly(to ?? all, all)} />
      </div>
      <p id="timeline-keys" class="aside">
        Left and right move the brush by a bin, with Shift its end, with Ctrl by ten bins; z and Z zoom, Escape clears,
        m changes what is summed up. The values are in the table below.
      </p>
      <ValuesTable grid={grid} layers={layers} outline={answer.outline} measure={measure} />
    </div>
  )
}

function outlineText(grid: Grid, layers: readonly Named[], outline: readonly Count[] | null): string | null {
  if (outline === null) return null
  return `without the filter${isCutOff({ grid, layers, outline }) ? ', cut off above' : ''}`
}

function gridOf(series: TimelineAnswer['series']): Grid | null {
  const bins = series?.layers[0]?.values.length ?? 0
  return series === null || bins === 0 ? null : { from: series.from, width: series.width, bins }
}

interface StepsProps extends Omit<ChartData, 'layers'> {
  layers: readonly Named[]
  width: number
}

function Steps({ grid, measure, layers, outline, width }: StepsProps): JSX.Element {
  const target = useRef<HTMLDivElement>(null)
  const now = look.value
  useLayoutEffect(() => {
    if (width === 0) return
    const chart = drawChart(target.current!, { grid, measure, layers, outline }, { width, height: chartHeight })
    return () => chart.destroy()
  }, [grid, measure, layers, outline, width, now])
  return <div ref={target} class="steps" aria-hidden="true" style={{ height: `${chartHeight}px` }} />
}

interface BinProps {
  grid: Grid
  bin: number
  layers: readonly Named[]
  outline: readonly Count[] | null
  measure: Measure
}

/** Exactly what a bin holds. */
function BinTold({ grid, bin, layers, outline, measure }: BinProps): JSX.Element {
  const from = grid.from + bin * grid.width
  const line = (name: ComponentChildren, count: Count): JSX.Element => (
    <div>
      <dt>{name}</dt>
      <dd>{exactText(count, measure)}</dd>
    </div>
  )
  return (
    <>
      <p>
        {timeText(from)} – {timeText(from + grid.width).slice(11)} UTC
      </p>
      <dl>
        {layers.toReversed().map(layer => (
          <div key={layer.key}>
            <dt>
              <Swatch layer={layer} /> {layer.name}
            </dt>
            <dd>{exactText(layer.values[bin] ?? null, measure)}</dd>
          </div>
        ))}
        {line('all', layers.reduce<bigint>((sum, { values }) => sum + BigInt(values[bin] ?? 0), 0n).toString())}
        {outline !== null && line('without the filter', outline[bin] ?? null)}
      </dl>
    </>
  )
}

/** The width of an element, as it changes. */
function useWidth(box: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    if (box.current !== null) setWidth(box.current.clientWidth)
  }, [])
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.round(entry!.contentRect.width)))
    if (box.current !== null) watcher.observe(box.current)
    return () => watcher.disconnect()
  }, [])
  return width
}
