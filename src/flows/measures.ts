/** What is counted of a group of records: the columns of an answer after its keys. */
import { UserError } from '../errors.ts'
import { milliseconds, rate, ratio } from '../filter/numbers.ts'
import { nearest } from '../nearest.ts'
import {
  aggregate,
  all,
  cast,
  choose,
  column,
  compare,
  constant,
  count,
  firstKnown,
  not,
  percentile,
  plus,
  unknown,
} from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'
import type { Element } from './elements.ts'
import { type RecordMeasure, recordMeasures } from './names.ts'
import type { FlowsColumn, Unit } from './request.ts'
import type { Records } from './source.ts'

/** A column that is computed over the records of a group. */
export interface Measure extends FlowsColumn {
  /** Over the group's records; null for one that is computed from the others. */
  aggregate: Expression | null
  /** Over the other measures of the group. */
  computed?: Expression
  /** How the column of all other groups comes about; null: it cannot be told from the groups. */
  together: 'sum' | 'min' | 'max' | null
}

const integer = (name: string, unit: Unit | null, value: Expression, together: Measure['together']): Measure => {
  return { name, type: 'integer', unit, aggregate: value, together }
}

export const isRejected = compare('same', column('action'), constant('REJECT'))

export interface Counted {
  records: Records
  acceptedOnly: boolean
  /** As nfdump's `-s ELEMENT`: packets and bytes of the way back, where a record has them, are added to those of the way there. */
  bothWays?: boolean
}

/** The sum of a counter. What was rejected moved nothing; what is not known is not in the sum, and null if nothing is. */
export function volume(counter: string, counted: Counted, where: Expression | null = null): Expression {
  const { records, acceptedOnly } = counted
  if (!records.columns.has(counter)) return records.nfdump ? constant(0, 'whole') : unknown('whole')
  const rejects = acceptedOnly && records.columns.has('action')
  const conditions = [...(rejects ? [not(isRejected)] : []), ...(where === null ? [] : [where])]
  const back = counted.bothWays === true && records.columns.has(`out_${counter}`)
  const zero = constant(0)
  const there = column(counter)
  const value = back ? plus(firstKnown(there, zero), firstKnown(column(`out_${counter}`), zero)) : there
  const sum = aggregate('sum', value, conditions.length === 0 ? null : all(conditions))
  if (!rejects) return sum
  return firstKnown(sum, choose([[aggregate('every', isRejected, where), zero]]))
}

/** The measures of every group. */
export function plainMeasures(counted: Counted): Measure[] {
  const { columns } = counted.records
  const time = (name: 'start' | 'end', how: 'min' | 'max'): Measure => ({
    name,
    type: 'time',
    unit: null,
    aggregate: columns.has(name) ? aggregate(how, column(name)) : unknown('time'),
    together: how,
  })
  const rejected = integer('rejected', 'records', count(isRejected), 'sum')
  return [
    integer('records', 'records', recordsOf(counted), 'sum'),
    ...(columns.has('action') ? [rejected] : []),
    integer('packets', 'packets', volume('packets', counted), 'sum'),
    integer('bytes', 'B', volume('bytes', counted), 'sum'),
    time('start', 'min'),
    time('end', 'max'),
    ...rateMeasures(),
  ]
}

/** nfdump counts an aggregate as the flows that it stands for. */
function recordsOf({ records }: Counted): Expression {
  if (!records.nfdump || !records.columns.has('flows')) return count()
  return aggregate('sum', firstKnown(column('flows'), constant(1)))
}

/** Duration and rates of a group, from its first packet to its last; whole numbers, as the filter language has them. */
export function rateMeasures(
  bytes: Expression = column('bytes'),
  packets: Expression = column('packets'),
): (Measure & { computed: Expression })[] {
  return [
    computed('duration', 'ms', milliseconds()),
    computed('bps', 'bit/s', rate(8000, bytes, milliseconds())),
    computed('pps', 'packets/s', rate(1000, packets, milliseconds())),
    computed('bpp', 'B/packet', ratio(bytes, packets)),
  ]
}

function computed(name: string, unit: Unit, value: Expression): Measure & { computed: Expression } {
  return { name, type: 'integer', unit, aggregate: null, computed: value, together: null }
}

export function distinctMeasure(element: Element): Measure {
  return integer(`distinct_${element.name}`, null, aggregate('count-distinct', element.value), null)
}

/** What percentiles can be taken of: a number of one record. */
const perRecord: Record<RecordMeasure, { unit: Unit; value: Expression }> = {
  bytes: { unit: 'B', value: column('bytes') },
  packets: { unit: 'packets', value: column('packets') },
  duration: { unit: 'ms', value: milliseconds() },
  bps: { unit: 'bit/s', value: rate(8000, cast(column('bytes'), 'whole'), milliseconds()) },
  pps: { unit: 'packets/s', value: rate(1000, cast(column('packets'), 'whole'), milliseconds()) },
  bpp: { unit: 'B/packet', value: ratio(column('bytes'), column('packets')) },
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
  const { value, unit } = perRecord[measure]
  const present = value.columns.every(name => records.columns.has(name))
  const accepted = acceptedOnly && records.columns.has('action') ? not(isRejected) : null
  const title = `${measure}_p${digits.replace('.', '_')}`
  return integer(title, unit, present ? percentile(value, Number(digits) / 100, accepted) : unknown('u64'), null)
}
