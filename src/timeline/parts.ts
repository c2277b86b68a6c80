/** Everything that a view is made of. */
import type { FlowsRequest } from '../flows/request.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Fields } from './figures.ts'
import type { Mask } from './mask.ts'
import type { LargestPorts } from './ports-of.ts'
import type { RowReader } from './rows.ts'
import type { Running } from './running.ts'
import type { HostSlots } from './slots.ts'

/** Whole seconds since 1970; the records that begin from the first on and before the second. */
export interface Window {
  from_s: number
  to_s: number
}

/** The rows that a view is of. */
export interface Matched {
  request: FlowsRequest
  /** As whose network the series sees the records; null: as the internal ones. */
  own: Prefix | null
  /** Networks that are internal besides the usual ones. */
  internal: readonly Prefix[]
  fields: Fields
  /** Null: every row matches. */
  mask: Mask | null
  /** Rows of which it cannot be told, and that count; null: none. */
  unknown: Mask | null
  counting: { once: boolean; accepted_only: boolean }
  sentence: string
  notes: readonly string[]
}

/** What they sum up to. */
export interface Summed {
  hosts: HostSlots
  /** One, or one for each part of the counters. */
  running: readonly Running[]
  /** Of the ports that the series tells apart, by class: the number in `TimelineAbout.ports`. */
  ports: LargestPorts
}

/** Everything that was worked out for a filter. */
export interface ViewParts extends Matched, Summed {
  reader: RowReader
}

/** First and last row of a window. */
export function rowsOf({ index }: RowReader, { from_s, to_s }: Window): [number, number] {
  const from = index.rowAt(from_s)
  return [from, Math.max(from, index.rowAt(to_s))]
}
