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

export interface ListedPlaces extends ListingWords {
  places: Place[]
  counting: Pick<Counting, 'records' | 'rejected' | 'unknown' | 'evidence'>
}

const end = (address: string, port: string): Expression => tuple(column(address), firstKnown(column(port), constant(0)))

/** 1 for a record whose source comes after its destination. */
const wayColumns = ['srcaddr', 'dstaddr', 'srcport', 'dstport'] as const
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
 * Where the records of a listing are, in its order and up to its limit, and how many there are. A tenth of the work of listing them where they are
 * not in their own order.
 *
 * @throws UserError, FilterError (status 2) where the request cannot be meant.
 */
export function listedPlaces(c: Case, request: FlowsRequest, options: FlowsOptions = {}): Promise<ListedPlaces> {
  return question(c, options.signal, async own => {
    const settled = await settle(own, request, options)
    const { setting } = settled
    const { dialect, records } = setting
    const orderBy = listOrder(setting)
    const needs = [...orderBy.flatMap(({ by }) => by.columns), ...(hasWays(c, records.evidence) ? wayColumns : [])]
    const parts = { ...matching(setting, needs), orderBy, limit: limitOf(request) }
    const printed = dialect.print(select(placeItems(c, setting), parts))
    const places = (await own.db.rows(printed.text, printed.values)).map(placeOf)
    const counted = dialect.print(countPlan(setting))
    const [row] = await own.db.rows(counted.text, counted.values)
    const unknown = await unknownCount(own, setting)
    return {
      places,
      counting: {
        ...{ records: integer(row?.['records']), rejected: integer(row?.['rejected']), unknown },
        evidence: records.evidence,
      },
      ...(await wordsOf(own, settled)),
    }
  })
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
  columns: (FlowsColumn & { type: Exclude<FlowsColumn['type'], 'prefix'> })[]
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
    const columns = listedColumns(setting).slice(2)
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
    const readers = columns.map(one => ({ name: one.name, read: cellReader(one) }))
    const records = places.map(place => {
      const row = found.get(keyOf(place))?.shift()
      return row === undefined ? null : readers.map(({ name, read }) => read(row[name]))
    })
    return { columns: columns.map(({ name, type, unit }) => ({ name, type, unit })) as RecordsAt['columns'], records }
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
