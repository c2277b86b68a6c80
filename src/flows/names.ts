/** Words that a request is written with: nfdump's and ours for elements, orders, formats. */

import { type EnrichedWord, enrichedWords } from '../filter/enriched-tables.ts'

/** What rows can be ranked by; names of nfdump's `-O` are taken as well. */
export type Order =
  | ('records' | 'packets' | 'bytes' | 'pps' | 'bps' | 'bpp' | 'start' | 'end' | 'duration')
  | WayBack
  | `distinct_${string}`

/** Of bidirectional rows: the way back. */
type WayBack = 'out_packets' | 'out_bytes'

/** nfdump's names of elements to our fields, and what is worked out of connections. */
const elements = {
  srcip: 'srcaddr',
  dstip: 'dstaddr',
  proto: 'protocol',
  srctos: 'tos',
  srcvlan: 'vlan',
  inif: 'input_if',
  outif: 'output_if',
  srcas: 'src_as',
  dstas: 'dst_as',
  next: 'next_hop',
  nhip: 'next_hop',
  dir: 'flow_direction',
  flags: 'tcp_flags',
  role: '_role',
  service: '_service',
} as const

export type Elements = typeof elements
export const elementNames: ReadonlyMap<string, string> = new Map(Object.entries(elements))

/** What the user's own files say of an address, as elements: of the source, of the destination, and, without a word, of both. */
export function enrichedElement(
  text: string,
): { word: EnrichedWord; ends: readonly ('src' | 'dst')[]; name: string } | null {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/[ -]/g, '_')
    .replace(/^(src|dst)_?(?=country$|asn$|aws_|list$|network$)/, '$1_')
  const [, end, rest] = /^(?:(src|dst)_)?(.+)$/.exec(name) ?? []
  const word = enrichedWords.find(one => one === rest)
  if (word === undefined) return null
  return { word, ends: end === undefined ? ['src', 'dst'] : [end as 'src' | 'dst'], name }
}

/** Elements that are at either end of a record, which then counts for both. */
export const elementPairs: ReadonlyMap<string, readonly [string, string]> = new Map(
  Object.entries<[string, string]>({
    ip: ['srcaddr', 'dstaddr'],
    port: ['srcport', 'dstport'],
    as: ['src_as', 'dst_as'],
    if: ['input_if', 'output_if'],
    pkt_ip: ['pkt_srcaddr', 'pkt_dstaddr'],
  }),
)

const orders = {
  ...{ flows: 'records', records: 'records', packets: 'packets', ipkg: 'packets', bytes: 'bytes', ibyte: 'bytes' },
  ...{ pps: 'pps', ipps: 'pps', bps: 'bps', ibps: 'bps', bpp: 'bpp', ibpp: 'bpp', duration: 'duration' },
  ...{ tstart: 'start', start: 'start', tend: 'end', end: 'end' },
  ...{ opkg: 'out_packets', out_packets: 'out_packets', obyte: 'out_bytes', out_bytes: 'out_bytes' },
} as const satisfies Record<string, Order>

/** What a request can be ordered by: our names, and nfdump's. */
export type OrderName = keyof typeof orders | `distinct_${string}`

/** nfdump's names of orders to ours. */
export const orderNames: ReadonlyMap<string, Order> = new Map(Object.entries(orders))

/** Numbers of one record, of which percentiles can be taken. */
export const recordMeasures = ['bytes', 'packets', 'duration', 'bps', 'pps', 'bpp'] as const
export type RecordMeasure = (typeof recordMeasures)[number]

/** What a group counts of every record: nothing that can be grouped by at the same time. */
export const countedNames: readonly string[] = ['records', 'rejected', 'packets', 'bytes', 'start', 'end']

/** nfdump's formats, one line a row. */
export const lineFormats = ['line', 'long', 'extended', 'biline', 'bilong', 'raw'] as const
export type LineFormatName = (typeof lineFormats)[number]

/** Formats that have a name; `lines` is the text of the evidence; `fmt:…` is one of one's own. */
export const outputFormats: readonly string[] = ['table', 'json', 'csv', 'ndjson', 'lines', ...lineFormats]
