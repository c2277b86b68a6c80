/** What `completeFlows` needs of a case. */
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import type { FlowsCompletionContext } from './complete.ts'
import { savedQueries } from './saved.ts'
import { recordsOf } from './source.ts'

/**
 * Columns of the case's flow records and names of its saved queries.
 *
 * @throws UserError if the saved queries cannot be read, or the case has no records of that kind.
 */
export async function flowsCompletionContext(c: Case, evidence?: EvidenceKind): Promise<FlowsCompletionContext> {
  const { columns } = recordsOf(c, evidence)
  const queries = (await savedQueries(c)).map(({ name }) => name)
  return { columns, queries }
}
