/** The flow records that a request is asked of. */

import { roleColumns, withRoles } from '../conversations/roles.ts'
import { UserError } from '../errors.ts'
import { type EnrichedTables, noEnrichedTables } from '../filter/enriched-tables.ts'
import type { Prefix } from '../net/prefix.ts'
import { column, equal, every, join, named, select, table as tableNamed, trusted } from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { Relation } from '../query/nodes.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { packetFlowFields } from '../records/packet-fields.ts'
import type { Case } from '../store/case.ts'
import { flowsSource } from '../store/flows-source.ts'

export interface Records {
  evidence: EvidenceKind
  /** How many there are, in the segments. */
  count: number
  columns: ReadonlySet<string>
  nfdump: boolean
  /** What the user's own files say of the addresses, as far as it is asked for. */
  enriched: EnrichedTables
  /**
   * A table of the case's database; with `sensor` also who recorded it, with `roles` what `judgeRecords` worked out.
   *
   * @param wanted columns that are read of it, for engines that are asked for no others.
   */
  table(sensor: boolean, roles?: boolean, wanted?: ReadonlySet<string>): Relation
  /** The segments in SQL that any DuckDB can run. */
  source: string
  /** The same with the roles, which are tables of the case's database. */
  shown(roles?: boolean): Relation
}

/** @throws UserError if the case has no records of that kind. */
export function recordsOf(
  c: Case,
  evidence: EvidenceKind = c.source,
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
  const judged = (text: string): Relation => trusted(withRoles(text, { evidence }, internal), [])
  const source = flowsSource({ dir: c.dir, out: c.out, source: evidence })
  const shown = (roles = false): Relation => (roles ? judged(source) : trusted(source, []))
  const view = evidence === 'logs' ? 'flows' : 'packet_flows'
  const table = (sensor: boolean, roles = false): Relation => {
    const needsSensor = evidence === 'packets' && sensor
    if (roles) return judged(needsSensor ? `(${duckdb.print(withSensor).text})` : view)
    return needsSensor ? withSensor : tableNamed(view)
  }
  const count = own.reduce((sum, segment) => sum + segment.rows, 0)
  return { evidence, count, columns, nfdump, enriched: noEnrichedTables, source, table, shown }
}

/** Packets are recorded by the capture that they are in: of one that was cut into several files, its first. */
const withSensor = select([every('packet_flows'), named(column('sensor', 'evidence'), 'interface_id')], {
  from: join(
    'left',
    tableNamed('packet_flows'),
    tableNamed('evidence'),
    equal(column('id', 'evidence'), column('_file', 'packet_flows')),
  ),
})
