/** Times as lists write them. */
import { parseTime } from '../net/time.ts'

/** From a moment on, and before another; microseconds since the epoch. Without ends: minus and plus infinity. */
export interface Validity {
  from_us: number
  until_us: number
}

export const always: Validity = { from_us: Number.NEGATIVE_INFINITY, until_us: Number.POSITIVE_INFINITY }

const second_us = 1_000_000
const day_us = 86_400 * second_us

/** A time of a list, UTC unless it names a zone; null for what is no time. Digits below a microsecond are cut off. */
export function timeOf(text: string): number | null {
  const plain = text
    .trim()
    .replace(/ ?(?:UTC|GMT)$/i, 'Z')
    .replace(/^(\d{4})\/(\d\d)\/(\d\d)/, '$1-$2-$3')
    .replace(/(\.\d{6})\d+/, '$1')
  const us = parseTime(plain, false)
  return us === null ? null : Number(us)
}

/** When something that was seen at a time is no longer valid: after the second, the fraction of it, or the day that the time names. */
export function afterTime(text: string): number | null {
  const us = timeOf(text)
  if (us === null) return null
  return us + (isDay(text) ? day_us : /[.]\d/.test(text) ? 1 : second_us)
}

/** When something expires: at the moment itself, and of a day at the end of it. */
export function untilTime(text: string): number | null {
  const us = timeOf(text)
  return us === null || !isDay(text) ? us : us + day_us
}

function isDay(text: string): boolean {
  return /^\d{4}[-/]\d\d[-/]\d\d$/.test(text.trim())
}

/** Whether something was valid at some moment from one to another, both included. */
export function wasValid(validity: Validity, from_us: number, to_us: number): boolean {
  return validity.from_us <= to_us && from_us < validity.until_us
}
