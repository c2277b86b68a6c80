/** What rows can be grouped by and ranked over: nfdump's elements by its names, and every field. */

import { UserError } from '../errors.ts'
import { nearest } from '../filter/nearest.ts'
import { fieldName, thingOf } from '../filter/things.ts'
import { sensorFields } from '../records/sensor.ts'
import { quotedName } from '../store/duckdb.ts'
import { elementNames, elementPairs } from './names.ts'
import type { ColumnType } from './request.ts'
import type { Records } from './source.ts'

/** An element as a column: its name in the answer, and SQL over the records. */
export interface Element {
  name: string
  type: ColumnType
  /** SQL of our own making. */
  sql: string
  /** Length of the prefix, of 128 bits. */
  length: number | null
  /** Columns of the records that it needs. */
  needs: readonly string[]
}

/** What names a connection, as nfdump has it. */
export const connectionElements = ['srcip', 'dstip', 'srcport', 'dstport', 'proto'] as const

/** One element, or for `ip`, `port`, `as`, `if` the two of which each record has both. */
export function elementsOf(text: string, records: Records): readonly Element[] {
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
  if (word.toLowerCase() === 'sensor') return sensorElement(records)
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
    sql: fieldSql(field, type, records),
    length: null,
    needs: [field],
  }
}

/** SQL for a field of a record: null where no record has it, and as nfdump has it 0. */
function fieldSql(field: string, type: ColumnType, records: Records): string {
  const { columns, nfdump } = records
  const quoted = quotedName(field)
  const present = columns.has(field)
  if (type === 'address') {
    const none = 'struct_pack(hi := 0::UBIGINT, lo := 281470681743360::UBIGINT)'
    if (!present) return nfdump ? none : '(NULL::STRUCT(hi UBIGINT, lo UBIGINT))'
    return nfdump ? `coalesce(${quoted}, ${none})` : quoted
  }
  if (type !== 'integer' || !nfdump) return present ? quoted : `NULL::${sqlTypes[type]}`
  const number = present ? `coalesce(${quoted}, 0)` : '0'
  if (field !== 'dstport' || !columns.has('icmp_type')) return number
  // nfdump keeps type and code of ICMP where the destination port of others is.
  return `CASE WHEN "protocol" IN (1, 58) AND "icmp_type" IS NOT NULL THEN "icmp_type"::USMALLINT * 256 + coalesce("icmp_code", 0) ELSE ${number} END`
}

const sqlTypes: Record<ColumnType, string> = {
  integer: 'UBIGINT',
  time: 'TIMESTAMP',
  text: 'VARCHAR',
  address: 'STRUCT(hi UBIGINT, lo UBIGINT)',
  prefix: 'STRUCT(hi UBIGINT, lo UBIGINT)',
}

function typeOf(field: string): ColumnType {
  if (field === '_line' || field === '_file') return 'integer'
  const { kind } = thingOf(field)
  if (kind === 'address' || kind === 'time') return kind
  return kind === 'number' || kind === 'protocol' || kind === 'flags' || kind === 'duration' ? 'integer' : 'text'
}

function sensorElement(records: Records): Element {
  const needs = sensorFields.filter(name => records.columns.has(name))
  const sql = needs.length === 0 ? 'NULL::VARCHAR' : `coalesce(${needs.map(quotedName).join(', ')}, NULL)`
  return { name: 'sensor', type: 'text', sql, length: null, needs }
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
  const address = fieldSql(field, 'address', records)
  const name = `${field}_net${family}`
  return { name, type: 'prefix', sql: maskedSql(address, family, length, records.nfdump), length, needs: [field] }
}

function maskedSql(address: string, family: string, length: number, nfdump: boolean): string {
  const mask = ((1n << 128n) - 1n) ^ ((1n << BigInt(128 - length)) - 1n)
  const [hi, lo] = [mask >> 64n, mask & 0xffff_ffff_ffff_ffffn]
  const isFour = `(${address}.hi = 0 AND (${address}.lo >> 32) = 65535)`
  const cut = `struct_pack(hi := ${address}.hi & ${hi}::UBIGINT, lo := ${address}.lo & ${lo}::UBIGINT)`
  // All addresses of IPv4 have the same upper half: masks of it leave nothing to compute.
  const cutFour = `struct_pack(hi := 0::UBIGINT, lo := ${address}.lo & ${lo}::UBIGINT)`
  if (nfdump) {
    // nfdump cuts the lower bits of either family, and keeps IPv4 in the lowest 32.
    const bits = (lo & 0xffff_ffffn) | 0xffff_0000_0000n
    return `CASE WHEN ${isFour} THEN struct_pack(hi := 0::UBIGINT, lo := ${address}.lo & ${bits}::UBIGINT) ELSE ${cut} END`
  }
  return family === '4' ? `CASE WHEN ${isFour} THEN ${cutFour} END` : `CASE WHEN NOT ${isFour} THEN ${cut} END`
}

function unknownElement(word: string, records: Records): UserError {
  const all = [
    ...elementNames.keys(),
    ...elementPairs.keys(),
    'sensor',
    'record',
    ...[...records.columns].filter(name => !name.startsWith('_')),
  ]
  const near = nearest(word, all)
  const hint =
    near === null ? 'elements are nfdump’s (srcip, dstport, srcip4/24, …) and every field' : `did you mean ${near}?`
  return new UserError(`unknown element: ${word}`, { status: 2, hint })
}
