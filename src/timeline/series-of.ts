/** The series of a view as it is shown: bins of a width that people would choose, stacked by what tells records apart. */
import { type Count, countOf } from './figures.ts'
import { rowsOf, type ViewParts, type Window } from './parts.ts'
import { piecesOf } from './read.ts'
import { digitBits } from './rows.ts'
import { addToSeries, type Basis, hasAny, Sight } from './running.ts'
import { classes, classOf, portsMost, Series, ways, widthFor } from './series.ts'

export type Measure = 'records' | 'bytes' | 'packets'
/** `none`: one layer; `ports`: the five largest, by the measure, and other; `way`: from the own networks (or the subject), to them, other. */
export type Stack = 'none' | 'ports' | 'outcome' | 'way'

export interface SeriesAnswer {
  /** Seconds; bins begin at multiples of it. */
  width_s: number
  /** Where the first bin begins. Bins are whole: the first and the last may have records outside the window. */
  from_s: number
  /** Of each layer its name (a port as a number, null for none) and a sum a bin. */
  layers: { name: string | number | null; values: Count[] }[]
}

const stackedPorts = 5

/** @throws DamagedSections; the signal's reason. */
export function seriesOf(parts: ViewParts, window: Window, bins: number, measure: Measure, stack: Stack): SeriesAnswer {
  const { span } = parts.reader.index
  const layers = layersOf(parts, measure, stack)
  const from_s = Math.max(window.from_s, span?.first_s ?? 0)
  const to_s = Math.min(window.to_s, (span?.last_s ?? 0) + 1)
  if (span === null || from_s >= to_s) return { width_s: 1, from_s: window.from_s, layers: layers.map(empty) }
  const width_s = widthFor(to_s - from_s, Math.max(1, bins))
  const first = Math.floor(from_s / width_s)
  const last = Math.floor((to_s - 1) / width_s)
  const series = parts.running.map(({ basis, series: kept }) =>
    kept !== null && width_s % kept.width_s === 0 ? kept : scanned(basis, width_s, first, last),
  )
  return {
    width_s,
    from_s: first * width_s,
    layers: layers.map(({ name, of }) => ({ name, values: summed(series, measure, of, width_s, [first, last]) })),
  }
}

interface Layer {
  name: string | number | null
  /** Classes that are in it. */
  of: number[]
}

function empty({ name }: Layer): SeriesAnswer['layers'][number] {
  return { name, values: [] }
}

function layersOf({ ports, reader }: ViewParts, measure: Measure, stack: Stack): Layer[] {
  const some = (isIn: (port: number, rejected: number, way: number) => boolean): number[] => {
    const found: number[] = []
    for (let port = 0; port <= portsMost; port++)
      for (const rejected of [0, 1])
        for (const way of Object.values(ways)) if (isIn(port, rejected, way)) found.push(classOf(port, rejected, way))
    return found
  }
  if (stack === 'none') return [{ name: 'all', of: some(() => true) }]
  if (stack === 'outcome') {
    return [
      { name: 'accepted', of: some((_, rejected) => rejected === 0) },
      { name: 'rejected', of: some((_, rejected) => rejected === 1) },
    ]
  }
  if (stack === 'way') {
    return (['out', 'in', 'other'] as const).map(name => ({ name, of: some((_, __, way) => way === ways[name]) }))
  }
  const ranked = { records: ports.byRecords, bytes: ports.byBytes, packets: ports.byPackets }
  const largest = ranked[measure].slice(0, stackedPorts)
  const numbers = largest.map(port => ports.classes.indexOf(port))
  const listed = numbers.map((number, i) => ({
    name: reader.index.about.ports[largest[i]!] ?? null,
    of: some(port => port === number),
  }))
  return [...listed, { name: 'other', of: some(port => !numbers.includes(port)) }]
}

/** The bins of a window, out of the rows themselves. */
function scanned(basis: Basis, width_s: number, first: number, last: number): Series {
  const { reader, mask, digit } = basis
  const { index } = reader
  const series = new Series(first * width_s, (last + 1) * width_s - 1, width_s)
  const [from, to] = rowsOf(reader, { from_s: first * width_s, to_s: (last + 1) * width_s })
  const sight = new Sight(basis)
  for (const { block, first: begin, rows } of piecesOf(index, from, to)) {
    if (mask !== null && !hasAny(mask.words, begin, index.rowsOf(block))) continue
    const seconds = index.column('second', block) as Float64Array
    addToSeries(series, sight.of(reader.block(block, digit), rows), seconds, rows, basis, mask?.words ?? null, begin)
  }
  return series
}

/** A sum for each bin, of some classes. */
function summed(
  parts: readonly Series[],
  measure: Measure,
  of: readonly number[],
  width_s: number,
  [first, last]: readonly [number, number],
): Count[] {
  // Records are the same in each part.
  const used = measure === 'records' ? parts.slice(0, 1) : parts
  const sums = used.map(series => {
    const values = new Float64Array(last - first + 1)
    const narrow = width_s / series.width_s
    const array = series[measure]
    for (let bin = 0; bin < series.bins; bin++) {
      const into = Math.floor((series.first + bin) / narrow) - first
      if (into < 0 || into >= values.length) continue
      const base = bin * classes
      let sum = 0
      for (const one of of) sum += array[base + one]!
      values[into]! += sum
    }
    return values
  })
  return Array.from(sums[0]!, (value, bin) =>
    sums.length === 1
      ? value
      : countOf(sums.reduceRight((sum, one) => (sum << BigInt(digitBits)) + BigInt(one[bin]!), 0n)),
  )
}
