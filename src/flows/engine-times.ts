/** Which times a filter asks for. */
import type { Node } from '../filter/ast.ts'

/** Times that records lie in; null: no bound. */
export interface TimeRange {
  from_us: bigint | null
  to_us: bigint | null
}

/** Above this number of ranges, one that holds all of them is asked for. */
const rangesMost = 8

/**
 * Times that every record that matches lies in, at least in part.
 *
 * @returns one range without bounds where any time may match.
 */
export function timesOf(node: Node): TimeRange[] {
  switch (node.kind) {
    case 'between':
      return [{ from_us: node.from_us, to_us: node.to_us }]
    case 'and':
      return node.nodes
        .map(timesOf)
        .reduce((some, more) => few(some.flatMap(a => more.map(b => within(a, b)))), [always])
    case 'or':
      return few(node.nodes.flatMap(timesOf))
    case 'test': {
      const { test } = node
      if (test.op !== 'compare' || test.value.type !== 'time') return [always]
      const { us } = test.value
      // What begins later ends later, and what ends earlier began earlier.
      if (test.comparator === '>' || test.comparator === '>=') return [{ from_us: us, to_us: null }]
      if (test.comparator === '<' || test.comparator === '<=') return [{ from_us: null, to_us: us }]
      return test.comparator === '=' ? [{ from_us: us, to_us: us }] : [always]
    }
    default:
      return [always]
  }
}

const always: TimeRange = { from_us: null, to_us: null }

function within(a: TimeRange, b: TimeRange): TimeRange {
  return {
    from_us: inOrder([a.from_us, b.from_us]).at(-1) ?? null,
    to_us: inOrder([a.to_us, b.to_us])[0] ?? null,
  }
}

function inOrder(times: readonly (bigint | null)[]): bigint[] {
  return times.filter(one => one !== null).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function few(ranges: TimeRange[]): TimeRange[] {
  if (ranges.some(({ from_us, to_us }) => from_us === null && to_us === null)) return [always]
  if (ranges.length <= rangesMost) return ranges
  const [from, to] = [ranges.map(({ from_us }) => from_us), ranges.map(({ to_us }) => to_us)]
  return [
    {
      from_us: from.includes(null) ? null : inOrder(from)[0]!,
      to_us: to.includes(null) ? null : inOrder(to).at(-1)!,
    },
  ]
}
