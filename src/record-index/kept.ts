/** The record index of a case: of its cache, else made and kept there. */

import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { CacheFile } from '../store/cache.ts'
import type { Case } from '../store/case.ts'
import { isMadeAgain, type KeptSections, withKeptSections } from '../store/kept-sections.ts'
import { buildIndex } from './build.ts'
import { RecordIndex } from './read.ts'

/** Changes with what a record is, its order or the format: what an older one left is not read. */
const rule = 1

function keptIndex(c: Case, evidence: EvidenceKind): KeptSections {
  return {
    what: `records-${evidence}-${rule}`,
    says: 'the records in the order of time',
    make: path => buildIndex(c, evidence, path),
  }
}

/**
 * Works with the record index of a case. It is closed afterwards.
 *
 * @param work is done again where the file turns out to be damaged, with one that was made again: it must keep nothing of what it read before.
 */
export async function withRecordIndex<T>(
  c: Case,
  evidence: EvidenceKind,
  work: (index: RecordIndex) => Promise<T>,
): Promise<T> {
  return withKeptSections(c, keptIndex(c, evidence), file => work(new RecordIndex(file, () => c.db.requireGoing())))
}

/** Whether a file of the cache is the index that the segments give; null for a file of another kind. */
export async function isIndexOf(c: Case, file: CacheFile): Promise<boolean | null> {
  const kept = (['logs', 'packets'] as const).map(one => keptIndex(c, one)).find(({ what }) => what === file.what)
  return kept === undefined ? null : isMadeAgain(c, file, kept)
}
