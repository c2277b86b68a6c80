/** A case as the filter language sees it. */

import { judgeRecords, roleColumns, withRoles } from '../conversations/roles.ts'
import { formatAddress } from '../net/address.ts'
import { registeredService } from '../net/ports.ts'
import type { Prefix } from '../net/prefix.ts'
import { TCP, UDP } from '../net/protocols.ts'
import { column, count, isKnown, isUnknown, named, order as ordered, select, table, trusted } from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { Case } from '../store/case.ts'
import type { Value } from '../store/duckdb.ts'
import { evidenceSpan } from '../store/evidence-span.ts'
import { question } from '../store/question.ts'
import type { CompileContext, Compiled } from './compile.ts'
import { type CompletionContext, type Completions, complete } from './complete.ts'
import { loadSets } from './set.ts'
import { thingOf } from './things.ts'

/** What can be asked: the records of flow logs, or what was made of packets. */
export type View = 'flows' | 'packet_flows' | 'connections'

/** What compiling a filter needs to know of a case: its columns, the time that it spans, and which prefixes are internal. */
export function contextOf(c: Case, view: View = 'flows', internal: readonly Prefix[] = []): CompileContext {
  const columns = new Set(view === 'flows' ? c.columns : columnsOf(c, view))
  if (view !== 'connections') for (const name of roleColumns) columns.add(name)
  const span = evidenceSpan(c)
  return { columns, internal, ...(span !== null && { span }) }
}

function columnsOf(c: Case, view: View): string[] {
  const kind = view.replace('_', '-')
  return c.segments.filter(segment => segment.kind === kind).flatMap(segment => segment.columns)
}

/**
 * SQL that stands after FROM where a compiled filter stands after WHERE; what it needs is put into the database: sets and, if they are asked for,
 * roles and services.
 */
export function recordsFor(
  c: Case,
  compiled: Compiled,
  view: View = 'flows',
  internal: readonly Prefix[] = [],
  signal?: AbortSignal,
): Promise<string> {
  return question(c, signal, own => preparedRecords(own, compiled, view, internal))
}

/** The same within a question. */
export async function preparedRecords(
  c: Case,
  compiled: Compiled,
  view: View,
  internal: readonly Prefix[],
): Promise<string> {
  await loadSets(c.db, compiled.sets)
  if (!compiled.roles) return view
  const records = { evidence: view === 'flows' ? c.source : ('packets' as const) }
  await judgeRecords(c, records, internal)
  return withRoles(view, records, internal)
}

export interface Matches {
  records: number
  matched: number
  /** Records for which it cannot be told. */
  unknown: number
}

/** Counts in one pass what matches, and of how many records it cannot be told. */
export async function countMatches(
  c: Case,
  compiled: Compiled,
  view: View = 'flows',
  internal: readonly Prefix[] = [],
  signal?: AbortSignal,
): Promise<Matches> {
  const [row] = await question(c, signal, async asked => {
    const records = await preparedRecords(asked, compiled, view, internal)
    const matches = select([named(compiled.where, 'm')], { from: trusted(records, compiled.where.columns) })
    const counts = [
      named(count(), 'records'),
      named(count(column('m')), 'matched'),
      named(count(isUnknown(column('m'))), 'unknown'),
    ]
    const { text, values } = duckdb.print(select(counts, { from: matches }))
    return asked.db.rows(text, values)
  })
  return { records: Number(row!['records']), matched: Number(row!['matched']), unknown: Number(row!['unknown']) }
}

const mostValues = 100
const offered = new Set(['address', 'number', 'text'])
const ports = new Set(['srcport', 'dstport', 'orig_port', 'resp_port'])
/** Stands for the services of the frequent ports. */
const services = '_service'

/** What completing a filter needs of a case: its frequent values are looked up once. */
export async function completionContext(
  c: Case,
  view: View = 'flows',
  signal?: AbortSignal,
): Promise<CompletionContext> {
  const often = new Map<string, readonly string[]>()
  for (const name of offeredColumns(c, view)) often.set(name, await frequentValues(c, name, view, signal))
  often.set(services, servicesAt(often))
  return contextWith(c, view, often)
}

/** Completions of which only the values that are asked for are looked up, a column each. @param known those that were. */
export async function completedIn(
  c: Case,
  text: string,
  cursor: number,
  known: Map<string, Promise<readonly string[]>>,
): Promise<Completions> {
  const asked = new Set<string>()
  const { values: _, ...empty } = contextWith(c, 'flows', new Map())
  const first = complete(text, cursor, {
    ...empty,
    values: name => {
      asked.add(name)
      return []
    },
  })
  if (asked.size === 0) return first
  if (asked.has(services)) for (const name of ports) asked.add(name)
  const often = new Map<string, readonly string[]>()
  for (const name of offeredColumns(c, 'flows').filter(one => asked.has(one))) {
    let found = known.get(name)
    if (found === undefined) {
      known.set(name, (found = frequentValues(c, name, 'flows')))
      found.catch(() => known.delete(name))
    }
    often.set(name, await found)
  }
  if (asked.has(services)) often.set(services, servicesAt(often))
  return complete(text, cursor, contextWith(c, 'flows', often))
}

function contextWith(c: Case, view: View, often: ReadonlyMap<string, readonly string[]>): CompletionContext {
  const { columns, span } = contextOf(c, view)
  const values = (column: string, begin: string): string[] =>
    (often.get(column) ?? []).filter(value => value.toLowerCase().startsWith(begin))
  return { columns, values, ...(span !== undefined && { span }) }
}

/** Columns whose values are offered. */
function offeredColumns(c: Case, view: View): string[] {
  return [...contextOf(c, view).columns].filter(name => {
    const { kind } = thingOf(name)
    return !name.startsWith('_') && offered.has(kind) && (kind !== 'number' || ports.has(name))
  })
}

function servicesAt(often: ReadonlyMap<string, readonly string[]>): string[] {
  const found = [TCP, UDP].flatMap(protocol =>
    ['dstport', 'srcport'].flatMap(name =>
      (often.get(name) ?? []).flatMap(port => registeredService(Number(port), protocol)?.name ?? []),
    ),
  )
  return [...new Set(found)]
}

/** The most frequent values of a column, of equal ones the smaller first. */
async function frequentValues(c: Case, name: string, view: View, signal?: AbortSignal): Promise<string[]> {
  const value = column(name)
  const groups = select([named(value, 'v')], {
    ...{ from: table(view), where: isKnown(value), groupBy: [value] },
    ...{ orderBy: [ordered(count(), 'DESC'), ordered(value)], limit: mostValues },
  })
  const rows = await question(c, signal, own => own.db.rows(duckdb.print(groups).text))
  return rows.flatMap(row => textOf(row['v'] ?? null))
}

function textOf(item: Value): string[] {
  if (item === null) return []
  if (typeof item !== 'object' || !('entries' in item)) return [String(item)]
  const { hi, lo } = item.entries as { hi?: Value; lo?: Value }
  return typeof hi === 'bigint' && typeof lo === 'bigint' ? [formatAddress(hi, lo)] : []
}
