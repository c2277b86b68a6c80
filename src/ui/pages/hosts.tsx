/** Hosts: who sent and received most in the window, of what the filter matches. */
import './overview.css'
import './hosts.css'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { HostRow, HostsAnswer, HostsAsk, HostsOrder } from '../../server/contract/view.ts'
import { ownNetworks, useAnswer, viewAsk, windowOf } from '../api.ts'
import { askIndexed } from '../indexed.ts'
import { Shown } from '../parts/states.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { hostTerm } from '../parts/term.ts'
import { Value } from '../parts/value.tsx'
import { go, state } from '../state.ts'
import { bytesText, countText, visible, windowText } from '../text.ts'
import { BuildingNote } from './overview/building.tsx'
import { useCommands } from './overview/commands.ts'
import { Nothing } from './overview/nothing.tsx'
import { rowsMost } from './overview/ranked.tsx'

const rowsFirst = 50
const orders: readonly HostsOrder[] = ['bytes', 'sent', 'received', 'records']

export function HostsPage(): JSX.Element {
  const view = viewAsk(state.value)
  const window = windowOf(state.value)
  const order = orders.find(one => `-${one}` === state.value.sort) ?? 'bytes'
  const [isMore, more] = useState(false)
  const asked: HostsAsk = { view, window, order, top: isMore ? rowsMost : rowsFirst }
  const answer = useAnswer<HostsAnswer>(JSON.stringify(asked), signal => askIndexed('/api/hosts', asked, signal))
  useCommands({ view, window, order: order === 'records' ? order : 'bytes', top: asked.top }, [
    'hosts',
    'sent',
    'received',
  ])
  return (
    <div class="hosts">
      <div class="page-head">
        <h1>Hosts</h1>
        <span class="muted">
          {window.from === null && window.to === null ? 'All of the time' : `Records that begin ${windowText(window)}`}
        </span>
      </div>
      <BuildingNote />
      <Shown of={answer} what="the hosts">
        {({ rows, of, exact, totals }) =>
          Number(totals.records) === 0 ? (
            <Nothing view={view} window={window} />
          ) : (
            <>
              <p class="muted about">
                {of === null ? 'Many' : countText(of)} hosts in {countText(totals.records)} records. A record is of both
                its ends. Bytes are those of {view.raw ? 'all' : 'accepted'} records
                {view.raw ? '' : ', each counted once'}.{!exact && ' That these are the first is not proven.'}
              </p>
              <OwnNetworks />
              <Table
                caption="Hosts by what they sent and received"
                columns={columnsOf(rows)}
                rows={rows}
                rowKey={({ host }) => String(host)}
                sort={`-${order}`}
                onSort={sort => go({ sort: sort.replace(/^-?/, '-') })}
                of={of}
                what="hosts"
              />
              {(isMore || (of !== null && Number(of) > rows.length) || of === null) && (
                <p class="about">
                  <button type="button" onClick={() => more(!isMore)}>
                    {isMore ? `First ${rowsFirst}` : `Up to ${rowsMost}`}
                  </button>
                </p>
              )}
            </>
          )
        }
      </Shown>
    </div>
  )
}

/** What counts as internal, and how that is changed. */
function OwnNetworks(): JSX.Element {
  const own = ownNetworks()
  return (
    <p class="muted about">
      Internal are addresses that the internet does not route
      {own.length === 0 ? '.' : `, and ${own.map(visible).join(', ')}.`} To name networks of your own, start the
      workbench with <code>tidemark ui --internal NETWORK</code>.
    </p>
  )
}

type Row = HostsAnswer['rows'][number]

function columnsOf(rows: readonly HostRow[]): Column<Row>[] {
  const longest = Math.max(1, ...rows.map(({ sent, received }) => Number(sent ?? 0) + Number(received ?? 0)))
  const bytes = (name: 'bytes' | 'sent' | 'received', title: string, hint: string): Column<Row> => ({
    ...{ name, title, hint, number: true, sort: row => Number(row[name] ?? 0) },
    cell: row => (
      <span title={row[name] === null ? undefined : `${countText(row[name])} B`}>{bytesText(row[name])}</span>
    ),
  })
  return [
    {
      ...{ name: 'host', title: 'host' },
      cell: ({ host }) => (host === null ? <span class="muted">no address</span> : <Value term={hostTerm(host)} />),
    },
    {
      ...{
        name: 'where',
        title: 'network',
        hint: 'Internal: an address that the internet does not route, or your own network',
      },
      cell: ({ internal }) => (internal === null ? '' : internal ? 'internal' : <span class="muted">external</span>),
    },
    {
      ...{ name: 'bar', title: 'sent, received' },
      cell: ({ sent, received }) => (
        <span class="bar moved" aria-hidden="true">
          <i style={{ width: `${(100 * Number(sent ?? 0)) / longest}%` }} />
          <i class="two" style={{ width: `${(100 * Number(received ?? 0)) / longest}%` }} />
        </span>
      ),
    },
    bytes('bytes', 'bytes', 'Sent and received'),
    bytes('sent', 'sent', 'Bytes of records with this source'),
    bytes('received', 'received', 'Bytes of records with this destination'),
    {
      ...{ name: 'records', title: 'records', number: true, sort: row => Number(row.records) },
      cell: ({ records }) => countText(records),
    },
    { ...{ name: 'rejected', title: 'rejected', number: true }, cell: ({ rejected }) => countText(rejected) },
  ]
}
