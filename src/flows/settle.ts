/** A request to what is asked of which records: the filter read, names resolved, contradictions refused. */

import { judgeRecords } from '../conversations/roles.ts'
import type { EnrichmentOptions } from '../enrich/enrichment.ts'
import { UserError } from '../errors.ts'
import type { Filter, Node } from '../filter/ast.ts'
import { type CompileContext, type Compiled, compile } from '../filter/compile.ts'
import { parse } from '../filter/filter.ts'
import { loadSets } from '../filter/set.ts'
import { swapped } from '../filter/swapped.ts'
import { countText } from '../net/counts.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { all, any, table } from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { Expression } from '../query/nodes.ts'
import type { Case } from '../store/case.ts'
import { bothWaysOf } from '../store/entries.ts'
import { evidenceSpan } from '../store/evidence-span.ts'
import { factsOf } from '../store/kept-facts.ts'
import { question } from '../store/question.ts'
import { type Compared, compared, comparePlan, isWithin, windowOf } from './compare.ts'
import { collapsedTable } from './count-once.ts'
import { connectionElements, type Element, elementOf, elementsOf } from './elements.ts'
import { enrichedFor } from './enriched.ts'
import { groupPlan } from './groups.ts'
import { listPlan } from './listing.ts'
import { isDistinct } from './order.ts'
import type { Plan, Setting } from './plan.ts'
import type { FlowsRequest } from './request.ts'
import { type Records, recordsOf } from './source.ts'

/** What makes the questions that few ask is loaded for those. */
export interface Makers {
  bins: typeof import('./bins.ts') | null
  bothWays: typeof import('./both-ways.ts') | null
}

export interface Asked {
  /** Without the records that others stand for: see `settle`. */
  setting: Setting
  makers: Makers
  filter: Filter
  /** Whether a conversation that was seen twice counts once. */
  once: boolean
  /** Whether who connected to whom is asked for. */
  usesRoles: boolean
  /** Whether networks that are no part of the request say what is internal, and that is asked. */
  usesNotes: boolean
  notes: string[]
}

/** The same with the records that others stand for. */
export type Settled = Asked

export interface ReadingOptions {
  folder?: string
  files?: boolean
  fileParams?: readonly string[]
  largeFrom?: number
  enrichment?: EnrichmentOptions
  signal?: AbortSignal
}

/** Of fewer records the answer is soon worked out again. */
const manyRecords = 1_000_000

const rankedByDefault = 10
const listedByDefault = 1000

/** Most rows of the answer; null: all. */
export function limitOf(request: FlowsRequest): number | null {
  if (request.limit !== undefined) return request.limit
  return request.stat === undefined ? listedByDefault : rankedByDefault
}

/** Whether records are listed one by one. */
export function isListing(request: FlowsRequest): boolean {
  const { by, stat, bidirectional, bin_ms, distinct, percentiles, having, compare } = request
  const groups = [by, stat, bin_ms, distinct, percentiles, having, compare]
  return bidirectional !== true && groups.every(one => one === undefined)
}

export async function settle(c: Case, request: FlowsRequest, options: ReadingOptions = {}): Promise<Settled> {
  return withCollapsed(c, await asked(c, request, options))
}

/** Works out, or reads, which records others stand for. */
export async function withCollapsed(c: Case, read: Asked): Promise<Settled> {
  const { setting, once } = read
  if (!once) return read
  const collapsed = await collapsedTable(c, setting.records)
  return { ...read, setting: { ...setting, collapsed: collapsed === null ? null : table(collapsed) } }
}

/** Reads a request, and sees to it that its sets and roles are there. */
export async function asked(c: Case, given: FlowsRequest, options: ReadingOptions = {}): Promise<Asked> {
  refuse(given)
  const own = prefixesOf(given.internal ?? [])
  const { columns, evidence } = recordsOf(c, given.evidence, given.nfdump === true)
  const filter = sinceIn(filterOf(given, columns, options), given.since)
  const said = await enrichedFor(c, evidence === 'logs' ? 'flows' : 'packet_flows', filter, given, options)
  const internal = [...own, ...said.internal]
  const records = { ...recordsOf(c, evidence, given.nfdump === true, internal), enriched: said.tables }
  const request = withOrder(given, records)
  const span = evidenceSpan(c)
  const around = span === null ? null : { from_us: span.first_us, to_us: span.last_us }
  const windows = request.compare === undefined ? null : compared(filter, request.compare, around)
  const isLarge = records.count > 0 && records.count >= (options.largeFrom ?? manyRecords)
  const kind = records.evidence === 'logs' ? 'flows' : 'packet-flows'
  const facts = isLarge ? await factsOf(c, kind, true) : null
  const context = {
    columns: records.columns,
    internal,
    enriched: said.tables,
    ...(facts !== null && { fourOnly: facts.fourOnly }),
    ...(span !== null && { span }),
  }
  const whole = compile(windows?.filter ?? filter, context)
  await loadSets(c.db, whole.sets)
  const other = otherWayOf(filter, request, records, context)
  const usesRoles = whole.roles || groupsByRoles(request)
  if (usesRoles) await judgeRecords(c, records, internal)
  const compiled = windows === null ? whole : { ...whole, where: inEither(whole.where, windows) }
  const raw = request.raw === true || request.nfdump === true
  const acceptedOnly = !raw && records.columns.has('action') && !names(filter.ast, 'action')
  const window = windowOf(filter.ast, around)
  const once = !raw && !isListing(request)
  const setting: Setting = {
    request,
    records,
    filter: compiled,
    facts,
    totals: null,
    dialect: duckdb,
    acceptedOnly,
    collapsed: null,
    internal,
    enrichment: said.used,
    span: around,
    window,
    compared: windows,
    otherWay: other?.where ?? null,
    small: request.bin_ms !== undefined,
  }
  const asksInternal = usesRoles || ['internal', 'external'].some(name => names(filter.ast, name))
  const usesNotes = said.internal.length > 0 && asksInternal
  return { setting, makers: await makersOf(request), filter, once, usesRoles, usesNotes, notes: notesOf(c, setting) }
}

/** A request that ranks by a count of different values counts them, too. */
export function withOrder(request: FlowsRequest, records: Records): FlowsRequest {
  const { order, distinct = [] } = request
  if (order === undefined || !isDistinct(order)) return request
  const element = order.slice('distinct_'.length)
  const names = distinct.map(text => elementOf(text, records).name)
  const name = names.find(one => one === element.toLowerCase()) ?? elementOf(element, records).name
  return { ...request, order: `distinct_${name}`, distinct: names.includes(name) ? distinct : [...distinct, element] }
}

/** The filter as it is of the other direction, where `-b` asks for one of them only. nfdump has zero for what was not asked. */
export function otherWayOf(
  filter: Filter,
  { bidirectional }: FlowsRequest,
  records: Records,
  context: CompileContext,
): Compiled | null {
  if (bidirectional !== true || records.nfdump) return null
  const ast = swapped(filter.ast)
  return ast === null ? null : compile({ ...filter, ast }, context)
}

export async function makersOf({ bin_ms, bidirectional }: FlowsRequest): Promise<Makers> {
  return {
    bins: bin_ms === undefined ? null : await import('./bins.ts'),
    bothWays: bidirectional === true ? await import('./both-ways.ts') : null,
  }
}

export const oneSided =
  'The filter asks for one direction: what the other one moved was not asked (null, and counted in not_asked), and who began is told from the records that match. Without src and dst it takes both directions: "ip ADDRESS and port PORT".'

/** What the volumes leave out. */
function notesOf(c: Case, { request, records, otherWay }: Setting): string[] {
  const oneWay = otherWay === null ? [] : [oneSided]
  if (records.evidence === 'logs' || records.nfdump || isListing(request)) return oneWay
  const count = bothWaysOf(c)
  if (count === 0) return oneWay
  return [
    ...oneWay,
    `${countText(count, 'record')} of nfcapd files ${count === 1 ? 'counts' : 'count'} both ways: packets and bytes are those of the way there, out_packets and out_bytes those of the way back (--nfdump adds them in -s, as nfdump does).`,
  ]
}

/** Whether roles or services of the records are grouped by. */
export function groupsByRoles({ by = [], stat, distinct = [] }: FlowsRequest): boolean {
  return [...by, ...distinct, stat?.element ?? ''].some(element => /^\s*(role|service)\s*$/i.test(element))
}

export function inEither(where: Expression, { now, before }: Compared): Expression {
  return all([where, any([isWithin(now), isWithin(before)])])
}

/** Reads a request that is to be asked later, its parameters without values: what is wrong with it is said now. */
export async function checkRequest(c: Case, request: FlowsRequest): Promise<void> {
  const { filter } = request
  const names = typeof filter === 'string' ? [...filter.matchAll(/\$([a-z_]\w*)/gi)].map(([, name]) => name!) : []
  if (names.every(name => Object.hasOwn(request.params ?? {}, name)))
    await question(c, undefined, async own => {
      const { setting, makers } = await settle(own, { ...request, raw: true, saved: true })
      return planOf(setting, makers)
    })
}

/** What cannot be asked at once. */
export function refuse(request: FlowsRequest): void {
  const { by, stat, bidirectional, distinct } = request
  const fail = (what: string, hint: string): never => {
    throw new UserError(what, { status: 2, hint })
  }
  if (request.order !== undefined && isDistinct(request.order)) {
    if (isListing(request))
      fail(`-O ${request.order} without groups`, `add -s or -A, like -s srcip -O ${request.order}`)
    if (request.bin_ms !== undefined || request.compare !== undefined)
      fail(`-O ${request.order} with --bin or --compare`, 'they rank by bytes, packets or records')
  }
  if (by !== undefined && stat !== undefined) fail('-A and -s at once', 'each groups the records in its own way')
  if (bidirectional && request.bin_ms !== undefined)
    fail(
      '-b and --bin',
      'leave out -b, and group by what both directions share: --bin 5m -A proto, or --bin 5m -s port',
    )
  if (bidirectional && request.percentiles !== undefined)
    fail('-b and --percentile', 'a percentile is of single records: leave out -b')
  if (bidirectional && distinct !== undefined && !groupsPairs(request))
    fail('-b and --distinct without groups', 'a row is one pair: add -A or -s, like -b -A dstip,dstport')
  if (
    request.compare !== undefined &&
    (request.bin_ms !== undefined || bidirectional || distinct || request.percentiles)
  ) {
    fail('--compare with --bin, -b, --distinct or --percentile', 'a comparison counts records, packets and bytes')
  }
  if (request.bin_ms !== undefined && (request.having || distinct || request.percentiles)) {
    fail('--bin with --having, --distinct or --percentile', 'time bins count records, packets and bytes')
  }
  if (request.other === true && isListing(request))
    fail('--other without groups', 'it sums up the groups that are not listed: add -A or -s')
}

export function filterOf(request: FlowsRequest, columns: ReadonlySet<string>, options: ReadingOptions): Filter {
  const { filter = '' } = request
  if (typeof filter !== 'string') return filter
  return parse(filter, {
    columns,
    nfdump: request.nfdump === true,
    ...(request.params !== undefined && { params: request.params }),
    ...(options.folder !== undefined && { folder: options.folder }),
    ...(options.files !== undefined && { files: options.files }),
    ...(request.saved === true && { files: 'saved' as const }),
    ...(options.fileParams !== undefined && { fileParams: options.fileParams }),
  })
}

/** The filter within what `since` leaves of the evidence. */
export function sinceIn(filter: Filter, since: string | undefined): Filter {
  if (since === undefined) return filter
  const isTime = /^\d{4}-/.test(since)
  const { ast } = parse(isTime ? `last seen >= "${since}"` : `last ${since} of case`, { files: false })
  const nodes = filter.ast.kind === 'any' ? [] : filter.ast.kind === 'and' ? filter.ast.nodes : [filter.ast]
  const note = `${since} of --since counts back from the end of the evidence, not from now`
  return {
    ...filter,
    ast: nodes.length === 0 ? ast : { kind: 'and', nodes: [...nodes, ast] },
    notes: [...filter.notes, ...(isTime ? [] : [note])],
  }
}

export function prefixesOf(texts: readonly string[]): Prefix[] {
  return texts.map(text => {
    const prefix = parsePrefix(text)
    if (prefix === null) throw new UserError(`not a prefix in --internal: ${text}`, { status: 2 })
    return prefix
  })
}

/** Whether a filter tests this thing anywhere. */
function names(node: Node, thing: string): boolean {
  if (node.kind === 'and' || node.kind === 'or') return node.nodes.some(one => names(one, thing))
  if (node.kind === 'not') return names(node.node, thing)
  return node.kind === 'test' && node.thing === thing
}

export function planOf(s: Setting, { bins, bothWays }: Makers): Plan {
  const { request, records } = s
  const limited: Setting = { ...s, request: { ...request, limit: limitOf(request) } }
  if (isListing(request)) return listPlan(s, limitOf(request))
  if (bins !== null) {
    const keys = request.stat === undefined ? (request.by ?? []) : [request.stat.element]
    return bins.binPlan(
      s,
      keys.map(text => elementOf(text, records)),
      s.span,
      s.window,
    )
  }
  const byRecords: Setting = { ...limited, request: { ...limited.request, order: request.order ?? 'records' } }
  const ranked = request.stat === undefined ? limited : byRecords
  if (bothWays !== null) {
    if (!groupsPairs(request)) return bothWays.bothWaysPlan(limited)
    return bothWays.bothWaysGroupPlan(ranked, of => sidesOf(request, of))
  }
  if (s.compared !== null) {
    const keys = request.stat === undefined ? (request.by ?? []) : [request.stat.element]
    return comparePlan(
      limited,
      keys.map(text => elementOf(text, records)),
      s.compared,
    )
  }
  return groupPlan(ranked, sidesOf(request, records))
}

/** Whether pairs of ends are grouped once more. */
function groupsPairs({ by, stat, bidirectional }: FlowsRequest): boolean {
  return bidirectional === true && (by !== undefined || (stat !== undefined && stat.element.toLowerCase() !== 'record'))
}

/** What is grouped by: one list of keys, or two that every record has both of. */
export function sidesOf({ by = [], stat }: FlowsRequest, records: Records): Element[][] {
  if (stat === undefined) return [by.map(text => elementOf(text, records))]
  const { element, perProtocol } = stat
  if (element.toLowerCase() === 'record') return [connectionElements.map(name => elementOf(name, records))]
  const elements = elementsOf(element, records)
  const protocol = perProtocol === true && elements[0]!.name !== 'protocol' ? [elementOf('proto', records)] : []
  return elements.map(one => [...protocol, one])
}
