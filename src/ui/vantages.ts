/** A connection as several points recorded it, a row for each figure. No DOM here. */
import type { VantageColumn, Way } from '../server/contract/connection.ts'
import { countText } from './text.ts'

export interface VantageRow {
  name: string
  cells: string[]
  /** Whether they are not all the same. */
  differs: boolean
}

const figures: readonly [string, (column: VantageColumn) => string][] = [
  ['records', ({ records }) => countText(records)],
  ['first start (UTC)', ({ first_start }) => timeOf(first_start)],
  ['last end (UTC)', ({ last_end }) => timeOf(last_end)],
  ['bytes to the server', ({ to_server }) => countText(to_server.bytes)],
  ['bytes to the client', ({ to_client }) => countText(to_client.bytes)],
  ['packets to the server', ({ to_server }) => countText(to_server.packets)],
  ['packets to the client', ({ to_client }) => countText(to_client.packets)],
  ['rejected', ({ to_server, to_client }) => countText(to_server.rejected + to_client.rejected)],
  ['flags of the client', ({ to_server }) => flagsOf(to_server)],
  ['flags of the server', ({ to_client }) => flagsOf(to_client)],
]

export function vantageRows(columns: readonly VantageColumn[]): VantageRow[] {
  return figures.map(([name, of]) => {
    const cells = columns.map(of)
    return { name, cells, differs: isDifferent(columns, of, name === 'records') }
  })
}

/** Points of one kind are compared; logs with a capture only where that has all of the time. */
function isDifferent(
  columns: readonly VantageColumn[],
  of: (column: VantageColumn) => string,
  ofOneKind: boolean,
): boolean {
  const logs = columns.filter(({ kind }) => kind === 'logs')
  const packets = columns.filter(({ kind }) => kind === 'packets')
  const whole = ofOneKind ? [] : packets.filter(column => partCovered(column, columns) === null)
  const differ = (some: readonly VantageColumn[]): boolean => some.some(one => of(one) !== of(some[0]!))
  return differ([...logs, ...whole]) || differ(packets)
}

/** Begin and end by a capture and by logs differ by less, though both have all of it. */
const slackMilliseconds = 60_000

/** The part of the logs' time that a capture has packets of, as `27 of 79 minutes`; null where it is all, or nothing tells. */
export function partCovered(column: VantageColumn, columns: readonly VantageColumn[]): string | null {
  const { kind, first_start, last_end } = column
  const logs = columns.filter(one => one.kind === 'logs' && one.first_start !== null && one.last_end !== null)
  if (kind === 'logs' || first_start === null || last_end === null || logs.length === 0) return null
  const from = Math.min(...logs.map(one => Date.parse(one.first_start!)))
  const to = Math.max(...logs.map(one => Date.parse(one.last_end!)))
  const [start, end] = [Math.max(from, Date.parse(first_start)), Math.min(to, Date.parse(last_end))]
  if (start - from <= slackMilliseconds && to - end <= slackMilliseconds) return null
  const minutes = (milliseconds: number): string => countText(Math.max(0, Math.round(milliseconds / 60_000)))
  return `${minutes(end - start)} of ${minutes(to - from)} minutes`
}

function timeOf(iso: string | null): string {
  return iso === null ? '–' : iso.replace('T', ' ').replace('Z', '')
}

function flagsOf({ flags }: Way): string {
  return flags === null ? '–' : flags.length === 0 ? 'none' : flags.join(' ')
}
