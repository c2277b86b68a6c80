/** Hosts and networks, and what they sent each other. */
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import type { GraphAnswer } from '../../../server/contract/graph.ts'
import { openMenu } from '../../parts/menu.tsx'
import { visible } from '../../text.ts'
import { endTerm, endText, hostLinks, linkTerm } from './ends.ts'
import { type HostEdge, type HostNode, hostsLayout, namedNodes } from './layout.ts'

interface Props {
  answer: GraphAnswer
  width: number
  short: (value: number | string) => string
  told: (link: { value: number | string | null; records: number }) => string
  open: (network: string) => void
}

const height = 640
/** Nodes that bear their names at most; the others have them in their tooltips. */
const named = 40

export function HostMap({ answer, width, short, told, open }: Props): JSX.Element {
  const { nodes, edges } = useMemo(() => hostsLayout(answer, width, height), [answer, width])
  const names = useMemo(
    () =>
      namedNodes(
        nodes,
        nodes.map(({ end }) => 7 * endText(end, 'node').length),
        named,
        width,
      ),
    [nodes],
  )
  const links = useMemo(() => new Map(hostLinks(answer).map(link => [link.key, link])), [answer])
  return (
    <svg
      width={width}
      height={height}
      role="img"
      aria-label="Hosts, and what they sent each other. The table has the numbers."
    >
      <defs>
        <marker
          id="graph-arrow"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="8"
          markerHeight="8"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path class="arrow" d="M0 0L8 4L0 8z" />
        </marker>
      </defs>
      {edges.map(edge => {
        const link = links.get(edge.key)!
        return (
          <path
            key={edge.key}
            class="edge"
            d={edgePath(edge)}
            stroke-width={edge.width}
            marker-end="url(#graph-arrow)"
            onClick={event => openMenu(linkTerm(link.from, link.to), event.currentTarget)}
          >
            <title>{`${visible(link.from.text)} → ${visible(link.to.text)}: ${told(link.link)}`}</title>
          </path>
        )
      })}
      {nodes.map(node => (
        <NodeOf
          key={visible(endTerm(node.end, 'node').text)}
          node={node}
          isNamed={names.has(node)}
          short={short}
          open={open}
        />
      ))}
    </svg>
  )
}

interface NodeProps extends Pick<Props, 'short' | 'open'> {
  node: HostNode
  isNamed: boolean
}

function NodeOf({ node, isNamed, short, open }: NodeProps): JSX.Element {
  const { end, x, y, radius, internal, value } = node
  const term = endTerm(end, 'node')
  const text = visible(term.text)
  const where = internal === null ? '' : internal ? ', internal' : ', external'
  return (
    <g
      class={`node ${internal === null ? 'several' : internal ? 'internal' : 'external'}${'host' in end ? '' : ' group'}`}
      onClick={event => ('network' in end ? open(end.network) : openMenu(term, event.currentTarget))}
      onContextMenu={event => {
        event.preventDefault()
        openMenu(term, event.currentTarget)
      }}
    >
      <title>{`${text}${where}: ${short(value)} sent and received${'network' in end ? '. A click shows its hosts.' : ''}`}</title>
      {internal === true ? (
        <rect x={x - radius} y={y - radius} width={2 * radius} height={2 * radius} />
      ) : (
        <circle cx={x} cy={y} r={radius} />
      )}
      {isNamed && (
        <text x={x} y={y + radius + 12} text-anchor="middle">
          {text}
        </text>
      )}
    </g>
  )
}

/** A little bent, so that there and back are two; a link to itself is a loop. */
function edgePath({ from, to }: HostEdge): string {
  const at = (value: number): string => value.toFixed(1)
  if (from === to) {
    const [x, y, r] = [from.x, from.y - from.radius, from.radius + 6]
    return `M${at(x - 4)} ${at(y)}C${at(x - r)} ${at(y - r)} ${at(x + r)} ${at(y - r)} ${at(x + 4)} ${at(y)}`
  }
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  const length = Math.hypot(dx, dy) || 1
  const [ux, uy] = [dx / length, dy / length]
  const start = [from.x + ux * from.radius, from.y + uy * from.radius] as const
  const end = [to.x - ux * (to.radius + 2), to.y - uy * (to.radius + 2)] as const
  const bend = Math.min(24, length / 8)
  const middle = [(start[0] + end[0]) / 2 - uy * bend, (start[1] + end[1]) / 2 + ux * bend] as const
  return `M${at(start[0])} ${at(start[1])}Q${at(middle[0])} ${at(middle[1])} ${at(end[0])} ${at(end[1])}`
}
