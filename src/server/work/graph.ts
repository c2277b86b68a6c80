/** Answers: who sent how much to whom. */

import { flowsMeaning } from '../../flows/explain.ts'
import { formatAddress, parseAddress } from '../../net/address.ts'
import { isInternal } from '../../net/internal.ts'
import { type Prefix, parsePrefix } from '../../net/prefix.ts'
import type { Case } from '../../store/case.ts'
import type { WorkContext } from '../answering.ts'
import { flowsCommand } from '../command-line.ts'
import type { End, GraphAnswer, GraphAsk } from '../contract/graph.ts'
import { windowRequest } from '../window-filter.ts'
import { isAll, timelineOf, viewOf, windowOf } from './time-index.ts'

/** Sources, ports and destinations that have a band of their own. */
const top = 12
/** With one for all others, and one for records without addresses, 150 nodes at most. */
const nodesMost = { hosts: 104, networks: 44 }
const linksMost = 300

/** Null where the index is not there yet. */
export async function graphAnswer(c: Case, asked: GraphAsk, { signal }: WorkContext): Promise<GraphAnswer | null> {
  const timeline = await timelineOf(c)
  if (timeline === null) return null
  const view = await viewOf(timeline, asked.view, signal)
  const window = isAll(asked.window) ? null : windowOf(timeline, asked.window)
  const { measure, open } = asked
  const links = await view.links(window, { ...{ measure, open, top, links: linksMost }, ...nodesMost, signal })
  const own = asked.view.own.flatMap(text => parsePrefix(text) ?? [])
  const by = ['srcip', 'server_port', 'dstip']
  const request = { ...windowRequest(c, asked.view, asked.window), by, order: measure, limit: 100 } as const
  const { sentence, sql } = await flowsMeaning(c, request, { signal, files: false })
  return {
    ...links,
    internal: links.nodes.map(node => isOwn(node, own)),
    asked: { sentence, sql, command: flowsCommand(c, request) },
  }
}

function isOwn(end: End, own: readonly Prefix[]): boolean | null {
  if ('host' in end) {
    const address = parseAddress(end.host)
    return address === null ? null : isInternal(address, own)
  }
  const prefix = 'network' in end ? parsePrefix(end.network) : null
  if (prefix === null) return null
  const { hi, lo } = prefix.first
  const address = parseAddress(formatAddress(hi, lo))
  return address === null ? null : isInternal(address, own)
}
