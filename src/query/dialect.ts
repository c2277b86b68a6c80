/**
 * What an engine's file must provide: `duckdb-printer.ts`, and `trino-printer.ts` for Trino and Athena, which print the same nodes.
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
