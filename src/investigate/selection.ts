/** A part of the subject's records: those of a time, of some sensors. */

import { UserError } from '../errors.ts'
import { countText } from '../net/counts.ts'
import { microsecondsOf, utcSeconds } from '../net/time.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import { sensorSql } from '../record-index/sensor.ts'
import type { Case } from '../store/case.ts'
import { quotedString } from '../store/duckdb.ts'
import { flowsSource } from '../store/flows-source.ts'
import { pulledTime } from '../store/pulled.ts'
import type { Gap, Selection } from './dossier.ts'
import type { Window } from './records.ts'

export interface SelectionOptions {
  /** Microseconds since the epoch: records that end before it, or start at it or after, are left out. */
  from_us?: number
  to_us?: number
  /** Names of sensors, as `coverage` has them. */
  sensors?: string[]
}

/** Connections that go on beyond the window are looked for that far: as long an open one may be silent. */
const beyond_us = 3600 * 1_000_000

/** The condition on flow records, with its values in it; null: all of them. */
export function selectionSql(c: Case, { from_us, to_us, sensors = [] }: SelectionOptions): string | null {
  const terms = [
    ...(to_us === undefined ? [] : [`epoch_us("start") < ${to_us}`]),
    ...(from_us === undefined ? [] : [`epoch_us("end") >= ${from_us}`]),
    ...(sensors.length === 0 ? [] : [`${recordedBy(c)} IN (${sensors.map(quotedString).join(', ')})`]),
  ]
  return terms.length === 0 ? null : `coalesce(${terms.join(' AND ')}, false)`
}

function recordedBy(c: Case): string {
  if (c.source === 'logs') return sensorSql(c)
  throw new UserError('--sensor is for flow logs, and the case has none', {
    status: 2,
    hint: 'investigate the files of one capture: tidemark investigate ADDRESS CAPTURE',
  })
}

/** The time that gaps are looked for in: what was asked for, and the records that reach beyond it. */
function askedWindow(
  { from_us, to_us }: SelectionOptions,
  window: Window | null,
  span: Span | null,
): Omit<Window, 'last_start_us'> | null {
  if ((from_us === undefined && to_us === undefined) || span === null) return window
  const least = Math.max(from_us ?? Number.NEGATIVE_INFINITY, span.from_us)
  const most = Math.min(to_us ?? Number.POSITIVE_INFINITY, span.to_us)
  return { from_us: Math.min(least, window?.from_us ?? least), to_us: Math.max(most, window?.to_us ?? most) }
}

/** What the logs of the case cover. */
interface Span {
  from_us: number
  to_us: number
}

/** Null where no record has a time. Reads `span`. */
async function spanOf(c: Case): Promise<Span | null> {
  const [row] = await c.db.rows('SELECT epoch_us(min(from_t)) AS from_us, epoch_us(max(to_t)) AS to_us FROM span')
  const [from, to] = [row?.['from_us'] ?? null, row?.['to_us'] ?? null]
  return from === null || to === null ? null : { from_us: Number(from), to_us: Number(to) }
}

/** @throws UserError for a sensor that wrote nothing in the case. Reads `span`. */
async function checkSensors(c: Case, { sensors = [] }: SelectionOptions): Promise<void> {
  if (sensors.length === 0) return
  const rows = await c.db.rows('SELECT DISTINCT sensor FROM span WHERE sensor IS NOT NULL ORDER BY sensor')
  const known = rows.map(row => String(row['sensor']))
  const unknown = sensors.find(sensor => !known.includes(sensor))
  if (unknown === undefined) return
  const named = known.slice(0, 5).join(', ')
  const rest = known.length > 5 ? ` and ${known.length - 5} more: tidemark case lists them` : ''
  throw new UserError(`no such sensor in the case: ${unknown}`, {
    status: 2,
    hint: known.length === 0 ? 'no record of the case names its sensor' : `it has ${named}${rest}`,
  })
}

/** A selection of a case. */
export interface Selected {
  /** The condition on flow records, null: all. */
  part: string | null
  /** The time that gaps are looked for in. */
  covered: { from_us: number; to_us: number } | null
  /** That the time lies wholly outside the evidence, if it does. */
  outside: Gap[]
  shown: Selection
}

/**
 * What was selected of the subject's records. Reads `span`.
 *
 * @param window that of the records. @throws UserError for a sensor that is not in the case.
 */
export async function selectionOf(
  c: Case,
  options: SelectionOptions,
  ofSubject: Sql,
  window: Window | null,
): Promise<Selected> {
  await checkSensors(c, options)
  const span = await spanOf(c)
  return {
    part: selectionSql(c, options),
    covered: askedWindow(options, window, span),
    outside: outsideGap(options, span),
    shown: await describeSelection(c, options, ofSubject, span),
  }
}

function outsideGap({ from_us, to_us }: SelectionOptions, span: Span | null): Gap[] {
  const isAfter = span !== null && from_us !== undefined && from_us > span.to_us
  const isBefore = span !== null && to_us !== undefined && to_us <= span.from_us
  if (!isAfter && !isBefore) return []
  const where = isAfter
    ? `the evidence ends at ${utcSeconds(span.to_us)}`
    : `the evidence begins at ${utcSeconds(span.from_us)}`
  return [
    {
      sensor: null,
      from: from_us === undefined ? null : utcSeconds(from_us),
      to: to_us === undefined ? null : utcSeconds(to_us),
      reason: 'outside-evidence',
      detail: `${where}: nothing is known of the time that was asked for`,
    },
  ]
}

/** The flow records, or a part of them, in SQL that any DuckDB can run. */
export function partOfFlows(c: Case, part: string | null): string {
  return part === null ? flowsSource(c) : `(FROM ${flowsSource(c)} WHERE ${part})`
}

/** What the dossier says of the selection. */
async function describeSelection(
  c: Case,
  options: SelectionOptions,
  ofSubject: Sql,
  span: Span | null,
): Promise<Selection> {
  const { from_us, to_us, sensors = [] } = options
  const from = from_us === undefined ? null : utcSeconds(from_us)
  const to = to_us === undefined ? null : utcSeconds(to_us)
  const isPart = from !== null || to !== null || sensors.length > 0
  const notes = [
    ...(await pulledNotes(c, ofSubject)),
    ...(span !== null && from !== null && from_us! < span.from_us
      ? [`The evidence begins at ${utcSeconds(span.from_us)}: of the time before, from ${from} on, nothing is known.`]
      : []),
    ...(span !== null && to !== null && to_us! > span.to_us
      ? [`The evidence ends at ${utcSeconds(span.to_us)}: of the time after it, until ${to}, nothing is known.`]
      : []),
    ...(from === null && to === null ? [] : await cutNotes(c, options, ofSubject)),
    ...(sensors.length > 0 ? ['Other sensors may have recorded more of the subject: their records are left out.'] : []),
    ...(isPart && c.evidence.some(file => file.capture !== null) && c.source === 'logs'
      ? ['Logs and packets are not compared for a part of the records.']
      : []),
  ]
  return { from, to, sensors, notes }
}

function isWhole({ pulled }: Pick<Case, 'pulled'>): boolean {
  return pulled !== null && pulled.whole.size > 0
}

/** That only records of a time were pulled from an engine, where that is so: what it cuts looks whole. */
async function pulledNotes(c: Case, ofSubject: Sql): Promise<string[]> {
  if (c.pulled === null) return []
  const { from, to, table } = c.pulled.note
  const time = pulledTime(c.pulled.note)
  if (time === null) return []
  const crossing = [
    ...(from === null ? [] : [`epoch_us("start") < ${microsecondsOf(from)}`]),
    ...(to === null ? [] : [`epoch_us("end") > ${microsecondsOf(to)}`]),
  ].join(' OR ')
  const { text, values } = sql`SELECT count(*) AS records FROM flows WHERE ${ofSubject} AND (${rawSql(crossing)})`
  const [row] = await c.db.rows(text, values)
  const records = Number(row?.['records'])
  const reach =
    records === 0
      ? ''
      : ` ${countText(records, 'record')} of the subject ${records === 1 ? 'reaches' : 'reach'} beyond that time, and ${records === 1 ? 'counts' : 'count'} whole.`
  return [
    `Only records ${time}${isWhole(c) ? ', and what else their objects hold,' : ''} were pulled from ${table}: a connection that began before or went on after is longer than it looks.${reach}`,
  ]
}

/** Records and connections that the ends of the window cut. */
async function cutNotes(c: Case, { from_us, to_us, ...other }: SelectionOptions, ofSubject: Sql): Promise<string[]> {
  const inside = selectionSql(c, { ...(from_us !== undefined && { from_us }), ...(to_us !== undefined && { to_us }) })!
  const near = selectionSql(c, {
    ...other,
    ...(from_us !== undefined && { from_us: from_us - beyond_us }),
    ...(to_us !== undefined && { to_us: to_us + beyond_us }),
  })!
  const crossing = [
    ...(from_us === undefined ? [] : [`epoch_us("start") < ${from_us}`]),
    ...(to_us === undefined ? [] : [`epoch_us("end") > ${to_us}`]),
  ].join(' OR ')
  const end = (side: string): string => `{'hi': ${side}addr.hi, 'lo': ${side}addr.lo, 'port': ${side}port}`
  const { text, values } = sql`SELECT * FROM flows WHERE ${ofSubject}`
  const [row] = await c.db.rows(
    `WITH mine AS MATERIALIZED (SELECT protocol, least(${end('src')}, ${end('dst')}) AS a, greatest(${end('src')}, ${end('dst')}) AS b,
        ${inside} AS inside, ${inside} AND (${crossing}) AS crossing FROM (${text}) WHERE ${near})
      SELECT (SELECT count(*) FROM mine WHERE crossing) AS records,
        (SELECT count(*) FROM (${text}) WHERE "start" IS NULL OR "end" IS NULL) AS untimed,
        (SELECT count(*) FROM (SELECT 1 FROM mine GROUP BY protocol, a, b HAVING bool_or(inside) AND bool_or(NOT inside))) AS connections`,
    [...values, ...values],
  )
  const count = (name: string): number => Number(row?.[name])
  const [records, connections, untimed] = [count('records'), count('connections'), count('untimed')]
  return [
    ...(untimed > 0
      ? [
          `${countText(untimed, 'record')} of the subject without a start or an end: whether in the window is not known.`,
        ]
      : []),
    ...(records > 0
      ? [
          `${countText(records, 'record')} at the ends of the window ${records === 1 ? 'reaches' : 'reach'} beyond it, and ${records === 1 ? 'counts' : 'count'} whole.`,
        ]
      : []),
    ...(connections > 0
      ? [
          `The window cuts ${countText(connections, 'connection')}: records of the same ends lie within an hour outside it, and are left out.`,
        ]
      : []),
  ]
}

/** Gaps, or coverage, without those of sensors that were not asked for. */
export function ofSensors<T extends { sensor: string | null }>(
  rows: readonly T[],
  { sensors = [] }: SelectionOptions,
): T[] {
  return rows.filter(row => sensors.length === 0 || row.sensor === null || sensors.includes(row.sensor))
}
