/** A case as the filter language sees it. */

import { judgeRecords, roleColumns, withRoles } from '../conversations/roles.ts'
import { formatAddress } from '../net/address.ts'
import { registeredService } from '../net/ports.ts'
import type { Prefix } from '../net/prefix.ts'
import { TCP, UDP } from '../net/protocols.ts'
import { parseTime } from '../net/time.ts'
import { column, count, frequent, isUnknown, named, select, table, trusted } from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { Case } from '../store/case.ts'
import type { Row, Value } from '../store/duckdb.ts'
import { question } from '../store/question.ts'
import type { CompileContext, Compiled } from './compile.ts'
import type { CompletionContext } from './complete.ts'
import { loadSets } from './set.ts'
import { thingOf } from './things.ts'

/** What can be asked: the records of flow logs, or what was made of packets. */
export type View = 'flows' | 'packet_flows' | 'connections'

/** What compiling a filter needs to know of a case: its columns, the time that it spans, and which prefixes are internal. */
export function contextOf(c: Case, view: View = 'flows', internal: readonly Prefix[] = []): CompileContext {
  const columns = new Set(view === 'flows' ? c.columns : columnsOf(c, view))
  if (view !== 'connections') for (const name of roleColumns) columns.add(name)
  const times = (name: 'first_start' | 'last_end'): bigint[] =>
    c.evidence
      .flatMap(({ [name]: text }) => (text === null ? [] : (parseTime(text, false) ?? [])))
      .sort((a, b) => Number(a - b))
  const first_us = times('first_start')[0]
  const last_us = times('last_end').at(-1)
  if (first_us === undefined || last_us === undefined) return { columns, internal }
  return { columns, internal, span: { first_us, last_us } }
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

/** What completing a filter needs of a case: its frequent values are looked up once, in one pass over the records. */
export async function completionContext(
  c: Case,
  view: View = 'flows',
  signal?: AbortSignal,
): Promise<CompletionContext> {
  const { columns, span } = contextOf(c, view)
  const asked = [...columns].filter(name => {
    const { kind } = thingOf(name)
    return !name.startsWith('_') && offered.has(kind) && (kind !== 'number' || ports.has(name))
  })
  const lists = asked.map((name, i) => named(frequent(column(name), mostValues), `v${i}`))
  const ask = (own: Case): Promise<Row[]> => own.db.rows(duckdb.print(select(lists, { from: table(view) })).text)
  const [row] = asked.length === 0 ? [] : await question(c, signal, ask)
  const often = new Map(asked.map((name, i) => [name, textsOf(row?.[`v${i}`] ?? null)]))
  const services = [TCP, UDP].flatMap(protocol =>
    ['dstport', 'srcport'].flatMap(column =>
      (often.get(column) ?? []).flatMap(port => registeredService(Number(port), protocol)?.name ?? []),
    ),
  )
  often.set('_service', [...new Set(services)])
  const values = (column: string, begin: string): string[] =>
    (often.get(column) ?? []).filter(value => value.toLowerCase().startsWith(begin))
  return { columns, values, ...(span !== undefined && { span }) }
}

function textsOf(list: Value): string[] {
  if (list === null || typeof list !== 'object' || !('items' in list)) return []
  return list.items.flatMap((item: Value) => {
    if (item === null) return []
    if (typeof item !== 'object' || !('entries' in item)) return [String(item)]
    const { hi, lo } = item.entries as { hi?: Value; lo?: Value }
    return typeof hi === 'bigint' && typeof lo === 'bigint' ? [formatAddress(hi, lo)] : []
  })
}
