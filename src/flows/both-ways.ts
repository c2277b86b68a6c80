/** `-b`: both directions of a conversation in one row, the way there and the way back counted apart. */
import { UserError } from '../errors.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import { quotedName } from '../store/duckdb.ts'
import { type Element, elementOf } from './elements.ts'
import { bothWaysSql, checkNames, rankedPlan } from './groups.ts'
import { type Counted, distinctMeasure, isRejected, type Measure, rateMeasures, volumeSql } from './measures.ts'
import { direction, orderOf } from './order.ts'
import { commas, keyColumns, matching, type Plan, type Setting } from './plan.ts'
import type { Records } from './source.ts'

const named = ['srcaddr', 'dstaddr', 'srcport', 'dstport', 'protocol'] as const

/** A row for each pair of ends. */
export function bothWaysPlan(s: Setting): Plan {
  const keys = named.map(name => elementOf(name, s.records))
  return rankedPlan(s, {
    groups: pairsSql(s, keys),
    keys: keyColumns(keys),
    measures: measuresOf(s),
    sides: 1,
    order: orderSql(s),
  })
}

/**
 * Pairs of ends, and these grouped by elements: of whom began and who answered, not of each record.
 *
 * @param sidesOf lists of keys as for `groupPlan`, over the columns of some records.
 * @throws UserError for an element that a pair does not have.
 */
export function bothWaysGroupPlan(s: Setting, sidesOf: (records: Records) => readonly (readonly Element[])[]): Plan {
  const { request, records } = s
  const distinctOf = (of: Records): Element[] => (request.distinct ?? []).map(text => elementOf(text, of))
  // First with what a record has, so that a name that nothing has is told from one that a pair has not.
  for (const element of [...sidesOf(records).flat(), ...distinctOf(records)]) checkOfPair(element)
  const ofPair: Records = { ...records, columns: new Set(named) }
  const sides = sidesOf(ofPair)
  const keys = sides[0]!
  const summed = measuresOf(s).map(measure =>
    measure.together === null ? measure : { ...measure, aggregate: `${measure.together}(${quotedName(measure.name)})` },
  )
  const pairs: Measure = { name: 'pairs', type: 'integer', unit: null, aggregate: 'count(*)', together: 'sum' }
  const measures: Measure[] = [pairs, ...summed, ...distinctOf(ofPair).map(distinctMeasure)]
  checkNames(keys, measures)
  const grouped = keys.map(({ name }) => quotedName(`_key_${name}`))
  const parts = sides.map(elements => {
    const own = elements.map(({ name, sql: expression }) => `${expression} AS ${quotedName(`_key_${name}`)}`)
    return `SELECT ${commas([...own, '*'])} FROM pairs`
  })
  const listed = keys.map(({ name }, i) => `${grouped[i]} AS ${quotedName(name)}`)
  const aggregates = measures.flatMap(({ name, aggregate }) =>
    aggregate === null ? [] : [`${aggregate} AS ${quotedName(name)}`],
  )
  const by = keys.length === 0 ? '' : ` GROUP BY ${commas(grouped)}`
  const groups = sql`WITH pairs AS (${pairsSql(
    s,
    named.map(name => elementOf(name, records)),
  )})
  SELECT ${rawSql(commas([...listed, ...aggregates]))} FROM (${rawSql(parts.join(' UNION ALL '))})${rawSql(by)}`
  return rankedPlan(s, { groups, keys: keyColumns(keys), measures, sides: sides.length, order: orderSql(s) })
}

function checkOfPair({ name, needs }: Element): void {
  if (needs.length > 0 && needs.every(column => (named as readonly string[]).includes(column))) return
  throw new UserError(`-b and the element ${name}`, {
    status: 2,
    hint: 'the records of both directions may differ in it: group by addresses, networks, ports or protocol, or leave out -b',
  })
}

/**
 * One row for each pair of ends, turned so that the source began.
 *
 * The source is who sent a SYN without an ACK; if that does not tell, who was seen first; then the higher port, then the higher address.
 */
function pairsSql(s: Setting, keys: readonly Element[]): Sql {
  const { records } = s
  const counted: Counted = { records, acceptedOnly: s.acceptedOnly }
  const needed = ['packets', 'bytes', 'start', 'end', 'action', 'tcp_flags'].filter(name => records.columns.has(name))
  const key = (name: string): string => keys.find(one => one.name === name)!.sql
  const ends = [
    `${key('srcaddr')} AS sa`,
    `${key('dstaddr')} AS da`,
    `${key('srcport')} AS sp`,
    `${key('dstport')} AS dp`,
    `${key('protocol')} AS protocol`,
  ]
  const rows = sql`SELECT *, (sa, coalesce(sp, 0)) <= (da, coalesce(dp, 0)) AS up FROM (
    SELECT ${rawSql(commas([...ends, ...needed.map(quotedName)]))} FROM ${matching(s, [...needed, ...named])})`
  const has = (name: string): boolean => records.columns.has(name)
  const time = (how: string, name: string, where: string): string =>
    has(name) ? `${how}(${quotedName(name)}) FILTER (${where})` : 'NULL::TIMESTAMP'
  const syn = (where: string): string =>
    has('tcp_flags') ? `coalesce(bool_or((tcp_flags & 18) = 2) FILTER (${where} AND protocol = 6), false)` : 'false'
  const pair = sql`SELECT ${rawSql(
    commas([
      'CASE WHEN up THEN sa ELSE da END AS a_addr, CASE WHEN up THEN sp ELSE dp END AS a_port',
      'CASE WHEN up THEN da ELSE sa END AS b_addr, CASE WHEN up THEN dp ELSE sp END AS b_port, protocol',
      'count(*) AS records',
      ...(has('action') ? [`count(*) FILTER (${isRejected}) AS rejected`] : []),
      ...(['packets', 'bytes'] as const).flatMap(name => [
        `${volumeSql(name, counted, 'up')} AS a_${name}`,
        `${volumeSql(name, counted, 'NOT up')} AS b_${name}`,
      ]),
      `count(*) FILTER (up) AS a_records, count(*) FILTER (NOT up) AS b_records`,
      `${time('min', 'start', 'up')} AS a_start, ${time('min', 'start', 'NOT up')} AS b_start`,
      has('start') ? 'min("start") AS "start"' : 'NULL::TIMESTAMP AS "start"',
      has('end') ? 'max("end") AS "end"' : 'NULL::TIMESTAMP AS "end"',
      `${syn('up')} AS a_syn, ${syn('NOT up')} AS b_syn`,
    ]),
  )} FROM (${rows}) GROUP BY ALL`
  return sql`SELECT ${rawSql(commas(turned(has('action'))))} FROM (SELECT *, ${rawSql(forward)} AS forward FROM (${pair}))`
}

const forward = `CASE WHEN a_syn AND NOT b_syn THEN true WHEN b_syn AND NOT a_syn THEN false
    WHEN b_records = 0 THEN true WHEN a_records = 0 THEN false
    WHEN a_start < b_start THEN true WHEN b_start < a_start THEN false ELSE coalesce(a_port > b_port, false) END`

/** Columns of a pair of ends, turned so that the source is first. What no record says of a way is zero: none went there. */
function turned(hasAction: boolean): string[] {
  const pick = (one: string, other: string, name: string): string =>
    `CASE WHEN forward THEN ${one} ELSE ${other} END AS ${name}`
  const volume = (side: 'a' | 'b', name: string): string =>
    `CASE WHEN ${side}_records = 0 THEN 0 ELSE ${side}_${name} END`
  return [
    pick('a_addr', 'b_addr', 'srcaddr'),
    pick('b_addr', 'a_addr', 'dstaddr'),
    pick('a_port', 'b_port', 'srcport'),
    pick('b_port', 'a_port', 'dstport'),
    'protocol',
    'records',
    ...(hasAction ? ['rejected'] : []),
    ...['packets', 'bytes'].flatMap(name => [
      pick(volume('a', name), volume('b', name), name),
      pick(volume('b', name), volume('a', name), `out_${name}`),
    ]),
    '"start"',
    '"end"',
  ]
}

function measuresOf(s: Setting): Measure[] {
  const sum = (name: string, unit: Measure['unit']): Measure => ({
    name,
    type: 'integer',
    unit,
    aggregate: name,
    together: 'sum',
  })
  const time = (name: string, together: 'min' | 'max'): Measure => ({
    name,
    type: 'time',
    unit: null,
    aggregate: name,
    together,
  })
  return [
    sum('records', 'records'),
    ...(s.records.columns.has('action') ? [sum('rejected', 'records')] : []),
    sum('packets', 'packets'),
    sum('bytes', 'B'),
    sum('out_packets', 'packets'),
    sum('out_bytes', 'B'),
    time('start', 'min'),
    time('end', 'max'),
    ...rateMeasures('("bytes" + "out_bytes")', '("packets" + "out_packets")'),
  ]
}

/** Bytes and packets rank by both ways together. */
function orderSql(s: Setting): string {
  const order = orderOf(s.request.order ?? 'bytes')
  const both =
    order === 'bytes' || order === 'packets' ? bothWaysSql(`"${order}"`, `"out_${order}"`) : quotedName(order)
  return `${both} ${direction(order)} NULLS LAST`
}
