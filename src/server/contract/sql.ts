/** Queries in SQL. */
import type { Failure } from './common.ts'

/** `GET /api/sql`: what can be asked. */
export interface SqlHelpAnswer {
  views: { name: string; doc: string; columns: { name: string; type: string; doc: string }[] }[]
  functions: { call: string; returns: string; doc: string }[]
  limits: { rows: LimitRange; seconds: LimitRange; bytes: number; memoryBytes: number }
}

export interface LimitRange {
  usual: number
  most: number
}

/** `POST /api/sql`: runs one query; or says how it would be run. The answer is a `SqlAnswer`, or of a query that is refused or fails what is wrong. */
export interface SqlAsk {
  sql: string
  rows: number
  seconds: number
  plan: boolean
}

export interface SqlWrong {
  wrong: Failure
}

/** Whole numbers beyond 2^53 are text; so are decimals that a number does not hold. */
export type SqlCell = string | number | boolean | null | SqlCell[] | { [name: string]: SqlCell }

export interface SqlAnswer {
  columns: { name: string; type: string }[]
  rows: SqlCell[][]
  /** Rows of the whole result; null where they were not all counted, and how many were. */
  total: number | null
  counted: number
  cutBy: 'rows' | 'bytes' | null
  milliseconds: number
  /** In DuckDB's words, where it was asked for. */
  plan: string | null
}
