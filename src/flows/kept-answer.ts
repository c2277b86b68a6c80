/**
 * Answers about large cases, kept in `cache/`: the same question of the same records is answered from there from the second time on.
 *
 * A file is named by the printed question, its values and the rule, and bound to the state of the case. It holds the request too, so that
 * `verify` asks it again.
 */
import { createHash } from 'node:crypto'
import type { EnrichmentKind } from '../enrich/enrichment-file.ts'
import { table } from '../query/build.ts'
import { type CacheFile, type CacheKey, keepCached, openCached, trimCached } from '../store/cache.ts'
import type { Case } from '../store/case.ts'
import { exactJson, parseExactJson } from '../store/exact-json.ts'
import { DamagedSections, type SectionFile, SectionWriter } from '../store/section-file.ts'
import { keptCollapsed } from './count-once.ts'
import type { Cell, Counting, FlowsRequest, FlowsResult, FlowsRow } from './request.ts'
import { type Asked, isListing, limitOf, planOf } from './settle.ts'

/** Changes with what a request means beyond its statement, and with the format: what an older one left is not read. */
const rule = 1
/** Longer answers are not kept. */
const rowsMost = 10_000
/** How many answers are kept, the latest ones. */
const answersMost = 64

/** What of a question is known when it was answered. */
interface AskedWith {
  /** Whether records were left out that others stand for. */
  collapsed: boolean
  /** Of time bins: whether products of counters and durations fit 64 bits. */
  small: boolean
  /** The analyst's own files that it was made with; absent: none. */
  files?: { path: string; kind: EnrichmentKind; sha256: string }[]
}

/** What was worked out for a request. */
export interface KeptAnswer extends AskedWith {
  total_rows: Cell
  truncated: boolean
  counting: Counting
  /** Cells in the order of the columns. */
  rows: readonly (readonly Cell[])[]
}

/**
 * What the answer of a request is kept as; null where it is not: of few records, of a list of records, of what files outside the case say, and of what is
 * judged of connections, which is kept itself.
 */
export function answerKey(c: Case, asked: Asked): CacheKey | null {
  const { setting, makers, once } = asked
  const { request, records, filter, dialect } = setting
  const isPlain = typeof (request.filter ?? '') === 'string' && request.first === undefined && !isListing(request)
  if (!c.usesCache || setting.facts === null || !isPlain || filter.sets.length > 0 || asked.usesRoles) return null
  if (asked.usesNotes) return null
  const cached = once ? keptCollapsed(records.evidence) : null
  const plan = planOf({ ...setting, collapsed: cached === null ? null : table(cached.table) }, makers)
  const printed = [dialect.print(plan.statement), dialect.print(filter.unknown)]
  const columns = plan.columns.map(({ name, type, length }) => [name, type, length ?? null])
  const said = exactJson([
    printed,
    cached?.file ?? null,
    columns,
    limitOf(request),
    setting.acceptedOnly,
    records.nfdump,
  ])
  const digest = createHash('sha256').update(said).digest('hex').slice(0, 32)
  return { what: `answer-${records.evidence}-${digest}-${rule}`, head: c.head }
}

/** Whether a file of the cache is an answer. */
export function isAnswer({ what, form }: Pick<CacheFile, 'what' | 'form'>): boolean {
  return form === 'sections' && what.startsWith('answer-')
}

/** The kept answer; null where there is none that can be believed. */
export async function keptAnswer(c: Case, key: CacheKey): Promise<KeptAnswer | null> {
  return (await keptFile(c, key))?.answer ?? null
}

/** The kept answer with the request that it is of. */
export async function keptFile(c: Case, key: CacheKey): Promise<{ answer: KeptAnswer; request: FlowsRequest } | null> {
  const file = await openCached(c.dir, key)
  if (file === null) return null
  try {
    return contentOf(file)
  } catch (error) {
    // It is worked out again, and kept in its place.
    if (error instanceof DamagedSections || error instanceof SyntaxError) return null
    throw error
  } finally {
    file.close()
  }
}

/** Null for what nobody here wrote. */
function contentOf(file: SectionFile): { answer: KeptAnswer; request: FlowsRequest } | null {
  if (file.sections !== 1) return null
  const read = parseExactJson(Buffer.from(file.read(0, new Uint8Array(file.lengthOf(0)))).toString())
  const answer = read as KeptAnswer
  const isSound = Array.isArray(answer?.rows) && answer.rows.every(Array.isArray) && typeof answer.counting === 'object'
  const request = parseExactJson(Buffer.from(file.about).toString()) as FlowsRequest
  return isSound ? { answer, request } : null
}

/** Reads all rows of an answer and keeps it. Where it has too many rows, or the case cannot be written, it is given back as it is. */
export async function keepAnswer(
  c: Case,
  key: CacheKey,
  request: FlowsRequest,
  asked: AskedWith,
  result: FlowsResult,
): Promise<FlowsResult> {
  const { columns, total_rows, truncated, counting } = result
  const limit = request.bin_ms === undefined ? limitOf(request) : null
  if (Math.min(Number(total_rows), limit ?? Number.POSITIVE_INFINITY) > rowsMost) return result
  const rows: FlowsRow[] = []
  for await (const row of result.rows()) rows.push(row)
  const cells = rows.map(row => columns.map(({ name }) => row[name] ?? null))
  const kept: KeptAnswer = { ...asked, total_rows, truncated, counting, rows: cells }
  const isKept = await keepCached(c.dir, key, async path => writeAnswer(path, request, kept), 'sections')
  if (isKept) await trimCached(c.dir, isAnswer, answersMost)
  return { ...result, rows: () => given(rows) }
}

async function writeAnswer(path: string, request: FlowsRequest, kept: KeptAnswer): Promise<void> {
  const writer = new SectionWriter(path)
  try {
    writer.add(Buffer.from(exactJson(kept)))
    writer.finish(Buffer.from(exactJson(request)))
  } finally {
    writer.close()
  }
}

/** Rows by the names of their columns; each time new ones, which their reader may change. */
export async function* given(rows: readonly FlowsRow[]): AsyncGenerator<FlowsRow> {
  for (const row of rows) yield { ...row }
}

export function namedRows({ rows }: KeptAnswer, columns: FlowsResult['columns']): FlowsRow[] {
  return rows.map(row => Object.fromEntries(columns.map(({ name }, i) => [name, row[i] ?? null])))
}
