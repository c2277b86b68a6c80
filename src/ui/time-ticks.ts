/** Where a time axis has its marks. No DOM here. */

const steps = [
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200],
  ...[86_400, 172_800, 604_800, 2_592_000, 7_776_000, 31_536_000],
]

export interface Tick {
  second: number
  text: string
}

/** Round times within a span, at most that many; with the day where it begins, or all are days. */
export function timeTicks(from: number, to: number, most: number): Tick[] {
  const step = steps.find(one => (to - from) / one <= most) ?? Math.ceil((to - from) / most)
  const ticks: Tick[] = []
  for (let second = Math.ceil(from / step) * step; second <= to; second += step)
    ticks.push({ second, text: textOf(second, step, ticks.length === 0) })
  return ticks
}

function textOf(second: number, step: number, isFirst: boolean): string {
  const text = new Date(second * 1000).toISOString()
  const [day, time] = [text.slice(0, 10), text.slice(11, step < 60 ? 19 : 16)]
  if (step >= 86_400) return day
  return isFirst || second % 86_400 === 0 ? `${day.slice(5)} ${time}` : time
}
