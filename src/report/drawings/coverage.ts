/** What each sensor's log has of the time: a row each, from the left to the right. */
import { scaleUtc } from 'd3-scale'
import { type BinState, binStates, type CoverageMap, type MappedSensor } from '../../investigate/coverage-map.ts'
import { type Block, figure, line, type Table, table } from '../block.ts'
import { countOf, lengthOf, timeOf, wordsOf } from '../figures.ts'
import type { Attributes, Element } from '../html-text.ts'
import { drawing, fill, rect, scaleLabels, width, words } from './svg.ts'

const name = 'coverage'
const edges = { left: 210, right: 12, top: 36 }
const rowHeight = 24
const title = 'What was recorded when'
const nameMax = 26

const fills: Readonly<Record<BinState, Attributes>> = {
  data: { class: 'data' },
  no_data: fill(name, 'dots'),
  skip_data: fill(name, 'cross'),
  nothing: fill(name, 'hatch'),
}
const labels: Readonly<Record<BinState, string>> = {
  data: 'records',
  no_data: 'NODATA: nothing to record',
  skip_data: 'SKIPDATA: records were lost',
  nothing: 'nothing: no file, or no line',
}

/** Nothing where no sensor has a time. */
export function coverageFigure({ coverage }: { coverage: CoverageMap }): Block[] {
  const { from, to, bins, bin_seconds, sensors } = coverage
  if (from === null || to === null || sensors.length === 0) return []
  const x = scaleUtc([Date.parse(from), Date.parse(to)], [edges.left, width - edges.right])
  const height = edges.top + sensors.length * rowHeight + 34
  const isLong = bins * bin_seconds > 2 * 86_400
  const label = (time: Date): string => time.toISOString().slice(...(isLong ? [5, 10] : [11, 16]))
  return [
    figure({
      title,
      description: line`A row for each sensor, from ${timeOf(from, 'coverage.from')} to ${timeOf(to, 'coverage.to')}, in steps of ${lengthOf(bin_seconds, 'coverage.bin_seconds')}.`,
      drawing: drawing(
        {
          ...{ name, title, height },
          description:
            'For each sensor a row whose parts are filled where it has records, dotted for NODATA, crossed for SKIPDATA, hatched where it has nothing. The numbers are in the table below.',
        },
        scaleLabels(...x.ticks(8).map(time => words(x(time), 22, label(time), { 'text-anchor': 'middle' }))),
        ...sensors.flatMap((sensor, i) => rowElements(sensor, i, bins)),
        ...legend(height - 10),
      ),
      data: valuesTable(coverage),
    }),
  ]
}

/** A rectangle for each run of bins in the same state. */
function rowElements({ sensor, states }: MappedSensor, i: number, bins: number): Element[] {
  const y = edges.top + i * rowHeight
  const step = (width - edges.left - edges.right) / bins
  const stateOf = (letter: string): BinState =>
    (Object.keys(binStates) as BinState[]).find(state => binStates[state] === letter)!
  const runs = [...states.matchAll(/(.)\1*/g)].map(({ 0: run, index }) =>
    rect(edges.left + index * step, y, run.length * step, rowHeight - 6, fills[stateOf(run[0]!)]),
  )
  const text = sensor === null ? 'no sensor named' : wordsOf(sensor, `coverage.sensors.${i}.sensor`)
  const shown =
    typeof text !== 'string' && text.text.length > nameMax
      ? { ...text, text: `…${text.text.slice(1 - nameMax)}` }
      : text
  return [
    words(edges.left - 8, y + 13, shown, { 'text-anchor': 'end' }),
    ...runs,
    rect(edges.left, y, bins * step, rowHeight - 6, { class: 'frame' }),
  ]
}

function legend(y: number): Element[] {
  return (Object.keys(labels) as BinState[]).flatMap((state, i) => {
    const x = 10 + i * 245
    return [
      rect(x, y - 11, 16, 12, fills[state]),
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
