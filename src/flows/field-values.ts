/** The values of one field: how many there are, which are the most frequent, and which records have none. All records are read. */
import {
  aggregate,
  column,
  constant,
  count,
  equal,
  isKnown,
  isUnknown,
  named,
  order as ordered,
  page,
  percentile,
  select,
  table,
} from '../query/build.ts'
import type { Select } from '../query/nodes.ts'
import { fieldNamed } from '../records/fields.ts'
import { packetFlowFields } from '../records/packet-fields.ts'
import type { Case } from '../store/case.ts'
import { columnsMost, countedNames, countValues } from '../store/counted-values.ts'
import { question } from '../store/question.ts'
import { elementOf } from './elements.ts'
import { listedFields } from './listing.ts'
import { keyColumns, matching, type Setting } from './plan.ts'
import type { Cell, FlowsColumn, FlowsRequest } from './request.ts'
import type { FlowsOptions } from './run.ts'
import { settle } from './settle.ts'
import { type Records, recordsOf } from './source.ts'
import { unknownCount } from './unknown.ts'
import { cellReader, integer } from './values.ts'

export interface FieldValues {
  column: FlowsColumn
  /** Different values, without the unknown one. */
  distinct: Cell
  /** Records that are counted, and those of them without a value. */
  records: Cell
  absent: Cell
  /** The most frequent, by records; of equal ones the smaller first. A null value is that of the records without one. */
  values: { value: Cell; records: Cell }[]
  /** Of counters and times; null for others, and where no record has a value. The median only of counters. */
  least: Cell
  median: Cell
  most: Cell
  /** Records of which it cannot be told whether they match the filter. */
  unknown: Cell
}

/** Fields whose values can be more or less, and not only others. */
function sizeOf(name: string): 'counter' | 'time' | null {
  const type = fieldNamed(name)?.type ?? packetFlowFields.find(field => field.name === name)?.type
  const isNumber = /_(if|as|id)$/.test(name)
  return type === 'time' ? 'time' : type === 'u64' && !isNumber ? 'counter' : null
}

/**
 * @param request filter and how records are counted: as of `by: [field]`.
 * @param top values that are given.
 * @throws UserError, FilterError (status 2) where the request cannot be meant.
 */
export function fieldValues(
  c: Case,
  request: FlowsRequest,
  field: string,
  top: number,
  options: FlowsOptions = {},
): Promise<FieldValues> {
  return question(c, options.signal, async asked => {
    const { setting } = await settle(asked, { ...request, by: [field] }, options)
    const { value } = elementOf(field, setting.records)
    const from = select([named(value, '_value')], matching(setting, value.columns))
    const counted = [column('_value')]
    const groups = select([named(counted[0]!, '_value'), named(count(), '_count')], { from, groupBy: counted })
    return valuesOf(asked, setting, { field, groups, top, unknown: await unknownCount(asked, setting) })
  })
}

/**
 * The values of several fields that have few: the records are read once for all.
 *
 * @throws UserError, FilterError (status 2) where the request cannot be meant.
 */
export function fewValues(
  c: Case,
  request: FlowsRequest,
  top: number,
  options: FlowsOptions = {},
): Promise<Map<string, FieldValues>> {
  return question(c, options.signal, async asked => {
    const fields = fieldsOfFew(recordsOf(asked, request.evidence)).slice(0, columnsMost)
    const found = new Map<string, FieldValues>()
    if (fields.length === 0) return found
    const { setting } = await settle(asked, { ...request, by: [fields[0]!] }, options)
    const elements = fields.map(field => elementOf(field, setting.records).value)
    const items = elements.map((value, i) => named(value, nameOf(i)))
    const needs = elements.flatMap(({ columns }) => [...columns])
    const query = setting.dialect.print(select(items, matching(setting, needs)))
    await countValues(asked.db, '_counted', query, [...fields.keys()].map(nameOf))
    const unknown = await unknownCount(asked, setting)
    for (const [i, field] of fields.entries()) {
      const where = equal(column(countedNames.set), constant(i))
      const items = [named(column(nameOf(i)), '_value'), named(column(countedNames.count), '_count')]
      const groups = select(items, { from: table('_counted'), where })
      found.set(field, await valuesOf(asked, setting, { field, groups, top, unknown }))
    }
    return found
  })
}

const nameOf = (number: number): string => `_v${number}`

/** Those that say of what kind a record is; of addresses, counters and times there may be as many values as records. */
function fieldsOfFew(records: Records): string[] {
  return listedFields(records.columns).filter(name => {
    const { type } = elementOf(name, records)
    return sizeOf(name) === null && (type === 'text' || type === 'integer') && !ports.has(name)
  })
}

const ports: ReadonlySet<string> = new Set(['srcport', 'dstport'])

async function valuesOf(
  c: Case,
  setting: Setting,
  { field, groups, top, unknown }: { field: string; groups: Select; top: number; unknown: Cell },
): Promise<FieldValues> {
  const size = sizeOf(field)
  const [key] = keyColumns([elementOf(field, setting.records)])
  // A field may have any name but one that begins like these.
  const [value, records] = [column('_value'), column('_count')]
  const totals = [
    named(count(isKnown(value)), '_distinct'),
    named(aggregate('sum', records), '_records'),
    named(aggregate('sum', records, isUnknown(value)), '_absent'),
    ...(size === null ? [] : [named(aggregate('min', value), '_least'), named(aggregate('max', value), '_most')]),
  ]
  const orderBy = [ordered(records, 'DESC'), ordered(value)]
  const names = ['_value', '_count']
  const statement = page({ groups, measured: [], keep: null, orderBy, limit: top, totals, names, rest: null })
  const { text, values } = setting.dialect.print(statement)
  const rows = await c.db.rows(text, values)
  const read = cellReader(key!)
  const [first] = rows
  return {
    column: { name: key!.name, type: key!.type, unit: key!.unit },
    distinct: integer(first?.['_distinct']) ?? 0,
    records: integer(first?.['_records']) ?? 0,
    absent: integer(first?.['_absent']) ?? 0,
    values: rows
      .filter(row => row['_is'] === true)
      .map(row => ({ value: read(row['_value']), records: integer(row['_count']) })),
    least: size === null ? null : read(first?.['_least']),
    median: size === 'counter' ? await medianOf(c, setting, field) : null,
    most: size === null ? null : read(first?.['_most']),
    unknown,
  }
}

/** The smallest value that half of the records do not exceed. */
async function medianOf(c: Case, setting: Setting, field: string): Promise<Cell> {
  const { value } = elementOf(field, setting.records)
  const from = matching(setting, value.columns)
  const { text, values } = setting.dialect.print(select([named(percentile(value, 0.5), 'median')], from))
  const [row] = await c.db.rows(text, values)
  return integer(row?.['median'])
}
