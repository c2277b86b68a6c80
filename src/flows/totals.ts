/**
 * Totals of a large case by one of its common fields, kept in `cache/`: every ranking of that field, and every group of its values, is summed
 * up from them instead of from the records, with the same figures.
 */
import { isDeepStrictEqual } from 'node:util'
import { aggregate, cast, column, constant, firstKnown, named, own, select, yes } from '../query/build.ts'
import type { Aggregate, Expression } from '../query/nodes.ts'
import { rewritten } from '../query/rewrite.ts'
import { isAlways, partsOf } from '../query/walk.ts'
import type { EvidenceKind } from '../records/evidence-kind.ts'
import { keepAnswer } from '../store/answer-file.ts'
import { type CachedTable, cachedTable } from '../store/cached-table.ts'
import type { Case } from '../store/case.ts'
import { sqlType } from '../store/views.ts'
import { systemFailure } from '../system-error.ts'
import { measuresOf } from './groups.ts'
import { type Measure, plainMeasures } from './measures.ts'
import { matching, type Setting, type TotalCell, type Totals } from './plan.ts'
import type { Records } from './source.ts'

/** Changes with what is summed up, and with the format: what an older one left is not read. */
const rule = 1
/** By one of these, and by protocol. */
const common = ['srcaddr', 'dstaddr', 'srcport', 'dstport']
/** More groups than that are not kept, as far as the first records tell. */
const groupsMost = 2_000_000
const firstRecords = 200_000

/** What a group of records is summed up to: every sum that the measures of groups are computed from. */
function cellsOf(records: Records): TotalCell[] {
  const found: Aggregate[] = []
  const look = (node: Expression): void => {
    if (node.kind === 'aggregate') {
      if (!found.some(one => isDeepStrictEqual(one, node))) found.push(node)
    } else for (const part of partsOf(node)) look(part as Expression)
  }
  for (const acceptedOnly of [false, true]) {
    for (const one of plainMeasures({ records, acceptedOnly })) if (one.aggregate !== null) look(one.aggregate)
  }
  return found.map((of, i) => ({ name: `_t${i}`, of }))
}

/** The measures over totals; null where they do not tell all of them. */
function overTotals(cells: readonly TotalCell[], measures: readonly Measure[]): Measure[] | null {
  const over: Measure[] = []
  for (const measure of measures) {
    const sum = measure.aggregate === null ? null : rewritten(measure.aggregate, part => togetherOf(cells, part))
    if (sum === null && measure.aggregate !== null) return null
    over.push({ ...measure, aggregate: sum })
  }
  return over
}

/** What an aggregate over records is over their totals. */
function togetherOf(cells: readonly TotalCell[], part: Expression): Expression | null {
  if (part.kind !== 'aggregate') return null
  const cell = cells.find(({ of }) => isDeepStrictEqual(of, part))
  if (cell === undefined) return null
  const value = column(cell.name)
  if (part.name === 'count') return cast(firstKnown(aggregate('sum', value), constant(0)), 'i64')
  return part.name === 'sum' || part.name === 'min' || part.name === 'max' || part.name === 'every'
    ? aggregate(part.name, value)
    : null
}

/** What of totals a request reads. */
interface Needed extends Omit<Totals, 'tables'> {
  /** The fields that the totals are by, of each side. */
  fields: readonly string[][]
}

/**
 * Null where the records must be asked: for other fields and figures, filters of other columns, and small cases.
 *
 * @param sides as for `groupPlan`.
 */
export function neededTotals(c: Case, s: Setting, sides: readonly (readonly { value: Expression }[])[]): Needed | null {
  const { request, records, facts } = s
  const { by, stat, bin_ms, bidirectional, compare, first } = request
  const isGrouped = by !== undefined || stat !== undefined
  const isOther = bin_ms !== undefined || bidirectional === true || compare !== undefined || first !== undefined
  if (facts === null || !c.usesCache || !isGrouped || isOther) return null
  const cells = cellsOf({ ...records, nfdump: false })
  const measures = overTotals(cells, measuresOf(s))
  const fields = sides.map(elements => fieldsOf(elements, s))
  return measures === null || !fields.every(one => one !== null) ? null : { fields, cells, measures }
}

/** The totals that answer a request, one table a side; they are made and kept if need be. Null where they cannot be worked out, or are too many. */
export async function totalsOf(c: Case, s: Setting, needed: Needed | null): Promise<Totals | null> {
  if (needed === null) return null
  const { fields, cells, measures } = needed
  const tables: string[] = []
  for (const one of fields) {
    const made = await madeTotals(c, s, one, cells)
    if (made === null) return null
    tables.push(made)
  }
  return { tables, cells, measures }
}

/** What groups are summed up from, in words. */
export function totalsNote({ fields }: Needed): string {
  const by = [...new Set(fields.map(one => one.join(' and ') || 'nothing'))].join(', ')
  return `Groups are summed up from totals by ${by} in cache/, which the first such question makes (of too many addresses there are none).`
}

/** The fields that a side's keys and the filter read; null where they are not those that totals are kept by. */
function fieldsOf(elements: readonly { value: Expression }[], { filter, records }: Setting): string[] | null {
  const read = new Set(elements.flatMap(({ value }) => value.columns))
  const fields = [...common, 'protocol'].filter(name => read.has(name) && records.columns.has(name))
  const isCommon =
    [...read].every(name => fields.includes(name)) && fields.filter(name => name !== 'protocol').length < 2
  const isFiltered = !isAlways(filter.where)
  return isCommon && (!isFiltered || filter.where.columns.every(name => fields.includes(name))) ? fields : null
}

async function madeTotals(
  c: Case,
  s: Setting,
  fields: readonly string[],
  cells: readonly TotalCell[],
): Promise<string | null> {
  const { evidence } = s.records
  const cached = keptTotals(evidence, s.collapsed !== null, fields, cells)
  try {
    await cachedTable(c, cached, async () => {
      if (await haveMany(c, s, fields)) throw new TooMany()
      await sumUp(c, s, fields, cells, cached)
    })
    return cached.table
  } catch (error) {
    c.db.requireGoing()
    if (error instanceof TooMany || s.dialect.exceeds64Bits(error) || systemFailure(error) !== null) return null
    throw error
  }
}

class TooMany extends Error {}

/** Whether there are too many different addresses to be worth it, by the first records. Ports and protocols are few. */
async function haveMany(c: Case, s: Setting, fields: readonly string[]): Promise<boolean> {
  const address = fields.find(name => name.endsWith('addr'))
  if (address === undefined) return false
  const some = select([own(address)], { from: s.records.table(false), limit: firstRecords })
  const { text, values } = s.dialect.print(
    select([named(aggregate('count-distinct', column(address)), 'n')], { from: some }),
  )
  const [row] = await c.db.rows(text, values)
  return Number(row?.['n']) * Math.max(1, s.records.count / firstRecords) > groupsMost
}

async function sumUp(
  c: Case,
  s: Setting,
  fields: readonly string[],
  cells: readonly TotalCell[],
  { table: name }: CachedTable,
): Promise<void> {
  const whole: Setting = { ...s, request: {}, filter: { ...s.filter, where: yes } }
  const sums = cells.map(cell => named(typeOf(cell) === 'UBIGINT' ? cast(cell.of, 'u64') : cell.of, cell.name))
  const needs = [...fields, ...cells.flatMap(({ of }) => of.columns)]
  const statement = select([...fields.map(own), ...sums], {
    ...matching(whole, needs),
    groupBy: fields.map(field => column(field)),
  })
  await keepAnswer(c.db, name, s.dialect.print(statement), [...fields, ...cells.map(cell => cell.name)])
}

function keptTotals(
  evidence: EvidenceKind,
  isOnce: boolean,
  fields: readonly string[],
  cells: readonly TotalCell[],
): CachedTable {
  const by = ['by', ...fields].join('-')
  const counted = isOnce ? 'once' : 'all'
  return {
    table: `totals_${evidence}_${counted}_${by}`,
    file: `totals-${evidence}-${counted}-${by}-${rule}`,
    columns: {
      ...Object.fromEntries(fields.map(name => [name, sqlType(name)])),
      ...Object.fromEntries(cells.map(cell => [cell.name, typeOf(cell)])),
    },
    what: `totals by ${fields.join(' and ') || 'nothing'}`,
  }
}

function typeOf({ of }: TotalCell): string {
  if (of.name === 'min' || of.name === 'max') return 'TIMESTAMP'
  return of.name === 'every' ? 'BOOLEAN' : 'UBIGINT'
}

/** Makes the totals of a file of the cache again; null where it is another kind of file. @param s of a question of every record. */
export async function totalsAgain(c: Case, s: Setting, what: string): Promise<CachedTable | null> {
  const fields = [...common, 'protocol'].filter(name => what.split('-').includes(name))
  const cells = cellsOf(s.records)
  const cached = keptTotals(s.records.evidence, s.collapsed !== null, fields, cells)
  if (cached.file !== what) return null
  await c.db.once(cached.table, () => sumUp(c, s, fields, cells, cached))
  return cached
}
