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

const timeForm = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?(Z|[+-]\d\d:?\d\d)?$/i

/**
 * A time, in microseconds since the epoch: ISO 8601 to the day, minute, second or its fraction, or Unix seconds of nine to eleven digits.
 *
 * @param local what a time without a zone means: the machine's zone, or else UTC.
 */
export function parseTime(text: string, local: boolean): bigint | null {
  if (/^\d{9,11}$/.test(text)) return BigInt(text) * 1_000_000n
  const match = timeForm.exec(text)
  if (match === null) return null
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(part => Number(part ?? 0)) as number[]
  const parts = [year!, month! - 1, day!, hour!, minute!, second!] as const
  const ms = Date.UTC(...parts)
  const back = new Date(ms)
  const real =
    back.getUTCMonth() === parts[1] && back.getUTCDate() === parts[2] && parts[3] < 24 && parts[4] < 60 && parts[5] < 60
  if (!real) return null
  const zone = match[8]?.toUpperCase()
  const at = zone === undefined && local ? new Date(...parts).getTime() : ms - offsetOf(zone ?? 'Z')
  return BigInt(at) * 1000n + BigInt((match[7] ?? '').padEnd(6, '0'))
}

/** Milliseconds that a zone such as `+02:00` is before UTC. */
function offsetOf(zone: string): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}
