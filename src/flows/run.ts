/** Asks a case about its flow records. */
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { EnrichmentOptions } from '../enrich/enrichment.ts'
import { count, every, join, named, own, select, table } from '../query/build.ts'
import type { Case } from '../store/case.ts'
import type { Value } from '../store/duckdb.ts'
import { fileName } from '../store/ledger.ts'
import { question } from '../store/question.ts'
import { keptCollapsed } from './count-once.ts'
import type { KeptAnswer } from './kept-answer.ts'
import { countPlan, listPlan } from './listing.ts'
import { type PiecesOfListing, pieceRecords, piecesOf } from './pieces.ts'
import { matching, type Plan, type Setting } from './plan.ts'
import type { Cell, Counting, FlowsRequest, FlowsResult } from './request.ts'
import type { RowOf } from './row-type.ts'
import { FlowRows } from './rows.ts'
import { sentenceOf } from './sentence.ts'
import { type Asked, asked, isListing, limitOf, planOf, type Settled, sidesOf, withCollapsed } from './settle.ts'
import { shownStatement } from './shown.ts'
import { unknownCount, unsummedCount } from './unknown.ts'
import { integer } from './values.ts'

export interface FlowsOptions {
  signal?: AbortSignal
  /** Files of the user's own that say what addresses are, beside those that are noted in the case. */
  enrichment?: EnrichmentOptions
  /** Where files that the filter names are looked for; by default the working folder. */
  folder?: string
  /** Whether the filter may name files; no, for a filter from elsewhere. */
  files?: boolean
  /** Names of the parameters whose value may be a file, `@FILE`: those that the user gave, whoever wrote the filter. */
  fileParams?: readonly string[]
  /** Whether the rows will be written as Parquet: they are kept then, and not worked out again for it. */
  forParquet?: boolean
  /** Records from which on a case is large: more is kept of it for the next time. By default a million. */
  largeFrom?: number
}

/**
 * Lists, groups or ranks flow records.
 *
 * Any number of questions may be asked at the same time. The rows are read as they are asked for, after the question has ended,
 * and can be read again, also beside each other.
 *
 * @throws UserError, FilterError (status 2) where the request cannot be meant.
 */
export async function queryFlows<const R extends FlowsRequest>(
  c: Case,
  request: R,
  options: FlowsOptions = {},
): Promise<FlowsResult<RowOf<R>>> {
  const result = await question(c, options.signal, own => answerOrKept(own, request, options))
  // The columns are made of the request as the type is.
  return result as FlowsResult<RowOf<R>>
}

/** An answer that was kept for this request, or one that is worked out. */
async function answerOrKept(c: Case, request: FlowsRequest, options: FlowsOptions): Promise<FlowsResult> {
  const read = await asked(c, request, options)
  return read.setting.facts === null
    ? (await answer(c, await withCollapsed(c, read), options)).result
    : ofLargeCase(c, read, request, options)
}

/** The same of a large case, of which more is kept. Most cases are not: what does it is loaded for those that are. */
async function ofLargeCase(c: Case, read: Asked, request: FlowsRequest, options: FlowsOptions): Promise<FlowsResult> {
  const { answerKey, keepAnswer, keptAnswer } = await import('./kept-answer.ts')
  const key = options.forParquet === true ? null : answerKey(c, read)
  const kept = key === null ? null : await keptAnswer(c, key)
  if (kept !== null) return fromKept(c, read, kept, options)
  const { neededTotals, totalsOf: fieldTotals } = await import('./totals.ts')
  const settled = await withCollapsed(c, read)
  const needed = neededTotals(c, settled.setting, sidesOf(request, settled.setting.records))
  const totals = await fieldTotals(c, settled.setting, needed)
  const { result, setting } = await answer(c, { ...settled, setting: { ...settled.setting, totals } }, options)
  if (key === null) return result
  // By absolute paths, so that they are found again from elsewhere.
  const files = setting.enrichment.files
    .filter(({ kind }) => setting.records.enriched.has(kind))
    .map(({ path, kind, sha256 }) => ({ path: resolve(path), kind, sha256 }))
  const asked = { collapsed: setting.collapsed !== null, small: setting.small, ...(files.length > 0 && { files }) }
  return keepAnswer(c, key, request, asked, result)
}

/** A kept answer as a result. */
async function fromKept(c: Case, read: Asked, kept: KeptAnswer, options: FlowsOptions): Promise<FlowsResult> {
  const collapsed = kept.collapsed ? table(keptCollapsed(read.setting.records.evidence).table) : null
  const settled = { ...read, setting: { ...read.setting, collapsed, small: kept.small } }
  const { total_rows, truncated, counting } = kept
  const columns = columnsOf(planOf(settled.setting, settled.makers))
  const { given, namedRows } = await import('./kept-answer.ts')
  const rows = namedRows(kept, columns)
  return {
    ...(await inOrder(c, { columns, total_rows, truncated, counting }, settled)),
    rows: () => given(rows),
    parquet: async (path, how) => {
      const { request } = settled.setting
      const result = await queryFlows(c, request, { ...options, forParquet: true })
      await result.parquet(path, how)
    },
  }
}

/** What was found, and what the request means and how it is asked, in the order in which JSON has them. */
async function inOrder(
  c: Case,
  { columns, total_rows, truncated, counting }: Pick<FlowsResult, 'columns' | 'total_rows' | 'truncated' | 'counting'>,
  settled: Settled,
): Promise<Omit<FlowsResult, 'rows' | 'parquet'>> {
  const { setting, filter } = settled
  const sql = await shownStatement(c, settled)
  const notes = [...filter.notes, ...setting.filter.notes, ...settled.notes]
  return {
    columns,
    total_rows,
    truncated,
    sql,
    sentence: sentenceOf(filter, setting),
    counting,
    notes,
    enrichment: setting.enrichment,
  }
}

function columnsOf({ columns }: Plan): FlowsResult['columns'] {
  return columns.map(({ name, type, unit }) => ({ name, type, unit }))
}

/** The answer, and what it was asked with in the end. */
async function answer(
  c: Case,
  settled: Settled,
  options: FlowsOptions,
): Promise<{ result: FlowsResult; setting: Setting }> {
  const { setting } = settled
  try {
    return { result: await attempt(c, settled, options), setting }
  } catch (error) {
    if (!setting.small || !setting.dialect.exceeds64Bits(error)) throw error
    const wide = { ...setting, small: false }
    return { result: await attempt(c, { ...settled, setting: wide }, options), setting: wide }
  }
}

async function attempt(c: Case, settled: Settled, options: FlowsOptions): Promise<FlowsResult> {
  const plan = planOf(settled.setting, settled.makers)
  const kept = options.forParquet === true ? await (await parquetFiles()).keepRows(c, plan, settled.setting) : null
  try {
    return await withRows(c, settled, options, plan, kept)
  } catch (error) {
    if (kept !== null) await c.db.drop(kept)
    throw error
  }
}

async function withRows(
  c: Case,
  settled: Settled,
  options: FlowsOptions,
  plan: Plan,
  forParquet: string | null,
): Promise<FlowsResult> {
  const { setting, makers, once } = settled
  const pieces = forParquet === null && isInPieces(setting) ? await piecesOf(c, setting) : null
  const counted = plan.totals ? null : pieces === null ? await totalsOfList(c, setting) : totalsOfPieces(pieces)
  const collapsed = await collapsedCount(c, setting)
  const unknown = await unknownCount(c, setting)
  const unsummed = isListing(setting.request) ? 0 : await unsummedCount(c, setting)
  let kept = forParquet
  const { dialect } = setting
  const printed = dialect.print(plan.statement)
  const statement = kept === null ? printed : dialect.print(select([every()], { from: table(kept) }))
  // Of numbers that pass 64 bits, later rows may tell.
  const wide = setting.small ? dialect.print(planOf({ ...setting, small: false }, makers).statement) : null
  const limit = limitOf(setting.request)
  const statements = pieces?.pieces.map(piece => dialect.print(listPlan(setting, null, piece).statement)) ?? []
  const run = {
    statements: statements.length === 0 ? [statement] : statements,
    ...(limit !== null && pieces !== null && { most: limit }),
    ...(isLongSort(setting) && { megabytes: sortMegabytes }),
  }
  const rows = new FlowRows(c, plan, run, error => dialect.exceeds64Bits(error), wide, options.signal)
  const totals = counted ?? totalsOf(await rows.first())
  const counting: Counting = {
    ...totals.sums,
    collapsed,
    unknown,
    unsummed,
    evidence: setting.records.evidence,
    count_once: once,
    accepted_only: setting.acceptedOnly && !isListing(setting.request),
  }
  return {
    ...(await inOrder(
      c,
      {
        columns: columnsOf(plan),
        total_rows: totals.rows,
        truncated: totals.left === null ? limit !== null && Number(totals.rows) > limit : Number(totals.left) > 0,
        counting,
      },
      settled,
    )),
    rows: () => rows.read(),
    parquet: async (path, { force = false } = {}) => {
      const inputs = [...c.evidence, ...c.out].map(fileName)
      const { keepRows, targetOf, writeParquet } = await parquetFiles()
      const target = targetOf(path, inputs, force)
      await question(c, options.signal, async own => {
        await rows.restartWith(printed)
        const table = kept ?? (await keepRows(own, plan, setting))
        kept = null
        await writeParquet(own, plan, table, target)
      })
    },
  }
}

/** Few questions write a file: what does it is loaded for those. */
function parquetFiles(): Promise<typeof import('./parquet.ts')> {
  return import('./parquet.ts')
}

type Sums = Pick<Counting, 'records' | 'rejected' | 'packets' | 'bytes'>

interface Totals {
  rows: Cell
  left: Cell
  sums: Sums
}

/** Whether records are listed in their own order, more of them than are sorted at once. */
function isInPieces({ request }: Setting): boolean {
  const limit = limitOf(request)
  const isLong = limit === null || limit > pieceRecords
  return isListing(request) && isLong && request.order === undefined && request.first === undefined
}

/** What a sort of many records may use: each thread needs room for what it reads. The rest goes to the disk, at no more work. */
const sortMegabytes = 50 * Math.max(2, availableParallelism())

/** Whether the records that are listed in another order than their own are too many to be sorted in memory. */
function isLongSort({ request }: Setting): boolean {
  const limit = limitOf(request)
  return isListing(request) && request.order !== undefined && (limit === null || limit > pieceRecords)
}

function totalsOfPieces({ records, rejected }: PiecesOfListing): Totals {
  return { rows: records, left: null, sums: { records, rejected, packets: null, bytes: null } }
}

async function totalsOfList(c: Case, s: Setting): Promise<Totals> {
  const { text, values } = s.dialect.print(countPlan(s))
  const [row] = await c.db.rows(text, values)
  const records = integer(row?.['records'])
  return {
    rows: records,
    left: null,
    sums: { records, rejected: integer(row?.['rejected']), packets: null, bytes: null },
  }
}

function totalsOf(first: readonly Value[] | undefined): Totals {
  const [rows, records, rejected, packets, bytes, left] = (first ?? []).map(integer)
  return {
    rows: rows ?? 0,
    left: left ?? null,
    sums: { records: records ?? 0, rejected: rejected ?? null, packets: packets ?? null, bytes: bytes ?? null },
  }
}

/** How many records match that others stand for. */
async function collapsedCount(c: Case, s: Setting): Promise<Cell> {
  if (s.collapsed === null) return 0
  const records = select([own('_file'), own('_line')], matching({ ...s, collapsed: null, request: {} }, []))
  const from = join('semi', records, s.collapsed, ['_file', '_line'])
  const { text, values } = s.dialect.print(select([named(count(), 'n')], { from }))
  const [row] = await c.db.rows(text, values)
  return integer(row?.['n'])
}
