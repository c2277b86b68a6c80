/** What a record is, in one place: the columns of the case's records that make those of a block (`block.ts`). */
import { packetFlowFields } from '../records/packet-fields.ts'
import type { Case } from '../store/case.ts'
import { sensorSql } from './sensor.ts'
import { TextKeys } from './text-keys.ts'

/** Which records: those of flow logs, or those made of packets. */
export type Evidence = 'logs' | 'packets'

/** A column of the projection. Addresses are two halves of 64 bits; `Seen`: as the sensor saw it, where that may be another. */
type Field =
  | `${'source' | 'destination'}${'' | 'Seen'}${'High' | 'Low'}`
  | ('file' | 'line' | 'sourcePort' | 'destinationPort' | 'protocol' | 'packets' | 'bytes' | 'start' | 'end')
  | ('tcpFlags' | 'icmpType' | 'actionKey' | 'sensorKey' | 'onInstance' | 'sourceIsService' | 'destinationIsService')

export interface Projection {
  evidence: Evidence
  /** What stands after SELECT. */
  list: string
  /** Place of each column in it; absent where no record of the case says anything of it. */
  at: Partial<Record<Field, number>>
  /** Whether records may have their packets' own addresses. */
  seen: boolean
}

/** The view that has the records. */
export function viewOf(c: Pick<Case, 'source'>, evidence: Evidence): 'flows' | 'packet_flows' {
  return evidence === 'packets' && c.source === 'logs' ? 'packet_flows' : 'flows'
}

/** The texts of records, which stand in the projection as keys. Null: the case has none. */
export interface ProjectedTexts {
  sensors: TextKeys | null
  actions: TextKeys | null
}

/** The texts of a case. A capture is the sensor of what it holds: that is told by its file. */
export async function projectedTexts(c: Case, evidence: Evidence): Promise<ProjectedTexts> {
  if (evidence === 'packets') return { sensors: null, actions: null }
  const sensors = await TextKeys.of(c.db, 'flows', sensorSql(c))
  return { sensors, actions: c.columns.has('action') ? await TextKeys.of(c.db, 'flows', 'action') : null }
}

/** The projection of a case's records, for a SELECT from `viewOf`. */
export function projectionOf(
  c: Pick<Case, 'columns' | 'source'>,
  evidence: Evidence,
  { sensors, actions }: ProjectedTexts,
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
  for (const [end, name] of [
    ['source', 'src'],
    ['destination', 'dst'],
  ] as const) {
    for (const [half, part] of [
      ['High', 'hi'],
      ['Low', 'lo'],
    ] as const) {
      const own = `${name}addr.${part}`
      const isNamed = columns.has(`pkt_${name}addr`)
      add(`${end}${half}`, isNamed ? `coalesce(pkt_${own}, ${own})` : own, isNamed ? `pkt_${name}addr` : `${name}addr`)
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
  return { evidence, list: list.join(', '), at, seen }
}
