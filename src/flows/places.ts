/** A listing by the places of its records: which they are, in any order, and the whole records of some of them. */
import {
  all,
  among,
  choose,
  column,
  compare,
  constant,
  firstKnown,
  named,
  own,
  parameter,
  select,
  tuple,
} from '../query/build.ts'
import type { Expression, Item } from '../query/nodes.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import type { Case } from '../store/case.ts'
import type { Row } from '../store/duckdb.ts'
import { question } from '../store/question.ts'
import { countPlan, listedColumns, listOrder } from './listing.ts'
import { matching, type Setting } from './plan.ts'
import type { Cell, Counting, FlowsColumn, FlowsRequest } from './request.ts'
import type { FlowsOptions } from './run.ts'
import { sentenceOf } from './sentence.ts'
import { limitOf, type Settled, settle } from './settle.ts'
import { shownStatement } from './shown.ts'
import { unknownCount } from './unknown.ts'
import { cellReader, integer } from './values.ts'

/** Where a record is. */
export interface Place {
  /** Number of its file in the ledger. */
  file: number
  /** Its line, packet, or record in that file. */
  line: number
  /** Which of the records of one line: a table of flows has one for either direction. 0 elsewhere. */
  way: number
}

/** What a listing means, and how it is asked. */
export interface ListingWords {
  sentence: string
  sql: string
  notes: string[]
}

export interface ListedRecords extends ListingWords {
  columns: RecordColumn[]
  places: Place[]
  /** The cells of each. */
  records: Cell[][]
  counting: Pick<Counting, 'records' | 'rejected' | 'unknown' | 'evidence'>
}

type ListingCounts = Pick<Counting, 'records' | 'rejected' | 'unknown'>

type RecordColumn = FlowsColumn & { type: Exclude<FlowsColumn['type'], 'prefix'> }

const end = (address: string, port: string): Expression => tuple(column(address), firstKnown(column(port), constant(0)))

/** 1 for a record whose source comes after its destination. */
const way: Expression = choose(
  [[compare('>', end('srcaddr', 'srcport'), end('dstaddr', 'dstport')), constant(1, 'u8')]],
  constant(0, 'u8'),
)

/** Whether a line may have made two records. */
export function hasWays(c: Case, evidence: EvidenceKind): boolean {
  return evidence === 'packets' && c.evidence.some(file => file.id !== null && file.flow_table !== null)
}

function placeItems(c: Case, { records }: Setting): Item[] {
  return [own('_file'), own('_line'), ...(hasWays(c, records.evidence) ? [named(way, '_way')] : [])]
}

function placeOf(row: Row): Place {
  return { file: Number(row['_file']), line: Number(row['_line']), way: Number(row['_way'] ?? 0) }
}

/**
 * The records of a listing with their places, in its order and up to its limit, and how many there are.
 *
 * @throws UserError, FilterError (status 2) where the request cannot be meant.
 */
export function listedRecords(c: Case, request: FlowsRequest, options: FlowsOptions = {}): Promise<ListedRecords> {
  return question(c, options.signal, async asked => {
    const settled = await settle(asked, request, options)
    const { setting } = settled
    const { dialect, records } = setting
    const columns = recordColumns(setting)
    const orderBy = listOrder(setting)
    const names = columns.map(({ name }) => name)
    const items = [...placeItems(c, setting), ...names.map(own)]
    const parts = { ...matching(setting, names), orderBy, limit: limitOf(request) }
    const printed = dialect.print(select(items, parts))
    const rows = await asked.db.rows(printed.text, printed.values)
    return {
      columns,
      places: rows.map(placeOf),
      records: rows.map(readerOf(columns)),
      counting: { ...(await countsOf(asked, setting)), evidence: records.evidence },
      ...(await wordsOf(asked, settled)),
    }
  })
}

/** How many records a listing has. */
export function listingCounts(c: Case, request: FlowsRequest, options: FlowsOptions = {}): Promise<ListingCounts> {
  return question(c, options.signal, async asked => countsOf(asked, (await settle(asked, request, options)).setting))
}

async function countsOf(c: Case, setting: Setting): Promise<ListingCounts> {
  const { text, values } = setting.dialect.print(countPlan(setting))
  const [row] = await c.db.rows(text, values)
  const unknown = await unknownCount(c, setting)
  return { records: integer(row?.['records']), rejected: integer(row?.['rejected']), unknown }
}

function recordColumns(setting: Setting): RecordColumn[] {
  const columns = listedColumns(setting).slice(2)
  return columns.map(({ name, type, unit }) => ({ name, type, unit })) as RecordColumn[]
}

function readerOf(columns: readonly RecordColumn[]): (row: Row) => Cell[] {
  const readers = columns.map(one => ({ name: one.name, read: cellReader(one) }))
  return row => readers.map(({ name, read }) => read(row[name]))
}

/** What a listing means. @throws UserError, FilterError (status 2) where the request cannot be meant. */
export function listingWords(c: Case, request: FlowsRequest, options: FlowsOptions = {}): Promise<ListingWords> {
  return question(c, options.signal, async own => wordsOf(own, await settle(own, request, options)))
}

async function wordsOf(c: Case, settled: Settled): Promise<ListingWords> {
  const { filter, setting, notes } = settled
  return {
    sentence: sentenceOf(filter, setting),
    sql: await shownStatement(c, settled),
    notes: [...filter.notes, ...setting.filter.notes, ...notes],
  }
}

export interface RecordsAt {
  /** Of the cells of each record; where a record is, is its place. */
  columns: RecordColumn[]
  /** In the order of the places; null where no record is. */
  records: (Cell[] | null)[]
}

/** The records at some places, whole, as the sensors wrote them. */
export function recordsAt(
  c: Case,
  evidence: EvidenceKind,
  places: readonly Place[],
  options: FlowsOptions = {},
): Promise<RecordsAt> {
  return question(c, options.signal, async asked => {
    const { setting } = await settle(asked, { evidence }, options)
    const columns = recordColumns(setting)
    const names = columns.map(({ name }) => name)
    const found = new Map<string, Row[]>()
    if (places.length > 0) {
      const { from } = matching(setting, names)
      const items = [...placeItems(asked, setting), ...names.map(own)]
      const printed = setting.dialect.print(select(items, { from, where: isAtOne(places) }))
      for (const row of await asked.db.rows(printed.text, printed.values)) {
        const key = keyOf(placeOf(row))
        const rows = found.get(key)
        if (rows === undefined) found.set(key, [row])
        else rows.push(row)
      }
    }
    const read = readerOf(columns)
    const records = places.map(place => {
      const row = found.get(keyOf(place))?.shift()
      return row === undefined ? null : read(row)
    })
    return { columns, records }
  })
}

function keyOf({ file, line, way: of }: Place): string {
  return `${file} ${line} ${of}`
}

/** Files and lines first: by these, most of a segment is passed over. */
function isAtOne(places: readonly Place[]): Expression {
  const [file, line] = [column('_file'), column('_line')]
  const number = (value: number): Expression => parameter(value, 'u32')
  const lines = places.map(place => place.line)
  const least = lines.reduce((a, b) => Math.min(a, b))
  const most = lines.reduce((a, b) => Math.max(a, b))
  return all([
    among(file, [...new Set(places.map(place => place.file))].map(number)),
    compare('>=', line, number(least)),
    compare('<=', line, number(most)),
    among(
      tuple(file, line),
      places.map(place => tuple(number(place.file), number(place.line))),
    ),
  ])
}
