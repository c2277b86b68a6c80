import { UserError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { Order } from './names.ts'
import { orderNames } from './names.ts'

/** Groups of time bins, where no number is given. */
export const groupsOfBins = 10

export function orderOf(text: string): Order {
  const order = orderNames.get(text.toLowerCase())
  if (order !== undefined) return order
  if (isDistinct(text)) return text.toLowerCase() as Order
  const near = nearest(text, [...orderNames.keys()])
  const hint = near === null ? `orders are ${[...new Set(orderNames.values())].join(', ')}` : `did you mean ${near}?`
  throw new UserError(`unknown order: ${text}`, { status: 2, hint })
}

/** Whether rows are ranked by how many different values they have of an element, `distinct_dstport`. */
export function isDistinct(text: string): boolean {
  return /^distinct_[a-z]\w*(\/\d{1,3})?$/i.test(text)
}

/** Times from the first, everything else from the largest. */
export function direction(order: Order): 'ASC' | 'DESC' {
  return order === 'start' || order === 'end' ? 'ASC' : 'DESC'
}
