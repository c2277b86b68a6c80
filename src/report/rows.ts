/** Rows as NDJSON, for programs: one line a row, nothing rounded, nothing cut. */
import type { Cell, FlowsRow } from '../flows/request.ts'
import { hidden } from './text.ts'

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
