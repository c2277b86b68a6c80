/** What each sensor's log has of the case's time, bin by bin. */
import { utcSeconds } from '../net/time.ts'
import type { Case } from '../store/case.ts'
import { question } from '../store/question.ts'
import { gatherSpans } from './coverage.ts'

/** What is known of a bin: records; records that were lost (SKIPDATA); that there was nothing (NODATA); nothing at all. */
export const binStates = { data: 'd', skip_data: 's', no_data: 'n', nothing: '-' } as const
export type BinState = keyof typeof binStates

export interface MappedSensor {
  sensor: string | null
  records: number
  no_data: number
  skip_data: number
  /** Bins in each state. */
  bins: Record<BinState, number>
  /** The state of every bin in order, a letter each: `d` data, `s` SKIPDATA, `n` NODATA, `-` nothing. */
  states: string
}

/** The time of the case in bins of equal length, and what each sensor has of them. */
export interface CoverageMap {
  from: string | null
  to: string | null
  bin_seconds: number
  bins: number
  /** Those with the most lines; of captures, files. */
  sensors: MappedSensor[]
  sensors_total: number
}

const sensorsMax = 40
const binsMax = 96
/** From a minute to a day; a case of years has bins of whole days. */
const binLengths = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]

/** @param first sensors that are listed before others. */
export function coverageMap(c: Case, first: readonly (string | null)[], signal?: AbortSignal): Promise<CoverageMap> {
  return question(c, signal, own => gather(own, first))
}

async function gather(c: Case, first: readonly (string | null)[]): Promise<CoverageMap> {
  await gatherSpans(c)
  const [whole] = await c.db.rows(
    'SELECT epoch_us(min(from_t)) AS from_us, epoch_us(max(to_t)) AS to_us, count(DISTINCT sensor) + max((sensor IS NULL)::INT) AS sensors FROM span',
  )
  if (whole?.['from_us'] == null)
    return { from: null, to: null, bin_seconds: 0, bins: 0, sensors: [], sensors_total: 0 }
  const [from_us, to_us] = [Number(whole['from_us']), Number(whole['to_us'])]
  const seconds = binSeconds((to_us - from_us) / 1e6)
  const begin = Math.floor(from_us / 1e6 / seconds) * seconds
  const bins = Math.floor((to_us / 1e6 - begin) / seconds) + 1
  // What ends where a bin begins is not of that bin.
  const rows = await c.db.rows(
    `WITH listed AS (SELECT sensor, sum(records) AS records, sum(no_data) AS no_data, sum(skip_data) AS skip_data FROM span
       GROUP BY sensor ORDER BY sensor IN (SELECT row->>0 FROM (SELECT unnest(json_extract($1::JSON, '$[*]')) AS row)) DESC NULLS LAST,
         sum(records + no_data + skip_data) DESC, sensor LIMIT ${sensorsMax}),
     bin AS (SELECT sensor, records, no_data, skip_data, unnest(range(greatest(0, (epoch_us(from_t) // 1000000 - $2) // $3)::BIGINT,
         (greatest(epoch_us(from_t), epoch_us(to_t) - 1) // 1000000 - $2)::BIGINT // $3 + 1)) AS bin FROM span)
     SELECT listed.sensor, listed.records, listed.no_data, listed.skip_data, bin.bin, max((bin.records > 0)::INT) AS data,
       max((bin.no_data > 0)::INT) AS silent, max((bin.skip_data > 0)::INT) AS skipped
     FROM listed JOIN bin ON bin.sensor IS NOT DISTINCT FROM listed.sensor GROUP BY ALL ORDER BY listed.records DESC, listed.sensor, bin.bin`,
    [JSON.stringify(first.map(sensor => [sensor])), begin, seconds],
  )
  const sensors = new Map<string | null, { row: (typeof rows)[number]; states: string[] }>()
  for (const row of rows) {
    const sensor = row['sensor'] as string | null
    const own = sensors.get(sensor) ?? { row, states: Array<string>(bins).fill(binStates.nothing) }
    sensors.set(sensor, own)
    const state: BinState = row['skipped'] ? 'skip_data' : row['data'] ? 'data' : row['silent'] ? 'no_data' : 'nothing'
    own.states[Number(row['bin'])] = binStates[state]
  }
  return {
    from: utcSeconds(begin * 1e6),
    to: utcSeconds((begin + bins * seconds) * 1e6),
    ...{ bin_seconds: seconds, bins, sensors_total: Number(whole['sensors']) },
    sensors: [...sensors].map(([sensor, { row, states }]) => mapped(sensor, row, states.join(''))),
  }
}

function binSeconds(length: number): number {
  const least = length / binsMax
  return binLengths.find(one => one >= least) ?? Math.ceil(least / 86_400) * 86_400
}

function mapped(sensor: string | null, row: Record<string, unknown>, states: string): MappedSensor {
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
