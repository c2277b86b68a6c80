/** Values of records as they are shown, and as terms of the filter language. No DOM here. */
import { hasPorts, protocolName } from '../net/protocols.ts'
import { flagNames } from '../net/tcp-flags.ts'
import { microsecondsOf } from '../net/time.ts'
import type { FieldCell, FieldColumn } from '../server/contract/flows.ts'
import { fieldTerm, hostTerm, protocolTerm, type Term } from './parts/term.ts'
import { countText, visible } from './text.ts'

/** The fields of which a row says most, for a grid that nobody chose columns for. */
export const usualColumns: readonly string[] = [
  ...['start', 'srcaddr', 'srcport', 'dstaddr', 'dstport', 'protocol', 'action', 'packets', 'bytes', 'tcp_flags'],
  ...['interface_id', 'end'],
]

const ends: Readonly<Record<string, 'src' | 'dst'>> = { srcaddr: 'src', dstaddr: 'dst', srcport: 'src', dstport: 'dst' }

type Named = Pick<FieldColumn, 'name' | 'type' | 'unit'>

/** A value as a term: of an end it is asked for at that end, and its menu has the others. */
export function cellTerm({ name, type }: Named, cell: FieldCell): Term {
  if (cell === null) return { text: 'unknown', filter: `${name} is unknown` }
  const value = String(cell)
  const end = ends[name]
  if (end !== undefined && type === 'address') return { ...hostTerm(value), filter: `${end} ip ${value}` }
  if (end !== undefined)
    return {
      text: value,
      filter: `${end} port ${value}`,
      source: `src port ${value}`,
      destination: `dst port ${value}`,
    }
  if (name === 'protocol') return protocolTerm(Number(cell))
  // An address of no end of the record has its page too.
  if (type === 'address') return { ...hostTerm(value), filter: `${name} = ${value}` }
  return fieldTerm(name, typeof cell === 'number' ? cell : value)
}

/** A value in a cell of a table: numbers with their digits grouped where they are counts. */
export function cellText({ name, type, unit }: Named, cell: FieldCell): string {
  if (cell === null) return '–'
  if (type === 'time') return String(cell).replace('T', ' ').replace('Z', '')
  if (name === 'protocol') return protocolName(Number(cell)) ?? String(cell)
  if (name === 'tcp_flags') return flagNames(Number(cell)).join(' ') || 'none'
  if (unit !== null || isCounter(name)) return countText(cell)
  return visible(String(cell))
}

/** What a table of one record says beside the value: the number behind a name. */
export function cellMore({ name }: Named, cell: FieldCell): string | null {
  if (cell === null) return null
  return name === 'protocol' || name === 'tcp_flags' ? String(cell) : null
}

function isCounter(name: string): boolean {
  return /^(packets|bytes|flows|out_packets|out_bytes|packets_lost_)/.test(name)
}

/** The page of the connection that was under way when a record began; null where its ends are not known. */
export function connectionPage(columns: readonly Named[], cells: readonly FieldCell[]): string | null {
  const at = (name: string): FieldCell => cells[columns.findIndex(column => column.name === name)] ?? null
  const [source, destination, protocol] = [at('srcaddr'), at('dstaddr'), at('protocol')]
  if (source === null || destination === null) return null
  const port = (name: string): FieldCell => (hasPorts(protocol === null ? null : Number(protocol)) ? at(name) : null)
  const start = at('start')
  const start_us = start === null ? null : microsecondsOf(String(start))
  const key = [protocol, source, port('srcport'), destination, port('dstport'), start_us]
  return `/connection/${encodeURIComponent(key.map(part => part ?? '-').join('~'))}`
}

/** Both directions of a record's conversation, in the filter language; null where its ends are not known. */
export function conversationFilter(columns: readonly Named[], cells: readonly FieldCell[]): string | null {
  const at = (name: string): FieldCell => cells[columns.findIndex(column => column.name === name)] ?? null
  const [source, destination, sourcePort, destinationPort, protocol] = [
    ...['srcaddr', 'dstaddr', 'srcport', 'dstport', 'protocol'].map(at),
  ]
  if (source === null || destination === null || source === undefined || destination === undefined) return null
  const hasPorts = sourcePort != null && destinationPort != null && [6, 17, 132].includes(Number(protocol))
  const end = (side: string, address: FieldCell, port: FieldCell | undefined): string =>
    `${side} ip ${address}${hasPorts ? ` and ${side} port ${port}` : ''}`
  const there = `${end('src', source, sourcePort)} and ${end('dst', destination, destinationPort)}`
  const back = `${end('src', destination, destinationPort)} and ${end('dst', source, sourcePort)}`
  return `${protocol == null ? '' : `proto ${protocol} and `}((${there}) or (${back}))`
}
