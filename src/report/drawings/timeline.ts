/** What moved when: bytes of the largest services on one another, and below them when each finding was. */
import { scaleLinear, scaleUtc } from 'd3-scale'
import { area, curveStepAfter, type Series, stack } from 'd3-shape'
import type { Dossier, Finding } from '../../investigate/dossier.ts'
import { type Block, figure, type Table, table, line as textLine } from '../block.ts'
import { countOf, timeOf, wordsOf } from '../figures.ts'
import type { Element } from '../html-text.ts'
import { type SeriesOf, serviceParts } from './series.ts'
import { type Canvas, drawing, fill, inBothLayouts, line, nameOn, path, rect, scaleLabels, words } from './svg.ts'

const name = 'timeline'
const edges = { top: 14, plot: 220 }
const lanesMax = 8
const title = 'What moved when'

type Bins = readonly { start: number; end: number; values: readonly number[] }[]
type TimeScale = ReturnType<typeof scaleUtc<number>>
/** A finding, its place in the dossier and what the examiner decided of it. */
interface Judged {
  finding: Finding
  at: number
  verdict: string
}

/** @param judged findings in the order in which they are drawn. Nothing where no record has a time. */
export function timelineFigure(d: Dossier, series: SeriesOf, judged: readonly Judged[]): Block[] {
  const bins = binsOf(d, series)
  if (bins.length === 0) return []
  const findings = judged
    .filter(({ finding: one }) => one.first_start !== null && one.last_end !== null)
    .slice(0, lanesMax)
  return [
    figure({
      title,
      description:
        'Bytes of accepted traffic in both directions, in each part of the time (UTC); below, when each finding was. The bars of findings that the examiner refuted are hatched.',
      ...inBothLayouts(canvas => timelineDrawing(canvas, d, series, bins, findings)),
      data: valuesTable(d, series),
    }),
  ]
}

function timelineDrawing(
  canvas: Canvas,
  d: Dossier,
  series: SeriesOf,
  bins: Bins,
  findings: readonly Judged[],
): Element {
  const [left, right] = canvas.isNarrow ? [58, canvas.width - 22] : [130, canvas.width - 34]
  const x = scaleUtc([bins[0]!.start, bins.at(-1)!.end], [left, right])
  const laneHeight = canvas.isNarrow ? 34 : 20
  const lanes = edges.top + edges.plot + 34
  const legend = lanes + findings.length * laneHeight + 24
  const entries = [...series.listed.keys(), null]
  const height = legend + Math.ceil(entries.length / (canvas.isNarrow ? 1 : 2)) * 20
  return drawing(
    canvas,
    {
      ...{ name, title, height },
      description:
        'Areas on one another, one for each of the largest services; bars below them for findings. The values are in the table below.',
    },
    ...gapMarks(canvas, d, x),
    ...plot(canvas, bins, x),
    ...findings.map((finding, i) => lane(canvas, finding, lanes + i * laneHeight, x)),
    ...entries.map((service, i) => legendEntry(canvas, d, series, service, i, legend)),
  )
}

/** Bytes of each series in each bin, those of other services last. */
function binsOf(d: Dossier, { listed }: SeriesOf): Bins {
  return d.timeline.flatMap(bin => {
    const start = Date.parse(bin.start)
    if (!Number.isFinite(start) || bin.seconds <= 0) return []
    const all = Object.entries(bin.bytes_by_service)
    const values = [...listed.keys()].map(index => Number(bin.bytes_by_service[String(index)] ?? 0))
    const rest = all.filter(([index]) => !listed.has(Number(index))).reduce((sum, [, bytes]) => sum + Number(bytes), 0)
    return [{ start, end: start + bin.seconds * 1000, values: [...values, rest + Number(bin.bytes_other)] }]
  })
}

const units = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['B', 1],
] as const

function plot(canvas: Canvas, bins: Bins, x: TimeScale): Element[] {
  const most = bins.reduce(
    (peak, { values }) =>
      Math.max(
        peak,
        values.reduce((sum, one) => sum + one, 0),
      ),
    0,
  )
  const [unit, size] = units.find(([, bytes]) => most >= bytes) ?? ['B', 1]
  const base = edges.top + edges.plot
  const y = scaleLinear([0, Math.max(most / size, 1)], [base, edges.top]).nice(4)
  const ticks = y.ticks(4)
  const count = bins[0]!.values.length
  const layers = stack<Bins[number], number>()
    .keys(Array.from({ length: count }, (_, i) => i))
    .value((bin, key) => bin.values[key]! / size)(bins)
  const end = bins.at(-1)!.end
  const shape = area<{ at: number; from: number; to: number }>()
    .x(point => x(point.at))
    .y0(point => y(point.from))
    .y1(point => y(point.to))
    .curve(curveStepAfter)
  const [left, right] = x.range() as [number, number]
  const isLong = end - bins[0]!.start > 2 * 86_400_000
  const times = x.ticks(canvas.isNarrow ? (isLong ? 3 : 4) : 8)
  return [
    ...ticks.map(tick => line(left, y(tick), right, y(tick), { class: 'grid' })),
    ...layers.map((layer, i) =>
      path(shape(pointsOf(layer, bins, end)) ?? '', { class: `f${i === count - 1 ? 6 : i + 1}` }),
    ),
    line(left, base, right, base, { class: 'edge' }),
    scaleLabels(
      ...ticks.map(tick => words(left - 8, y(tick) + 4, `${tick} ${unit}`, { 'text-anchor': 'end' })),
      ...times.map(time => words(x(time), base + 18, timeLabel(time, isLong), { 'text-anchor': 'middle' })),
    ),
  ]
}

function pointsOf(
  layer: Series<Bins[number], number>,
  bins: Bins,
  end: number,
): { at: number; from: number; to: number }[] {
  const points = layer.map(([from, to], i) => ({ at: bins[i]!.start, from, to }))
  return [...points, { ...points.at(-1)!, at: end }]
}

function timeLabel(time: Date, isLong: boolean): string {
  const iso = time.toISOString()
  return isLong ? `${iso.slice(5, 10)} ${iso.slice(11, 16)}` : iso.slice(11, 16)
}

/** Where something is missing from the logs. */
function gapMarks(canvas: Canvas, d: Dossier, x: TimeScale): Element[] {
  const [first, last] = x.range() as [number, number]
  return d.attack_surface.gaps.slice(0, 200).flatMap(({ from, to }) => {
    if (from === null || to === null) return []
    const [a, b] = [from, to].map(one => Math.min(last, Math.max(first, x(Date.parse(one)))))
    return [rect(a!, edges.top, Math.max(2, b! - a!), edges.plot, fill(nameOn(canvas, name), 'hatch'))]
  })
}

/** On a phone the words stand above the bar. */
function lane(canvas: Canvas, { finding, at, verdict }: Judged, top: number, x: TimeScale): Element {
  const { id, severity, first_start, last_end } = finding
  const [first, last] = x.range() as [number, number]
  const [from, to] = [first_start!, last_end!].map(one => Math.min(last, Math.max(first, x(Date.parse(one)))))
  const isRefuted = verdict === 'refuted'
  const label = textLine`${wordsOf(id, `dossier.findings.${at}.id`)} ${severity}${isRefuted ? ', refuted' : ''}`
  const [y, breadth] = [top + (canvas.isNarrow ? 16 : 2), Math.max(3, to! - from!)]
  return {
    ...{ name: 'g', attributes: {} },
    children: [
      canvas.isNarrow ? words(first, top + 11, label) : words(first - 8, top + 11, label, { 'text-anchor': 'end' }),
      ...(isRefuted
        ? [
            rect(from!, y, breadth, 12, fill(nameOn(canvas, name), 'hatch')),
            rect(from!, y, breadth, 12, { class: 'edge' }),
          ]
        : [rect(from!, y, breadth, 12, { class: severity, rx: 2 })]),
    ],
  }
}

function legendEntry(
  { isNarrow }: Canvas,
  d: Dossier,
  { listed }: SeriesOf,
  index: number | null,
  i: number,
  top: number,
): Element {
  const [left, y] = isNarrow ? [12, top + i * 20] : [96 + (i % 2) * 460, top + Math.floor(i / 2) * 20]
  const number = index === null ? 6 : listed.get(index)!
  const label = index === null ? 'all other services' : serviceParts(d, index)
  return {
    ...{ name: 'g', attributes: {} },
    children: [rect(left, y - 10, 12, 12, { class: `f${number}` }), words(left + 20, y, label)],
  }
}

function valuesTable(d: Dossier, { listed }: SeriesOf): Table {
  const shown = [...listed.keys()]
  const right = { align: 'right' } as const
  const columns = [
    { title: 'from' },
    { title: 'records', ...right },
    ...shown.map(index => ({ title: `S${index + 1}`, of: `#dossier.services.${index}`, ...right })),
    { title: 'all services', ...right },
  ]
  const rows = d.timeline.map((bin, i) => {
    const at = `dossier.timeline.${i}`
    const all = Object.values(bin.bytes_by_service).reduce<bigint>((sum, bytes) => sum + BigInt(bytes), 0n)
    return {
      cells: [
        timeOf(bin.start, `${at}.start`),
        countOf(bin.records, `${at}.records`),
        ...shown.map(index => {
          const bytes = bin.bytes_by_service[String(index)]
          return bytes === undefined ? '–' : countOf(bytes, `${at}.bytes_by_service.${index}`)
        }),
        countOf(all + BigInt(bin.bytes_other), `${at}.bytes_by_service.* + ${at}.bytes_other`),
      ],
    }
  })
  return table(columns, rows, 'Bytes of each service in each part of the time')
}
