import type { Prefix } from '../net/prefix.ts'
import { rawSql, type Sql, sql } from './sql.ts'

/**
 * Whether an address column (STRUCT of `hi` and `lo`, or two columns) lies in a prefix. Plain comparisons of unsigned integers: row
 * groups whose smallest and largest values exclude the prefix are not read.
 *
 * @param hi, lo SQL expressions of our own making, e.g. `srcaddr.hi`.
 */
export function inPrefix(hi: string, lo: string, prefix: Prefix): Sql {
  const { first, last } = prefix
  if (first.hi !== last.hi) return sql`(${rawSql(hi)} BETWEEN ${first.hi}::UBIGINT AND ${last.hi}::UBIGINT)`
  if (first.lo === last.lo) return sql`(${rawSql(lo)} = ${first.lo}::UBIGINT AND ${rawSql(hi)} = ${first.hi}::UBIGINT)`
  return sql`(${rawSql(lo)} BETWEEN ${first.lo}::UBIGINT AND ${last.lo}::UBIGINT AND ${rawSql(hi)} = ${first.hi}::UBIGINT)`
}

export function inAnyPrefix(hi: string, lo: string, prefixes: readonly Prefix[]): Sql {
  const tests = prefixes.map(prefix => inPrefix(hi, lo, prefix))
  return { text: `(${tests.map(test => test.text).join(' OR ')})`, values: tests.flatMap(test => test.values) }
}
