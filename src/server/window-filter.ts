/** A view and its window as one filter: what the charts sum up, the rows that are listed, and the command that is printed are of the same records. */
import type { Filter } from '../filter/ast.ts'
import { parse } from '../filter/filter.ts'
import { beginsWithin } from '../filter/within.ts'
import type { FlowsRequest } from '../flows/request.ts'
import { recordsOf } from '../flows/source.ts'
import type { Case } from '../store/case.ts'
import type { ViewAsk, Window } from './contract/common.ts'

/**
 * A filter as the page has it: it may name every field of the case's records, and no files.
 *
 * @throws FilterError with the place in the filter as it was typed.
 */
export function pageFilter(c: Case, filter: string): Filter {
  return parse(filter, { files: false, columns: recordsOf(c).columns })
}

/** @throws FilterError as `pageFilter`. */
export function windowRequest(
  c: Case,
  view: ViewAsk,
  { from, to }: Window,
): Pick<FlowsRequest, 'raw' | 'internal'> & { filter: string } {
  // By itself first: an open bracket could close that which is put around it.
  pageFilter(c, view.filter)
  const us = (second: number | null): bigint | null => (second === null ? null : BigInt(second) * 1_000_000n)
  const filter = beginsWithin(view.filter, { from_us: us(from), to_us: us(to) })
  return { filter, raw: view.raw, internal: view.own }
}
