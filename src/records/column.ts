import { Dictionary } from './dictionary.ts'
import type { FieldType } from './fields.ts'

/** `id`: text that nearly every row has another of. */
export type ColumnType = FieldType | 'id'

/**
 * One column of typed arrays, of which its type uses one: `u8` and `u16` the array of that name, text `codes` (numbers of
 * `words`), counters and times `halves` (the low and the high 32 bits of each value) alias `wide`. An address has its low 64 bits
 * there, and the upper 64 in `high` once an address needs them. A clear bit in `valid` is a null.
 *
 * One array a type, rather than one array of several types, keeps each store in the readers' loop monomorphic: six times faster.
 */
export class Column {
  name: string
  readonly type: ColumnType
  readonly u8: Uint8Array
  readonly u16: Uint16Array
  readonly codes: Uint32Array
  readonly wide: BigUint64Array
  readonly halves: Uint32Array
  /** Of type `id`. */
  readonly ids: string[] = []
  /** Letters of the `ids` of records of logs, about. */
  idLetters = 0
  readonly valid: Uint8Array
  words = new Dictionary()
  high: BigUint64Array | null = null
  hasNull = false

  constructor(name: string, type: ColumnType, rows: number) {
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
    this.ids.length = 0
    this.idLetters = 0
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

const two32 = 4294967296

/** Sets a counter or time: a whole number up to 2^53. */
export function setNumber(column: Column, row: number, value: number): void {
  const high = Math.floor(value / two32)
  column.halves[2 * row] = value - high * two32
  column.halves[2 * row + 1] = high
}
