import type { Filter } from '../filter/ast.ts'
import { explain } from '../filter/explain.ts'
import { countText, integerText } from '../net/counts.ts'
import { durationWords } from '../net/time.ts'
import type { OrderName } from './names.ts'
import { direction, groupsOfBins, orderOf } from './order.ts'
import type { Setting } from './plan.ts'
import type { FlowsRequest } from './request.ts'
import { isListing } from './settle.ts'

/** What a request means, in English. It holds the user's text; whoever shows it makes it visible. */
export function sentenceOf(filter: Filter, s: Setting): string {
  const what = explain(filter)
  const how = howOf(s)
  return how === '' ? what : `${what} ${how}`
}

function howOf({ request, acceptedOnly, collapsed }: Setting): string {
  const { by, stat, bidirectional, order, limit, bin_ms } = request
  const parts: string[] = []
  if (bidirectional) parts.push('both directions of each connection together')
  if (stat !== undefined) parts.push(`ranked by ${stat.element}${stat.perProtocol === true ? ' and protocol' : ''}`)
  else if (by !== undefined && by.length > 0) parts.push(`grouped by ${by.join(', ')}`)
  else if (by !== undefined) parts.push('summed up')
  const binned = bin_ms === undefined ? null : binsOf(request, bin_ms)
  if (order !== undefined && binned?.groups !== true) parts.push(`${rankOf(order)} first`)
  if (binned !== null) parts.push(binned.text)
  if (limit !== undefined && limit !== null && binned?.groups !== true) parts.push(`at most ${countText(limit, 'row')}`)
  if (acceptedOnly && !isListing(request)) parts.push('bytes and packets of accepted records alone')
  if (collapsed !== null) parts.push('what several sensors saw counts once')
  const text = parts.join('; ')
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** `most bytes`, `earliest start`. */
function rankOf(order: OrderName): string {
  const name = orderOf(order)
  if (direction(name) === 'ASC') return `earliest ${name}`
  const what = /^distinct_/.test(name) ? `different ${name.slice('distinct_'.length)}` : name
  return `${isRate(name) ? 'highest' : name === 'duration' ? 'longest' : 'most'} ${what}`
}

function isRate(name: string): boolean {
  return name === 'bps' || name === 'pps' || name === 'bpp'
}

/** Of time bins of groups, limit and order choose the groups; of a series they are those of the bins. */
function binsOf({ by = [], stat, limit, order }: FlowsRequest, bin_ms: number): { text: string; groups: boolean } {
  const width = `in time bins of ${durationWords(bin_ms / 1000)}`
  const groups = stat !== undefined || by.length > 0
  const most = limit === undefined && order !== undefined ? groupsOfBins : limit
  if (!groups || most === undefined || most === null) return { text: width, groups }
  const number = most === 1 ? '' : `${integerText(most)} `
  const noun = most === 1 ? 'group' : 'groups'
  const which = order === undefined ? `${number}largest ${noun}` : `${number}${noun} with ${rankOf(order)}`
  return { text: `${width}, of the ${which}`, groups }
}
