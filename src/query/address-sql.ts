import type { Prefix } from '../net/prefix.ts'
import { call, inPrefixes, trusted } from './build.ts'
import { duckdb } from './duckdb-printer.ts'
import type { Sql } from './sql.ts'

/**
 * Whether the address in two columns lies in one of some prefixes, as SQL for DuckDB.
 *
 * @param hi, lo SQL expressions of our own making, e.g. `srcaddr.hi`.
 */
export function inAnyPrefix(hi: string, lo: string, prefixes: readonly Prefix[]): Sql {
  return duckdb.print(inPrefixes(call('address', trusted(hi, [hi]), trusted(lo, [lo])), prefixes))
}
