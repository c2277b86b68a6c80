/** Everything that a view is made of. */
import type { FlowsRequest } from '../flows/request.ts'
import type { Fields } from './figures.ts'
import type { Mask } from './mask.ts'
import type { RowReader } from './rows.ts'
import type { Running } from './running.ts'
import type { HostSlots } from './slots.ts'

/** Whole seconds since 1970; the records that begin from the first on and before the second. */
export interface Window {
  from_s: number
  to_s: number
}

/** Everything that was worked out for a filter. */
export interface ViewParts {
  request: FlowsRequest
  reader: RowReader
  fields: Fields
  hosts: HostSlots
  /** One, or one for each part of the counters. */
  running: readonly Running[]
  /** Null: every row matches. */
  mask: Mask | null
  /** Rows of which it cannot be told, and that count; null: none. */
  unknown: Mask | null
  /** Of the ports that the series tells apart, by class: the number in `TimelineAbout.ports`. */
  ports: {
    byBytes: readonly number[]
    byPackets: readonly number[]
    byRecords: readonly number[]
    classes: readonly number[]
  }
  counting: { once: boolean; accepted_only: boolean }
  sentence: string
  notes: readonly string[]
}

/** First and last row of a window. */
export function rowsOf({ index }: RowReader, { from_s, to_s }: Window): [number, number] {
  const from = index.rowAt(from_s)
  return [from, Math.max(from, index.rowAt(to_s))]
}
