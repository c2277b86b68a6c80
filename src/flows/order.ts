import { UserError } from '../errors.ts'
import { nearest } from '../filter/nearest.ts'
import type { Order } from './request.ts'

/** nfdump's names of orders to ours. */
const orders: Record<string, Order> = {
  ...{ flows: 'records', records: 'records', packets: 'packets', ipkg: 'packets', bytes: 'bytes', ibyte: 'bytes' },
  ...{ pps: 'pps', ipps: 'pps', bps: 'bps', ibps: 'bps', bpp: 'bpp', ibpp: 'bpp', duration: 'duration' },
  ...{ tstart: 'start', start: 'start', tend: 'end', end: 'end' },
  ...{ opkg: 'out_packets', out_packets: 'out_packets', obyte: 'out_bytes', out_bytes: 'out_bytes' },
}

export function orderOf(text: string): Order {
  const order = orders[text.toLowerCase()]
  if (order !== undefined) return order
  const near = nearest(text, Object.keys(orders))
  const hint = near === null ? `orders are ${[...new Set(Object.values(orders))].join(', ')}` : `did you mean ${near}?`
  throw new UserError(`unknown order: ${text}`, { status: 2, hint })
}

/** Times from the first, everything else from the largest. */
export function direction(order: Order): 'ASC' | 'DESC' {
  return order === 'start' || order === 'end' ? 'ASC' : 'DESC'
}
