/** What of the time that is wanted the captures cover. */
import { UserError } from '../errors.ts'
import { contextOf, preparedRecords } from '../filter/context.ts'
import { compileFor } from '../filter/enriched-context.ts'
import { parse } from '../filter/filter.ts'
import type { Prefix } from '../net/prefix.ts'
import { microsecondsOf, utcSeconds } from '../net/time.ts'
import { aggregate, column, microseconds, named, select, trusted } from '../query/build.ts'
import { duckdb } from '../query/duckdb-printer.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import type { TimeSpan, Wanted } from './selection.ts'

/** Times of flow logs are whole seconds, and may be late by the interval. */
const slack_us = 60e6

/** When the captures have packets; captures that follow each other are one span. */
export function coveredBy(captures: readonly { first_start: string | null; last_end: string | null }[]): TimeSpan[] {
  const spans: TimeSpan[] = []
  const known = captures.flatMap(({ first_start, last_end }) =>
    first_start === null || last_end === null ? [] : [{ first_start, last_end }],
  )
  for (const span of known.sort((a, b) => microsecondsOf(a.first_start) - microsecondsOf(b.first_start))) {
    const before = spans.at(-1)
    if (before === undefined || microsecondsOf(span.first_start) > microsecondsOf(before.last_end) + slack_us)
      spans.push({ ...span })
    else if (microsecondsOf(span.last_end) > microsecondsOf(before.last_end)) before.last_end = span.last_end
  }
  return spans
}

/** Whether something of the time that is wanted lies where no capture has packets. */
export function reachesBeyond(wanted: TimeSpan, covered: readonly TimeSpan[]): boolean {
  const [from, to] = [microsecondsOf(wanted.first_start), microsecondsOf(wanted.last_end)]
  return !covered.some(
    ({ first_start, last_end }) =>
      from >= microsecondsOf(first_start) - slack_us && to <= microsecondsOf(last_end) + slack_us,
  )
}

/** When what is wanted took place, as far as it is known from elsewhere than the captures; null: it is not. */
export async function timeOf(
  c: Case,
  wanted: Wanted,
  internal: readonly Prefix[],
  signal?: AbortSignal,
): Promise<TimeSpan | null> {
  if (wanted.kind === 'community') return null
  if (wanted.kind === 'services') return wanted.time ?? null
  if (c.source !== 'logs') return null
  return question(c, signal, own => timeInLogs(own, wanted, internal))
}

/** When the first record of the logs that a filter matches begins and the last one ends. */
async function timeInLogs(
  c: Case,
  wanted: Extract<Wanted, { kind: 'filter' }>,
  internal: readonly Prefix[],
): Promise<TimeSpan | null> {
  const context = contextOf(c, 'flows', internal)
  if (!context.columns.has('start') || !context.columns.has('end')) return null
  const asked = await compiledFor(c, wanted, context.columns, internal).catch((error: unknown) => {
    // A filter may ask for what only records of packets have; that the case was closed meanwhile is another matter.
    c.db.requireGoing()
    if (error instanceof UserError) return null
    throw error
  })
  if (asked === null) return null
  const { compiled, internal: all } = asked
  const records = await preparedRecords(c, compiled, 'flows', all)
  const ends = [
    named(microseconds(aggregate('min', column('start'))), 'from_us'),
    named(microseconds(aggregate('max', column('end'))), 'to_us'),
  ]
  const { text, values } = duckdb.print(select(ends, { from: trusted(records, []), where: compiled.where }))
  const [row] = await c.db.rows(text, values)
  const [from, to] = [row?.['from_us'], row?.['to_us']]
  if (from === null || from === undefined || to === null || to === undefined) return null
  return { first_start: utcSeconds(Number(from)), last_end: utcSeconds(Number(to)) }
}

async function compiledFor(
  c: Case,
  wanted: Extract<Wanted, { kind: 'filter' }>,
  columns: ReadonlySet<string>,
  internal: readonly Prefix[],
): ReturnType<typeof compileFor> {
  const filter = parse(wanted.text, { nfdump: wanted.nfdump === true, columns })
  return compileFor(c, filter, 'flows', internal, wanted)
}
