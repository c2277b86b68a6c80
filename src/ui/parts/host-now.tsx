/** What is known of a host at once, out of the time index: totals, when it sent and received, its peers and ports. */
import './host-now.css'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Count } from '../../server/contract/common.ts'
import type {
  HostRow,
  PanelsAnswer,
  PanelsAsk,
  PortRow,
  RangeAnswer,
  RangeAsk,
  TimelineAnswer,
  TimelineAsk,
  Totals,
} from '../../server/contract/view.ts'
import { caseHead, post, useAnswer, viewAsk, windowOf } from '../api.ts'
import { askIndexed } from '../indexed.ts'
import { type Mirrored, mirrored } from '../mirrored.ts'
import { go, state } from '../state.ts'
import { bytesText, countText, timeText, windowText } from '../text.ts'
import { timeTicks } from '../time-ticks.ts'
import { useAsked } from './asked.ts'
import { exactBytes } from './figures.tsx'
import { Shown } from './states.tsx'
import { type Column, Table } from './table.tsx'
import { hostTerm, joined, networkTerm, portTerm, type Term } from './term.ts'
import { Value } from './value.tsx'

const top = 12

interface Now {
  both: RangeAnswer
  sent: { totals: Totals; series: TimelineAnswer['series'] }
  received: { totals: Totals; series: TimelineAnswer['series'] }
}

export function HostNow({ subject }: { subject: string }): JSX.Element {
  const { filter, zoomFrom, zoomTo } = state.value
  const term = subject.includes('/') ? networkTerm(subject) : hostTerm(subject)
  const window = windowOf(state.value)
  const view = { ...viewAsk(state.value), filter: joined(filter, term.filter!) }
  const range: RangeAsk = { view, window, order: 'bytes', top, complete: true }
  const zoom = { from: zoomFrom, to: zoomTo }
  const isKnown = caseHead.value !== ''
  const key = JSON.stringify([subject, range, zoom])
  const answer = useAnswer<Now>(isKnown ? key : null, async signal => {
    const [both, sent, received] = await Promise.all([
      askIndexed<RangeAnswer>('/api/range', range, signal),
      oneWay(term.source!, signal),
      oneWay(term.destination!, signal),
    ])
    return { both, sent, received }
  })
  const oneWay = async (way: string, signal: AbortSignal): Promise<Now['sent']> => {
    const own = { ...view, filter: joined(filter, way) }
    const line: TimelineAsk = { view: own, zoom, measure: 'bytes', stack: 'actions' }
    const [{ totals }, { series }] = await Promise.all([
      askIndexed<RangeAnswer>('/api/range', { ...range, view: own, top: 1 }, signal),
      askIndexed<TimelineAnswer>('/api/view', line, signal),
    ])
    return { totals, series }
  }
  const panels: PanelsAsk = { view, window, order: 'bytes', top }
  const commands = useAnswer<PanelsAnswer>(isKnown ? `panels ${key}` : null, signal =>
    post('/api/panels', panels, signal),
  )
  useAsked(commands.value?.totals)
  useAsked(commands.value?.hosts)
  useAsked(commands.value?.ports)
  return (
    <section class="part host-now" aria-label="At once">
      <Shown of={answer} what="its records">
        {value => <Figures now={value} subject={subject} />}
      </Shown>
    </section>
  )
}

function Figures({ now: { both, sent, received }, subject }: { now: Now; subject: string }): JSX.Element {
  const { totals, hosts, ports } = both
  const line = mirrored(sent.series, received.series)
  const { from, to, filter } = state.value
  // Of a network, the hosts are its own ones too.
  const isNetwork = subject.includes('/')
  const isSubject = (host: string | null): boolean => host?.toLowerCase() === subject.toLowerCase()
  const peers = isNetwork ? hosts.rows : hosts.rows.filter(({ host }) => !isSubject(host))
  return (
    <>
      <dl class="now-totals">
        <Total name="records" value={countText(totals.records)} />
        <Total name="rejected" value={countText(totals.rejected)} />
        <Total name="sent" value={bytesText(sent.totals.bytes)} exact={sent.totals.bytes} />
        <Total name="received" value={bytesText(received.totals.bytes)} exact={received.totals.bytes} />
        <Total name="packets sent" value={countText(sent.totals.packets)} />
        <Total name="packets received" value={countText(received.totals.packets)} />
      </dl>
      <p class="muted">
        {from === null && to === null ? 'Of the whole case' : windowText({ from, to })}
        {filter.trim() === '' ? '.' : ', of what the filter matches.'}
        {Number(totals.collapsed) > 0 &&
          ` ${countText(totals.collapsed)} records that others stand for are not counted.`}{' '}
        The dossier below is of all its records.
      </p>
      {line !== null && line.most > 0 && <MirroredTimeline line={line} />}
      <div class="now-panels">
        <Table
          caption={isNetwork ? 'Hosts of its connections' : 'Peers'}
          showCaption
          columns={isNetwork ? hostColumns : peerColumns}
          rows={peers}
          rowKey={({ host }) => host ?? 'none'}
        />
        <Table
          caption="Server ports, by number"
          showCaption
          columns={portColumns}
          rows={ports.rows}
          rowKey={({ port }) => String(port)}
        />
      </div>
      {Number(hosts.of ?? 0) > hosts.rows.length && (
        <p class="muted">
          The {countText(peers.length)} {isNetwork ? 'hosts' : 'peers'} with the most bytes, of{' '}
          {countText(Number(hosts.of) - (peers.length < hosts.rows.length ? 1 : 0))}.
        </p>
      )}
    </>
  )
}

function Total({ name, value, exact }: { name: string; value: string; exact?: Count }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={exact === undefined ? undefined : exactBytes(exact)}>{value}</dd>
    </div>
  )
}

const peerColumns: readonly Column<HostRow>[] = [
  {
    name: 'host',
    title: 'host',
    cell: ({ host }) => (host === null ? <span class="muted">none named</span> : <Value term={hostTerm(host)} />),
  },
  { name: 'records', title: 'records', number: true, cell: ({ records }) => countText(records) },
  // What a peer sent, the host received.
  { name: 'to', title: 'sent to it', number: true, cell: ({ received }) => bytesOf(received) },
  { name: 'from', title: 'received from it', number: true, cell: ({ sent }) => bytesOf(sent) },
]

const hostColumns: readonly Column<HostRow>[] = [
  ...peerColumns.slice(0, 2),
  { name: 'to', title: 'received', number: true, cell: ({ received }) => bytesOf(received) },
  { name: 'from', title: 'sent', number: true, cell: ({ sent }) => bytesOf(sent) },
]

const portColumns: readonly Column<PortRow>[] = [
  {
    name: 'port',
    title: 'port',
    cell: ({ port }) => (port === null ? <span class="muted">none</span> : <Value term={termOf(port)} />),
  },
  { name: 'records', title: 'records', number: true, cell: ({ records }) => countText(records) },
  { name: 'bytes', title: 'bytes', number: true, cell: ({ bytes }) => bytesOf(bytes) },
]

function termOf(port: number): Term {
  return portTerm(port)
}

function bytesOf(bytes: Count): JSX.Element {
  return <span title={exactBytes(bytes)}>{bytesText(bytes)}</span>
}

const half = 44

/** Sent above the axis, received below it. A click takes the time of a bin. */
function MirroredTimeline({ line: { bins, width, most } }: { line: Mirrored }): JSX.Element {
  const [isOpen, open] = useState(false)
  const from = bins[0]!.start
  const to = from + bins.length * width
  const { from: first, to: last } = state.value
  const place = (second: number): number => Math.min(100, Math.max(0, (100 * (second - from)) / (to - from)))
  const size = (count: Count): number => (half * Number(count ?? 0)) / most
  const share = 100 / bins.length
  const told = bins.filter(({ sent, received }) => Number(sent ?? 0) > 0 || Number(received ?? 0) > 0)
  return (
    <figure class="mirrored">
      <figcaption class="muted">
        Bytes sent above the line, received below it; the most in {countText(width)} s is {bytesText(most)}.{' '}
        <button type="button" class="quiet" aria-expanded={isOpen} onClick={() => open(!isOpen)}>
          As a table
        </button>
      </figcaption>
      <svg width="100%" height={2 * half} aria-hidden="true">
        {(first !== null || last !== null) && (
          <rect
            class="brushed"
            x={`${first === null ? 0 : place(first)}%`}
            width={`${(last === null ? 100 : place(last)) - (first === null ? 0 : place(first))}%`}
            height={2 * half}
          />
        )}
        {bins.map(({ start, sent, received }, i) => (
          <g key={start}>
            <rect class="sent" x={`${i * share}%`} width={`${share}%`} y={half - size(sent)} height={size(sent)} />
            <rect class="received" x={`${i * share}%`} width={`${share}%`} y={half} height={size(received)} />
          </g>
        ))}
        <line x1="0" x2="100%" y1={half} y2={half} />
      </svg>
      <div class="ticks" aria-hidden="true">
        {timeTicks(from, to - (to - from) / 12, 8).map(({ second, text }) => (
          <span key={second} style={{ left: `${place(second)}%` }}>
            {text}
          </span>
        ))}
      </div>
      {isOpen && (
        <Table
          caption="Bytes sent and received over time"
          columns={[
            {
              name: 'start',
              title: 'from (UTC)',
              cell: ({ start }) => (
                <button type="button" class="quiet" onClick={() => go({ from: start, to: start + width })}>
                  {timeText(start)}
                </button>
              ),
            },
            { name: 'sent', title: 'sent', number: true, cell: ({ sent }) => countText(sent) },
            { name: 'received', title: 'received', number: true, cell: ({ received }) => countText(received) },
          ]}
          rows={told}
          rowKey={({ start }) => String(start)}
        />
      )}
    </figure>
  )
}
