/** What became of the recorded flows under a control. */
import type { JSX } from 'preact'
import type { Listed, TrialAnswer, TriedService } from '../../server/contract/controls.ts'
import type { Place } from '../../server/contract/place.ts'
import { bytesText, countText, visible } from '../text.ts'
import { Words } from './blocks.tsx'
import { PlaceLink } from './place-link.tsx'
import { type Column, Table } from './table.tsx'
import { hostTerm } from './term.ts'
import { Value } from './value.tsx'

/** `who`: `It`, `They`. */
export function Trial({ trial, who }: { trial: TrialAnswer; who: string }): JSX.Element {
  const { alarm } = trial
  return (
    <div class="trial">
      <h3>Tried on the recorded flows</h3>
      {alarm !== null ? (
        <p>
          <Words of={alarm.words} />
        </p>
      ) : (
        <>
          <p>
            {who} <Words of={trial.attack_words} />
          </p>
          <p>
            <Words of={trial.rest_words} />
          </p>
        </>
      )}
      {trial.not_decidable.map((one, at) => (
        <p key={at} class="muted">
          <Words of={one} />
        </p>
      ))}
      <Services title={`${who === 'It' ? 'Breaks' : 'They break'}`} listed={trial.broken} />
      <Services
        title={`${who === 'It' ? 'Lets through' : 'They let through'} of the attack`}
        listed={trial.let_through}
      />
      <Services title={`${who === 'It' ? 'Stops' : 'They stop'} of the attack`} listed={trial.stopped} />
    </div>
  )
}

/** 2023-09-28 19:32:36. */
export function timeOf(iso: string | null): string {
  return iso === null ? '–' : iso.slice(0, 19).replace('T', ' ')
}

const columns: readonly Column<TriedService>[] = [
  { name: 'client', title: 'Client', cell: one => <Value term={hostTerm(one.client)} />, sort: one => one.client },
  { name: 'server', title: 'Server', cell: one => <Value term={hostTerm(one.server)} />, sort: one => one.server },
  { name: 'service', title: 'Service', cell: one => visible(one.service), sort: one => one.service },
  {
    name: 'connections',
    title: 'Connections',
    number: true,
    cell: one => countText(one.connections),
    sort: one => one.connections,
  },
  {
    name: 'bytes',
    title: 'Bytes',
    number: true,
    cell: one => bytesText(one.bytes),
    sort: one => (one.bytes === null ? null : BigInt(one.bytes)),
  },
  {
    name: 'first',
    title: 'First (UTC)',
    cell: one => <span class="time">{timeOf(one.first_start)}</span>,
    sort: one => one.first_start,
  },
  {
    name: 'last',
    title: 'Last (UTC)',
    cell: one => <span class="time">{timeOf(one.last_end)}</span>,
    sort: one => one.last_end,
  },
  { name: 'lines', title: 'Lines', cell: one => <Places places={one.places} /> },
]

/** Connections with one peer and service, with lines that they rest on. Closed: there may be many of them. */
export function Services({ title, listed }: { title: string; listed: Listed }): JSX.Element | null {
  if (listed.total === 0) return null
  return (
    <details class="services">
      <summary>
        {title} <span class="muted">{countText(listed.total)} services</span>
      </summary>
      <Table
        caption={title}
        columns={columns}
        rows={listed.rows}
        rowKey={one => `${one.client} ${one.server} ${one.service}`}
        of={listed.total}
        what="services"
      />
    </details>
  )
}

function Places({ places }: { places: readonly Place[] }): JSX.Element {
  return (
    <>
      {places.map((place, at) => (
        <span key={at}>
          {at > 0 && ', '}
          <PlaceLink at={place} />
        </span>
      ))}
    </>
  )
}
