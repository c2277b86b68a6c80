/**
 * Asks an engine about the flow records of its table: each question is one statement that reads the table once, and a second one where it
 * is to be counted for how many records something cannot be told.
 */
import type { AskOptions, Engine, Estimate, TextRow } from '../engines/engine.ts'
import { countText } from '../net/counts.ts'
import { utcSeconds } from '../net/time.ts'
import {
  all,
  any,
  column,
  constant,
  count,
  equal,
  isUnknown,
  named,
  order as ordered,
  own,
  select,
} from '../query/build.ts'
import type { Select } from '../query/nodes.ts'
import type { Sql } from '../query/sql.ts'
import { checkBefore } from './engine-before.ts'
import { asTexts, number, rowReader, totalsOf } from './engine-cells.ts'
import { wholeSeries } from './engine-series.ts'
import { type EngineSetting, engineSetting } from './engine-setting.ts'
import { listedColumns, recordOrder } from './listing.ts'
import { isRejected } from './measures.ts'
import { orderOf } from './order.ts'
import { matching, type Plan, type PlannedColumn, type Setting } from './plan.ts'
import type { Cell, Counting, FlowsEngine, FlowsRequest, FlowsResult, FlowsRow } from './request.ts'
import type { FlowsOptions } from './run.ts'
import { sentenceOf } from './sentence.ts'
import { isListing, limitOf, oneSided, planOf } from './settle.ts'

export interface EngineFlowsOptions extends AskOptions, Pick<FlowsOptions, 'folder' | 'files' | 'fileParams'> {
  /** Whether the table is read once only: then it stays unknown for how many records something cannot be told. */
  onePass?: boolean
}

/** A question that was made, and not asked yet. */
export interface EngineQuestion {
  sentence: string
  /** The statements that will be run, as they are sent. */
  statements: readonly string[]
  /** How often the table is read. */
  passes: number
  estimate(): Promise<Estimate>
  /** @throws UserError where the engine refuses, or cannot be reached. */
  ask(): Promise<FlowsResult>
}

export const countOnceReason =
  'an engine cannot tell which records are of one conversation that was seen twice: every record counts, as with --raw'

/**
 * Makes a question of an engine’s table. Only what the table is like is asked for it, once the request is one that some table could answer.
 *
 * @throws UserError, FilterError (status 2) where the request cannot be meant, or not be asked of an engine.
 */
export async function engineQuestion(
  engine: Engine,
  request: FlowsRequest,
  options: EngineFlowsOptions = {},
): Promise<EngineQuestion> {
  await checkBefore(async any => planIn(await engineSetting(engine, any, request, options)))
  const table = await engine.table(options)
  const settled = await engineSetting(engine, table, request, options)
  const { setting, makers, filter, partitions, mayHold } = settled
  const plan = planIn(settled)
  const { dialect } = engine
  const statement = dialect.print(asTexts(plan.statement))
  const doubts = options.onePass === true && !isListing(setting.request) ? null : dialect.print(doubtsOf(settled))
  const printed = [statement, ...(doubts === null ? [] : [doubts])]
  const sentence = sentenceOf(filter, setting)
  return {
    sentence,
    statements: printed.map(one => engine.sent(one)),
    passes: printed.length,
    estimate: () => {
      const scan = select([named(count(), 'n')], matching(setting, []))
      const shown = { text: dialect.shown(scan), values: [] }
      const where = partitions === null ? null : { text: dialect.shown(partitions), values: [] }
      return engine.estimate(shown, table, where, { ...options, ...(mayHold !== null && { mayHold }) })
    },
    ask: async () => {
      const counted = doubts === null ? null : await doubtsIn(engine, doubts, options)
      const wide = (): Sql => dialect.print(asTexts(planOf({ ...setting, small: false }, makers).statement))
      const read = await readRows(engine, plan, statement, setting.small ? wide : null, setting, options)
      const { totals } = read
      const isList = isListing(setting.request)
      const total = isList ? (counted?.records ?? 0) : (read.series?.total ?? totals[0] ?? 0)
      const limit = limitOf(setting.request)
      return {
        columns: plan.columns.map(({ name, type, unit }) => ({ name, type, unit })),
        total_rows: total,
        truncated: isTruncated(read, total, limit),
        sql: dialect.shown(plan.statement),
        sentence,
        counting: countingOf(setting, totals, counted),
        notes: [...filter.notes, ...setting.filter.notes, ...notesOf(settled, counted)],
        engine: engineOf(engine, counted),
        enrichment: setting.enrichment,
        rows: read.rows,
        parquet: () => Promise.reject(new Error('an engine writes no file')),
      }
    },
  }
}

function planIn(settled: EngineSetting): Plan {
  const { setting, makers } = settled
  return isListing(setting.request) ? listing(settled) : planOf(setting, makers)
}

function engineOf(engine: Engine, counted: Doubts | null): FlowsEngine {
  return {
    name: engine.name,
    table: engine.place,
    get queries() {
      return engine.ran.map(run => ({ ...run }))
    },
    without_status: counted?.without ?? null,
  }
}

function isTruncated({ totals, series }: ReadRows, total: Cell, limit: number | null): boolean {
  if (series !== null) return series.rows.length < series.total
  const left = totals[5] ?? null
  return left === null ? limit !== null && Number(total) > limit : Number(left) > 0
}

function countingOf({ request, records }: Setting, totals: readonly Cell[], counted: Doubts | null): Counting {
  const isList = isListing(request)
  const sums = isList
    ? { records: counted?.records ?? 0, rejected: counted?.rejected ?? null, packets: null, bytes: null }
    : { records: totals[1] ?? 0, rejected: totals[2] ?? null, packets: totals[3] ?? null, bytes: totals[4] ?? null }
  return {
    ...sums,
    collapsed: 0,
    unknown: counted?.unknown ?? null,
    unsummed: isList ? 0 : (counted?.unsummed ?? null),
    evidence: records.evidence,
    count_once: false,
    count_once_reason: countOnceReason,
    accepted_only: false,
  }
}

function notesOf({ setting, table, partitions, ranges, records }: EngineSetting, counted: Doubts | null): string[] {
  const at = (us: bigint | null, open: string): string => (us === null ? open : utcSeconds(us))
  const read = ranges.map(({ from_us, to_us }) => `${at(from_us, 'the beginning')} to ${at(to_us, 'the end')}`)
  return [
    ...(setting.otherWay === null ? [] : [oneSided]),
    `Asked of an engine: ${countOnceReason}. It reports no malformed lines: what cannot be read there is unknown, or in no count`,
    ...(counted === null
      ? ['In one pass it is not counted for how many records something is unknown; without --one-pass it is']
      : []),
    ...(Number(counted?.without ?? 0) > 0
      ? [
          `${countText(counted!.without as number, 'line')} of the table ${counted!.without === 1 ? 'has' : 'have'} no status, and ${counted!.without === 1 ? 'is' : 'are'} in no count`,
        ]
      : []),
    ...(records.hasStatus ? [] : ['The table has no log_status: lines that are no record cannot be told from records']),
    ...(partitions === null
      ? table.partitions.length > 0
        ? ['All partitions were read: the filter names no times, or the columns of the partitions do not tell them']
        : []
      : [
          `Partitions of ${read.join(', and of ')} were read, from 5 min before to 15 min after: a record that lasts longer than the ten minutes of a flow log may be in another`,
        ]),
  ]
}

/** Records one by one: in the order that is asked for, else that of time, and with a limit alone, so that they are the same each time. */
function listing({ setting, records }: EngineSetting): Plan {
  const places: PlannedColumn[] = records.places.map(name =>
    name === '_path' ? { name: 'path', type: 'text', unit: null } : { name: 'line', type: 'integer', unit: null },
  )
  const columns = [...places, ...listedColumns(setting).slice(2)]
  const names = [...records.places, ...columns.slice(places.length).map(({ name }) => name)]
  const { order } = setting.request
  const limit = limitOf(setting.request)
  const asked = order === undefined ? [] : recordOrder(orderOf(order))
  const times = ['start', 'end'].filter(name => setting.records.columns.has(name))
  const rest = names.filter(name => !times.includes(name))
  const isOrdered = limit !== null || order !== undefined
  const orderBy = isOrdered ? [...asked, ...[...times, ...rest].map(name => ordered(column(name)))] : []
  const needs = [...names, ...orderBy.flatMap(({ by }) => by.columns)]
  const statement = select(names.map(own), { ...matching(setting, needs), orderBy, limit })
  return { statement, columns, totals: false }
}

interface Doubts {
  records: Cell
  rejected: Cell
  unknown: Cell
  unsummed: Cell
  /** Lines without a status. */
  without: Cell
}

/** Counts what matches, and for how many records something cannot be told: of everything in the partitions that are read. */
function doubtsOf({ setting, records: own, partitions }: EngineSetting): Select {
  const { filter, records } = setting
  const hasAction = records.columns.has('action')
  const counters = records.nfdump ? [] : ['packets', 'bytes'].filter(name => records.columns.has(name))
  const needs = [...filter.where.columns, ...filter.unknown.columns, ...counters, ...(hasAction ? ['action'] : [])]
  const flags = select(
    [
      named(filter.where, '_m'),
      named(filter.unknown, '_u'),
      named(own.hasStatus ? isUnknown(column('_status')) : constant(false), '_without'),
      named(own.hasStatus ? equal(column('_status'), constant('OK')) : constant(true), '_ok'),
      named(any(counters.map(name => isUnknown(column(name)))), '_unsaid'),
      named(hasAction ? isRejected : constant(false), '_rejected'),
    ],
    { from: own.everything(needs, partitions) },
  )
  const ok = column('_ok')
  const items = [
    count(all([ok, column('_m')])),
    count(all([ok, column('_m'), column('_rejected')])),
    count(all([ok, column('_u')])),
    count(all([ok, column('_m'), column('_unsaid')])),
    count(column('_without')),
  ]
  return asTexts(
    select(
      items.map((value, i) => named(value, `n${i}`)),
      { from: flags },
    ),
  )
}

async function doubtsIn(engine: Engine, statement: Sql, options: EngineFlowsOptions): Promise<Doubts> {
  const [row] = await collected(engine.ask(statement, options))
  const [records, rejected, unknown, unsummed, without] = (row ?? []).map(number)
  return {
    records: records ?? 0,
    rejected: rejected ?? null,
    unknown: unknown ?? 0,
    unsummed: unsummed ?? 0,
    without: without ?? 0,
  }
}

interface ReadRows {
  totals: Cell[]
  series: { rows: FlowsRow[]; total: number } | null
  rows(): AsyncGenerator<FlowsRow>
}

/** The rows of a statement. All but endless listings are read at once, for what comes first tells the totals. */
async function readRows(
  engine: Engine,
  plan: Plan,
  statement: Sql,
  wide: (() => Sql) | null,
  { request }: Setting,
  options: EngineFlowsOptions,
): Promise<ReadRows> {
  const read = rowReader(plan)
  if (!plan.totals && limitOf(request) === null) {
    return { totals: [], series: null, rows: () => streamed(engine.ask(statement, options), read) }
  }
  const texts = await collectedOrWide(engine, statement, wide, options)
  const totals = plan.totals ? totalsOf(texts[0]).cells : []
  const rows = texts.filter(row => !plan.totals || totalsOf(row).isRow).map(read)
  const isSeries = request.bin_ms !== undefined && request.stat === undefined && (request.by ?? []).length === 0
  const measures = plan.columns.slice(1).map(({ name }) => name)
  const series = isSeries ? wholeSeries(rows, measures, request) : null
  return { totals, series, rows: () => given(series?.rows ?? rows) }
}

async function* streamed(
  batches: AsyncGenerator<TextRow[]>,
  read: (row: TextRow) => FlowsRow,
): AsyncGenerator<FlowsRow> {
  for await (const batch of batches) for (const row of batch) yield read(row)
}

/** Of numbers that pass 64 bits the engine says so, and the statement for them is asked. */
async function collectedOrWide(
  engine: Engine,
  statement: Sql,
  wide: (() => Sql) | null,
  options: EngineFlowsOptions,
): Promise<TextRow[]> {
  try {
    return await collected(engine.ask(statement, options))
  } catch (error) {
    if (wide === null || !engine.dialect.exceeds64Bits(error)) throw error
    return collected(engine.ask(wide(), options))
  }
}

async function collected(batches: AsyncGenerator<TextRow[]>): Promise<TextRow[]> {
  const rows: TextRow[] = []
  for await (const batch of batches) for (const row of batch) rows.push(row)
  return rows
}

async function* given(rows: readonly FlowsRow[]): AsyncGenerator<FlowsRow> {
  for (const row of rows) yield { ...row }
}
