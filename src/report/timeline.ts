import type { Dossier, Gap, TimelineBin } from '../investigate/dossier.ts'
import { durationWords } from '../net/time.ts'
import { heading, type Page, paragraph } from './layout.ts'
import { endpointText } from './names.ts'
import { countText, integerText, sizeText } from './numbers.ts'
import { chosenServices, type NumberedService } from './services.ts'
import { displayWidth, pad, truncate } from './text.ts'

const levels = '▁▂▃▄▅▆▇█'
const tickSteps = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]
const rowsAtMost = 10
const allRecords = 'all records'

/** The grid of a timeline: `columns` cells of `seconds` each, from `start` (seconds since the epoch). */
interface Grid {
  start: number
  seconds: number
  columns: number
}

interface Line {
  label: string
  values: number[]
  peak: string
}

/** What moved when: one row of bars for each service, each scaled to its own peak. */
export function renderTimeline(d: Dossier, page: Page): string[] {
  const bins = d.timeline.filter(bin => Number.isFinite(Date.parse(bin.start)) && bin.seconds > 0)
  if (bins.length === 0) return []
  const peakWidth = 11
  const labels = chosenServices(d).map(labelOf)
  const labelsAtMost = page.width >= 110 ? 40 : 24
  const labelWidth = Math.min(
    labelsAtMost,
    [allRecords, ...labels].reduce((most, label) => Math.max(most, displayWidth(label)), 0),
  )
  const grid = gridOf(bins, page.width - labelWidth - peakWidth - 6)
  const drawn = linesOf(d, bins, grid)
  const cyan = page.colors.cyan
  const row = (line: Line) =>
    `  ${pad(truncate(line.label, labelWidth), labelWidth)}  ${cyan(bars(line.values))}  ${line.peak}`.trimEnd()
  const gaps = gapRow(d.attack_surface.gaps, grid)
  const margin = ' '.repeat(labelWidth + 4)
  const hidden = d.services.length + d.services_other.count - (drawn.length - 1)
  return [
    ...heading(page, 'Timeline'),
    ...paragraph(
      page,
      `UTC, one column ${durationWords(grid.seconds)}; bytes both ways; each row to its own peak, right.`,
    ),
    ...drawn.map(row),
    ...(gaps.includes('?')
      ? [`  ${pad(d.source === 'logs' ? 'log has gaps' : 'gaps', labelWidth)}  ${gaps}`.trimEnd()]
      : []),
    `${margin}${ticks(grid)}`.trimEnd(),
    ...(hidden > 0
      ? paragraph(page, `${countText(hidden, 'service')} without a row: no bytes, or fewer than these.`)
      : []),
  ]
}

function labelOf({ number, service }: NumberedService): string {
  return `${number} ${endpointText(service.server, service.port)}`
}

function gridOf(bins: TimelineBin[], room: number): Grid {
  const starts = bins.map(bin => Date.parse(bin.start) / 1000)
  const start = starts.reduce((a, b) => Math.min(a, b))
  const end = bins.reduce((latest, bin, i) => Math.max(latest, (starts[i] ?? 0) + bin.seconds), start)
  const unit = bins[0]?.seconds ?? 60
  const count = Math.max(1, Math.ceil((end - start) / unit))
  const seconds = unit * Math.ceil(count / Math.max(1, room))
  return { start, seconds, columns: Math.ceil((end - start) / seconds) }
}

function linesOf(d: Dossier, bins: TimelineBin[], grid: Grid): Line[] {
  const records = sums(bins, grid, bin => bin.records)
  const peak = records.reduce((a, b) => Math.max(a, b), 0)
  const services = chosenServices(d)
    .map(entry => {
      const values = sums(bins, grid, bin => Number(bin.bytes_by_service[String(entry.index)] ?? 0))
      const most = values.reduce((a, b) => Math.max(a, b), 0)
      return { label: labelOf(entry), values, peak: sizeText(Math.round(most)), most }
    })
    .filter(line => line.most > 0)
  const kept = new Set([...services].sort((a, b) => b.most - a.most).slice(0, rowsAtMost))
  return [...services.filter(line => kept.has(line)), { label: allRecords, values: records, peak: integerText(peak) }]
}

function sums(bins: TimelineBin[], grid: Grid, value: (bin: TimelineBin) => number): number[] {
  const cells = new Array<number>(grid.columns).fill(0)
  for (const bin of bins) {
    const cell = Math.floor((Date.parse(bin.start) / 1000 - grid.start) / grid.seconds)
    cells[cell] = (cells[cell] ?? 0) + value(bin)
  }
  return cells
}

/** Any traffic shows: only nothing is a dot. */
function bars(values: number[]): string {
  const peak = values.reduce((a, b) => Math.max(a, b), 0)
  return values.map(value => (value <= 0 ? '·' : levels[Math.min(7, Math.ceil((value / peak) * 8) - 1)])).join('')
}

function gapRow(gaps: Gap[], grid: Grid): string {
  const cells = new Array<string>(grid.columns).fill(' ')
  for (const gap of gaps) {
    const from = (Date.parse(gap.from ?? '') / 1000 - grid.start) / grid.seconds
    const to = (Date.parse(gap.to ?? '') / 1000 - grid.start) / grid.seconds
    if (!(to >= 0 && from < grid.columns)) continue
    cells.fill('?', Math.max(0, Math.floor(from)), Math.max(0, Math.floor(from)) + 1)
    cells.fill('?', Math.max(0, Math.floor(from)), Math.min(grid.columns, Math.ceil(to)))
  }
  return cells.join('')
}

/** The clock below the bars: `└18:00`, and the date where a day begins. */
function ticks(grid: Grid): string {
  const room = 8
  const days = (multiple: number) => 86_400 * multiple
  const steps = [...tickSteps, ...[2, 7, 14, 28, 91, 364].map(days)]
  const step = steps.find(candidate => candidate / grid.seconds >= room) ?? days(3640)
  let line = ''
  for (let time = Math.ceil(grid.start / step) * step; time < grid.start + grid.columns * grid.seconds; time += step) {
    const column = Math.floor((time - grid.start) / grid.seconds)
    const label = `└${tickText(time)}`
    if (column + displayWidth(label) > grid.columns + 6) break
    line = pad(line, column) + label
  }
  if (line !== '') return line
  return `└${tickText(grid.start)}`
}

function tickText(time: number): string {
  const iso = new Date(time * 1000).toISOString()
  return time % 86_400 === 0 ? iso.slice(5, 10) : iso.slice(11, 16)
}
