/**
 * The file of the time index: the records of a case in the order of their start, in blocks of which each column is a section, so that any
 * of them can be read without the others. Records that do not say when they began come last.
 */
import { groupRows } from '../record-index/about.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'

/** Rows of a block. */
export const usualBlockRows = groupRows

/**
 * Columns of a block, in the order of their sections.
 * - `second`: whole seconds since 1970 in which the record begins; of one without a start that of the last record that has one.
 * - `source`, `destination`: numbers of hosts as the sensor saw them; the number of hosts for none.
 * - `kind`: number of what records have in common, in `TimelineAbout.kinds`.
 * - `bytes`, `packets`: lower 32 bits, zero where they are not known; `…High`: upper 32 bits.
 * - `place`: ordinal of the record's place in the evidence.
 */
export const columnNames = [
  ...(['second', 'source', 'destination', 'sourcePort', 'destinationPort', 'kind'] as const),
  ...(['bytes', 'bytesHigh', 'packets', 'packetsHigh', 'place'] as const),
] as const
export type ColumnName = (typeof columnNames)[number]

/** Bits of a kind's flags. */
export const flag = {
  /** Another record stands for it. */
  aside: 1,
  bytesUnknown: 2,
  packetsUnknown: 4,
  sourcePortKnown: 8,
  destinationPortKnown: 16,
  /** It begins at the very time of the record before it in the index. */
  sameStart: 32,
} as const

/** Number of a protocol that is not known. */
export const noProtocol = 256
/** Numbers of actions: 0 for none, from 3 on those of `TimelineAbout.actions`. */
export const action = { none: 0, accept: 1, reject: 2, firstOther: 3 } as const

/**
 * What many records have in common: number in `TimelineAbout.sensors`, number of the action, protocol or `noProtocol`, bits of `flag`.
 */
type Kind = readonly [sensor: number, action: number, protocol: number, flags: number]

/** Where the lines of a file are among the places: that of line `l` is `base + ways * l`, and the next ones. */
export interface FilePlaces {
  file: number
  base: number
  /** First and last line with a record. */
  first: number
  last: number
}

/** What the file says of itself. */
export interface TimelineAbout {
  evidence: EvidenceKind
  rows: number
  /** Rows of a block, but of the last one: a multiple of 32. */
  blockRows: number
  /** Rows that say when they began: the first ones. */
  timed: number
  hosts: number
  /** Hosts of which each view has totals, and what any other has at most, of all records: null where there is no other. They come first. */
  kept: number
  /** A view with no more hosts has totals of each. */
  hostsMost: number
  most: { bytes: number; records: number } | null
  kinds: readonly Kind[]
  sensors: readonly (string | null)[]
  /** Whether these are the sensors of the records: not where one bears the name of what stands in for another. */
  areSensorsTold: boolean
  /** Actions that are neither ACCEPT nor REJECT, from number 3 on. */
  actions: readonly string[]
  /** Ports that are a server's by their number (`serverPort`), ascending. */
  ports: readonly number[]
  files: readonly FilePlaces[]
  /** How many places a line has: two where one line of a table makes a record of either direction. */
  ways: number
  /** Places that there are. */
  places: number
  /** Rows that have their place in common with others, by place: see `sharedPlaces`. */
  shared: readonly number[]
  /** Sums over all rows; as text, for they may pass 2^53. */
  bytes: string
  packets: string
}

/**
 * Sections after those of the blocks, in this order: the first and the last second of each block; then of the hosts' addresses the words of
 * 32 bits, the highest first. Hosts are in the order of their addresses: first those that are kept, and then the others.
 */
export const endSections = ['starts', 'word3', 'word2', 'word1', 'word0'] as const

/**
 * The port of a record that is its server's, by number alone: that of the lower tier (rule 6 of docs/reference/dossier.md), of one tier the
 * lower one. As the tiers are stretches of numbers, that is the lower of both.
 */
export function serverPort(source: number, destination: number): number {
  return Math.min(source, destination)
}
