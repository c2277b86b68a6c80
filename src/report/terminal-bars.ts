/** Bars over time for a terminal. */
import { durationWords } from '../net/time.ts'
import type { BarLine, Bars } from './block.ts'
import { integerText, sizeText } from './numbers.ts'
import { hangingLines, type Page } from './terminal-page.ts'
import { displayWidth, pad, truncate, visible } from './text.ts'

const levels = '▁▂▃▄▅▆▇█'
const tickSteps = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]
const peakWidth = 11

/** `columns` cells of `seconds` each, from `start` (seconds since the epoch). */
interface Grid {
  start: number
  seconds: number
  columns: number
}

interface Drawn {
  label: string
  cells: number[]
  peak: number
  unit: BarLine['unit']
}

export function barLines(page: Page, bars: Bars): string[] {
  const { bins, gaps, what, whole, lines } = bars
  const labelsAtMost = page.width >= 110 ? 40 : 24
  const labelWidth = Math.min(
    labelsAtMost,
    [whole, ...lines].reduce((most, line) => Math.max(most, displayWidth(visible(line.label))), 0),
  )
  const grid = gridOf(bins, page.width - labelWidth - peakWidth - 6)
  const missing = gapRow(gaps, grid)
  const { cyan } = page.colors
  const row = (label: string, rest: string) =>
    `  ${pad(truncate(visible(label), labelWidth), labelWidth)}  ${rest}`.trimEnd()
  const caption = `UTC, one column ${durationWords(grid.seconds)}; ${what}; each row to its own peak, right.`
  return [
    ...hangingLines(page, visible(caption)),
    ...drawnLines(bars, grid).map(one => row(one.label, `${cyan(cellBars(one))}  ${peakText(one)}`)),
    ...(missing.includes('?') ? [row(bars.gapsLabel, missing)] : []),
    `${' '.repeat(labelWidth + 4)}${ticks(grid)}`.trimEnd(),
  ]
}

function gridOf(bins: Bars['bins'], room: number): Grid {
  const start = bins.reduce((first, bin) => Math.min(first, bin.start), Number.POSITIVE_INFINITY)
  const end = bins.reduce((latest, bin) => Math.max(latest, bin.start + bin.seconds), start)
  const unit = bins[0]?.seconds ?? 60
  const count = Math.max(1, Math.ceil((end - start) / unit))
  const seconds = unit * Math.ceil(count / Math.max(1, room))
  return { start, seconds, columns: Math.ceil((end - start) / seconds) }
}

/** The rows with the highest peaks, in their own order, and the whole below them. */
function drawnLines({ bins, lines, linesAtMost, whole }: Bars, grid: Grid): Drawn[] {
  const drawn = ({ label, unit, values }: BarLine): Drawn => {
    const cells = new Array<number>(grid.columns).fill(0)
    for (const [i, { start }] of bins.entries()) {
      const cell = Math.floor((start - grid.start) / grid.seconds)
      cells[cell] = (cells[cell] ?? 0) + (values[i] ?? 0)
    }
    return { label, unit, cells, peak: cells.reduce((a, b) => Math.max(a, b), 0) }
  }
  const all = lines.map(drawn).filter(line => line.peak > 0)
  const kept = new Set([...all].sort((a, b) => b.peak - a.peak).slice(0, linesAtMost))
  return [...all.filter(line => kept.has(line)), drawn(whole)]
}

function peakText({ peak, unit }: Drawn): string {
  return unit === 'bytes' ? sizeText(Math.round(peak)) : integerText(peak)
}

/** Any traffic shows: only nothing is a dot. */
function cellBars({ cells, peak }: Drawn): string {
  return cells.map(value => (value <= 0 ? '·' : levels[Math.min(7, Math.ceil((value / peak) * 8) - 1)])).join('')
}

function gapRow(gaps: Bars['gaps'], grid: Grid): string {
  const cells = new Array<string>(grid.columns).fill(' ')
  for (const gap of gaps) {
    const from = (gap.from - grid.start) / grid.seconds
    const to = (gap.to - grid.start) / grid.seconds
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
