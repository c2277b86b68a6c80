/** Where bands and hosts stand: the same answer is always drawn the same way. No DOM here. */
import { forceCenter, forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from 'd3-force'
import { sankey, sankeyLinkHorizontal } from 'd3-sankey'
import type { End, GraphAnswer, Link } from '../../../server/contract/graph.ts'
import type { Side } from './ends.ts'

export interface Bar {
  side: Exclude<Side, 'node'>
  end: End
  value: number
  x: number
  y: number
  width: number
  height: number
}

export interface Band {
  /** Place among the links of its kind. */
  key: string
  /** Colour: the place of its port. */
  port: number
  path: string
  breadth: number
}

interface OwnNode {
  id: string
  side: Bar['side']
  end: End
}
interface OwnLink {
  key: string
  port: number
}

const barWidth = 12

/** Only what moved something has a band. */
export function sankeyLayout(answer: GraphAnswer, width: number, height: number): { bars: Bar[]; bands: Band[] } {
  const nodes = new Map<string, OwnNode>()
  const node = (side: Bar['side'], ends: readonly End[], at: number): string => {
    const id = `${side} ${at}`
    nodes.set(id, { id, side, end: ends[at]! })
    return id
  }
  const moved = (links: readonly Link[]): Link[] => links.filter(({ value }) => Number(value) > 0)
  const links = [
    ...moved(answer.sent).map(({ from, to, value }) => ({
      source: node('source', answer.sources, from),
      target: node('port', answer.ports, to),
      ...{ value: Number(value), key: `source ${from} port ${to}`, port: to },
    })),
    ...moved(answer.received).map(({ from, to, value }) => ({
      source: node('port', answer.ports, from),
      target: node('destination', answer.destinations, to),
      ...{ value: Number(value), key: `port ${from} destination ${to}`, port: from },
    })),
  ]
  if (links.length === 0) return { bars: [], bands: [] }
  const columns = ['source', 'port', 'destination']
  const graph = sankey<OwnNode, OwnLink>()
    .nodeId(({ id }) => id)
    .nodeAlign(({ side }) => columns.indexOf(side))
    .nodeWidth(barWidth)
    .nodePadding(18)
    .extent([
      [170, 8],
      [width - 170, height - 8],
    ])({ nodes: [...nodes.values()], links })
  const curve = sankeyLinkHorizontal<OwnNode, OwnLink>()
  return {
    bars: graph.nodes.map(({ side, end, value = 0, x0 = 0, x1 = 0, y0 = 0, y1 = 0 }) => ({
      ...{ side, end, value, x: x0, y: y0, width: x1 - x0, height: Math.max(1, y1 - y0) },
    })),
    bands: graph.links.map(link => ({
      ...{ key: link.key, port: link.port, path: curve(link) ?? '' },
      breadth: Math.max(1, link.width ?? 1),
    })),
  }
}

export interface HostNode {
  end: End
  internal: boolean | null
  x: number
  y: number
  radius: number
  /** Sent and received. */
  value: number
}

export interface HostEdge {
  key: string
  from: HostNode
  to: HostNode
  width: number
}

const steps = 260

/** Nodes whose names have room: the largest first. @param widths of the names, as they are about. */
export function namedNodes(
  nodes: readonly HostNode[],
  widths: readonly number[],
  most: number,
  width: number,
): Set<HostNode> {
  const placed: { left: number; right: number; y: number }[] = []
  const named = new Set<HostNode>()
  nodes.forEach((node, at) => {
    if (named.size >= most) return
    const half = widths[at]! / 2
    const own = { left: node.x - half, right: node.x + half, y: node.y + node.radius }
    if (own.left < 0 || own.right > width) return
    if (placed.some(one => Math.abs(one.y - own.y) < 14 && one.left < own.right && own.left < one.right)) return
    placed.push(own)
    named.add(node)
  })
  return named
}

/** Nodes without a link that is listed are not drawn. */
export function hostsLayout(
  answer: GraphAnswer,
  width: number,
  height: number,
): { nodes: HostNode[]; edges: HostEdge[] } {
  const values = new Map<number, number>()
  for (const { from, to, value } of answer.between)
    for (const at of new Set([from, to])) values.set(at, (values.get(at) ?? 0) + Number(value))
  const most = Math.max(1, ...values.values())
  const known = [...values].sort(([, a], [, b]) => b - a)
  const nodes = known.map(([at, value], place) => ({
    ...{ at, end: answer.nodes[at]!, internal: answer.internal[at] ?? null, value },
    ...{ radius: 4 + 18 * Math.sqrt(value / most), x: 0, y: 0 },
    // Around the middle, the largest first: a fixed place to begin from.
    ...seed(place, width, height),
  }))
  const placeOf = new Map(nodes.map((node, place) => [node.at, place]))
  const links = answer.between
    .filter(({ from, to }) => from !== to)
    .map(({ from, to }) => ({ source: placeOf.get(from)!, target: placeOf.get(to)! }))
  forceSimulation(nodes)
    .force('link', forceLink(links).distance(70).strength(0.15))
    .force('charge', forceManyBody().strength(-140))
    .force('center', forceCenter(width / 2, height / 2))
    .force('x', forceX(width / 2).strength(0.06))
    .force('y', forceY(height / 2).strength((0.06 * width) / height))
    .force(
      'collide',
      forceCollide<HostNode>(({ radius }) => radius + 4),
    )
    .stop()
    .tick(steps)
  for (const node of nodes) {
    node.x = Math.max(node.radius + 4, Math.min(width - node.radius - 4, node.x))
    node.y = Math.max(node.radius + 4, Math.min(height - node.radius - 16, node.y))
  }
  const widest = Math.max(1, ...answer.between.map(({ value }) => Number(value)))
  const edges = answer.between.map(({ from, to, value }) => ({
    key: `node ${from} node ${to}`,
    ...{ from: nodes[placeOf.get(from)!]!, to: nodes[placeOf.get(to)!]! },
    width: 1 + 5 * Math.sqrt(Number(value) / widest),
  }))
  return { nodes, edges }
}

function seed(place: number, width: number, height: number): { x: number; y: number } {
  const angle = place * Math.PI * (3 - Math.sqrt(5))
  const far = 12 * Math.sqrt(place + 0.5)
  return { x: width / 2 + far * Math.cos(angle), y: height / 2 + far * Math.sin(angle) }
}
