/**
 * A question as a tree of frozen nodes, which say what is meant; a printer makes the SQL of one engine of them, and nobody reads that back.
 *
 * Each node knows the columns that it reads of the rows it stands over, and the parameters (values from people and evidence) within it.
 */
import type { Address } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import type { ChunkColumn } from '../store/chunk-table.ts'
import type { Value } from '../store/duckdb.ts'
import type { DataType } from './types.ts'

interface Needs {
  /** Names of columns that the node reads, each once; `*` for all. What an inner query reads is not among them. */
  readonly columns: readonly string[]
  /** Values within it, inner queries included; of a prefix the numbers that bound it. */
  readonly parameters: readonly Value[]
}

export interface Column extends Needs {
  readonly kind: 'column'
  readonly name: string
  /** The table, or the name that it was given, where that must be said. */
  readonly of: string | null
}

/** A value that is ours: it is written into the SQL. */
export interface Constant extends Needs {
  readonly kind: 'constant'
  readonly value: string | number | bigint | boolean | null | Address
  readonly type: DataType | null
}

/** A value from people or evidence: it is bound, or written by the one function that writes literals. */
export interface Parameter extends Needs {
  readonly kind: 'parameter'
  readonly value: Value
  readonly type: DataType | null
}

/** `same`, `different`: never unknown, and two unknown values are the same. */
export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'same' | 'different'

export interface Comparison extends Needs {
  readonly kind: 'comparison'
  readonly comparator: Comparator
  readonly left: Expression
  readonly right: Expression
}

/** All or any of some terms; unknown where an unknown term decides. */
export interface Logic extends Needs {
  readonly kind: 'logic'
  readonly how: 'and' | 'or'
  readonly terms: readonly Expression[]
}

export interface Not extends Needs {
  readonly kind: 'not'
  readonly term: Expression
}

/** Whether a value is known. */
export interface Known extends Needs {
  readonly kind: 'known'
  readonly known: boolean
  readonly term: Expression
}

/** Whether a value is one of some. */
export interface Among extends Needs {
  readonly kind: 'among'
  readonly term: Expression
  readonly values: readonly Expression[]
}

/** A set of values that the engine was given under a name. */
export interface NamedSet {
  readonly table: string
  /** Of addresses the lengths of prefix that occur, of 128 bits. */
  readonly lengths: readonly number[]
  /** The values, for engines that are given no tables: they stand in the statement. */
  readonly columns?: readonly ChunkColumn[]
}

/** Whether a value, or an address under one of the prefixes, is in a set. */
export interface InSet extends Needs {
  readonly kind: 'in-set'
  readonly term: Expression
  readonly set: NamedSet
  readonly addresses: boolean
}

/** Whether an address lies in one of some prefixes. */
export interface InPrefixes extends Needs {
  readonly kind: 'in-prefixes'
  readonly address: Expression
  readonly prefixes: readonly Prefix[]
  /** Whether the address is one of IPv4, wherever it is known: its upper half is zero and need not be read. */
  readonly isFour: boolean
}

/** A table of addresses: `hi`, `lo`, and what is said of them, at most one row of each unless rows have times. */
export interface AddressTable {
  readonly table: string
  /** SQL that any engine of this dialect can read it with; null: it is a table of this database only. */
  readonly shown: string | null
}

/** Whether an address is in such a table, among the rows that fulfil a condition on its columns. */
export interface AddressAmong extends Needs {
  readonly kind: 'address-among'
  readonly address: Expression
  readonly of: AddressTable
  readonly where: Expression
  /** Only rows whose time, from `from_us` on and before `until_us`, has a moment with that of the record; null: rows without times. */
  readonly during: { readonly start: Expression; readonly end: Expression } | null
}

/** What a column of such a table says of an address; unknown where it has no row. */
export interface SaidOfAddress extends Needs {
  readonly kind: 'said-of-address'
  readonly address: Expression
  readonly of: AddressTable
  readonly name: string
}

/** An address with the bits outside a mask cleared. */
export interface Masked extends Needs {
  readonly kind: 'masked'
  readonly address: Expression
  readonly mask: Address
}

/**
 * Functions, by what they do.
 * - `quotient`: of integers, cut towards zero; `remainder` belongs to it. `product` and `plus` of `whole` operands do not overflow.
 * - `greatest`, `least`: of those that are known; unknown only if none is. `first-known`: the first that is known.
 * - `joined`: of texts those that are known, with a comma between them; unknown without one.
 * - `microseconds`: of a time since the epoch; `time-at`: the time of that many. `is-ipv4`: whether an address is one of IPv4.
 * - `address`: of two halves of 64 bits, the upper first. `upper-half`, `lower-half`: of an address.
 */
export type FunctionName =
  | 'plus'
  | 'minus'
  | 'times'
  | 'quotient'
  | 'remainder'
  | 'bits-of-both'
  | 'shifted-right'
  | 'greatest'
  | 'least'
  | 'first-known'
  | 'contains'
  | 'begins-with'
  | 'ends-with'
  | 'joined'
  | 'microseconds'
  | 'time-at'
  | 'is-ipv4'
  | 'address'
  | 'upper-half'
  | 'lower-half'

export interface Call extends Needs {
  readonly kind: 'call'
  readonly name: FunctionName
  readonly args: readonly Expression[]
}

export interface Cast extends Needs {
  readonly kind: 'cast'
  readonly term: Expression
  readonly type: DataType
}

/** The value of the first condition that is true; without one `otherwise`, or unknown. */
export interface Case extends Needs {
  readonly kind: 'case'
  readonly branches: readonly { readonly when: Expression; readonly then: Expression }[]
  readonly otherwise: Expression | null
}

/**
 * What is worked out over the rows of a group.
 * - `count`: the rows; `count-known`: those where the value is known; `count-distinct`: its different known values.
 * - `sum`: exact, without overflow; like `min` and `max` of known values, unknown without one. `every`, `some`: of known truths.
 * - `percentile`: the smallest value that a share of the known ones does not exceed.
 */
export type AggregateName =
  | 'count'
  | 'count-known'
  | 'count-distinct'
  | 'sum'
  | 'min'
  | 'max'
  | 'every'
  | 'some'
  | 'percentile'

export interface Aggregate extends Needs {
  readonly kind: 'aggregate'
  readonly name: AggregateName
  readonly term: Expression | null
  /** Rows that take part; null: all. */
  readonly where: Expression | null
  /** Of a percentile the share, from 0 to 1; of others null. */
  readonly figure: number | null
}

/** The place of a row among those of its part, from 1. */
export interface RowNumber extends Needs {
  readonly kind: 'row-number'
  readonly within: readonly Expression[]
  readonly orderBy: readonly Ordering[]
}

/** What is worked out beside each row over all rows, or those that are alike in some values: an aggregate, or the place of its values in an order. */
export interface Windowed extends Needs {
  readonly kind: 'windowed'
  /** `dense-rank`: from 1, the same for rows that are equal in the order, and without a gap after them. */
  readonly of: Aggregate | 'dense-rank'
  readonly within: readonly Expression[]
  readonly orderBy: readonly Ordering[]
}

/** Several values as one, to be compared from the first on. */
export interface Tuple extends Needs {
  readonly kind: 'tuple'
  readonly items: readonly Expression[]
}

/** The one value of a query of one row. */
export interface OnlyValue extends Needs {
  readonly kind: 'only-value'
  readonly query: Query
}

/** Every column, of all tables or of one. */
export interface Star extends Needs {
  readonly kind: 'star'
  readonly of: string | null
}

/** SQL of one engine, of our own making: what it reads is said by hand, and printers of other engines refuse it. */
export interface Trusted extends Needs {
  readonly kind: 'trusted'
  readonly engine: 'duckdb' | 'trino'
  readonly text: string
}

export type Expression =
  | Column
  | Constant
  | Parameter
  | Comparison
  | Logic
  | Not
  | Known
  | Among
  | InSet
  | InPrefixes
  | AddressAmong
  | SaidOfAddress
  | Masked
  | Call
  | Cast
  | Case
  | Aggregate
  | RowNumber
  | Windowed
  | Tuple
  | OnlyValue
  | Star
  | Trusted

/** Rows are ordered with what is unknown last. */
export interface Ordering {
  readonly by: Expression
  readonly descending: boolean
}

/** An expression under the name that it has in the result; null: its own. */
export interface Item {
  readonly value: Expression
  readonly name: string | null
}

export interface Table extends Needs {
  readonly kind: 'table'
  readonly name: string
}

/** A relation under another name. */
export interface Renamed extends Needs {
  readonly kind: 'renamed'
  readonly relation: Relation
  readonly name: string
}

/** `semi`: rows of the left that have a partner, `anti`: that have none; both once. */
export interface Join extends Needs {
  readonly kind: 'join'
  readonly how: 'inner' | 'left' | 'semi' | 'anti'
  readonly left: Relation
  readonly right: Relation
  /** A condition, or columns that both have, of which one stays. */
  readonly on: Expression | readonly string[]
}

/** Every row of a relation, once for each integer from `first` to `last`, which is in a column of its own; once with it unknown where `absent`. */
export interface Each extends Needs {
  readonly kind: 'each'
  readonly relation: Relation
  readonly name: string
  readonly first: Expression
  readonly last: Expression
  readonly absent: Expression | null
}

/** Every row of a relation once for each of its sides, whose values are in columns of their own. */
export interface Sides extends Needs {
  readonly kind: 'sides'
  readonly relation: Relation
  readonly names: readonly string[]
  /** Of each side the values of the names. */
  readonly sides: readonly (readonly Expression[])[]
}

/** A query under a name, for the one that it stands before. */
export interface Named {
  readonly name: string
  readonly query: Query
  /** It is read more than once and costs much: it should be worked out once, where the engine can. */
  readonly reused: boolean
}

export interface Select extends Needs {
  readonly kind: 'select'
  readonly named: readonly Named[]
  readonly items: readonly Item[]
  readonly from: Relation | null
  readonly where: Expression | null
  readonly groupBy: readonly Expression[]
  readonly orderBy: readonly Ordering[]
  readonly limit: number | null
}

/** The rows of several queries, column by column; `distinct`: each row once. */
export interface Union extends Needs {
  readonly kind: 'union'
  readonly queries: readonly Query[]
}

/**
 * The first of some groups, each row beside totals over all of the groups. Where no group is left there is one row, of totals alone.
 *
 * An engine that works a named query out once reads the groups twice; another one makes windows over the groups of the totals.
 */
export interface Page extends Needs {
  readonly kind: 'page'
  readonly groups: Query
  /** What is worked out of a group's columns; groups and these are what the parts below stand over. */
  readonly measured: readonly Item[]
  /** Which groups stay; null: all. */
  readonly keep: Expression | null
  readonly orderBy: readonly Ordering[]
  readonly limit: number | null
  /** Aggregates over all groups. */
  readonly totals: readonly Item[]
  /** The columns of a row, after the totals and `_is`, which is true where the row has a group. */
  readonly names: readonly string[]
  /** A last row for all groups that are not among the first; null: none. */
  readonly rest: Rest | null
}

export interface Rest {
  /** Name of a column before the others: `top`, or `other` for that row. */
  readonly part: string
  /** Aggregates over those groups, by the names of the groups' columns. */
  readonly items: readonly Item[]
}

export type Query = Select | Union | Page | Trusted
export type Relation = Table | Renamed | Join | Each | Sides | Query
export type QueryNode = Expression | Relation

/** Freezes a node, which needs what its parts need. */
export function frozen<N extends object>(node: N, parts: readonly (Needs | null)[]): Readonly<N> & Needs {
  const columns = new Set<string>()
  const parameters: Value[] = []
  for (const part of parts) {
    if (part === null) continue
    for (const name of part.columns) columns.add(name)
    for (const value of part.parameters) parameters.push(value)
  }
  return withNeeds(node, [...columns], parameters)
}

export function withNeeds<N extends object>(
  node: N,
  columns: readonly string[],
  parameters: readonly Value[],
): Readonly<N> & Needs {
  for (const part of Object.values(node)) if (Array.isArray(part)) Object.freeze(part)
  return Object.freeze({ ...node, columns: Object.freeze([...columns]), parameters: Object.freeze([...parameters]) })
}
