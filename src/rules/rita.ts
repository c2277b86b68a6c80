/**
 * The beacon score of RITA v5 (activecm/rita at a3c5150, `analysis/beacons.go`, with its default weights and limits), to compare with what RITA
 * says: nothing is decided by it. Formulas alone are taken.
 */

/** Each from 0 to 1, to three decimals. */
export interface RitaScore {
  score: number
  timing: number
  sizes: number
  histogram: number
  duration: number
}

const bars = 24
/** Distinct starts that it needs. */
const startsMin = 4
/** Share of the tallest bar within which bars count as alike, bars that a histogram of two heights needs, and those that it may lack. */
const [alikeShare, barsOfTwoMin, outliers] = [0.05, 11, 1]
/** Bars that a duration needs, and hours in a row that are enough for a whole one. */
const [barsOfDurationMin, hoursInRow] = [6, 12]
/** An interquartile range below it tells nothing of skew. */
const rangeMin = 10

/**
 * @param starts_us in order, microseconds. @param bytes that the client sent, of each connection. @param span of all that is looked at.
 * @returns null where it has no score: fewer than four distinct starts.
 */
export function ritaScore(
  starts_us: readonly number[],
  bytes: readonly number[],
  span: { from_us: number; to_us: number },
): RitaScore | null {
  const starts = [...new Set(starts_us.map(one => Math.floor(one / 1e6)))]
  if (starts.length < startsMin) return null
  const gaps = starts.slice(1).map((one, at) => one - starts[at]!)
  const timing = rounded((symmetry(gaps) + closeness(gaps, 1)) / 2)
  const sizes = rounded((symmetry(bytes) + closeness(bytes, 0)) / 2)
  const [from, to] = [Math.floor(span.from_us / 1e6), Math.floor(span.to_us / 1e6)]
  const counts = histogramOf(starts_us, from, to)
  const histogram = rounded(Math.min(1, Math.max(evenness(counts), twoHeights(counts))))
  const duration = rounded(lasting(counts, (starts.at(-1)! - starts[0]!) / (to - from)))
  return { score: rounded((timing + sizes + histogram + duration) / 4), timing, sizes, histogram, duration }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000

/** The quartiles; of an odd number of values the middle one is in neither half. */
function quartiles(values: readonly number[]): [number, number, number] {
  const sorted = Float64Array.from(values).sort()
  const half = sorted.length >>> 1
  const middle = (some: Float64Array): number => {
    const at = some.length >>> 1
    return some.length % 2 === 1 ? some[at]! : (some[at - 1]! + some[at]!) / 2
  }
  return [middle(sorted.subarray(0, half)), middle(sorted), middle(sorted.subarray(sorted.length - half))]
}

/** 1 - |Bowley's skewness|. */
function symmetry(values: readonly number[]): number {
  const [low, middle, high] = quartiles(values)
  if (high - low < rangeMin || middle === low || middle === high) return 1
  return 1 - Math.abs((low + high - 2 * middle) / (high - low))
}

/** 1 - median absolute deviation by the median; of a median below one `otherwise`. */
function closeness(values: readonly number[], otherwise: number): number {
  const [, middle] = quartiles(values)
  if (middle < 1) return otherwise
  const [, deviation] = quartiles(values.map(one => Math.abs(one - middle)))
  return Math.max(0, (middle - deviation) / middle)
}

function histogramOf(starts_us: readonly number[], from: number, to: number): number[] {
  const counts = new Array<number>(bars).fill(0)
  const width = Math.max(1, to - from) / bars
  for (const start of starts_us) {
    const bar = Math.min(bars - 1, Math.max(0, Math.floor((start / 1e6 - from) / width)))
    counts[bar] = counts[bar]! + 1
  }
  return counts
}

/** 1 - coefficient of variation, or 0. */
function evenness(counts: readonly number[]): number {
  const mean = counts.reduce((sum, one) => sum + one, 0) / bars
  const variance = counts.reduce((sum, one) => sum + (one - mean) ** 2, 0) / bars
  return Math.max(0, 1 - Math.sqrt(variance) / mean)
}

/** The share of bars with one of the two commonest heights. */
function twoHeights(counts: readonly number[]): number {
  const filled = counts.filter(one => one > 0)
  if (filled.length < barsOfTwoMin) return 0
  const step = Math.ceil(alikeShare * Math.max(...filled))
  const heights = new Map<number, number>()
  for (const one of filled) heights.set(Math.floor(one / step), (heights.get(Math.floor(one / step)) ?? 0) + 1)
  const [first = 0, second = 0] = [...heights.values()].sort((a, b) => b - a)
  return (first + second) / Math.max(1, filled.length - outliers)
}

function lasting(counts: readonly number[], coverage: number): number {
  if (counts.filter(one => one > 0).length < barsOfDurationMin) return 0
  let [row, longest] = [0, 0]
  // A row may go on at the beginning.
  for (const one of [...counts, ...counts]) {
    row = one > 0 ? row + 1 : 0
    longest = Math.max(longest, row)
  }
  return Math.min(1, Math.max(coverage, Math.min(longest, bars) / hoursInRow))
}
