/** The services of a host: who connected to whom, how that is known, what came of it. */
import type { JSX } from 'preact'
import type { DossierService } from '../../server/contract/host.ts'
import { bytesText, countText, visible } from '../text.ts'
import { EndLink } from './end-link.tsx'
import { exactBytes, Span } from './figures.tsx'
import { type Column, Table } from './table.tsx'

const columns: readonly Column<DossierService>[] = [
  { name: 'number', title: 'no.', cell: ({ number }) => <span class="muted">{number}</span> },
  {
    name: 'client',
    title: 'client → server',
    sort: ({ client }) => client,
    cell: ({ client, server, port }) => (
      <>
        <EndLink address={client} port={null} /> → <EndLink address={server} port={port} />
      </>
    ),
  },
  {
    name: 'service',
    title: 'service',
    sort: ({ service }) => service,
    cell: ({ service, approved, standard }) => (
      <span title={visible(approved)}>
        {visible(service)}
        {standard === false && <span class="muted">, non-standard port</span>}
      </span>
    ),
  },
  { name: 'findings', title: 'findings', cell: ({ findings }) => findings.join(' ') },
  { name: 'outcome', title: 'outcome', sort: ({ outcome }) => outcome, cell: ({ outcome }) => outcome },
  {
    name: 'connections',
    title: 'connections',
    number: true,
    sort: ({ connections }) => connections,
    cell: ({ connections }) => countText(connections),
  },
  {
    name: 'to-server',
    title: 'to server',
    hint: 'accepted bytes from the client',
    number: true,
    sort: ({ bytes_to_server }) => (bytes_to_server === null ? null : Number(bytes_to_server)),
    cell: row => volume(row.bytes_to_server, row.at_least),
  },
  {
    name: 'to-client',
    title: 'to client',
    hint: 'accepted bytes from the server',
    number: true,
    sort: ({ bytes_to_client }) => (bytes_to_client === null ? null : Number(bytes_to_client)),
    cell: row => volume(row.bytes_to_client, row.at_least),
  },
  {
    name: 'first',
    title: 'first – last (UTC)',
    sort: ({ first_start }) => first_start,
    cell: ({ first_start, last_end }) => <Span from={first_start} to={last_end} />,
  },
  { name: 'known', title: 'how the roles are known', cell: ({ known }) => visible(known) },
]

function volume(bytes: DossierService['bytes_to_server'], atLeast: boolean): JSX.Element {
  return (
    <span title={exactBytes(bytes)}>
      {atLeast && bytes !== null ? '≥ ' : ''}
      {bytes === null ? 'unknown' : bytesText(bytes)}
    </span>
  )
}

export function ServicesTable({ rows }: { rows: readonly DossierService[] }): JSX.Element {
  return (
    <div class="dense">
      <Table caption="Services" columns={columns} rows={rows} rowKey={({ number }) => number} />
    </div>
  )
}
