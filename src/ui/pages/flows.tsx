/** Records one by one, as the sensors wrote them. */
import './flows.css'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { RowsFileAsk } from '../../server/contract/files.ts'
import {
  type FieldCell,
  type FieldColumn,
  type RecordRow,
  type RowOrder,
  type RowsAnswer,
  type RowsAsk,
  rowOrders,
} from '../../server/contract/flows.ts'
import { post, theCase, useAnswer, viewAsk, windowOf } from '../api.ts'
import { useAsked } from '../parts/asked.ts'
import { Doc, plainDoc } from '../parts/doc.tsx'
import { Grid } from '../parts/grid.tsx'
import type { GridColumn } from '../parts/grid-column.ts'
import { ColumnChooser } from '../parts/grid-head.tsx'
import { Opener } from '../parts/opener.tsx'
import { SaveButton } from '../parts/save-file.tsx'
import { Empty, Shown } from '../parts/states.tsx'
import { Value } from '../parts/value.tsx'
import { ViewLink } from '../parts/view-link.tsx'
import { cellMore, cellTerm, cellText, connectionPage, conversationFilter, usualColumns } from '../record-cells.ts'
import { go, goTo, state } from '../state.ts'
import { countText, visible } from '../text.ts'

/** Rows that come with the figures. */
const rowsFirst = 200

interface Answered {
  ask: RowsAsk
  key: string
  answer: RowsAnswer
}

export function FlowsPage(): JSX.Element {
  const ask: RowsAsk = {
    ...{ ...viewAsk(state.value), ...windowOf(state.value) },
    ...{ order: orderOf(state.value.sort), offset: 0, limit: rowsFirst },
  }
  const key = JSON.stringify(ask)
  const answered = useAnswer<Answered>(key, async signal => ({
    ...{ ask, key },
    answer: await post<RowsAnswer>('/api/rows', ask, signal),
  }))
  return (
    <Shown of={answered} what="the records">
      {({ ask, key, answer }) => <Rows ask={ask} of={key} answer={answer} />}
    </Shown>
  )
}

/** By time, unless the address says another that there is. */
function orderOf(sort: string | null): RowOrder {
  const name = sort?.replace(/^-/, '')
  return rowOrders.find(order => order === name) ?? 'start'
}

function Rows({ ask, of, answer }: { ask: RowsAsk; of: string; answer: RowsAnswer }): JSX.Element {
  const [current, choose] = useState<RecordRow | undefined>(undefined)
  useAsked(answer.asked)
  const { columns, reach } = answer
  const names = shownNames(columns)
  const withDetail = state.value.own['_detail'] !== 'off'
  const load = async (offset: number, limit: number, signal: AbortSignal): Promise<readonly RecordRow[]> => {
    if (offset === 0) return answer.rows
    const more = await post<RowsAnswer>('/api/rows', { ...ask, offset, limit }, signal)
    Object.assign(answer.files, more.files)
    return more.rows
  }
  return (
    <>
      <div class="page-head">
        <h1>Flows</h1>
        <OrderChooser order={ask.order} />
        <ColumnChooser
          columns={columns.map(({ name, title, doc }) => ({ name, title: visible(title), hint: plainDoc(doc) }))}
          shown={names}
          onChange={shown => go({ columns: shown })}
        />
        <button
          type="button"
          aria-pressed={withDetail}
          onClick={() => go({ own: withDetail ? { ...state.value.own, _detail: 'off' } : {} }, { replace: true })}
        >
          Details
        </button>
        <Export ask={ask} />
      </div>
      <p class="flows-said muted" role="status">
        {extentText(answer, ask.order)}
      </p>
      {reach === 0 ? (
        <Empty>No record matches. Another filter, or a wider window, may have some.</Empty>
      ) : (
        <div class={withDetail ? 'flows with-detail' : 'flows'}>
          <div class="flows-grid">
            <Grid<RecordRow>
              name="flows"
              caption="Flow records"
              columns={gridColumns(answer, names)}
              total={reach}
              of={of}
              load={load}
              sort={`${ask.order === 'start' || ask.order === 'end' ? '' : '-'}${ask.order}`}
              onSort={sort => go({ sort: orderOf(sort) })}
              onOpen={row => goTo(recordPath(row))}
              onCurrent={choose}
            />
          </div>
          {withDetail && <Detail answer={answer} row={current} />}
        </div>
      )}
    </>
  )
}

function recordPath({ file, line }: RecordRow): string {
  return `/record/${file}/${line}`
}

/** What was chosen, as far as the case has it; else what says most. */
function shownNames(columns: readonly FieldColumn[]): string[] {
  const has = (name: string): boolean => columns.some(column => column.name === name)
  const chosen = state.value.columns?.filter(has) ?? []
  return chosen.length > 0 ? chosen : usualColumns.filter(has)
}

/** "172,211 records, 5,932 of them rejected. The first 10,000 by bytes can be seen here." */
function extentText({ total, rejected, unknown, reach }: RowsAnswer, order: RowOrder): string {
  const of = rejected === null || rejected === 0 ? '' : `, ${countText(rejected)} of them rejected`
  const undecided =
    unknown === 0 || unknown === null ? '' : ` Of ${countText(unknown)} more it cannot be told whether they match.`
  const cut =
    total === null || Number(total) <= reach
      ? ''
      : ` The first ${countText(reach)} ${orderWords[order]} can be seen here: narrow the window or the filter to see others, or export all.`
  return `${countText(total)} records${of}.${undecided}${cut}`
}

const orderWords: Readonly<Record<RowOrder, string>> = {
  start: 'by start',
  end: 'by end',
  duration: 'by duration, the longest first',
  bytes: 'by bytes, the largest first',
  packets: 'by packets, the largest first',
  bps: 'by bits per second, the highest first',
  pps: 'by packets per second, the highest first',
  bpp: 'by bytes per packet, the highest first',
}

function OrderChooser({ order }: { order: RowOrder }): JSX.Element {
  return (
    <label>
      <span class="muted">Order </span>
      <select value={order} onChange={event => go({ sort: orderOf(event.currentTarget.value) })}>
        {rowOrders.map(name => (
          <option key={name} value={name}>
            {orderWords[name]}
          </option>
        ))}
      </select>
    </label>
  )
}

const widths: Readonly<Record<string, number>> = {
  ...{ start: 168, end: 168, srcaddr: 128, dstaddr: 128, pkt_srcaddr: 128, pkt_dstaddr: 128, interface_id: 192 },
  ...{ srcport: 84, dstport: 84, protocol: 76, action: 80, packets: 84, bytes: 112, tcp_flags: 112, version: 72 },
}
const shortTitles: Readonly<Record<string, string>> = { srcport: 'Src port', dstport: 'Dst port' }

function gridColumns({ columns, files }: RowsAnswer, names: readonly string[]): GridColumn<RecordRow>[] {
  const place: GridColumn<RecordRow> = {
    name: 'place',
    title: 'File and line',
    hint: 'The place in the evidence; its page has the line as it stands there',
    width: 168,
    term: row => placeTerm(row, files),
    cell: row => (
      <Value term={placeTerm(row, files)} untabbed>
        {shortPlace(row, files)}
      </Value>
    ),
  }
  return [place, ...names.map(name => fieldColumn(columns, name))]
}

function fieldColumn(columns: readonly FieldColumn[], name: string): GridColumn<RecordRow> {
  const at = columns.findIndex(column => column.name === name)
  const column = columns[at]!
  const isNumber = column.type === 'integer' && name !== 'protocol' && name !== 'tcp_flags'
  const cellOf = (row: RecordRow): FieldCell => row.cells[at] ?? null
  return {
    name,
    title: shortTitles[name] ?? visible(column.title),
    hint: `${plainDoc(column.doc)}${column.type === 'time' ? ' UTC.' : ''}`,
    number: isNumber,
    width: widths[name] ?? (column.type === 'address' ? 136 : 144),
    sortable: rowOrders.some(order => order === name),
    term: row => cellTerm(column, cellOf(row)),
    cell: row => (
      <Value term={cellTerm(column, cellOf(row))} untabbed>
        <span class={name === 'action' && cellOf(row) === 'REJECT' ? 'rejected' : undefined}>
          {cellText(column, cellOf(row))}
        </span>
      </Value>
    ),
  }
}

function placeTerm(row: RecordRow, files: RowsAnswer['files']) {
  return {
    text: `${files[row.file] ?? row.file}:${row.line}`,
    filter: `_file = ${row.file} and _line = ${row.line}`,
    page: recordPath(row),
  }
}

/** The end of a name says more than its begin: `…_988a31ea:40`. */
function shortPlace(row: RecordRow, files: RowsAnswer['files']): string {
  const name = visible((files[row.file] ?? String(row.file)).split('/').at(-1)!).replace(/\.log(\.\w+)?$/, '')
  return `${name.length > 12 ? `…${name.slice(-11)}` : name}:${row.line}`
}

function Detail({ answer, row }: { answer: RowsAnswer; row: RecordRow | undefined }): JSX.Element {
  if (row === undefined) return <aside class="flows-detail pad muted">The chosen row has its fields here.</aside>
  const { columns, files } = answer
  const conversation = conversationFilter(columns, row.cells)
  const connection = connectionPage(columns, row.cells)
  return (
    <aside class="flows-detail" aria-label="The chosen record">
      <header>
        <h2>
          {visible(files[row.file] ?? String(row.file))}:{row.line}
        </h2>
        <div class="links">
          <ViewLink change={{ path: recordPath(row), own: {}, sort: null, columns: null }}>Its page</ViewLink>
          {connection !== null && (
            <ViewLink change={{ path: connection, own: {}, sort: null, columns: null }}>Its connection</ViewLink>
          )}
          {conversation !== null && (
            <ViewLink change={{ filter: conversation, from: null, to: null }}>
              Its conversation, both directions
            </ViewLink>
          )}
        </div>
      </header>
      <dl>
        {columns.map((column, i) => (
          <DetailField key={column.name} column={column} cell={row.cells[i] ?? null} />
        ))}
      </dl>
    </aside>
  )
}

function DetailField({ column, cell }: { column: FieldColumn; cell: FieldCell }): JSX.Element {
  const more = cellMore(column, cell)
  return (
    <div>
      <dt>{visible(column.title)}</dt>
      <dd>
        <Value term={cellTerm(column, cell)}>{cell === null ? 'unknown' : cellText(column, cell)}</Value>
        {column.type === 'time' && cell !== null && ' UTC'}
        {more !== null && ` (${more})`}
        <small>
          <Doc text={column.doc} />
        </small>
      </dd>
    </div>
  )
}

function Export({ ask }: { ask: RowsAsk }): JSX.Element {
  const { offset: _, limit: __, ...view } = ask
  const question = (format: RowsFileAsk['format']): RowsFileAsk => ({ ...view, format })
  const captures = theCase.value?.captures ?? 0
  return (
    <Opener name="Export all records that match" class="" label="Export">
      {() => (
        <div class="saves">
          <p class="muted">All records that match, in this order, with every field.</p>
          <SaveButton label="CSV" path="/api/rows/file" question={question('csv')} />
          <SaveButton label="NDJSON" path="/api/rows/file" question={question('ndjson')} />
          <SaveButton label="Parquet" path="/api/rows/file" question={question('parquet')} />
          <SaveButton
            label="Packets (pcapng)"
            path="/api/rows/file"
            question={question('pcapng')}
            disabled={captures === 0}
            hint={
              captures === 0
                ? 'the case has no capture'
                : 'the packets of these records, out of the captures of the case'
            }
          />
        </div>
      )}
    </Opener>
  )
}
