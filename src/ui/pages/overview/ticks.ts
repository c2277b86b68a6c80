/** Marks of axes: round times of UTC, round numbers with a unit. No DOM here. */
import type { Measure } from '../../../server/contract/view.ts'
import { countText, timeText } from '../../text.ts'

const minute = 60
const hour = 60 * minute
const day = 24 * hour
const steps = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map(n => n * minute),
  ...[1, 2, 3, 6, 12].map(n => n * hour),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000].map(n => n * day),
]

/** Round seconds within a stretch of time, at most `most`; none so near to its end that there is no room for its text. */
export function timeTicks(from: number, to: number, most: number): { at: number[]; step: number } {
  const step = steps.find(one => (to - from) / one <= most) ?? steps.at(-1)!
  const at: number[] = []
  for (let one = Math.ceil(from / step) * step; one <= to - (to - from) / most / 3; one += step) at.push(one)
  return { at, step }
}

/** The time of a mark; below the first, and where a day begins, the day. */
export function tickText(at: number, step: number, isFirst: boolean): string {
  const [date = '', time = ''] = timeText(at).split(' ')
  if (step >= day) return date
  const clock = step < minute ? time : time.slice(0, 5)
  return isFirst || at % day === 0 ? `${clock}\n${date}` : clock
}

/** `1 min`, `2 h`: the width of a bin. */
export function widthText(seconds: number): string {
  const units = [
    [day, 'd'],
    [hour, 'h'],
    [minute, 'min'],
    [1, 's'],
  ] as const
  const [size, unit] = units.find(([one]) => seconds % one === 0) ?? [1, 's']
  return `${countText(seconds / size)} ${unit}`
}

const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E']

/** Steps between marks of bytes: round in the unit that they are written in. */
export const byteSteps: readonly number[] = prefixes.flatMap((_, power) =>
  [1, 2, 5, 10, 20, 50, 100, 200, 500].map(n => n * 1024 ** power),
)

/** A round number on an axis: `0`, `500 KiB`, `1.5 M`. */
export function axisText(value: number, measure: Measure): string {
  const thousand = measure === 'bytes' ? 1024 : 1000
  let rest = value
  let prefix = 0
  while (Math.abs(rest) >= thousand && prefix < prefixes.length - 1) {
    rest /= thousand
    prefix++
  }
  const number = String(Number(rest.toPrecision(4)))
  if (value === 0) return '0'
  const unit = prefixes[prefix]!
  if (measure === 'bytes') return `${number} ${unit === '' ? '' : `${unit.toUpperCase()}i`}B`
  return unit === '' ? number : `${number} ${unit}`
}
