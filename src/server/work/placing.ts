/** Places of records, with the number that their page is found by. */
import type { Basis } from '../../rules/finding.ts'
import type { Case } from '../../store/case.ts'
import type { Place } from '../contract/place.ts'

export function placing(c: Pick<Case, 'evidence'>): (basis: Basis) => Place {
  const files = new Map(c.evidence.map(({ path, id }) => [path, id]))
  return basis => ({ ...basis, file: files.get(basis.path) ?? null })
}
