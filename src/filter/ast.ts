/** A filter as data: what it means, apart from how it was written. Nodes are plain and hold no positions, so that two can be compared. */
import type { Prefix } from '../net/prefix.ts'
import type { ValueSet } from './set.ts'

/**
 * Which end or way of a record a test looks at.
 * - `either`: one of both ends is enough (the meaning without a word); `both`: both ends.
 * - `in`, `out`: the record's own direction, and the way back of a bidirectional record.
 * - `whole`: the thing has no ends.
 */
export type Side = 'src' | 'dst' | 'either' | 'both' | 'in' | 'out' | 'prev' | 'next' | 'whole'

export type Comparator = '=' | '!=' | '<' | '<=' | '>' | '>='

/** What a thing is compared with. Durations are milliseconds, as in nfdump; times microseconds since the epoch. */
export type Value =
  | { type: 'prefix'; prefix: Prefix }
  | { type: 'number'; number: bigint }
  | { type: 'text'; text: string }
  | { type: 'time'; us: bigint }

/** How TCP flags are asked for: all of the bits, one of them, none of them, or exactly them. */
export type FlagMode = 'all' | 'any' | 'none' | 'only'

export type Test =
  | { op: 'compare'; comparator: Comparator; value: Value }
  | { op: 'in'; negated: boolean; values: readonly Value[] }
  | { op: 'in-set'; negated: boolean; set: ValueSet }
  | { op: 'known'; known: boolean }
  | { op: 'text'; how: TextMatch; text: string }
  | { op: 'flags'; mode: FlagMode; bits: number }
  | { op: 'holds' }

export type TextMatch = 'contains' | 'begins' | 'ends'

export interface TestNode {
  kind: 'test'
  /** Name of the thing in `things.ts`, or of a field. */
  thing: string
  side: Side
  test: Test
}

export type Node =
  | { kind: 'any' }
  | { kind: 'and' | 'or'; nodes: readonly Node[] }
  | { kind: 'not'; node: Node }
  | TestNode
  /** Records that were under way at some moment from `from_us` to `to_us`, both included. */
  | { kind: 'between'; from_us: bigint; to_us: bigint }
  /** Records that were under way in the first or last `us` microseconds of the case. */
  | { kind: 'edge'; edge: 'first' | 'last'; us: bigint }

/** A filter that was read. */
export interface Filter {
  /** As it was written. */
  text: string
  ast: Node
  /** Whether it means what nfdump 1.7.1 means by it; see docs/reference/filter.md. */
  nfdump: boolean
  /** What the writer may not have meant, one sentence each. */
  notes: readonly string[]
}
