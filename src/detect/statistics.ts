/** The middle value; of an even number of values the mean of the two in the middle. Null of none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Median absolute deviation from the median, unscaled. */
export function medianDeviation(values: readonly number[], middle: number): number {
  return median(values.map(value => Math.abs(value - middle))) ?? 0
}

/** The largest number of sorted times that lie within any span of `width`. */
export function mostWithin(times: readonly number[], width: number): number {
  let most = 0
  let first = 0
  for (const [i, time] of times.entries()) {
    while (time - times[first]! > width) first++
    most = Math.max(most, i - first + 1)
  }
  return most
}
