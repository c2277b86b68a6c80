/** Address lists that are tables: which column has what, by its name, else by what is in it. */
import { exitStatus, UserError } from '../errors.ts'
import { cellsOf } from '../input/cells.ts'
import { parseAddress } from '../net/address.ts'
import { rangeOf } from '../net/prefix-table.ts'
import { type AddressRange, indicatorRange } from './indicator-range.ts'
import type { EntryDetails, ListEntries } from './list-entries.ts'
import { type Problems, shortened } from './source-file.ts'
import { afterTime, always, timeOf, untilTime, type Validity } from './times.ts'

/** Columns of a table by what they hold, from 0; absent: there is none. */
interface Columns {
  address: number
  /** The last address of a range. */
  last?: number
  from?: number
  until?: number
  note?: number
  type?: number
}

export interface ListTable {
  separator: string
  columns: Columns
  /** Whether what stands in `until` was seen then, and is valid up to that moment. */
  isSeenUntil: boolean
  /** The line of names; 0 where there is none. */
  header: number
}

/** Names of columns, in lower case with `_` between words; the first that a table has is taken. */
const names = {
  address: [
    ...['ip', 'ip_address', 'ipaddress', 'address', 'addr', 'ipv4', 'ipv6', 'cidr', 'network', 'prefix', 'range'],
    ...[
      'ip_range',
      'netblock',
      'subnet',
      'start_ip',
      'range_start',
      'first_ip',
      'start',
      'ip_dst',
      'dst_ip',
      'dest_ip',
    ],
    ...[
      'destination_ip',
      'ip_src',
      'src_ip',
      'source_ip',
      'indicator',
      'ioc',
      'ioc_value',
      'value',
      'host',
      'exit_address',
    ],
  ],
  last: ['end_ip', 'range_end', 'last_ip', 'end'],
  from: ['valid_from', 'first_seen', 'first_seen_utc', 'firstseen', 'not_before', 'from', 'since', 'start_time'],
  until: [
    ...['valid_until', 'valid_to', 'expires', 'expiration', 'expire', 'not_after', 'until', 'to', 'end_time'],
    ...['last_seen', 'last_seen_utc', 'lastseen', 'last_online'],
  ],
  note: ['malware', 'description', 'comment', 'threat', 'threat_type', 'category', 'tags', 'name', 'family', 'reason'],
  type: ['type', 'ioc_type', 'indicator_type', 'attribute_type'],
} as const

const separators = [',', '\t', ';', '|'] as const

/**
 * The form of a table; null where the lines are no table.
 *
 * @throws UserError where several columns hold addresses and none is named as the one that counts.
 */
export function tableOf(path: string, lines: readonly string[]): ListTable | null {
  const rows = lines.map((text, i) => ({ text, line: i + 1 })).filter(({ text }) => text.trim() !== '')
  const data = rows.filter(({ text }) => !isComment(text))
  const first = data[0]
  if (first === undefined) return null
  for (const separator of separators) {
    const cells = cellsOf(first.text, separator)
    // After a blank it begins a comment.
    if (cells.length < 2 || (separator === ';' && /\s;/.test(first.text))) continue
    const isHeader = !cells.some(cell => indicatorRange(cell) !== null)
    const header = isHeader ? first : commentedHeader(rows, first.line, separator, cells.length)
    const titles = header === null ? [] : titlesOf(header.text, separator)
    const sample = (isHeader ? data.slice(1) : data).map(({ text }) => cellsOf(text, separator))
    const columns = columnsOf(path, titles, sample)
    if (columns === null) continue
    const until = columns.until === undefined ? '' : titles[columns.until]!
    return { separator, columns, isSeenUntil: /^last_?(?:seen|online)/.test(until), header: isHeader ? first.line : 0 }
  }
  return null
}

function isComment(text: string): boolean {
  return /^\s*(?:#|;|\/\/)/.test(text)
}

/** The comment before the first row, where it names as many columns, one of them of addresses. */
function commentedHeader(
  rows: readonly { text: string; line: number }[],
  before: number,
  separator: string,
  width: number,
): { text: string; line: number } | null {
  const comment = rows.filter(({ text, line }) => line < before && isComment(text)).at(-1)
  if (comment === undefined) return null
  const text = comment.text.replace(/^\s*(?:[#;]+|\/\/)\s*/, '')
  const titles = titlesOf(text, separator)
  const isHeader = titles.length === width && names.address.some(name => titles.includes(name))
  return isHeader ? { text, line: comment.line } : null
}

function titlesOf(text: string, separator: string): string[] {
  return cellsOf(text, separator).map(title =>
    title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_|_$/g, ''),
  )
}

function columnsOf(path: string, titles: readonly string[], sample: readonly string[][]): Columns | null {
  const isAddress = (column: number): boolean => sample.some(cells => indicatorRange(cells[column] ?? '') !== null)
  const named = (wanted: readonly string[], fits: (column: number) => boolean = () => true): number | undefined =>
    wanted.map(name => titles.indexOf(name)).find(column => column >= 0 && fits(column))
  const address = named(names.address, isAddress) ?? byContent(path, sample)
  if (address === null) return null
  const last = named(names.last, column => column !== address && isAddress(column))
  const from = named(names.from, column => column !== address)
  const until = named(names.until, column => column !== last)
  const note = named(names.note, column => column !== address)
  const type = named(names.type, column => column !== address)
  return {
    address,
    ...(last !== undefined && { last }),
    ...(from !== undefined && { from }),
    ...(until !== undefined && { until }),
    ...(note !== undefined && { note }),
    ...(type !== undefined && { type }),
  }
}

/** The column in which at least half of the rows have an address. @throws UserError where there are several. */
function byContent(path: string, sample: readonly string[][]): number | null {
  const width = Math.max(0, ...sample.slice(0, 50).map(cells => cells.length))
  const columns: number[] = []
  for (let column = 0; column < width; column++) {
    const found = sample.filter(cells => indicatorRange(cells[column] ?? '') !== null).length
    if (2 * found >= sample.length && found > 0) columns.push(column)
  }
  if (columns.length > 1) {
    throw new UserError(`--list ${path}: several columns of addresses: ${columns.map(one => one + 1).join(', ')}`, {
      hint: 'name the one that counts in a first line: ip',
      status: exitStatus.usage,
    })
  }
  return columns[0] ?? null
}

const timesMost = 10_000

/** Reads the rows; a quote that is not closed ends with its line. */
export function readTable(
  table: ListTable,
  lines: Iterable<{ text: string; line: number }>,
  entries: ListEntries,
  problems: Problems,
): void {
  // Of most tables many rows have the same times.
  const times = new Map<string, Validity | string>()
  const validity = (from: string, until: string): Validity | string => {
    const key = `${from}\n${until}`
    const known = times.get(key) ?? validityOf(from, until, table.isSeenUntil)
    if (times.size < timesMost) times.set(key, known)
    return known
  }
  for (const { text, line } of lines) {
    if (line === table.header || text.trim() === '' || isComment(text)) continue
    readRow(table, cellsOf(text, table.separator), line, validity, entries, problems)
  }
}

function readRow(
  table: ListTable,
  cells: readonly string[],
  line: number,
  validityIn: (from: string, until: string) => Validity | string,
  entries: ListEntries,
  problems: Problems,
): void {
  const { columns } = table
  const cell = (column: number | undefined): string => (column === undefined ? '' : (cells[column] ?? ''))
  const validity = validityIn(cell(columns.from), cell(columns.until))
  const details: EntryDetails = { line, note: cell(columns.note), ...(typeof validity !== 'string' && { validity }) }
  const isPlain = typeof validity !== 'string' && cell(columns.last) === ''
  if (isPlain && entries.addPlain(cell(columns.address), details)) return
  const range = rangeIn(cell(columns.address), cell(columns.last))
  if (range === null) {
    const type = cell(columns.type)
    if (type !== '' && !/ip|addr|cidr|net/i.test(type)) entries.leaveOut('no address')
    else problems.add(`not an address, a network or a range: ${shortened(cell(columns.address))}`, line)
  } else if (typeof validity === 'string') problems.add(validity, line)
  else entries.add(range, details)
}

function rangeIn(first: string, last: string): AddressRange | null {
  if (last === '') return indicatorRange(first)
  const [from, to] = [parseAddress(first), parseAddress(last)]
  return from === null || to === null ? null : rangeOf(from, to)
}

/** The time for which an entry is valid, or what is wrong with it: an entry whose time cannot be read is not always valid. */
function validityOf(from: string, until: string, isSeen: boolean): Validity | string {
  const given = (text: string): boolean => !/^(?:|-|null|none|n\/a|never|0)$/i.test(text.trim())
  if (!given(from) && !given(until)) return always
  const from_us = given(from) ? timeOf(from) : always.from_us
  const until_us = given(until) ? (isSeen ? afterTime(until) : untilTime(until)) : always.until_us
  if (from_us === null || until_us === null) return `not a time: ${shortened(from_us === null ? from : until)}`
  return from_us < until_us
    ? { from_us, until_us }
    : `it ends before it begins: ${shortened(from)} to ${shortened(until)}`
}
