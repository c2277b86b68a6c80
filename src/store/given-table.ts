/** Tables of numbers that were worked out here, for those who ask in SQL. */
import { type ChunkColumn, codeArray } from './chunk-table.ts'
import { type Database, quotedName } from './duckdb.ts'

/** A column of such a table: what is offered, and SQL for what it is. */
export interface GivenColumn {
  columns: ChunkColumn[]
  select: string
}

/** Makes a table, in the place of one of the same name. @param kind a temporary table is the connection's. */
export async function giveTable(
  db: Database,
  table: string,
  columns: readonly GivenColumn[],
  rows: number,
  kind: 'TEMP TABLE' | 'TABLE' = 'TEMP TABLE',
): Promise<void> {
  await offered(db, columns, rows, `CREATE OR REPLACE ${kind} ${quotedName(table)} AS`)
}

/** Makes a table, or adds to it: for more rows than are held in memory at once. @param isFirst makes it, in the place of one of that name. */
export async function giveRows(
  db: Database,
  table: string,
  columns: readonly GivenColumn[],
  rows: number,
  isFirst: boolean,
): Promise<void> {
  const name = quotedName(table)
  await offered(db, columns, rows, isFirst ? `CREATE OR REPLACE TABLE ${name} AS` : `INSERT INTO ${name}`)
}

/** Runs a statement that ends with what is selected. */
async function offered(db: Database, columns: readonly GivenColumn[], rows: number, into: string): Promise<void> {
  const select = columns.map(column => column.select).join(', ')
  await db.alone('chunks', async () => {
    db.chunkTable().offer(
      columns.flatMap(column => column.columns),
      rows,
    )
    await db.run(`${into} SELECT ${select} FROM chunks()`)
  })
}

/** Numbers as they are. @param isKnown which of them are no null; absent: all. */
export function numbers(
  name: string,
  data: Uint8Array | Uint16Array | Uint32Array | BigUint64Array,
  isKnown?: (row: number) => boolean,
): GivenColumn {
  return given(name, typeOf(data), data, isKnown)
}

/** Whether, as 0 and 1. */
export function flags(name: string, data: Uint8Array, isKnown?: (row: number) => boolean): GivenColumn {
  const column = given(name, 'UTINYINT', data, isKnown)
  return { ...column, select: `${quotedName(name)}::BOOLEAN AS ${quotedName(name)}` }
}

/** Whole numbers with a sign, as BIGINT: microseconds. @param isKnown which of them are no null; absent: all. */
export function signed(name: string, data: Float64Array, isKnown?: (row: number) => boolean): GivenColumn {
  const whole = new BigUint64Array(data.length)
  const words = new Uint32Array(whole.buffer)
  for (let row = 0; row < data.length; row++) {
    if (isKnown?.(row) === false) continue
    const high = Math.floor(data[row]! / two32)
    words[2 * row] = data[row]! - high * two32
    words[2 * row + 1] = high
  }
  const column = given(name, 'TIMESTAMP', whole, isKnown)
  return { ...column, select: `epoch_us(${quotedName(name)}) AS ${quotedName(name)}` }
}

/** Counts that pass 2^53, and even 64 bits, as HUGEINT. @param value of a row; null where it is not known. */
export function counts(name: string, rows: number, value: (row: number) => number | bigint | null): GivenColumn {
  const low = new BigUint64Array(rows)
  const words = new Uint32Array(low.buffer)
  const valid = new Uint8Array(Math.ceil(rows / 64) * 8)
  let high: BigUint64Array | null = null
  for (let row = 0; row < rows; row++) {
    const one = value(row)
    if (one === null) continue
    valid[row >>> 3]! |= 1 << (row & 7)
    if (typeof one === 'bigint') {
      low[row] = BigInt.asUintN(64, one)
      if (one >> 64n !== 0n) {
        high ??= new BigUint64Array(rows)
        high[row] = one >> 64n
      }
    } else {
      const upper = Math.floor(one / two32)
      words[2 * row] = one - upper * two32
      words[2 * row + 1] = upper
    }
  }
  const lower: ChunkColumn = { name, type: 'UBIGINT', data: low, valid }
  if (high === null) return { columns: [lower], select: `${quotedName(name)}::HUGEINT AS ${quotedName(name)}` }
  const upper: ChunkColumn = { name: `${name}_high`, type: 'UBIGINT', data: high, valid: null }
  const select = `${quotedName(upper.name)}::HUGEINT * 18446744073709551616 + ${quotedName(name)} AS ${quotedName(name)}`
  return { columns: [lower, upper], select }
}

/** Texts by their numbers among some words. */
export function words(name: string, data: Uint8Array | Uint32Array, list: readonly string[]): GivenColumn {
  const select = `${quotedName(name)}::VARCHAR AS ${quotedName(name)}`
  return { columns: [{ name, type: list, data: codeArray(new Uint32Array(data), list.length), valid: null }], select }
}

const two32 = 2 ** 32

function typeOf(
  data: Uint8Array | Uint16Array | Uint32Array | BigUint64Array,
): 'UTINYINT' | 'USMALLINT' | 'UINTEGER' | 'UBIGINT' {
  if (data instanceof Uint8Array) return 'UTINYINT'
  if (data instanceof Uint16Array) return 'USMALLINT'
  return data instanceof Uint32Array ? 'UINTEGER' : 'UBIGINT'
}

function given(
  name: string,
  type: ChunkColumn['type'],
  data: ChunkColumn['data'],
  isKnown?: (row: number) => boolean,
): GivenColumn {
  let valid: Uint8Array | null = null
  if (isKnown !== undefined) {
    valid = new Uint8Array(Math.ceil(data.length / 64) * 8)
    for (let row = 0; row < data.length; row++) if (isKnown(row)) valid[row >>> 3]! |= 1 << (row & 7)
  }
  return { columns: [{ name, type, data, valid }], select: quotedName(name) }
}
