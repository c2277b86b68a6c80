/** Groups of records: `-A`, `-s`, one group of all; with a second window beside the first. */
import { UserError } from '../errors.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import { quotedName } from '../store/duckdb.ts'
import { type Element, elementOf } from './elements.ts'
import { havingSql } from './having.ts'
import { distinctMeasure, type Measure, percentileMeasure, plainMeasures } from './measures.ts'
import { direction, orderOf } from './order.ts'
import { byKeys, commas, keyColumns, limitSql, matching, type Plan, type PlannedColumn, type Setting } from './plan.ts'
import type { FlowsColumn, Order } from './request.ts'

/** Groups as a relation, with what is needed to rank and cut them. */
interface Grouped {
  /** A SELECT with the keys and aggregates, named. */
  groups: Sql
  keys: PlannedColumn[]
  measures: Measure[]
  /** How often a record is in a group: 2 for `ip` and its like. */
  sides: number
  order: string
}

/** @param sides one list of keys, or two that every record has both of. */
export function groupPlan(s: Setting, sides: readonly (readonly Element[])[]): Plan {
  const keys = sides[0]!
  const measures = measuresOf(s)
  checkNames(keys, measures)
  const order = rankedBy(s, measures)
  const groups = groupsSql(s, sides, measures)
  const grouped = { groups, keys: keyColumns(keys), measures, sides: sides.length, order: orderSql(order) }
  return isPlainTop(s, sides, measures, order) ? topPlan(s, keys, measures, order) : rankedPlan(s, grouped)
}

/** Whether the first groups are all that is wanted of every record: then groups need not be kept for the totals. */
function isPlainTop(
  { request, filter }: Setting,
  sides: readonly (readonly Element[])[],
  measures: readonly Measure[],
  order: Order,
): boolean {
  const counted = measures.some(measure => measure.name === order && measure.computed === undefined)
  const plain = request.having === undefined && request.other !== true && request.limit !== null
  return plain && counted && sides.length === 1 && sides[0]!.length > 0 && filter.where.text === 'true'
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
  const computed = measures.flatMap(one =>
    one.computed === undefined ? [] : [`${one.computed} AS ${quotedName(one.name)}`],
  )
  const by = rawSql(commas([orderSql(order), ...byKeys(planned.map(key => key.name))]))
  const names = commas(columns.map(column => quotedName(column.name)))
  const sums = measures.filter(({ name }) => ['records', 'rejected', 'packets', 'bytes'].includes(name))
  const total = ['records', 'rejected', 'packets', 'bytes'].map(
    name => `${sums.find(one => one.name === name)?.aggregate ?? 'NULL::HUGEINT'} AS _${name}`,
  )
  const ranking = measures.filter(({ name }) => name === order)
  const isTop = keys.map(({ name }) => `${quotedName(`_key_${name}`)} IS NOT DISTINCT FROM top.${quotedName(name)}`)
  const statement = sql`WITH ranked AS MATERIALIZED (${groupsSql(s, [keys], ranking)}),
top AS MATERIALIZED (SELECT * FROM ranked ORDER BY ${by} ${limitSql(request.limit ?? 10)}),
page AS (${groupsSql(s, [keys], measures, `SEMI JOIN top ON ${isTop.join(' AND ')}`)}),
measured AS (SELECT ${rawSql(commas(['*', ...computed, 'true AS _is']))} FROM page),
totals AS (SELECT (SELECT count(*) FROM ranked) AS _rows, ${rawSql(commas(total))} FROM ${matching(s, neededColumns(s, sums))})
SELECT totals.*, NULL::BIGINT AS _left, measured._is, ${rawSql(names)} FROM totals LEFT JOIN measured ON true ORDER BY ${by}`
  return { statement, columns, totals: true }
}

function measuresOf(s: Setting): Measure[] {
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

/** @param among a join with the groups that are wanted. */
function groupsSql(s: Setting, sides: readonly (readonly Element[])[], measures: readonly Measure[], among = ''): Sql {
  const needed = neededColumns(s, measures)
  const keys = sides[0]!.map(({ name }) => quotedName(name))
  const aggregates = measures.flatMap(({ aggregate, name }) =>
    aggregate === null ? [] : [`${aggregate} AS ${quotedName(name)}`],
  )
  const parts = sides.map(elements => {
    const needs = [...needed, ...elements.flatMap(element => element.needs)]
    const named = elements.map(({ name, sql: expression }) => `${expression} AS ${quotedName(`_key_${name}`)}`)
    const kept = needed.filter(name => s.records.columns.has(name)).map(quotedName)
    return sql`SELECT ${rawSql(commas([...named, ...kept, ...(named.length + kept.length === 0 ? ['1 AS one'] : [])]))} FROM ${matching(s, needs)}`
  })
  const all = parts.length === 1 ? parts[0]! : sql`${parts[0]!} UNION ALL ${parts[1]!}`
  const listed = sides[0]!.map(({ name }) => `${quotedName(`_key_${name}`)} AS ${quotedName(name)}`)
  const by = keys.length === 0 ? '' : `GROUP BY ${commas(sides[0]!.map(({ name }) => quotedName(`_key_${name}`)))}`
  return sql`SELECT ${rawSql(commas([...listed, ...aggregates]))} FROM (${all}) AS keyed ${rawSql(`${among} ${by}`)}`
}

/** Columns of the records that the measures read. */
function neededColumns(s: Setting, measures: readonly Measure[]): string[] {
  const known = s.records.columns
  const texts = measures.map(measure => measure.aggregate ?? '').join(' ')
  const words = new Set(texts.match(/[A-Za-z_][\w]*/g) ?? [])
  const distinct = (s.request.distinct ?? []).flatMap(text => elementOf(text, s.records).needs)
  return [...new Set([...[...known].filter(name => words.has(name)), ...distinct])]
}

/** @throws UserError if what is to be ranked by is not counted. */
function rankedBy(s: Setting, measures: readonly Measure[]): Order {
  const order = orderOf(s.request.order ?? 'bytes')
  if (measures.some(measure => measure.name === order)) return order
  throw new UserError(`nothing to rank by: ${order}`, { status: 2, hint: 'the way back is counted with -b only' })
}

function orderSql(order: Order): string {
  return `${quotedName(order)} ${direction(order)} NULLS LAST`
}

/** Ranks groups, cuts them off and adds the totals. */
export function rankedPlan(s: Setting, g: Grouped): Plan {
  const { request } = s
  const columns: FlowsColumn[] = [...g.keys, ...g.measures.map(({ name, type, unit }) => ({ name, type, unit }))]
  const computed = g.measures.filter(measure => measure.computed !== undefined)
  const measured = `SELECT *, ${commas([...computed.map(one => `${one.computed} AS ${quotedName(one.name)}`), 'true AS _is'])}`
  const having = request.having === undefined ? rawSql('true') : havingSql(request.having, columns)
  const order = rawSql(commas([g.order, ...byKeys(g.keys.map(key => key.name))]))
  const limit = request.limit === undefined ? 10 : request.limit
  const names = commas(columns.map(column => quotedName(column.name)))
  const isOther = request.other === true && limit !== null
  const page = isOther
    ? otherPage(g, limit)
    : sql`SELECT * FROM measured WHERE ${having} ORDER BY ${order} ${limitSql(limit)}`
  const statement = sql`WITH groups AS MATERIALIZED (${g.groups}),
measured AS (${rawSql(measured)} FROM groups),
totals AS (SELECT ${totalsSql(g, having)} FROM measured),
${isOther ? rankedSql(having, order) : rawSql('')}page AS (${page})
SELECT totals.*, NULL::BIGINT AS _left, page._is, ${rawSql(isOther ? `part, ${names}` : names)} FROM totals LEFT JOIN page ON true ORDER BY ${rawSql(isOther ? "part = 'other', " : '')}${order}`
  const planned: PlannedColumn[] = [...g.keys, ...columns.slice(g.keys.length)]
  const part: PlannedColumn = { name: 'part', type: 'text', unit: null }
  return { statement, columns: isOther ? [part, ...planned] : planned, totals: true }
}

function totalsSql(g: Grouped, having: Sql): Sql {
  const has = (name: string): boolean => g.measures.some(measure => measure.name === name)
  const sum = (name: string): string => (has(name) ? `sum(${quotedName(name)}) // ${g.sides}` : 'NULL::HUGEINT')
  const both = (name: string): string =>
    has(`out_${name}`) ? `${bothWaysSql(`sum("${name}")`, `sum("out_${name}")`)} // ${g.sides}` : sum(name)
  const names = [
    `${sum('records')} AS _records`,
    `${sum('rejected')} AS _rejected`,
    `${both('packets')} AS _packets`,
    `${both('bytes')} AS _bytes`,
  ]
  return sql`count(*) FILTER (${having}) AS _rows, ${rawSql(commas(names))}`
}

/** The sum of both ways, of which either may be unknown. */
export function bothWaysSql(there: string, back: string): string {
  return `coalesce(${there} + ${back}, ${there}, ${back})`
}

function rankedSql(having: Sql, order: Sql): Sql {
  return sql`ranked AS MATERIALIZED (SELECT *, CASE WHEN _stays THEN row_number() OVER (PARTITION BY _stays ORDER BY ${order}) END AS _n
  FROM (SELECT *, coalesce(${having}, false) AS _stays FROM measured)),
`
}

/** The first groups, and one row for all that are not among them, so that a column adds up to its total. */
function otherPage(g: Grouped, limit: number): Sql {
  const keys = g.keys.map(({ name }) => `NULL AS ${quotedName(name)}`)
  const counted = g.measures.filter(measure => measure.computed === undefined)
  const sums = counted.map(
    ({ name, together }) => `${together === null ? 'NULL' : `${together}(${quotedName(name)})`} AS ${quotedName(name)}`,
  )
  const computed = g.measures.flatMap(one =>
    one.computed === undefined ? [] : [`${one.computed} AS ${quotedName(one.name)}`],
  )
  const names = commas([...g.keys, ...g.measures].map(({ name }) => quotedName(name)))
  return sql`SELECT _is, 'top' AS part, ${rawSql(names)} FROM ranked WHERE _n <= ${limit}
  UNION ALL SELECT true, 'other', ${rawSql(names)} FROM (SELECT ${rawSql(commas(['*', ...computed]))} FROM (
    SELECT ${rawSql(commas([...keys, ...sums, 'count(*) AS _groups']))} FROM ranked WHERE _n IS NULL OR _n > ${limit})) WHERE _groups > 0`
}
