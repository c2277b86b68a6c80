/** Why an answer has no rows: what each part of the filter matches by itself. */
import type { Filter, Node } from '../filter/ast.ts'
import { print } from '../filter/print.ts'
import { countText } from '../net/counts.ts'
import { utcSeconds } from '../net/time.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import { countPlan } from './listing.ts'
import type { Setting } from './plan.ts'
import type { FlowsRequest } from './request.ts'
import type { FlowsOptions } from './run.ts'
import { isListing, settle } from './settle.ts'
import { integer } from './values.ts'

/** Of a long filter the first parts are counted. */
const partsMost = 8

const timeThings: ReadonlySet<string> = new Set(['first seen', 'last seen', 'start', 'end'])

/** What a record and a group of records have both. */
const ofBoth: ReadonlySet<string> = new Set(['duration', 'bytes', 'packets', 'bps', 'pps', 'bpp', 'flows'])

/** Sentences on an answer without rows. They hold the user's text; whoever shows them makes it visible. */
export async function whyEmpty(c: Case, request: FlowsRequest, options: FlowsOptions = {}): Promise<string[]> {
  return question(c, options.signal, async own => {
    const { setting, filter } = await settle(own, request, options)
    const all = await matches(own, setting)
    const outside = outsideOf(filter.ast, setting)
    if (all > 0)
      return request.having === undefined ? [] : [`${countText(all, 'record')} match; --having leaves no group.`]
    const parts = filter.ast.kind === 'and' ? filter.ast.nodes.slice(0, partsMost) : []
    const lines: string[] = []
    for (const part of parts) {
      const alone = await settle(own, partOf(request, filter, part), options)
      lines.push(`${print(part)}: ${countText(await matches(own, alone.setting), 'record')} alone.`)
    }
    return [...lines, ...(outside === null ? [] : [outside]), ...meantForGroups(filter.ast, request)]
  })
}

/** A part of the filter, asked of the same records. */
function partOf({ evidence, nfdump, internal }: FlowsRequest, filter: Filter, ast: Node): FlowsRequest {
  return {
    ...{ filter: { ...filter, text: '', ast, notes: [] }, raw: true },
    ...(evidence !== undefined && { evidence }),
    ...(nfdump !== undefined && { nfdump }),
    ...(internal !== undefined && { internal }),
  }
}

async function matches(c: Case, s: Setting): Promise<number> {
  const { text, values } = s.dialect.print(countPlan(s))
  const [row] = await c.db.rows(text, values)
  return Number(integer(row?.['records']))
}

function isOfTime(node: Node): boolean {
  if (node.kind === 'not') return isOfTime(node.node)
  return node.kind === 'test' && timeThings.has(node.thing)
}

/** A window in which the case has nothing, or a condition on time: what the evidence spans. */
function outsideOf(ast: Node, { span }: Setting): string | null {
  const nodes = ast.kind === 'and' ? ast.nodes : [ast]
  const isOutside = nodes.some(
    node =>
      isOfTime(node) ||
      (node.kind === 'between' && span !== null && (node.to_us < span.from_us || node.from_us > span.to_us)),
  )
  if (!isOutside || span === null) return null
  return `The evidence is from ${utcSeconds(span.from_us)} to ${utcSeconds(span.to_us)}.`
}

/** A condition on each record where whole connections or groups are listed. */
function meantForGroups(ast: Node, request: FlowsRequest): string[] {
  if (isListing(request)) return []
  const nodes = ast.kind === 'and' ? ast.nodes : [ast]
  return nodes.flatMap(node => {
    if (node.kind !== 'test' || !ofBoth.has(node.thing) || node.test.op !== 'compare') return []
    const text = print(node)
    const what = request.bidirectional === true ? 'connections' : 'groups'
    return [`"${text}" tests single records; for whole ${what}: --having "${text}".`]
  })
}
