/** Robust statistics of some numbers, and windows that slide over times. */

/** The middle of them; of two the mean. NaN of none. The numbers are put in order. */
export function median(numbers: Float64Array): number {
  numbers.sort()
  const { length } = numbers
  if (length === 0) return Number.NaN
  const middle = length >>> 1
  return length % 2 === 1 ? numbers[middle]! : (numbers[middle - 1]! + numbers[middle]!) / 2
}

/** Median, and median absolute deviation from it. */
export function spreadOf(numbers: readonly number[]): { median: number; deviation: number } {
  const some = new Float64Array(numbers)
  const middle = median(some)
  for (let i = 0; i < some.length; i++) some[i] = Math.abs(some[i]! - middle)
  return { median: middle, deviation: median(some) }
}

/** What was counted in the windows that hold enough. */
export interface Crowded {
  /** The most of one window. */
  most: number
  /** Numbers of the events that lie in a window with enough of them, in order. */
  events: number[]
}

/**
 * Distinct keys of events within a window that slides over them.
 *
 * @param times of the events, in order, microseconds. @param keys by event.
 * @returns null where no window has that many.
 */
export function distinctWithin(
  times: readonly number[],
  keys: readonly number[],
  window_us: number,
  least: number,
): Crowded | null {
  const counts = new Map<number, number>()
  const events: number[] = []
  let [first, told, most] = [0, 0, 0]
  for (let last = 0; last < times.length; last++) {
    counts.set(keys[last]!, (counts.get(keys[last]!) ?? 0) + 1)
    for (; times[last]! - times[first]! > window_us; first++) {
      const left = counts.get(keys[first]!)! - 1
      if (left === 0) counts.delete(keys[first]!)
      else counts.set(keys[first]!, left)
    }
    most = Math.max(most, counts.size)
    if (counts.size < least) continue
    for (let event = Math.max(first, told); event <= last; event++) events.push(event)
    told = last + 1
  }
  return events.length === 0 ? null : { most, events }
}

/**
 * The most that events within a window weigh together.
 *
 * @param times of the events, in order, microseconds. @param weights by event, none below zero.
 * @returns the sum, and the events of the window from one up to another one.
 */
export function heaviestWithin(
  times: readonly number[],
  weights: readonly number[],
  window_us: number,
): { most: number; from: number; to: number } {
  let [first, sum, most, from, to] = [0, 0, 0, 0, 0]
  for (let last = 0; last < times.length; last++) {
    sum += weights[last]!
    for (; times[last]! - times[first]! > window_us; first++) sum -= weights[first]!
    if (sum > most) [most, from, to] = [sum, first, last + 1]
  }
  return { most, from, to }
}

/**
 * Events in the windows that begin with an event and hold enough of them; the end of a window is not in it.
 *
 * @param times of the events, in order, microseconds.
 */
export function inFullWindows(times: readonly number[], window_us: number, least: number): Crowded {
  const events: number[] = []
  let [to, told, most] = [0, 0, 0]
  for (let from = 0; from < times.length; from++) {
    while (to < times.length && times[to]! < times[from]! + window_us) to++
    if (to - from < least) continue
    most = Math.max(most, to - from)
    for (let event = Math.max(from, told); event < to; event++) events.push(event)
    told = to
  }
  return { most, events }
}

/** Of each event, how many lie within half a window before and after it. @param times in order. */
export function densities(times: readonly number[], half_us: number): number[] {
  let [from, to] = [0, 0]
  return times.map(time => {
    while (times[from]! < time - half_us) from++
    while (to < times.length && times[to]! <= time + half_us) to++
    return to - from
  })
}

/** Numbers by a key, each group in the order given. */
export function grouped(some: readonly number[], keyOf: (i: number) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (const i of some) {
    const group = groups.get(keyOf(i))
    if (group === undefined) groups.set(keyOf(i), [i])
    else group.push(i)
  }
  return groups
}
