/** What a request asks of the user's own files: they are read, and what they say of the case's addresses is worked out. */
import type { EnrichmentOptions } from '../enrich/enrichment.ts'
import type { EnrichmentKind } from '../enrich/enrichment-file.ts'
import { enrichedIn } from '../filter/asked-words.ts'
import type { Filter } from '../filter/ast.ts'
import { caseEnrichment } from '../filter/case-enrichment.ts'
import { enrichRecords } from '../filter/enriched.ts'
import { type EnrichedTables, type EnrichedWord, fileOf } from '../filter/enriched-tables.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Case } from '../store/case.ts'
import { enrichedElement } from './names.ts'
import type { FlowsRequest, FlowsResult } from './request.ts'

export interface EnrichedRequest {
  tables: EnrichedTables
  /** Networks of the user's own that are internal. */
  internal: readonly Prefix[]
  used: FlowsResult['enrichment']
}

/** @throws UserError where a file that the request needs cannot be used. */
export async function enrichedFor(
  c: Case,
  view: 'flows' | 'packet_flows',
  filter: Filter,
  request: FlowsRequest,
  { enrichment: given, signal }: { enrichment?: EnrichmentOptions; signal?: AbortSignal },
): Promise<EnrichedRequest> {
  const kinds = new Set([...wordsOf(filter, request)].map(word => fileOf[word]))
  const enrichment = await caseEnrichment(c, given, signal, kinds)
  const tables = await enrichRecords(c, view, enrichment, kinds)
  const isUsed = (kind: EnrichmentKind): boolean => kinds.has(kind) || (kind === 'networks' && enrichment.has.networks)
  const files = enrichment.files.filter(file => isUsed(file.kind))
  return { tables, internal: enrichment.internal, used: { files, problems: enrichment.problems } }
}

function wordsOf(filter: Filter, request: FlowsRequest): Set<EnrichedWord> {
  const words = enrichedIn(filter.ast)
  const { by = [], stat, distinct = [], order = '' } = request
  for (const text of [...by, ...distinct, stat?.element ?? '', order.replace(/^distinct_/, '')]) {
    const found = enrichedElement(text)
    if (found !== null) words.add(found.word)
  }
  return words
}
