/** A view and its window as one filter: what the charts sum up, the rows that are listed, and the command that is printed are of the same records. */
import { parse } from '../filter/filter.ts'
import type { FlowsRequest } from '../flows/request.ts'
import { recordsOf } from '../flows/source.ts'
import { utcSeconds } from '../net/time.ts'
import type { Case } from '../store/case.ts'
import type { ViewAsk, Window } from './contract/common.ts'

/** The first second that a filter cannot name: the year 10000. */
const endOfTimes = 253_402_300_800
/** Blanks and comments. */
const nothing = /^(\s|#[^\n]*)*$/

/** A filter, and of the records it matches those that begin within the window. Both must be sound by themselves: see `windowRequest`. */
export function windowFilter({ filter }: Pick<ViewAsk, 'filter'>, window: Window): string {
  const times = windowTerms(window)
  const own = filter.trim()
  if (times.length === 0) return filter
  if (nothing.test(own)) return times.join(' and ')
  // A comment would take the bracket with it. A bracket that is not needed does no harm.
  const needsBracket = /\bor\b|\|\||#/i.test(own)
  const bracketed = needsBracket ? `(${own}${own.includes('#') ? '\n' : ''})` : own
  return [bracketed, ...times].join(' and ')
}

function windowTerms({ from, to }: Window): string[] {
  const begin = from === null ? [] : [`first seen >= ${timeOf(from)}`]
  if (to === null) return begin
  return [...begin, to < endOfTimes ? `first seen < ${timeOf(to)}` : 'first seen <= 9999-12-31T23:59:59.999999Z']
}

function timeOf(second: number): string {
  return utcSeconds(BigInt(second) * 1_000_000n)
}

/**
 * What is asked of the records of a view within its window.
 *
 * @throws FilterError with the place in the filter as it was typed.
 */
export function windowRequest(
  c: Case,
  view: ViewAsk,
  window: Window,
): Pick<FlowsRequest, 'raw' | 'internal'> & { filter: string } {
  // By itself first: an open bracket could close that which is put around it.
  parse(view.filter, { files: false, columns: recordsOf(c).columns })
  return { filter: windowFilter(view, window), raw: view.raw, internal: view.own }
}
