/** Bands from senders through server ports to receivers. */
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { GraphAnswer } from '../../../server/contract/graph.ts'
import { openMenu } from '../../parts/menu.tsx'
import { visible } from '../../text.ts'
import { endTerm, endText, linkTerm, sankeyLinks } from './ends.ts'
import { type Bar, sankeyLayout } from './layout.ts'

interface Props {
  answer: GraphAnswer
  width: number
  /** A value with its unit, and exactly. */
  short: (value: number | string) => string
  told: (link: { value: number | string | null; records: number }) => string
}

const height = 640

export function Bands({ answer, width, short, told }: Props): JSX.Element {
  const { bars, bands } = useMemo(() => sankeyLayout(answer, width, height), [answer, width])
  const links = useMemo(() => new Map(sankeyLinks(answer).map(link => [link.key, link])), [answer])
  return (
    <>
      <div class="graph-heads muted">
        <span>Sender</span>
        <span>Server port, by number</span>
        <span>Receiver</span>
      </div>
      <svg
        width={width}
        height={height}
        role="img"
        aria-label="Bands from senders through ports to receivers. The table has their numbers."
      >
        <g class="bands">
          {bands.map(({ key, port, path, breadth }) => {
            const link = links.get(key)!
            return (
              <path
                key={key}
                class={`band series-${(port % 5) + 1}`}
                d={path}
                stroke-width={breadth}
                onClick={event => openMenu(linkTerm(link.from, link.to), event.currentTarget)}
                onContextMenu={event => {
                  event.preventDefault()
                  openMenu(linkTerm(link.from, link.to), event.currentTarget)
                }}
              >
                <title>{`${visible(link.from.text)} → ${visible(link.to.text)}: ${told(link.link)}`}</title>
              </path>
            )
          })}
        </g>
        {bars.map(bar => (
          <BarOf key={`${bar.side} ${endText(bar.end, bar.side)}`} bar={bar} short={short} />
        ))}
      </svg>
    </>
  )
}

function BarOf({ bar, short }: { bar: Bar; short: Props['short'] }): JSX.Element {
  const { side, end, x, y, width, height, value } = bar
  const term = endTerm(end, side)
  const text = visible(term.text)
  const middle = y + height / 2
  const [at, anchor] = side === 'source' ? [x - 6, 'end'] : [x + width + 6, 'start']
  return (
    <g
      class="bar"
      onClick={event => openMenu(term, event.currentTarget)}
      onContextMenu={event => {
        event.preventDefault()
        openMenu(term, event.currentTarget)
      }}
    >
      <title>{`${text}: ${short(value)}`}</title>
      <rect x={x} y={y} width={width} height={height} />
      <text x={at} y={middle + 4} text-anchor={anchor}>
        {text.length > 24 ? `${text.slice(0, 23)}…` : text}
      </text>
    </g>
  )
}
