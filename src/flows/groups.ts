/** Groups of records: `-A`, `-s`, one group of all; with a second window beside the first. */
import { UserError } from '../errors.ts'
import {
  aggregate,
  all,
  column,
  common,
  compare,
  constant,
  count,
  every,
  firstKnown,
  join,
  named,
  onlyValue,
  order as ordered,
  own,
  page,
  plus,
  quotient,
  renamed,
  select,
  sidesOf,
  table,
  unionAll,
  unknown,
  yes,
} from '../query/build.ts'
import type { Expression, Item, Ordering, Query, Relation, Rest } from '../query/nodes.ts'
import { isAlways } from '../query/walk.ts'
import { type Element, elementOf } from './elements.ts'
import { havingOf } from './having.ts'
import { distinctMeasure, type Measure, percentileMeasure, plainMeasures } from './measures.ts'
import type { Order } from './names.ts'
import { direction, orderOf } from './order.ts'
import {
  byKeys,
  grouping,
  keyColumns,
  keyItems,
  keyName,
  keysOut,
  matching,
  type Plan,
  type PlannedColumn,
  type Setting,
  type Totals,
} from './plan.ts'
import type { FlowsColumn } from './request.ts'

/** Groups as a relation, with what is needed to rank and cut them. */
interface Grouped {
  /** The keys and aggregates, named. */
  groups: Query
  keys: PlannedColumn[]
  measures: Measure[]
  /** How often a record is in a group: 2 for `ip` and its like. */
  sides: number
  order: Ordering
}

/** @param sides one list of keys, or two that every record has both of. */
export function groupPlan(s: Setting, sides: readonly (readonly Element[])[]): Plan {
  const keys = sides[0]!
  const measures = measuresOf(s)
  checkNames(keys, measures)
  const order = rankedBy(s, measures)
  const groups = s.totals === null ? groupsOf(s, sides, measures) : groupsOfTotals(s, s.totals, sides)
  const grouped = { groups, keys: keyColumns(keys), measures, sides: sides.length, order: ordering(order) }
  return s.totals === null && isPlainTop(s, sides, measures, order)
    ? topPlan(s, keys, measures, order)
    : rankedPlan(s, grouped)
}

/** Whether the first groups are all that is wanted of every record: then groups need not be kept for the totals. */
function isPlainTop(
  { request, filter, dialect }: Setting,
  sides: readonly (readonly Element[])[],
  measures: readonly Measure[],
  order: Order,
): boolean {
  const counted = measures.some(measure => measure.name === order && measure.computed === undefined)
  const plain = request.having === undefined && request.other !== true && request.limit !== null
  return plain && counted && sides.length === 1 && sides[0]!.length > 0 && isAlways(filter.where) && dialect.rereads
}

/**
 * The same answer as `rankedPlan`, in a quarter of the time where groups are many: of all groups no more is summed up than what they rank
 * by, and the rest of those only that are listed. The records are read three times for it, which costs less than it saves as long as no
 * filter has to be tested each time.
 */
function topPlan(s: Setting, keys: readonly Element[], measures: readonly Measure[], order: Order): Plan {
  const { request } = s
  const planned = keyColumns(keys)
  const columns: PlannedColumn[] = [...planned, ...measures.map(({ name, type, unit }) => ({ name, type, unit }))]
  const by = [ordering(order), ...byKeys(planned.map(key => key.name))]
  const sums = measures.filter(({ name }) => (totalled as readonly string[]).includes(name))
  const totals = totalled.map(name =>
    named(sums.find(one => one.name === name)?.aggregate ?? unknown('whole'), `_${name}`),
  )
  const ranking = measures.filter(({ name }) => name === order)
  const isTop = keys.map(({ name }) => compare('same', column(keyName(name)), column(name, 'top')))
  const ranked = groupsOf(s, [keys], ranking)
  const among = { relation: table('top'), on: all(isTop) }
  const rows = onlyValue(select([named(count(), 'n')], { from: table('ranked') }))
  const needs = neededColumns(s, sums)
  const statement = select(
    [
      every('totals'),
      named(unknown('i64'), '_left'),
      named(column('_is', 'measured'), '_is'),
      ...columns.map(one => own(one.name)),
    ],
    {
      named: [
        common('ranked', ranked, true),
        common('top', select([every()], { from: table('ranked'), orderBy: by, limit: request.limit ?? 10 }), true),
        common('page', groupsOf(s, [keys], measures, among)),
        common('measured', select([every(), ...computedItems(measures), named(yes, '_is')], { from: table('page') })),
        common('totals', select([named(rows, '_rows'), ...totals], matching(s, needs))),
      ],
      from: join('left', table('totals'), table('measured'), yes),
      orderBy: by,
    },
  )
  return { statement, columns, totals: true }
}

const totalled = ['records', 'rejected', 'packets', 'bytes'] as const

/** What is computed from a group's other columns. */
function computedItems(measures: readonly Measure[]): Item[] {
  return measures.flatMap(one => (one.computed === undefined ? [] : [named(one.computed, one.name)]))
}

/** What is computed over a group's records. */
export function aggregateItems(measures: readonly Measure[]): Item[] {
  return measures.flatMap(one => (one.aggregate === null ? [] : [named(one.aggregate, one.name)]))
}

export function measuresOf(s: Setting): Measure[] {
  const { records, acceptedOnly, request } = s
  const isElement = request.stat !== undefined && request.stat.element !== 'record'
  const counted = { records, acceptedOnly, bothWays: records.nfdump && isElement }
  return [
    ...plainMeasures(counted),
    ...(request.distinct ?? []).map(text => distinctMeasure(elementOf(text, records))),
    ...(request.percentiles ?? []).map(text => percentileMeasure(text, counted)),
  ]
}

/** @throws UserError where a key and a measure would have one name. */
export function checkNames(keys: readonly Element[], measures: readonly Measure[]): void {
  const seen = new Set(measures.map(measure => measure.name))
  for (const { name } of keys) {
    if (seen.has(name))
      throw new UserError(`${name} cannot be grouped by: it is what a group counts, or named twice`, { status: 2 })
    seen.add(name)
  }
}

/** @param among the groups that are wanted; absent: all. */
function groupsOf(
  s: Setting,
  sides: readonly (readonly Element[])[],
  measures: readonly Measure[],
  among?: { relation: Relation; on: Expression },
): Query {
  const needed = neededColumns(s, measures)
  const keys = sides[0]!
  if (sides.length > 1 && !s.dialect.rereads) return groupsOfSides(s, sides, measures, needed)
  const parts = sides.map(elements => {
    const items = [...keyItems(elements), ...needed.map(own)]
    const needs = [...needed, ...elements.flatMap(element => element.value.columns)]
    return select(items.length === 0 ? [named(constant(1), 'one')] : items, matching(s, needs))
  })
  const keyed = renamed(unionAll(parts), 'keyed')
  const from = among === undefined ? keyed : join('semi', keyed, among.relation, among.on)
  return select([...keysOut(keys), ...aggregateItems(measures)], { from, groupBy: grouping(keys) })
}

/** The same groups where every record is read once: it stands there once for each side. */
function groupsOfSides(
  s: Setting,
  sides: readonly (readonly Element[])[],
  measures: readonly Measure[],
  needed: readonly string[],
): Query {
  const keys = sides[0]!
  const names = [...new Set([...needed, ...sides.flat().flatMap(({ value }) => value.columns)])]
  const from = bySides(select(names.map(own), matching(s, names)), sides)
  return select([...keysOut(keys), ...aggregateItems(measures)], { from, groupBy: grouping(keys) })
}

/** Every row once for each side, with its keys. */
export function bySides(rows: Relation, sides: readonly (readonly Element[])[]): Relation {
  const names = sides[0]!.map(({ name }) => keyName(name))
  return sidesOf(
    rows,
    names,
    sides.map(elements => elements.map(({ value }) => value)),
  )
}

/** The same groups, summed up from totals by what the keys and the filter read. */
function groupsOfTotals({ filter }: Setting, totals: Totals, sides: readonly (readonly Element[])[]): Query {
  const { tables, cells, measures } = totals
  const where = isAlways(filter.where) ? null : filter.where
  const parts = sides.map((elements, i) =>
    select([...keyItems(elements), ...cells.map(({ name }) => own(name))], { from: table(tables[i]!), where }),
  )
  const keys = sides[0]!
  const items = [...keysOut(keys), ...aggregateItems(measures)]
  return select(items, { from: renamed(unionAll(parts), 'keyed'), groupBy: grouping(keys) })
}

/** Columns of the records that the measures read. */
function neededColumns(s: Setting, measures: readonly Measure[]): string[] {
  const read = new Set(measures.flatMap(measure => measure.aggregate?.columns ?? []))
  return [...s.records.columns].filter(name => read.has(name))
}

/** @throws UserError if what is to be ranked by is not counted. */
function rankedBy(s: Setting, measures: readonly Measure[]): Order {
  const order = orderOf(s.request.order ?? 'bytes')
  if (measures.some(measure => measure.name === order)) return order
  throw new UserError(`nothing to rank by: ${order}`, { status: 2, hint: 'the way back is counted with -b only' })
}

function ordering(order: Order): Ordering {
  return ordered(column(order), direction(order))
}

/** Ranks groups, cuts them off and adds the totals. */
export function rankedPlan(s: Setting, g: Grouped): Plan {
  const { request } = s
  const columns: FlowsColumn[] = [...g.keys, ...g.measures.map(({ name, type, unit }) => ({ name, type, unit }))]
  const keep = request.having === undefined ? null : havingOf(request.having, columns)
  const limit = request.limit === undefined ? 10 : request.limit
  const isOther = request.other === true && limit !== null
  const statement = page({
    groups: g.groups,
    measured: computedItems(g.measures),
    keep,
    orderBy: [g.order, ...byKeys(g.keys.map(key => key.name))],
    limit,
    totals: [named(count(keep), '_rows'), ...totalsOf(g), named(unknown('i64'), '_left')],
    names: columns.map(one => one.name),
    rest: isOther ? restOf(g) : null,
  })
  const planned: PlannedColumn[] = [...g.keys, ...columns.slice(g.keys.length)]
  const part: PlannedColumn = { name: 'part', type: 'text', unit: null }
  return { statement, columns: isOther ? [part, ...planned] : planned, totals: true }
}

/** A record is in as many groups as there are sides. */
function totalsOf(g: Grouped): Item[] {
  const has = (name: string): boolean => g.measures.some(measure => measure.name === name)
  const sides = constant(g.sides)
  return totalled.map(name => {
    if (!has(name)) return named(unknown('whole'), `_${name}`)
    const there = aggregate('sum', column(name))
    const total = has(`out_${name}`) ? bothWays(there, aggregate('sum', column(`out_${name}`))) : there
    return named(quotient(total, sides), `_${name}`)
  })
}

/** The sum of both ways, of which either may be unknown. */
export function bothWays(there: Expression, back: Expression): Expression {
  return firstKnown(plus(there, back), there, back)
}

/** One row for all groups that are not listed, so that a column adds up to its total. */
function restOf(g: Grouped): Rest {
  const keys = g.keys.map(({ name }) => named(unknown(), name))
  const counted = g.measures.filter(measure => measure.computed === undefined)
  const sums = counted.map(({ name, together }) =>
    named(together === null ? unknown() : aggregate(together, column(name)), name),
  )
  return { part: 'part', items: [...keys, ...sums] }
}
