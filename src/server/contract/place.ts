/** Where a record stands in the evidence. */
import type { Basis } from '../../rules/finding.ts'

export interface Place extends Basis {
  /** Number of its file in the ledger: `/record/FILE/NUMBER` is its page. Null: that file has none. */
  file: number | null
}
