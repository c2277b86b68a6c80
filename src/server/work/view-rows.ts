/** Where rows are in the order of time, at any depth: out of the time index. */
import { hasWays, type Place } from '../../flows/places.ts'
import type { Case } from '../../store/case.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import type { Count } from '../contract/common.ts'
import type { RowsAsk } from '../contract/flows.ts'
import { timelineOf, viewOf, windowOf } from './time-index.ts'

/** Some rows, and how many there are. */
export interface FoundRows {
  total: Count
  /** Null where the view counts records once: then these are of others. */
  rejected: Count
  unknown: Count
  /** Rows that can be asked for. */
  reach: number
  places: Place[]
}

/** What the process with the time index found. */
export interface FoundAt extends FoundRows {
  /** The state of the case that they are of: places are of that one alone. */
  head: string
}

export interface RowsAtAsk {
  ask: RowsAsk
  found: FoundAt
}

/** Null where the index is not there yet, and where a line may have made two records, which it does not name. */
async function rowsFound(c: Case, ask: RowsAsk, { signal }: WorkContext): Promise<FoundAt | null> {
  if (hasWays(c, c.source)) return null
  const timeline = await timelineOf(c)
  if (timeline === null) return null
  // The view that the page's figures are of: its rows are all records, those too for which others stand.
  const view = await viewOf(timeline, ask, signal)
  const window = ask.from === null && ask.to === null ? null : windowOf(timeline, ask)
  const { totals, unknown } = await view.range(window, { top: 1 })
  const { rows, count } = await view.rows(window, ask.offset, ask.limit, { signal })
  return {
    ...{ head: c.head, total: count, reach: count },
    ...(ask.raw ? { rejected: totals.rejected, unknown } : { rejected: null, unknown: null }),
    places: rows.map(({ file, line }) => ({ file, line, way: 0 })),
  }
}

export const viewRowsWork: Readonly<Record<string, Answerer<Case>>> = { 'rows found': rowsFound }
