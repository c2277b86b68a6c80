/** Who connected to whom, through what: from the left to the right. */
import { type SankeyLink, type SankeyNode, sankey, sankeyLinkHorizontal } from 'd3-sankey'
import { inlines, plainText, type Table, type Text } from '../block.ts'
import type { Element } from '../html-text.ts'
import { type Canvas, drawing, inBothLayouts, path, rect, round, words } from './svg.ts'

/** One way from the left to the right. */
export interface Way {
  from: Text
  via: Text
  to: Text
  /** How wide it is drawn; above zero. */
  weight: number
  /** The number of its colour. */
  colour: number
}

interface Node {
  key: string
  side: number
  label: Text
}
interface Link {
  colour: number
}

const name = 'who'
const nodeWidth = 10
const nodeHeight = 34

/** What stands on the left, in the middle and on the right. */
export type Heads = readonly [from: string, via: string, to: string]

/** The drawing in both layouts. */
export function whoDrawings(ways: readonly Way[], heads: Heads, title: string, description: string) {
  return inBothLayouts(canvas => whoDrawing(canvas, ways, heads, title, description))
}

function whoDrawing(canvas: Canvas, ways: readonly Way[], heads: Heads, title: string, description: string): Element {
  const { width } = canvas
  const nodes = new Map<string, Node>()
  const node = (side: number, label: Text): string => {
    const key = `${side} ${plainText(label)}`
    if (!nodes.has(key)) nodes.set(key, { key, side, label })
    return key
  }
  const links = ways.flatMap(({ from, via, to, weight, colour }) => {
    const [a, b, c] = [node(0, from), node(1, via), node(2, to)]
    return [
      { source: a, target: b, value: weight, colour },
      { source: b, target: c, value: weight, colour },
    ]
  })
  const most = [0, 1, 2].map(side => [...nodes.values()].filter(one => one.side === side).length)
  const height = Math.max(...most) * (nodeHeight + 22) + 62
  const graph = sankey<Node, Link>()
    .nodeId(one => one.key)
    .nodeAlign(one => one.side)
    .nodeWidth(nodeWidth)
    .nodePadding(26)
    .extent([
      [6, 50],
      [width - 6, height - 14],
    ])({ nodes: [...nodes.values()].map(one => ({ ...one })), links })
  const curve = sankeyLinkHorizontal<Node, Link>()
  return drawing(
    canvas,
    { name, title, height, description },
    words(6, 16, heads[0], { class: 'quiet' }),
    words(width / 2, 16, heads[1], { class: 'quiet', 'text-anchor': 'middle' }),
    words(width - 6, 16, heads[2], { class: 'quiet', 'text-anchor': 'end' }),
    ...graph.links.map(one => linkElement(one, curve(one) ?? '')),
    ...graph.nodes.flatMap(nodeElements),
  )
}

function linkElement({ width: breadth, colour }: SankeyLink<Node, Link>, d: string): Element {
  return path(d, { class: `link l${colour}`, 'stroke-width': round(Math.max(1.5, breadth ?? 1)) })
}

function nodeElements({ side, label, x0 = 0, x1 = 0, y0 = 0, y1 = 0 }: SankeyNode<Node, Link>): Element[] {
  const y = (y0 + y1) / 2 + 4
  const text =
    side === 2
      ? words(x0 - 8, y, label, { 'text-anchor': 'end', class: 'halo' })
      : side === 0
        ? words(x1 + 8, y, label, { class: 'halo' })
        : words((x0 + x1) / 2, y0 - 6, label, { 'text-anchor': 'middle', class: 'halo' })
  return [rect(x0, y0, x1 - x0, Math.max(1, y1 - y0), { class: 'node' }), text]
}

/** A table of the ways: what the widths stand for is a column of its own. */
export function whoTable(
  ways: readonly (Way & { cells: readonly Text[] })[],
  heads: Heads,
  columns: Table['columns'],
): Table {
  return {
    block: 'table',
    columns: [...heads.map(title => ({ title })), ...columns],
    rows: ways.map(({ from, via, to, cells }) => ({ cells: [inlines(from), inlines(via), inlines(to), ...cells] })),
    caption: 'Who connected to whom',
  }
}
