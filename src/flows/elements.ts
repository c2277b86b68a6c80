/** What rows can be grouped by and ranked over: nfdump's elements by its names, and every field. */

import { UserError } from '../errors.ts'
import { saidOf } from '../filter/enriched-condition.ts'
import type { EnrichedWord } from '../filter/enriched-tables.ts'
import { destinationOfNfdump } from '../filter/numbers.ts'
import { fieldName, thingOf } from '../filter/things.ts'
import { nearest } from '../nearest.ts'
import { parsePrefix } from '../net/prefix.ts'
import { SCTP, TCP, UDP } from '../net/protocols.ts'
import {
  all,
  among,
  call,
  choose,
  column,
  constant,
  firstKnown,
  isKnown,
  leadingBits,
  masked,
  not,
  unknown,
} from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'
import type { DataType } from '../query/types.ts'
import { sensorFields } from '../records/sensor.ts'
import { elementNames, elementPairs, enrichedElement } from './names.ts'
import type { ColumnType } from './request.ts'
import type { Records } from './source.ts'

/** An element as a column: its name in the answer, and its value for a record. */
export interface Element {
  name: string
  type: ColumnType
  value: Expression
  /** Length of the prefix, of 128 bits. */
  length: number | null
  /** Fields that it is of, whether or not the records have them. */
  fields: readonly string[]
}

/** What names a connection, as nfdump has it. */
export const connectionElements = ['srcip', 'dstip', 'srcport', 'dstport', 'proto'] as const

/** One element, or for `ip`, `port`, `as`, `if` the two of which each record has both. */
export function elementsOf(text: string, records: Records): readonly Element[] {
  const said = enrichedElement(text)
  if (said !== null) return said.ends.map(end => saidElement(said.word, end, said.name, records))
  const pair = elementPairs.get(text.toLowerCase())
  if (pair === undefined) return [elementOf(text, records)]
  const name = text.toLowerCase()
  return pair.map(field => ({ ...elementOf(field, records), name }))
}

/** @throws UserError if nothing is called so. */
export function elementOf(text: string, records: Records): Element {
  const word = text.trim()
  const masked = /^([a-z_]+?)([46])?\/(\d{1,3})$/i.exec(word)
  if (masked !== null) return prefixElement(masked, word, records)
  const said = enrichedElement(word)
  if (said !== null) {
    if (said.ends.length > 1) throw oneEndOnly(said.name)
    return saidElement(said.word, said.ends[0]!, said.name, records)
  }
  if (word.toLowerCase() === 'sensor') return sensorElement(records)
  if (word.toLowerCase() === 'server_port') return serverPortElement(records)
  const lower = word.toLowerCase()
  const field = elementNames.get(lower) ?? fieldName(word, records.columns) ?? fieldName(lower, records.columns)
  if (field === null) throw unknownElement(word, records)
  return fieldElement(field, records)
}

function fieldElement(field: string, records: Records): Element {
  const type = typeOf(field)
  return {
    name: field.replace(/^_(role|service)$/, '$1'),
    type,
    value: fieldValue(field, type, records),
    length: null,
    fields: [field],
  }
}

/** What the user's own files say of one end of a record. */
function saidElement(word: EnrichedWord, end: 'src' | 'dst', name: string, records: Records): Element {
  const field = `${end}addr`
  const value = records.columns.has(field) ? saidOf(word, column(field), records.enriched) : unknown('text')
  const type = word === 'asn' ? 'integer' : 'text'
  return { name, type, value, length: null, fields: [field] }
}

function oneEndOnly(name: string): UserError {
  return new UserError(`of which end: ${name}`, {
    status: 2,
    hint: `write src_${name} or dst_${name}; -s ${name} counts both ends`,
  })
}

/** nfdump's address of a record that has none. */
const zeroAddress = constant(parsePrefix('0.0.0.0')!.first, 'address')

/** The value of a field: unknown where no record has it, and as nfdump has it 0. */
function fieldValue(field: string, type: ColumnType, { columns, nfdump }: Records): Expression {
  const own = columns.has(field) ? column(field) : null
  if (type === 'address') {
    if (own === null) return nfdump ? zeroAddress : unknown('address')
    return nfdump ? firstKnown(own, zeroAddress) : own
  }
  if (type !== 'integer' || !nfdump) return own ?? unknown(dataTypes[type])
  const number = own === null ? constant(0) : firstKnown(own, constant(0))
  return field === 'dstport' && columns.has('icmp_type') ? destinationOfNfdump(number) : number
}

const dataTypes: Record<ColumnType, DataType> = {
  integer: 'u64',
  time: 'time',
  text: 'text',
  address: 'address',
  prefix: 'address',
}

function typeOf(field: string): ColumnType {
  if (field === '_line' || field === '_file') return 'integer'
  const { kind } = thingOf(field)
  if (kind === 'address' || kind === 'time') return kind
  return kind === 'number' || kind === 'protocol' || kind === 'flags' || kind === 'duration' ? 'integer' : 'text'
}

function sensorElement(records: Records): Element {
  const fields = sensorFields.filter(name => records.columns.has(name))
  const value = fields.length === 0 ? unknown('text') : firstKnown(...fields.map(name => column(name)))
  return { name: 'sensor', type: 'text', value, length: null, fields }
}

/**
 * The port that is the server's by number alone, where nobody has judged who connected: of the lower tier (rule 6 of
 * docs/reference/dossier.md), in one tier the lower one. The tiers are stretches of numbers, so that it is the lower of both.
 */
function serverPortElement({ columns }: Records): Element {
  const fields = ['srcport', 'dstport', 'protocol']
  const isKnownToBe = all([
    among(
      column('protocol'),
      [TCP, UDP, SCTP].map(one => constant(one)),
    ),
    isKnown(column('srcport')),
    isKnown(column('dstport')),
  ])
  const value = fields.every(name => columns.has(name))
    ? choose([[isKnownToBe, call('least', column('srcport'), column('dstport'))]])
    : unknown('u64')
  return { name: 'server_port', type: 'integer', value, length: null, fields }
}

/** `srcip4/24`: IPv4 addresses cut to 24 bits, null for others; `srcip6/64` the same for IPv6. */
function prefixElement(match: RegExpExecArray, text: string, records: Records): Element {
  const [, word, family, digits] = match as unknown as [string, string, string | undefined, string]
  const field = elementNames.get(word.toLowerCase()) ?? fieldName(word, records.columns)
  if (field === null || typeOf(field) !== 'address') {
    throw new UserError(`not an address: ${word}`, { status: 2, hint: 'a network is written srcip4/24 or dstip6/64' })
  }
  if (family === undefined) {
    throw new UserError(`ambiguous network: ${text}`, { status: 2, hint: `write ${word}4/${digits} or ${word}6/64` })
  }
  const bits = Number(digits)
  if (bits > (family === '4' ? 32 : 128)) {
    throw new UserError(`invalid length of a network: ${text}`, {
      status: 2,
      hint: `IPv4 has 32 bits, IPv6 128`,
    })
  }
  const length = family === '4' ? bits + 96 : bits
  const address = fieldValue(field, 'address', records)
  const name = `${field}_net${family}`
  return { name, type: 'prefix', value: network(address, family, length, records.nfdump), length, fields: [field] }
}

function network(address: Expression, family: string, length: number, nfdump: boolean): Expression {
  const { hi, lo } = leadingBits(length)
  const isFour = call('is-ipv4', address)
  const cut = masked(address, { hi, lo })
  if (nfdump) {
    // nfdump cuts the lower bits of either family, and keeps IPv4 in the lowest 32.
    const bits = (lo & 0xffff_ffffn) | 0xffff_0000_0000n
    return choose([[isFour, masked(address, { hi: 0n, lo: bits })]], cut)
  }
  // All addresses of IPv4 have the same upper half, zero: masks of it leave nothing to compute.
  return family === '4' ? choose([[isFour, masked(address, { hi: 0n, lo })]]) : choose([[not(isFour), cut]])
}

/** A name that is no element, and no field of the records that are asked. */
export class UnknownElement extends UserError {}

function unknownElement(word: string, records: Records): UserError {
  const all = [
    ...elementNames.keys(),
    ...elementPairs.keys(),
    'sensor',
    'server_port',
    'record',
    ...[...records.columns].filter(name => !name.startsWith('_')),
  ]
  const near = nearest(word, all)
  const hint =
    near === null ? 'elements are nfdump’s (srcip, dstport, srcip4/24, …) and every field' : `did you mean ${near}?`
  return new UnknownElement(`unknown element: ${word}`, { status: 2, hint })
}
