/** The SQL of DuckDB: quoting, the names of its functions and types, and where its parameters stand. Nothing else writes SQL for filters and flows. */
import { assert } from '../errors.ts'
import { quotedName, quotedString, type Value } from '../store/duckdb.ts'
import { leadingBits } from './build.ts'
import type { Dialect } from './dialect.ts'
import type {
  AddressAmong,
  AddressTable,
  Aggregate,
  AggregateName,
  Call,
  Comparator,
  Constant,
  Expression,
  FunctionName,
  InPrefixes,
  InSet,
  Item,
  Join,
  Ordering,
  Query,
  Relation,
  Select,
  Trusted,
} from './nodes.ts'
import { asNamedQueries } from './page.ts'
import type { Sql } from './sql.ts'
import type { DataType } from './types.ts'

/** DuckDB as a dialect. */
export const duckdb: Dialect = {
  rereads: true,
  // It says so of a product, or of a number to be converted.
  exceeds64Bits(error: unknown): boolean {
    return error instanceof Error && /^(Out of Range|Conversion) Error: .*\bU?INT64\b/.test(error.message)
  },
  print(node: Expression | Query): Sql {
    const printer = new Printer(false)
    return { text: printer.text(node), values: printer.values }
  },
  shown(node: Expression | Query): string {
    return new Printer(true).text(node)
  },
}

const types: Record<DataType, string> = {
  boolean: 'BOOLEAN',
  u8: 'UTINYINT',
  u16: 'USMALLINT',
  u32: 'UINTEGER',
  u64: 'UBIGINT',
  i32: 'INTEGER',
  i64: 'BIGINT',
  whole: 'HUGEINT',
  text: 'VARCHAR',
  time: 'TIMESTAMP',
  address: 'STRUCT(hi UBIGINT, lo UBIGINT)',
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

const operators: Partial<Record<FunctionName, string>> = {
  plus: '+',
  minus: '-',
  times: '*',
  // Cut towards zero, as `%` is.
  quotient: '//',
  remainder: '%',
  'bits-of-both': '&',
  'shifted-right': '>>',
}

const functions: Partial<Record<FunctionName, string>> = {
  // Both pass over nulls.
  greatest: 'greatest',
  least: 'least',
  'first-known': 'coalesce',
  contains: 'contains',
  'begins-with': 'starts_with',
  'ends-with': 'ends_with',
  microseconds: 'epoch_us',
  'time-at': 'make_timestamp',
}

const aggregates: Record<Exclude<AggregateName, 'count'>, string> = {
  'count-known': 'count',
  'count-distinct': 'count',
  // Of 64 bits 128 come out, of 128 an error.
  sum: 'sum',
  min: 'min',
  max: 'max',
  every: 'bool_and',
  some: 'bool_or',
  percentile: 'quantile_disc',
}

/** A value as DuckDB's own text: what people and evidence say cannot end it. */
function literal(value: Value): string {
  if (value === null || typeof value === 'boolean') return String(value).toUpperCase()
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number')
    return Number.isFinite(value) ? String(value) : `${quotedString(String(value))}::DOUBLE`
  assert(typeof value === 'string', 'a value that is shown is a number or text')
  // SQL ends at a NUL, which no literal can hold.
  const pieces = value.split('\0').map(quotedString)
  return pieces.length === 1 ? pieces[0]! : `(${pieces.join(' || chr(0) || ')})`
}

class Printer {
  readonly values: Value[] = []
  private readonly isShown: boolean

  constructor(isShown: boolean) {
    this.isShown = isShown
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
        return node.of === null ? nameText(node.name) : `${nameText(node.of)}.${nameText(node.name)}`
      case 'constant':
        return constantText(node)
      case 'parameter':
        return typed(this.bound(node.value), node.type)
      case 'comparison':
        return `${this.operand(node.left)} ${comparators[node.comparator]} ${this.operand(node.right)}`
      case 'logic':
        return `(${node.terms.map(term => this.expression(term)).join(node.how === 'and' ? ' AND ' : ' OR ')})`
      case 'not':
        return `(NOT ${this.operand(node.term)})`
      case 'known':
        return `(${this.operand(node.term)} IS ${node.known ? 'NOT NULL' : 'NULL'})`
      case 'among':
        return `${this.operand(node.term)} IN (${this.list(node.values)})`
      case 'in-set':
        return node.addresses ? this.addressInSet(node) : this.inSet(node)
      case 'in-prefixes':
        return this.inPrefixes(node)
      case 'address-among':
        return this.addressAmong(node)
      case 'said-of-address': {
        const [hi, lo] = this.halves(node.address)
        return `(SELECT _said.${nameText(node.name)} FROM ${this.addressTable(node.of)} AS _said WHERE _said.hi = ${hi} AND _said.lo = ${lo})`
      }
      case 'masked': {
        const { address, mask } = node
        const upper = mask.hi === 0n ? '0::UBIGINT' : `${this.half(address, 'hi')} & ${mask.hi}::UBIGINT`
        return `struct_pack(hi := ${upper}, lo := ${this.half(address, 'lo')} & ${mask.lo}::UBIGINT)`
      }
      case 'call':
        return this.call(node)
      case 'cast':
        return `${this.castable(node.term)}::${types[node.type]}`
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
      case 'tuple':
        return `(${this.list(node.items)})`
      case 'only-value':
        return `(${this.query(node.query)})`
      case 'star':
        return node.of === null ? '*' : `${nameText(node.of)}.*`
      case 'trusted':
        return trustedText(node)
    }
  }

  private window(within: readonly Expression[], orderBy: readonly Ordering[]): string {
    const parts = within.length === 0 ? [] : [`PARTITION BY ${this.list(within)}`]
    return [...parts, ...(orderBy.length === 0 ? [] : [`ORDER BY ${this.orderings(orderBy)}`])].join(' ')
  }

  private list(nodes: readonly Expression[]): string {
    return nodes.map(node => this.expression(node)).join(', ')
  }

  /** A part of something that binds more tightly than a comparison. */
  private operand(node: Expression): string {
    const isLoose = ['comparison', 'among', 'in-set', 'address-among', 'trusted'].includes(node.kind)
    return isLoose ? `(${this.expression(node)})` : this.expression(node)
  }

  private castable(node: Expression): string {
    const isNegative = node.kind === 'constant' && (typeof node.value === 'number' || typeof node.value === 'bigint')
    return node.kind === 'case' || isNegative ? `(${this.expression(node)})` : this.operand(node)
  }

  private bound(value: Value): string {
    if (this.isShown) return literal(value)
    this.values.push(value)
    return '?'
  }

  private call(node: Call): string {
    const { name, args } = node
    switch (name) {
      case 'is-ipv4': {
        const [hi, lo] = this.halves(args[0]!)
        return `(${hi} = 0 AND (${lo} >> 32) = 65535)`
      }
      case 'address':
        return `struct_pack(hi := ${this.expression(args[0]!)}, lo := ${this.expression(args[1]!)})`
      case 'upper-half':
        return this.half(args[0]!, 'hi')
      case 'lower-half':
        return this.half(args[0]!, 'lo')
    }
    if (name === 'joined') return `nullif(concat_ws(', ', ${this.list(args)}), '')`
    const operator = operators[name]
    if (operator !== undefined) return `(${args.map(arg => this.operand(arg)).join(` ${operator} `)})`
    return `${functions[name]!}(${this.list(args)})`
  }

  private halves(address: Expression): [hi: string, lo: string] {
    return [this.half(address, 'hi'), this.half(address, 'lo')]
  }

  /** 64 bits of an address. Of a column by its own statistics, so that row groups are passed over. */
  private half(address: Expression, name: 'hi' | 'lo'): string {
    if (address.kind === 'column') return `${this.expression(address)}.${name}`
    if (address.kind === 'constant' && address.value !== null) return `${addressOf(address)[name]}::UBIGINT`
    if (address.kind === 'call' && address.name === 'address') return this.operand(address.args[name === 'hi' ? 0 : 1]!)
    if (address.kind === 'call' && address.name === 'first-known') {
      return `coalesce(${address.args.map(arg => this.half(arg, name)).join(', ')})`
    }
    return `(${this.expression(address)}).${name}`
  }

  private inPrefixes({ address, prefixes, isFour }: InPrefixes): string {
    const tests = prefixes.map(({ first, last }) => {
      const bound = (value: bigint): string => `${this.bound(value)}::UBIGINT`
      const half = (name: 'hi' | 'lo'): string => this.half(address, name)
      if (first.hi !== last.hi) return `(${half('hi')} BETWEEN ${bound(first.hi)} AND ${bound(last.hi)})`
      const lower =
        first.lo === last.lo
          ? `${half('lo')} = ${bound(first.lo)}`
          : `${half('lo')} BETWEEN ${bound(first.lo)} AND ${bound(last.lo)}`
      return isFour && first.hi === 0n ? `(${lower})` : `(${lower} AND ${half('hi')} = ${bound(first.hi)})`
    })
    return `(${tests.join(' OR ')})`
  }

  private inSet({ term, set }: InSet): string {
    return `${this.operand(term)} IN (SELECT value FROM ${nameText(set.table)})`
  }

  /** One semi-join for each length of prefix: the address, cut to the length, is looked up. */
  private addressInSet({ term, set }: InSet): string {
    const tests = set.lengths.map(length => {
      // Each half is printed where it stands: values come in the order of the text, as often as it has them.
      const half = (name: 'hi' | 'lo'): string => this.half(term, name)
      const from = `SELECT hi, lo FROM ${nameText(set.table)} WHERE bits =`
      if (length === 128) return `(${half('hi')}, ${half('lo')}) IN (${from} 128)`
      const mask = leadingBits(length)
      const cut = `${half('hi')} & ${this.bound(mask.hi)}::UBIGINT, ${half('lo')} & ${this.bound(mask.lo)}::UBIGINT`
      return `(${cut}) IN (${from} ${this.bound(length)})`
    })
    return tests.length === 1 ? tests[0]! : `(${tests.join(' OR ')})`
  }

  private addressTable({ table, shown }: AddressTable): string {
    return this.isShown && shown !== null ? shown : nameText(table)
  }

  private addressAmong({ address, of, where, during }: AddressAmong): string {
    const [hi, lo] = this.halves(address)
    const from = this.addressTable(of)
    if (during === null) return `(${hi}, ${lo}) IN (SELECT hi, lo FROM ${from} WHERE ${this.expression(where)})`
    const condition = this.expression(where)
    const [start, end] = [this.expression(during.start), this.expression(during.end)]
    return `EXISTS (SELECT 1 FROM ${from} AS _said WHERE _said.hi = ${hi} AND _said.lo = ${lo} AND ${condition} AND _said.from_us <= epoch_us(${end}) AND _said.until_us > epoch_us(${start}))`
  }

  private aggregate({ name, term, where, figure }: Aggregate): string {
    const one = term === null ? '*' : this.expression(term)
    const distinct = name === 'count-distinct' ? 'DISTINCT ' : ''
    const more = figure === null ? '' : `, ${figure}`
    const filter = where === null ? '' : ` FILTER (WHERE ${this.expression(where)})`
    return `${name === 'count' ? 'count' : aggregates[name]}(${distinct}${one}${more})${filter}`
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
        return node.queries.map(query => this.member(query)).join('\nUNION ALL ')
      case 'page':
        return this.select(asNamedQueries(node))
      case 'trusted':
        return trustedText(node)
    }
  }

  private member(query: Query): string {
    const isPlain = query.kind === 'select' && query.named.length === 0 && query.orderBy.length === 0
    return isPlain && query.limit === null ? this.query(query) : `(${this.query(query)})`
  }

  private select(node: Select): string {
    const named = node.named.map(
      ({ name, query, reused }) => `${nameText(name)} AS ${reused ? 'MATERIALIZED ' : ''}(${this.query(query)})`,
    )
    const parts = [
      ...(named.length === 0 ? [] : [`WITH ${named.join(',\n')}\n`]),
      `SELECT ${node.items.map(item => this.item(item)).join(', ')}`,
      ...(node.from === null ? [] : [` FROM ${this.relation(node.from)}`]),
      ...(node.where === null ? [] : [` WHERE ${this.expression(node.where)}`]),
      ...(node.groupBy.length === 0 ? [] : [` GROUP BY ${this.list(node.groupBy)}`]),
      ...(node.orderBy.length === 0 ? [] : [` ORDER BY ${this.orderings(node.orderBy)}`]),
    ]
    if (node.limit !== null) {
      assert(Number.isSafeInteger(node.limit) && node.limit >= 0, 'a limit is a whole number')
      parts.push(` LIMIT ${node.limit}`)
    }
    return parts.join('')
  }

  private item({ value, name }: Item): string {
    return name === null ? this.expression(value) : `${this.expression(value)} AS ${nameText(name)}`
  }

  private relation(node: Relation): string {
    switch (node.kind) {
      case 'table':
        return nameText(node.name)
      case 'renamed':
        return `${this.relation(node.relation)} AS ${nameText(node.name)}`
      case 'join':
        return this.join(node)
      case 'each': {
        const when = node.absent === null ? null : this.expression(node.absent)
        // `range` leaves its end out.
        const numbers = `range(${this.expression(node.first)}, ${this.operand(node.last)} + 1)`
        const of = when === null ? numbers : `CASE WHEN ${when} THEN [NULL] ELSE ${numbers} END`
        return `(SELECT *, unnest(${of}) AS ${nameText(node.name)} FROM ${this.relation(node.relation)})`
      }
      case 'sides': {
        // Side by side: lists of one row are as long as one another.
        const columns = node.names.map(
          (name, i) => `unnest([${this.list(node.sides.map(values => values[i]!))}]) AS ${nameText(name)}`,
        )
        return `(SELECT *, ${columns.join(', ')} FROM ${this.relation(node.relation)})`
      }
      case 'trusted':
        return trustedText(node)
      default:
        return `(${this.query(node)})`
    }
  }

  private join({ how, left, right, on }: Join): string {
    const words = { inner: 'JOIN', left: 'LEFT JOIN', semi: 'SEMI JOIN', anti: 'ANTI JOIN' }[how]
    const sides = `${this.relation(left)} ${words} ${right.kind === 'join' ? `(${this.relation(right)})` : this.relation(right)}`
    if ('kind' in on) return `${sides} ON ${this.expression(on)}`
    return `${sides} USING (${on.map(nameText).join(', ')})`
  }
}

function nameText(name: string): string {
  assert(!name.includes('\0'), 'no name holds a NUL, where SQL would end')
  return quotedName(name)
}

function trustedText({ engine, text }: Trusted): string {
  assert(engine === 'duckdb', 'SQL of another engine is not for this one')
  return text
}

function typed(text: string, type: DataType | null): string {
  return type === null ? text : `${text}::${types[type]}`
}

function constantText(node: Constant): string {
  const { value, type } = node
  if (value !== null && typeof value === 'object') {
    return `struct_pack(hi := ${value.hi}::UBIGINT, lo := ${value.lo}::UBIGINT)`
  }
  if (typeof value === 'boolean') return String(value)
  const text = literal(value)
  return typed(text.startsWith('-') && type !== null ? `(${text})` : text, type)
}

function addressOf({ value }: Constant): { hi: bigint; lo: bigint } {
  assert(typeof value === 'object' && value !== null, 'halves are those of an address')
  return value
}
