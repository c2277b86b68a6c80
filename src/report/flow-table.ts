/** Flow records and groups of them as the columns and rows of a table: what matters first, the day once. */
import type { Cell, FlowsColumn, FlowsResult, FlowsRow } from '../flows/request.ts'
import type { Count } from '../investigate/dossier.ts'
import { hasPorts, protocolText } from '../net/protocols.ts'
import { flagNames } from '../net/tcp-flags.ts'
import { durationWords } from '../net/time.ts'
import { type Column, line, path, type Row, strong, type Text } from './block.ts'
import { endpointText } from './names.ts'
import { integerText, percentText } from './numbers.ts'
import { dayText, pageTimes, type Zone } from './zone.ts'

export interface FlowsPage extends Omit<FlowsResult, 'rows' | 'parquet'> {
  /** The first rows, or all of them. */
  list: readonly FlowsRow[]
  /** Whether the rows are groups that are ranked: shares of the whole are shown. */
  shares: boolean
  /** What the rows are ranked by. */
  order: string | null
  /** Whether the rows are records. */
  records: boolean
  /** Whose time is shown. */
  zone: Zone
  /** Why there are no rows. */
  why?: readonly string[]
}

/** A table that rows can be added to. */
export interface FlowTable {
  columns: readonly Column[]
  /** What holds for all of its times. */
  said: string | null
  /** Called for one row after the other. */
  row(row: FlowsRow): Row
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
    protocol: 'proto',
    bps: 'bit/s',
    pps: 'pkt/s',
    bpp: 'B/pkt',
  }),
)
/** Cells for the name of a file. */
const nameAtMost = 32
const computed = new Set(['duration', 'bps', 'pps', 'bpp'])

/** @param r with the first rows, which decide how the times are written. */
export function flowTable(r: FlowsPage): FlowTable {
  const byDay = dayColumn(r)
  const times = pageTimes(r.zone, byDay === null ? timesOf(r, r.list) : [])
  const write = byDay === null ? times.text : (iso: string) => r.zone.local(iso).time
  const columns = r.records ? listedColumns(r, write) : groupColumns(r, write)
  let day = ''
  const dayLine = (row: FlowsRow): { above?: Text } => {
    const time = byDay === null ? null : row[byDay]
    const own = typeof time === 'string' ? dayText(r.zone, time) : day
    if (own === day) return {}
    day = own
    return { above: strong(own) }
  }
  return {
    columns,
    said: times.said,
    row: row => ({ cells: columns.map(column => column.text(row)), ...dayLine(row) }),
  }
}

/** The time by which rows are in order, so that each day can have a line before its rows: of bins, and of records that are not sorted otherwise. */
function dayColumn({ columns, records, list, zone }: FlowsPage): string | null {
  const name = columns.some(column => column.name === 'bin') ? 'bin' : records ? 'start' : null
  if (name === null) return null
  const days = list.flatMap(row => (typeof row[name] === 'string' ? [zone.local(row[name]).date] : []))
  const changes = days.filter((day, i) => i > 0 && day !== days[i - 1]).length
  return changes < 2 * new Set(days).size ? name : null
}

function timesOf({ columns }: FlowsPage, list: readonly FlowsRow[]): string[] {
  const names = columns.filter(column => column.type === 'time').map(({ name }) => name)
  return list.flatMap(row => names.flatMap(name => (typeof row[name] === 'string' ? [row[name]] : [])))
}

type WriteTime = (iso: string) => string

/** In which order columns of groups are left out, the last first; keys and what the rows are ranked by stay. */
const leastLast = [
  ...['bytes', 'out_bytes', 'bytes_change', 'bytes_before', 'records', 'records_change', 'packets', 'out_packets'],
  ...[
    'packets_change',
    'share',
    'not_asked',
    'rejected',
    'rejected_change',
    'records_before',
    'packets_before',
    'end',
    'start',
  ],
]

function dropsOf(name: string): number {
  return leastLast.indexOf(name) + 1
}

/** Rates and durations are shown where they rank, rejections where there are any. The machine-readable forms have them always. */
function groupColumns(r: FlowsPage, write: WriteTime): Shown[] {
  const isKey = keysOf(r.columns)
  const kept = r.columns.filter(({ name }) => {
    if (computed.has(name)) return name === r.order
    if (name === 'not_asked') return r.columns.some(column => column.name === 'pairs')
    return !name.startsWith('rejected') || r.list.some(row => row[name] !== 0)
  })
  const ends = endsColumn(r.columns)
  return kept.flatMap((column): Shown[] => {
    const { name, type } = column
    if (ends !== null && endNames.has(name)) return name === 'srcaddr' ? [ends] : []
    const stays = name === r.order || (isKey(name) && !(name === 'protocol' && ends !== null))
    const own: Shown = {
      title: titles.get(name) ?? name.replaceAll('_', ' '),
      ...(type === 'integer' && name !== 'protocol' && { align: 'right' as const }),
      ...(!stays && leastLast.includes(name) && { drops: dropsOf(name) }),
      text: row => (row['part'] === 'other' && row[name] === null ? '' : groupCell(row, column, write)),
    }
    return isShared(r, name) ? [own, shareColumn(r, name)] : [own]
  })
}

function groupCell(row: FlowsRow, column: FlowsColumn, write: WriteTime): Text {
  const cell = row[column.name] ?? null
  // Such protocols have no ports; logs write 0.
  const isPort = column.name === 'srcport' || column.name === 'dstport'
  if (isPort && cell === 0 && typeof row['protocol'] === 'number' && !hasPorts(row['protocol'])) return '–'
  return isNotAsked(row, column.name) ? 'not asked' : cellText(cell, column, write)
}

/** Whether no pair of a row was asked for what moved that way. */
function isNotAsked(row: FlowsRow, name: string): boolean {
  const isVolume = /^(out_)?(packets|bytes)$/.test(name)
  return isVolume && row[name] === null && Number(row['not_asked'] ?? 0) === Number(row['pairs'] ?? 1)
}

/** Keys come before what is counted. */
function keysOf(columns: readonly FlowsColumn[]): (name: string) => boolean {
  const first = columns.findIndex(({ name }) => name === 'records' || name === 'records_before')
  const keys = new Set(columns.slice(0, Math.max(0, first)).map(({ name }) => name))
  return name => keys.has(name)
}

/** Of what is ranked, which part of the sum over all records each group has. */
function isShared({ shares, order }: FlowsPage, name: string): boolean {
  return shares && name === (order ?? 'records') && ['records', 'packets', 'bytes'].includes(name)
}

function shareColumn({ counting }: FlowsPage, name: string): Shown {
  const whole = counting[name as 'bytes']
  const text = (row: FlowsRow): string => {
    const part = row[name]
    return part == null || whole == null || Number(whole) === 0 ? '' : percentText(part as Count, whole as Count)
  }
  return { title: 'share', align: 'right', drops: dropsOf('share'), text }
}

const endNames = new Set(['srcaddr', 'dstaddr', 'srcport', 'dstport'])

/** Both ends in one column, where groups or records have all of both. */
function endsColumn(columns: readonly FlowsColumn[]): Shown | null {
  const names = new Set(columns.map(({ name }) => name))
  if (![...endNames].every(name => names.has(name))) return null
  return { title: 'source → destination', text: endsText }
}

/** A value as a person reads it. What is not known says so. */
function cellText(cell: Cell, { name, type, unit }: FlowsColumn, write: WriteTime): Text {
  if (cell === null) return 'unknown'
  if (type === 'time') return write(String(cell))
  if (unit === 'ms') return durationWords(Number(cell) / 1000)
  if (unit !== null || name.startsWith('distinct_')) return integerText(cell as number)
  if (name === 'protocol') return protocolText(Number(cell))
  if (name === 'tcp_flags') return flagsText(Number(cell))
  return String(cell)
}

/** What a listing shows of each record; the machine-readable forms have every field. */
function listedColumns(r: FlowsPage, write: WriteTime): Shown[] {
  const column = (name: string): FlowsColumn =>
    r.columns.find(one => one.name === name) ?? { name, type: 'text', unit: null }
  const has = (name: string): boolean => r.columns.some(one => one.name === name)
  const plain = (name: string, title: string, more: Partial<Shown>): Shown[] =>
    has(name) ? [{ title, text: row => cellText(row[name] ?? null, column(name), write), ...more }] : []
  const stays = (name: string, drops: number): { drops?: number } => (r.order === name ? {} : { drops })
  return [
    ...plain('start', 'time', {}),
    ...plain('protocol', 'proto', { drops: 1 }),
    { title: 'source → destination', text: endsText },
    ...plain('tcp_flags', 'flags', { drops: 5 }),
    ...plain('packets', 'packets', { align: 'right', ...stays('packets', 3) }),
    ...plain('bytes', 'bytes', { align: 'right' }),
    ...plain('action', 'action', { drops: 2 }),
    { title: 'lasting', align: 'right', ...stays('duration', 4), text: lasting },
    ...plain('interface_id', 'sensor', { drops: 7 }),
    { title: 'record', drops: 6, text: placeText },
  ]
}

/** Their first letters, as the filter language has them. */
function flagsText(flags: number): string {
  return flags === 0
    ? 'none'
    : flagNames(flags)
        .map(name => name.charAt(0))
        .join('')
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

function endsText(row: FlowsRow): string {
  return `${endText(row, 'src')} → ${endText(row, 'dst')}`
}

function endText(row: FlowsRow, side: 'src' | 'dst'): string {
  const address = row[`${side}addr`]
  const port = row[`${side}port`]
  if (typeof address !== 'string') return 'unknown'
  if (typeof port !== 'number' || (!hasPorts(Number(row['protocol'])) && port === 0)) return address
  return endpointText(address, port)
}
