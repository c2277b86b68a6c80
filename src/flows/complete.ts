/** What can stand as the value of an option of `tidemark flows`, or in a field of a request: for shells and the workbench. */

import type { Completion, Completions } from '../filter/complete.ts'
import { thingOf } from '../filter/things.ts'
import { flowFields } from '../records/fields.ts'
import { packetFlowFields } from '../records/packet-fields.ts'
import { sensorFields } from '../records/sensor.ts'
import { countedNames, elementNames, elementPairs, orderNames, outputFormats, recordMeasures } from './names.ts'

/** The place of a value, by the option's long name. */
export const flowsPlaces = [
  ...(['stat', 'aggregate', 'order', 'output', 'distinct', 'percentile', 'bin', 'evidence', 'query'] as const),
] as const
export type FlowsPlace = (typeof flowsPlaces)[number]

export interface FlowsCompletionContext {
  /** Columns of the records; absent: every field that Tidemark knows. */
  columns?: ReadonlySet<string>
  /** Names of the saved queries of the case. */
  queries?: readonly string[]
}

/** How a value is written: one of `items`; those with commas between; or one, then `/` and one of `after`. */
export interface FlowsValues {
  items: Completion[]
  form: 'one' | 'list' | 'pair'
  after: Completion[]
}

/** The ways to go on at the cursor in the value of an option, the likely ones first; none where nothing fits. */
export function completeFlows(
  place: FlowsPlace,
  text: string,
  cursor: number,
  context: FlowsCompletionContext = {},
): Completions {
  const { items, form, after } = flowsValues(place, context)
  const head = text.slice(0, cursor)
  if (form === 'list') {
    const from = head.lastIndexOf(',') + 1
    const written = new Set(head.slice(0, from).split(','))
    const rest = items.filter(item => !written.has(item.text))
    return { from, to: cursor, items: beginning(rest, head.slice(from).trimStart()) }
  }
  const slash = head.lastIndexOf('/')
  const element = head.slice(0, Math.max(slash, 0)).replace(/:p$/, '').toLowerCase()
  if (form === 'pair' && items.some(item => item.text.toLowerCase() === element)) {
    const measures = beginning(after, head.slice(slash + 1))
    if (measures.length > 0) return { from: slash + 1, to: cursor, items: measures }
  }
  return { from: 0, to: cursor, items: beginning(items, head) }
}

function beginning(items: readonly Completion[], begin: string): Completion[] {
  return items.filter(item => item.text.toLowerCase().startsWith(begin.toLowerCase()))
}

/** All that can stand in a place. */
export function flowsValues(place: FlowsPlace, context: FlowsCompletionContext = {}): FlowsValues {
  const one = (items: Completion[]): FlowsValues => ({ items, form: 'one', after: [] })
  switch (place) {
    case 'stat':
      return { items: rankedElements(context), form: 'pair', after: orders() }
    case 'aggregate':
      return { items: groupingElements(context), form: 'list', after: [] }
    case 'distinct':
      return one(elements(context))
    case 'percentile':
      return one(recordMeasures.flatMap(name => [95, 99, 50].map(p => word(`${name}/${p}`, `${p} % do not exceed it`))))
    case 'order':
      return one(orders())
    case 'output':
      return one([...outputFormats, 'fmt:'].map(name => word(name)))
    case 'bin':
      return one(['1s', '10s', '30s', '1m', '5m', '10m', '15m', '1h', '6h', '1d'].map(width => word(width)))
    case 'evidence':
      return one([word('logs', 'records of flow logs'), word('packets', 'records of captures and nfcapd files')])
    case 'query':
      return one([...(context.queries ?? [])].sort().map(text => ({ text, kind: 'value' as const, detail: '' })))
  }
}

function word(text: string, detail = ''): Completion {
  return { text, kind: 'word', detail }
}

function orders(): Completion[] {
  return [...orderNames].map(([name, order]) => word(name, name === order ? '' : order))
}

/** nfdump's elements first, then every field; addresses as networks too. */
function elements(context: FlowsCompletionContext): Completion[] {
  const has = (name: string): boolean => context.columns === undefined || context.columns.has(name)
  const short = [...elementNames].filter(([, field]) => has(field))
  const fields = context.columns === undefined ? knownRecordFields : [...context.columns]
  const named = [
    ...short.map(([name, field]) => ({ text: name, field })),
    ...fields.filter(name => !name.startsWith('_')).map(name => ({ text: name, field: name })),
  ]
  const sensor = sensorFields.some(has) ? [word('sensor', 'who recorded it')] : []
  const isTold = ['srcport', 'dstport', 'protocol'].every(has)
  const port = isTold ? [word('server_port', "server's port, by number")] : []
  return [...named.flatMap(({ text, field }) => withNetworks(text, field)), ...sensor, ...port]
}

function withNetworks(text: string, field: string): Completion[] {
  const { title, kind } = thingOf(field.startsWith('_') ? text : field)
  const item: Completion = { text, kind: text === field ? 'field' : 'word', detail: title }
  if (kind !== 'address') return [item]
  return [item, word(`${text}4/24`, `IPv4 network, ${title}`), word(`${text}6/64`, `IPv6 network, ${title}`)]
}

const knownRecordFields: readonly string[] = [...new Set([...flowFields, ...packetFlowFields].map(({ name }) => name))]

function groupingElements(context: FlowsCompletionContext): Completion[] {
  return elements(context).filter(item => !countedNames.includes(item.text))
}

function rankedElements(context: FlowsCompletionContext): Completion[] {
  const has = (name: string): boolean => context.columns === undefined || context.columns.has(name)
  const pairs = [...elementPairs].filter(([, fields]) => fields.every(has))
  return [
    word('record', 'connections'),
    ...pairs.map(([name, fields]) => word(name, fields.join(' and '))),
    ...groupingElements(context),
  ]
}
