/**
 * Sums in as few bytes as they take: most hosts and ports have little. Stretches of 256 values, each in the width that its largest needs;
 * before them a byte each with that width. Little-endian.
 */
import type { Sums } from './sums.ts'

const stretch = 256
const two32 = 2 ** 32
/** Bytes of a value: so many of its lower half, then so many of its upper one. */
const widths = [
  { low: 0, high: 0 },
  { low: 1, high: 0 },
  { low: 2, high: 0 },
  { low: 4, high: 0 },
  { low: 4, high: 1 },
  { low: 4, high: 2 },
  { low: 4, high: 4 },
] as const
const mosts = [0, 0xff, 0xffff, two32 - 1, two32 * 256 - 1, two32 * 65_536 - 1]

type Numbers = Uint32Array | Float64Array

/** Packs whole numbers from 0 up to 2^53. */
export function pack(sums: Sums): Uint8Array<ArrayBuffer> {
  const { arrays } = sums
  const stretches = arrays.reduce((sum, array) => sum + stretchesOf(array), 0)
  const heads = new Uint8Array(roundedUp(stretches))
  let size = heads.length
  let at = 0
  for (const array of arrays) {
    for (let from = 0; from < array.length; from += stretch) {
      const width = widthFor(array, from)
      heads[at++] = width
      const { low, high } = widths[width]!
      size += stretch * (low + high)
    }
  }
  const into = new Planes(new ArrayBuffer(size))
  into.one.set(heads)
  let place = heads.length
  at = 0
  for (const array of arrays) {
    for (let from = 0; from < array.length; from += stretch) {
      const { low, high } = widths[heads[at++]!]!
      const rows = Math.min(stretch, array.length - from)
      if (low > 0) into.put(array, from, rows, low, place, false)
      place += stretch * low
      if (high > 0) into.put(array, from, rows, high, place, true)
      place += stretch * high
    }
  }
  return into.one
}

/** @param bytes what `pack` gave for sums of the same groups, at the beginning of their buffer. */
export function unpack({ buffer }: Uint8Array<ArrayBuffer>, sums: Sums): void {
  const { arrays } = sums
  const from = new Planes(buffer)
  let place = roundedUp(arrays.reduce((sum, array) => sum + stretchesOf(array), 0))
  let at = 0
  for (const array of arrays) {
    for (let first = 0; first < array.length; first += stretch) {
      const { low, high } = widths[from.one[at++]!]!
      const rows = Math.min(stretch, array.length - first)
      if (low === 0) array.fill(0, first, first + rows)
      else array.set(from.of(low, place, rows), first)
      place += stretch * low
      if (high > 0) {
        const upper = from.of(high, place, rows)
        for (let row = 0; row < rows; row++) array[first + row]! += two32 * upper[row]!
      }
      place += stretch * high
    }
  }
}

/** One buffer as numbers of each width. */
class Planes {
  readonly one: Uint8Array<ArrayBuffer>
  private readonly two: Uint16Array
  private readonly four: Uint32Array

  constructor(buffer: ArrayBuffer) {
    this.one = new Uint8Array(buffer)
    this.two = new Uint16Array(buffer, 0, buffer.byteLength >>> 1)
    this.four = new Uint32Array(buffer, 0, buffer.byteLength >>> 2)
  }

  of(width: number, place: number, rows: number): Uint8Array | Uint16Array | Uint32Array {
    const at = place / width
    return (width === 1 ? this.one : width === 2 ? this.two : this.four).subarray(at, at + rows)
  }

  put(values: Numbers, first: number, rows: number, width: number, place: number, isUpper: boolean): void {
    const into = this.of(width, place, rows)
    for (let row = 0; row < rows; row++) {
      const value = values[first + row]!
      // Of more than 32 bits the array takes the lower ones.
      into[row] = isUpper ? Math.floor(value / two32) : value
    }
  }
}

function widthFor(values: Numbers, from: number): number {
  const to = Math.min(values.length, from + stretch)
  let most = 0
  for (let at = from; at < to; at++) if (values[at]! > most) most = values[at]!
  let width = 0
  while (width < mosts.length && most > mosts[width]!) width++
  return width
}

function stretchesOf({ length }: Numbers): number {
  return Math.ceil(length / stretch)
}

/** So that what follows can be read as numbers of any width. */
function roundedUp(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}
