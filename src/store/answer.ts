/** Rows of DuckDB's results. */
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api'
import type native from '@duckdb/node-bindings'
import bindings, { api } from './bindings.ts'
import { eachPlain, isPlainType } from './plain-values.ts'

export type ValueType = DuckDBType
type Value = DuckDBValue

/** Begins a statement that is run for its errors alone. */
export const explainPrefix = 'EXPLAIN ANALYZE '

/** Some rows as DuckDB keeps them, column by column. */
export interface ColumnBatch {
  rows: number
  columns: readonly ColumnData[]
}

export interface ColumnData {
  /** The values one after the other, little-endian, in a buffer of their own; that of a null is anything. */
  data: ArrayBufferLike
  /** One bit a row, set for a value; null if there are no nulls. */
  valid: Uint8Array | null
}

/** What the reader of a result must know of its statement. */
export interface Reading {
  signal: AbortSignal | undefined
  /** Does what reads of the result, while that may be. */
  fetch<T>(work: () => Promise<T>): Promise<T>
  interrupt(): void
  isInterrupted(): boolean
  /** Runs the statement to its end without giving out rows: to learn why it failed. */
  again(): Promise<void>
}

/**
 * The rows of a statement, read in batches. The only reader of results: an end that it tells is the end.
 *
 * The binding gives no more chunks after an error, as it does after the last one, and has no call for the error's text. But a result that has
 * failed is no stream any more; and the statement, run again without its rows, says why.
 */
export class Answer implements AsyncIterable<Value[][]> {
  /** As they are in the statement: a name may come twice. */
  readonly names: readonly string[]
  private readonly typeIds: readonly native.Type[]
  /** Types by column, of those that the API reads. */
  private readonly readable = new Map<number, ValueType>()
  private readonly result: native.Result
  private readonly reading: Reading
  private readonly isStream: boolean
  private rowsRead = 0
  private end: { failure: unknown } | 'reached' | null = null

  constructor(result: native.Result, reading: Reading) {
    const columns = Array.from({ length: bindings.column_count(result) }, (_, i) => i)
    this.names = columns.map(i => bindings.column_name(result, i))
    this.typeIds = columns.map(i => bindings.column_type(result, i))
    this.result = result
    this.reading = reading
    this.isStream = bindings.result_is_streaming(result)
  }

  get types(): readonly ValueType[] {
    return this.names.map((_, i) => this.typeOf(i))
  }

  private typeOf(column: number): ValueType {
    return api().DuckDBLogicalType.create(bindings.column_logical_type(this.result, column)).asType()
  }

  /** The next rows, or null after the last. @throws what ended the statement before its end, as often as it is asked. */
  async next(): Promise<Value[][] | null> {
    return this.taken((chunk, count) => this.decoded(chunk, count))
  }

  /**
   * As `next`, the rows as columns of numbers: twenty times as fast. For columns of fixed width: unsigned integers, BOOLEAN, TIMESTAMP.
   *
   * @throws also for a column of another type.
   */
  async nextColumns(): Promise<ColumnBatch | null> {
    return this.taken((chunk, count) => this.columnsOf(chunk, count))
  }

  private async taken<T>(read: (chunk: native.DataChunk, count: number) => T): Promise<T | null> {
    if (this.end === 'reached') return null
    if (this.end !== null) throw this.end.failure
    try {
      const rows = await this.fetched(read)
      if (rows === null) this.end = 'reached'
      return rows
    } catch (failure) {
      this.end = { failure }
      throw failure
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Value[][]> {
    for (let rows = await this.next(); rows !== null; rows = await this.next()) yield rows
  }

  private async fetched<T>(read: (chunk: native.DataChunk, count: number) => T): Promise<T | null> {
    const { signal, fetch, interrupt, isInterrupted } = this.reading
    const chunk = await abortable(signal, interrupt, () => fetch(() => bindings.fetch_chunk(this.result)))
    const count = chunk === null ? 0 : bindings.data_chunk_get_size(chunk)
    signal?.throwIfAborted()
    if (isInterrupted()) throw new Error('INTERRUPT Error: Interrupted!')
    if (chunk !== null && count > 0) {
      this.rowsRead += count
      return read(chunk, count)
    }
    const isWhole = this.isStream
      ? bindings.result_is_streaming(this.result)
      : this.rowsRead === bindings.row_count(this.result)
    if (!isWhole) throw await this.reasonOfFailure()
    return null
  }

  private decoded(chunk: native.DataChunk, count: number): Value[][] {
    const rows = Array.from({ length: count }, (): Value[] => [])
    for (const [i, type] of this.typeIds.entries()) {
      const vector = bindings.data_chunk_get_vector(chunk, i)
      if (isPlainType(type)) eachPlain(vector, type, count, (row, value) => rows[row]!.push(value))
      else {
        const values = api().DuckDBVector.create(vector, count, this.readableType(i))
        for (let row = 0; row < count; row++) rows[row]!.push(values.getItem(row))
      }
    }
    return rows
  }

  private columnsOf(chunk: native.DataChunk, count: number): ColumnBatch {
    const columns = this.typeIds.map((type, i): ColumnData => {
      const vector = bindings.data_chunk_get_vector(chunk, i)
      const valid = bindings.vector_get_validity(vector, Math.ceil(count / 64) * 8)
      const width = widths[type]
      if (width === undefined) throw new Error(`no column of numbers: ${this.names[i]}, ${this.typeOf(i)}`)
      return { data: bytesOf(bindings.vector_get_data(vector, count * width)), valid }
    })
    return { rows: count, columns }
  }

  private readableType(column: number): ValueType {
    const type = this.readable.get(column) ?? withOwnNames(this.typeOf(column))
    this.readable.set(column, type)
    return type
  }

  private async reasonOfFailure(): Promise<unknown> {
    const { signal, interrupt, again } = this.reading
    try {
      await abortable(signal, interrupt, again)
    } catch (error) {
      signal?.throwIfAborted()
      return error instanceof Error ? new Error(withoutPrefix(error.message)) : error
    }
    return new Error(`the answer broke off after ${this.rowsRead} rows, and DuckDB does not say why`)
  }
}

/** Work that an abort ends by `interrupt`. It is repeated: DuckDB forgets one that comes just before a statement begins. */
export async function abortable<T>(
  signal: AbortSignal | undefined,
  interrupt: () => void,
  work: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return work()
  signal.throwIfAborted()
  let timer: NodeJS.Timeout | undefined
  const stop = (): void => {
    interrupt()
    timer = setInterval(interrupt, 20)
  }
  signal.addEventListener('abort', stop)
  try {
    return await work()
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    clearInterval(timer)
  }
}

/** An error's text where its place counts from the begin of the statement that was asked. */
function withoutPrefix(text: string): string {
  const before = explainPrefix.length
  return text
    .replace(/"position":"(\d+)"/, (_, place: string) => `"position":"${Math.max(0, Number(place) - before)}"`)
    .replace(`LINE 1: ${explainPrefix}`, 'LINE 1: ')
}

/** The type, with names for the fields of its structs that an object keeps, each and in their order, whatever the statement calls them. */
function withOwnNames(type: ValueType): ValueType {
  const types = api()
  if (type instanceof types.DuckDBListType) return types.LIST(withOwnNames(type.valueType))
  if (type instanceof types.DuckDBArrayType) return types.ARRAY(withOwnNames(type.valueType), type.length)
  if (type instanceof types.DuckDBMapType) return types.MAP(withOwnNames(type.keyType), withOwnNames(type.valueType))
  if (type instanceof types.DuckDBUnionType)
    return new types.DuckDBUnionType(type.memberTags, type.memberTypes.map(withOwnNames))
  if (!(type instanceof types.DuckDBStructType)) return type
  const { entryNames } = type
  const isKept = entryNames.every(name => /^[a-z]/i.test(name)) && new Set(entryNames).size === entryNames.length
  return new types.DuckDBStructType(
    isKept ? entryNames : entryNames.map((_, i) => `field ${i + 1}`),
    type.entryTypes.map(withOwnNames),
  )
}

/** Bytes of a value, by the number of its type. */
const widths: Readonly<Record<number, number>> = {
  [bindings.Type.BOOLEAN]: 1,
  [bindings.Type.UTINYINT]: 1,
  [bindings.Type.USMALLINT]: 2,
  [bindings.Type.UINTEGER]: 4,
  [bindings.Type.UBIGINT]: 8,
  [bindings.Type.BIGINT]: 8,
  [bindings.Type.TIMESTAMP]: 8,
}

/** Typed arrays of wider values begin at multiples of their width. */
function bytesOf(data: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = data
  if (buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength === byteLength) return buffer
  return data.slice().buffer as ArrayBuffer
}
