/** What each sensor's log has of the time: a row each, from the left to the right. */
import { scaleUtc } from 'd3-scale'
import { type BinState, binStates, type CoverageMap, type MappedSensor } from '../../investigate/mapped-time.ts'
import { type Block, figure, line, type Table, table } from '../block.ts'
import { countOf, lengthOf, timeOf, wordsOf } from '../figures.ts'
import type { Attributes, Element } from '../html-text.ts'
import { type Canvas, drawing, fill, inBothLayouts, nameOn, rect, scaleLabels, words } from './svg.ts'

const name = 'coverage'
const top = 36
const title = 'What was recorded when'
const nameMax = 26

function fillOf(canvas: Canvas, state: BinState): Attributes {
  if (state === 'data') return { class: 'data' }
  return fill(nameOn(canvas, name), state === 'no_data' ? 'dots' : state === 'skip_data' ? 'cross' : 'hatch')
}

const labels: Readonly<Record<BinState, string>> = {
  data: 'records',
  no_data: 'NODATA: nothing to record',
  skip_data: 'SKIPDATA: records were lost',
  nothing: 'nothing: no file, or no line',
}

/** Nothing where no sensor has a time. */
export function coverageFigure({ coverage }: { coverage: CoverageMap }): Block[] {
  const { from, to, bin_seconds, sensors } = coverage
  if (from === null || to === null || sensors.length === 0) return []
  const times = [Date.parse(from), Date.parse(to)] as const
  return [
    figure({
      title,
      description: line`A row for each sensor, from ${timeOf(from, 'coverage.from')} to ${timeOf(to, 'coverage.to')}, in steps of ${lengthOf(bin_seconds, 'coverage.bin_seconds')}.`,
      ...inBothLayouts(canvas => coverageDrawing(canvas, coverage, times)),
      data: valuesTable(coverage),
    }),
  ]
}

/** Where rows begin and end, and how high one is: on a phone a sensor's name stands above its row. */
interface Rows {
  left: number
  right: number
  height: number
}

function coverageDrawing(
  canvas: Canvas,
  { bins, bin_seconds, sensors }: CoverageMap,
  times: readonly [number, number],
): Element {
  const rows: Rows = canvas.isNarrow
    ? { left: 10, right: canvas.width - 22, height: 42 }
    : { left: 210, right: canvas.width - 12, height: 24 }
  const x = scaleUtc(times, [rows.left, rows.right])
  const isLong = bins * bin_seconds > 2 * 86_400
  const label = (time: Date): string => time.toISOString().slice(...(isLong ? [5, 10] : [11, 16]))
  const end = top + sensors.length * rows.height
  const keys = legend(canvas, end + 24)
  return drawing(
    canvas,
    {
      ...{ name, title, height: end + (canvas.isNarrow ? 4 * 20 + 14 : 34) },
      description:
        'For each sensor a row whose parts are filled where it has records, dotted for NODATA, crossed for SKIPDATA, hatched where it has nothing. The numbers are in the table below.',
    },
    scaleLabels(
      ...x.ticks(canvas.isNarrow ? 4 : 8).map(time => words(x(time), 22, label(time), { 'text-anchor': 'middle' })),
    ),
    ...sensors.flatMap((sensor, i) => rowElements(canvas, rows, sensor, i, bins)),
    ...keys,
  )
}

/** A rectangle for each run of bins in the same state. */
function rowElements(canvas: Canvas, rows: Rows, { sensor, states }: MappedSensor, i: number, bins: number): Element[] {
  const y = top + i * rows.height + (canvas.isNarrow ? 18 : 0)
  const step = (rows.right - rows.left) / bins
  const stateOf = (letter: string): BinState =>
    (Object.keys(binStates) as BinState[]).find(state => binStates[state] === letter)!
  const runs = [...states.matchAll(/(.)\1*/g)].map(({ 0: run, index }) =>
    rect(rows.left + index * step, y, run.length * step, 18, fillOf(canvas, stateOf(run[0]!))),
  )
  const text = sensor === null ? 'no sensor named' : wordsOf(sensor, `coverage.sensors.${i}.sensor`)
  const shown =
    typeof text !== 'string' && text.text.length > nameMax
      ? { ...text, text: `…${text.text.slice(1 - nameMax)}` }
      : text
  return [
    canvas.isNarrow ? words(rows.left, y - 5, shown) : words(rows.left - 8, y + 13, shown, { 'text-anchor': 'end' }),
    ...runs,
    rect(rows.left, y, bins * step, 18, { class: 'frame' }),
  ]
}

function legend(canvas: Canvas, top: number): Element[] {
  return (Object.keys(labels) as BinState[]).flatMap((state, i) => {
    const [x, y] = canvas.isNarrow ? [10, top + i * 20] : [10 + i * 245, top]
    return [
      rect(x, y - 11, 16, 12, fillOf(canvas, state)),
      rect(x, y - 11, 16, 12, { class: 'frame' }),
      words(x + 22, y, labels[state]),
    ]
  })
}

function valuesTable({ sensors }: CoverageMap): Table {
  const right = { align: 'right' } as const
  const columns = [
    'records',
    'NODATA',
    'SKIPDATA',
    'steps with records',
    'NODATA alone',
    'with SKIPDATA',
    'with nothing',
  ]
  return table(
    [{ title: 'sensor' }, ...columns.map(one => ({ title: one, ...right }))],
    sensors.map(({ sensor, records, no_data, skip_data, bins }, i) => {
      const at = `coverage.sensors.${i}`
      return {
        cells: [
          sensor === null ? 'no sensor named' : wordsOf(sensor, `${at}.sensor`),
          countOf(records, `${at}.records`),
          countOf(no_data, `${at}.no_data`),
          countOf(skip_data, `${at}.skip_data`),
          ...(['data', 'no_data', 'skip_data', 'nothing'] as const).map(state =>
            countOf(bins[state], `${at}.bins.${state}`),
          ),
        ],
      }
    }),
    'What each sensor recorded, and in how many steps of the time',
  )
}
