/** What stands at the ends of links, in words and as terms. No DOM here. */
import type { End, GraphAnswer, Link } from '../../../server/contract/graph.ts'
import { hostTerm, networkTerm, type Term } from '../../parts/term.ts'
import { countText } from '../../text.ts'

/** Whose ends they are: `node` of a host as such. */
export type Side = 'source' | 'port' | 'destination' | 'node'

const plural: Readonly<Record<Side, string>> = {
  source: 'senders',
  port: 'ports',
  destination: 'receivers',
  node: 'hosts',
}

export function endText(end: End, side: Side): string {
  if ('host' in end) return end.host
  if ('port' in end) return String(end.port)
  if ('network' in end) return `${end.network}: ${countText(end.hosts)} hosts`
  if ('others' in end) return `other (${countText(end.others)} ${plural[side]})`
  return side === 'port' ? 'no port' : 'no address'
}

/** @param named of what it is one, where that is not its side. */
export function endTerm(end: End, side: Side, named: Side = side): Term {
  const text = endText(end, named)
  if ('port' in end) return { text, filter: `port ${end.port}` }
  const term = 'host' in end ? hostTerm(end.host) : 'network' in end ? networkTerm(end.network) : null
  if (term === null) return { text, filter: null }
  if (side === 'source') return { ...term, text, filter: term.source! }
  if (side === 'destination') return { ...term, text, filter: term.destination! }
  return { ...term, text }
}

/** Both ends of a link at once; what is several or none cannot be asked for. */
export function linkTerm(from: Term, to: Term): Term {
  const text = `${from.text} → ${to.text}`
  return { text, filter: from.filter === null || to.filter === null ? null : `${from.filter} and ${to.filter}` }
}

/** A link with what stands at its ends. */
export interface Told {
  key: string
  from: Term
  to: Term
  link: Link
}

export function toldOf(
  links: readonly Link[],
  [from, to]: readonly [readonly End[], readonly End[]],
  [fromSide, toSide]: readonly [Side, Side],
): Told[] {
  return links.map(link => {
    const [a, b] = [from[link.from]!, to[link.to]!]
    const isNode = fromSide === 'node'
    return {
      key: `${fromSide} ${link.from} ${toSide} ${link.to}`,
      from: endTerm(a, isNode ? 'source' : fromSide, fromSide),
      to: endTerm(b, isNode ? 'destination' : toSide, toSide),
      link,
    }
  })
}

export function sankeyLinks(answer: GraphAnswer): Told[] {
  return [
    ...toldOf(answer.sent, [answer.sources, answer.ports], ['source', 'port']),
    ...toldOf(answer.received, [answer.ports, answer.destinations], ['port', 'destination']),
  ]
}

export function hostLinks(answer: GraphAnswer): Told[] {
  return toldOf(answer.between, [answer.nodes, answer.nodes], ['node', 'node'])
}
