/** Graph: who sent how much to whom, through which port. */
import './graph.css'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { GraphAnswer, GraphAsk } from '../../server/contract/graph.ts'
import { useAnswer, viewAsk, windowOf } from '../api.ts'
import { askIndexed } from '../indexed.ts'
import { useAsked } from '../parts/asked.ts'
import { Shown } from '../parts/states.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { Value } from '../parts/value.tsx'
import { go, state } from '../state.ts'
import { bytesText, countText, windowText } from '../text.ts'
import type { Measure } from '../url.ts'
import { Bands } from './graph/bands.tsx'
import { hostLinks, sankeyLinks, type Told } from './graph/ends.ts'
import { HostMap } from './graph/host-map.tsx'
import { BuildingNote } from './overview/building.tsx'
import { Nothing } from './overview/nothing.tsx'

const kinds = { bands: 'Bands', hosts: 'Hosts' } as const
type Kind = keyof typeof kinds
const measures: readonly Measure[] = ['bytes', 'packets', 'records']

function keepOwn(change: Readonly<Record<string, string>>): void {
  const own = { ...state.value.own, ...change }
  go({ own: Object.fromEntries(Object.entries(own).filter(([, value]) => value !== '')) })
}

export function GraphPage(): JSX.Element {
  const { own, measure } = state.value
  const view = viewAsk(state.value)
  const window = windowOf(state.value)
  const kind: Kind = own['_as'] === 'hosts' ? 'hosts' : 'bands'
  const open = (own['_open'] ?? '')
    .split(' ')
    .filter(text => text !== '')
    .slice(0, 20)
  const asked: GraphAsk = { view, window, measure, open }
  const answer = useAnswer<GraphAnswer>(JSON.stringify(asked), signal => askIndexed('/api/graph', asked, signal))
  useAsked(answer.value?.asked)
  return (
    <div class="graph">
      <div class="page-head">
        <h1>Graph</h1>
        <div role="group" aria-label="Drawn as">
          {(Object.keys(kinds) as Kind[]).map(one => (
            <button
              key={one}
              type="button"
              aria-pressed={kind === one}
              onClick={() => keepOwn({ _as: one === 'hosts' ? one : '' })}
            >
              {kinds[one]}
            </button>
          ))}
        </div>
        <label>
          <span class="muted">By </span>
          <select value={measure} onChange={({ currentTarget }) => go({ measure: currentTarget.value as Measure })}>
            {measures.map(one => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      </div>
      <BuildingNote />
      <Shown of={answer} what="the graph">
        {value =>
          value.total.records === 0 ? (
            <Nothing view={view} window={window} />
          ) : (
            <>
              <About answer={value} measure={measure} raw={view.raw} window={windowText(window)} />
              <Drawing answer={value} kind={kind} measure={measure} open={open} />
            </>
          )
        }
      </Shown>
    </div>
  )
}

function valueText(value: number | string | null, measure: Measure): string {
  return measure === 'bytes' ? bytesText(value) : countText(value)
}

/** Exactly. */
function toldText(link: { value: number | string | null; records: number }, measure: Measure): string {
  const unit = measure === 'bytes' ? 'B' : measure
  const value = measure === 'records' ? '' : `${countText(link.value)} ${unit}, `
  return `${value}${countText(link.records)} records`
}

interface AboutProps {
  answer: GraphAnswer
  measure: Measure
  raw: boolean
  window: string
}

function About({ answer: { total }, measure, raw, window }: AboutProps): JSX.Element {
  return (
    <p class="muted about">
      {toldText(total, measure)} ({window}). From the sender of each record to its receiver, as the sensors wrote them;
      the port is the server’s by number alone.{' '}
      {measure !== 'records' &&
        (raw ? 'Volumes are those of all records.' : 'Volumes are those of accepted records, each counted once.')}
      {total.unsaid > 0 &&
        ` ${countText(total.unsaid)} records do not say how many ${measure}: sums are at least that.`}
    </p>
  )
}

interface DrawingProps {
  answer: GraphAnswer
  kind: Kind
  measure: Measure
  open: readonly string[]
}

function Drawing({ answer, kind, measure, open }: DrawingProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const short = (value: number | string): string => valueText(value, measure)
  const told = (link: { value: number | string | null; records: number }): string => toldText(link, measure)
  const { left } = answer
  const moves = answer[kind === 'bands' ? 'sent' : 'between'].some(({ value }) => Number(value) > 0)
  return (
    <div class="graph-parts">
      <div class="graph-drawing" ref={box}>
        {!moves && <p class="muted pad">Nothing moved: no {measure} to draw. The table has the records.</p>}
        {width > 0 &&
          moves &&
          (kind === 'bands' ? (
            <Bands answer={answer} width={Math.max(560, width)} short={short} told={told} />
          ) : (
            <HostMap
              {...{ answer, short, told, width: Math.max(560, width) }}
              open={network => keepOwn({ _open: [...open, network].join(' ') })}
            />
          ))}
        {kind === 'hosts' && (
          <>
            <p class="graph-legend muted">
              Squares are internal, circles external; dashed: several hosts of a network, whose hosts a click shows, or
              all others.
              {open.length > 0 && (
                <button type="button" onClick={() => keepOwn({ _open: '' })}>
                  Close {countText(open.length)} opened networks
                </button>
              )}
            </p>
            {left.links > 0 && (
              <p class="cut muted">
                The largest {countText(answer.between.length)} links; {countText(left.links)} more are not shown, of{' '}
                {toldText(left, measure)}
              </p>
            )}
          </>
        )}
        <p class="graph-legend muted">
          From who sent to who received, to the server’s port by number. Who began a connection stands on the pages of
          hosts: it is judged of whole connections, which no window cuts.
        </p>
      </div>
      <LinkTable links={kind === 'bands' ? sankeyLinks(answer) : hostLinks(answer)} measure={measure} />
    </div>
  )
}

function LinkTable({ links, measure }: { links: readonly Told[]; measure: Measure }): JSX.Element {
  const columns: Column<Told>[] = [
    { name: 'from', title: 'From', sort: ({ from }) => from.text, cell: ({ from }) => <Value term={from} /> },
    { name: 'to', title: 'To', sort: ({ to }) => to.text, cell: ({ to }) => <Value term={to} /> },
    {
      ...{ name: 'value', title: measure === 'bytes' ? 'Bytes' : 'Packets', number: true },
      sort: ({ link }) => BigInt(link.value ?? 0),
      cell: ({ link }) => <span title={toldText(link, measure)}>{valueText(link.value, measure)}</span>,
    },
    {
      ...{ name: 'records', title: 'Records', number: true, sort: ({ link }) => link.records },
      cell: ({ link }) => countText(link.records),
    },
  ]
  const shown = measure === 'records' ? columns.filter(({ name }) => name !== 'value') : columns
  return (
    <div class="graph-table">
      <Table
        caption="Links of the drawing"
        columns={shown}
        rows={links}
        rowKey={({ key }) => key}
        sort={measure === 'records' ? '-records' : '-value'}
      />
    </div>
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
