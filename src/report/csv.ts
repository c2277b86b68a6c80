/** Rows as CSV (RFC 4180), for programs and spreadsheets: one line a row, nothing rounded, nothing cut. */
import { type Cell, cellText } from '../user-sql/cells.ts'
import { visible } from './text.ts'

/** A column of `flows` or of `sql`: its type, of either, decides what its cells are. */
export interface CsvColumn {
  readonly name: string
  readonly type: string
}

export interface CsvWriter {
  /** The line of names. */
  head: string
  line(cells: readonly (Cell | undefined)[]): string
}

/** Numbers, truth values and times. Whatever else there is may hold a text of the evidence, or be one. */
const exact =
  /^(integer|time|U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(\d+, ?\d+\)|BIGNUM|VARINT|BOOLEAN|DATE|INTERVAL|TIME(STAMP)?(_S|_MS|_NS)?( WITH TIME ZONE|TZ)?)$/

/** What a spreadsheet takes for a formula, or skips before one. */
const formula = /^\s*[=+\-@＝＋－＠\t\r]/u

/** The same, and what other programs stumble over, also behind a guard: with one more, a guard can be told from the text. */
const guarded = /^'*[\s\0]*[=+\-@＝＋－＠\t\r\n\0]/u

/**
 * How texts are written. `shown`: guarded, and what a terminal would obey as an escape. `exact`: the same so that the text can be had back: a
 * backslash is two, and a text that has a guard of its own gets another one. `raw`: as it is, in quotes where it must be.
 */
export type CsvStyle = 'shown' | 'exact' | 'raw'

const texts: Record<CsvStyle, (text: string) => string> = {
  shown: text => `${formula.test(text) ? "'" : ''}${visible(text)}`,
  exact: text => `${guarded.test(text) ? "'" : ''}${visible(text.replaceAll('\\', '\\\\'))}`,
  raw: text => text,
}

/** Nothing in it to escape, to quote or to guard. */
const plain = /^[\w.:/][\w.:/-]*$/

/** What is not known is nothing, an empty text is `""`. */
export function csvWriter(columns: readonly CsvColumn[], style: CsvStyle = 'shown'): CsvWriter {
  const textCell = (cell: Cell | undefined): string => textIn(cell, texts[style])
  const cells = columns.map(({ type }) => (exact.test(type) ? exactCell : textCell))
  return {
    head: `${columns.map(({ name }) => textCell(name)).join(',')}\r\n`,
    line: row => `${cells.map((cell, i) => cell(row[i])).join(',')}\r\n`,
  }
}

/** As it is, also where it had to be sent as text: -Infinity, and decimals of many digits. */
function exactCell(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return ''
  return typeof cell === 'string' ? quoted(visible(cell)) : String(cell)
}

/** The guard looks at the text as it was: escaped, a tab at its begin is one no more. */
function textIn(cell: Cell | undefined, written: (text: string) => string): string {
  if (cell === null || cell === undefined) return ''
  const text = cellText(cell)
  if (plain.test(text)) return text
  return quoted(written(text))
}

/** In quotes where it must be; a semicolon divides cells where the comma is that of decimals. */
function quoted(text: string): string {
  return text === '' || /[",;\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
