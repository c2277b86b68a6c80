/** Values in other programs' tables of flows. Null: unknown; undefined: not a value of that kind. */
import { type Address, parseAddress } from '../net/address.ts'

const u64Max = 2n ** 64n - 1n
const microsecondsMax = Number.MAX_SAFE_INTEGER

/** Why a line is not a row. */
export class Malformed extends Error {}

/** A value of the field of that name. @throws Malformed */
export function parsed<T>(name: string, text: string, parse: (text: string) => T | undefined | null): T {
  const found = parse(text)
  if (found === undefined || found === null) throw new Malformed(`field ${name}: found "${text.slice(0, 60)}"`)
  return found
}

/** @throws Malformed where it is unknown. */
export function known<T>(found: T | null, name: string): T {
  if (found === null) throw new Malformed(`field ${name}: expected a value, found none`)
  return found
}

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

const flagLetters = 'FSRPAUEC'

/** TCP flags: letters in any order, with dots or blanks for those that are not set, or a number, of which the lower eight bits count. */
export function flagsOf(text: string): number | undefined {
  if (/^(?:\d{1,5}|0x[0-9a-fA-F]{1,4})$/.test(text)) return Number(text) & 0xff
  let bits = 0
  for (const letter of text) {
    const bit = 1 << flagLetters.indexOf(letter)
    if (letter === '.' || letter === ' ') continue
    if (!flagLetters.includes(letter) || (bits & bit) !== 0) return undefined
    bits |= bit
  }
  return bits
}

/** An address; also of four parts with leading zeros to three digits each, as `rwcut --zero-pad-ips` writes it. */
export function addressOf(text: string): Address | null {
  const padded = /^\d{3}(?:\.\d{3}){3}$/.test(text)
  return parseAddress(padded ? text.split('.').map(Number).join('.') : text)
}

/** A time or a duration as a whole number of a known unit (microseconds of one), or as `parse` has it. */
export function inUnits(unit: number | null, parse: (text: string) => number | undefined) {
  return (text: string): number | undefined => {
    if (unit === null || !/^\d{1,19}$/.test(text)) return parse(text)
    const us = unit < 1 ? Number(BigInt(text) / 1000n) : Number(text) * unit
    return us <= microsecondsMax ? us : undefined
  }
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
