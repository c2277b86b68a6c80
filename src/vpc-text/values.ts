import { parseAddress } from '../net/address.ts'
import type { Column } from '../records/column.ts'
import { wordBytesMax } from '../records/dictionary.ts'

/**
 * One value each, from bytes into a column's row.
 *
 * Every function starts at `p` and returns where the value ended, or -1 if the bytes are no such value. The caller has made sure
 * that a newline follows, so no loop looks for the end of the bytes; a byte up to space ends a value.
 */

const SPACE = 32
const DOT = 46
const ZERO = 48
const two32 = 4294967296
/** Integers up to here are exact in a double: 15 digits always are. */
const exactDigits = 15
const u64Max = 18446744073709551615n

const decoder = new TextDecoder()
// A byte order mark is part of a word.
const wordDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** A word: anything up to a space or a control character. */
export function readText(view: DataView, p: number, column: Column, row: number): number {
  const code = column.words.read(view, p)
  if (code < 0) return -1
  column.codes[row] = code
  return column.words.end
}

/** A word of a field that has no column of its own: `name=word`, after those that the row has already. */
export function readOther(bytes: Uint8Array, p: number, column: Column, row: number, name: string): number {
  let q = p
  while (bytes[q]! > SPACE) q++
  if (q === p || q - p > wordBytesMax) return -1
  const before = column.ids[row]!
  column.idLetters += name.length + q - p
  column.ids[row] = `${before === '' ? '' : `${before} `}${name}=${wordDecoder.decode(bytes.subarray(p, q))}`
  return q
}

/** An unsigned integer up to 255. */
export function readU8(bytes: Uint8Array, p: number, column: Column, row: number): number {
  let value = 0
  let q = p
  for (let digit = bytes[q]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++q]! - ZERO) {
    value = value * 10 + digit
    if (value > 255) return -1
  }
  if (q === p) return -1
  column.u8[row] = value
  return q
}

/** An unsigned integer up to 65535. Its own function, for the loop's sake: see `Column`. */
export function readU16(bytes: Uint8Array, p: number, column: Column, row: number): number {
  let value = 0
  let q = p
  for (let digit = bytes[q]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++q]! - ZERO) {
    value = value * 10 + digit
    if (value > 65535) return -1
  }
  if (q === p) return -1
  column.u16[row] = value
  return q
}

/** The digits at `p` as a double, exact up to 15 of them; `digitsEnd` tells where they ended. */
let digitsEnd = 0
function digits(bytes: Uint8Array, p: number): number {
  let value = 0
  let q = p
  for (let digit = bytes[q]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++q]! - ZERO) value = value * 10 + digit
  digitsEnd = q
  return value
}

/** An unsigned 64-bit counter. */
export function readCounter(bytes: Uint8Array, p: number, column: Column, row: number): number {
  const value = digits(bytes, p)
  const q = digitsEnd
  if (q === p) return -1
  if (q - p > exactDigits) {
    if (q - p > 1024) return -1
    const exact = BigInt(decoder.decode(bytes.subarray(p, q)))
    if (exact > u64Max) return -1
    column.wide[row] = exact
    return q
  }
  setWide(column, row, value)
  return q
}

/** The largest time that is exact as microseconds in a double; far beyond the year 200,000. */
const millisecondsMax = Math.floor(Number.MAX_SAFE_INTEGER / 1000)
const secondsMax = 2147483647

/** Seconds since the epoch; a value above 2^31-1 is milliseconds (seen in the wild). Kept as microseconds. */
export function readTime(bytes: Uint8Array, p: number, column: Column, row: number): number {
  const value = digits(bytes, p)
  const q = digitsEnd
  if (q === p || value > millisecondsMax) return -1
  setWide(column, row, value > secondsMax ? value * 1000 : value * 1_000_000)
  return q
}

function setWide(column: Column, row: number, value: number): void {
  const high = (value / two32) | 0
  column.halves[2 * row] = value - high * two32
  column.halves[2 * row + 1] = high
}

/** The microseconds in a time column's row; the caller knows that the row is not null. */
export function timeAt(column: Column, row: number): number {
  return column.halves[2 * row + 1]! * two32 + column.halves[2 * row]!
}

/** An IPv4 or IPv6 address. */
export function readAddress(bytes: Uint8Array, p: number, column: Column, row: number): number {
  let value = 0
  let q = p
  for (let part = 0; part < 4; part++) {
    let octet = bytes[q]! - ZERO
    if (octet < 0 || octet > 9) return readIpv6(bytes, p, column, row)
    let next = bytes[++q]! - ZERO
    if (next >= 0 && next <= 9) {
      if (octet === 0) return readIpv6(bytes, p, column, row)
      octet = octet * 10 + next
      next = bytes[++q]! - ZERO
      if (next >= 0 && next <= 9) {
        octet = octet * 10 + next
        q++
        if (octet > 255) return readIpv6(bytes, p, column, row)
      }
    }
    value = value * 256 + octet
    if (part < 3 && bytes[q++] !== DOT) return readIpv6(bytes, p, column, row)
  }
  column.halves[2 * row] = value
  column.halves[2 * row + 1] = 0xffff
  if (column.high !== null) column.high[row] = 0n
  return q
}

const longestAddress = 45

function readIpv6(bytes: Uint8Array, p: number, column: Column, row: number): number {
  let q = p
  while (bytes[q]! > SPACE && q - p <= longestAddress) q++
  const address = parseAddress(decoder.decode(bytes.subarray(p, q)))
  if (address === null) return -1
  column.wide[row] = address.lo
  if (column.high !== null || address.hi !== 0n) column.setHigh(row, address.hi)
  return q
}
