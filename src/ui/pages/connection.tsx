/** Connection: who began it, what went which way, who recorded it, and in which lines. */
import './host.css'
import './connection.css'
import '../parts/findings.css'
import type { ComponentChildren, JSX } from 'preact'
import type { ConnectionAnswer, ConnectionRecord, Way } from '../../server/contract/connection.ts'
import { caseHead, get, ownNetworks, useAnswer } from '../api.ts'
import { useAsked } from '../parts/asked.ts'
import { CarveButton } from '../parts/carve-button.tsx'
import { EndLink, endText } from '../parts/end-link.tsx'
import { exactBytes, Moment, Span } from '../parts/figures.tsx'
import { PlaceLink } from '../parts/place-link.tsx'
import { Cut, Empty, Shown } from '../parts/states.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { Vantages } from '../parts/vantages.tsx'
import { goTo, linkTo, state } from '../state.ts'
import { bytesText, capturedText, countText, visible } from '../text.ts'

const ladderMost = 40

export function ConnectionPage(): JSX.Element {
  const key = decoded(state.value.path.split('/').slice(2).join('/'))
  const answered = useAnswer<ConnectionAnswer>(key === '' || caseHead.value === '' ? null : key, signal =>
    get(connectionPath(key), signal),
  )
  useAsked(answered.value?.asked)
  if (key === '') return <Empty>No connection is named in this address.</Empty>
  return (
    <div class="connection-page">
      <Shown of={answered} what="the connection">
        {answer => <Connection answer={answer} />}
      </Shown>
    </div>
  )
}

function connectionPath(key: string): string {
  const own = new URLSearchParams(ownNetworks().map((network): [string, string] => ['own', network]))
  return `/api/connection/${encodeURIComponent(key)}?${own}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function Connection({ answer }: { answer: ConnectionAnswer }): JSX.Element {
  const { client, server, service, outcome, began, records, records_total, others } = answer
  return (
    <>
      <h1>
        <EndLink address={client.address} port={client.port} /> →{' '}
        <EndLink address={server.address} port={server.port} />
      </h1>
      <dl class="facts-list">
        <Fact name="Who began it">
          {began.basis === 'unknown' ? (
            <>Not known: client and server are names only.</>
          ) : (
            <>
              <EndLink address={client.address} port={null} /> connected to{' '}
              <EndLink address={server.address} port={server.port} />: {began.words} ({began.confidence} %)
            </>
          )}
        </Fact>
        <Fact name="Service">
          {visible(service)}, {outcome}
        </Fact>
        <Fact name="Ends">
          {client.address} is {client.internal ? 'internal' : 'external'}, {server.address} is{' '}
          {server.internal ? 'internal' : 'external'}
        </Fact>
        <Fact name="Time (UTC)">
          <Span from={answer.first_start} to={answer.last_end} />
          {answer.seconds !== null && ` (${countText(Math.round(answer.seconds))} s)`}
        </Fact>
        <Packets answer={answer} />
      </dl>
      <Volumes answer={answer} />
      <section class="part">
        <h2>As each point recorded it</h2>
        <Vantages columns={answer.vantages} />
      </section>
      <Ladder answer={answer} />
      <section class="part">
        <h2>Records ({countText(records_total)})</h2>
        <div class="dense">
          <Table caption="Records of the connection" columns={columns} rows={records} rowKey={recordKey} />
        </div>
        <Cut shown={records.length} of={records_total} what="records" />
      </section>
      {others.length > 0 && <Others others={others} />}
    </>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Packets({ answer }: { answer: ConnectionAnswer }): JSX.Element {
  const { source, packets, client, server, carve, to_server, to_client } = answer
  if (packets === null) return <Fact name="Packets">No capture of the case has a packet of it.</Fact>
  const isLogged = source === 'logs'
  const up = `${capturedText(packets.to_server, isLogged ? to_server.packets : null)} from ${endText(client.address, client.port)}`
  const down = `${capturedText(packets.to_client, isLogged ? to_client.packets : null)} from ${endText(server.address, server.port)}`
  const ways =
    packets.to_client === 0
      ? `${up}; none of the other direction`
      : packets.to_server === 0
        ? `${down}; none of the other direction`
        : `${up}, ${down}`
  return (
    <Fact name="Packets">
      {ways}
      {carve !== null && (
        <>
          <CarveButton
            label="Carve the packets"
            name={carve.name}
            of={{ filter: carve.filter }}
            hint="its packets, both directions, as pcapng"
          />
          <code class="command">{visible(carve.command)}</code>
        </>
      )}
    </Fact>
  )
}

function Volumes({ answer: { to_server, to_client, at_least } }: { answer: ConnectionAnswer }): JSX.Element {
  const rows: readonly [string, Way][] = [
    ['to the server', to_server],
    ['to the client', to_client],
  ]
  const most = Math.max(1, ...rows.map(([, { bytes }]) => Number(bytes ?? 0)))
  return (
    <section class="part">
      <h2>Each way</h2>
      <div class="scroll">
        <table class="table ways">
          <caption class="aside">What went each way, of accepted records, counted once</caption>
          <thead>
            <tr>
              <th scope="col">way</th>
              <th scope="col" class="number">
                bytes
              </th>
              <th scope="col" class="number">
                packets
              </th>
              <th scope="col" class="number">
                records
              </th>
              <th scope="col" class="number">
                rejected
              </th>
              <th scope="col">flags of all</th>
              <th scope="col" class="share">
                <span class="aside">share</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, way]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number" title={way.bytes === null ? undefined : bytesText(way.bytes)}>
                  {at_least && way.bytes !== null ? '≥ ' : ''}
                  {way.bytes === null ? 'unknown' : exactBytes(way.bytes)}
                </td>
                <td class="number">{way.packets === null ? 'unknown' : countText(way.packets)}</td>
                <td class="number">{countText(way.records)}</td>
                <td class="number">{countText(way.rejected)}</td>
                <td>{flagsText(way.flags)}</td>
                <td class="share" aria-hidden="true">
                  <span style={{ width: `${(100 * Number(way.bytes ?? 0)) / most}%` }} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {at_least && <p class="muted">Some records do not say how much: the sums are without them.</p>}
    </section>
  )
}

/** Flags of nothing are not the same as no flags. */
function flagsText(flags: readonly string[] | null): string {
  return flags === null ? '–' : flags.length === 0 ? 'none' : flags.join(' ')
}

/** The records as steps between two ends, in time. */
function Ladder({ answer: { client, server, records, source } }: { answer: ConnectionAnswer }): JSX.Element | null {
  const told = records.filter(({ kind, fate, flags }) => kind === source && fate === 'counted' && flags !== null)
  const steps = told.filter(({ flags }) => flags!.length > 0)
  if (told.length === 0) return null
  return (
    <section class="part">
      <h2>TCP flags in time</h2>
      <div class="ladder">
        <p class="ladder-ends" aria-hidden="true">
          <span>{endText(client.address, client.port)}</span>
          <span>{endText(server.address, server.port)}</span>
        </p>
        <ol>
          {steps.slice(0, ladderMost).map(step => (
            <li key={recordKey(step)} class={step.way}>
              <Moment at={step.start} />
              <span class="step">
                <span class="aside">{step.way === 'to-server' ? 'from the client:' : 'from the server:'}</span>
                <span>{step.flags!.join(' ')}</span>
              </span>
              <span class="muted">{step.action === 'REJECT' ? 'REJECT' : ''}</span>
            </li>
          ))}
        </ol>
      </div>
      <Cut shown={Math.min(steps.length, ladderMost)} of={steps.length} what="records with flags" />
      {steps.length < told.length && (
        <p class="muted">
          {countText(told.length - steps.length)} more records have none of the flags that a log keeps: SYN, FIN, RST,
          and ACK beside SYN.
        </p>
      )}
    </section>
  )
}

function recordKey({ at }: ConnectionRecord): string {
  return `${at.path} ${at.line ?? at.packet ?? at.record}`
}

const fateWords: Readonly<Record<ConnectionRecord['fate'], string>> = {
  counted: '',
  copy: 'a copy: not counted',
  twin: 'seen elsewhere too: not counted',
  translated: 'leg of a translated connection: not counted',
}

const columns: readonly Column<ConnectionRecord>[] = [
  { name: 'at', title: 'where it stands', cell: ({ at, packets }) => <PlaceLink at={at} flow={packets} /> },
  {
    name: 'start',
    title: 'start – end (UTC)',
    sort: ({ start }) => start,
    cell: ({ start, end }) => <Span from={start} to={end} />,
  },
  {
    name: 'way',
    title: 'way',
    sort: ({ way }) => way,
    cell: ({ way }) => (way === 'to-server' ? 'to server' : 'to client'),
  },
  { name: 'action', title: 'action', sort: ({ action }) => action, cell: ({ action }) => visible(action ?? '–') },
  {
    name: 'packets',
    title: 'packets',
    number: true,
    sort: ({ packets }) => (packets === null ? null : Number(packets)),
    cell: ({ packets }) => countText(packets),
  },
  {
    name: 'bytes',
    title: 'bytes',
    number: true,
    sort: ({ bytes }) => (bytes === null ? null : Number(bytes)),
    cell: ({ bytes }) => countText(bytes),
  },
  { name: 'flags', title: 'flags', cell: ({ flags }) => flagsText(flags) },
  {
    name: 'sensor',
    title: 'recorded by',
    cell: ({ sensor, kind }) => (kind === 'packets' ? 'a capture' : visible(sensor ?? 'no sensor named')),
  },
  { name: 'fate', title: 'counted', cell: ({ fate }) => fateWords[fate] || 'yes' },
]

function Others({ others }: { others: ConnectionAnswer['others'] }): JSX.Element {
  return (
    <section class="part">
      <h2>Others of the same ends and ports</h2>
      <ul class="plain">
        {others.map(({ key, first_start, last_end }) => {
          const path = `/connection/${encodeURIComponent(key)}`
          return (
            <li key={key}>
              <a
                href={linkTo({ path, own: {} })}
                onClick={event => {
                  if (event.ctrlKey || event.metaKey || event.shiftKey) return
                  event.preventDefault()
                  goTo(path)
                }}
              >
                <Span from={first_start} to={last_end} />
              </a>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
