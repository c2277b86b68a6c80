/** An engine of SQL that holds flow records in a table: what is asked of it, whichever it is. */
import type { Dialect } from '../query/dialect.ts'
import type { Sql } from '../query/sql.ts'

/** Rows as texts, in the order of the statement's columns; every column is asked for as text, so that no number is rounded on its way. */
export type TextRow = readonly (string | null)[]

export interface EngineColumn {
  name: string
  /** As the engine names it, in small letters. */
  type: string
}

export interface PartitionColumn extends EngineColumn {
  values: readonly string[]
  /** There may be other values. */
  isSample?: true
}

/** The table of flow records. */
export interface EngineTable {
  /** Its name as SQL, quoted. */
  sql: string
  columns: readonly EngineColumn[]
  /** The columns that say in which folder a record lies, and some of their values; none where the table is in one piece. */
  partitions: readonly PartitionColumn[]
  /** Whether the engine can list the partitions: not those that it works out of the table's properties. */
  listsPartitions: boolean
  /** Whether a record tells which object it lies in. */
  hasPath: boolean
  /** Where its objects lie; null, or absent: not told. */
  objects?: TableObjects | null
}

export interface TableObjects {
  bucket: string
  /** With which all keys begin. */
  prefix: string
  /** Folders below it that tell a partition. */
  depth: number
  /** Whether of an object only those columns are read that are asked for. */
  isColumnar: boolean
  /**
   * What a key says of the columns of partitions; where it ends with `/`, as far as it goes, so that the last value may be the beginning of one.
   * Null: no question reads it.
   */
  valuesIn(key: string): ReadonlyMap<string, string> | null
}

/** Whether a folder may hold what is asked for. `told`: a column's value, or how it begins; null: not told. */
export type MayHold = (told: (column: string) => string | null) => boolean

/** What a statement has done so far, on the engine. */
export interface EngineProgress {
  /** The engine's own id of it, where it can be looked at by that. */
  id?: string
  state: string
  /** Bytes that were read from where the table lies; null: not told. */
  bytes: number | null
  rows: number | null
  /** From 0 to 1; null: not told. */
  done: number | null
}

/** A statement that was run. */
export interface Ran {
  /** The engine's own id of it. */
  id: string
  bytes: number | null
  /** The engine gave the answer of an earlier run, as it was asked to where it can. */
  reused?: true
}

export interface AskOptions {
  signal?: AbortSignal
  onProgress?: (progress: EngineProgress) => void
}

export interface EstimateOptions extends AskOptions {
  /** As the condition on the columns of partitions; absent: every folder may. */
  mayHold?: MayHold
}

/** What a statement will read; null: not known. */
export interface Estimate {
  /** Folders of the table that are read; null: it has none, or it is not known. */
  partitions: number | null
  partitions_of_table: number | null
  bytes: number | null
  objects?: number | null
  /** Whether it may be less than `bytes`. */
  at_most?: boolean
  /** Why `bytes` is not known, in words. */
  unknown?: string | null
}

export interface Engine {
  readonly name: 'trino' | 'athena'
  /** Where it is, without credentials, for people. */
  readonly place: string
  readonly dialect: Dialect
  /** Characters that a statement may have, its bound values too; it is refused before it is sent. */
  readonly lettersMost: number
  /** Every statement that was run, in their order. */
  readonly ran: readonly Ran[]
  /** How a person sees a statement that this process does not wait for, by its id. */
  shownBy?(id: string): string
  /** What will be sent for a statement: its text with the bound values. */
  sent(statement: Sql): string
  /**
   * Runs a statement, and gives its rows as they come.
   *
   * @throws UserError for what the engine refuses, and where it cannot be reached; the signal's reason, after the statement was cancelled there.
   */
  ask(statement: Sql, options?: AskOptions): AsyncGenerator<TextRow[]>
  /** @throws UserError where there is no such table. */
  table(options?: AskOptions): Promise<EngineTable>
  /** @param statement which is explained, and not run. @param partitions a condition on the columns of partitions, as SQL; null: all are read. */
  estimate(statement: Sql, table: EngineTable, partitions: Sql | null, options?: EstimateOptions): Promise<Estimate>
}
