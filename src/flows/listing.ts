/** Records one by one, as the sensors wrote them. */

import { rawSql, sql } from '../query/sql.ts'
import { flowFields } from '../records/fields.ts'
import { connectionFields, packetFlowFields } from '../records/packet-fields.ts'
import { quotedName } from '../store/duckdb.ts'
import { elementOf } from './elements.ts'
import { rateMeasures } from './measures.ts'
import { direction, orderOf } from './order.ts'
import { commas, limitSql, matching, type Plan, type PlannedColumn, type Setting } from './plan.ts'
import type { Order, Unit } from './request.ts'

const units = new Map<string, Unit>([
  ['bytes', 'B'],
  ['packets', 'packets'],
])

/** The columns of a listing: where the record is, then every field that the case has, in the order of the tables of fields. */
function listedColumns(s: Setting): PlannedColumn[] {
  const { columns } = s.records
  const inOrder = [...flowFields.map(field => field.name), ...packetFlowFields.map(field => field.name)] as string[]
  const known = new Set([...inOrder, ...connectionFields.map(field => field.name)])
  const unknown = [...columns].filter(name => !known.has(name) && !name.startsWith('_'))
  const names = [...new Set([...inOrder.filter(name => columns.has(name)), ...unknown])]
  return [
    { name: 'path', type: 'text', unit: null },
    { name: placeName(s), type: 'integer', unit: null },
    ...names.map(name => ({
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

/** In the order of the evidence, unless another is asked for. */
export function listPlan(s: Setting, limit: number | null): Plan {
  const columns = listedColumns(s)
  const names = columns.slice(2).map(column => column.name)
  const from = matching(s, names)
  const order =
    s.request.order === undefined
      ? rawSql(' ORDER BY _file, _line')
      : rawSql(` ORDER BY ${recordOrder(orderOf(s.request.order))}, _file, _line`)
  const statement = sql`SELECT ${rawSql(commas(['_file', '_line', ...names.map(quotedName)]))} FROM ${from}${order} ${limitSql(limit)}`
  return { statement, columns, totals: false }
}

function recordOrder(order: Order): string {
  const rate = rateMeasures().find(measure => measure.name === order)?.computed
  const expression = order === 'records' ? '1::INTEGER + 0' : (rate ?? quotedName(order))
  return `${expression} ${direction(order)} NULLS LAST`
}

/** How many records match, and what they sum up to. */
export function countPlan(s: Setting): Plan['statement'] {
  const { columns } = s.records
  const rejected = columns.has('action') ? `count(*) FILTER (action IS NOT DISTINCT FROM 'REJECT')` : 'NULL::BIGINT'
  return sql`SELECT count(*) AS records, ${rawSql(rejected)} AS rejected FROM ${matching(s, columns.has('action') ? ['action'] : [])}`
}
