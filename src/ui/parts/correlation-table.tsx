/** The connections of a host as logs and captures have them, side by side, with the reason where they differ. */
import type { JSX } from 'preact'
import type { CorrelatedConnection } from '../../server/contract/host.ts'
import { goTo, linkTo } from '../state.ts'
import { countText, visible } from '../text.ts'
import { EndLink } from './end-link.tsx'
import { Moment } from './figures.tsx'
import { Pages } from './pages.tsx'
import { type Column, Table } from './table.tsx'

const matches: Readonly<Record<CorrelatedConnection['match'], string>> = {
  full: 'agree',
  time: 'agree in time',
  'log-only': 'logs only',
  'capture-only': 'packets only',
}

type Row = CorrelatedConnection & { at: number }

const columns: readonly Column<Row>[] = [
  {
    name: 'first',
    title: 'first (UTC)',
    cell: ({ key, log, capture }) => <ToConnection of={key} at={(log ?? capture)?.first ?? null} />,
  },
  {
    name: 'client',
    title: 'client → server',
    cell: ({ client, client_port, server, server_port }) => (
      <>
        <EndLink address={client} port={client_port} /> → <EndLink address={server} port={server_port} />
      </>
    ),
  },
  { name: 'match', title: 'logs and packets', cell: ({ match }) => matches[match] },
  { name: 'why', title: 'why', cell: ({ why }) => visible(why) },
  { name: 'log', title: 'bytes, logs', number: true, cell: ({ log }) => both(log) },
  { name: 'capture', title: 'bytes, packets', number: true, cell: ({ capture }) => both(capture) },
  { name: 'state', title: 'state', cell: ({ capture }) => visible(capture?.conn_state ?? '') },
]

function both(side: { bytes_to_server: number | null; bytes_to_client: number | null } | null): string {
  if (side === null) return ''
  const { bytes_to_server: up, bytes_to_client: down } = side
  return up === null || down === null ? 'unknown' : countText(up + down)
}

function ToConnection({ of: key, at }: { of: string | null; at: string | null }): JSX.Element {
  if (key === null) return <Moment at={at} />
  const path = `/connection/${encodeURIComponent(key)}`
  return (
    <a
      href={linkTo({ path, own: {} })}
      onClick={event => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        goTo(path)
      }}
    >
      <Moment at={at} />
    </a>
  )
}

export function CorrelationTable({ path }: { path: string }): JSX.Element {
  return (
    <Pages<CorrelatedConnection> path={path} what="connections">
      {(rows, { from }) => (
        <div class="dense">
          <Table
            caption="Connections in logs and packets"
            columns={columns}
            rows={rows.map((row, i) => ({ ...row, at: from + i }))}
            rowKey={({ at }) => String(at)}
          />
        </div>
      )}
    </Pages>
  )
}
