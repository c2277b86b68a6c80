/** A second window beside the filter's own: the same groups, counted in both. */
import { UserError } from '../errors.ts'
import type { Filter, Node } from '../filter/ast.ts'
import { parse } from '../filter/filter.ts'
import {
  all,
  call,
  choose,
  column,
  compare,
  constant,
  count,
  equal,
  minus,
  named,
  order as ordered,
  own,
  parameter,
  select,
} from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'
import type { Element } from './elements.ts'
import { aggregateItems, rankedPlan } from './groups.ts'
import { isRejected, type Measure, volume } from './measures.ts'
import { direction, orderOf } from './order.ts'
import { grouping, keyColumns, keyItems, keysOut, matching, type Plan, type Setting, type TimeWindow } from './plan.ts'

export interface Compared {
  /** The filter without its window. */
  filter: Filter
  now: TimeWindow
  before: TimeWindow
}

/** Splits the window off a filter, and reads the other one. @throws UserError where there is no window to compare. */
export function compared(filter: Filter, text: string, span: TimeWindow | null): Compared {
  const parts = filter.ast.kind === 'and' ? filter.ast.nodes : [filter.ast]
  const windows = parts.filter(isWindow)
  const rest = parts.filter(node => !isWindow(node))
  const now = windows.length === 1 ? windowOf(windows[0]!, span) : null
  if (now === null) {
    throw new UserError('nothing to compare: the filter names no window', {
      status: 2,
      hint: 'write one: port 443 and between 2023-09-28T18:00 and 2023-09-28T19:00',
    })
  }
  const ast: Node = rest.length === 0 ? { kind: 'any' } : rest.length === 1 ? rest[0]! : { kind: 'and', nodes: rest }
  return { filter: { ...filter, ast }, now, before: otherWindow(text, now, span) }
}

function otherWindow(text: string, now: TimeWindow, span: TimeWindow | null): TimeWindow {
  if (text.trim().toLowerCase() === 'previous') {
    return { from_us: now.from_us - (now.to_us - now.from_us), to_us: now.from_us }
  }
  // A window names no files; this one may be of a saved query.
  const { ast } = parse(text, { files: false })
  const window = isWindow(ast) ? windowOf(ast, span) : null
  if (window !== null) return window
  throw new UserError(`not a window: ${text}`, {
    status: 2,
    hint: '"previous", or "between 2023-09-28T17:00 and 2023-09-28T18:00"',
  })
}

function isWindow(node: Node): boolean {
  return node.kind === 'between' || node.kind === 'edge'
}

/** The window that every match lies in, where the filter names one: `… and between A and B`. */
export function windowOf(node: Node, span: TimeWindow | null): TimeWindow | null {
  if (node.kind === 'between') return { from_us: node.from_us, to_us: node.to_us }
  if (node.kind === 'edge' && span !== null) {
    return node.edge === 'first'
      ? { from_us: span.from_us, to_us: span.from_us + node.us }
      : { from_us: span.to_us - node.us, to_us: span.to_us }
  }
  if (node.kind !== 'and') return null
  const windows = node.nodes.flatMap(one => windowOf(one, span) ?? [])
  return windows.length === 1 ? windows[0]! : null
}

/** Whether a record was under way in a window. */
export function isWithin({ from_us, to_us }: TimeWindow): Expression {
  const at = (us: bigint): Expression => call('time-at', parameter(us, 'i64'))
  return all([compare('<=', column('start'), at(to_us)), compare('>=', column('end'), at(from_us))])
}

const counters = ['packets', 'bytes'] as const

/** A record that is under way in both windows counts in both. */
export function comparePlan(s: Setting, keys: readonly Element[], { now, before }: Compared): Plan {
  const order = orderOf(s.request.order ?? 'bytes')
  if (order !== 'bytes' && order !== 'packets' && order !== 'records') {
    throw new UserError(`a comparison is not ranked by: ${order}`, {
      status: 2,
      hint: 'by bytes, packets or records',
    })
  }
  const needed = ['packets', 'bytes', 'action'].filter(name => s.records.columns.has(name))
  const needs = [...needed, 'start', 'end', ...keys.flatMap(key => key.value.columns)]
  const windows = [named(isWithin(now), '_now'), named(isWithin(before), '_before')]
  const rows = select([...keyItems(keys), ...needed.map(own), ...windows], matching(s, needs))
  const measures = measuresOf(s)
  const groups = select([...keysOut(keys), ...aggregateItems(measures)], { from: rows, groupBy: grouping(keys) })
  const larger = call('greatest', column(order), column(`${order}_before`))
  const ranked = ordered(larger, direction(order))
  return rankedPlan(s, { groups, keys: keyColumns(keys), measures, sides: 1, order: ranked })
}

/** Each count in both windows, and how much more it is now. */
function measuresOf(s: Setting): Measure[] {
  const counted = { records: s.records, acceptedOnly: s.acceptedOnly }
  const measure = (name: string, unit: Measure['unit'], aggregate: Expression): Measure => {
    return { name, type: 'integer', unit, aggregate, together: 'sum' }
  }
  const both = (name: string, unit: Measure['unit'], of: (where: Expression) => Expression): Measure[] => [
    measure(name, unit, of(column('_now'))),
    measure(`${name}_before`, unit, of(column('_before'))),
    {
      name: `${name}_change`,
      type: 'integer',
      unit,
      aggregate: null,
      computed: minus(column(name), column(`${name}_before`)),
      together: null,
    },
  ]
  const moved = (name: (typeof counters)[number]) => (where: Expression) =>
    choose([[equal(count(where), constant(0)), constant(0)]], volume(name, counted, where))
  return [
    ...both('records', 'records', count),
    ...(s.records.columns.has('action') ? both('rejected', 'records', where => count(all([where, isRejected]))) : []),
    ...both('packets', 'packets', moved('packets')),
    ...both('bytes', 'B', moved('bytes')),
  ]
}
