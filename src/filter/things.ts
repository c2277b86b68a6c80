/**
 * The things that a filter can test, one row each: grammar, SQL, English and completion all read this table.
 *
 * Rows marked `nfdump` are nfdump's, by its names (nfdump(1), 1.7.1). Every field of `records/fields.ts`, and every column that Tidemark does
 * not know, is a thing too, under its own name. Where `connections` are asked, the originator is the source.
 */

import type { ColumnType } from '../records/column.ts'
import { columnName, fieldNamed, flowFields } from '../records/fields.ts'
import { connectionFields, packetFlowFields } from '../records/packet-fields.ts'
import { sensorFields } from '../records/sensor.ts'
import type { Side } from './ast.ts'
import type { EnrichedWord } from './enriched-tables.ts'

/**
 * What a thing is compared with.
 * - `holds`: nothing, it holds or not. `protocol`: a number or IANA's name. `flags`: letters or a number. `choice`: one of `words`.
 * - `duration`: milliseconds, or a number with a unit.
 */
export type Kind = 'address' | 'number' | 'protocol' | 'flags' | 'time' | 'duration' | 'text' | 'choice' | 'holds'

export interface Thing {
  /** The first is the one that is printed. */
  names: readonly string[]
  kind: Kind
  nfdump: boolean
  /** Whether a word such as `src` can stand before it, and what is meant without one. */
  sides: readonly Side[]
  side: Side
  /** Columns by side, the first that a case has; of `either` and `both` those of their ends. */
  columns: Partial<Record<Side, readonly string[]>>
  /** What English calls it. */
  title: string
  largest?: bigint
  /** Whether numbers may be large, and are printed with k, m, g, t. */
  counts?: boolean
  words?: readonly string[]
  /** What nfdump takes for a value that a record lacks; 0 without this. */
  absent?: bigint
  /** Of what the user's own files say of an address: the columns are those of the address. */
  enriched?: EnrichedWord
}

const u8 = 255n
const u16 = 65_535n
const u32 = 4_294_967_295n
const u64 = 18_446_744_073_709_551_615n
const ends: readonly Side[] = ['src', 'dst', 'either', 'both']

type Extra = Partial<Pick<Thing, 'largest' | 'counts' | 'words' | 'absent'>>

function withEnds(names: string[], kind: Kind, src: string[], dst: string[], title: string, extra: Extra = {}): Thing {
  return { names, kind, nfdump: true, sides: ends, side: 'either', columns: { src, dst }, title, ...extra }
}

function enriched(word: EnrichedWord, names: string[], kind: Kind, title: string, extra: Extra = {}): Thing {
  const { src, dst } = { src: ['srcaddr', 'orig_addr'], dst: ['dstaddr', 'resp_addr'] }
  return own({ ...withEnds(names, kind, src, dst, title, extra), enriched: word })
}

function whole(names: string[], kind: Kind, columns: string[], title: string, extra: Extra = {}): Thing {
  return { names, kind, nfdump: true, sides: ['whole'], side: 'whole', columns: { whole: columns }, title, ...extra }
}

function own(thing: Thing): Thing {
  return { ...thing, nfdump: false }
}

function ways(name: string, title: string): Thing {
  const columns = { in: [name, `orig_${name}`], out: [`out_${name}`, `resp_${name}`] } as const
  const sides: readonly Side[] = ['in', 'out']
  return { names: [name], kind: 'number', nfdump: true, sides, side: 'in', columns, title, largest: u64, counts: true }
}

export const things: readonly Thing[] = [
  withEnds(['ip', 'host'], 'address', ['srcaddr', 'orig_addr'], ['dstaddr', 'resp_addr'], 'address'),
  withEnds(['net'], 'address', ['srcaddr', 'orig_addr'], ['dstaddr', 'resp_addr'], 'address'),
  own(
    withEnds(
      ['address'],
      'address',
      ['srcaddr', 'pkt_srcaddr'],
      ['dstaddr', 'pkt_dstaddr'],
      'address (or that in the packet)',
    ),
  ),
  withEnds(['port'], 'number', ['srcport', 'orig_port'], ['dstport', 'resp_port'], 'port', { largest: u16 }),
  whole(['proto', 'protocol'], 'protocol', ['protocol'], 'protocol', { largest: u8 }),
  whole(['flags'], 'flags', ['tcp_flags'], 'set of TCP flags', { largest: u8 }),
  ways('packets', 'packet count'),
  ways('bytes', 'byte count'),
  whole(['flows'], 'number', ['flows'], 'flow count', { largest: u64, counts: true, absent: 1n }),
  whole(['duration'], 'duration', ['start', 'end'], 'duration', { largest: u64 }),
  whole(['bps'], 'number', ['bytes', 'start', 'end'], 'rate in bits per second', { largest: u64, counts: true }),
  whole(['pps'], 'number', ['packets', 'start', 'end'], 'rate in packets per second', { largest: u64, counts: true }),
  whole(['bpp'], 'number', ['bytes', 'packets'], 'size in bytes per packet', { largest: u64, counts: true }),
  whole(['first seen'], 'time', ['start'], 'first packet'),
  whole(['last seen'], 'time', ['end'], 'last packet'),
  whole(['inet', 'ipv4'], 'holds', ['srcaddr', 'dstaddr'], 'both addresses are IPv4'),
  whole(['inet6', 'ipv6'], 'holds', ['srcaddr', 'dstaddr'], 'both addresses are IPv6'),
  own(withEnds(['internal'], 'holds', ['srcaddr', 'orig_addr'], ['dstaddr', 'resp_addr'], 'internal')),
  own(withEnds(['external'], 'holds', ['srcaddr', 'orig_addr'], ['dstaddr', 'resp_addr'], 'external')),
  enriched('country', ['country'], 'text', 'country'),
  enriched('asn', ['asn'], 'number', 'AS number', { largest: u32 }),
  enriched('as_org', ['as-org', 'as_org'], 'text', 'AS organization'),
  enriched('aws_service', ['aws-service', 'aws_service'], 'text', 'AWS service'),
  enriched('network', ['network'], 'text', 'network'),
  enriched('list', ['list'], 'text', 'list'),
  own(whole(['action'], 'choice', ['action'], 'action', { words: ['ACCEPT', 'REJECT'] })),
  own(whole(['sensor'], 'text', [...sensorFields], 'sensor')),
  own(whole(['service'], 'text', ['_service'], 'service')),
  own(whole(['role'], 'choice', ['_role'], 'role of the source', { words: ['client', 'server'] })),
  whole(['flowdir', 'dir'], 'choice', ['flow_direction'], 'packet direction', { words: ['ingress', 'egress'] }),
  whole(['icmp-type'], 'number', ['icmp_type'], 'ICMP type', { largest: u8 }),
  whole(['icmp-code'], 'number', ['icmp_code'], 'ICMP code', { largest: u8 }),
  {
    ...withEnds(['tos'], 'number', ['src_tos', 'tos'], ['dst_tos'], 'type of service', { largest: u8 }),
    side: 'src',
  },
  withEnds(['vlan'], 'number', ['src_vlan', 'vlan'], ['dst_vlan', 'vlan'], 'VLAN', { largest: u16 }),
  withEnds(['mask'], 'number', ['src_mask'], ['dst_mask'], 'mask length', { largest: u8 }),
  {
    ...withEnds(['as'], 'number', ['src_as'], ['dst_as'], 'AS', { largest: u32 }),
    sides: [...ends, 'prev', 'next'],
    columns: { src: ['src_as'], dst: ['dst_as'], prev: ['prev_as'], next: ['next_as'] },
  },
  {
    ...withEnds(['if'], 'number', [], [], 'interface number', { largest: u32 }),
    sides: ['in', 'out', 'either'],
    columns: { in: ['input_if'], out: ['output_if'] },
  },
  whole(['next ip'], 'address', ['next_hop'], 'next hop'),
  whole(['bgpnext ip'], 'address', ['bgp_next_hop'], 'BGP next hop'),
  whole(['router ip'], 'address', ['router'], 'exporting router'),
  whole(['engine-type'], 'number', ['engine_type'], 'engine type', { largest: u8 }),
  whole(['engine-id'], 'number', ['engine_id'], 'engine id', { largest: u8 }),
  whole(['sysid'], 'number', ['exporter_id'], 'exporter', { largest: u8 }),
  whole(['fwdstat'], 'number', ['forwarding_status'], 'forwarding status', { largest: u8 }),
]

/** nfdump's words for what no flow record here holds. */
export const unsupported: readonly string[] = [
  ...[
    'ace',
    'acl',
    'app',
    'asa',
    'client',
    'count',
    'egress',
    'exporter',
    'flowlabel',
    'geo',
    'ident',
    'ingress',
    'ja3',
    'mac',
  ],
  ...[
    'mpls',
    'nat',
    'nfversion',
    'nip',
    'nport',
    'observation',
    'payload',
    'pblock',
    'pf',
    'server',
    'tun',
    'tunip',
    'vrf',
    'xace',
  ],
  ...['xevent', 'xip', 'xnet', 'xport'],
]

const byName = new Map(things.flatMap(thing => thing.names.map(name => [name, thing] as const)))

const kinds: Record<ColumnType, [Kind, bigint]> = {
  u8: ['number', u8],
  u16: ['number', u16],
  u64: ['number', u64],
  time: ['time', 0n],
  address: ['address', 0n],
  id: ['text', 0n],
  text: ['text', 0n],
}

/** Fields of flow records and connections made of packets. */
const packetTypes = new Map<string, ColumnType>(
  [...connectionFields, ...packetFlowFields].map(({ name, type }) => [name, type]),
)
/** Where a record is. */
const placeTypes = new Map<string, ColumnType>([
  ['_file', 'u64'],
  ['_line', 'u64'],
])

/** Every field that Tidemark knows, of whatever record. */
export const knownFields: readonly string[] = [
  ...new Set([...flowFields.map(field => field.name), ...packetTypes.keys()]),
]
const known = new Set(knownFields)

/** The thing that nfdump or we call so; undefined for a field's name. */
export function thingNamed(name: string): Thing | undefined {
  return byName.get(name)
}

/** The thing of that name: of the table, else the field, else a column that Tidemark does not know, which is text. */
export function thingOf(name: string): Thing {
  const thing = byName.get(name)
  if (thing !== undefined) return thing
  const field = fieldNamed(name)
  const type = field?.type ?? packetTypes.get(name) ?? placeTypes.get(name) ?? 'text'
  const [kind, largest] = kinds[type]
  const extra = { largest, counts: type === 'u64' }
  return { ...whole([name], kind, [name], titleOf(name, field?.title), extra), nfdump: false }
}

function titleOf(name: string, title: string | undefined): string {
  if (title === undefined || title.includes(':')) return `field ${name}`
  return /^[A-Z][a-z ]/.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title
}

/** The name of a field, also in AWS's spelling with `-`; null for what is not one. */
export function fieldName(word: string, columns: ReadonlySet<string>): string | null {
  for (const name of [word, columnName(word)]) if (known.has(name) || columns.has(name)) return name
  return null
}

/** The sides that a side stands for, and how they are joined. */
export function endsOf(thing: Thing, side: Side): { sides: readonly Side[]; every: boolean } {
  if (side !== 'either' && side !== 'both') return { sides: [side], every: true }
  return { sides: thing.sides.includes('src') ? ['src', 'dst'] : ['in', 'out'], every: side === 'both' }
}

/** A side as it is written. */
export function sideWords(side: Side): string {
  return side === 'either' ? 'src or dst' : side === 'both' ? 'src and dst' : side
}
