/** A filter of a case with all that compiling it needs: also what the user's own files say, as far as it asks. */
import type { EnrichmentOptions } from '../enrich/enrichment.ts'
import type { EnrichmentProblem } from '../enrich/enrichment-file.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Case } from '../store/case.ts'
import { enrichedIn } from './asked-words.ts'
import type { Filter } from './ast.ts'
import { caseEnrichment } from './case-enrichment.ts'
import { type Compiled, compile } from './compile.ts'
import { contextOf, type View } from './context.ts'
import { enrichRecords } from './enriched.ts'
import { fileOf } from './enriched-tables.ts'

export interface FilesAsked {
  enrichment?: EnrichmentOptions | undefined
  signal?: AbortSignal | undefined
  /** Told what in the files could not be used. */
  onProblems?: ((problems: readonly EnrichmentProblem[]) => void) | undefined
}

/**
 * Compiles a filter over a view of a case, within a question. `internal`: with the networks of the user's own files.
 *
 * @throws UserError where a file that the filter needs cannot be used.
 */
export async function compileFor(
  c: Case,
  filter: Filter,
  view: View,
  own: readonly Prefix[],
  { enrichment: given, signal, onProblems }: FilesAsked,
): Promise<{ compiled: Compiled; internal: readonly Prefix[] }> {
  const kinds = new Set([...enrichedIn(filter.ast)].map(word => fileOf[word]))
  const enrichment = await caseEnrichment(c, given, signal, kinds)
  onProblems?.(enrichment.problems)
  const internal = [...own, ...enrichment.internal]
  const enriched = await enrichRecords(c, view, enrichment, kinds)
  return { compiled: compile(filter, { ...contextOf(c, view, internal), enriched }), internal }
}
