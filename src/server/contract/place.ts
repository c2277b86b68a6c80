/** Where a record stands in the evidence. */
import type { Basis } from '../../rules/finding.ts'

export interface Place extends Omit<Basis, 'file'> {
  /** Number of its file in the ledger: `/record/FILE/NUMBER` is its page. Null: that file has none, or it cannot be told from another of the same path. */
  file: number | null
}
