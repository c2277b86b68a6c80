/**
 * Writes a time as ISO 8601 in UTC, e.g. `2023-09-28T17:22:35Z`.
 *
 * Takes microseconds since the epoch. The fraction is as precise as the time: none for whole seconds, three
 * digits for whole milliseconds, else six. Throws a RangeError beyond the years of `Date` (±271,821).
 */
export function utcSeconds(us: bigint | number): string {
  const { seconds, rest } = parted(us)
  const date = new Date(seconds * 1000).toISOString().slice(0, -5)
  if (rest === 0) return `${date}Z`
  const digits = rest.toString().padStart(6, '0')
  return `${date}.${digits.endsWith('000') ? digits.slice(0, 3) : digits}Z`
}

/** Whole seconds, and the microseconds after them. */
function parted(us: bigint | number): { seconds: number; rest: number } {
  const whole = typeof us === 'bigint' ? us : Math.round(us)
  if (typeof whole === 'number' && Number.isSafeInteger(whole)) {
    const seconds = Math.floor(whole / 1_000_000)
    return { seconds, rest: whole - seconds * 1_000_000 }
  }
  const large = BigInt(whole)
  const rest = ((large % 1_000_000n) + 1_000_000n) % 1_000_000n
  return { seconds: Number((large - rest) / 1_000_000n), rest: Number(rest) }
}

/** Microseconds since the epoch of a time that `utcSeconds` wrote; `Date` cuts off what is below a millisecond. */
export function microsecondsOf(time: string): number {
  const fraction = /\.(\d+)Z$/.exec(time)?.[1] ?? ''
  return Date.parse(time.replace(/\.\d+Z$/, 'Z')) * 1000 + Number(fraction.padEnd(6, '0'))
}

/** The order of two such times, unknown ones last; as text, `35.5Z` would come before `35Z`. */
export function compareTimes(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  return microsecondsOf(a) - microsecondsOf(b)
}

const units = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const

/**
 * Writes a duration in its two largest units, e.g. `6 h 36 min`, `45 s`, `2 d`.
 *
 * What is left is cut off, not rounded, as a clock would show it. Below 10 s up to three decimals are kept.
 */
export function durationWords(seconds: number): string {
  if (seconds < 0) return `-${durationWords(-seconds)}`
  if (seconds < 10) return `${Math.floor(seconds * 1000) / 1000} s`
  const largest = units.findIndex(([, size]) => seconds >= size)
  let left = Math.floor(seconds)
  const words: string[] = []
  for (const [name, size] of units.slice(largest, largest + 2)) {
    const count = Math.floor(left / size)
    left -= count * size
    if (count > 0) words.push(`${count} ${name}`)
  }
  return words.join(' ')
}
