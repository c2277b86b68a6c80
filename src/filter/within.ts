/** A filter and a time as one filter. */
import { utcSeconds } from '../net/time.ts'
import type { Filter, Node } from './ast.ts'
import { parse } from './filter.ts'

/** When records begin, microseconds since the epoch: `to_us` is the first moment after it. Null, or not there: without that bound. */
export interface Begin {
  from_us?: number | bigint | null | undefined
  to_us?: number | bigint | null | undefined
}

/** The first moment that a filter cannot name: the year 10000. */
const endOfTimes_us = 253_402_300_800_000_000n
const lastMoment = '9999-12-31T23:59:59.999999Z'
/** Blanks and comments. */
const nothing = /^(\s|#[^\n]*)*$/

/** A filter, and of the records it matches those that begin in a time. It must be sound by itself: an open bracket could close that which is put around it. */
export function beginsWithin(filter: string, begin: Begin): string {
  return joined(filter, termsOf(begin))
}

/** The same of a filter that was read. */
export function readWithin(filter: Filter, begin: Begin): Filter {
  const terms = termsOf(begin)
  if (terms.length === 0) return filter
  const nodes: Node[] = [filter, parse(terms.join(' and '), { files: false })].flatMap(({ ast }) =>
    ast.kind === 'any' ? [] : ast.kind === 'and' ? [...ast.nodes] : [ast],
  )
  return { ...filter, ast: nodes.length === 1 ? nodes[0]! : { kind: 'and', nodes } }
}

/** A filter whose terms are joined by `and`, and of the records it matches those that overlap a time. */
export function overlaps(filter: string, first: string, last: string): string {
  return `${filter} and between ${first} and ${last}`
}

function termsOf({ from_us = null, to_us = null }: Begin): string[] {
  const terms: string[] = []
  if (from_us !== null)
    terms.push(from_us < endOfTimes_us ? `first seen >= ${utcSeconds(from_us)}` : `first seen > ${lastMoment}`)
  if (to_us !== null)
    terms.push(to_us < endOfTimes_us ? `first seen < ${utcSeconds(to_us)}` : `first seen <= ${lastMoment}`)
  return terms
}

function joined(filter: string, terms: readonly string[]): string {
  if (terms.length === 0) return filter
  const own = filter.trim()
  if (nothing.test(own)) return terms.join(' and ')
  // A comment would take the bracket with it. A bracket that is not needed does no harm.
  const needsBracket = /\bor\b|\|\||#/i.test(own)
  const bracketed = needsBracket ? `(${own}${own.includes('#') ? '\n' : ''})` : own
  return [bracketed, ...terms].join(' and ')
}
