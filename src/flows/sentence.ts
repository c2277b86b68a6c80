import type { Filter } from '../filter/ast.ts'
import { explain } from '../filter/explain.ts'
import { countText, integerText } from '../net/counts.ts'
import { durationWords } from '../net/time.ts'
import { direction, orderOf } from './order.ts'
import type { Setting } from './plan.ts'
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
  if (order !== undefined) {
    const name = orderOf(order)
    parts.push(`${direction(name) === 'ASC' ? 'the first' : 'the largest'} ${name} first`)
  }
  if (bin_ms !== undefined) parts.push(binsOf(request, bin_ms))
  else if (limit !== undefined && limit !== null) parts.push(`at most ${countText(limit, 'row')}`)
  if (acceptedOnly && !isListing(request)) parts.push('bytes and packets of accepted records alone')
  if (collapsed !== null) parts.push('what several sensors saw counts once')
  const text = parts.join('; ')
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** Of time bins the limit is that of the groups; a series without groups has every bin. */
function binsOf({ by = [], stat, limit }: Setting['request'], bin_ms: number): string {
  const width = `in time bins of ${durationWords(bin_ms / 1000)}`
  const isGrouped = stat !== undefined || by.length > 0
  if (!isGrouped || limit === undefined || limit === null) return width
  return `${width}, of the ${limit === 1 ? 'largest group' : `${integerText(limit)} largest groups`}`
}
