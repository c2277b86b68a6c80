import { UserError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { Order } from './names.ts'
import { orderNames } from './names.ts'

export function orderOf(text: string): Order {
  const order = orderNames.get(text.toLowerCase())
  if (order !== undefined) return order
  const near = nearest(text, [...orderNames.keys()])
  const hint = near === null ? `orders are ${[...new Set(orderNames.values())].join(', ')}` : `did you mean ${near}?`
  throw new UserError(`unknown order: ${text}`, { status: 2, hint })
}

/** Times from the first, everything else from the largest. */
export function direction(order: Order): 'ASC' | 'DESC' {
  return order === 'start' || order === 'end' ? 'ASC' : 'DESC'
}
