/** Rows as CSV and NDJSON, for programs: one line a row, nothing rounded, nothing cut. */
import type { Cell, FlowsColumn, FlowsRow } from '../flows/request.ts'
import { hidden } from './text.ts'

/** RFC 4180, with a line of names. What is not known is empty. */
export function csvLine(cells: readonly (Cell | undefined)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return ''
  const text = String(cell)
  // An empty text is not the same as none.
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export function csvRow(columns: readonly FlowsColumn[], row: FlowsRow): string {
  return csvLine(columns.map(column => row[column.name]))
}

/** One JSON object on one line. */
export function jsonLine(row: FlowsRow): string {
  const cells = Object.entries(row).map(([name, cell]) => `${quote(name)}:${jsonCell(cell)}`)
  return `{${cells.join(',')}}`
}

function jsonCell(cell: Cell): string {
  return typeof cell === 'string' ? quote(cell) : String(cell)
}

/** What a terminal would obey or hide is written as an escape. */
function quote(text: string): string {
  return JSON.stringify(text).replace(hidden, character =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}
