import { assert } from '../errors.ts'
import { Column, type ColumnType } from './column.ts'
import { fieldNamed } from './fields.ts'
import { otherFields, UnknownColumns } from './unknown-columns.ts'

/** Rows of one buffer: what a worker gathers before it writes a segment. Two of DuckDB's row groups. */
export const rowsPerSegment = 2 * 122_880

/** Flow records in columns, on their way to a segment. `file` and `line` say where each came from. */
export class RecordBuffer {
  readonly capacity: number
  readonly file: Uint32Array
  readonly line: Uint32Array
  private readonly byName = new Map<string, Column>()
  private spare: Column[] = []
  private readonly unknown: UnknownColumns
  /** Columns of fields that nobody knows. */
  private unknownCount = 0
  rows = 0

  constructor(capacity = rowsPerSegment, unknown = new UnknownColumns()) {
    this.capacity = capacity
    this.unknown = unknown
    this.file = new Uint32Array(capacity)
    this.line = new Uint32Array(capacity)
  }

  get full(): boolean {
    return this.rows >= this.capacity
  }

  columns(): Column[] {
    return [...this.byName.values()]
  }

  /** The column of that name; one that appears late is null in the rows before. */
  column(name: string, type: ColumnType = fieldNamed(name)?.type ?? 'text'): Column {
    const known = this.byName.get(name)
    if (known) return known
    const spare = this.spare.findIndex(column => column.type === type)
    const column = spare < 0 ? new Column(name, type, this.capacity) : this.spare.splice(spare, 1)[0]!.reuse(name)
    column.setNulls(0, this.rows)
    this.byName.set(name, column)
    return column
  }

  /** The column for a field of a log: its own, or the one of all that are too many to have one. */
  columnOfField(name: string): Column {
    if (this.byName.has(name) || fieldNamed(name) !== undefined) return this.column(name)
    if (!this.unknown.allow(name, this.unknownCount)) return this.column(otherFields, 'id')
    this.unknownCount++
    return this.column(name)
  }

  /** Empties the buffer for other records. */
  reset(): void {
    this.unknownCount = 0
    this.spare.push(...this.byName.values())
    this.byName.clear()
    this.rows = 0
  }

  /** Makes rows [from, rows) null in every column but those of the layout they were read with. */
  nullOthers(layout: ReadonlySet<Column>, from: number): void {
    for (const column of this.byName.values()) if (!layout.has(column)) column.setNulls(from, this.rows)
  }

  /** Forgets the rows from `row` on: they came from a file that will not be kept. */
  truncate(row: number): void {
    assert(row <= this.rows, 'a buffer is cut to fewer rows')
    for (const column of this.byName.values()) for (let r = row; r < this.rows; r++) column.clearNull(r)
    this.rows = row
  }
}
