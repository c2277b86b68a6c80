/**
 * The one module that opens DuckDB.
 *
 * Every database is in memory: the record of a case is its segments and its ledger. Each process, and each worker thread, has a
 * database of its own that can be thrown away at any time.
 */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import type native from '@duckdb/node-bindings'
import { assert, errorText, UserError } from '../errors.ts'
import { Answer, abortable, explainPrefix, type Reading } from './answer.ts'
import bindings, { api } from './bindings.ts'
import { Turns } from './turns.ts'

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
  private readonly instance: native.Database
  private readonly handle: native.Connection
  private opened: DuckDBConnection | null = null
  private readonly beside = new Set<native.Connection>()
  /** Connections of their own that this one was asked for; empty for those. */
  private readonly forks = new Set<Database>()
  private readonly parent: Database | null
  private isOpen = true
  private interrupts = 0
  private readonly turns = new Turns()
  /** Of the question whose turn it is. */
  private asking: AbortSignal | undefined

  private constructor(instance: native.Database, handle: native.Connection, parent: Database | null = null) {
    this.instance = instance
    this.handle = handle
    this.parent = parent
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    const config = bindings.create_config()
    const settings = {
      ...lockdown,
      threads: String(options.threads),
      memory_limit: options.memoryLimit,
      temp_directory: options.tempDirectory ?? '',
    }
    for (const [name, value] of Object.entries(settings)) bindings.set_config(config, name, value)
    const instance = await bindings.open(':memory:', config)
    const database = new Database(instance, await bindings.connect(instance))
    const held = Object.entries(lockdown).map(
      ([name, value]) => `current_setting(${quotedString(name)})::VARCHAR IS NOT DISTINCT FROM ${quotedString(value)}`,
    )
    await database.run(`SELECT CASE WHEN NOT (${held.join(' AND ')}) THEN error('lock-down settings do not hold') END`)
    return database
  }

  /** Another connection to the same data, without the temporary tables of this one: what is asked of either does not disturb the other. */
  async fork(): Promise<Database> {
    if (!this.isOpen) throw closedError()
    const fork = new Database(this.instance, await bindings.connect(this.instance), this)
    this.forks.add(fork)
    return fork
  }

  /**
   * Works on one question. Questions wait for each other: what they put into temporary tables is their own. A signal takes a question that
   * waits out of the queue, and interrupts that one alone which works. A question must not ask another one.
   */
  async question<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return this.turns.take(signal, async () => {
      this.asking = signal
      try {
        const done = await abortable(signal, () => this.interrupt(), work)
        signal?.throwIfAborted()
        return done
      } finally {
        this.asking = undefined
      }
    })
  }

  /** Forbids files outside `folder`, the network and changes of settings, for good. */
  async confineTo(folder: string): Promise<void> {
    // A path is looked up as it was written, with the marks of patterns escaped.
    await this.run(`SET allowed_directories = [${quotedString(folder)}, ${quotedPath(folder)}]`)
    await this.run('SET enable_external_access = false')
    await this.run('SET lock_configuration = true')
  }

  async run(sql: string, values: readonly Value[] = []): Promise<void> {
    this.requireOpen()
    if (values.length === 0) await bindings.query(this.handle, sql)
    else await this.executed(sql, values, bindings.execute_prepared)
  }

  /** Drops a table, no temporary one, also where the question that began it was stopped. */
  async discard(table: string): Promise<void> {
    const fork = await this.fork()
    try {
      await fork.run(`DROP TABLE IF EXISTS ${quotedName(table)}`)
    } finally {
      fork.close()
    }
  }

  /** All rows, sums as numbers where they are exact. For results that are known to be small. */
  async rows(sql: string, values: readonly Value[] = []): Promise<Row[]> {
    const answer = new Answer(await this.executed(sql, values, bindings.execute_prepared), this.reading(sql, values))
    const rows: Row[] = []
    for await (const batch of answer) {
      for (const row of batch) rows.push(Object.fromEntries(answer.names.map((name, i) => [name, exact(row[i]!)])))
    }
    return rows
  }

  /** Begins a statement whose rows are read as they are made; until their end, this connection answers nothing else. */
  async stream(sql: string, values: readonly Value[] = [], signal?: AbortSignal): Promise<Answer> {
    const execute = (): Promise<native.Result> => this.executed(sql, values, bindings.execute_prepared_streaming)
    const result = await abortable(signal, () => this.interrupt(), execute)
    return new Answer(result, this.reading(sql, values, signal))
  }

  private async executed(
    sql: string,
    values: readonly Value[],
    execute: (statement: native.PreparedStatement) => Promise<native.Result>,
  ): Promise<native.Result> {
    this.requireOpen()
    const statement = await bindings.prepare(this.handle, sql)
    try {
      if (values.length > 0) new (api().DuckDBPreparedStatement)(statement).bind([...values])
      return await execute(statement)
    } finally {
      bindings.destroy_prepare_sync(statement)
    }
  }

  /** What the reader of a result must know of its statement. */
  private reading(sql: string, values: readonly Value[], signal?: AbortSignal): Reading {
    const before = this.interrupts
    return {
      signal,
      requireOpen: () => this.requireOpen(),
      interrupt: () => this.interrupt(),
      isInterrupted: () => this.interrupts !== before,
      again: async () => void (await this.executed(`${explainPrefix}${sql}`, values, bindings.execute_prepared)),
    }
  }

  private requireOpen(): void {
    this.asking?.throwIfAborted()
    if (!this.isOpen) throw closedError()
  }

  /** Makes a function of one row. Null for a null argument; what it throws fails the query, with that message. */
  registerScalar(given: ScalarFunction): void {
    const { DuckDBScalarFunction } = api()
    const parameters = given.parameters.map(logical)
    const mainFunction: import('@duckdb/node-api').DuckDBScalarMainFunction = (info, input, output) => {
      const columns = parameters.map((_, i) => input.getColumnVector(i))
      try {
        for (let row = 0; row < input.rowCount; row++) {
          const values = columns.map(column => column.getItem(row))
          output.setItem(row, values.includes(null) ? null : given.work(values))
        }
        output.flush()
      } catch (error) {
        info.setError(errorText(error))
      }
    }
    this.opened ??= new (api().DuckDBConnection)(this.handle)
    this.opened.registerScalarFunction(
      DuckDBScalarFunction.create({
        name: given.name,
        parameterTypes: parameters,
        returnType: logical(given.returns),
        mainFunction,
      }),
    )
  }

  /** Makes a table function of this connection. */
  register(table: native.TableFunction): void {
    bindings.register_table_function(this.handle, table)
  }

  /**
   * Runs a statement beside what is asked of this object meanwhile: what it makes must not be temporary, and what it reads neither.
   * `interrupt` ends it too.
   */
  async runBeside(sql: string): Promise<void> {
    this.requireOpen()
    const handle = await bindings.connect(this.instance)
    this.beside.add(handle)
    try {
      await bindings.query(handle, sql)
    } finally {
      this.beside.delete(handle)
      bindings.disconnect_sync(handle)
    }
  }

  /** Ends what this connection is busy with, and what it runs beside; not what a fork of it does. */
  interrupt(): void {
    this.interrupts++
    for (const handle of [this.handle, ...this.beside]) bindings.interrupt(handle)
  }

  close(): void {
    if (!this.isOpen) return
    for (const fork of this.forks) fork.close()
    this.isOpen = false
    if (this.opened) this.opened.closeSync()
    else bindings.disconnect_sync(this.handle)
    if (this.parent === null) bindings.close_sync(this.instance)
    else this.parent.forks.delete(this)
  }
}

function closedError(): UserError {
  return new UserError('the case was closed', { hint: 'read all rows of an answer before it is closed' })
}

/** A column's type in a signature, or the unsigned 64-bit parts of a struct. */
export type SignatureType = 'VARCHAR' | 'BIGINT' | 'UBIGINT' | { parts: readonly string[] }

export interface ScalarFunction {
  name: string
  parameters: readonly SignatureType[]
  returns: SignatureType
  /** Values are of the types that the signature says, none is null. */
  work(values: readonly Value[]): Value
}

function logical(type: SignatureType): import('@duckdb/node-api').DuckDBType {
  const types = api()
  if (typeof type === 'string') return types[type]
  return types.STRUCT(Object.fromEntries(type.parts.map(part => [part, types.UBIGINT])))
}

/** The classes of the values that results hold. */
export function valueClasses(): typeof import('@duckdb/node-api') {
  return api()
}

function exact(value: Value): Value {
  if (typeof value !== 'bigint') return value
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

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
 * The table function `chunks()`: typed arrays, seen from SQL as a table, without a copy of them in the database.
 *
 * `COPY (SELECT … FROM chunks())` streams them into Parquet at a seventh of what an appender and a table in memory cost.
 */
export class ChunkTable {
  private columns: readonly ChunkColumn[] = []
  private rows = 0
  private at = 0
  private static readonly tables = new WeakMap<Database, ChunkTable>()

  private constructor(database: Database) {
    const table = bindings.create_table_function()
    bindings.table_function_set_name(table, 'chunks')
    bindings.table_function_set_bind(table, info => {
      for (const column of this.columns) bindings.bind_add_result_column(info, column.name, logicalType(column.type))
      bindings.bind_set_cardinality(info, this.rows, true)
    })
    bindings.table_function_set_init(table, info => bindings.init_set_max_threads(info, 1))
    bindings.table_function_set_function(table, (_, chunk) => this.fill(chunk))
    database.register(table)
  }

  /** The one of a database: a second table function of the name would be ignored. */
  static of(database: Database): ChunkTable {
    const known = ChunkTable.tables.get(database)
    if (known !== undefined) return known
    const table = new ChunkTable(database)
    ChunkTable.tables.set(database, table)
    return table
  }

  /** What the next query over `chunks()` sees. The arrays must not change until it has ended. */
  offer(columns: readonly ChunkColumn[], rows: number): void {
    this.columns = columns
    this.rows = rows
    this.at = 0
  }

  private fill(chunk: native.DataChunk): void {
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

function copyInto(vector: native.Vector, data: ChunkColumn['data'], from: number, rows: number): void {
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

function logicalType(type: ChunkColumn['type']): native.LogicalType {
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
