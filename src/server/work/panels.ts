/** What stands beside the figures of the overview: the commands that give them, why there are none, gaps, judged services. */
import { keptRoles } from '../../conversations/roles.ts'
import type { Node } from '../../filter/ast.ts'
import { print } from '../../filter/print.ts'
import { flowsMeaning } from '../../flows/explain.ts'
import type { FlowsRequest, FlowsRow } from '../../flows/request.ts'
import { queryFlows } from '../../flows/run.ts'
import { gatherCoverage, gatherSpans } from '../../investigate/coverage.ts'
import type { Gap } from '../../investigate/dossier.ts'
import { portsNamed } from '../../net/ports.ts'
import { parsePrefix } from '../../net/prefix.ts'
import { microsecondsOf } from '../../net/time.ts'
import { keptSource } from '../../store/cached-table.ts'
import type { Case } from '../../store/case.ts'
import { question } from '../../store/question.ts'
import { requestsOf } from '../../timeline/requests.ts'
import type { Answerer, WorkContext } from '../answering.ts'
import { flowsCommand } from '../command-line.ts'
import type { Asked, Count, ViewAsk, Window } from '../contract/common.ts'
import type {
  GapsAnswer,
  JudgedAnswer,
  PanelName,
  PanelsAnswer,
  PanelsAsk,
  ServicesAnswer,
  ServicesAsk,
  WhyAnswer,
  WhyAsk,
} from '../contract/view.ts'
import { pageFilter, windowRequest } from '../window-filter.ts'

const panels: readonly PanelName[] = [
  ...(['totals', 'hosts', 'sent', 'received', 'ports', 'sensors', 'actions', 'protocols'] as const),
]
/** Gaps that are drawn. */
const gapsMost = 1000
/** Terms of a filter that are left out, one at a time. */
const termsMost = 12
/** Microseconds that judging takes a record, of two threads. */
const judging_us = 8

async function panelsAnswer(c: Case, asked: PanelsAsk, { signal }: WorkContext): Promise<PanelsAnswer> {
  const { view, window, order, top } = asked
  const requests = requestsOf(windowRequest(c, view, window), null, order, top)
  const answers = await Promise.all(panels.map(async name => [name, await askedOf(c, requests[name], signal)] as const))
  return Object.fromEntries(answers) as PanelsAnswer
}

async function askedOf(c: Case, request: FlowsRequest, signal: AbortSignal): Promise<Asked> {
  const { sentence, sql } = await flowsMeaning(c, request, { signal, files: false })
  return { sentence, sql, command: flowsCommand(c, request) }
}

const allTimes: Window = { from: null, to: null }
const isAll = ({ from, to }: Window): boolean => from === null && to === null

async function whyAnswer(c: Case, { view, window }: WhyAsk, { signal }: WorkContext): Promise<WhyAnswer> {
  const { ast } = pageFilter(c, view.filter)
  const terms: WhyAnswer['terms'] = []
  const count = (filter: string, within: Window): Promise<Count> => countOf(c, { ...view, filter }, within, signal)
  if (!isAll(window)) {
    const [records, alone] = [await count(view.filter, allTimes), await count('', window)]
    terms.push({ term: null, filter: view.filter, records, alone })
  }
  const nodes = ast.kind === 'and' ? ast.nodes : ast.kind === 'any' ? [] : [ast]
  for (const [left, node] of nodes.slice(0, termsMost).entries()) {
    const others = nodes.filter((_, i) => i !== left)
    const rest: Node = others.length === 1 ? others[0]! : { kind: 'and', nodes: others }
    const filter = others.length === 0 ? '' : print(rest)
    const term = print(node)
    terms.push({ term, filter, records: await count(filter, window), alone: await count(term, allTimes) })
  }
  return { terms }
}

async function countOf(c: Case, view: ViewAsk, window: Window, signal: AbortSignal): Promise<Count> {
  const { counting } = await queryFlows(c, { ...windowRequest(c, view, window), by: [] }, { signal, files: false })
  return plain(counting.records)
}

function plain(value: FlowsRow[string] | undefined): Count {
  if (typeof value === 'bigint') return value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)
  return value ?? null
}

async function judgedAnswer(c: Case, { own }: Pick<ViewAsk, 'own'>): Promise<JudgedAnswer> {
  const prefixes = own.flatMap(text => parsePrefix(text) ?? [])
  const judged = (await keptSource(c, keptRoles({ evidence: c.source }, prefixes))) !== null
  const records = c.segments.reduce((sum, { rows }) => sum + rows, 0)
  return { judged, seconds: Math.ceil((records * judging_us) / 1_000_000) }
}

async function servicesAnswer(c: Case, asked: ServicesAsk, { signal }: WorkContext): Promise<ServicesAnswer> {
  const { view, window, order, top } = asked
  const request = { ...windowRequest(c, view, window), by: ['service'], order, limit: top }
  const result = await queryFlows(c, request, { signal, files: false })
  const rows: ServicesAnswer['rows'] = []
  for await (const { service = null, records, rejected, bytes } of result.rows()) {
    rows.push({
      service: service === null ? null : String(service),
      ports: service === null ? [] : portsNamed(String(service)),
      ...{ records: plain(records), rejected: plain(rejected), bytes: plain(bytes) },
    })
  }
  const { sentence, sql } = result
  const says = { sentence, sql, command: flowsCommand(c, request) }
  return { rows, of: plain(result.total_rows), exact: true, asked: says }
}

/** Judges who connected to whom, and keeps it in the case's cache. */
async function judge(c: Case, { own }: Pick<ViewAsk, 'own'>, { signal, progress }: WorkContext): Promise<object> {
  progress({ doing: 'judging who connected to whom', done: null, of: null })
  await queryFlows(c, { by: ['service'], limit: 1, internal: own }, { signal, files: false })
  return {}
}

async function gapsAnswer(c: Case, _: object, { signal }: WorkContext): Promise<GapsAnswer> {
  return question(c, signal, async own => {
    await gatherSpans(own)
    const { gaps, gapsLeft } = await gatherCoverage(own, null, [])
    return {
      gaps: gaps.slice(0, gapsMost).map(gap => gapOf(gap)),
      left: gapsLeft + Math.max(0, gaps.length - gapsMost),
    }
  })
}

function gapOf({ reason, sensor, from, to, path, detail }: Gap): GapsAnswer['gaps'][number] {
  const says = path === undefined ? detail : `${path}: ${detail}`
  return { kind: reason, sensor, from: secondOf(from), to: secondOf(to), says }
}

function secondOf(time: string | null): number | null {
  const us = time === null ? null : microsecondsOf(time)
  return us === null ? null : Math.floor(us / 1_000_000)
}

export const panelsWork: Readonly<Record<string, Answerer<Case>>> = {
  panels: panelsAnswer,
  why: whyAnswer,
  judged: judgedAnswer,
  services: servicesAnswer,
  judge,
  gaps: gapsAnswer,
}
