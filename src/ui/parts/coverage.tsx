/** When which sensor recorded: a row for each, from the left to the right. */
import './coverage.css'
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { CountedMap, CoverageAnswer, CoverageAsk } from '../../server/contract/coverage.ts'
import { post, useAnswer } from '../api.ts'
import { go, state } from '../state.ts'
import { countText, timeText, visible } from '../text.ts'
import { useAsked } from './asked.ts'
import {
  type Look,
  legendOf,
  levelsOf,
  movedTo,
  type Place,
  pathsOf,
  placeText,
  runsOf,
  sensorText,
  ticksOf,
  timesOf,
} from './coverage-cells.ts'
import { Empty, Shown } from './states.tsx'
import { sensorTerm } from './term.ts'
import { Value } from './value.tsx'

const bins = 240
const rowHeight = 20
const barHeight = 16
const top = 20
const moreSensors = 200

/** @param rows sensors that are shown until more are asked for. */
export function Coverage({ rows }: { rows: number }): JSX.Element {
  const [sensors, showSensors] = useState(rows)
  const { zoomFrom, zoomTo } = state.value
  const asked: CoverageAsk = { zoom: { from: zoomFrom, to: zoomTo }, bins, sensors }
  const answer = useAnswer<CoverageAnswer>(JSON.stringify(asked), signal => post('/api/coverage', asked, signal))
  useAsked(answer.value?.asked)
  return (
    <section class="coverage" aria-labelledby="coverage-title">
      <h2 id="coverage-title">
        Coverage <small class="muted">of the whole log, whatever is filtered</small>
      </h2>
      <Shown of={answer} what="what was recorded when">
        {({ map, beside }) =>
          map.from === null ? (
            <Empty>Nothing in the case has a time.</Empty>
          ) : (
            <>
              <Lanes map={map} />
              <Legend levels={levelsOf(map)} />
              {map.sensors_total > map.sensors.length && (
                <p class="cut muted">
                  {countText(map.sensors_total - map.sensors.length)} more sensors are not shown here
                  {sensors < moreSensors && (
                    <button type="button" onClick={() => showSensors(moreSensors)}>
                      Show up to {moreSensors}
                    </button>
                  )}
                </p>
              )}
              <NotInMap beside={beside} />
              <AsTable map={map} />
            </>
          )
        }
      </Shown>
    </section>
  )
}

function Lanes({ map }: { map: CountedMap }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const [place, setPlace] = useState<Place | null>(null)
  const [from, setFrom] = useState<number | null>(null)
  const binWidth = width / map.bins
  const height = top + map.sensors.length * rowHeight
  const drawn = useMemo(() => (width === 0 ? null : <Rows map={map} width={width} />), [map, width])
  const at = (event: MouseEvent): Place => {
    const { left, top: upper } = (event.currentTarget as Element).getBoundingClientRect()
    const within = (value: number, count: number): number => Math.max(0, Math.min(count - 1, Math.floor(value)))
    return {
      row: within((event.clientY - upper - top) / rowHeight, map.sensors.length),
      bin: within((event.clientX - left) / binWidth, map.bins),
    }
  }
  const take = (first: number, last: number): void => {
    go({ from: timesOf(map, Math.min(first, last)).from, to: timesOf(map, Math.max(first, last)).to })
  }
  const key = (event: KeyboardEvent): void => {
    const now = place ?? { row: 0, bin: 0 }
    const next = movedTo(map, now, event.key, event.ctrlKey)
    if (next !== null) setPlace(next)
    else if (event.key === 'Enter') take(now.bin, now.bin)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div class="coverage-map">
      <ul class="coverage-names" aria-label="Sensors">
        {map.sensors.map(({ sensor }) => (
          <li key={sensor} title={sensorText(sensor)}>
            <Value term={sensorTerm(sensor)}>{sensorText(sensor)}</Value>
          </li>
        ))}
      </ul>
      <div
        ref={box}
        class="coverage-bars"
        role="application"
        aria-label="What was recorded when. Arrow keys move from bin to bin, Enter takes the bin as the window."
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move in it.
        tabIndex={0}
        onKeyDown={key}
        onBlur={() => setPlace(null)}
        onPointerMove={event => setPlace(at(event))}
        onPointerLeave={() => from === null && setPlace(null)}
        onPointerDown={event => {
          if (event.button !== 0) return
          event.currentTarget.setPointerCapture(event.pointerId)
          setFrom(at(event).bin)
        }}
        onPointerUp={event => {
          if (from !== null) take(from, at(event).bin)
          setFrom(null)
        }}
      >
        <svg width={width} height={height} aria-hidden="true">
          <Patterns />
          {drawn}
          <WindowMark map={map} width={width} height={height} />
          {place !== null && (
            <rect
              class="place"
              x={Math.min(place.bin, from ?? place.bin) * binWidth}
              y={top + place.row * rowHeight}
              width={(Math.abs(place.bin - (from ?? place.bin)) + 1) * binWidth}
              height={barHeight}
            />
          )}
        </svg>
        <Tip map={map} place={place} binWidth={binWidth} width={width} />
      </div>
    </div>
  )
}

/** What is under the pointer, or where the keys have led. */
function Tip(props: { map: CountedMap; place: Place | null; binWidth: number; width: number }): JSX.Element {
  const { map, place, binWidth, width } = props
  const x = place === null ? 0 : (place.bin + 0.5) * binWidth
  const y = place === null ? 0 : top + (place.row + 1) * rowHeight
  const side = x > width / 2 ? { right: `${Math.max(0, width - x)}px` } : { left: `${x}px` }
  return (
    <div class="tip" role="status" hidden={place === null} style={{ top: `${y}px`, ...side }}>
      {place !== null && placeText(map, place)}
    </div>
  )
}

function Rows({ map, width }: { map: CountedMap; width: number }): JSX.Element {
  const levels = levelsOf(map)
  const binWidth = width / map.bins
  return (
    <>
      {ticksOf(map, width < 600 ? 5 : 10).map(({ bin, text }) => (
        <g key={bin} transform={`translate(${bin * binWidth} 0)`}>
          <line class="tick" y1={top - 4} y2={top + map.sensors.length * rowHeight} />
          {bin * binWidth < width - 30 && <text y={12}>{text}</text>}
        </g>
      ))}
      {map.sensors.map((sensor, row) => (
        <g key={sensor.sensor} data-sensor={sensorText(sensor.sensor)}>
          {[...pathsOf(runsOf(sensor, levels), top + row * rowHeight, binWidth, barHeight)].map(([look, d]) => (
            <path key={look} d={d} {...fillOf(look)} />
          ))}
          <rect class="frame" y={top + row * rowHeight} width={width} height={barHeight} />
        </g>
      ))}
    </>
  )
}

const patterns: Partial<Record<Look, string>> = { 'no-data': 'dots', 'skip-data': 'crosses', nothing: 'hatches' }

function fillOf(look: Look): { class?: string; fill?: string } {
  const pattern = patterns[look]
  return pattern === undefined ? { class: look } : { fill: `url(#coverage-${pattern})` }
}

function Patterns(): JSX.Element {
  const square = (name: string, inner: JSX.Element): JSX.Element => (
    <pattern id={`coverage-${name}`} width={6} height={6} patternUnits="userSpaceOnUse">
      {inner}
    </pattern>
  )
  return (
    <defs>
      {square('dots', <circle class="dots" cx={3} cy={3} r={1} />)}
      {square('crosses', <path class="crosses" d="M0 0L6 6M6 0L0 6" />)}
      {square('hatches', <path class="hatches" d="M-1 1L1 -1M0 6L6 0M5 7L7 5" />)}
    </defs>
  )
}

function WindowMark({ map, width, height }: { map: CountedMap; width: number; height: number }): JSX.Element | null {
  const { from, to } = state.value
  if (from === null && to === null) return null
  const begin = Date.parse(map.from!) / 1000
  const xOf = (second: number): number =>
    Math.max(0, Math.min(width, ((second - begin) / (map.bins * map.bin_seconds)) * width))
  const [left, right] = [from === null ? 0 : xOf(from), to === null ? width : xOf(to)]
  return (
    <g class="window">
      <rect class="outside" y={top} width={left} height={height - top} />
      <rect class="outside" x={right} y={top} width={width - right} height={height - top} />
      <path d={`M${left} ${top}V${height}M${right} ${top}V${height}`} />
    </g>
  )
}

function Legend({ levels }: { levels: readonly number[] }): JSX.Element {
  return (
    <ul class="coverage-legend">
      {legendOf(levels).map(({ look, words }) => (
        <li key={look}>
          <svg width={16} height={12} aria-hidden="true">
            <rect width={16} height={12} {...fillOf(look)} />
            <rect class="frame" width={16} height={12} />
          </svg>
          {words}
        </li>
      ))}
    </ul>
  )
}

function NotInMap({ beside }: Pick<CoverageAnswer, 'beside'>): JSX.Element | null {
  const { untimed, malformed, malformed_files, unread, unread_total } = beside
  if (untimed === 0 && malformed === 0 && unread_total === 0) return null
  return (
    <ul class="coverage-beside" aria-label="In no bin of the map">
      {untimed > 0 && <li>{countText(untimed)} records without a time are in no bin.</li>}
      {malformed > 0 && (
        <li>
          {countText(malformed)} lines in {countText(malformed_files)} files could not be read.
        </li>
      )}
      {unread.map(({ path, problem }) => (
        <li key={path}>
          Not read, or not all of it: {visible(path)}: {visible(problem)}
        </li>
      ))}
      {unread_total > unread.length && (
        <li>{countText(unread_total - unread.length)} more files were not read, or not all of them: see Evidence.</li>
      )}
    </ul>
  )
}

function AsTable({ map }: { map: CountedMap }): JSX.Element {
  const heads = ['Records', 'NODATA', 'SKIPDATA', 'Bins with records', 'NODATA alone', 'With SKIPDATA', 'With nothing']
  return (
    <details class="coverage-table">
      <summary>As a table</summary>
      <table>
        <caption class="muted">
          {timeText(Date.parse(map.from!) / 1000)} – {timeText(Date.parse(map.to!) / 1000)} UTC, {countText(map.bins)}{' '}
          bins of {countText(map.bin_seconds)} s. Lines that begin in it.
        </caption>
        <thead>
          <tr>
            <th scope="col">Sensor</th>
            {heads.map(head => (
              <th key={head} scope="col" class="number">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {map.sensors.map(({ sensor, records, no_data, skip_data, bins: inState }) => (
            <tr key={sensor}>
              <th scope="row">{sensorText(sensor)}</th>
              {[
                ...[records, no_data, skip_data],
                ...[inState.data, inState.no_data, inState.skip_data, inState.nothing],
              ].map((count, i) => (
                <td key={heads[i]} class="number">
                  {countText(count)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

function useWidth(of: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)))
    observer.observe(of.current!)
    return () => observer.disconnect()
  }, [])
  return width
}
