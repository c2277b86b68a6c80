/** A series of time bins as an engine has it: the bins between those that have something, how many are wanted, and in which order. */
import { direction, orderOf } from './order.ts'
import type { Cell, FlowsRequest, FlowsRow } from './request.ts'

export interface Series {
  rows: FlowsRow[]
  /** How many bins there are, of which a limit may leave some out. */
  total: number
}

const binsMost = 1_000_000

/**
 * Puts empty bins between the first and the last one, and cuts the series off.
 *
 * @param rows bins in the order of time, those of records without times last. @param measures names of what is counted.
 */
export function wholeSeries(rows: readonly FlowsRow[], measures: readonly string[], request: FlowsRequest): Series {
  const width = request.bin_ms ?? 1
  const timed = rows.filter(({ bin }) => bin !== null)
  const without = rows.filter(({ bin }) => bin === null)
  const filled: FlowsRow[] = []
  let next: number | null = null
  for (const row of timed) {
    const at = Date.parse(String(row['bin']))
    for (; next !== null && next < at && filled.length < binsMost; next += width) filled.push(empty(next, measures))
    filled.push(row)
    next = at + width
  }
  const all = [...filled, ...without]
  const { order, limit = null } = request
  const by = order === undefined ? 'start' : orderOf(order)
  const sorted = by === 'start' ? all : ranked(all, by, direction(by) === 'DESC')
  return { rows: limit === null ? sorted : sorted.slice(0, limit), total: all.length }
}

function empty(ms: number, measures: readonly string[]): FlowsRow {
  const bin = new Date(ms).toISOString().replace('.000Z', 'Z')
  return Object.fromEntries([['bin', bin], ...measures.map(name => [name, 0] as const)])
}

/** What is unknown comes last; of equal ones the earlier first, for they come in the order of time. */
function ranked(rows: readonly FlowsRow[], by: string, descending: boolean): FlowsRow[] {
  return [...rows].sort((a, b) => compared(a[by] ?? null, b[by] ?? null, descending))
}

function compared(a: Cell, b: Cell, descending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  const [x, y] = [BigInt(a), BigInt(b)]
  return x === y ? 0 : x < y === descending ? 1 : -1
}
