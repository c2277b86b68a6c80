/** What was usual: the evidence before the incident or, where there is too little of it, all that is not of the attack. */
import { countText } from '../net/counts.ts'
import { utcSeconds } from '../net/time.ts'

/** Fewer periods tell nothing of how much is usual. */
export const usualMin = 10

export interface Baseline {
  /** Seconds. */
  period: number
  /** Numbers of its periods, up to the second, which is not among them. */
  from: number
  to: number
  /** How many of them the logs of the hosts cover. */
  periods: number
  /** Whether it is before the incident; else fewer than `least` of its periods are, and the records of the attack are to be left out. */
  isBefore: boolean
  least: number
}

/**
 * @param span of the logs, microseconds. @param from_us begin of the incident. @param holes when the logs of the hosts say nothing.
 */
export function baselineOf(
  period: number,
  span: { from_us: number; to_us: number },
  from_us: number,
  holes: readonly { from_us: number; to_us: number }[],
  least = usualMin,
): Baseline | null {
  if (!Number.isFinite(span.from_us)) return null
  const numberOf = (us: number): number => us / (period * 1_000_000)
  const first = Math.ceil(numberOf(span.from_us))
  const end = Math.floor(numberOf(span.to_us))
  const before = Math.min(end, Math.floor(numberOf(from_us)))
  const covered = (to: number): number => coveredOf(first, to, holes, numberOf)
  const isBefore = covered(before) >= least
  const to = isBefore ? before : end
  return { period, from: first, to, periods: covered(to), isBefore, least }
}

/** Periods that no hole reaches into. */
function coveredOf(
  from: number,
  to: number,
  holes: readonly { from_us: number; to_us: number }[],
  numberOf: (us: number) => number,
): number {
  let empty = 0
  let at = from
  for (const hole of [...holes].sort((a, b) => a.from_us - b.from_us)) {
    const begin = Math.max(at, Math.floor(numberOf(hole.from_us)))
    const end = Math.min(to, Math.ceil(numberOf(hole.to_us)))
    empty += Math.max(0, end - begin)
    at = Math.max(at, end)
  }
  return Math.max(0, to - from - empty)
}

export function isIn({ from, to }: Baseline, period: number): boolean {
  return period >= from && period < to
}

/** `the 21 periods of 60 s from 2023-09-28T17:01:00Z to 2023-09-28T17:22:00Z, before the incident`. */
export function baselineText({ period, from, to, periods, isBefore, least }: Baseline): string {
  const time = (at: number): string => utcSeconds(at * period * 1_000_000)
  const said = isBefore
    ? 'before the incident'
    : `without the records of the subject: fewer than ${countText(least, 'period')} of the time before the incident are recorded`
  return `the ${periods} periods of ${period} s from ${time(from)} to ${time(to)}, ${said}`
}

/** The least number of two digits and zeros that is not smaller: 395,275 gives 400,000. */
export function roundedUp(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1)
  return Math.ceil(value / unit) * unit
}
