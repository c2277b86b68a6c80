/** What a record is, in one place: the columns of the case's records that make those of a block (`block.ts`). */
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { packetFlowFields } from '../records/packet-fields.ts'
import type { Case } from '../store/case.ts'
import { type ColumnName, columnNames } from './columns.ts'
import { sensorSql } from './sensor.ts'
import type { Statistics } from './statistics.ts'
import { TextKeys } from './text-keys.ts'

/** A column of the projection. Addresses are two halves of 64 bits; `Seen`: as the sensor saw it, where that may be another. */
type Field =
  | `${'source' | 'destination'}${'' | 'Seen'}${'High' | 'Low'}`
  | ('file' | 'line' | 'sourcePort' | 'destinationPort' | 'protocol' | 'packets' | 'bytes' | 'start' | 'end')
  | ('tcpFlags' | 'icmpType' | 'actionKey' | 'sensorKey' | 'onInstance' | 'sourceIsService' | 'destinationIsService')

export interface Projection {
  evidence: EvidenceKind
  /** What stands after SELECT. */
  list: string
  /** Place of each column in it; absent where no record of the case says anything of it. */
  at: Partial<Record<Field, number>>
  /** Columns that say something, in their order; the others are zero throughout. */
  columns: readonly ColumnName[]
  /** Whether records may have their packets' own addresses. */
  seen: boolean
}

/** The view that has the records. */
export function viewOf(c: Pick<Case, 'source'>, evidence: EvidenceKind): 'flows' | 'packet_flows' {
  return evidence === 'packets' && c.source === 'logs' ? 'packet_flows' : 'flows'
}

/** The texts of records, which stand in the projection as keys. Null: the case has none. */
export interface ProjectedTexts {
  sensors: TextKeys | null
  actions: TextKeys | null
}

/** The texts of a case. A capture is the sensor of what it holds: that is known from its file. */
export async function projectedTexts(c: Case, evidence: EvidenceKind): Promise<ProjectedTexts> {
  if (evidence === 'packets') return { sensors: null, actions: null }
  const sensors = await TextKeys.of(c.db, 'flows', sensorSql(c))
  return { sensors, actions: c.columns.has('action') ? await TextKeys.of(c.db, 'flows', 'action') : null }
}

/** SQL for 64 bits of a record's true end: that of its packets, where the log has it. */
export function trueEnd(columns: ReadonlySet<string>, end: 'src' | 'dst', part: 'hi' | 'lo'): string {
  const seen = `${end}addr.${part}`
  return columns.has(`pkt_${end}addr`) ? `coalesce(pkt_${seen}, ${seen})` : seen
}

/**
 * The projection of a case's records, for a SELECT from `viewOf`.
 *
 * @param largest largest values of columns, as far as they are known: what is zero throughout is not read.
 */
export function projectionOf(
  c: Pick<Case, 'columns' | 'source'>,
  evidence: EvidenceKind,
  { sensors, actions }: ProjectedTexts,
  largest: Statistics['largest'] = new Map(),
): Projection {
  const columns = evidence === c.source ? c.columns : new Set<string>(packetFlowFields.map(field => field.name))
  const list: string[] = []
  const at: Projection['at'] = {}
  const add = (field: Field, expression: string, needs = expression.replaceAll('"', '')): void => {
    if (columns.has(needs) || needs.startsWith('_')) at[field] = list.push(expression) - 1
  }
  const seen = columns.has('pkt_srcaddr') || columns.has('pkt_dstaddr')
  add('file', '_file')
  add('line', '_line')
  for (const [end, name] of ends) {
    const isNamed = columns.has(`pkt_${name}addr`)
    const needs = isNamed ? `pkt_${name}addr` : `${name}addr`
    const isFour = [`${name}addr`, needs].every(one => largest.get(`${one}, hi`) === 0n)
    for (const [half, part] of isFour ? ([['Low', 'lo']] as const) : halves) {
      const own = `${name}addr.${part}`
      add(`${end}${half}`, trueEnd(columns, name, part), needs)
      if (seen) add(`${end}Seen${half}`, own, `${name}addr`)
    }
    add(`${end}Port`, `${name}port`)
    const service = `pkt_${name}_aws_service`
    add(`${end}IsService`, `coalesce(${service} NOT IN ('AMAZON', 'EC2'), false)`, service)
  }
  for (const name of ['protocol', 'packets', 'bytes', 'start'] as const) add(name, name)
  add('end', '"end"')
  add('tcpFlags', 'tcp_flags')
  add('icmpType', 'icmp_type')
  add('onInstance', 'instance_id IS NOT NULL', 'instance_id')
  if (sensors !== null) add('sensorKey', sensors.key, '_')
  if (actions !== null) add('actionKey', actions.key, '_')
  const isSmall = (name: string): boolean => (largest.get(name) ?? two32) < two32
  const empty = new Set<ColumnName>([
    ...(seen ? [] : (['sourceSeen', 'destinationSeen'] as const)),
    ...(at.icmpType === undefined ? (['icmpType'] as const) : []),
    ...(isSmall('packets') ? (['packetsHigh'] as const) : []),
    ...(isSmall('bytes') ? (['bytesHigh'] as const) : []),
  ])
  return { evidence, list: list.join(', '), at, columns: columnNames.filter(name => !empty.has(name)), seen }
}

const two32 = 2n ** 32n
const ends = [
  ['source', 'src'],
  ['destination', 'dst'],
] as const
const halves = [
  ['High', 'hi'],
  ['Low', 'lo'],
] as const
