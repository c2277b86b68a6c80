/** The questions of `tidemark flows` that have the figures of a view. */
import { beginsWithin, readWithin } from '../filter/within.ts'
import type { FlowsRequest } from '../flows/request.ts'
import type { Order } from './figures.ts'
import type { Window } from './parts.ts'

/** A question for each list. What a host sent and received stands in two of its own. */
export type RequestOf = Record<
  'totals' | 'hosts' | 'sent' | 'received' | 'ports' | 'sensors' | 'actions' | 'protocols' | 'rows',
  FlowsRequest
>

export function requestsOf(view: FlowsRequest, window: Window | null, order: Order, top: number): RequestOf {
  const filter = filterIn(view, window)
  const base: FlowsRequest = { ...view, ...(filter !== undefined && { filter }) }
  const list = { ...base, order, limit: top }
  const { raw: _, ...listing } = base
  return {
    totals: { ...base, by: [] },
    hosts: { ...list, stat: { element: 'ip' } },
    sent: { ...list, by: ['srcip'] },
    received: { ...list, by: ['dstip'] },
    ports: { ...list, by: ['server_port'] },
    sensors: { ...base, order, limit: null, by: ['sensor'] },
    actions: { ...base, order, limit: null, by: ['action'] },
    protocols: { ...base, order, limit: null, by: ['proto'] },
    rows: { ...listing, order: 'start' },
  }
}

function filterIn({ filter }: FlowsRequest, window: Window | null): FlowsRequest['filter'] {
  if (window === null) return filter
  const begin = { from_us: BigInt(window.from_s) * 1_000_000n, to_us: BigInt(window.to_s) * 1_000_000n }
  return typeof filter === 'object' ? readWithin(filter, begin) : beginsWithin(filter ?? '', begin)
}
