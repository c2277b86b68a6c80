import { assert } from '../errors.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Sql } from '../query/sql.ts'
import type { ValueSet } from './set.ts'

/** What the parts of a compilation share. */
export interface Compiling {
  nfdump: boolean
  columns: ReadonlySet<string>
  internal: readonly Prefix[]
  span: { first_us: bigint; last_us: bigint } | undefined
  sets: Map<string, ValueSet>
  missing: Set<string>
}

export function joined(parts: readonly Sql[], by: ' AND ' | ' OR ' | ', '): Sql {
  assert(parts.length > 0, 'there is something to join')
  if (parts.length === 1) return parts[0]!
  return { text: `(${parts.map(part => part.text).join(by)})`, values: parts.flatMap(part => part.values) }
}
