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
    return { name, cells, differs: cells.some(cell => cell !== cells[0]) }
  })
}

function timeOf(iso: string | null): string {
  return iso === null ? '–' : iso.replace('T', ' ').replace('Z', '')
}

function flagsOf({ flags }: Way): string {
  return flags === null ? '–' : flags.length === 0 ? 'none' : flags.join(' ')
}
