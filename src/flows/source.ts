/** The flow records that a request is asked of. */
import { UserError } from '../errors.ts'
import { packetFlowFields } from '../flow/packet-fields.ts'
import { flowsSource } from '../query/source.ts'
import type { Case } from '../store/case.ts'

export interface Records {
  evidence: 'logs' | 'packets'
  columns: ReadonlySet<string>
  nfdump: boolean
  /** A table of the case's database; with `sensor` also who recorded it. */
  table(sensor: boolean): string
  /** The same in SQL that any DuckDB can run. */
  shown: string
}

/** @throws UserError if the case has no records of that kind. */
export function recordsOf(c: Case, evidence: 'logs' | 'packets' = c.source, nfdump = false): Records {
  const shown = flowsSource({ dir: c.dir, source: evidence })
  const own = c.segments.filter(segment => segment.kind === (evidence === 'logs' ? 'flows' : 'packet-flows'))
  if (evidence !== c.source && own.length === 0) {
    throw new UserError(`no flow records of ${evidence} in the case: ${c.dir}`, {
      status: 2,
      hint: `it has those of ${c.source}`,
    })
  }
  if (evidence === 'logs') return { evidence, columns: c.columns, nfdump, table: () => 'flows', shown }
  const columns = new Set<string>(['interface_id', ...packetFlowFields.map(field => field.name)])
  const withSensor =
    '(SELECT packet_flows.*, evidence.path AS interface_id FROM packet_flows LEFT JOIN evidence ON evidence.id = packet_flows._file)'
  return { evidence, columns, nfdump, table: sensor => (sensor ? withSensor : 'packet_flows'), shown }
}
