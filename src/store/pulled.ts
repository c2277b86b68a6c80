/** What a case knows of records that were left on an engine: a pull brings a part of each object, and sums over the whole of it. */
import { fieldNamed } from '../records/fields.ts'
import { columnOfField } from '../records/unknown-columns.ts'
import type { EvidenceEntry, LedgerEntry } from './ledger.ts'
import type { PullNote } from './ledger-entry.ts'

/** Counts of a row in segments of kind `pulled`: of the records of one sensor in one object that start in the same minute. */
export const pulledCounts = ['longest_us', 'records', 'accepted', 'rejected'] as const

type Part = PullNote['parts'][number]

export interface Pulled {
  note: PullNote
  /** Those of files that count, by the number of the file. */
  parts: ReadonlyMap<number, Part>
}

/** Null for a case without a pull: there is one at most. */
export function pulledOf(entries: readonly LedgerEntry[], evidence: readonly EvidenceEntry[]): Pulled | null {
  const entry = entries.find(one => one.type === 'pulled')
  if (entry?.type !== 'pulled') return null
  const counted = new Set(evidence.flatMap(file => file.id ?? []))
  const parts = new Map(entry.pull.parts.filter(({ id }) => counted.has(id)).map(part => [part.id, part]))
  return parts.size === 0 ? null : { note: entry.pull, parts }
}

/** Which records were asked for, in words; of the filter as it was typed. */
export function pulledWords({ filter, subject }: Pick<PullNote, 'filter' | 'subject'>): string {
  return filter === null ? `the records of ${subject.join(', ')}` : `the records that match ${filter}`
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
