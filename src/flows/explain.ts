/** What a request means and what it will read, before anything is asked. */
import type { Node, Side, TestNode, Value } from '../filter/ast.ts'
import { endsOf, thingOf } from '../filter/things.ts'
import type { Prefix } from '../net/prefix.ts'
import { parseTime } from '../net/time.ts'
import type { Case } from '../store/case.ts'
import { segmentPath } from '../store/files.ts'
import { question } from '../store/question.ts'
import { columnRanges } from '../store/statistics.ts'
import type { FlowsRequest } from './request.ts'
import type { FlowsOptions } from './run.ts'
import { sentenceOf } from './sentence.ts'
import { type Settled, settle, sidesOf } from './settle.ts'
import { shownStatement } from './shown.ts'
import { neededTotals, totalsNote } from './totals.ts'

export interface ExplainedSegment {
  name: string
  rows: number
  row_groups: number
  /** Row groups whose smallest and largest values leave a match possible; 0: the segment is skipped. */
  read: number
}

export interface Explained {
  sentence: string
  sql: string
  notes: string[]
  segments: ExplainedSegment[]
}

/** The smallest and largest values of a row group, by column; of addresses by their halves. */
type Ranges = Map<string, { least: bigint; most: bigint }>

type Meaning = Pick<Explained, 'sentence' | 'sql' | 'notes'>

/** What a request means in one sentence, and its SQL; nothing is read for it. @throws UserError, FilterError (status 2) */
export function flowsMeaning(c: Case, request: FlowsRequest, options: FlowsOptions = {}): Promise<Meaning> {
  return question(c, options.signal, async own => meaningOf(own, request, await settle(own, request, options)))
}

async function meaningOf(c: Case, request: FlowsRequest, settled: Settled): Promise<Meaning> {
  const { setting, filter } = settled
  const totals = neededTotals(c, setting, sidesOf(request, setting.records))
  return {
    sentence: sentenceOf(filter, setting),
    sql: await shownStatement(c, settled),
    notes: [
      ...[...filter.notes, ...setting.filter.notes, ...settled.notes],
      ...(totals === null ? [] : [totalsNote(totals)]),
    ],
  }
}

/**
 * What a request means in one sentence, its SQL, and how much of each segment would be read. Nothing is counted.
 *
 * @throws UserError, FilterError (status 2) where the request cannot be meant.
 */
export function explainFlows(c: Case, request: FlowsRequest, options: FlowsOptions = {}): Promise<Explained> {
  return question(c, options.signal, own => explained(own, request, options))
}

async function explained(c: Case, request: FlowsRequest, options: FlowsOptions): Promise<Explained> {
  const settled = await settle(c, request, options)
  const { setting, filter } = settled
  const kind = setting.records.evidence === 'logs' ? 'flows' : 'packet-flows'
  const segments: ExplainedSegment[] = []
  for (const segment of c.segments.filter(one => one.kind === kind)) {
    const groups = await rangesOf(c, segmentPath(c.dir, segment.name))
    const read = groups.filter(ranges => mayHold(filter.ast, ranges, setting.span)).length
    segments.push({ name: segment.name, rows: segment.rows, row_groups: groups.length, read })
  }
  return { ...(await meaningOf(c, request, settled)), segments }
}

async function rangesOf(c: Case, path: string): Promise<Ranges[]> {
  const groups: Ranges[] = []
  for (const range of await columnRanges(c.db, path)) {
    const group = (groups[range.group] ??= new Map())
    const [least, most] = [range.least, range.most].map(one => (one === null ? null : numberOf(one)))
    if (least != null && most != null) group.set(range.column, { least, most })
  }
  return groups
}

function numberOf(text: string): bigint | null {
  if (/^\d+$/.test(text)) return BigInt(text)
  return parseTime(text.replace(/\+00$/, ''), false)
}

type Span = { from_us: bigint; to_us: bigint } | null

/** Whether a row within these ranges may match. What is not known to be impossible may. */
function mayHold(node: Node, ranges: Ranges, span: Span): boolean {
  switch (node.kind) {
    case 'and':
      return node.nodes.every(one => mayHold(one, ranges, span))
    case 'or':
      return node.nodes.some(one => mayHold(one, ranges, span))
    case 'between':
      return overlaps(ranges, node.from_us, node.to_us)
    case 'edge':
      if (span === null) return true
      return node.edge === 'first'
        ? overlaps(ranges, span.from_us, span.from_us + node.us)
        : overlaps(ranges, span.to_us - node.us, span.to_us)
    case 'test':
      return testMayHold(node, ranges)
    default:
      return true
  }
}

function overlaps(ranges: Ranges, from_us: bigint, to_us: bigint): boolean {
  const [start, end] = [ranges.get('start'), ranges.get('end')]
  return (start === undefined || start.least <= to_us) && (end === undefined || end.most >= from_us)
}

function testMayHold({ thing: name, side, test }: TestNode, ranges: Ranges): boolean {
  const thing = thingOf(name)
  const values = test.op === 'compare' ? [test.value] : test.op === 'in' && !test.negated ? test.values : null
  if (values === null || (test.op === 'compare' && test.comparator === '!=')) return true
  const { sides, every } = endsOf(thing, side)
  const one = (end: Side): boolean => {
    const columns = thing.columns[end] ?? []
    if (columns.length !== 1 && thing.kind !== 'address' && name !== 'port') return true
    const column = columns[0]
    if (column === undefined || thing.names[0] === 'address') return true
    const comparator = test.op === 'compare' ? test.comparator : '='
    return values.some(value => valueMayHold(value, comparator, column, ranges))
  }
  return every ? sides.every(one) : sides.some(one)
}

function valueMayHold(value: Value, comparator: string, column: string, ranges: Ranges): boolean {
  if (value.type === 'prefix') return prefixMayHold(value.prefix, column, ranges)
  const range = ranges.get(column)
  if (range === undefined || value.type === 'text') return true
  const wanted = value.type === 'time' ? value.us : value.number
  switch (comparator) {
    case '=':
      return range.least <= wanted && wanted <= range.most
    case '<':
      return range.least < wanted
    case '<=':
      return range.least <= wanted
    case '>':
      return range.most > wanted
    default:
      return range.most >= wanted
  }
}

function prefixMayHold({ first, last }: Prefix, column: string, ranges: Ranges): boolean {
  const hi = ranges.get(`${column}, hi`)
  if (hi !== undefined && (last.hi < hi.least || first.hi > hi.most)) return false
  const lo = ranges.get(`${column}, lo`)
  return first.hi !== last.hi || lo === undefined || (last.lo >= lo.least && first.lo <= lo.most)
}
