/** The connections of a host as logs and captures have them, side by side, with the reason where they differ. */
import type { JSX } from 'preact'
import type { CorrelatedConnection, CorrelationList } from '../../server/contract/host.ts'
import { go, goTo, linkTo, state } from '../state.ts'
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

interface Props {
  /** `/api/dossier/ID`. */
  path: string
  /** How many there are, listed or not. */
  all: number
}

/** What is chosen is kept in the address. */
export function CorrelationTable({ path, all }: Props): JSX.Element {
  const { own } = state.value
  const [packets, bytes] = [own['_with'] === 'packets', own['_order'] === 'bytes']
  const list: CorrelationList = `correlation${packets ? '-packets' : ''}${bytes ? '-bytes' : ''}`
  const choose = (name: '_with' | '_order', value: string | null): void => {
    const { [name]: _, ...rest } = own
    go({ own: value === null ? rest : { ...rest, [name]: value } })
  }
  return (
    <>
      <p class="buttons">
        <label>
          <input
            type="checkbox"
            checked={packets}
            onChange={event => choose('_with', event.currentTarget.checked ? 'packets' : null)}
          />{' '}
          only those with packets
        </label>{' '}
        <label>
          order{' '}
          <select value={bytes ? 'bytes' : 'time'} onChange={() => choose('_order', bytes ? null : 'bytes')}>
            <option value="time">by time</option>
            <option value="bytes">by bytes</option>
          </select>
        </label>
      </p>
      <Pages<CorrelatedConnection> key={list} path={`${path}/${list}`} what="connections">
        {(rows, { from, total }) => (
          <>
            {rows.length === 0 && <p class="muted">None of them.</p>}
            <div class="dense">
              <Table
                caption="Connections in logs and packets"
                columns={columns}
                rows={rows.map((row, i) => ({ ...row, at: from + i }))}
                rowKey={({ at }) => String(at)}
              />
            </div>
            {!packets && total < all && (
              <p class="muted">
                These are the first {countText(total)} of {countText(all)} connections.
              </p>
            )}
          </>
        )}
      </Pages>
    </>
  )
}
