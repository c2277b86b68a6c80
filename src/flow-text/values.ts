/** Values in other programs' tables of flows. Null: unknown; undefined: not a value of that kind. */

const u64Max = 2n ** 64n - 1n
const microsecondsMax = Number.MAX_SAFE_INTEGER

/** A counter. */
export function countOf(text: string): bigint | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined
  const count = BigInt(text)
  return count <= u64Max ? count : undefined
}

/** A whole number up to `most`. */
export function numberOf(text: string, most: number): number | undefined {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  return number <= most ? number : undefined
}

/** Seconds with up to nine decimals, in microseconds: what is less is cut off. */
export function secondsOf(text: string): number | undefined {
  const [, whole, part = ''] = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text) ?? []
  if (whole === undefined) return undefined
  const us = Number(whole) * 1e6 + Number(part.slice(0, 6).padEnd(6, '0'))
  return us <= microsecondsMax ? us : undefined
}

/**
 * A time in microseconds since 1970: seconds, with decimals or of milliseconds or microseconds if there are as many digits, or a date and
 * time, which without a zone is UTC.
 */
export function timeOf(text: string): number | undefined {
  if (/^\d{13}$/.test(text)) return Number(text) * 1000
  if (/^\d{16}$/.test(text)) return Number(text)
  const seconds = secondsOf(text)
  if (seconds !== undefined) return seconds
  const shape = /^(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[-+]\d\d:?\d\d)?$/
  const [, year, month, day, clock, part = '', zone = 'Z'] = shape.exec(text) ?? []
  if (year === undefined) return undefined
  const at = Date.parse(`${year}-${month}-${day}T${clock}${zone}`)
  return Number.isNaN(at) || at < 0 ? undefined : at * 1000 + Number(part.slice(0, 6).padEnd(6, '0'))
}
