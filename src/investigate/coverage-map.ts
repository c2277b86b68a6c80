/** What each sensor's log has of the case's time, bin by bin. */
import { utcSeconds } from '../net/time.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import { gatherSpans } from './coverage.ts'
import { type BinState, binStates, type CountedMap, type CoverageMap, type MappedSensor } from './mapped-time.ts'

export interface CountedMapOptions {
  /** Seconds since 1970, UTC: bins begin at `from` or up to a bin before, and end so after `to`. Null: where the case begins and ends. */
  from: number | null
  to: number | null
  binsMax: number
  sensorsMax: number
}

const sensorsMax = 40
const binsMax = 96
/** From a minute to a day; a case of years has bins of whole days. */
const binLengths = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]

/** @param first sensors that are listed before others. */
export async function coverageMap(
  c: Case,
  first: readonly (string | null)[],
  signal?: AbortSignal,
): Promise<CoverageMap> {
  const options = { ...{ from: null, to: null, binsMax, sensorsMax }, first }
  const { timed: _, sensors, ...map } = await question(c, signal, own => gather(own, options))
  return { ...map, sensors: sensors.map(({ begun: __, ...sensor }) => sensor) }
}

/** The map of a part of the time, with what begins in each bin. */
export function countedMap(c: Case, options: CountedMapOptions, signal?: AbortSignal): Promise<CountedMap> {
  return question(c, signal, own => gather(own, { ...options, first: [] }))
}

type Row = Record<string, unknown>

async function gather(
  c: Case,
  { from, to, binsMax, sensorsMax, first }: CountedMapOptions & { first: readonly (string | null)[] },
): Promise<CountedMap> {
  await gatherSpans(c)
  const [whole] = await c.db.rows(
    `SELECT epoch_us(min(from_t)) AS from_us, epoch_us(max(to_t)) AS to_us, count(DISTINCT sensor) + max((sensor IS NULL)::INT) AS sensors,
       sum(records) AS timed FROM span`,
  )
  if (whole?.['from_us'] == null)
    return { from: null, to: null, bin_seconds: 0, bins: 0, sensors: [], sensors_total: 0, timed: 0 }
  const from_us = from === null ? Number(whole['from_us']) : from * 1e6
  // What begins at `to` itself is no more of the time that was named.
  const to_us = to === null ? Number(whole['to_us']) : Math.max(from_us, to * 1e6 - 1)
  const seconds = binSeconds((to_us - from_us) / 1e6, binsMax)
  const begin = Math.floor(from_us / 1e6 / seconds) * seconds
  const bins = Math.floor((to_us / 1e6 - begin) / seconds) + 1
  const rows = await binRows(c, first, sensorsMax, { begin, seconds, bins })
  const sensors = new Map<string | null, { row: Row; states: string[]; begun: number[] }>()
  for (const row of rows) {
    const sensor = row['sensor'] as string | null
    const own = sensors.get(sensor) ?? {
      row,
      states: Array<string>(bins).fill(binStates.nothing),
      begun: Array<number>(bins).fill(0),
    }
    sensors.set(sensor, own)
    if (row['bin'] === null) continue
    const state: BinState = row['skipped'] ? 'skip_data' : row['data'] ? 'data' : row['silent'] ? 'no_data' : 'nothing'
    own.states[Number(row['bin'])] = binStates[state]
    own.begun[Number(row['bin'])] = Number(row['begun'])
  }
  return {
    from: utcSeconds(begin * 1e6),
    to: utcSeconds((begin + bins * seconds) * 1e6),
    ...{ bin_seconds: seconds, bins, sensors_total: Number(whole['sensors']), timed: Number(whole['timed']) },
    sensors: [...sensors].map(([sensor, { row, states, begun }]) => ({
      ...mapped(sensor, row, states.join('')),
      begun,
    })),
  }
}

interface Bins {
  /** Seconds since 1970. */
  begin: number
  seconds: number
  bins: number
}

/** A row for each sensor and bin of which something is known; a sensor of whose bins nothing is known has one row, without a bin. */
function binRows(
  c: Case,
  first: readonly (string | null)[],
  sensorsMax: number,
  { begin, seconds, bins }: Bins,
): Promise<Row[]> {
  // What ends where a bin begins is not of that bin. Spans are of whole minutes, as bins are: what begins in a span begins in one bin.
  return c.db.rows(
    `WITH placed AS (SELECT *, floor((epoch_us(from_t) / 1e6 - $2) / $3)::BIGINT AS begun_in,
         floor((greatest(epoch_us(from_t), epoch_us(to_t) - 1) / 1e6 - $2) / $3)::BIGINT AS last_bin FROM span),
     listed AS (SELECT sensor, sum(placed.records) AS whole, ${sumsIn('records')}, ${sumsIn('no_data')}, ${sumsIn('skip_data')} FROM placed
       GROUP BY sensor ORDER BY sensor IN (SELECT row->>0 FROM (SELECT unnest(json_extract($1::JSON, '$[*]')) AS row)) DESC NULLS LAST,
         sum(placed.records + placed.no_data + placed.skip_data) DESC, sensor LIMIT ${sensorsMax}),
     bin AS (SELECT sensor, records, no_data, skip_data, begun_in, unnest(range(greatest(0, begun_in), least($4, last_bin + 1))) AS bin FROM placed
       WHERE begun_in < $4 AND last_bin >= 0)
     SELECT listed.sensor, whole, listed.records, listed.no_data, listed.skip_data, bin.bin, max((bin.records > 0)::INT) AS data,
       max((bin.no_data > 0)::INT) AS silent, max((bin.skip_data > 0)::INT) AS skipped, sum(bin.records) FILTER (begun_in = bin.bin) AS begun
     FROM listed LEFT JOIN bin ON bin.sensor IS NOT DISTINCT FROM listed.sensor GROUP BY ALL ORDER BY whole DESC, listed.sensor, bin.bin`,
    [JSON.stringify(first.map(sensor => [sensor])), begin, seconds, bins],
  )
}

function sumsIn(name: string): string {
  return `coalesce(sum(${name}) FILTER (begun_in BETWEEN 0 AND $4 - 1), 0) AS ${name}`
}

function binSeconds(length: number, binsMax: number): number {
  const least = length / binsMax
  return binLengths.find(one => one >= least) ?? Math.ceil(least / 86_400) * 86_400
}

function mapped(sensor: string | null, row: Row, states: string): MappedSensor {
  const binsIn = (state: BinState): number => states.split(binStates[state]).length - 1
  return {
    sensor,
    ...{ records: Number(row['records']), no_data: Number(row['no_data']), skip_data: Number(row['skip_data']) },
    bins: {
      ...{ data: binsIn('data'), skip_data: binsIn('skip_data') },
      ...{ no_data: binsIn('no_data'), nothing: binsIn('nothing') },
    },
    states,
  }
}
