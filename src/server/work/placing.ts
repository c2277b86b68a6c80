/** Places of records, with the number that their page is found by. */
import type { Basis } from '../../rules/finding.ts'
import type { Case } from '../../store/case.ts'
import type { EvidenceEntry } from '../../store/ledger.ts'
import type { Place } from '../contract/place.ts'

export function placing(c: Pick<Case, 'evidence'>): (basis: Basis) => Place {
  const numbers = fileNumbers(c.evidence)
  return basis => ({ ...basis, file: basis.file ?? numbers.get(basis.path) ?? null })
}

/** Numbers of files by path; null where several had that path, as one that was added again after it changed. */
export function fileNumbers(files: readonly Pick<EvidenceEntry, 'path' | 'id'>[]): ReadonlyMap<string, number | null> {
  const numbers = new Map<string, number | null>()
  for (const { path, id } of files) {
    if (id === null) continue
    numbers.set(path, numbers.has(path) ? null : id)
  }
  return numbers
}
