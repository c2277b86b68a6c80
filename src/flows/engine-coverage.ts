/** What the lines of an engine's table cover, sensor by sensor: one statement, which reads the table once and gives what lies between holes. */
import type { AskOptions, Engine, Estimate, TextRow } from '../engines/engine.ts'
import { utcSeconds } from '../net/time.ts'
import { own, select } from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'
import type { Sql } from '../query/sql.ts'
import { sensorFields } from '../records/sensor.ts'
import { mayHoldOf, partitionsOf } from './engine-partitions.ts'
import { type EngineRecords, engineRecords } from './engine-records.ts'
import type { FlowsEngine } from './request.ts'

export interface CoverageWindow {
  from_us: bigint | null
  to_us: bigint | null
}

export interface EngineSensor {
  /** Null: lines that name none. */
  sensor: string | null
  /** Null: none of its lines says a time. */
  first: string | null
  last: string | null
  records: number
  no_data: number
  skip_data: number
  /** From the first to the last time in which it dropped records; null: it dropped none, or the lines say no time. */
  skip_first: string | null
  skip_last: string | null
  /** Times of silence longer than two aggregation intervals. */
  holes: number
}

export interface EngineCoverage {
  engine: Pick<FlowsEngine, 'name' | 'table' | 'queries'>
  /** Lines that begin from then on, and before then; null: all. */
  window: { from: string | null; to: string | null }
  first: string | null
  last: string | null
  totals: {
    records: number
    no_data: number
    skip_data: number
    /** As of a sensor, of all. */
    skip_first: string | null
    skip_last: string | null
    /** Lines with a status that flow logs do not have: damaged ones, or those of something else. Null: not known, as such lines are in no window. */
    without_status: number | null
    /** Lines without a time; null: as above. */
    without_time: number | null
    /** An engine does not tell. */
    files: null
    lines: null
    header_lines: null
    malformed: null
  }
  /** By their names; of more than ten thousand those with most records. */
  sensors: EngineSensor[]
  sensors_left: number
  /** In the order of sensors and time. */
  gaps: { sensor: string | null; from: string; to: string; reason: 'time-gap' }[]
  gaps_left: number
  /** Days in UTC, by when lines begin. */
  days: { day: string; sensors: number; records: number; no_data: number; skip_data: number }[]
  notes: string[]
}

/** A question that was made, and not asked yet. */
export interface CoverageQuestion {
  sentence: string
  statements: readonly [string]
  /** How often the table is read. */
  passes: 1
  estimate(): Promise<Estimate>
  /** @throws UserError where the engine refuses, or cannot be reached. */
  ask(): Promise<EngineCoverage>
}

const sensorsMax = 10_000
const gapsMax = 1000
const minute_us = 60_000_000
const day_us = 86_400_000_000

/** @throws UserError where there is no such table, or it has no times of flow records. */
export async function coverageQuestion(
  engine: Engine,
  window: CoverageWindow,
  options: AskOptions = {},
): Promise<CoverageQuestion> {
  const table = await engine.table(options)
  const records = engineRecords(table)
  const partitions = partitionsOf(table, [window])
  const mayHold = mayHoldOf(table, [window])
  const names = ['start', 'end', ...sensorNames(records)]
  const scan = select([...names, '_status'].map(own), { from: records.everything(names, partitions) })
  const lines = engine.dialect.print(scan)
  const statement: Sql = { text: coverageSql(lines.text, sensorOf(records), window), values: lines.values }
  const notes = notesOf(records, table.partitions.length > 0 && partitions === null)
  return {
    ...{ sentence: `Coverage of ${engine.place}`, statements: [engine.sent(statement)], passes: 1 },
    estimate: () =>
      engine.estimate(shown(engine, scan), table, partitions === null ? null : shown(engine, partitions), {
        ...options,
        ...(mayHold !== null && { mayHold }),
      }),
    ask: async () => {
      const folded = new Folded()
      const isWhole = window.from_us === null && window.to_us === null
      const known = { status: isWhole && records.hasStatus, time: isWhole }
      for await (const rows of engine.ask(statement, options)) for (const row of rows) folded.add(row)
      const { name, place, ran } = engine
      const at = (us: bigint | null): string | null => (us === null ? null : utcSeconds(us))
      return {
        engine: { name, table: place, queries: ran.map(({ id, bytes }) => ({ id, bytes })) },
        window: { from: at(window.from_us), to: at(window.to_us) },
        ...folded.told(known),
        notes,
      }
    },
  }
}

function shown(engine: Engine, node: Expression | ReturnType<typeof select>): Sql {
  return { text: engine.dialect.shown(node), values: [] }
}

function sensorNames({ columns }: EngineRecords): string[] {
  const names = sensorFields.filter(name => columns.has(name))
  const others = ['instance_id', 'subnet_id', 'flow_direction'].filter(name => columns.has(name))
  return names.length > 0 ? names : others
}

/** As of a case: interface or what stands for it; without any the instance, else subnet and direction. */
function sensorOf(records: EngineRecords): string {
  const names = sensorNames(records)
  const plain = names.filter(name => name !== 'subnet_id' && name !== 'flow_direction').map(name => `"${name}"`)
  const rest = names.filter(name => name === 'subnet_id' || name === 'flow_direction').map(name => `"${name}"`)
  const joined = `nullif(concat_ws(' ', ${rest.join(', ')}), '')`
  const terms = [...plain, ...(rest.length === 0 ? [] : [joined])]
  return terms.length === 0 ? 'CAST(NULL AS VARCHAR)' : `coalesce(${[...terms, 'NULL'].join(', ')})`
}

/**
 * Lines are gathered by sensor and the minute of their start, which hides no hole that counts: one is longer than two minutes where all
 * records last a minute at most, else than twenty.
 */
function coverageSql(lines: string, sensor: string, { from_us, to_us }: CoverageWindow): string {
  const bounds = [
    ...(from_us === null ? [] : [`"from_us" >= ${from_us}`]),
    ...(to_us === null ? [] : [`"from_us" < ${to_us}`]),
  ]
  const counted = (status: string, name: string): string =>
    `count(*) FILTER (WHERE "_status" = '${status}') AS "${name}"`
  const inOrder = 'PARTITION BY "sensor" ORDER BY "from_us" ASC NULLS LAST, "to_us" ASC NULLS LAST'
  const hole = `CASE WHEN "longest_of" <= ${minute_us} THEN ${2 * minute_us} ELSE ${20 * minute_us} END`
  const isSilent = `"_status" = 'NODATA' OR "_status" = 'SKIPDATA'`
  const outer = ['"sensor"', '"island"', '"day"', 'min("from_us")', 'max("to_us")']
  const sums = ['records', 'no_data', 'skip_data', 'others'].map(name => `sum("${name}")`)
  const skipped = ['min("skip_from")', 'max("skip_to")']
  const items = [...outer, ...sums, ...skipped].map((value, i) => `CAST(${value} AS VARCHAR) AS "c${i}"`)
  return `WITH "lines" AS (${lines}),
"timed" AS (SELECT ${sensor} AS "sensor", "_status",
  CASE WHEN "_status" = 'OK' THEN coalesce("start", "end") WHEN ${isSilent} THEN "start" END AS "from_us",
  CASE WHEN "_status" = 'OK' THEN coalesce("end", "start") WHEN ${isSilent} THEN "end" END AS "to_us" FROM "lines"),
"minutes" AS (SELECT "sensor", min("from_us") AS "from_us", max("to_us") AS "to_us",
  coalesce(max(CASE WHEN "_status" = 'OK' THEN "to_us" - "from_us" END), 0) AS "longest",
  ${counted('OK', 'records')}, ${counted('NODATA', 'no_data')}, ${counted('SKIPDATA', 'skip_data')},
  count(*) FILTER (WHERE "_status" IS NULL OR "_status" NOT IN ('OK', 'NODATA', 'SKIPDATA')) AS "others",
  min(CASE WHEN "_status" = 'SKIPDATA' THEN "from_us" END) AS "skip_from",
  max(CASE WHEN "_status" = 'SKIPDATA' THEN "to_us" END) AS "skip_to"
  FROM "timed"${bounds.length === 0 ? '' : ` WHERE ${bounds.join(' AND ')}`}
  GROUP BY "sensor", "from_us" - "from_us" % ${minute_us}),
"covered" AS (SELECT *, max("longest") OVER (PARTITION BY "sensor") AS "longest_of",
  max("to_us") OVER (${inOrder} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS "covered_to" FROM "minutes"),
"islands" AS (SELECT *, "from_us" - "from_us" % ${day_us} AS "day",
  sum(CASE WHEN "from_us" - "covered_to" > ${hole} THEN 1 ELSE 0 END)
    OVER (${inOrder} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS "island" FROM "covered")
SELECT ${items.join(', ')} FROM "islands" GROUP BY "sensor", "island", "day"`
}

function notesOf({ hasStatus, columns }: EngineRecords, readsAll: boolean): string[] {
  return [
    'Asked of an engine: how many files and lines there are, and which lines are damaged, it does not tell',
    'A gap is told where no line of any kind is, not even NODATA; when records were dropped (SKIPDATA), by the first and last time and by days',
    ...(hasStatus ? [] : ['The table has no log_status: sensors that had no data, or dropped some, cannot be told']),
    ...(columns.has('start') || columns.has('end') ? [] : ['The table has no times: what is covered cannot be told']),
    ...(readsAll
      ? ['All partitions were read: no window was asked for, or the columns of the partitions do not tell times']
      : []),
  ]
}

interface Island {
  from: bigint
  to: bigint
}

interface Held {
  islands: Map<number, Island>
  /** When it dropped records, from the first to the last time. */
  skipped: Island | null
  records: number
  no_data: number
  skip_data: number
}

/** The rows of an answer, put together: a row for each sensor, stretch without a hole, and day. */
class Folded {
  private readonly sensors = new Map<string | null, Held>()
  private readonly days = new Map<bigint, EngineCoverage['days'][number] & { of: Set<string | null> }>()
  private without_status = 0
  private without_time = 0

  add([sensor = null, island, day, from = null, to = null, ...rest]: TextRow): void {
    const [counts, [skip_from = null, skip_to = null]] = [rest.slice(0, 4), rest.slice(4)]
    const [records = 0, no_data = 0, skip_data = 0, others = 0] = counts.map(Number)
    this.without_status += others
    if (records + no_data + skip_data === 0) return
    const held = this.sensors.get(sensor) ?? { islands: new Map(), skipped: null, records: 0, no_data: 0, skip_data: 0 }
    this.sensors.set(sensor, held)
    addTo(held, { records, no_data, skip_data })
    if (skip_from !== null) held.skipped = joined(held.skipped, BigInt(skip_from), BigInt(skip_to ?? skip_from))
    if (day == null || from === null) {
      this.without_time += records + no_data + skip_data
      return
    }
    const known = held.islands.get(Number(island)) ?? null
    held.islands.set(Number(island), joined(known, BigInt(from), BigInt(to ?? from)))
    const at = BigInt(day)
    const empty = {
      day: utcSeconds(at).slice(0, 10),
      sensors: 0,
      records: 0,
      no_data: 0,
      skip_data: 0,
      of: new Set<string | null>(),
    }
    const ofDay = this.days.get(at) ?? empty
    this.days.set(at, ofDay)
    addTo(ofDay, { records, no_data, skip_data })
    ofDay.of.add(sensor)
  }

  /** @param known whether lines without a status, or a time, could be counted. */
  told(known: { status: boolean; time: boolean }): Omit<EngineCoverage, 'engine' | 'window' | 'notes'> {
    const all = [...this.sensors].map(([sensor, held]) => toldOf(sensor, held))
    const times = all.flatMap(({ span }) => (span === null ? [] : [span]))
    const byRecords = [...all].sort((a, b) => b.told.records - a.told.records || byName(a.told, b.told))
    const gaps = all.flatMap(one => one.gaps).sort((a, b) => byName(a, b) || (a.from < b.from ? -1 : 1))
    const sum = (name: 'records' | 'no_data' | 'skip_data'): number => all.reduce((n, { told }) => n + told[name], 0)
    const bound = (values: readonly bigint[], isFirst: boolean): string | null =>
      values.length === 0 ? null : utcSeconds(values.reduce((a, b) => (a < b === isFirst ? a : b)))
    return {
      first: bound(
        times.map(({ from }) => from),
        true,
      ),
      last: bound(
        times.map(({ to }) => to),
        false,
      ),
      totals: {
        ...{ records: sum('records'), no_data: sum('no_data'), skip_data: sum('skip_data') },
        ...skippedOf(
          [...this.sensors.values()].reduce<Island | null>((sum, { skipped }) => spanOf(sum, skipped), null),
        ),
        without_status: known.status ? this.without_status : null,
        without_time: known.time ? this.without_time : null,
        ...{ files: null, lines: null, header_lines: null, malformed: null },
      },
      sensors: byRecords
        .slice(0, sensorsMax)
        .map(({ told }) => told)
        .sort(byName),
      sensors_left: Math.max(all.length - sensorsMax, 0),
      gaps: gaps.slice(0, gapsMax),
      gaps_left: Math.max(gaps.length - gapsMax, 0),
      days: [...this.days.entries()]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { of, ...day }]) => ({ ...day, sensors: of.size })),
    }
  }
}

type Counts = Pick<Held, 'records' | 'no_data' | 'skip_data'>

function addTo(held: Counts, more: Counts): void {
  held.records += more.records
  held.no_data += more.no_data
  held.skip_data += more.skip_data
}

function joined(known: Island | null, from: bigint, to: bigint): Island {
  if (known === null) return { from, to }
  return { from: from < known.from ? from : known.from, to: to > known.to ? to : known.to }
}

function spanOf(a: Island | null, b: Island | null): Island | null {
  return b === null ? a : joined(a, b.from, b.to)
}

function skippedOf(skipped: Island | null): Pick<EngineSensor, 'skip_first' | 'skip_last'> {
  return skipped === null
    ? { skip_first: null, skip_last: null }
    : { skip_first: utcSeconds(skipped.from), skip_last: utcSeconds(skipped.to) }
}

function toldOf(sensor: string | null, { islands, skipped, records, no_data, skip_data }: Held) {
  const inOrder = [...islands.values()].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
  const gaps: EngineCoverage['gaps'] = []
  let covered: bigint | null = null
  for (const { from, to } of inOrder) {
    if (covered !== null) gaps.push({ sensor, from: utcSeconds(covered), to: utcSeconds(from), reason: 'time-gap' })
    covered = covered === null || to > covered ? to : covered
  }
  const span = covered === null ? null : { from: inOrder[0]!.from, to: covered }
  const told: EngineSensor = {
    sensor,
    first: span === null ? null : utcSeconds(span.from),
    last: span === null ? null : utcSeconds(span.to),
    ...{ records, no_data, skip_data, ...skippedOf(skipped), holes: gaps.length },
  }
  return { told, span, gaps }
}

/** As names of a case are in order; what has none comes last. */
function byName(a: { sensor: string | null }, b: { sensor: string | null }): number {
  if (a.sensor === b.sensor) return 0
  if (a.sensor === null || b.sensor === null) return a.sensor === null ? 1 : -1
  return a.sensor < b.sensor ? -1 : 1
}
