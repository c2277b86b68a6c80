/** The coverage map as shapes and words. No DOM here. */
import type { CountedMap, CountedSensor } from '../../server/contract/coverage.ts'
import { countText, timeText, visible } from '../text.ts'

/** How a bin looks: a level of records from 1, or what is known instead of them. */
export type Look = `level-${number}` | 'under-way' | 'no-data' | 'skip-data' | 'nothing'

/** Shades of records. */
export const levelsMax = 5

/** The most records of each level, from the lightest: equal steps of their logarithm up to the largest number in the map. */
export function levelsOf({ sensors }: CountedMap): number[] {
  let most = 0
  for (const { begun } of sensors) for (const count of begun) most = Math.max(most, count)
  if (most === 0) return []
  const steps = Array.from({ length: levelsMax }, (_, i) => Math.round(most ** ((i + 1) / levelsMax)))
  return [...new Set(steps)]
}

export function lookOf(state: string, begun: number, levels: readonly number[]): Look {
  if (state === 's') return 'skip-data'
  if (state === 'n') return 'no-data'
  if (state !== 'd') return 'nothing'
  if (begun === 0) return 'under-way'
  return `level-${levels.findIndex(most => begun <= most) + 1 + levelsMax - levels.length}`
}

/** What each look means, in the order of the legend. */
export function legendOf(levels: readonly number[]): { look: Look; words: string }[] {
  const shades = levels.map((most, i) => ({
    look: lookOf('d', most, levels),
    words: rangeText((levels[i - 1] ?? 0) + 1, most),
  }))
  return [
    ...shades,
    { look: 'under-way', words: 'records under way, none begins' },
    { look: 'no-data', words: 'NODATA: nothing to record' },
    { look: 'skip-data', words: 'SKIPDATA: records were lost' },
    { look: 'nothing', words: 'nothing: no file, or no line' },
  ]
}

function rangeText(from: number, to: number): string {
  return from === to ? `${countText(to)} begin` : `${countText(from)}–${countText(to)} begin`
}

/** Bins that look the same and follow one another: the first, and how many. */
export interface Run {
  look: Look
  bin: number
  bins: number
}

export function runsOf({ states, begun }: CountedSensor, levels: readonly number[]): Run[] {
  const runs: Run[] = []
  begun.forEach((count, bin) => {
    const look = lookOf(states[bin]!, count, levels)
    const last = runs.at(-1)
    if (last?.look === look) last.bins++
    else runs.push({ look, bin, bins: 1 })
  })
  return runs
}

/** One SVG path for all runs of a look, with its top at `y`. */
export function pathsOf(runs: readonly Run[], y: number, binWidth: number, height: number): Map<Look, string> {
  const paths = new Map<Look, string>()
  for (const { look, bin, bins } of runs) {
    const [left, right] = [bin * binWidth, (bin + bins) * binWidth].map(x => Number(x.toFixed(2)))
    paths.set(look, `${paths.get(look) ?? ''}M${left} ${y}H${right}v${height}H${left}z`)
  }
  return paths
}

export interface Place {
  row: number
  bin: number
}

/** First and last second of a bin: seconds since 1970, the last not of it. */
export function timesOf({ from, bin_seconds }: CountedMap, bin: number): { from: number; to: number } {
  const begin = Date.parse(from!) / 1000 + bin * bin_seconds
  return { from: begin, to: begin + bin_seconds }
}

/** What a bin says, in one sentence. */
export function placeText(map: CountedMap, { row, bin }: Place): string {
  const { sensor, states, begun } = map.sensors[row]!
  const { from, to } = timesOf(map, bin)
  const words: Record<string, string> = {
    d: `${countText(begun[bin]!)} records begin`,
    s: `SKIPDATA, records were lost; ${countText(begun[bin]!)} that are there begin`,
    n: 'NODATA, nothing to record',
    '-': 'nothing: no file, or no line',
  }
  return `${sensorText(sensor)}, ${timeText(from)} – ${timeText(to)} UTC: ${words[states[bin]!]}`
}

export function sensorText(sensor: string | null): string {
  return sensor === null ? 'no sensor named' : visible(sensor)
}

/** Where the arrow keys lead; null: the key does not move. */
export function movedTo(map: CountedMap, { row, bin }: Place, key: string, isLong: boolean): Place | null {
  const step = isLong ? 10 : 1
  const clamped = (value: number, count: number): number => Math.max(0, Math.min(count - 1, value))
  const to = (row: number, bin: number): Place => ({
    row: clamped(row, map.sensors.length),
    bin: clamped(bin, map.bins),
  })
  if (key === 'ArrowLeft') return to(row, bin - step)
  if (key === 'ArrowRight') return to(row, bin + step)
  if (key === 'ArrowUp') return to(row - step, bin)
  if (key === 'ArrowDown') return to(row + step, bin)
  if (key === 'Home') return to(row, 0)
  if (key === 'End') return to(row, map.bins - 1)
  return null
}

/** Marks of the time: the first of each bin that begins a round hour, day, …, at most `most` of them. */
export function ticksOf({ from, bins, bin_seconds }: CountedMap, most: number): { bin: number; text: string }[] {
  const begin = Date.parse(from!) / 1000
  const length = bins * bin_seconds
  const step = tickSteps.find(one => length / one <= most) ?? Math.ceil(length / most / 86_400) * 86_400
  const ticks: { bin: number; text: string }[] = []
  for (let at = Math.ceil(begin / step) * step; at < begin + length; at += step) {
    const text = timeText(at)
    ticks.push({ bin: (at - begin) / bin_seconds, text: step >= 86_400 ? text.slice(0, 10) : tickText(text) })
  }
  return ticks
}

const tickSteps = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800]

/** A day begins with its date. */
function tickText(text: string): string {
  return text.endsWith('00:00:00') ? text.slice(5, 10) : text.slice(11, 16)
}
