import type { Prefix } from '../net/prefix.ts'
import type { EnrichedTables } from './enriched-tables.ts'
import type { ValueSet } from './set.ts'

/** What the parts of a compilation share. */
export interface Compiling {
  nfdump: boolean
  columns: ReadonlySet<string>
  internal: readonly Prefix[]
  /** Columns of addresses that are IPv4 throughout. */
  fourOnly: ReadonlySet<string>
  span: { first_us: bigint; last_us: bigint } | undefined
  sets: Map<string, ValueSet>
  missing: Set<string>
  /** What the user's own files say of the case's addresses, as far as the filter asks. */
  enriched: EnrichedTables
}
