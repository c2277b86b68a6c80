/** Typed arrays as a table of DuckDB. */
import { assert } from '../errors.ts'
import bindings from './bindings.ts'

type TableFunction = ReturnType<typeof bindings.create_table_function>
type DataChunk = Parameters<typeof bindings.data_chunk_get_vector>[0]
type Vector = ReturnType<typeof bindings.data_chunk_get_vector>
type LogicalType = ReturnType<typeof bindings.create_logical_type>

const chunkTypes = {
  UTINYINT: bindings.Type.UTINYINT,
  USMALLINT: bindings.Type.USMALLINT,
  UINTEGER: bindings.Type.UINTEGER,
  UBIGINT: bindings.Type.UBIGINT,
  TIMESTAMP: bindings.Type.TIMESTAMP,
  VARCHAR: bindings.Type.VARCHAR,
} as const

/** A column that `ChunkTable` gives out. */
export interface ChunkColumn {
  name: string
  /** A number's type, or the words that the numbers of a text column stand for. */
  type: keyof typeof chunkTypes | readonly string[]
  data: Uint8Array | Uint16Array | Uint32Array | BigUint64Array | readonly string[]
  /** One bit a row, set for a value; null if there are no nulls. */
  valid: Uint8Array | null
}

const chunkRows = bindings.vector_size()

/**
 * The table function `chunks()` (`Database.chunkTable`): typed arrays, seen from SQL as a table, without a copy of them in the database. One
 * statement at a time may read it.
 *
 * `COPY (SELECT … FROM chunks())` streams them into Parquet at a seventh of what an appender and a table in memory cost.
 */
export class ChunkTable {
  private columns: readonly ChunkColumn[] = []
  private rows = 0
  private at = 0

  /** @param register makes the function known to the database. */
  constructor(register: (table: TableFunction) => void) {
    const table = bindings.create_table_function()
    bindings.table_function_set_name(table, 'chunks')
    bindings.table_function_set_bind(table, info => {
      for (const column of this.columns) bindings.bind_add_result_column(info, column.name, logicalType(column.type))
      bindings.bind_set_cardinality(info, this.rows, true)
    })
    bindings.table_function_set_init(table, info => bindings.init_set_max_threads(info, 1))
    bindings.table_function_set_function(table, (_, chunk) => this.fill(chunk))
    register(table)
  }

  /** What the next query over `chunks()` sees. The arrays must not change until it has ended. */
  offer(columns: readonly ChunkColumn[], rows: number): void {
    this.columns = columns
    this.rows = rows
    this.at = 0
  }

  private fill(chunk: DataChunk): void {
    const rows = Math.min(chunkRows, this.rows - this.at)
    if (rows > 0) {
      for (const [i, column] of this.columns.entries()) {
        const vector = bindings.data_chunk_get_vector(chunk, i)
        copyInto(vector, column.data, this.at, rows)
        if (column.valid) {
          bindings.vector_ensure_validity_writable(vector)
          bindings.copy_data_to_vector_validity(vector, 0, plain(column.valid), this.at / 8, Math.ceil(rows / 64) * 8)
        }
      }
    }
    bindings.data_chunk_set_size(chunk, rows)
    this.at += rows
  }
}

function copyInto(vector: Vector, data: ChunkColumn['data'], from: number, rows: number): void {
  if (isStrings(data)) {
    for (let row = 0; row < rows; row++) bindings.vector_assign_string_element(vector, row, data[from + row] ?? '')
  } else {
    const width = data.BYTES_PER_ELEMENT
    bindings.copy_data_to_vector(vector, 0, plain(data), from * width, rows * width)
  }
}

function isStrings(data: ChunkColumn['data']): data is readonly string[] {
  return Array.isArray(data)
}

function logicalType(type: ChunkColumn['type']): LogicalType {
  return typeof type === 'string' ? bindings.create_logical_type(chunkTypes[type]) : bindings.create_enum_type(type)
}

/** Bytes that DuckDB keeps for one number of a text column with that many words. */
export function codeArray(codes: Uint32Array, words: number): Uint8Array | Uint16Array | Uint32Array {
  // The constructors convert at the speed of memory; `from` would go through an iterator, a hundred times slower.
  if (words <= 255) return new Uint8Array(codes)
  return words <= 65535 ? new Uint16Array(codes) : codes
}

function plain(array: { buffer: ArrayBufferLike; byteOffset: number }): ArrayBuffer {
  assert(array.buffer instanceof ArrayBuffer && array.byteOffset === 0, 'a column owns its buffer')
  return array.buffer
}
