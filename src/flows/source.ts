/** The flow records that a request is asked of. */

import { roleColumns, withRoles } from '../conversations/roles.ts'
import { UserError } from '../errors.ts'
import type { Prefix } from '../net/prefix.ts'
import { packetFlowFields } from '../records/packet-fields.ts'
import type { Case } from '../store/case.ts'
import { flowsSource } from '../store/flows-source.ts'

export interface Records {
  evidence: 'logs' | 'packets'
  columns: ReadonlySet<string>
  nfdump: boolean
  /** A table of the case's database; with `sensor` also who recorded it, with `roles` what `judgeRecords` worked out. */
  table(sensor: boolean, roles?: boolean): string
  /** The same in SQL that any DuckDB can run, but for the roles, which are a table of ours. */
  shown(roles?: boolean): string
}

/** @throws UserError if the case has no records of that kind. */
export function recordsOf(
  c: Case,
  evidence: 'logs' | 'packets' = c.source,
  nfdump = false,
  internal: readonly Prefix[] = [],
): Records {
  const own = c.segments.filter(segment => segment.kind === (evidence === 'logs' ? 'flows' : 'packet-flows'))
  if (evidence !== c.source && own.length === 0) {
    throw new UserError(`no flow records of ${evidence} in the case: ${c.dir}`, {
      status: 2,
      hint: `it has those of ${c.source}`,
    })
  }
  // nfdump knows no roles.
  const more = nfdump ? [] : roleColumns
  const columns =
    evidence === 'logs'
      ? new Set([...c.columns, ...more])
      : new Set<string>(['interface_id', ...packetFlowFields.map(field => field.name), ...more])
  const judged = (table: string, roles: boolean): string =>
    roles ? withRoles(table, { evidence, columns }, internal) : table
  const shown = (roles = false): string => judged(flowsSource({ dir: c.dir, source: evidence }), roles)
  if (evidence === 'logs')
    return { evidence, columns, nfdump, table: (_, roles = false) => judged('flows', roles), shown }
  const withSensor =
    '(SELECT packet_flows.*, evidence.path AS interface_id FROM packet_flows LEFT JOIN evidence ON evidence.id = packet_flows._file)'
  const table = (sensor: boolean, roles = false): string => judged(sensor ? withSensor : 'packet_flows', roles)
  return { evidence, columns, nfdump, table, shown }
}
