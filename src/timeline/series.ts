/** The series of a view over time: sums of narrow bins, by classes of records, of which wider bins and any stack are made. */
/** Ports that a class of their own stands for, at most; all others are one. */
export const portsMost = 15
/** Ways of a record: from those whose network it is, to them, neither. */
export const ways = { out: 0, in: 1, other: 2 } as const
const waysCount = 3
export const classes = (portsMost + 1) * 2 * waysCount

export const classOf = (port: number, isRejected: number, way: number): number =>
  (port * 2 + isRejected) * waysCount + way

const day_s = 86_400
/** Widths of bins that people would choose, seconds. */
const short = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200]
/** Widths of which each of the greater ones of all is a multiple. */
const plain = [1, 5, 15, 60, 300, 900, 3600, 21_600]

function* longWidths(steps: readonly number[]): Generator<number> {
  for (let unit = day_s; ; unit *= 10) for (const step of steps) yield step * unit
}

/** The least width that people would choose of which no more than `most` bins fill a span. */
export function widthFor(span_s: number, most: number): number {
  const fits = (width: number): boolean => span_s / width <= most
  const found = short.find(fits)
  if (found !== undefined) return found
  for (const width of longWidths([1, 2, 5])) if (fits(width)) return width
  throw new Error('there is a width for every span')
}

function plainWidthFor(span_s: number, most: number): number {
  const fits = (width: number): boolean => span_s / width <= most
  const found = plain.find(fits)
  if (found !== undefined) return found
  for (const width of longWidths([1])) if (fits(width)) return width
  throw new Error('there is a width for every span')
}

const narrowMost = 4096

export class Series {
  /** Seconds; each greater width of `widthFor` is a multiple. */
  readonly width_s: number
  /** Number of the first bin: bin `n` begins at `n * width_s`. */
  readonly first: number
  readonly bins: number
  /** By bin and class. */
  readonly records: Uint32Array
  readonly bytes: Float64Array
  readonly packets: Float64Array

  constructor(first_s: number, last_s: number, width_s = plainWidthFor(last_s - first_s + 1, narrowMost)) {
    this.width_s = width_s
    this.first = Math.floor(first_s / width_s)
    this.bins = Math.floor(last_s / width_s) - this.first + 1
    this.records = new Uint32Array(this.bins * classes)
    this.bytes = new Float64Array(this.bins * classes)
    this.packets = new Float64Array(this.bins * classes)
  }

  get arrays(): readonly [Uint32Array, Float64Array, Float64Array] {
    return [this.records, this.bytes, this.packets]
  }

  get size(): number {
    return 20 * this.bins * classes
  }
}
