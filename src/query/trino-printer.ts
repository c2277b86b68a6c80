/**
 * The SQL of Trino, and with two differences that of Athena (its third engine). Only functions that both have: none is newer than Trino 418.
 *
 * - Addresses are IPADDRESS: 128 bits, IPv4 mapped, as ours. A time is a bigint of microseconds. Integers are bigint, those without bounds
 *   DECIMAL(38, 0): a sum that passes even that is an error, never a wrong number.
 * - Trino works a named query out as often as it is read: pages become windows, and what would read a table twice is refused.
 */
import { assert } from '../errors.ts'
import { quotedName, type Value } from '../store/duckdb.ts'
import type { Dialect } from './dialect.ts'
import type {
  Aggregate,
  AggregateName,
  Call,
  Comparator,
  Comparison,
  Each,
  Expression,
  FunctionName,
  InPrefixes,
  Item,
  Ordering,
  Query,
  Relation,
  Select,
  Trusted,
  Tuple,
} from './nodes.ts'
import { asWindows } from './page-windows.ts'
import type { Sql } from './sql.ts'
import { addressLiteral, literalOf, quotedText, textInDigits, textValue } from './trino-literal.ts'
import { addressInSet, inSet, isWhole64, maskedAddress, percentileOf } from './trino-parts.ts'
import type { DataType } from './types.ts'

/** Where an engine takes bound values: everywhere, in conditions only, or nowhere, for people to read. */
type Bound = 'everywhere' | 'where' | 'nowhere'

export const trino: Dialect = dialectOf('everywhere')

/** Athena binds values in WHERE only; elsewhere text is written as the digits of its bytes. */
export const athena: Dialect = dialectOf('where')

function dialectOf(bound: Bound): Dialect {
  return {
    rereads: false,
    exceeds64Bits(error: unknown): boolean {
      return error instanceof Error && 'code' in error && error.code === 'NUMERIC_VALUE_OUT_OF_RANGE'
    },
    print(node: Expression | Query): Sql {
      const printer = new Printer(bound)
      return { text: printer.text(node), values: printer.values }
    },
    shown(node: Expression | Query): string {
      return new Printer('nowhere').text(node)
    },
  }
}

/**
 * What is sent to Trino: the statement, with its values after it.
 *
 * @throws UserError for a text that cannot be bound.
 */
export function withValues({ text, values }: Sql): string {
  if (values.length === 0) return text
  return `EXECUTE IMMEDIATE ${quotedText(text)} USING ${values.map(boundText).join(', ')}`
}

/** A bound value as Trino and Athena take it. @throws UserError for a text that cannot be bound. */
export function boundText(value: Value): string {
  assert(typeof value === 'string', 'all but text is written as literals')
  return textValue(value)
}

const types: Record<DataType, string> = {
  boolean: 'BOOLEAN',
  u8: 'BIGINT',
  u16: 'BIGINT',
  u32: 'BIGINT',
  u64: 'BIGINT',
  i32: 'BIGINT',
  i64: 'BIGINT',
  whole: 'DECIMAL(38, 0)',
  text: 'VARCHAR',
  time: 'BIGINT',
  address: 'IPADDRESS',
}

const comparators: Record<Comparator, string> = {
  '=': '=',
  '<>': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  same: 'IS NOT DISTINCT FROM',
  different: 'IS DISTINCT FROM',
}

const operators: Partial<Record<FunctionName, string>> = { plus: '+', minus: '-', times: '*', remainder: '%' }

const functions: Partial<Record<FunctionName, string>> = {
  'first-known': 'coalesce',
  'begins-with': 'starts_with',
  'bits-of-both': 'bitwise_and',
  'shifted-right': 'bitwise_right_shift',
}

const aggregates: Partial<Record<AggregateName, string>> = {
  'count-known': 'count',
  'count-distinct': 'count',
  min: 'min',
  max: 'max',
  every: 'bool_and',
  some: 'bool_or',
}

class Printer {
  readonly values: Value[] = []
  private readonly bound: Bound
  private isCondition = false

  constructor(bound: Bound) {
    this.bound = bound
  }

  text(node: Expression | Query): string {
    switch (node.kind) {
      case 'select':
      case 'union':
      case 'page':
        return this.query(node)
      default:
        return this.expression(node)
    }
  }

  private expression(node: Expression): string {
    switch (node.kind) {
      case 'column':
        return node.of === null ? quotedName(node.name) : `${quotedName(node.of)}.${quotedName(node.name)}`
      case 'constant':
        return node.value !== null && typeof node.value === 'object'
          ? addressLiteral(node.value)
          : this.constant(node.value, node.type)
      case 'parameter':
        return this.parameter(node.value)
      case 'comparison':
        return this.comparison(node)
      case 'logic':
        return `(${node.terms.map(term => this.expression(term)).join(node.how === 'and' ? ' AND ' : ' OR ')})`
      case 'not':
        return `(NOT ${this.operand(node.term)})`
      case 'known':
        return `(${this.operand(node.term)} IS ${node.known ? 'NOT NULL' : 'NULL'})`
      case 'among':
        return `${this.operand(node.term)} IN (${this.list(node.values)})`
      case 'in-set':
        return node.addresses ? addressInSet(this.operand(node.term), node.set) : this.inSet(node.term, node.set)
      case 'in-prefixes':
        return this.inPrefixes(node)
      case 'masked':
        return maskedAddress(this.expression(node.address), node.mask)
      case 'call':
        return this.call(node)
      case 'cast':
        return `CAST(${this.expression(node.term)} AS ${types[node.type]})`
      case 'case': {
        const branches = node.branches.map(
          ({ when, then }) => `WHEN ${this.expression(when)} THEN ${this.expression(then)}`,
        )
        const otherwise = node.otherwise === null ? '' : ` ELSE ${this.expression(node.otherwise)}`
        return `CASE ${branches.join(' ')}${otherwise} END`
      }
      case 'aggregate':
        return this.aggregate(node)
      case 'row-number':
        return `row_number() OVER (${this.window(node.within, node.orderBy)})`
      case 'windowed': {
        const of = node.of === 'dense-rank' ? 'dense_rank()' : this.aggregate(node.of)
        return `${of} OVER (${this.window(node.within, node.orderBy)})`
      }
      case 'only-value':
        return `(${this.query(node.query)})`
      case 'star':
        return node.of === null ? '*' : `${quotedName(node.of)}.*`
      case 'trusted':
        return this.trusted(node)
      case 'tuple':
      case 'address-among':
      case 'said-of-address':
        throw new Error(`not for this engine: ${node.kind}`)
    }
  }

  private list(nodes: readonly Expression[]): string {
    return nodes.map(node => this.expression(node)).join(', ')
  }

  /** A part of something that binds more tightly than a comparison. */
  private operand(node: Expression): string {
    const isLoose = ['comparison', 'among', 'in-set', 'in-prefixes', 'trusted'].includes(node.kind)
    return isLoose ? `(${this.expression(node)})` : this.expression(node)
  }

  private constant(value: Value, type: DataType | null): string {
    // Text of our own, such as REJECT.
    const text = typeof value === 'string' ? quotedText(value) : literalOf(value)
    assert(text !== null, 'a constant is text, a number, a truth or an address')
    const isTyped = value === null || type === 'whole'
    return isTyped && type !== null ? `CAST(${text} AS ${types[type]})` : text
  }

  /** Numbers, times and truths were parsed, and are literals; text is bound. */
  private parameter(value: Value): string {
    if (typeof value !== 'string') {
      const text = literalOf(value)
      assert(text !== null, 'a value is text, a number, a truth or an address')
      return text
    }
    if (this.bound === 'nowhere') return /^[\w .:/+-]*$/.test(value) ? quotedText(value) : textInDigits(value)
    if (this.bound === 'where' && !this.isCondition) return textInDigits(value)
    this.values.push(value)
    return '?'
  }

  private comparison({ comparator, left, right }: Comparison): string {
    if (left.kind === 'tuple' && right.kind === 'tuple') return this.tuples(comparator, left, right)
    return `${this.operand(left)} ${comparators[comparator]} ${this.operand(right)}`
  }

  /** From the first value on; an unknown one comes after all others, where Trino's own comparison of rows is an error. */
  private tuples(comparator: Comparator, { items: left }: Tuple, { items: right }: Tuple): string {
    assert(comparator === '<=', 'pairs of values are put in order')
    const before = (i: number): string => {
      const [a, b] = [this.operand(left[i]!), this.operand(right[i]!)]
      const less = `coalesce(${a} < ${b}, ${a} IS NOT NULL AND ${b} IS NULL)`
      const rest = i === left.length - 1 ? 'true' : before(i + 1)
      return `(${less} OR (${a} IS NOT DISTINCT FROM ${b} AND ${rest}))`
    }
    return before(0)
  }

  private inSet(term: Expression, set: Parameters<typeof inSet>[0]): string {
    const one = this.operand(term)
    const values = inSet(set, value => this.parameter(value))
    return values === '' ? 'false' : `${one} IN (${values})`
  }

  private inPrefixes({ address, prefixes }: InPrefixes): string {
    const tests = prefixes.map(({ first, last }) => {
      const one = this.operand(address)
      return first.hi === last.hi && first.lo === last.lo
        ? `${one} = ${addressLiteral(first)}`
        : `${one} BETWEEN ${addressLiteral(first)} AND ${addressLiteral(last)}`
    })
    return tests.length === 1 ? tests[0]! : `(${tests.join(' OR ')})`
  }

  private call({ name, args }: Call): string {
    const arg = (i: number): string => this.operand(args[i]!)
    const operator = operators[name]
    if (operator !== undefined) return `(${args.map(one => this.operand(one)).join(` ${operator} `)})`
    switch (name) {
      case 'quotient':
        if (args[1]!.kind === 'constant' && args[1]!.value === 1) return arg(0)
        // Decimals are divided with rounding; of bigints the rest is cut off.
        return args.every(isWhole64) ? `(${arg(0)} / ${arg(1)})` : `((${arg(0)} - ${arg(0)} % ${arg(1)}) / ${arg(1)})`
      case 'greatest':
      case 'least':
        return `${name}(${args.map((_, i) => this.firstKnownFrom(args, i)).join(', ')})`
      case 'contains':
        return `(strpos(${arg(0)}, ${arg(1)}) > 0)`
      case 'ends-with':
        return `(substr(${arg(0)}, -length(${arg(1)})) = ${arg(1)})`
      case 'microseconds':
      case 'time-at':
        return arg(0)
      case 'is-ipv4':
        return `(${arg(0)} BETWEEN IPADDRESS '0.0.0.0' AND IPADDRESS '255.255.255.255')`
    }
    const called = functions[name]
    assert(called !== undefined, `a function of this engine: ${name}`)
    return `${called}(${this.list(args)})`
  }

  /** The argument, or where it is unknown another one: these functions are unknown here as soon as one argument is. */
  private firstKnownFrom(args: readonly Expression[], i: number): string {
    const turned = [...args.slice(i), ...args.slice(0, i)]
    return turned.length === 1 ? this.expression(turned[0]!) : `coalesce(${this.list(turned)})`
  }

  private aggregate({ name, term, where, figure }: Aggregate): string {
    const condition = (): string => (where === null ? '' : ` FILTER (WHERE ${this.expression(where)})`)
    if (name === 'count') return `count(*)${condition()}`
    const one = (): string => this.expression(term!)
    if (name === 'percentile') return percentileOf(() => `${one()})${condition()}`, figure!)
    if (name === 'sum') return `sum(CAST(${one()} AS DECIMAL(38, 0)))${condition()}`
    const called = aggregates[name]
    assert(called !== undefined, `an aggregate of this engine: ${name}`)
    return `${called}(${name === 'count-distinct' ? 'DISTINCT ' : ''}${one()})${condition()}`
  }

  private window(within: readonly Expression[], orderBy: readonly Ordering[]): string {
    const parts = within.length === 0 ? [] : [`PARTITION BY ${this.list(within)}`]
    return [...parts, ...(orderBy.length === 0 ? [] : [`ORDER BY ${this.orderings(orderBy)}`])].join(' ')
  }

  private orderings(orderings: readonly Ordering[]): string {
    return orderings
      .map(({ by, descending }) => `${this.expression(by)} ${descending ? 'DESC' : 'ASC'} NULLS LAST`)
      .join(', ')
  }

  private query(node: Query): string {
    switch (node.kind) {
      case 'select':
        return this.select(node)
      case 'union':
        throw new Error('a union reads its table more than once')
      case 'page':
        return this.select(asWindows(node))
      case 'trusted':
        return this.trusted(node)
    }
  }

  private trusted({ engine, text }: Trusted): string {
    assert(engine === 'trino', 'SQL of another engine is not for this one')
    return text
  }

  private select(node: Select): string {
    const named = node.named.map(({ name, query }) => `${quotedName(name)} AS (${this.query(query)})`)
    const parts = [
      ...(named.length === 0 ? [] : [`WITH ${named.join(',\n')}\n`]),
      `SELECT ${node.items.map(item => this.item(item)).join(', ')}`,
      ...(node.from === null ? [] : [` FROM ${this.relation(node.from)}`]),
      ...(node.where === null ? [] : [` WHERE ${this.condition(node.where)}`]),
      ...(node.groupBy.length === 0 ? [] : [` GROUP BY ${this.list(node.groupBy)}`]),
      ...(node.orderBy.length === 0 ? [] : [` ORDER BY ${this.orderings(node.orderBy)}`]),
    ]
    if (node.limit !== null) {
      assert(Number.isSafeInteger(node.limit) && node.limit >= 0, 'a limit is a whole number')
      parts.push(` LIMIT ${node.limit}`)
    }
    return parts.join('')
  }

  private condition(where: Expression): string {
    this.isCondition = true
    const text = this.expression(where)
    this.isCondition = false
    return text
  }

  private item({ value, name }: Item): string {
    return name === null ? this.expression(value) : `${this.expression(value)} AS ${quotedName(name)}`
  }

  private relation(node: Relation): string {
    switch (node.kind) {
      case 'table':
        return quotedName(node.name)
      case 'renamed':
        return `${this.relation(node.relation)} AS ${quotedName(node.name)}`
      case 'each':
        return this.each(node)
      case 'sides': {
        const names = node.names.map(name => quotedName(name)).join(', ')
        const relation = this.relation(node.relation)
        const lists = node.names.map((_, i) => `ARRAY[${this.list(node.sides.map(values => values[i]!))}]`)
        return `(SELECT * FROM ${relation} CROSS JOIN UNNEST(${lists.join(', ')}) AS "_side" (${names}))`
      }
      case 'trusted':
        return this.trusted(node)
      case 'join':
        throw new Error('a join reads more than one table')
      default:
        return `(${this.query(node)})`
    }
  }

  /** A list has at most 10,000 numbers here: those of more are made of thousands and rests. */
  private each({ relation, name, first, last, absent }: Each): string {
    const from = this.relation(relation)
    const [begin, end] = [this.operand(first), this.operand(last)]
    const unknown = absent === null ? '' : `WHEN ${this.expression(absent)} THEN ARRAY[CAST(NULL AS BIGINT)] `
    const high = `CASE ${unknown}WHEN ${end} >= ${begin} THEN sequence(0, (${end} - ${begin}) / 10000) END`
    const low = `CASE WHEN "_high" IS NULL THEN ARRAY[CAST(NULL AS BIGINT)] ELSE sequence(${begin} + "_high" * 10000, least(${end}, ${begin} + "_high" * 10000 + 9999)) END`
    return `(SELECT * FROM ${from} CROSS JOIN UNNEST(${high}) AS "_highs" ("_high") CROSS JOIN UNNEST(${low}) AS "_each" (${quotedName(name)}))`
  }
}
