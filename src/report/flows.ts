/** Flow records and groups of them as a table for a terminal. */

import type { Explained } from '../flows/explain.ts'
import type { Cell, Counting, FlowsColumn, FlowsResult, FlowsRow } from '../flows/request.ts'
import type { Count } from '../investigate/dossier.ts'
import { hasPorts, protocolText } from '../net/protocols.ts'
import { flagNames } from '../net/tcp-flags.ts'
import { durationWords } from '../net/time.ts'
import {
  type Block,
  type Column,
  code,
  gap,
  heading,
  line,
  note,
  paragraph,
  path,
  strong,
  type Text,
  table,
  time,
  title,
} from './block.ts'
import { countText, integerText, percentText, timeText } from './numbers.ts'

export interface FlowsPage extends Omit<FlowsResult, 'rows' | 'parquet'> {
  list: readonly FlowsRow[]
  /** Whether there are rows that a page has no room for. */
  isCut: boolean
  /** Whether the rows are groups that are ranked: shares of the whole are shown. */
  shares: boolean
  /** What the rows are ranked by. */
  order: string | null
  /** Whether the rows are records. */
  records: boolean
}

export function flowsPage(r: FlowsPage): Block[] {
  const columns = r.records ? listedColumns(r) : shownColumns(r)
  const rows = r.list.map(row => ({ cells: columns.map(column => column.text(row)) }))
  const nothing = r.records ? 'No record matches.' : 'Nothing to show: no record matches, or --having leaves no group.'
  return [
    title(strong(r.sentence)),
    gap,
    rows.length === 0 ? paragraph(nothing) : table(columns, rows),
    gap,
    ...footer(r),
  ]
}

/** What is meant, the SQL, and what of the case is read for it. */
export function explainedPage(e: Explained): Block[] {
  const skipped = e.segments.filter(segment => segment.read === 0)
  const [read, all] = ['read', 'row_groups'].map(key =>
    e.segments.reduce((sum, segment) => sum + segment[key as 'read' | 'row_groups'], 0),
  )
  const rows = e.segments.map(({ name, rows: count, row_groups, read: some }) => ({
    cells: [name, integerText(count), some === 0 ? 'skipped' : `${some} of ${countText(row_groups, 'row group')}`],
  }))
  const columns: Column[] = [{ title: 'segment' }, { title: 'rows', align: 'right' }, { title: 'read' }]
  const summary = `${countText(e.segments.length - skipped.length, 'segment')} of ${integerText(e.segments.length)} and ${integerText(read!)} of ${countText(all!, 'row group')} can hold a match; the smallest and largest values of the others exclude it.`
  return [
    title(strong(e.sentence)),
    ...e.notes.map(note),
    heading('SQL'),
    code(e.sql),
    heading('Segments'),
    paragraph(summary),
    ...(rows.length === 0 ? [] : [table(columns, rows)]),
  ]
}

interface Shown extends Column {
  text(row: FlowsRow): Text
}

const titles: ReadonlyMap<string, string> = new Map(
  Object.entries({
    srcaddr: 'source',
    dstaddr: 'destination',
    srcport: 'src port',
    dstport: 'dst port',
    bps: 'bit/s',
    pps: 'pkt/s',
    bpp: 'B/pkt',
  }),
)
const hung = /^(start|end|(records|rejected|packets)_(before|change))$/
/** Cells for the name of a file. */
const nameAtMost = 32
const computed = new Set(['duration', 'bps', 'pps', 'bpp'])

/** Rates and durations are shown where they rank, rejections where there are any. The machine-readable forms have them always. */
function shownColumns(r: FlowsPage): Shown[] {
  const shown = r.columns.filter(({ name }) => {
    if (computed.has(name)) return name === r.order
    return !name.startsWith('rejected') || r.list.some(row => Number(row[name]) !== 0)
  })
  return shown.map(column => ({
    title: titles.get(column.name) ?? column.name.replaceAll('_', ' '),
    ...(column.type === 'integer' && { align: 'right' as const }),
    ...(hung.test(column.name) && { hangs: true }),
    text: row =>
      row['part'] === 'other' && row[column.name] === null
        ? ''
        : line`${cellText(row[column.name] ?? null, column)}${share(row, column.name, r)}`,
  }))
}

/** ` (19 %)` after what is ranked: of the sum over all records, each counted once. */
function share(row: FlowsRow, name: string, { shares, counting }: FlowsPage): string {
  if (!shares || (name !== 'records' && name !== 'packets' && name !== 'bytes')) return ''
  const [part, whole] = [row[name], counting[name]]
  return part == null || whole == null || Number(whole) === 0 ? '' : ` (${percentText(part as Count, whole as Count)})`
}

/** A value as a person reads it. What is not known says so. */
function cellText(cell: Cell, { name, type, unit }: FlowsColumn): Text {
  if (cell === null) return 'unknown'
  if (type === 'time') return time(timeText(String(cell)))
  if (unit === 'ms') return durationWords(Number(cell) / 1000)
  if (unit !== null || name.startsWith('distinct_')) return integerText(cell as number)
  if (name === 'protocol') return protocolText(Number(cell))
  if (name === 'tcp_flags') return flagsText(Number(cell))
  return String(cell)
}

function flagsText(flags: number): string {
  return flags === 0 ? 'none' : flagNames(flags).join(' ')
}

/** What a listing shows of each record; the machine-readable forms have every field. */
function listedColumns(r: FlowsPage): Shown[] {
  const has = (name: string): boolean => r.columns.some(column => column.name === name)
  const column = (name: string): FlowsColumn =>
    r.columns.find(one => one.name === name) ?? { name, type: 'text', unit: null }
  const plain = (name: string, more: Partial<Column> = {}): Shown[] =>
    has(name)
      ? [{ title: titles.get(name) ?? name, ...more, text: row => cellText(row[name] ?? null, column(name)) }]
      : []
  return [
    ...plain('start'),
    { title: 'lasting', align: 'right', hangs: true, text: lasting },
    ...plain('protocol', { title: 'proto', hangs: true }),
    { title: 'source → destination', text: row => `${endText(row, 'src')} → ${endText(row, 'dst')}` },
    ...plain('tcp_flags', { title: 'flags', hangs: true }),
    ...plain('packets', { align: 'right' }),
    ...plain('bytes', { align: 'right' }),
    ...plain('action', { hangs: true }),
    ...plain('interface_id', { title: 'sensor', hangs: true }),
    { title: 'record', hangs: true, text: row => placeText(row) },
  ]
}

/** The end of the file's name, and the line. */
function placeText(row: FlowsRow): Text {
  const file = String(row['path'])
  const name = path(file.slice(file.lastIndexOf('/') + 1), nameAtMost)
  return line`${name}:${String(row['line'] ?? row['packet'])}`
}

function lasting(row: FlowsRow): string {
  const [start, end] = [row['start'], row['end']]
  if (typeof start !== 'string' || typeof end !== 'string') return 'unknown'
  return durationWords((Date.parse(end) - Date.parse(start)) / 1000)
}

function endText(row: FlowsRow, side: 'src' | 'dst'): string {
  const address = row[`${side}addr`]
  const port = row[`${side}port`]
  if (typeof address !== 'string') return 'unknown'
  if (typeof port !== 'number' || (port === 0 && !hasPorts(Number(row['protocol'])))) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** How many rows of how many, and what was counted how. */
function footer(r: FlowsPage): Block[] {
  const what = r.records ? 'record' : 'row'
  const shown = r.list.filter(row => row['part'] !== 'other').length
  const rows = r.isCut
    ? `First ${integerText(shown)} of ${countText(r.total_rows as number, what)}; a page has no more: --csv, --ndjson and --json have all that -n asks for.`
    : r.truncated
      ? `First ${integerText(shown)} of ${countText(r.total_rows as number, what)}; -n 0 shows all.`
      : `${countText(r.total_rows as number, what)}.`
  return [...[rows, ...countingText(r.counting, r.records)].map(paragraph), ...r.notes.map(note)]
}

/** The counting in sentences. */
export function countingText(c: Counting, records: boolean): string[] {
  const rejected =
    c.rejected === null || c.rejected === 0 ? '' : `, ${integerText(c.rejected as number)} of them rejected`
  const sums = [
    c.packets === null ? '' : `${integerText(c.packets as number)} packets`,
    c.bytes === null ? '' : `${integerText(c.bytes as number)} B`,
  ].filter(text => text !== '')
  const least = Number(c.unsummed) > 0 ? 'at least ' : ''
  const total = `${countText(c.records as number, 'flow record')} of ${c.evidence}${rejected}${sums.length > 0 ? `: ${least}${sums.join(', ')}` : ''}.`
  return [
    ...(records ? [] : [total]),
    ...(Number(c.unsummed) > 0
      ? [
          `${integerText(c.unsummed as number)} of them ${Number(c.unsummed) === 1 ? 'does' : 'do'} not say how many packets or bytes: the sums are lower bounds.`,
        ]
      : []),
    ...(c.accepted_only ? ['Packets and bytes are those of accepted records; --raw adds what was rejected.'] : []),
    ...(Number(c.collapsed) > 0
      ? [
          `${countText(c.collapsed as number, 'matching record')} left out: another sensor or file has the same traffic; --raw counts them.`,
        ]
      : []),
    ...(Number(c.unknown) > 0
      ? [`For ${countText(c.unknown as number, 'more record')} it cannot be told whether they match.`]
      : []),
  ]
}
