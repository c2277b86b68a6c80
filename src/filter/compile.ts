/** A filter to a condition over flow records: values are parameters, columns those of the case. */

import { roleColumns } from '../conversations/roles.ts'
import { UserError } from '../errors.ts'
import type { Prefix } from '../net/prefix.ts'
import { all, any, call, column, compare, isUnknown, not, parameter, unknown, yes } from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'
import type { Filter, Node, TestNode, Value } from './ast.ts'
import type { Compiling } from './compiling.ts'
import { conditionOf } from './condition.ts'
import { type EnrichedTables, noEnrichedTables } from './enriched-tables.ts'
import { FilterError } from './error.ts'

import type { ValueSet } from './set.ts'
import { thingOf } from './things.ts'

export interface CompileContext {
  /** The columns of the flows: a test of another cannot be told. */
  columns: ReadonlySet<string>
  /** The analyst's own networks, internal beside those that the internet does not route. */
  internal?: readonly Prefix[]
  /** Columns of addresses that are IPv4 throughout. */
  fourOnly?: ReadonlySet<string>
  /** When the case's first record begins and its last one ends, microseconds; for `last 2h of case`. */
  /** What the user's own files say of the addresses (`enrichRecords`); without it no filter can ask for that. */
  enriched?: EnrichedTables
  span?: { first_us: bigint; last_us: bigint }
}

export interface Compiled {
  /** True, false, or null: cannot tell. `WHERE` takes what is true. */
  where: Expression
  /** Whether it cannot be told if the record matches. */
  unknown: Expression
  /** The sets that both need: `loadSets` puts them into the database. */
  sets: readonly ValueSet[]
  /** Whether roles or services are asked for: the records are then those of `recordsFor`. */
  roles: boolean
  /** Columns that were asked for and no record has. Whether a record matches then may not be told of any. */
  missing: readonly string[]
  /** Why something cannot be told, one sentence each. */
  notes: readonly string[]
}

/** DuckDB's planning cannot be interrupted, and takes seconds for some thousand terms. */
const mostTests = 1000
const mostBound = 10_000

/**
 * A filter as conditions of a query: what matches, what it needs of the case, and notes where a column is missing.
 */
export function compile(filter: Filter, context: CompileContext): Compiled {
  const c: Compiling = {
    nfdump: filter.nfdump,
    columns: context.columns,
    internal: context.internal ?? [],
    fourOnly: context.fourOnly ?? new Set(),
    span: context.span,
    sets: new Map(),
    missing: new Set(),
    enriched: context.enriched ?? noEnrichedTables,
  }
  const ast = grouped(filter.ast)
  const tests = countTests(ast)
  if (tests > mostTests) {
    throw tooLarge(
      filter,
      `exceeds ${mostTests} tests: ${tests}`,
      'compare with a list, in [ … ], or with a file, in @FILE',
    )
  }
  const where = nodeOf(ast, c, false)
  const bound = where.parameters.length
  if (bound > mostBound) {
    throw tooLarge(filter, `exceeds ${mostBound} values: ${bound}`, 'put long lists into files, in @FILE')
  }
  const roles = roleColumns.some(name => where.columns.includes(name))
  const missing = [...c.missing].map(name => judged.get(name) ?? name)
  return { where, unknown: isUnknown(where), sets: [...c.sets.values()], roles, missing, notes: notesOn(missing) }
}

/** Of a filter as a whole: the place is all of it. */
function tooLarge({ text }: Filter, what: string, hint: string): FilterError {
  return new FilterError(what, { source: { file: null, text, folder: '' }, offset: 0, length: text.length }, { hint })
}

/** What is worked out of connections, and is no column of the records themselves. */
const judged = new Map([
  ['_role', 'role'],
  ['_service', 'service'],
])

function notesOn(missing: readonly string[]): string[] {
  const words = [...judged.values()]
  const ours = missing.filter(name => words.includes(name))
  const rest = missing.filter(name => !words.includes(name))
  return [
    ...(ours.length > 0 ? [`cannot tell: ${ours.join(' and ')} of these records were not worked out`] : []),
    ...(rest.length > 0 ? [`cannot tell: no record has ${rest.join(', ')}`] : []),
  ]
}

/** @param negated whether an odd number of `not` is around, which nfdump's flags heed. */
function nodeOf(node: Node, c: Compiling, negated: boolean): Expression {
  switch (node.kind) {
    case 'any':
      return yes
    case 'not':
      return not(nodeOf(node.node, c, !negated))
    case 'and':
      return all(node.nodes.map(one => nodeOf(one, c, negated)))
    case 'or':
      return any(node.nodes.map(one => nodeOf(one, c, negated)))
    case 'between':
      return overlap(node.from_us, node.to_us, c)
    case 'edge': {
      const { span } = c
      if (span === undefined) {
        throw new UserError(`unknown time: ${node.edge} of the case`, { hint: 'no record of the case has a time' })
      }
      const { first_us, last_us } = span
      return node.edge === 'first' ? overlap(first_us, first_us + node.us, c) : overlap(last_us - node.us, last_us, c)
    }
    default:
      return conditionOf(node, c, negated)
  }
}

/** Whether a record was under way between two moments: not ended before the first, not begun after the second. */
function overlap(from_us: bigint, to_us: bigint, c: Compiling): Expression {
  const at = (us: bigint): Expression => call('time-at', parameter(us, 'i64'))
  const begun = c.columns.has('start') ? compare('<=', column('start'), at(to_us)) : missing('start', c)
  const notEnded = c.columns.has('end') ? compare('>=', column('end'), at(from_us)) : missing('end', c)
  return all([begun, notEnded])
}

function missing(name: string, c: Compiling): Expression {
  c.missing.add(name)
  return unknown('boolean')
}

/** `port 80 or port 81 or …` as `port in [80 81 …]`: the same answer, also where it cannot be told, and planned in no time. */
function grouped(node: Node): Node {
  if (node.kind === 'not') return { kind: 'not', node: grouped(node.node) }
  if (node.kind === 'and') return { kind: 'and', nodes: node.nodes.map(grouped) }
  if (node.kind !== 'or') return node
  const lists = new Map<string, { node: TestNode; values: Value[] }>()
  const nodes: Node[] = []
  for (const one of node.nodes) {
    const values = one.kind === 'test' ? alternatives(one) : null
    if (one.kind !== 'test' || values === null) {
      nodes.push(grouped(one))
      continue
    }
    const key = `${one.side} ${one.thing}`
    const list = lists.get(key)
    if (list === undefined) lists.set(key, { node: one, values: [...values] })
    else for (const value of values) list.values.push(value)
  }
  for (const { node: first, values } of lists.values()) {
    nodes.push(values.length === 1 ? first : { ...first, test: { op: 'in', negated: false, values } })
  }
  return nodes.length === 1 ? nodes[0]! : { kind: 'or', nodes }
}

const listed = new Set(['address', 'number', 'protocol', 'text', 'choice'])

/** The values of a test that is true for each of them; null for other tests. */
function alternatives({ thing, side, test }: TestNode): readonly Value[] | null {
  if (side === 'both' || !listed.has(thingOf(thing).kind)) return null
  if (test.op === 'in' && !test.negated) return test.values
  return test.op === 'compare' && test.comparator === '=' ? [test.value] : null
}

function countTests(node: Node): number {
  if (node.kind === 'and' || node.kind === 'or') return node.nodes.reduce((sum, one) => sum + countTests(one), 0)
  if (node.kind === 'not') return countTests(node.node)
  return 1
}
