/** Counts metrics in one pass over the records of a case, divided among threads. */
import { groupRows } from '../record-index/about.ts'
import type { RecordIndex } from '../record-index/read.ts'
import { Alone, type Crew, Threads } from '../store/crew.ts'
import { type LogGroups, logGroups } from './log-groups.ts'
import { addTo, emptySeries, type Series } from './series.ts'
import { type CountedBlocks, logsIn, type SeriesSettings, type SeriesSteps, SeriesWork } from './series-work.ts'

/** What one pass over the records gives. */
export interface Counted {
  groups: LogGroups
  /** Of each metric, over the records of `groups.logs`. */
  series: Series[]
}

/** What a thread is started with: the file of the records, and the digest of its directory. */
export interface SeriesThread {
  path: string
  digest: string
  settings: SeriesSettings
}

/** Blocks that are counted together, whatever the number of threads. */
const blocksTogether = 16

/** The series of some metrics, and the flow logs that they are of, in one pass over the records. */
export async function countMetrics(
  index: RecordIndex,
  settings: SeriesSettings,
  { threads, requireGoing }: { threads: number; requireGoing: () => void },
): Promise<Counted> {
  const blocks = Math.ceil(index.rows / groupRows)
  const given = Array.from({ length: Math.ceil(blocks / blocksTogether) }, (_, i) => i * blocksTogether).map(from => ({
    ...{ blocks: [from, Math.min(blocks, from + blocksTogether)] as const, place: from * groupRows },
  }))
  const crew = crewFor(index, settings, Math.min(threads, given.length), requireGoing)
  try {
    return together(index, await crew.all('count', given), settings.metrics.length)
  } finally {
    await crew.close()
  }
}

function crewFor(
  index: RecordIndex,
  settings: SeriesSettings,
  threads: number,
  requireGoing: () => void,
): Crew<SeriesSteps> {
  if (threads < 2) return new Alone<SeriesSteps>(new SeriesWork(settings, index), requireGoing)
  const { path } = index.file
  const workerData: SeriesThread = { path, digest: index.file.digest(''), settings }
  return new Threads(
    threads,
    { module: new URL('./series-worker.js', import.meta.url), workerData, path },
    requireGoing,
  )
}

/** In the order of the records, so that rounded sums depend on nothing else. */
function together({ dictionaries }: RecordIndex, parts: readonly CountedBlocks[], metrics: number): Counted {
  const groups = logGroups(
    dictionaries.vantages,
    parts.map(({ notes }) => notes),
  )
  const logs = logsIn(dictionaries)
  const own = groups.logs.map(log => logs.indexOf(log))
  const series = Array.from({ length: metrics }, (_, metric) => {
    const sums = emptySeries()
    for (const log of own)
      for (const part of parts) {
        const { all, innocent, places, ends } = part.series[metric]![log]!
        for (const [period, value] of all) {
          const [place, end_us] = [places.get(period)!, ends.get(period)!]
          addTo(sums, period, { value, ofOthers: innocent.get(period) ?? 0, place, end_us })
        }
      }
    return sums
  })
  return { groups, series }
}
