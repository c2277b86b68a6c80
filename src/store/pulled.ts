/** What a case knows of records that were left on an engine: a pull brings a part of each object, and sums over the whole of it. */
import { fieldNamed } from '../records/fields.ts'
import { columnOfField } from '../records/unknown-columns.ts'
import type { EvidenceEntry, LedgerEntry } from './ledger.ts'
import type { PullNote } from './ledger-entry.ts'
import { notOfFiles } from './standing.ts'

/** Counts of a row in segments of kind `pulled`: of the records of one sensor in one object that start in the same minute. */
export const pulledCounts = ['longest_us', 'records', 'accepted', 'rejected'] as const

type Part = PullNote['parts'][number]

export interface Pulled {
  note: PullNote
  /** Those of files that count, by the number of the file. */
  parts: ReadonlyMap<number, Part>
  /** Objects that were read whole, by their URI. */
  whole: ReadonlySet<string>
}

/** Null for a case without a pull: there is one at most. */
export function pulledOf(entries: readonly LedgerEntry[], evidence: readonly EvidenceEntry[]): Pulled | null {
  const entry = entries.find(one => one.type === 'pulled')
  if (entry?.type !== 'pulled') return null
  const counted = new Set(evidence.flatMap(file => file.id ?? []))
  const parts = new Map(entry.pull.parts.filter(({ id }) => counted.has(id)).map(part => [part.id, part]))
  const whole = new Set(entry.pull.whole)
  const isLeft = parts.size > 0 || evidence.some(file => isWhole(file, whole))
  return isLeft ? { note: entry.pull, parts, whole } : null
}

function isWhole({ origin }: EvidenceEntry, whole: ReadonlySet<string>): boolean {
  return origin !== null && whole.has(origin.uri)
}

/** Where sums of the view `pulled` stand for records: the condition that a record is of no such file. Null: there are none. */
export function notOfParts(pulled: Pulled | null): string | null {
  // Where no file has a record there are no sums, and no view of them.
  const parts = [...(pulled?.parts ?? [])]
  return parts.some(([, part]) => part.rows > 0) ? notOfFiles(parts.map(([id]) => id)) : null
}

/** What was pulled, for people. */
export interface PulledFacts extends Pick<PullNote, 'engine' | 'table' | 'subject' | 'filter' | 'from' | 'to'> {
  objects: number
  /** Records in the case, and all that the table has in that time. */
  records: number
  records_of_table: number
}

/** Null for a case without a pull. */
export function pulledFacts(pulled: Pulled | null, evidence: readonly EvidenceEntry[]): PulledFacts | null {
  if (pulled === null) return null
  const { engine, table, subject, filter, from, to } = pulled.note
  const { parts, whole } = pulled
  const files = evidence.filter(file => file.id !== null && (parts.has(file.id) || isWhole(file, whole)))
  return {
    ...{ engine, table, subject, filter, from, to, objects: files.length },
    records: files.reduce((sum, file) => sum + file.records, 0),
    records_of_table: files.reduce((sum, file) => sum + recordsBehind(file, pulled), 0),
  }
}

const subjectsShown = 5

/** Which records were asked for, in words; of the filter as it was typed. */
export function pulledWords({ filter, subject }: Pick<PullNote, 'filter' | 'subject'>): string {
  if (filter !== null) return `the records that match ${filter}`
  const more = subject.length - subjectsShown
  return `the records of ${subject.slice(0, subjectsShown).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** The time that was asked for, in words; null: all. */
export function pulledTime({ from, to }: Pick<PullNote, 'from' | 'to'>): string | null {
  if (from === null) return to === null ? null : `before ${to}`
  return to === null ? `from ${from} on` : `from ${from} until ${to}`
}

/** Records of which a file tells: its own, or those of what it is a part of. */
export function recordsBehind({ id, records }: EvidenceEntry, pulled: Pulled | null): number {
  return (id === null ? undefined : pulled?.parts.get(id)?.records) ?? records
}

/** Fields of files that have no record here: an engine that has none of a subject's records has its fields all the same. */
export function columnsOfLayouts(evidence: readonly EvidenceEntry[]): string[] {
  const names = evidence.flatMap(({ layout }) => layout?.split(/;? /) ?? []).map(columnOfField)
  return [...new Set(names)].filter(name => fieldNamed(name) !== undefined)
}
