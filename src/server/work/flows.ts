/** Answers: records, a page at a time. */
import { UserError } from '../../errors.ts'
import {
  type ListedRecords,
  type ListingWords,
  listedRecords,
  listingCounts,
  listingWords,
  type RecordsAt,
  recordsAt,
} from '../../flows/places.ts'
import type { FlowsRequest } from '../../flows/request.ts'
import type { Case } from '../../store/case.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { flowsCommand } from '../command-line.ts'
import type { Count } from '../contract/common.ts'
import type { FieldCell, RowsAnswer, RowsAsk } from '../contract/flows.ts'
import { windowRequest } from '../window-filter.ts'
import { fieldColumn } from './field-columns.ts'
import type { FoundRows, RowsAtAsk } from './view-rows.ts'

/** Rows that can be seen of an order: to sort more of them takes seconds and gigabytes. */
const reachMax = 10_000
/** Listings that stay: some 10 MB each. */
const listingsKept = 4

const listings = new WeakMap<Case, Map<string, ListedRecords>>()

async function rowsAnswer(c: Case, ask: RowsAsk, { signal }: WorkContext): Promise<RowsAnswer> {
  const request = rowsRequest(c, ask)
  const listing = await listed(c, request, signal)
  const { counting, places } = listing
  const { records: total, rejected, unknown } = counting as Record<'records' | 'rejected' | 'unknown', Count>
  const end = ask.offset + ask.limit
  const found: FoundRows = { total, rejected, unknown, reach: places.length, places: places.slice(ask.offset, end) }
  return answerOf(c, request, found, listing, { ...listing, records: listing.records.slice(ask.offset, end) })
}

/** Rows in the order of time, of which the time index says where they are. */
async function rowsAt(c: Case, { ask, found }: RowsAtAsk, { signal }: WorkContext): Promise<RowsAnswer> {
  if (found.head !== c.head)
    throw new UserError('newer records of the case were loaded meanwhile', { hint: 'ask again', status: 75 })
  const request = timeRequest(c, ask)
  const words = await listingWords(c, request, { signal, files: false })
  // The figures stand with the first rows.
  const isCounted = ask.raw || ask.offset > 0
  const counts = isCounted ? {} : await listingCounts(c, request, { signal, files: false })
  const { head: _, ...rows } = found
  const { rejected, unknown } = { ...rows, ...counts } as FoundRows
  const records = await recordsAt(c, c.source, found.places, { signal })
  return answerOf(c, request, { ...rows, rejected, unknown }, words, records)
}

function answerOf(
  c: Case,
  request: FlowsRequest,
  { places, ...figures }: FoundRows,
  { sentence, sql, notes }: ListingWords,
  { columns, records }: RecordsAt,
): RowsAnswer {
  const rows = places.map(({ file, line }, i) => ({ file, line, cells: (records[i] ?? []) as FieldCell[] }))
  return {
    evidence: c.source,
    columns: columns.map(one => fieldColumn(one, c.source)),
    rows,
    files: pathsOf(c, new Set(rows.map(row => row.file))),
    ...figures,
    asked: { sentence, command: flowsCommand(c, request), sql },
    notes,
  }
}

/** What `tidemark flows` is asked for the same rows in the order of time, all of them. */
export function timeRequest(c: Case, ask: RowsAsk): FlowsRequest {
  return { ...windowRequest(c, ask, ask), order: 'start', limit: null }
}

/** What `tidemark flows` is asked for the same rows. */
export function rowsRequest(c: Case, asked: RowsAsk): FlowsRequest {
  return { ...windowRequest(c, asked, asked), order: asked.order, limit: reachMax }
}

async function listed(c: Case, request: FlowsRequest, signal: AbortSignal): Promise<ListedRecords> {
  const kept = listings.get(c) ?? new Map<string, ListedRecords>()
  listings.set(c, kept)
  const key = JSON.stringify(request)
  const found = kept.get(key) ?? (await listedRecords(c, request, { signal, files: false }))
  // The latest last.
  kept.delete(key)
  kept.set(key, found)
  if (kept.size > listingsKept) kept.delete(kept.keys().next().value!)
  return found
}

function pathsOf(c: Case, files: ReadonlySet<number>): Record<number, string> {
  return Object.fromEntries(c.evidence.flatMap(({ id, path }) => (id !== null && files.has(id) ? [[id, path]] : [])))
}

export const flowsWork: Readonly<Record<string, Answerer<Case>>> = { rows: rowsAnswer, 'rows at': rowsAt }
