/** `-b`: both directions of a conversation in one row, the way there and the way back counted apart. */
import { UserError } from '../errors.ts'
import {
  aggregate,
  all,
  any,
  call,
  choose,
  column,
  common,
  compare,
  constant,
  count,
  equal,
  every,
  firstKnown,
  named as item,
  no,
  not,
  order as ordered,
  own,
  plus,
  select,
  table,
  tuple,
  unionAll,
  unknown,
  yes,
} from '../query/build.ts'
import type { Expression, Item, Ordering, Query } from '../query/nodes.ts'
import { type Element, elementOf } from './elements.ts'
import { aggregateItems, bothWays, bySides, checkNames, rankedPlan } from './groups.ts'
import { type Counted, distinctMeasure, isRejected, type Measure, rateMeasures, volume } from './measures.ts'
import { direction, orderOf } from './order.ts'
import { grouping, keyColumns, keyItems, keysOut, matching, type Plan, type Setting } from './plan.ts'
import type { Records } from './source.ts'

const named = ['srcaddr', 'dstaddr', 'srcport', 'dstport', 'protocol'] as const

/** A row for each pair of ends. */
export function bothWaysPlan(s: Setting): Plan {
  const keys = named.map(name => elementOf(name, s.records))
  return rankedPlan(s, {
    groups: pairsOf(s, keys),
    keys: keyColumns(keys),
    measures: measuresOf(s),
    sides: 1,
    order: ordering(s),
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
    measure.together === null ? measure : { ...measure, aggregate: aggregate(measure.together, column(measure.name)) },
  )
  const pairs: Measure = { name: 'pairs', type: 'integer', unit: null, aggregate: count(), together: 'sum' }
  const measures: Measure[] = [pairs, ...summed, ...distinctOf(ofPair).map(distinctMeasure)]
  checkNames(keys, measures)
  const parts = (): Query =>
    unionAll(sides.map(elements => select([...keyItems(elements), every()], { from: table('pairs') })))
  const pairsOfRecords = pairsOf(
    s,
    named.map(name => elementOf(name, records)),
  )
  const groups = select([...keysOut(keys), ...aggregateItems(measures)], {
    named: [common('pairs', pairsOfRecords, false)],
    from: sides.length > 1 && !s.dialect.rereads ? bySides(table('pairs'), sides) : parts(),
    groupBy: grouping(keys),
  })
  return rankedPlan(s, { groups, keys: keyColumns(keys), measures, sides: sides.length, order: ordering(s) })
}

function checkOfPair({ name, fields }: Element): void {
  if (fields.length > 0 && fields.every(field => (named as readonly string[]).includes(field))) return
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
function pairsOf(s: Setting, keys: readonly Element[]): Query {
  const { records } = s
  const has = (name: string): boolean => records.columns.has(name)
  const needed = ['packets', 'bytes', 'start', 'end', 'action', 'tcp_flags'].filter(has)
  const short = { srcaddr: 'sa', dstaddr: 'da', srcport: 'sp', dstport: 'dp', protocol: 'protocol' }
  const ends = named.map(name => item(keys.find(one => one.name === name)!.value, short[name]))
  const asked = s.otherWay === null ? [] : [item(s.otherWay, 'other_way')]
  const needs = [...needed, ...named, ...(s.otherWay?.columns ?? [])]
  const ofRecords = select([...ends, ...needed.map(own), ...asked], matching(s, needs))
  const end = (addr: string, port: string): Expression => tuple(column(addr), firstKnown(column(port), constant(0)))
  const rows = select([every(), item(compare('<=', end('sa', 'sp'), end('da', 'dp')), 'up')], { from: ofRecords })
  const either = (one: string, other: string): Expression => choose([[up, column(one)]], column(other))
  const groups = {
    ...{ a_addr: either('sa', 'da'), a_port: either('sp', 'dp') },
    ...{ b_addr: either('da', 'sa'), b_port: either('dp', 'sp'), protocol: column('protocol') },
  }
  const pair = select([...Object.entries(groups).map(([name, value]) => item(value, name)), ...countsOfPair(s)], {
    from: rows,
    groupBy: Object.values(groups),
  })
  const turning = select([every(), item(s.otherWay === null ? forward : forwardOfOneWay, 'forward')], { from: pair })
  return select(turned(has('action'), s.otherWay !== null), { from: turning })
}

const up = column('up')
const ways = { a: up, b: not(up) }

/** What is counted of a pair, of each way apart. */
function countsOfPair({ records, acceptedOnly, otherWay }: Setting): Item[] {
  const counted: Counted = { records, acceptedOnly }
  const has = (name: string): boolean => records.columns.has(name)
  const time = (how: 'min' | 'max', name: string, where: Expression | null = null): Expression =>
    has(name) ? aggregate(how, column(name), where) : unknown('time')
  // SYN without ACK.
  const isFirst = equal(call('bits-of-both', column('tcp_flags'), constant(18)), constant(2))
  const isTcp = equal(column('protocol'), constant(6))
  const isAnswer = equal(call('bits-of-both', column('tcp_flags'), constant(18)), constant(18))
  const flagged = (test: Expression, where: Expression): Expression =>
    has('tcp_flags') ? firstKnown(aggregate('some', test, all([where, isTcp])), no) : no
  const { a, b } = ways
  return [
    item(count(), 'records'),
    ...(has('action') ? [item(count(isRejected), 'rejected')] : []),
    ...(['packets', 'bytes'] as const).flatMap(name => [
      item(volume(name, counted, a), `a_${name}`),
      item(volume(name, counted, b), `b_${name}`),
    ]),
    ...[item(count(a), 'a_records'), item(count(b), 'b_records')],
    ...[item(time('min', 'start', a), 'a_start'), item(time('min', 'start', b), 'b_start')],
    ...[item(time('min', 'start'), 'start'), item(time('max', 'end'), 'end')],
    ...[item(flagged(isFirst, a), 'a_syn'), item(flagged(isFirst, b), 'b_syn')],
    ...(otherWay === null
      ? []
      : [
          ...[item(flagged(isAnswer, a), 'a_answers'), item(flagged(isAnswer, b), 'b_answers')],
          item(firstKnown(aggregate('some', column('other_way')), no), 'asked'),
        ]),
  ]
}

const isSilent = (side: 'a' | 'b'): Expression => equal(column(`${side}_records`), constant(0))
const began: [Expression, Expression][] = [
  [all([column('a_syn'), not(column('b_syn'))]), yes],
  [all([column('b_syn'), not(column('a_syn'))]), no],
]

/** Whether end a began. */
const forward = choose(
  [
    ...began,
    [isSilent('b'), yes],
    [isSilent('a'), no],
    [compare('<', column('a_start'), column('b_start')), yes],
    [compare('<', column('b_start'), column('a_start')), no],
  ],
  firstKnown(compare('>', column('a_port'), column('b_port')), no),
)

/** The same where one way was not asked: who sends a SYN-ACK there has not begun. */
const forwardOfOneWay = choose(
  [...began, [all([isSilent('b'), column('a_answers')]), no], [all([isSilent('a'), column('b_answers')]), yes]],
  forward,
)

/**
 * Columns of a pair of ends, turned so that the source is first. What no record says of a way is zero, for none went there; where the filter
 * does not ask for that way it is unknown.
 */
function turned(hasAction: boolean, isOneSided: boolean): Item[] {
  const zero = isOneSided ? choose([[column('asked'), constant(0)]], unknown('whole')) : constant(0)
  const isUnasked = all([any([isSilent('a'), isSilent('b')]), not(column('asked'))])

  const pick = (one: Expression, other: Expression, name: string): Item =>
    item(choose([[column('forward'), one]], other), name)
  const moved = (side: 'a' | 'b', name: string): Expression =>
    choose([[isSilent(side), zero]], column(`${side}_${name}`))
  return [
    pick(column('a_addr'), column('b_addr'), 'srcaddr'),
    pick(column('b_addr'), column('a_addr'), 'dstaddr'),
    pick(column('a_port'), column('b_port'), 'srcport'),
    pick(column('b_port'), column('a_port'), 'dstport'),
    own('protocol'),
    own('records'),
    ...(hasAction ? [own('rejected')] : []),
    ...['packets', 'bytes'].flatMap(name => [
      pick(moved('a', name), moved('b', name), name),
      pick(moved('b', name), moved('a', name), `out_${name}`),
    ]),
    own('start'),
    own('end'),
    ...(isOneSided ? [item(choose([[isUnasked, constant(1)]], constant(0)), 'not_asked')] : []),
  ]
}

function measuresOf(s: Setting): Measure[] {
  const sum = (name: string, unit: Measure['unit']): Measure => ({
    name,
    type: 'integer',
    unit,
    aggregate: column(name),
    together: 'sum',
  })
  const time = (name: string, together: 'min' | 'max'): Measure => ({
    name,
    type: 'time',
    unit: null,
    aggregate: column(name),
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
    ...(s.otherWay === null ? [] : [sum('not_asked', null)]),
    ...rateMeasures(plus(column('bytes'), column('out_bytes')), plus(column('packets'), column('out_packets'))),
  ]
}

/** Bytes and packets rank by both ways together. */
function ordering(s: Setting): Ordering {
  const order = orderOf(s.request.order ?? 'bytes')
  const isVolume = order === 'bytes' || order === 'packets'
  const by = isVolume ? bothWays(column(order), column(`out_${order}`)) : column(order)
  return ordered(by, direction(order))
}
