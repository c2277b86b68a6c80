/**
 * What an engine's file must provide. DuckDB's is `duckdb-printer.ts`; another engine is another file beside it that prints the same nodes
 * (a Trino printer refuses `trusted`, writes `greatest` with `coalesce`, names `page`'s totals as windows), and nothing else changes.
 */
import type { Expression, Query } from './nodes.ts'
import type { Sql } from './sql.ts'

export interface Dialect {
  /** Whether to read a table again, or a part with a name twice, costs little: ways that read more than once may be taken then. */
  readonly rereads: boolean
  /** Whether an error says that an integer does not fit 64 bits. */
  exceeds64Bits(error: unknown): boolean
  /** SQL and the values that are bound to it, in their order. */
  print(node: Expression | Query): Sql
  /** The same with the values written into it, for people: text from people or evidence as literals of the engine. */
  shown(node: Expression | Query): string
}
