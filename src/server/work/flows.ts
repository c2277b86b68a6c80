/** Answers: records, a page at a time. */
import { type ListedPlaces, listedPlaces, recordsAt } from '../../flows/places.ts'
import type { FlowsRequest } from '../../flows/request.ts'
import type { Case } from '../../store/case.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { flowsCommand } from '../command-line.ts'
import type { Count } from '../contract/common.ts'
import type { FieldCell, RowsAnswer, RowsAsk } from '../contract/flows.ts'
import { windowRequest } from '../window-filter.ts'
import { fieldColumn } from './field-columns.ts'

/** Rows that can be seen of an order: to sort more of them takes seconds and gigabytes. */
const reachMax = 10_000
/** Listings whose places stay: 240 kB each. */
const listingsKept = 8

const listings = new WeakMap<Case, Map<string, ListedPlaces>>()

async function rowsAnswer(c: Case, asked: RowsAsk, { signal }: WorkContext): Promise<RowsAnswer> {
  const request = rowsRequest(c, asked)
  const listing = await listed(c, request, signal)
  const { counting, places, sentence, sql, notes } = listing
  const some = places.slice(asked.offset, asked.offset + asked.limit)
  const { columns, records } = await recordsAt(c, counting.evidence, some, { signal })
  const rows = some.map(({ file, line }, i) => ({ file, line, cells: (records[i] ?? []) as FieldCell[] }))
  return {
    evidence: counting.evidence,
    columns: columns.map(one => fieldColumn(one, counting.evidence)),
    rows,
    files: pathsOf(c, new Set(rows.map(row => row.file))),
    total: counting.records as Count,
    rejected: counting.rejected as Count,
    unknown: counting.unknown as Count,
    reach: places.length,
    asked: { sentence, command: flowsCommand(c, request), sql },
    notes,
  }
}

/** What `tidemark flows` is asked for the same rows. */
export function rowsRequest(c: Case, asked: RowsAsk): FlowsRequest {
  return { ...windowRequest(c, asked, asked), order: asked.order, limit: reachMax }
}

async function listed(c: Case, request: FlowsRequest, signal: AbortSignal): Promise<ListedPlaces> {
  const kept = listings.get(c) ?? new Map<string, ListedPlaces>()
  listings.set(c, kept)
  const key = JSON.stringify(request)
  const found = kept.get(key) ?? (await listedPlaces(c, request, { signal, files: false }))
  // The latest last.
  kept.delete(key)
  kept.set(key, found)
  if (kept.size > listingsKept) kept.delete(kept.keys().next().value!)
  return found
}

function pathsOf(c: Case, files: ReadonlySet<number>): Record<number, string> {
  return Object.fromEntries(c.evidence.flatMap(({ id, path }) => (id !== null && files.has(id) ? [[id, path]] : [])))
}

export const flowsWork: Readonly<Record<string, Answerer<Case>>> = { rows: rowsAnswer }
