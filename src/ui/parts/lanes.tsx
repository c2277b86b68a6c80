/** The connections of a host: a lane for each service, a bar for each connection. */
import './lanes.css'
import type { JSX } from 'preact'
import type { Lane, LaneBar } from '../../server/contract/host.ts'
import { heightOf, isWithin, type LaneSpan, mostBytes, placeOf, spanOf } from '../lanes.ts'
import { goTo, linkTo, state } from '../state.ts'
import { bytesText, countText, timeText, visible } from '../text.ts'
import { timeTicks } from '../time-ticks.ts'
import { EndLink, endText } from './end-link.tsx'

const laneHeight = 24
const ticksMost = 8

export function Lanes({ lanes, host }: { lanes: readonly Lane[]; host: string }): JSX.Element | null {
  const span = spanOf(lanes)
  if (span === null) return <p class="muted">None of its connections says when it was.</p>
  const most = mostBytes(lanes)
  return (
    <figure class="connection-lanes" aria-label={`Connections of ${host} over time, a row for each service`}>
      <Legend />
      <Axis span={span} />
      {lanes.map(lane => (
        <LaneRow key={lane.number} lane={lane} span={span} most={most} host={host} />
      ))}
    </figure>
  )
}

function Axis({ span }: { span: LaneSpan }): JSX.Element {
  return (
    <div class="connection-lane axis" aria-hidden="true">
      <span class="lane-name muted">UTC</span>
      <div class="ticks">
        {timeTicks(span.from, span.to - (span.to - span.from) / 12, ticksMost).map(({ second, text }) => (
          <span key={second} style={{ left: `${placeOf(span, second)}%` }}>
            {text}
          </span>
        ))}
      </div>
      <span />
    </div>
  )
}

interface RowProps {
  lane: Lane
  span: LaneSpan
  most: number
  host: string
}

function LaneRow({ lane, span, most, host }: RowProps): JSX.Element {
  const { number, client, server, port, service, outcome, connections, bars } = lane
  const isServer = server === host
  const other = isServer ? client : server
  const way = isServer ? 'from' : 'to'
  return (
    <div class="connection-lane">
      <span class="lane-name">
        <span class="muted">{number}</span> {way} <EndLink address={other} port={isServer ? null : port} />{' '}
        <span class="muted">
          {isServer && port !== null ? `on port ${port}, ` : ''}
          {visible(service)}, {outcome}
        </span>
      </span>
      <svg
        class="lane-bars"
        height={laneHeight}
        role="group"
        aria-label={`${number}: ${endText(client, null)} to ${endText(server, port)}, ${countText(bars.length)} connections; arrow keys move between them`}
      >
        <Brush span={span} />
        {lane.rest !== null && <Rest of={lane.rest} />}
        {bars.map((bar, i) => (
          <Bar key={bar.key} bar={bar} span={span} most={most} isFirst={i === 0} />
        ))}
      </svg>
      <span class="lane-count muted" title="connections">
        {bars.length < connections
          ? `${countText(bars.length)} largest of ${countText(connections)}, the others shaded`
          : countText(connections)}
      </span>
    </div>
  )
}

/** Where the connections without a bar begin: the darker, the more. */
function Rest({ of: counts }: { of: readonly number[] }): JSX.Element {
  const most = Math.log(1 + Math.max(...counts))
  const part = 100 / counts.length
  return (
    <>
      {counts.map((count, i) =>
        count === 0 ? null : (
          <rect
            key={i}
            class="rest"
            x={`${i * part}%`}
            width={`${part}%`}
            y="0"
            height={laneHeight}
            fill-opacity={0.15 + (0.35 * Math.log(1 + count)) / most}
          >
            <title>{countText(count)} smaller connections begin here</title>
          </rect>
        ),
      )}
    </>
  )
}

/** What is brushed. */
function Brush({ span }: { span: LaneSpan }): JSX.Element | null {
  const { from, to } = state.value
  if (from === null && to === null) return null
  const clamp = (percent: number): number => Math.min(100, Math.max(0, percent))
  const left = from === null ? 0 : clamp(placeOf(span, from))
  const right = to === null ? 100 : clamp(placeOf(span, to))
  return <rect class="brushed" x={`${left}%`} width={`${Math.max(0, right - left)}%`} y="0" height={laneHeight} />
}

interface BarProps {
  bar: LaneBar
  span: LaneSpan
  most: number
  isFirst: boolean
}

function Bar({ bar, span, most, isFirst }: BarProps): JSX.Element {
  const { key, start, end, bytes, outcome, captured } = bar
  const path = `/connection/${encodeURIComponent(key)}`
  const left = placeOf(span, start)
  const width = Math.max(0, placeOf(span, end) - left)
  const height = Math.round(heightOf(bytes, most) * (laneHeight - 4))
  const told = `${timeText(start)} to ${timeText(end).slice(11)} UTC, ${bytes === null ? 'unknown bytes' : bytesText(bytes)}, ${outcome}${captured ? ', in a capture' : ''}`
  const look = `${outcome}${captured ? ' captured' : ''}${isWithin(bar, state.value) ? '' : ' outside'}`
  return (
    <a
      href={linkTo({ path, own: {} })}
      tabIndex={isFirst ? 0 : -1}
      aria-label={told}
      onClick={event => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        goTo(path)
      }}
      onKeyDown={moveAlong}
    >
      <rect
        class={look}
        x={`${left}%`}
        y={laneHeight - 2 - height}
        height={height}
        style={{ width: `max(3px, ${width}%)` }}
      >
        <title>{told}</title>
      </rect>
    </a>
  )
}

/** Arrows go from bar to bar; the one that was left last is where Tab comes back to. */
function moveAlong(event: KeyboardEvent): void {
  const own = event.currentTarget as SVGElement
  const all = [...own.parentElement!.querySelectorAll<SVGElement>('a')]
  const at = all.indexOf(own)
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key]
  const target = next === undefined ? undefined : all[next]
  if (target === undefined) return
  event.preventDefault()
  event.stopPropagation()
  for (const one of all) one.setAttribute('tabindex', one === target ? '0' : '-1')
  target.focus()
}

function Legend(): JSX.Element {
  const looks = ['answered', 'refused', 'unanswered', 'rejected'] as const
  return (
    <figcaption class="lane-legend muted">
      {looks.map(look => (
        <span key={look}>
          <svg width="16" height="12" aria-hidden="true">
            <rect class={look} x="2" y="2" width="12" height="8" />
          </svg>{' '}
          {look}
        </span>
      ))}
      <span>
        <svg width="16" height="12" aria-hidden="true">
          <rect class="answered captured" x="2" y="2" width="12" height="8" />
        </svg>{' '}
        outlined: a capture has packets of it
      </span>
      <span>shaded: smaller connections begin there, which have no bar</span>
      <span>height: bytes both ways, logarithmic</span>
    </figcaption>
  )
}
