/** Records one by one, as the sensors wrote them. */

import { all, column, count, named, order as ordered, own, select, unknown } from '../query/build.ts'
import type { Ordering } from '../query/nodes.ts'
import { flowFields } from '../records/fields.ts'
import { connectionFields, packetFlowFields } from '../records/packet-fields.ts'
import { elementOf } from './elements.ts'
import { isRejected, rateMeasures } from './measures.ts'
import type { Order } from './names.ts'
import { direction, orderOf } from './order.ts'
import { isIn, type Piece } from './pieces.ts'
import { matching, type Plan, type PlannedColumn, type Setting } from './plan.ts'
import type { Unit } from './request.ts'

const units = new Map<string, Unit>([
  ['bytes', 'B'],
  ['packets', 'packets'],
])

/** The fields of a listing, in the order of the tables of fields; those without a name there come last. */
export function listedFields(columns: ReadonlySet<string>): string[] {
  const inOrder = [...flowFields.map(field => field.name), ...packetFlowFields.map(field => field.name)] as string[]
  const known = new Set([...inOrder, ...connectionFields.map(field => field.name)])
  const unknown = [...columns].filter(name => !known.has(name) && !name.startsWith('_'))
  return [...new Set([...inOrder.filter(name => columns.has(name)), ...unknown])]
}

/** The columns of a listing: where the record is, then every field that the case has. */
export function listedColumns(s: Setting): PlannedColumn[] {
  return [
    { name: 'path', type: 'text', unit: null },
    { name: placeName(s), type: 'integer', unit: null },
    ...listedFields(s.records.columns).map(name => ({
      name,
      type: elementOf(name, { ...s.records, nfdump: false }).type,
      unit: units.get(name) ?? null,
    })),
  ]
}

/** A record is a line of a log, or began with a packet of a capture (of an nfcapd file: with a record). */
function placeName(s: Setting): 'line' | 'packet' {
  return s.records.evidence === 'logs' ? 'line' : 'packet'
}

/** The order of a listing: that which is asked for, then that of the evidence. */
export function listOrder(s: Setting): Ordering[] {
  const first = s.request.order === undefined ? [] : recordOrder(orderOf(s.request.order))
  return [...first, ordered(column('_file')), ordered(column('_line'))]
}

/** In the order of the evidence, unless another is asked for. `piece`: these records alone. */
export function listPlan(s: Setting, limit: number | null, piece: Piece | null = null): Plan {
  const columns = listedColumns(s)
  const names = columns.slice(2).map(column => column.name)
  const among = matching(s, names)
  const parts = [...(piece === null ? [] : [isIn(piece)]), ...(among.where === null ? [] : [among.where])]
  const statement = select(['_file', '_line', ...names].map(own), {
    from: among.from,
    where: parts.length === 0 ? null : all(parts),
    orderBy: listOrder(s),
    limit,
  })
  return { statement, columns, totals: false }
}

/** Each record counts as one. */
export function recordOrder(order: Order): Ordering[] {
  if (order === 'records') return []
  const rate = rateMeasures().find(measure => measure.name === order)
  return [ordered(rate?.computed ?? column(order), direction(order))]
}

/** How many records match, and what they sum up to. */
export function countPlan(s: Setting): Plan['statement'] {
  const hasAction = s.records.columns.has('action')
  const rejected = hasAction ? count(isRejected) : unknown('i64')
  const items = [named(count(), 'records'), named(rejected, 'rejected')]
  return select(items, matching(s, hasAction ? ['action'] : []))
}
