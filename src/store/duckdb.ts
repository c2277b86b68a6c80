/**
 * The one module that opens DuckDB.
 *
 * Every database is in memory: the record of a case is its segments and its ledger. Each process, and each worker thread, has a
 * database of its own that can be thrown away at any time.
 */
import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBResultReader,
  DuckDBTableFunction,
  type DuckDBType,
  type DuckDBValue,
  ENUM,
  TIMESTAMP,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
} from '@duckdb/node-api'
import bindings from '@duckdb/node-bindings'
import { assert } from '../errors.ts'

/** DuckDB's own version, e.g. `v1.5.6`. */
export function duckdbVersion(): string {
  return bindings.library_version()
}

/** Nothing is downloaded, and nothing loads by itself. Read back after opening: a default that changes is noticed at once. */
const lockdown = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
  allow_unsigned_extensions: 'false',
  allow_persistent_secrets: 'false',
} as const

export interface DatabaseOptions {
  threads: number
  memoryLimit: string
  /** Where large sorts and joins may spill; null: nowhere. */
  tempDirectory: string | null
}

export type Value = DuckDBValue
/** Rows with columns by name; counts that pass 2^53 are bigints. */
export type Row = Record<string, Value>

export class Database {
  private readonly instance: DuckDBInstance
  readonly connection: DuckDBConnection

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.instance = instance
    this.connection = connection
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    const instance = await DuckDBInstance.create(':memory:', {
      ...lockdown,
      threads: String(options.threads),
      memory_limit: options.memoryLimit,
      temp_directory: options.tempDirectory ?? '',
    })
    const database = new Database(instance, await instance.connect())
    const names = Object.keys(lockdown)
    const rows = await database.rows(
      `SELECT name, value FROM duckdb_settings() WHERE name IN (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
      names,
    )
    assert(
      rows.length === names.length && rows.every(row => row['value'] === 'false'),
      'DuckDB accepts the lock-down settings',
    )
    return database
  }

  /** Forbids files outside `folder`, the network and changes of settings, for good. */
  async confineTo(folder: string): Promise<void> {
    await this.connection.run(`SET allowed_directories = [${quotedString(folder)}]`)
    await this.connection.run('SET enable_external_access = false')
    await this.connection.run('SET lock_configuration = true')
  }

  async run(sql: string, values: readonly Value[] = []): Promise<void> {
    await this.connection.run(sql, [...values])
  }

  /** All rows, sums as numbers where they are exact. For results that are known to be small. */
  async rows(sql: string, values: readonly Value[] = []): Promise<Row[]> {
    const reader: DuckDBResultReader = await this.connection.runAndReadAll(sql, [...values])
    return reader
      .getRowObjects()
      .map(row => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, exact(value)])))
  }

  interrupt(): void {
    this.connection.interrupt()
  }

  close(): void {
    this.connection.closeSync()
    this.instance.closeSync()
  }
}

function exact(value: Value): Value {
  if (typeof value !== 'bigint') return value
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

const chunkTypes = { UTINYINT, USMALLINT, UINTEGER, UBIGINT, TIMESTAMP } as const

/** A column that `ChunkTable` gives out. */
export interface ChunkColumn {
  name: string
  /** A number's type, or the words that the numbers of a text column stand for. */
  type: keyof typeof chunkTypes | readonly string[]
  data: Uint8Array | Uint16Array | Uint32Array | BigUint64Array
  /** One bit a row, set for a value; null if there are no nulls. */
  valid: Uint8Array | null
}

const chunkRows = bindings.vector_size()

/**
 * The table function `chunks()`: typed arrays, seen from SQL as a table, without a copy of them in the database.
 *
 * `COPY (SELECT … FROM chunks())` streams them into Parquet at a seventh of what an appender and a table in memory cost.
 */
export class ChunkTable {
  private columns: readonly ChunkColumn[] = []
  private rows = 0
  private at = 0

  constructor(database: Database) {
    const table = DuckDBTableFunction.create({
      name: 'chunks',
      bindFunction: info => {
        for (const column of this.columns) info.addResultColumn(column.name, duckdbType(column.type))
        info.setCardinality(this.rows, true)
      },
      initFunction: info => info.setMaxThreads(1),
      mainFunction: (_, output) => this.fill(output.chunk as unknown as Chunk),
    })
    database.connection.registerTableFunction(table)
  }

  /** What the next query over `chunks()` sees. The arrays must not change until it has ended. */
  offer(columns: readonly ChunkColumn[], rows: number): void {
    this.columns = columns
    this.rows = rows
    this.at = 0
  }

  private fill(chunk: Chunk): void {
    const rows = Math.min(chunkRows, this.rows - this.at)
    if (rows > 0) {
      for (const [i, column] of this.columns.entries()) {
        const vector = bindings.data_chunk_get_vector(chunk, i)
        const width = column.data.BYTES_PER_ELEMENT
        bindings.copy_data_to_vector(vector, 0, plain(column.data), this.at * width, rows * width)
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

function duckdbType(type: ChunkColumn['type']): DuckDBType {
  return typeof type === 'string' ? chunkTypes[type] : ENUM(type)
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

type Chunk = Parameters<typeof bindings.data_chunk_get_vector>[0]

/** SQL text for a string that no parameter can carry: a file's path. Values of questions are always parameters. */
export function quotedString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** SQL text for a path that DuckDB would take for a pattern: each wildcard stands for itself. */
export function quotedPath(path: string): string {
  return quotedString(path.replace(/[*?[]/g, '[$&]'))
}

/** SQL text for a column or table name. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
