/** A request that an engine is asked instead of a case: what it means there, and what cannot be asked of it. */
import type { Engine, EngineTable, MayHold } from '../engines/engine.ts'
import { exitStatus, UserError } from '../errors.ts'
import { enrichedIn } from '../filter/asked-words.ts'
import type { Filter, Node } from '../filter/ast.ts'
import { type Compiled, compile } from '../filter/compile.ts'
import { noEnrichedTables } from '../filter/enriched-tables.ts'
import type { Expression } from '../query/nodes.ts'
import { isAlways } from '../query/walk.ts'
import { compared, windowOf } from './compare.ts'
import { mayHoldOf, partitionsOf } from './engine-partitions.ts'
import { type EngineRecords, engineRecords } from './engine-records.ts'
import { type TimeRange, timesOf } from './engine-times.ts'
import { enrichedElement } from './names.ts'
import type { Setting } from './plan.ts'
import type { FlowsRequest } from './request.ts'
import {
  filterOf,
  groupsByRoles,
  inEither,
  isListing,
  type Makers,
  makersOf,
  otherWayOf,
  prefixesOf,
  type ReadingOptions,
  refuse,
  sinceIn,
  withOrder,
} from './settle.ts'
import type { Records } from './source.ts'

export interface EngineSetting {
  setting: Setting
  makers: Makers
  filter: Filter
  table: EngineTable
  records: EngineRecords
  /** A condition on the columns of partitions; null: every partition is read. */
  partitions: Expression | null
  /** The same of folders. */
  mayHold: MayHold | null
  ranges: readonly TimeRange[]
}

/** @throws UserError, FilterError (status 2) where the request cannot be meant, or not be asked of an engine. */
export async function engineSetting(
  engine: Engine,
  table: EngineTable,
  given: FlowsRequest,
  options: ReadingOptions,
): Promise<EngineSetting> {
  refuse(given)
  refuseOfEngine(given)
  const own = engineRecords(table)
  const nfdump = given.nfdump === true
  const filter = sinceIn(filterOf(given, own.columns, options), given.since)
  refuseFilter(filter.ast)
  const plain = plainRecords(own.columns, nfdump)
  const request = withOrder({ ...given, raw: true }, plain)
  const windows = request.compare === undefined ? null : compared(filter, request.compare, null)
  const internal = prefixesOf(given.internal ?? [])
  const context = { columns: own.columns, internal }
  const whole = compile(windows?.filter ?? filter, context)
  const filtered = windows === null ? whole : { ...whole, where: inEither(whole.where, windows) }
  const ranges = windows === null ? timesOf(filter.ast) : windowRanges(windows)
  const partitions = partitionsOf(table, ranges)
  const records: Records = { ...plain, table: relationOf(own, filtered, partitions) }
  const setting: Setting = {
    ...{ request, records, filter: filtered, internal, compared: windows, dialect: engine.dialect },
    ...{ facts: null, totals: null, collapsed: null, span: null, acceptedOnly: false },
    enrichment: { files: [], problems: [] },
    window: windowOf(filter.ast, null),
    otherWay: otherWayOf(filter, request, records, context)?.where ?? null,
    small: request.bin_ms !== undefined,
  }
  const mayHold = mayHoldOf(table, ranges)
  return { setting, makers: await makersOf(request), filter, table, records: own, partitions, mayHold, ranges }
}

function plainRecords(columns: ReadonlySet<string>, nfdump: boolean): Records {
  const never = (): never => {
    throw new Error('records of an engine are read there')
  }
  return {
    evidence: 'logs',
    count: 0,
    columns,
    nfdump,
    enriched: noEnrichedTables,
    source: '',
    table: never,
    shown: never,
  }
}

function relationOf(own: EngineRecords, { where }: Compiled, partitions: Expression | null): Records['table'] {
  const records = isAlways(where) ? null : where
  return (_, __, wanted) => own.relation(wanted ?? own.columns, { partitions, records })
}

function windowRanges({ now, before }: NonNullable<Setting['compared']>): TimeRange[] {
  return [now, before].map(({ from_us, to_us }) => ({ from_us, to_us }))
}

const locally = 'bring the records into a case, with tidemark add, and ask there'

function refuseOfEngine(request: FlowsRequest): void {
  const fail = (what: string, hint: string): never => {
    throw new UserError(`${what} and --engine`, { status: exitStatus.usage, hint })
  }
  if (request.evidence === 'packets') fail('--evidence packets', 'the table of an engine has flow logs')
  if (request.first !== undefined)
    fail('-c', 'records have no order there, so that none are the first: -n limits the rows')
  if (request.since !== undefined && !/^\d{4}-/.test(request.since))
    fail(
      '--since before the end of the evidence',
      'where a table ends is not known: write the time, like 2023-09-28T17:00',
    )
  if (groupsByRoles(request)) fail('role and service', `they are worked out of whole connections: ${locally}`)
  const { by = [], stat, distinct = [], order = '' } = request
  for (const text of [...by, ...distinct, stat?.element ?? '', order.replace(/^distinct_/, '')]) {
    if (enrichedElement(text) !== null) fail(text, `files of your own are read beside a case: ${locally}`)
  }
  if (isListing(request) && request.other === true) fail('--other', 'it sums up groups')
}

/** @throws UserError for what cannot be asked of an engine. */
export function refuseFilter(ast: Node): void {
  const fail = (what: string, hint: string): never => {
    throw new UserError(`${what} in a filter for an engine`, { status: exitStatus.usage, hint })
  }
  const visit = (node: Node): void => {
    if (node.kind === 'and' || node.kind === 'or') for (const one of node.nodes) visit(one)
    else if (node.kind === 'not') visit(node.node)
    else if (node.kind === 'edge')
      fail(`"${node.edge} … of case"`, 'where a table begins and ends is not known: write the times, between … and …')
    else if (node.kind === 'test' && (node.thing === 'role' || node.thing === 'service'))
      fail(node.thing, `it is worked out of whole connections: ${locally}`)
  }
  visit(ast)
  const [word] = enrichedIn(ast)
  if (word !== undefined) fail(word.replace('_', ' '), `files of your own are read beside a case: ${locally}`)
}
