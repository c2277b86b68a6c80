/** One record: the line as it stands in the file, each of its fields and what it means, and the lines around. */
import './record.css'
import type { JSX } from 'preact'
import type { FieldCell, FieldColumn } from '../../server/contract/flows.ts'
import type { RecordAnswer } from '../../server/contract/record.ts'
import { get, useAnswer } from '../api.ts'
import { CarveButton } from '../parts/carve-button.tsx'
import { Doc } from '../parts/doc.tsx'
import { Empty, ErrorBox, Shown } from '../parts/states.tsx'
import { Value } from '../parts/value.tsx'
import { ViewLink } from '../parts/view-link.tsx'
import { cellMore, cellTerm, cellText, connectionPage, conversationFilter } from '../record-cells.ts'
import { state } from '../state.ts'
import { bytesText, countText, visible } from '../text.ts'

export function RecordPage(): JSX.Element {
  const [, , file = '', line = ''] = state.value.path.split('/')
  const isNamed = file !== '' && line !== ''
  const path = `/api/record/${file}/${line}`
  const answer = useAnswer<RecordAnswer>(isNamed ? path : null, signal => get(path, signal))
  if (!isNamed) return <Empty>A record is opened from a list of records, such as the page Flows.</Empty>
  return (
    <Shown of={answer} what="the record">
      {record => <Record record={record} />}
    </Shown>
  )
}

function Record({ record }: { record: RecordAnswer }): JSX.Element {
  const { file, line, is, records, otherwise } = record
  const name = file.path.split('/').at(-1) ?? file.path
  return (
    <>
      <div class="page-head">
        <h1>
          {visible(name)}, {is} {countText(line)}
        </h1>
        <Step record={record} to={record.previous} label="Previous record" />
        <Step record={record} to={record.next} label="Next record" />
      </div>
      <div class="record-body">
        {otherwise !== null && (
          <p class="note">
            This {is} is no record: {visible(otherwise)}.
          </p>
        )}
        <Text record={record} />
        {records.map((cells, i) => (
          <Fields
            key={i}
            record={record}
            cells={cells}
            title={records.length > 1 ? `Record ${i + 1} of this line` : 'Fields'}
          />
        ))}
        <File record={record} />
      </div>
    </>
  )
}

function Step({ record, to, label }: { record: RecordAnswer; to: number | null; label: string }): JSX.Element {
  if (to === null)
    return (
      <button type="button" disabled>
        {label}
      </button>
    )
  return (
    <PageLink class="button" path={`/record/${record.file.id}/${to}`}>
      {label}
    </PageLink>
  )
}

function PageLink(props: { path: string; class?: string; children: string; label?: string }): JSX.Element {
  const { path, ...rest } = props
  return <ViewLink change={{ path, own: {}, sort: null, columns: null }} {...rest} />
}

/** What is said where the text is not that which was read. */
const states = {
  changed: 'This file has changed since it was added',
  'not-there': 'This line cannot be read any more',
  'not-text': 'This file has no lines of text',
} as const

function Text({ record: { text, file, line } }: { record: RecordAnswer }): JSX.Element {
  return (
    <section class="panel">
      <header>
        <h2>{file.form === null ? 'As it stands in the file' : `As it stands in the file (${visible(file.form)})`}</h2>
        <span class="muted">{text.state === 'same' ? 'the same file as when it was added' : ''}</span>
      </header>
      {text.state === 'same' ? (
        <ol class="record-lines" aria-label="The line, and those around it">
          {text.header !== null && text.lines[0]?.line !== 1 && (
            <li class="head">
              <span>1</span>
              <span>{visible(text.header)}</span>
            </li>
          )}
          {text.lines.map(one => (
            <li
              key={one.line}
              class={one.line === line ? 'current' : undefined}
              aria-current={one.line === line ? 'true' : undefined}
            >
              <PageLink path={`/record/${file.id}/${one.line}`} label={`Line ${one.line}`}>
                {String(one.line)}
              </PageLink>
              <span>
                {visible(one.text)}
                {one.cut && <em> … the line is longer</em>}
              </span>
            </li>
          ))}
        </ol>
      ) : text.state === 'not-text' ? (
        <p class="muted pad">{visible(text.problem ?? states['not-text'])}</p>
      ) : (
        <ErrorBox error={states[text.state]} hint={text.problem ?? 'what is below was read when it was added'} />
      )}
    </section>
  )
}

interface FieldsProps {
  record: RecordAnswer
  cells: readonly FieldCell[]
  title: string
}

function Fields({ record, cells, title }: FieldsProps): JSX.Element {
  const { columns, file, line, captures } = record
  const conversation = conversationFilter(columns, cells)
  const connection = connectionPage(columns, cells)
  return (
    <section class="panel">
      <header>
        <h2>{title}</h2>
        {connection !== null && <PageLink path={connection}>Its connection</PageLink>}
        {conversation !== null && <FilterLink filter={conversation}>Its conversation, both directions</FilterLink>}
        <FilterLink filter={`_file = ${file.id} and _line = ${line}`}>Among the flows, alone</FilterLink>
        {conversation !== null && captures > 0 && (
          <CarveButton
            label="Carve its packets"
            name={`record-${file.id}-${line}`}
            of={{ filter: conversation }}
            hint="the packets of captures of its conversation, in both directions, as pcapng"
          />
        )}
      </header>
      <div class="scroll">
        <table class="record-fields">
          <caption class="aside">Fields of the record</caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Value</th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {columns.map((column, i) => (
              <FieldRow key={column.name} column={column} cell={cells[i] ?? null} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function FieldRow({ column, cell }: { column: FieldColumn; cell: FieldCell }): JSX.Element {
  const more = cellMore(column, cell)
  return (
    <tr>
      <th scope="row">
        {visible(column.title)} <code>{visible(column.name)}</code>
      </th>
      <td>
        <Value term={cellTerm(column, cell)}>{cell === null ? 'unknown' : cellText(column, cell)}</Value>
        {column.type === 'time' && cell !== null && ' UTC'}
        {column.unit === 'B' && cell !== null && <span class="muted"> bytes ({bytesText(cell)})</span>}
        {more !== null && <span class="muted"> ({more})</span>}
      </td>
      <td>
        <Doc text={column.doc} />
      </td>
    </tr>
  )
}

function FilterLink({ filter, children }: { filter: string; children: string }): JSX.Element {
  const change = { path: '/flows', filter, from: null, to: null, own: {}, sort: null, columns: null }
  return <ViewLink change={change}>{children}</ViewLink>
}

function File({ record: { file, captures, is } }: { record: RecordAnswer }): JSX.Element {
  const rows: [string, string][] = [
    ['Path', file.path],
    ['Number in the case', String(file.id)],
    ['SHA-256', file.sha256 ?? 'not known: the file could not be read to its end'],
    ['Kind', file.kind ?? 'unknown'],
    ['Size', `${countText(file.size)} bytes`],
    ['Records', countText(file.records)],
    ...file.layouts.map((layout): [string, string] => ['Fields of its lines', layout]),
    ...(is === 'line' ? [['Captures in the case', countText(captures)] as [string, string]] : []),
  ]
  return (
    <section class="panel">
      <header>
        <h2>File</h2>
        <ViewLink change={{ path: '/evidence', own: { _text: file.sha256 ?? file.path }, sort: null, columns: null }}>
          On the page of evidence
        </ViewLink>
      </header>
      <dl class="record-file">
        {rows.map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{visible(value)}</dd>
          </>
        ))}
      </dl>
    </section>
  )
}
