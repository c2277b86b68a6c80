import { cellsOf } from '../input/cells.ts'
import type { Units } from './units.ts'

/** Columns of text: what is between them, and whether the first row has their names. */
export interface CellsForm {
  kind: 'cells'
  separator: string
  /** The column that has the whole record; null: each field has a column of its own. */
  column: number | null
  /** The first row, if it names the columns. */
  title: string | null
}

const rowLinesMax = 100
const rowBytesMax = 1 << 20

/** Takes flow-log lines out of rows of cells. A row may be several lines, in quotes: it has the number of its first. */
export class CellRows {
  private readonly form: CellsForm
  private readonly units: Units
  /** What stands for the row of names: the header of the lines. */
  private readonly header: string
  private held: string[] = []
  private heldBytes = 0

  constructor(form: CellsForm, units: Units, header: string) {
    this.form = form
    this.units = units
    this.header = header
  }

  /** Takes a line of the file, without its end. */
  line(line: string): void {
    this.held.push(line)
    this.heldBytes += line.length
    if (!isOpen(this.held)) this.row()
    else if (this.held.length > rowLinesMax || this.heldBytes > rowBytesMax) this.giveUp()
  }

  end(): void {
    while (this.held.length > 0) this.giveUp()
  }

  private row(): void {
    const { form, units, held } = this
    const row = held.join('\n')
    this.held = []
    this.heldBytes = 0
    if (row.trim() === '') units.add('')
    else if (row === form.title) units.add(this.header)
    else if (form.column === null) units.record(cellsOf(row, form.separator).map(fieldOf).join(' '))
    else {
      const cell = cellsOf(row, form.separator)[form.column]
      if (cell === undefined) units.none(`no column ${form.column + 1}`)
      else units.record(cell)
    }
    for (let i = 1; i < held.length; i++) units.add('')
  }

  /** A quote is not closed: the first line is a row by itself, and what follows is looked at again. */
  private giveUp(): void {
    const rest = this.held.splice(1)
    this.held = []
    this.heldBytes = 0
    this.units.none('a quote that is not closed')
    for (const line of rest) this.line(line)
  }
}

function isOpen(lines: readonly string[]): boolean {
  let quotes = 0
  for (const line of lines) for (let at = line.indexOf('"'); at >= 0; at = line.indexOf('"', at + 1)) quotes++
  return quotes % 2 === 1
}

/** As a field of a flow log has it, in which there is no blank: kept as `%` and its code, like those of Parquet. */
function fieldOf(cell: string): string {
  if (cell === '') return '-'
  return cell.replace(
    /[^\x21-\uffff]/g,
    letter => `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}
