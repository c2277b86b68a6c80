/**
 * Some rows of a column as bytes: base (Float64), unit and width (Uint32), then of each row how many units it lies above the base, in that
 * many bytes. No bytes at all where all rows are the same.
 */
import type { ColumnArray } from './columns.ts'

const headBytes = 16
const two32 = 2 ** 32
/** Times of logs are whole seconds. */
const second_us = 1_000_000

/** Bytes that a number of rows takes at most. */
export function encodedMax(rows: number): number {
  return headBytes + 8 * rows
}

/** Writes rows to the beginning of `into`. @returns its bytes there. */
export function encode(values: ColumnArray, rows: number, into: ArrayBuffer): Uint8Array {
  const { least, most } = extent(values, rows)
  const unit = values instanceof Float64Array && areSeconds(values, rows) ? second_us : 1
  const width = widthFor((most - least) / unit)
  // As they are, if they take no more room so.
  const base = width > 0 && unit === 1 && least >= 0 && widthFor(most) === width ? 0 : least
  const head = new DataView(into)
  head.setFloat64(0, base, true)
  head.setUint32(8, unit, true)
  head.setUint32(12, width, true)
  const steps = stepsOf(width, into, rows)
  if (steps instanceof Float64Array || (steps !== null && unit === 1 && base === 0)) steps.set(values.subarray(0, rows))
  else if (steps !== null) for (let row = 0; row < rows; row++) steps[row] = (values[row]! - base) / unit
  return new Uint8Array(into, 0, headBytes + width * rows)
}

/** The least and the most of the rows. One loop for each kind of array, as in `gathered`. */
function extent(values: ColumnArray, rows: number): { least: number; most: number } {
  let least = rows > 0 ? values[0]! : 0
  let most = least
  if (values instanceof Uint32Array) {
    for (let row = 1; row < rows; row++) {
      const value = values[row]!
      if (value < least) least = value
      if (value > most) most = value
    }
  } else if (values instanceof Float64Array) {
    for (let row = 1; row < rows; row++) {
      const value = values[row]!
      if (value < least) least = value
      if (value > most) most = value
    }
  } else {
    for (let row = 1; row < rows; row++) {
      const value = values[row]!
      if (value < least) least = value
      if (value > most) most = value
    }
  }
  return { least, most }
}

/** Reads rows back. @param bytes what `encode` gave, at the beginning of its buffer. */
export function decode(bytes: Uint8Array, rows: number, into: ColumnArray): void {
  const buffer = bytes.buffer as ArrayBuffer
  const head = new DataView(buffer)
  const base = head.getFloat64(0, true)
  const unit = head.getUint32(8, true)
  const steps = stepsOf(head.getUint32(12, true), buffer, rows)
  if (steps === null) into.fill(base, 0, rows)
  else if (steps instanceof Float64Array || (unit === 1 && base === 0)) into.set(steps)
  else for (let row = 0; row < rows; row++) into[row] = base + unit * steps[row]!
}

function areSeconds(values: Float64Array, rows: number): boolean {
  for (let row = 0; row < rows; row++) {
    const value = values[row]!
    // Cheaper than a remainder.
    if (Math.round(value / second_us) * second_us !== value) return false
  }
  return true
}

function widthFor(most: number): number {
  if (most === 0) return 0
  if (most < 256) return 1
  if (most < 65_536) return 2
  return most < two32 ? 4 : 8
}

/** Where the values stand; of eight bytes they are the values themselves. */
function stepsOf(width: number, buffer: ArrayBuffer, rows: number): ColumnArray | null {
  if (width === 1) return new Uint8Array(buffer, headBytes, rows)
  if (width === 2) return new Uint16Array(buffer, headBytes, rows)
  if (width === 4) return new Uint32Array(buffer, headBytes, rows)
  return width === 8 ? new Float64Array(buffer, headBytes, rows) : null
}
