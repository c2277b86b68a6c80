import { cellsOf } from '../input/cells.ts'
import { CellRows, type CellsForm } from './cells.ts'
import { layoutOfHeader } from './header.ts'
import { type JsonForm, JsonStrings } from './json-strings.ts'
import { Units } from './units.ts'
import { isRecordWithin, isSurelyRecord } from './wrapped.ts'

/** What flow-log lines lie in: CSV and its kin, or JSON. */
export type Within = CellsForm | JsonForm

/** A line that is longer holds no record. */
const lineLettersMax = 1 << 20
const linesLookedAt = 200
const separators = [',', ';', '\t', '|']
/** Keys under which collectors keep a line as it came. */
const lineKeys = /^(?:@?message|log|line|event|_raw)$/i

/** What the records of a text lie in, by its beginning; null where they lie in nothing. `fields`: how many `--format` names. */
export function withinOf(text: string, fields: number | null): Within | null {
  const isLine = (line: string): boolean =>
    isRecordWithin(line) ||
    layoutOfHeader(line) !== null ||
    (fields !== null && line.trim().split(' ').length === fields)
  if (/^\s*[[{]/.test(text)) return jsonOf(text, isLine)
  const lines = text
    .split('\n', linesLookedAt)
    .map(line => line.replace(/\r$/, ''))
    .filter(line => line.trim() !== '')
  // The last may be cut; a header or a record is not meant.
  if (lines.length > 1 && !text.endsWith('\n')) lines.pop()
  const [first = ''] = lines
  if (layoutOfHeader(first) !== null || (!/^"|\t/.test(first) && first.split(' ').length === fields)) return null
  if (isSurelyRecord(first) && !/["\t,;|]/.test(first)) return null
  return cellsWithRecord(lines, isLine) ?? cellsWithFields(lines, fields)
}

function jsonOf(text: string, isLine: (line: string) => boolean): JsonForm | null {
  let found: JsonForm | null = null
  const strings = new JsonStrings(new Units(), (key, value) => {
    const isOfLines = value
      .split(/[\r\n]+/)
      .some(part => isRecordWithin(part.trim()) || ((key === null || lineKeys.test(key)) && isLine(part.trim())))
    if (isOfLines) found ??= { kind: 'json', key }
    return false
  })
  strings.feed(text)
  return found
}

/** A column in which most rows have a record. */
function cellsWithRecord(lines: readonly string[], isLine: (line: string) => boolean): CellsForm | null {
  const [first = ''] = lines
  for (const separator of separators) {
    const counts = new Map<number, number>()
    for (const line of lines) {
      const column = line.includes(separator) || line.startsWith('"') ? cellsOf(line, separator).findIndex(isLine) : -1
      if (column >= 0) counts.set(column, (counts.get(column) ?? 0) + 1)
    }
    const [best] = [...counts].sort((a, b) => b[1] - a[1])
    // The first row may name the columns.
    if (best === undefined || best[1] * 2 < lines.length - 1) continue
    const [column] = best
    return { kind: 'cells', separator, column, title: isLine(cellsOf(first, separator)[column] ?? '') ? null : first }
  }
  return null
}

/** Each field in a column of its own, as Athena writes them. */
function cellsWithFields(lines: readonly string[], fields: number | null): CellsForm | null {
  const [first = ''] = lines
  for (const separator of separators) {
    const cells = cellsOf(first, separator)
    if (cells.length < 4) continue
    if (layoutOfHeader(namesOf(cells)) !== null) return { kind: 'cells', separator, column: null, title: first }
    if (isRecordWithin(cells.join(' ')) || cells.length === fields)
      return { kind: 'cells', separator, column: null, title: null }
  }
  return null
}

function namesOf(cells: readonly string[]): string {
  return cells.map(cell => cell.replaceAll('_', '-').toLowerCase()).join(' ')
}

/** What stands for a row of names: the header of the lines. */
function headerOfTitle(within: CellsForm, format: readonly string[] | null): string {
  if (within.title === null || within.column !== null) return format?.join(' ') ?? ''
  return namesOf(cellsOf(within.title, within.separator))
}

/** In words, for people. */
export function withinText(within: Within): string {
  if (within.kind === 'json')
    return within.key === null ? 'JSON, strings of lists' : `JSON, "${within.key.slice(0, 64)}"`
  const what =
    within.separator === '\t' ? 'tab-separated' : within.separator === ',' ? 'CSV' : `separated by ${within.separator}`
  return within.column === null ? what : `${what}, column ${within.column + 1}`
}

/** Takes the lines of a flow log out of what they lie in, as it comes. */
export class Unwrapping {
  readonly units = new Units()
  private readonly strings: JsonStrings | null
  private readonly rows: CellRows | null
  private rest = ''
  private isTooLong = false

  constructor(within: Within, format: readonly string[] | null) {
    this.strings = within.kind === 'json' ? new JsonStrings(this.units, key => key === within.key) : null
    this.rows = within.kind === 'cells' ? new CellRows(within, this.units, headerOfTitle(within, format)) : null
  }

  feed(text: string): void {
    this.strings?.feed(text)
    if (this.rows === null) return
    let at = 0
    for (let newline = text.indexOf('\n'); newline >= 0; newline = text.indexOf('\n', at)) {
      if (!this.isTooLong) this.rows.line((this.rest + text.slice(at, newline)).replace(/\r$/, ''))
      this.rest = ''
      this.isTooLong = false
      at = newline + 1
    }
    if (!this.isTooLong) this.rest += text.slice(at)
    if (this.rest.length <= lineLettersMax) return
    this.rest = ''
    this.isTooLong = true
    this.units.none(`longer than ${lineLettersMax} letters: no flow record is`)
  }

  /** Says that the text is over. @returns whether it ends within something. */
  end(isCut: boolean): boolean {
    if (this.strings !== null) return this.strings.isOpen
    if (this.rest !== '') {
      if (isCut) this.units.none('the file is cut in this line')
      else this.rows!.line(this.rest.replace(/\r$/, ''))
    }
    this.rows!.end()
    return false
  }
}
