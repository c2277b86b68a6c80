/** Makes nodes; reads like what it means. */
import { assert } from '../errors.ts'
import type { Address } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Value } from '../store/duckdb.ts'
import {
  type AddressAmong,
  type AddressTable,
  type Aggregate,
  type AggregateName,
  type Call,
  type Case,
  type Column,
  type Comparator,
  type Constant,
  type Expression,
  type FunctionName,
  frozen,
  type Item,
  type Named,
  type NamedSet,
  type Ordering,
  type Page,
  type Parameter,
  type Query,
  type Relation,
  type RowNumber,
  type Select,
  type Table,
  type Trusted,
  type Windowed,
  withNeeds,
} from './nodes.ts'
import type { DataType } from './types.ts'

export function column(name: string, of: string | null = null): Column {
  return withNeeds({ kind: 'column', name, of }, [name], [])
}

/** A value that the code knows; text from people is never one. */
export function constant(value: Constant['value'], type: DataType | null = null): Constant {
  return withNeeds({ kind: 'constant', value: Object.freeze(value), type }, [], [])
}

/** A value that is not known, of a type. */
export function unknown(type: DataType | null = null): Constant {
  return constant(null, type)
}

export const yes = constant(true)
export const no = constant(false)

/** A value from people or evidence. */
export function parameter(value: Value, type: DataType | null = null): Parameter {
  return withNeeds({ kind: 'parameter', value, type }, [], [value])
}

export function compare(comparator: Comparator, left: Expression, right: Expression): Expression {
  return frozen({ kind: 'comparison', comparator, left, right }, [left, right])
}

export function equal(left: Expression, right: Expression): Expression {
  return compare('=', left, right)
}

export function all(terms: readonly Expression[]): Expression {
  return logic('and', terms)
}

export function any(terms: readonly Expression[]): Expression {
  return logic('or', terms)
}

function logic(how: 'and' | 'or', terms: readonly Expression[]): Expression {
  if (terms.length === 0) return how === 'and' ? yes : no
  return terms.length === 1 ? terms[0]! : frozen({ kind: 'logic', how, terms: [...terms] }, terms)
}

export function not(term: Expression): Expression {
  return frozen({ kind: 'not', term }, [term])
}

export function isKnown(term: Expression): Expression {
  return frozen({ kind: 'known', known: true, term }, [term])
}

export function isUnknown(term: Expression): Expression {
  return frozen({ kind: 'known', known: false, term }, [term])
}

export function among(term: Expression, values: readonly Expression[]): Expression {
  if (values.length === 0) return no
  return values.length === 1
    ? equal(term, values[0]!)
    : frozen({ kind: 'among', term, values: [...values] }, [term, ...values])
}

/** @param set of numbers or texts. */
export function inSet(term: Expression, set: NamedSet): Expression {
  return frozen({ kind: 'in-set', term, set, addresses: false }, [term])
}

export function addressInSet(term: Expression, set: NamedSet): Expression {
  if (set.lengths.length === 0) return no
  const cuts = set.lengths.flatMap(length => {
    const { hi, lo } = leadingBits(length)
    return length === 128 ? [] : [hi, lo, length]
  })
  const node = { kind: 'in-set', term, set, addresses: true } as const
  return withNeeds(node, term.columns, [...term.parameters, ...cuts])
}

/** @param isFour whether all addresses are known to be of IPv4. */
export function inPrefixes(address: Expression, prefixes: readonly Prefix[], isFour = false): Expression {
  if (prefixes.length === 0) return no
  const bounds = prefixes.flatMap(({ first, last }) => {
    if (first.hi !== last.hi) return [first.hi, last.hi]
    const lower = first.lo === last.lo ? [first.lo] : [first.lo, last.lo]
    return isFour && first.hi === 0n ? lower : [...lower, first.hi]
  })
  const { columns } = address
  return withNeeds({ kind: 'in-prefixes', address, prefixes: [...prefixes], isFour }, columns, [
    ...address.parameters,
    ...bounds,
  ])
}

/** @param where on the columns of the table. @param during the begin and the end of the record, where rows have times. */
export function addressAmong(
  address: Expression,
  of: AddressTable,
  where: Expression,
  during: AddressAmong['during'] = null,
): Expression {
  const outer = [address, ...(during === null ? [] : [during.start, during.end])]
  const columns = new Set(outer.flatMap(one => one.columns))
  const parameters = [...outer, where].flatMap(one => one.parameters)
  return withNeeds({ kind: 'address-among', address, of, where, during }, [...columns], parameters)
}

export function saidOfAddress(address: Expression, of: AddressTable, name: string): Expression {
  return frozen({ kind: 'said-of-address', address, of, name }, [address])
}

/** The mask of a prefix of that many bits. */
export function leadingBits(length: number): Address {
  const mask = ((1n << 128n) - 1n) ^ ((1n << BigInt(128 - length)) - 1n)
  return { hi: mask >> 64n, lo: mask & 0xffff_ffff_ffff_ffffn }
}

/** @param mask the bits that stay. */
export function masked(address: Expression, mask: Address): Expression {
  return frozen({ kind: 'masked', address, mask }, [address])
}

export function call(name: FunctionName, ...args: readonly Expression[]): Call {
  return frozen({ kind: 'call', name, args: [...args] }, args)
}

export const plus = (left: Expression, right: Expression): Call => call('plus', left, right)
export const minus = (left: Expression, right: Expression): Call => call('minus', left, right)
export const times = (left: Expression, right: Expression): Call => call('times', left, right)
export const quotient = (left: Expression, right: Expression): Call => call('quotient', left, right)
export const remainder = (left: Expression, right: Expression): Call => call('remainder', left, right)
export const microseconds = (time: Expression): Call => call('microseconds', time)

/** The first of some values that is known; of one value itself. */
export function firstKnown(...args: readonly Expression[]): Expression {
  return args.length === 1 ? args[0]! : call('first-known', ...args)
}

export function cast(term: Expression, type: DataType): Expression {
  return frozen({ kind: 'cast', term, type }, [term])
}

/** @param branches the first whose condition is true counts. */
export function choose(
  branches: readonly (readonly [when: Expression, then: Expression])[],
  otherwise: Expression | null = null,
): Case {
  const pairs = branches.map(([when, then]) => Object.freeze({ when, then }))
  return frozen({ kind: 'case', branches: pairs, otherwise }, [...branches.flat(), otherwise])
}

/** @param where rows that take part. */
export function aggregate(
  name: Exclude<AggregateName, 'count' | 'percentile'>,
  term: Expression,
  where: Expression | null = null,
): Aggregate {
  return frozen({ kind: 'aggregate', name, term, where, figure: null }, [term, where])
}

export function count(where: Expression | null = null): Aggregate {
  return frozen({ kind: 'aggregate', name: 'count', term: null, where, figure: null }, [where])
}

/** @param share from 0 to 1. */
export function percentile(term: Expression, share: number, where: Expression | null = null): Aggregate {
  return frozen({ kind: 'aggregate', name: 'percentile', term, where, figure: share }, [term, where])
}

export function rowNumber(within: readonly Expression[], orderBy: readonly Ordering[]): RowNumber {
  return frozen({ kind: 'row-number', within: [...within], orderBy: [...orderBy] }, [
    ...within,
    ...orderBy.map(({ by }) => by),
  ])
}

/** @param of an aggregate without a condition. */
export function windowed(
  of: Aggregate | 'dense-rank',
  { within = [], orderBy = [] }: { within?: readonly Expression[]; orderBy?: readonly Ordering[] } = {},
): Windowed {
  assert(of === 'dense-rank' || of.where === null, 'not every engine has conditions in windows')
  return frozen({ kind: 'windowed', of, within: [...within], orderBy: [...orderBy] }, [
    ...(of === 'dense-rank' ? [] : [of]),
    ...within,
    ...orderBy.map(({ by }) => by),
  ])
}

export function tuple(...items: readonly Expression[]): Expression {
  return frozen({ kind: 'tuple', items: [...items] }, items)
}

/** The one value of a query of one row. */
export function onlyValue(query: Query): Expression {
  return withNeeds({ kind: 'only-value', query }, [], query.parameters)
}

export function star(of: string | null = null): Expression {
  return withNeeds({ kind: 'star', of }, ['*'], [])
}

/** @param columns what it reads of the rows that it stands over. */
export function trusted(text: string, columns: readonly string[], engine: Trusted['engine'] = 'duckdb'): Trusted {
  return withNeeds({ kind: 'trusted', engine, text }, columns, [])
}

export function table(name: string): Table {
  return withNeeds({ kind: 'table', name }, [], [])
}

export function renamed(relation: Relation, name: string): Relation {
  return withNeeds({ kind: 'renamed', relation, name }, readOf(relation), relation.parameters)
}

export function join(
  how: 'inner' | 'left' | 'semi' | 'anti',
  left: Relation,
  right: Relation,
  on: Expression | readonly string[],
): Relation {
  const condition = isNames(on) ? { columns: on, parameters: [] } : on
  const columns = new Set([...readOf(left), ...readOf(right), ...condition.columns])
  return withNeeds(
    { kind: 'join', how, left, right, on },
    [...columns],
    [...left.parameters, ...right.parameters, ...condition.parameters],
  )
}

function isNames(on: Expression | readonly string[]): on is readonly string[] {
  return Array.isArray(on)
}

/** Rows of a relation once for each integer from `first` to `last`, in the column `name`; with it unknown where `absent`. */
export function each(
  relation: Relation,
  name: string,
  { first, last, absent = null }: { first: Expression; last: Expression; absent?: Expression | null },
): Relation {
  const columns = new Set([...readOf(relation), ...[first, last, absent].flatMap(one => one?.columns ?? [])])
  const parameters = [first, last, absent].flatMap(one => one?.parameters ?? [])
  return withNeeds(
    { kind: 'each', relation, name, first, last, absent },
    [...columns],
    [...relation.parameters, ...parameters],
  )
}

/** @param sides of each side the values of the names. */
export function sidesOf(
  relation: Relation,
  names: readonly string[],
  sides: readonly (readonly Expression[])[],
): Relation {
  const values = sides.flat()
  const columns = new Set([...readOf(relation), ...values.flatMap(one => one.columns)])
  const parameters = [relation, ...values].flatMap(one => one.parameters)
  return withNeeds(
    { kind: 'sides', relation, names: [...names], sides: sides.map(one => Object.freeze([...one])) },
    [...columns],
    parameters,
  )
}

/** What a relation reads of the tables that it names; an inner query reads its own. */
function readOf(relation: Relation): readonly string[] {
  const isQuery = ['select', 'union', 'page', 'trusted'].includes(relation.kind)
  return isQuery ? [] : relation.columns
}

export function named(value: Expression, name: string): Item {
  return Object.freeze({ value, name })
}

/** A column under its own name. */
export function own(name: string): Item {
  return Object.freeze({ value: column(name), name: null })
}

export function every(of: string | null = null): Item {
  return Object.freeze({ value: star(of), name: null })
}

export function order(by: Expression, direction: 'ASC' | 'DESC' = 'ASC'): Ordering {
  return Object.freeze({ by, descending: direction === 'DESC' })
}

export function common(name: string, query: Query, reused = false): Named {
  return Object.freeze({ name, query, reused })
}

type SelectParts = Partial<Omit<Select, 'kind' | 'columns' | 'parameters' | 'items'>>

export function select(items: readonly Item[], parts: SelectParts = {}): Select {
  const { named = [], from = null, where = null, groupBy = [], orderBy = [], limit = null } = parts
  assert(items.length > 0, 'a query has columns')
  const outputs = new Set(items.map(item => item.name))
  const columns = new Set([
    ...items.flatMap(({ value }) => value.columns),
    ...(from === null ? [] : readOf(from)),
    ...(where?.columns ?? []),
    ...groupBy.flatMap(one => one.columns),
    ...orderBy.flatMap(({ by }) => by.columns).filter(name => !outputs.has(name)),
  ])
  const within = [
    ...named.map(({ query }) => query),
    ...items.map(({ value }) => value),
    ...(from === null ? [] : [from]),
    ...(where === null ? [] : [where]),
    ...groupBy,
    ...orderBy.map(({ by }) => by),
  ]
  const parameters = within.flatMap(part => part.parameters)
  const node = { kind: 'select', named, items, from, where, groupBy, orderBy, limit } as const
  return withNeeds(
    { ...node, named: [...named], items: [...items], groupBy: [...groupBy], orderBy: [...orderBy] },
    [...columns],
    parameters,
  )
}

/** Rows of several queries with the same columns in the same order. */
export function unionAll(queries: readonly Query[]): Query {
  if (queries.length === 1) return queries[0]!
  const parameters = queries.flatMap(query => query.parameters)
  return withNeeds({ kind: 'union', queries: [...queries] }, [], parameters)
}

export function page(parts: Omit<Page, 'kind' | 'columns' | 'parameters'>): Page {
  const { groups, measured, keep, orderBy, totals, rest } = parts
  const within = [
    groups,
    ...[...measured, ...totals, ...(rest?.items ?? [])].map(({ value }) => value),
    ...(keep === null ? [] : [keep]),
    ...orderBy.map(({ by }) => by),
  ]
  return withNeeds(
    {
      kind: 'page',
      ...parts,
      rest: rest === null ? null : Object.freeze({ ...rest, items: Object.freeze([...rest.items]) }),
    },
    [],
    within.flatMap(part => part.parameters),
  )
}
