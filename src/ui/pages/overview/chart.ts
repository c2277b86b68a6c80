/** Draws the steps of a timeline on a canvas: layers on one another, and a line of the whole case around them. */
import 'uplot/dist/uPlot.min.css'
import uPlot from 'uplot'
import type { Count } from '../../../server/contract/common.ts'
import type { Measure } from '../../../server/contract/view.ts'
import { colour } from '../../parts/theme.ts'
import { endOf, type Grid } from './brush.ts'
import { axisText, byteSteps, tickText, timeTicks } from './ticks.ts'

export interface ChartLayer {
  /** Name of a colour in theme.css. */
  colour: string
  isHatched: boolean
  values: readonly Count[]
}

export interface ChartData {
  grid: Grid
  measure: Measure
  /** The lowest first. */
  layers: readonly ChartLayer[]
  outline: readonly Count[] | null
}

export interface Size {
  width: number
  height: number
}

/** Room for the numbers at the left, and for the last time at the right. */
export const chartEdges = { left: 72, right: 16 } as const
const axisHeight = 40
const pixelsOfTime = 96

/** @param target empty. */
export function drawChart(target: HTMLElement, data: ChartData, size: Size): uPlot {
  const { grid, measure, outline } = data
  const layers = [...data.layers].reverse()
  const stepped = uPlot.paths.stepped!({ align: 1 })
  const own = { paths: stepped, points: { show: false }, width: 0 }
  const muted = colour('muted')
  const sums = sumsOf(grid, data.layers)
  const top = topOf(sums, outline)
  const times = Array.from({ length: grid.bins + 1 }, (_, i) => grid.from + i * grid.width)
  const ticks = timeTicks(grid.from, endOf(grid), size.width / pixelsOfTime)
  const axis = { stroke: muted, font: '12px system-ui, "Liberation Sans", sans-serif' }
  return new uPlot(
    {
      ...size,
      padding: [8, chartEdges.right, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      scales: {
        x: { time: false, range: [grid.from, endOf(grid)] },
        y: { range: [0, top] },
      },
      axes: [
        {
          ...axis,
          size: axisHeight,
          grid: { show: false },
          ticks: { stroke: colour('line'), width: 1, size: 4 },
          gap: 4,
          splits: () => ticks.at,
          values: (_, at) => at.map((one, i) => tickText(one, ticks.step, i === 0)),
        },
        {
          ...axis,
          size: chartEdges.left,
          grid: { stroke: colour('line'), width: 1 },
          ticks: { show: false },
          ...(measure === 'bytes' && { incrs: [...byteSteps] }),
          values: (_, at) => at.map(one => axisText(one, measure)),
        },
      ],
      series: [
        {},
        ...(outline === null ? [] : [{ ...own, width: 0.5, stroke: colour('series-other'), fill: colour('line') }]),
        ...layers.map(layer => ({ ...own, fill: () => fillOf(layer) })),
      ],
    },
    [times, ...(outline === null ? [] : [closed(outline.map(Number))]), ...sums] as uPlot.AlignedData,
    target,
  )
}

/** From the uppermost layer, each with those below it added. */
function sumsOf({ bins }: Grid, layers: readonly ChartLayer[]): number[][] {
  const sum = new Array<number>(bins).fill(0)
  const sums = layers.map(({ values }) => {
    for (let i = 0; i < bins; i++) sum[i]! += Number(values[i] ?? 0)
    return closed(sum)
  })
  return sums.reverse()
}

/** How high the whole case may stand over what matches: what is higher is cut off, or what matches could not be seen. */
const overMost = 4
const room = 1.05

/** The end of the scale. */
function topOf(sums: readonly (readonly number[])[], outline: ChartData['outline']): number {
  const most = Math.max(0, ...(sums[0] ?? []))
  const around = Math.max(0, ...(outline ?? []).map(Number))
  return room * (Math.max(most, Math.min(around, overMost * most)) || around || 1)
}

/** Whether the whole case is cut off where it stands higher. */
export function isCutOff({ grid, layers, outline }: Pick<ChartData, 'grid' | 'layers' | 'outline'>): boolean {
  const top = topOf(sumsOf(grid, layers), outline)
  return (outline ?? []).some(value => Number(value) > top)
}

/** The last value once more, for the step ends there. */
const closed = (values: readonly number[]): number[] => [...values, values.at(-1) ?? 0]

/** Never colour alone: what was rejected is hatched. */
function fillOf({ colour: name, isHatched }: ChartLayer): string | CanvasPattern {
  const own = colour(name)
  if (!isHatched) return own
  const ratio = devicePixelRatio
  const tile = document.createElement('canvas')
  tile.width = tile.height = Math.round(6 * ratio)
  const context = tile.getContext('2d')!
  context.fillStyle = colour('page')
  context.fillRect(0, 0, tile.width, tile.height)
  context.strokeStyle = own
  context.lineWidth = 2.5 * ratio
  const size = tile.width
  context.beginPath()
  for (const shift of [-size, 0, size]) {
    context.moveTo(shift - 1, size + 1)
    context.lineTo(shift + size + 1, -1)
  }
  context.stroke()
  return context.createPattern(tile, 'repeat') ?? own
}
