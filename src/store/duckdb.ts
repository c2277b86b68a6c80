/**
 * The one module that opens DuckDB.
 *
 * Every database is in memory: the record of a case is its segments and its ledger. Each process, and each worker thread, has a
 * database of its own that can be thrown away at any time.
 */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import type native from '@duckdb/node-bindings'
import { errorText, UserError } from '../errors.ts'
import { Answer, abortable, explainPrefix, type Reading } from './answer.ts'
import bindings, { api } from './bindings.ts'
import { type ChunkColumn, ChunkTable } from './chunk-table.ts'
import { plainParameter } from './plain-values.ts'
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

const bytesOf = { MB: 1e6, GB: 1e9, MiB: 2 ** 20 } as const

export interface DatabaseOptions {
  threads: number
  memoryLimit: `${number}${keyof typeof bytesOf}`
  /** Where large sorts and joins may spill; null: nowhere. */
  tempDirectory: string | null
}

export type Value = DuckDBValue
/** Rows with columns by name; counts that pass 2^53 are bigints. */
export type Row = Record<string, Value>

/** What the connections of one database share. */
interface Shared {
  readonly instance: native.Database
  /** The limit that the database was opened with. */
  readonly limit: DatabaseOptions['memoryLimit']
  /** The first one is that of `open`. */
  readonly connections: Set<Database>
  /** Connections that are being made. */
  connecting: number
  readonly questions: Turns
  /** Works of which one of a name is done at a time. */
  readonly turns: Map<string, Turns>
  /** Tables of all connections that are there and whole. */
  readonly made: Set<string>
  isOpen: boolean
  /** Megabytes that hold now. */
  megabytes: number
  chunks: ChunkTable | null
}

/**
 * A connection to a database in memory. `open` gives the first one; `fork` and `question` give others to the same tables, whose temporary
 * tables are their own.
 *
 * Any number of questions may be asked at the same time: some work, the others wait (`questionsAtOnce`). Statements of one connection wait
 * for each other.
 */
export class Database {
  private readonly shared: Shared
  private readonly handle: native.Connection
  /** That it may use; infinite: it did not say; 0: no matter. */
  private megabytes: number
  private opened: DuckDBConnection | null = null
  /** Connections that work for this one: they are interrupted with it. */
  private readonly helpers = new Set<Database>()
  private isOpen = true
  private interrupts = 0
  /** Statements that DuckDB is at. */
  private busy = 0
  /** Of the question that this connection is for. */
  private asking: AbortSignal | undefined

  private constructor(shared: Shared, handle: native.Connection, megabytes: number) {
    this.shared = shared
    this.handle = handle
    this.megabytes = megabytes
    shared.connections.add(this)
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
    const shared: Shared = {
      instance,
      limit: options.memoryLimit,
      connections: new Set(),
      connecting: 0,
      questions: new Turns(questionsAtOnce(options.threads)),
      turns: new Map(),
      made: new Set(),
      isOpen: true,
      megabytes: Number.POSITIVE_INFINITY,
      chunks: null,
    }
    const database = new Database(shared, await bindings.connect(instance), 0)
    const held = Object.entries(lockdown).map(
      ([name, value]) => `current_setting(${quotedString(name)})::VARCHAR IS NOT DISTINCT FROM ${quotedString(value)}`,
    )
    await database.run(`SELECT CASE WHEN NOT (${held.join(' AND ')}) THEN error('lock-down settings do not hold') END`)
    return database
  }

  /** Another connection to the same data, without the temporary tables of this one: what is asked of either does not disturb the other. */
  async fork(): Promise<Database> {
    const fork = await this.connected(Number.POSITIVE_INFINITY)
    try {
      await this.shareMemory()
    } catch (error) {
      await fork.close()
      throw error
    }
    return fork
  }

  private async connected(megabytes: number): Promise<Database> {
    const { shared } = this
    if (!shared.isOpen) throw closedError()
    shared.connecting++
    try {
      const handle = await bindings.connect(shared.instance)
      if (shared.isOpen) return new Database(shared, handle, megabytes)
      bindings.disconnect_sync(handle)
      throw closedError()
    } finally {
      shared.connecting--
    }
  }

  /**
   * Works on one question, with a connection of its own: questions do not meet. Those that are more than `questionsAtOnce` wait, in the
   * order in which they were asked. A signal takes a question that waits out of the queue, and interrupts that one alone which works.
   * A question must not wait for another one.
   *
   * @throws UserError when the database is closed meanwhile.
   */
  async question<T>(signal: AbortSignal | undefined, work: (own: Database) => Promise<T>): Promise<T> {
    return this.shared.questions.take(signal, async () => {
      const own = await this.fork()
      own.asking = signal
      try {
        const done = await abortable(
          signal,
          () => own.interrupt(),
          () => work(own),
        )
        signal?.throwIfAborted()
        return done
      } finally {
        await own.close()
      }
    })
  }

  /** Sees to it that a table of all connections is there: one makes it, while others that need it wait. What fails is dropped again. */
  async once(table: string, make: () => Promise<void>): Promise<void> {
    await this.alone(table, async () => {
      if (this.shared.made.has(table)) return
      try {
        await make()
      } catch (error) {
        // The reason why it was not made is the one to tell.
        await this.drop(table).catch(() => undefined)
        throw error
      }
      this.shared.made.add(table)
    })
  }

  /** Drops a table of all connections, also where the question that made it was stopped. */
  async drop(table: string): Promise<void> {
    if (this.shared.isOpen) await this.beside(`DROP TABLE IF EXISTS ${quotedName(table)}`)
  }

  /** Does works of one name one after the other, whoever asks. */
  async alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.turn(name).take(this.asking, work)
  }

  private turn(name: string): Turns {
    const { turns } = this.shared
    const queue = turns.get(name) ?? new Turns()
    turns.set(name, queue)
    return queue
  }

  /**
   * Says how many megabytes this connection may use until it is closed. DuckDB has one limit for all: the sum of what those may use that
   * are open, or what the database was opened with if that is less, or if one of them did not say. What is over goes to the disk.
   */
  async useAtMost(megabytes: number): Promise<void> {
    this.megabytes = megabytes
    await this.shareMemory()
  }

  private async shareMemory(): Promise<void> {
    const { shared } = this
    const set = async (): Promise<void> => {
      const megabytes = this.memoryWanted()
      if (megabytes === shared.megabytes || !shared.isOpen) return
      const text = megabytes === Number.POSITIVE_INFINITY ? shared.limit : `${Math.ceil(megabytes)}MB`
      try {
        await this.beside(`SET memory_limit = '${text}'`)
        shared.megabytes = megabytes
      } catch (error) {
        // Where more is in use than it is to be, it stays as it is until the next one ends.
        if (megabytes > shared.megabytes && shared.isOpen) throw error
      }
    }
    await this.turn('memory_limit').take(undefined, set)
  }

  /** Megabytes that the open connections may use together; infinite: as much as the database was opened with. */
  private memoryWanted(): number {
    const { connections, limit } = this.shared
    const needs = [...connections].map(one => one.megabytes).filter(one => one > 0)
    const sum = needs.reduce((total, one) => total + one, 0)
    const [, number, unit] = /^(\d+)(\w+)$/.exec(limit)!
    const most = Number(number) * bytesOf[unit as keyof typeof bytesOf]
    return needs.length === 0 || sum * 1e6 >= most ? Number.POSITIVE_INFINITY : sum
  }

  /** Forbids files outside some folders, the network and changes of settings, for good. */
  async confineTo(...folders: readonly string[]): Promise<void> {
    // A path is looked up as it was written, with the marks of patterns escaped.
    const allowed = folders.flatMap(folder => [quotedString(folder), quotedPath(folder)])
    await this.run(`SET allowed_directories = [${allowed.join(', ')}]`)
    await this.run('SET enable_external_access = false')
    await this.run('SET lock_configuration = true')
  }

  async run(sql: string, values: readonly Value[] = []): Promise<void> {
    if (values.length === 0) await this.doing(() => bindings.query(this.handle, sql))
    else await this.executed(sql, values, bindings.execute_prepared)
  }

  /** All rows, sums as numbers where they are exact. For results that are known to be small. */
  async rows(sql: string, values: readonly Value[] = []): Promise<Row[]> {
    const answer = new Answer(await this.executed(sql, values, bindings.execute_prepared), this.reading(sql, values))
    const rows: Row[] = []
    for await (const batch of answer) {
      for (const found of batch) {
        const row: Row = {}
        for (const [i, name] of answer.names.entries()) row[name] = exact(found[i]!)
        rows.push(row)
      }
    }
    return rows
  }

  /** Begins a statement whose rows are read as they are made; until their end, this connection answers nothing else. */
  async stream(sql: string, values: readonly Value[] = [], signal?: AbortSignal): Promise<Answer> {
    const execute = (): Promise<native.Result> => this.executed(sql, values, bindings.execute_prepared_streaming)
    const result = await abortable(signal, () => this.interrupt(), execute)
    return new Answer(result, this.reading(sql, values, signal))
  }

  private executed(
    sql: string,
    values: readonly Value[],
    execute: (statement: native.PreparedStatement) => Promise<native.Result>,
  ): Promise<native.Result> {
    return this.doing(async () => {
      const statement = await bindings.prepare(this.handle, sql)
      try {
        for (const [i, value] of values.entries()) bind(statement, i + 1, value)
        return await execute(statement)
      } finally {
        bindings.destroy_prepare_sync(statement)
      }
    })
  }

  /** What the reader of a result must know of its statement. */
  private reading(sql: string, values: readonly Value[], signal?: AbortSignal): Reading {
    const before = this.interrupts
    return {
      signal,
      fetch: work => this.doing(work),
      interrupt: () => this.interrupt(),
      isInterrupted: () => this.interrupts !== before,
      again: async () => void (await this.executed(`${explainPrefix}${sql}`, values, bindings.execute_prepared)),
    }
  }

  /** For work on its rows that DuckDB does not do. @throws the signal's reason, or a UserError when it was closed. */
  requireGoing(): void {
    this.asking?.throwIfAborted()
    if (!this.isOpen) throw closedError()
  }

  /** What DuckDB does for this connection, which is not closed before it has ended. */
  private async doing<T>(work: () => Promise<T>): Promise<T> {
    this.requireGoing()
    this.busy++
    try {
      const done = await work()
      if (this.isOpen) return done
    } catch (error) {
      if (this.isOpen) throw error
    } finally {
      this.busy--
    }
    throw closedError()
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

  /** The table function of this database: a second one of the name would be ignored. */
  chunkTable(): ChunkTable {
    this.shared.chunks ??= new ChunkTable(table => bindings.register_table_function(this.handle, table))
    return this.shared.chunks
  }

  /**
   * Runs a statement on a connection of its own, beside what is asked of this object meanwhile: what it makes must not be temporary, and what
   * it reads neither. `interrupt` ends it too.
   */
  async runBeside(sql: string): Promise<void> {
    this.asking?.throwIfAborted()
    await this.beside(sql, this.helpers)
  }

  private async beside(sql: string, helpers: Set<Database> | null = null): Promise<void> {
    const helper = await this.connected(0)
    helpers?.add(helper)
    try {
      await helper.run(sql)
    } finally {
      helpers?.delete(helper)
      await helper.close()
    }
  }

  /** Ends what this connection is busy with, and what it runs beside; not what others do. */
  interrupt(): void {
    this.interrupts++
    bindings.interrupt(this.handle)
    for (const helper of this.helpers) helper.interrupt()
  }

  /** Ends what is asked of this connection, and closes it; the first one closes all others too, and the database. */
  async close(): Promise<void> {
    const { shared } = this
    if (!shared.connections.has(this)) return
    const [first] = shared.connections
    if (this !== first) return this.disconnect()
    shared.isOpen = false
    // The first one last: what others do may be waited for through it.
    for (const one of [...shared.connections].reverse()) one.isOpen = false
    for (const one of [...shared.connections].reverse()) await one.disconnect()
    while (shared.connecting > 0) await pause()
    bindings.close_sync(shared.instance)
  }

  private async disconnect(): Promise<void> {
    const { shared } = this
    this.isOpen = false
    while (this.busy > 0) {
      this.interrupt()
      await pause()
    }
    if (!shared.connections.delete(this)) return
    if (this.opened) this.opened.closeSync()
    else bindings.disconnect_sync(this.handle)
    if (this.megabytes > 0) await this.shareMemory()
  }
}

function bind(statement: native.PreparedStatement, parameter: number, value: Value): void {
  const plain = plainParameter(value)
  if (plain === null) new (api().DuckDBPreparedStatement)(statement).bindValue(parameter, value)
  else bindings.bind_value(statement, parameter, plain)
}

/** DuckDB forgets an interrupt that comes just before a statement begins: it is repeated. */
function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 20))
}

/**
 * How many questions of one database work at the same time: as many as there are processors, and at least two, so that a short one need not
 * wait for a long one. Each may hold a thread of libuv, of which one is left for files.
 */
function questionsAtOnce(processors: number): number {
  const poolThreads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4)
  return Math.max(2, Math.min(processors, poolThreads - 1))
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

/** Keeps typed arrays as a table of all connections; one of that name that is there already stays. */
export async function keepColumns(
  database: Database,
  table: string,
  columns: readonly ChunkColumn[],
  rows: number,
): Promise<void> {
  const make = async (): Promise<void> => {
    database.chunkTable().offer(columns, rows)
    await database.run(`CREATE TABLE ${quotedName(table)} AS SELECT * FROM chunks()`)
  }
  await database.once(table, () => database.alone('chunks', make))
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
