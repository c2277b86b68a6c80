/** Rows as lines of nfdump's formats: line, long, extended, raw, and formats of one's own. */
import { UserError } from '../errors.ts'
import type { LineFormatName } from '../flows/names.ts'
import type { Cell, FlowsColumn, FlowsRow } from '../flows/request.ts'
import { protocolName } from '../net/protocols.ts'
import { pad, visible } from './text.ts'
import { utc, type Zone } from './zone.ts'

interface Piece {
  title: string
  width: number
  align: 'left' | 'right'
  text(row: FlowsRow, zone: Zone): string
}

const formats: Record<Exclude<LineFormatName, 'raw'>, string> = {
  line: '%ts %td %pr %sap -> %dap %pkt %byt %fl',
  long: '%ts %td %pr %sap -> %dap %flg %tos %pkt %byt %fl',
  extended: '%ts %td %pr %sap -> %dap %flg %tos %pkt %byt %pps %bps %bpp %fl',
  biline: '%ts %td %pr %sap <-> %dap %opkt %pkt %obyt %byt %fl',
  bilong: '%ts %td %pr %sap <-> %dap %flg %tos %opkt %pkt %obyt %byt %fl',
}

const piece = (title: string, width: number, text: Piece['text'], align: Piece['align'] = 'right'): Piece => {
  return { title, width, align, text }
}
const column = (name: string, title: string, width: number, align: Piece['align'] = 'right'): Piece =>
  piece(title, width, row => cellText(row[name]), align)

const tokens: Record<string, Piece> = {
  ts: piece('Date first seen (UTC)', 23, (row, zone) => timeText(row['start'], zone), 'left'),
  te: piece('Date last seen (UTC)', 23, (row, zone) => timeText(row['end'], zone), 'left'),
  td: piece('Duration', 16, row => durationText(row)),
  pr: piece('Proto', 5, row => protocolText(row['protocol']), 'left'),
  sa: column('srcaddr', 'Src IP Addr', 16),
  da: column('dstaddr', 'Dst IP Addr', 16),
  sp: column('srcport', 'Src Pt', 6),
  dp: column('dstport', 'Dst Pt', 6),
  sap: piece('Src IP Addr:Port', 22, row => endText(row, 'src')),
  dap: piece('Dst IP Addr:Port', 22, row => endText(row, 'dst')),
  pkt: column('packets', 'Packets', 8),
  ipkt: column('packets', 'In Pkt', 8),
  opkt: column('out_packets', 'Out Pkt', 8),
  byt: column('bytes', 'Bytes', 8),
  ibyt: column('bytes', 'In Byte', 8),
  obyt: column('out_bytes', 'Out Byte', 8),
  fl: piece('Flows', 5, row => cellText('records' in row ? row['records'] : 1)),
  flg: piece('Flags', 8, row => flagsText(row['tcp_flags']), 'left'),
  tos: column('tos', 'Tos', 3),
  bps: piece('bps', 8, row => rateText(row, 'bps', 'bytes', 8000n)),
  pps: piece('pps', 8, row => rateText(row, 'pps', 'packets', 1000n)),
  bpp: piece('Bpp', 6, row => perPacketText(row)),
  it: column('icmp_type', 'ICMP-T', 6),
  ic: column('icmp_code', 'ICMP-C', 6),
  in: column('input_if', 'Input', 6),
  out: column('output_if', 'Output', 6),
  sas: column('src_as', 'Src AS', 6),
  das: column('dst_as', 'Dst AS', 6),
  nh: column('next_hop', 'Next-hop IP', 16),
  svln: column('vlan', 'SVlan', 5),
  dir: column('flow_direction', 'Dir', 7, 'left'),
}

/** How rows become lines: the line of titles, and each row's. */
export interface LineFormat {
  head: string
  line(row: FlowsRow): string
}

/** @param text a format's name, or `fmt:` and text with nfdump's tags and names of columns after %. */
export function lineFormat(text: string, columns: readonly FlowsColumn[], zone: Zone = utc): LineFormat {
  if (text === 'raw') return { head: '', line: row => rawText(columns, row) }
  const format = text.startsWith('fmt:') ? text.slice(4) : (formats[text as keyof typeof formats] ?? '')
  const parts: (string | Piece)[] = []
  let at = 0
  for (const match of format.matchAll(/%(%|[a-z_]\w*)/gi)) {
    parts.push(format.slice(at, match.index), match[1] === '%' ? '%' : pieceOf(match[1]!, columns))
    at = match.index + match[0].length
  }
  parts.push(format.slice(at))
  const joined = (of: (piece: Piece) => string): string =>
    `${parts
      .map(part => (typeof part === 'string' ? part : pad(of(part), part.width, part.align)))
      .join('')
      .trimEnd()}\n`
  return {
    head: joined(part => part.title.replace('(UTC)', `(${zone.name})`)),
    line: row => joined(part => visible(part.text(row, zone))),
  }
}

function pieceOf(name: string, columns: readonly FlowsColumn[]): Piece {
  const token = Object.hasOwn(tokens, name) ? tokens[name] : undefined
  if (token !== undefined) return token
  const own = columns.find(one => one.name === name)
  if (own !== undefined) return column(name, name, 0, own.type === 'integer' ? 'right' : 'left')
  const hint = `tags are ${Object.keys(tokens)
    .map(one => `%${one}`)
    .join(' ')}, and % with the name of any column`
  throw new UserError(`unknown tag of a format: %${name}`, { status: 2, hint })
}

function cellText(cell: Cell | undefined): string {
  return cell === null || cell === undefined ? '-' : String(cell)
}

/** To the millisecond, as nfdump has it. */
function timeText(cell: Cell | undefined, zone: Zone): string {
  if (typeof cell !== 'string') return '-'
  const { date, time } = zone.local(new Date(cell).toISOString())
  return `${date} ${time}`
}

function milliseconds(row: FlowsRow): bigint | null {
  const [start, end] = [row['start'], row['end']]
  return typeof start === 'string' && typeof end === 'string' ? BigInt(Date.parse(end) - Date.parse(start)) : null
}

function durationText(row: FlowsRow): string {
  const ms = milliseconds(row)
  return ms === null ? '-' : (Number(ms) / 1000).toFixed(3)
}

function rateText(row: FlowsRow, name: string, counter: string, factor: bigint): string {
  if (Object.hasOwn(row, name)) return cellText(row[name])
  const [ms, count] = [milliseconds(row), row[counter]]
  if (ms === null || count === null || count === undefined) return '-'
  return ms > 0n ? String((factor * BigInt(count)) / ms) : '0'
}

function perPacketText(row: FlowsRow): string {
  const { bytes, packets } = row as { bytes?: Cell; packets?: Cell }
  if (bytes == null || packets == null) return '-'
  return BigInt(packets) > 0n ? String(BigInt(bytes) / BigInt(packets)) : '0'
}

function protocolText(cell: Cell | undefined): string {
  return typeof cell === 'number' ? (protocolName(cell) ?? String(cell)) : '-'
}

function endText(row: FlowsRow, side: 'src' | 'dst'): string {
  const address = cellText(row[`${side}addr`])
  // As nfdump: a dot before the port of IPv6, whose addresses have colons.
  return `${address}${address.includes(':') ? '.' : ':'}${cellText(row[`${side}port`])}`
}

function flagsText(cell: Cell | undefined): string {
  if (typeof cell !== 'number') return '-'
  return [...'CEUAPRSF'].map((letter, i) => ((cell >> (7 - i)) & 1 ? letter : '.')).join('')
}

/** Every field of a record on a line of its own. */
function rawText(columns: readonly FlowsColumn[], row: FlowsRow): string {
  const width = Math.max(...columns.map(one => one.name.length))
  const lines = columns.map(({ name }) => `  ${name.padEnd(width)} = ${visible(cellText(row[name]))}`)
  return `Flow record:\n${lines.join('\n')}\n\n`
}
