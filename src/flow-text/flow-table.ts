import { cellsOf } from '../input/cells.ts'
import type { Address } from '../net/address.ts'
import { isIcmp } from '../net/icmp.ts'
import { hasPorts, protocolNumbers, TCP } from '../net/protocols.ts'
import { areColumns, type Column, columnsOf, type Role } from './columns.ts'
import type { FlowDetails, Table, TableLine, TextFlow } from './flow.ts'
import { nfdumpProtocols } from './nfdump-protocols.ts'
import {
  addressOf,
  countOf,
  flagsOf,
  inUnits,
  known,
  Malformed,
  numberOf,
  parsed,
  secondsOf,
  timeOf,
} from './values.ts'

const separators = ['|', ',', '\t', ';'] as const
const columnsMax = 256
const linesLookedAt = 20
const noteLengthMax = 1000

/** Whether text begins as a table of flows with named columns does. @param format names of its columns, where it has none. */
export function flowTableOf(head: string, format: readonly string[] | null): Table | null {
  const lines = head.split('\n', linesLookedAt).map(line => line.replace(/^\ufeff|\r$/g, ''))
  for (const line of lines) {
    if (line.trim() === '') continue
    const header = headerOf(line)
    if (header !== null) return new FlowTable(null)
    if (format === null) return null
    if (separators.some(one => isRowOf(cellsOf(line, one), format))) return new FlowTable(format)
  }
  return null
}

/** Whether it looks like a row of a table with bars of which nothing names the columns. */
export function looksLikeFlowRow(line: string): boolean {
  const cells = cellsOf(line, '|')
  const addresses = cells.filter(cell => addressOf(cell) !== null)
  return cells.length > 7 && addresses.length >= 2 && cells.some(cell => /^\d{4}[-/]\d\d[-/]\d\d[ T]/.test(cell))
}

function isRowOf(cells: readonly string[], format: readonly string[]): boolean {
  const ends = columnsOf(format)
    .map(({ role }, i) => (role === 'src' || role === 'dst' ? (cells[i] ?? '') : ''))
    .filter(cell => cell !== '')
  return isWidth(cells, format.length) && ends.length >= 2 && ends.every(cell => addressOf(cell) !== null)
}

/** A bar may stand after the last column. */
function isWidth(cells: readonly string[], columns: number): boolean {
  return cells.length === columns || (cells.length === columns + 1 && cells[columns] === '')
}

function headerOf(line: string): { separator: string; names: string[] } | null {
  // As in the first file of an archive.
  if (line.includes('\0')) return null
  for (const separator of separators) {
    if (!line.includes(separator)) continue
    const names = cellsOf(line, separator)
    if (names.at(-1) === '') names.pop()
    if (names.length <= columnsMax && areColumns(names)) return { separator, names }
  }
  return null
}

function isOfNfdump(names: readonly string[]): boolean {
  return names.includes('sa') || names.includes('srcAddr')
}

type Cells = ReadonlyMap<Role, readonly { name: string; text: string; unit: number | null }[]>

/** A table of flows with named columns: of rwcut, nfdump, yafscii, or of IPFIX elements. */
class FlowTable implements Table {
  readonly kind = 'flow-table'
  private separator: string | null = null
  private columns: readonly Column[]
  private readonly format: readonly string[] | null
  /** Lines of nfdump's summary that are still to come. */
  private summary = 0
  private isNfdump = false
  private isLocal = false

  constructor(format: readonly string[] | null) {
    this.format = format
    this.columns = format === null ? [] : columnsOf(format)
    this.isNfdump = isOfNfdump(format ?? [])
  }

  get layout(): string | null {
    return this.columns.length === 0 ? null : this.columns.map(column => column.name).join(' ')
  }

  get note(): string | null {
    const unkept = this.columns.filter(column => column.role === null).map(column => column.name)
    const hint = this.isNfdump ? ' (nfdump prints local time: TZ=UTC nfdump … prints UTC)' : ''
    const notes = [
      ...(this.isLocal ? [`its times name no zone and are taken for UTC${hint}`] : []),
      ...(unkept.length > 0 ? [`columns that are not kept: ${unkept.join(', ')}`] : []),
    ]
    return notes.length === 0 ? null : notes.join('; ').slice(0, noteLengthMax)
  }

  line(text: string): TableLine {
    if (text.trim() === '') return 'blank'
    if (this.summary > 0) {
      this.summary--
      return 'header'
    }
    const header = headerOf(text)
    if (header !== null) return this.header(header)
    if (text === 'Summary' || text.startsWith('Summary:')) {
      this.summary = text === 'Summary' ? 2 : 0
      return 'header'
    }
    try {
      return { flows: this.flows(this.cells(text)), connection: null }
    } catch (error) {
      if (error instanceof Malformed) return error.message
      throw error
    }
  }

  private header({ separator, names }: { separator: string; names: string[] }): 'header' {
    this.separator = separator
    // `--format` says better what the columns are than names that are its own.
    if (this.format?.length !== names.length) this.columns = columnsOf(names)
    this.isNfdump = isOfNfdump(names)
    return 'header'
  }

  private cells(text: string): Cells {
    const { columns } = this
    const width = (one: string): boolean => isWidth(cellsOf(text, one), columns.length)
    this.separator ??= separators.find(width) ?? null
    const values = cellsOf(text, this.separator ?? separators[0])
    if (!isWidth(values, columns.length))
      throw new Malformed(`${values.length} columns where ${columns.length} are named`)
    const cells = new Map<Role, { name: string; text: string; unit: number | null }[]>()
    for (const [i, { name, role, unit }] of columns.entries()) {
      const cell = values[i]!
      if (role === null || cell === '') continue
      const own = cells.get(role)
      if (own === undefined) cells.set(role, [{ name, text: cell, unit }])
      else own.push({ name, text: cell, unit })
    }
    return cells
  }

  private time(cells: Cells, role: 'start' | 'end'): number | null {
    const [cell] = cells.get(role) ?? []
    // nfdump's date of no time.
    if (cell === undefined || cell.text.startsWith('0000-00-00')) return null
    const time = parsed(cell.name, cell.text, inUnits(cell.unit, timeOf))
    if (/:\d\d:\d\d(?:[.,]\d+)?$/.test(cell.text)) this.isLocal = true
    // What nfdump prints of 0, which stands for no time.
    return time === 0 ? null : time
  }

  private flows(cells: Cells): TextFlow[] {
    const there = this.wayThere(cells)
    const [packets, bytes] = [value(cells, 'reversePackets', countOf), value(cells, 'reverseBytes', countOf)]
    if ((packets ?? 0n) === 0n && (bytes ?? 0n) === 0n) return [there]
    const { src, dst, srcPort, dstPort } = there
    const flags = there.protocol === TCP ? flagsFrom(cells, 'reverseFlags') : null
    const ends = { src: dst, dst: src, srcPort: dstPort, dstPort: srcPort }
    return [there, { ...there, ...ends, packets, bytes, flags, icmpType: null, icmpCode: null, tos: null }]
  }

  private wayThere(cells: Cells): TextFlow {
    const [src, dst] = [
      known(address(cells, 'src'), 'source address'),
      known(address(cells, 'dst'), 'destination address'),
    ]
    const protocol = value(cells, 'protocol', this.isNfdump ? nfdumpProtocolOf : protocolOf)
    const icmp = protocol !== null && isIcmp(protocol) ? icmpOf(cells) : { type: null, code: null }
    const start = this.time(cells, 'start')
    const duration = durationOf(cells)
    const last = start === null || duration === null ? null : start + duration
    const end = this.time(cells, 'end')
    if (start !== null && end !== null && end < start) throw new Malformed('it ends before it begins')
    const port = (role: Role): number | null =>
      protocol !== null && hasPorts(protocol) ? value(cells, role, text => numberOf(text, 65_535)) : null
    return {
      ...{ src, dst, protocol, start, tunnel: null },
      srcPort: port('srcPort'),
      dstPort: port('dstPort'),
      packets: value(cells, 'packets', countOf),
      bytes: value(cells, 'bytes', countOf),
      // The later of both: a time in whole seconds is cut, a duration is not.
      end: end === null || last === null ? (end ?? last) : Math.max(end, last),
      flags: protocol === TCP ? flagsFrom(cells, 'flags') : null,
      tos: value(cells, 'tos', text => numberOf(text, 255)),
      icmpType: icmp.type,
      icmpCode: icmp.code,
      vlan: orNull(value(cells, 'vlan', text => numberOf(text, 4095))),
      more: detailsOf(cells),
    }
  }
}

/** The first value in those columns; null where there is none. @throws Malformed */
function value<T>(cells: Cells, role: Role, parse: (text: string) => T | undefined | null): T | null {
  const [cell] = cells.get(role) ?? []
  return cell === undefined ? null : parsed(cell.name, cell.text, parse)
}

/** Of the columns for IPv4 and IPv6 the one that has an address; a column that the flow has not is empty, or zeros. */
function address(cells: Cells, role: 'src' | 'dst' | 'nextHop'): Address | null {
  const found = (cells.get(role) ?? []).map(cell => parsed(cell.name, cell.text, addressOf))
  return found.find(one => !isNowhere(one)) ?? found[0] ?? null
}

function isNowhere({ hi, lo }: Address): boolean {
  return hi === 0n && (lo & 0xffff_ffffn) === 0n
}

function flagsFrom(cells: Cells, role: 'flags' | 'reverseFlags'): number | null {
  const all = cells.get(role) ?? []
  return all.length === 0 ? null : all.reduce((bits, cell) => bits | parsed(cell.name, cell.text, flagsOf), 0)
}

function protocolOf(text: string): number | undefined {
  return protocolNumbers.get(text.toLowerCase()) ?? numberOf(text, 255)
}

/** `ipip` is 4 for nfdump, and 94 for IANA. */
function nfdumpProtocolOf(text: string): number | undefined {
  return nfdumpProtocols.get(text.toLowerCase()) ?? protocolOf(text)
}

/** In a destination port as type * 256 + code (NetFlow), or, as nfdump prints it, `8.0`. */
function icmpOf(cells: Cells): { type: number | null; code: number | null } {
  const type = value(cells, 'icmpType', text => numberOf(text, 255))
  if (type !== null) return { type, code: value(cells, 'icmpCode', text => numberOf(text, 255)) }
  const pair = (text: string): number | undefined => {
    const [, high, low] = /^(\d{1,3})\.(\d{1,3})$/.exec(text) ?? []
    if (high === undefined) return numberOf(text, 65_535)
    return Number(high) > 255 || Number(low) > 255 ? undefined : Number(high) * 256 + Number(low)
  }
  const both = value(cells, 'icmpTypeCode', pair) ?? value(cells, 'dstPort', pair)
  return both === null ? { type: null, code: null } : { type: both >> 8, code: both & 255 }
}

/** Seconds, or hours, minutes and seconds, in microseconds. */
function durationOf(cells: Cells): number | null {
  const [cell] = cells.get('duration') ?? []
  const clock = (text: string): number | undefined => {
    const [, hours, minutes, rest] = /^(\d{1,6}):(\d\d):(\d\d(?:\.\d{1,9})?)$/.exec(text) ?? []
    if (hours === undefined) return secondsOf(text)
    const seconds = secondsOf(rest!)
    return seconds === undefined ? undefined : (Number(hours) * 3600 + Number(minutes) * 60) * 1e6 + seconds
  }
  return cell === undefined ? null : parsed(cell.name, cell.text, inUnits(cell.unit, clock))
}

/** Of interfaces, AS numbers and next hops 0 is what programs print where there is none, and so of the way back. */
function detailsOf(cells: Cells): FlowDetails {
  const number = (role: Role): bigint | null => orNull(value(cells, role, countOf))
  const [outPackets, outBytes] = [value(cells, 'outPackets', countOf), value(cells, 'outBytes', countOf)]
  const isBothWays = outPackets !== null && outPackets > 0n
  const nextHop = address(cells, 'nextHop')
  return {
    flows: number('flows'),
    outPackets: isBothWays ? outPackets : null,
    outBytes: isBothWays ? outBytes : null,
    inputIf: number('inputIf'),
    outputIf: number('outputIf'),
    srcAs: number('srcAs'),
    dstAs: number('dstAs'),
    nextHop: nextHop === null || isNowhere(nextHop) ? null : nextHop,
  }
}

function orNull<T extends number | bigint>(number: T | null): T | null {
  return number === null || Number(number) === 0 ? null : number
}
