/** What is counted of a group of records: the columns of an answer after its keys, as SQL. */
import { UserError } from '../errors.ts'
import { nearest } from '../filter/nearest.ts'
import type { Element } from './elements.ts'
import { type RecordMeasure, recordMeasures } from './names.ts'
import type { FlowsColumn, Unit } from './request.ts'
import type { Records } from './source.ts'

/** A column that is computed over the records of a group. */
export interface Measure extends FlowsColumn {
  /** SQL over the group's records; null for one that is computed from the others. */
  aggregate: string | null
  /** SQL over the other measures of the group. */
  computed?: string
  /** How the column of all other groups comes about; null: it cannot be told from the groups. */
  together: 'sum' | 'min' | 'max' | null
}

const integer = (name: string, unit: Unit | null, aggregate: string, together: Measure['together']): Measure => {
  return { name, type: 'integer', unit, aggregate, together }
}

export const isRejected = `action IS NOT DISTINCT FROM 'REJECT'`

export interface Counted {
  records: Records
  acceptedOnly: boolean
  /** As nfdump's `-s ELEMENT`: packets and bytes of the way back, where a record has them, are added to those of the way there. */
  bothWays?: boolean
}

/** SQL that sums a counter. What was rejected moved nothing; what is not known is not in the sum, and null if nothing is. */
export function volumeSql(counter: string, counted: Counted, where = ''): string {
  const { records, acceptedOnly } = counted
  if (!records.columns.has(counter)) return records.nfdump ? '0::HUGEINT' : 'NULL::HUGEINT'
  const rejects = acceptedOnly && records.columns.has('action')
  const conditions = [rejects ? `NOT (${isRejected})` : '', where].filter(one => one !== '')
  const filter = conditions.length > 0 ? ` FILTER (${conditions.join(' AND ')})` : ''
  const back = counted.bothWays === true && records.columns.has(`out_${counter}`)
  const sum = `sum(${back ? `coalesce("${counter}", 0) + coalesce("out_${counter}", 0)` : `"${counter}"`})${filter}`
  if (!rejects) return sum
  const all = where === '' ? 'true' : where
  return `coalesce(${sum}, CASE WHEN bool_and(${isRejected}) FILTER (${all}) THEN 0 END)`
}

/** The measures of every group. */
export function plainMeasures(counted: Counted): Measure[] {
  const { columns } = counted.records
  const time = (name: 'start' | 'end', how: 'min' | 'max'): Measure => ({
    name,
    type: 'time',
    unit: null,
    aggregate: columns.has(name) ? `${how}("${name}")` : 'NULL::TIMESTAMP',
    together: how,
  })
  const rejected = integer('rejected', 'records', `count(*) FILTER (${isRejected})`, 'sum')
  return [
    integer('records', 'records', recordsSql(counted), 'sum'),
    ...(columns.has('action') ? [rejected] : []),
    integer('packets', 'packets', volumeSql('packets', counted), 'sum'),
    integer('bytes', 'B', volumeSql('bytes', counted), 'sum'),
    time('start', 'min'),
    time('end', 'max'),
    ...rateMeasures(),
  ]
}

/** nfdump counts an aggregate as the flows that it stands for. */
function recordsSql({ records }: Counted): string {
  return records.nfdump && records.columns.has('flows') ? 'sum(coalesce("flows", 1))' : 'count(*)'
}

const milliseconds = '((epoch_us("end") - epoch_us("start")) // 1000)'

/** Duration and rates of a group, from its first packet to its last; whole numbers, as the filter language has them. */
export function rateMeasures(bytes = '"bytes"', packets = '"packets"'): Measure[] {
  const rate = (name: string, unit: Unit, factor: number, count: string): Measure => ({
    ...computed(
      name,
      unit,
      `CASE WHEN ${milliseconds} > 0 THEN ${factor}::HUGEINT * ${count} // ${milliseconds} WHEN ${milliseconds} <= 0 THEN 0 * ${count} END`,
    ),
  })
  return [
    computed('duration', 'ms', milliseconds),
    rate('bps', 'bit/s', 8000, bytes),
    rate('pps', 'packets/s', 1000, packets),
    computed(
      'bpp',
      'B/packet',
      `CASE WHEN ${packets} > 0 THEN ${bytes} // ${packets} WHEN ${packets} = 0 THEN 0 * ${bytes} END`,
    ),
  ]
}

function computed(name: string, unit: Unit, sql: string): Measure {
  return { name, type: 'integer', unit, aggregate: null, computed: sql, together: null }
}

export function distinctMeasure(element: Element): Measure {
  return integer(`distinct_${element.name}`, null, `count(DISTINCT ${element.sql})`, null)
}

/** What percentiles can be taken of: a number of one record. */
const perRecord: Record<RecordMeasure, { unit: Unit; sql: string; needs: readonly string[] }> = {
  bytes: { unit: 'B', sql: '"bytes"', needs: ['bytes'] },
  packets: { unit: 'packets', sql: '"packets"', needs: ['packets'] },
  duration: { unit: 'ms', sql: milliseconds, needs: ['start', 'end'] },
  bps: {
    unit: 'bit/s',
    sql: `CASE WHEN ${milliseconds} > 0 THEN 8000::HUGEINT * "bytes" // ${milliseconds} WHEN ${milliseconds} <= 0 THEN 0 * "bytes"::HUGEINT END`,
    needs: ['bytes', 'start', 'end'],
  },
  pps: {
    unit: 'packets/s',
    sql: `CASE WHEN ${milliseconds} > 0 THEN 1000::HUGEINT * "packets" // ${milliseconds} WHEN ${milliseconds} <= 0 THEN 0 * "packets"::HUGEINT END`,
    needs: ['packets', 'start', 'end'],
  },
  bpp: {
    unit: 'B/packet',
    sql: 'CASE WHEN "packets" > 0 THEN "bytes" // "packets" WHEN "packets" = 0 THEN 0 * "bytes" END',
    needs: ['bytes', 'packets'],
  },
}

/** `bytes/95`: the smallest value that at least 95 % of the records do not exceed. */
export function percentileMeasure(text: string, { records, acceptedOnly }: Counted): Measure {
  const [, name = '', digits = ''] = /^\s*([a-z]+)\s*\/\s*(\d{1,2}(?:\.\d{1,3})?|100)\s*$/i.exec(text) ?? []
  const measure = recordMeasures.find(one => one === name.toLowerCase())
  if (measure === undefined) {
    const near = name === '' ? null : nearest(name, recordMeasures)
    const hint = near === null ? `of ${recordMeasures.join(', ')}, like bytes/95` : `did you mean ${near}/${digits}?`
    throw new UserError(`invalid percentile: ${text}`, { status: 2, hint })
  }
  const value = perRecord[measure]
  const present = value.needs.every(column => records.columns.has(column))
  const filter = acceptedOnly && records.columns.has('action') ? ` FILTER (NOT (${isRejected}))` : ''
  const quantile = `quantile_disc(${value.sql}, ${Number(digits) / 100})${filter}`
  const column = `${measure}_p${digits.replace('.', '_')}`
  return integer(column, value.unit, present ? quantile : 'NULL::UBIGINT', null)
}
