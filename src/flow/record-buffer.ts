import { assert } from '../errors.ts'
import { Dictionary } from './dictionary.ts'
import { type FieldType, fieldNamed } from './fields.ts'

/** Rows of one buffer: what a worker gathers before it writes a segment. Two of DuckDB's row groups. */
export const rowsPerSegment = 2 * 122_880

/**
 * One column of typed arrays, of which its type uses one: `u8` and `u16` the array of that name, text `codes` (numbers of
 * `words`), counters and times `halves` (the low and the high 32 bits of each value) alias `wide`. An address has its low 64 bits
 * there, and the upper 64 in `high` once an address needs them. A clear bit in `valid` is a null.
 *
 * One array a type, rather than one array of several types, keeps each store in the readers' loop monomorphic: six times faster.
 */
export class Column {
  name: string
  readonly type: FieldType
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly codes: Uint32Array
  readonly wide: BigUint64Array
  readonly halves: Uint32Array
  readonly valid: Uint8Array
  words = new Dictionary()
  high: BigUint64Array | null = null
  hasNull = false

  constructor(name: string, type: FieldType, rows: number) {
    this.name = name
    this.type = type
    this.u8 = new Uint8Array(type === 'u8' ? rows : 0)
    this.u16 = new Uint16Array(type === 'u16' ? rows : 0)
    this.codes = new Uint32Array(type === 'text' ? rows : 0)
    this.wide = new BigUint64Array(type === 'u64' || type === 'time' || type === 'address' ? rows : 0)
    this.halves = new Uint32Array(this.wide.buffer)
    this.valid = new Uint8Array(Math.ceil(rows / 64) * 8).fill(0xff)
  }

  /** Empties the column for another use. The arrays stay: memory that was touched once is the cheapest there is. */
  reuse(name: string): Column {
    this.name = name
    this.words = new Dictionary()
    this.high = null
    if (this.hasNull) this.valid.fill(0xff)
    this.hasNull = false
    return this
  }

  setNull(row: number): void {
    this.valid[row >>> 3]! &= ~(1 << (row & 7))
    this.hasNull = true
  }

  isNull(row: number): boolean {
    return (this.valid[row >>> 3]! & (1 << (row & 7))) === 0
  }

  /** Makes [from, to) null: the rows of a layout that lacks this field. */
  setNulls(from: number, to: number): void {
    for (let row = from; row < to; row++) this.setNull(row)
  }

  /** Makes a row that was given up valid again for the next record. */
  clearNull(row: number): void {
    this.valid[row >>> 3]! |= 1 << (row & 7)
  }

  /** Sets the upper half of an IPv6 address; the rows before had none. */
  setHigh(row: number, value: bigint): void {
    this.high ??= new BigUint64Array(this.wide.length)
    this.high[row] = value
  }
}

/** Flow records in columns, on their way to a segment. `file` and `line` say where each came from. */
export class RecordBuffer {
  readonly capacity: number
  readonly file: Uint32Array
  readonly line: Uint32Array
  private readonly byName = new Map<string, Column>()
  private spare: Column[] = []
  rows = 0

  constructor(capacity = rowsPerSegment) {
    this.capacity = capacity
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
  column(name: string): Column {
    const known = this.byName.get(name)
    if (known) return known
    const type = fieldNamed(name)?.type ?? 'text'
    const spare = this.spare.findIndex(column => column.type === type)
    const column = spare < 0 ? new Column(name, type, this.capacity) : this.spare.splice(spare, 1)[0]!.reuse(name)
    column.setNulls(0, this.rows)
    this.byName.set(name, column)
    return column
  }

  /** Empties the buffer for other records. */
  reset(): void {
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
