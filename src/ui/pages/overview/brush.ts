/** Windows of a timeline: what a drag, a click, a key or the wheel makes of them. No DOM here. */

/** Whole seconds: from the first on and before the second. */
export interface Span {
  from: number
  to: number
}

/** Bins of a timeline: that with number `i` begins at `from + i * width`. */
export interface Grid {
  from: number
  width: number
  bins: number
}

export const endOf = ({ from, width, bins }: Grid): number => from + width * bins

function within(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}

/** Number of the bin that a second is in, of those that there are. */
export function binAt({ from, width, bins }: Grid, second: number): number {
  return within(Math.floor((second - from) / width), 0, bins - 1)
}

/** The edge between bins that is nearest. */
function edgeAt({ from, width, bins }: Grid, second: number): number {
  return from + width * within(Math.round((second - from) / width), 0, bins)
}

/** What a drag from one second to another marks: at least one bin. */
export function marked(grid: Grid, one: number, other: number): Span {
  const [low, high] = one < other ? [one, other] : [other, one]
  const from = edgeAt(grid, low)
  const to = edgeAt(grid, high)
  return to > from ? { from, to } : clicked(grid, one)
}

/** The bin that was clicked. */
export function clicked(grid: Grid, second: number): Span {
  const from = grid.from + grid.width * binAt(grid, second)
  return { from, to: from + grid.width }
}

/** A window dragged along by some seconds: by whole bins, and not over an end. */
export function dragged(grid: Grid, { from, to }: Span, seconds: number): Span {
  const steps = Math.round(seconds / grid.width) * grid.width
  const length = to - from
  const moved = within(from + steps, grid.from, Math.max(grid.from, endOf(grid) - length))
  return { from: moved, to: moved + length }
}

/** One edge of a window dragged to a second; over the other edge it becomes that one. */
export function resized(grid: Grid, span: Span, edge: 'from' | 'to', second: number): Span {
  return marked(grid, edge === 'from' ? span.to : span.from, second)
}

/** By keys: the whole window by some bins, or its end alone. Without a window the first bin. */
export function stepped(grid: Grid, span: Span | null, bins: number, what: 'move' | 'resize'): Span {
  if (span === null) return clicked(grid, bins > 0 ? grid.from : endOf(grid) - 1)
  if (what === 'move') return dragged(grid, span, bins * grid.width)
  const to = edgeAt(grid, span.to + bins * grid.width)
  return { from: span.from, to: Math.max(span.from + Math.min(grid.width, span.to - span.from), to) }
}

/** Seconds that a timeline shows at least. */
const zoomLeast = 10

/** What a timeline shows after it is made narrower (a factor below 1) or wider around a second; within all that there is. */
export function zoomed(shown: Span, all: Span, factor: number, around: number): Span {
  const whole = all.to - all.from
  const length = Math.round(within((shown.to - shown.from) * factor, Math.min(zoomLeast, whole), whole))
  const share = (around - shown.from) / (shown.to - shown.from)
  const from = Math.round(within(around - share * length, all.from, all.to - length))
  return { from, to: from + length }
}

/** Null where it is all. */
export function unlessAll(span: Span, all: Span): Span | null {
  return span.from <= all.from && span.to >= all.to ? null : span
}
