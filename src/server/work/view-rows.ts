/** Where rows are in the order of time, at any depth: out of the time index. */
import { hasWays, type Place } from '../../flows/places.ts'
import type { Case } from '../../store/case.ts'
import type { Timeline, Window } from '../../timeline/timeline.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import type { Count } from '../contract/common.ts'
import type { RowsAsk } from '../contract/flows.ts'
import { requestOf, timelineOf, viewOf, windowOf } from './time-index.ts'

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
  const window = ask.from === null && ask.to === null ? null : windowOf(timeline, ask)
  const going = { files: false, signal }
  const matching = await timeline.matching(requestOf(ask), going)
  // All records, those too for which others stand.
  const { rows, count } = await matching.rows(window, ask.offset, ask.limit, going)
  return {
    ...{ head: c.head, total: count, reach: count },
    ...(ask.raw ? await rawCounts(timeline, ask, window, signal) : { rejected: null, unknown: null }),
    places: rows.map(({ file, line }) => ({ file, line, way: 0 })),
  }
}

/** Where every record counts, the figures of the view are of the same rows. */
async function rawCounts(
  timeline: Timeline,
  ask: RowsAsk,
  window: Window | null,
  signal: AbortSignal,
): Promise<Pick<FoundRows, 'rejected' | 'unknown'>> {
  const { totals, unknown } = await (await viewOf(timeline, ask, signal)).range(window, { top: 1 })
  return { rejected: totals.rejected, unknown }
}

export const viewRowsWork: Readonly<Record<string, Answerer<Case>>> = { 'rows found': rowsFound }
