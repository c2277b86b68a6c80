/** One test to SQL. A column that is not there is null, so that SQL's own three-valued logic says what cannot be told. */

import { internalPrefixes } from '../net/internal.ts'
import { isServicePort } from '../net/ports.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { mayHavePorts, TCP } from '../net/protocols.ts'
import { inAnyPrefix, inPrefix } from '../query/address-sql.ts'
import { rawSql, type Sql, sql } from '../query/sql.ts'
import { fieldNamed } from '../records/fields.ts'
import { quotedName } from '../store/duckdb.ts'
import { sqlType } from '../store/views.ts'
import type { FlagMode, Side, Test, TestNode, Value } from './ast.ts'
import { type Compiling, joined } from './compiling.ts'
import { setOf, type ValueSet } from './set.ts'
import { endsOf, type Thing, thingOf } from './things.ts'

const unknown = rawSql('NULL::BOOLEAN')
const allIPv4 = parsePrefix('0.0.0.0/0')!
/** Longer lists become tables. */
const mostPrefixes = 16
const mostValues = 100

export function testSql({ thing: name, side, test }: TestNode, c: Compiling, negated: boolean): Sql {
  const thing = thingOf(name)
  if (name === 'inet' || name === 'inet6') return familySql(name === 'inet', c)
  const { sides, every } = endsOf(thing, side)
  const turned = isTurned(test)
  const plain = turned ? unturned(test) : test
  const ends = joined(
    sides.map(one => endSql(thing, one, plain, c, negated)),
    every ? ' AND ' : ' OR ',
  )
  return turned ? sql`(NOT ${ends})` : ends
}

/** `!=` and `not in` are the contrary of `=` and `in`, over both ends together: `port != 80` is `not port 80`. */
function isTurned(test: Test): boolean {
  return test.op === 'compare' ? test.comparator === '!=' : (test.op === 'in' || test.op === 'in-set') && test.negated
}

function unturned(test: Test): Test {
  return test.op === 'compare' ? { ...test, comparator: '=' } : ({ ...test, negated: false } as Test)
}

function familySql(four: boolean, c: Compiling): Sql {
  const { src, dst } = thingOf('ip').columns
  const tests = [src!, dst!].map(names => {
    const halves = addressOf(names, c, c.nfdump)
    if (halves === null) return unknown
    const within = inPrefix(halves.hi, halves.lo, allIPv4)
    return four ? within : sql`(NOT ${within})`
  })
  return joined(tests, ' AND ')
}

function endSql(thing: Thing, side: Side, test: Test, c: Compiling, negated: boolean): Sql {
  if (test.op === 'known') return knownSql(thing, side, test.known, c)
  switch (thing.kind) {
    case 'address':
      return thing.names[0] === 'address'
        ? anyAddressSql(thing, side, test, c)
        : addressSql(thing.columns[side]!, test, c, thing.nfdump)
    case 'holds':
      return internalSql(thing, side, c)
    case 'flags':
      return flagsSql(test, c, negated)
    case 'time':
      return timeSql(thing, side, test, c)
    case 'text':
    case 'choice':
      return textSql(thing, side, test, c)
    default:
      return numberSql(thing, side, test, c)
  }
}

/** The first of the columns that the flows have; null, and noted, if none. */
function columnOf(names: readonly string[], c: Compiling): string | null {
  const found = names.find(name => c.columns.has(name))
  if (found === undefined && !c.nfdump) c.missing.add(names[0]!)
  return found ?? null
}

function addressOf(names: readonly string[], c: Compiling, asNfdump: boolean): { hi: string; lo: string } | null {
  const column = columnOf(names, c)
  if (column === null) return asNfdump ? { hi: '0::UBIGINT', lo: '281470681743360::UBIGINT' } : null
  const [hi, lo] = [`${quotedName(column)}.hi`, `${quotedName(column)}.lo`]
  // nfdump's own zero is 0.0.0.0, here ::ffff:0.0.0.0.
  return asNfdump ? { hi: `coalesce(${hi}, 0::UBIGINT)`, lo: `coalesce(${lo}, 281470681743360::UBIGINT)` } : { hi, lo }
}

function addressSql(names: readonly string[], test: Test, c: Compiling, ofNfdump: boolean): Sql {
  const halves = addressOf(names, c, c.nfdump && ofNfdump)
  if (halves === null) return unknown
  if (test.op === 'in-set') return addressSetSql(halves, test.set, c)
  const prefixes = prefixesOf(test)
  if (prefixes.length > mostPrefixes) return addressSetSql(halves, setOf('addresses', prefixes), c)
  return prefixes.length === 0 ? rawSql('false') : inAnyPrefix(halves.hi, halves.lo, prefixes)
}

function prefixesOf(test: Test): Prefix[] {
  const values = test.op === 'in' ? test.values : test.op === 'compare' ? [test.value] : []
  return values.flatMap(value => (value.type === 'prefix' ? [value.prefix] : []))
}

/** One semi-join for each length of prefix: the address, cut to the length, is looked up. */
function addressSetSql({ hi, lo }: { hi: string; lo: string }, set: ValueSet, c: Compiling): Sql {
  c.sets.set(set.table, set)
  const table = rawSql(quotedName(set.table))
  const tests = set.lengths.map(length => {
    if (length === 128) return sql`(${rawSql(hi)}, ${rawSql(lo)}) IN (SELECT hi, lo FROM ${table} WHERE bits = 128)`
    const mask = ((1n << 128n) - 1n) ^ ((1n << BigInt(128 - length)) - 1n)
    const cut = sql`${rawSql(hi)} & ${mask >> 64n}::UBIGINT, ${rawSql(lo)} & ${mask & 0xffff_ffff_ffff_ffffn}::UBIGINT`
    return sql`(${cut}) IN (SELECT hi, lo FROM ${table} WHERE bits = ${length})`
  })
  return tests.length === 0 ? rawSql('false') : joined(tests, ' OR ')
}

/** The address that the sensor saw, or the one in the packet where that was recorded: the rule of `investigate`. */
function anyAddressSql(thing: Thing, side: Side, test: Test, c: Compiling): Sql {
  const inPacket = thing.columns[side]![1]!
  const first = addressSql(thingOf('ip').columns[side]!, test, c, false)
  if (!c.columns.has(inPacket)) return first
  return sql`(${first} OR coalesce(${addressSql([inPacket], test, c, false)}, false))`
}

function internalSql(thing: Thing, side: Side, c: Compiling): Sql {
  const halves = addressOf(thing.columns[side]!, c, false)
  if (halves === null) return unknown
  const internal = inAnyPrefix(halves.hi, halves.lo, [...internalPrefixes, ...c.internal])
  return thing.names[0] === 'internal' ? internal : sql`(NOT ${internal})`
}

/** nfdump asks TCP flows only. Under an odd number of `not` its letters mean any of them (`CMP_FLAGS` in RunExtendedFilter). */
function flagsSql(test: Test, c: Compiling, negated: boolean): Sql {
  const flags = numberOf('flags', ['tcp_flags'], c)
  const protocol = numberOf('proto', ['protocol'], c)
  const isTcp = protocol === null ? unknown : sql`${protocol} = ${rawSql(String(TCP))}`
  if (flags === null) return sql`(${isTcp} AND ${unknown})`
  if (test.op === 'compare' && test.value.type === 'number') {
    return sql`(${isTcp} AND ${flags} ${rawSql(comparatorSql(test.comparator))} ${test.value.number}::UTINYINT)`
  }
  const { mode, bits } = test as Test & { op: 'flags' }
  const asked: FlagMode = c.nfdump && negated && mode === 'all' ? 'any' : mode
  const masked = sql`(${flags} & ${bits}::UTINYINT)`
  const tests: Record<FlagMode, Sql> = {
    all: sql`${masked} = ${bits}::UTINYINT`,
    any: sql`${masked} <> 0`,
    none: sql`${masked} = 0`,
    only: sql`${flags} = ${bits}::UTINYINT`,
  }
  return sql`(${isTcp} AND ${tests[asked]})`
}

function timeSql(thing: Thing, side: Side, test: Test, c: Compiling): Sql {
  const column = columnOf(thing.columns[side]!, c)
  if (column === null || test.op !== 'compare' || test.value.type !== 'time') return unknown
  return sql`${rawSql(quotedName(column))} ${rawSql(comparatorSql(test.comparator))} make_timestamp(${test.value.us}::BIGINT)`
}

function textSql(thing: Thing, side: Side, test: Test, c: Compiling): Sql {
  const text = textOf(thing, side, c)
  if (text === null) return unknown
  if (thing.names[0] === 'service' && test.op !== 'text') return serviceSql(test, c)
  return testOfText(text, test, c)
}

/** A service goes by its name and by port and protocol: both are known, or neither. */
function serviceSql(test: Test, c: Compiling): Sql {
  const [name, at] = [rawSql(quotedName('_service')), rawSql(quotedName('_service_at'))]
  const values = test.op === 'in' ? test.values : test.op === 'compare' ? [test.value] : null
  if (values === null) return joined([testOfText(name, test, c), testOfText(at, test, c)], ' OR ')
  const isPort = (value: Value): boolean => value.type === 'text' && isServicePort(value.text)
  const parts = [
    { column: name, values: values.filter(value => !isPort(value)) },
    { column: at, values: values.filter(isPort) },
  ]
  const tests = parts
    .filter(part => part.values.length > 0)
    .map(part => testOfText(part.column, { op: 'in', negated: false, values: part.values }, c))
  return joined(tests, ' OR ')
}

function testOfText(text: Sql, test: Test, c: Compiling): Sql {
  switch (test.op) {
    case 'text':
      return sql`${rawSql({ contains: 'contains', begins: 'starts_with', ends: 'ends_with' }[test.how])}(${text}, ${test.text})`
    case 'in-set':
      return setSql(text, test.set, c)
    case 'in': {
      const texts = test.values.flatMap(value => (value.type === 'text' ? [value.text] : []))
      if (texts.length > mostValues) return setSql(text, setOf('texts', texts), c)
      return inListSql(
        text,
        texts.map(one => sql`${one}`),
      )
    }
    default:
      return sql`${text} = ${test.op === 'compare' && test.value.type === 'text' ? test.value.text : null}`
  }
}

/** The text of a thing; a sensor's is that of its columns which is there. */
function textOf(thing: Thing, side: Side, c: Compiling): Sql | null {
  const names = thing.columns[side]!
  if (thing.names[0] === 'sensor') {
    const present = names.filter(name => c.columns.has(name)).map(name => rawSql(quotedName(name)))
    if (present.length > 0) return present.length === 1 ? present[0]! : sql`coalesce${joined(present, ', ')}`
  }
  const column = columnOf(names, c)
  const asNfdump = c.nfdump && thing.names[0] === 'flowdir'
  if (column === null) return asNfdump ? rawSql(`'ingress'`) : null
  return rawSql(asNfdump ? `coalesce(${quotedName(column)}, 'ingress')` : quotedName(column))
}

function numberSql(thing: Thing, side: Side, test: Test, c: Compiling): Sql {
  const name = thing.names[0]!
  const number = numberOf(name, thing.columns[side]!, c, side)
  const tested = number === null ? unknown : numberTest(number, typeOf(thing, side, c), test, c)
  if (name === 'port' && number !== null) return sql`(${tested} AND (${number} IS NOT NULL OR ${mayHavePort(c)}))`
  if (name !== 'icmp-type' && name !== 'icmp-code') return tested
  return sql`(${isIcmp(c)} AND ${tested})`
}

function numberTest(number: Sql, type: string, test: Test, c: Compiling): Sql {
  const bound = (value: Value): Sql[] => (value.type === 'number' ? [sql`${value.number}::${rawSql(type)}`] : [])
  if (test.op === 'in-set') return setSql(number, test.set, c)
  if (test.op === 'in') {
    if (test.values.length <= mostValues) return inListSql(number, test.values.flatMap(bound))
    const numbers = test.values.flatMap(value => (value.type === 'number' ? [value.number] : []))
    return setSql(number, setOf('numbers', numbers), c)
  }
  if (test.op !== 'compare') return unknown
  return sql`${number} ${rawSql(comparatorSql(test.comparator))} ${bound(test.value)[0]!}`
}

/** ICMP, ESP and others have no port, which is to know it: none of it is 443. Flow logs say 0 there, captures nothing. */
function mayHavePort(c: Compiling): Sql {
  const protocol = numberOf('proto', ['protocol'], c)
  return protocol === null ? unknown : sql`${protocol} IN (${rawSql(mayHavePorts.join(', '))})`
}

function isIcmp(c: Compiling): Sql {
  const protocol = numberOf('proto', ['protocol'], c)
  return protocol === null ? unknown : sql`${protocol} IN (1, 58)`
}

/** SQL for a number; null for what cannot be told. What nfdump has no value for is 0 to it. */
function numberOf(name: string, columns: readonly string[], c: Compiling, side: Side = 'whole'): Sql | null {
  if (name === 'duration') return durationSql(c)
  if (name === 'bps') return rateSql('bytes', '8000', c)
  if (name === 'pps') return rateSql('packets', '1000', c)
  if (name === 'bpp') return perPacketSql(c)
  const asNfdump = c.nfdump && thingOf(name).nfdump
  if (asNfdump && name.startsWith('icmp-')) return icmpByNfdump(name === 'icmp-type', c)
  const column = columnOf(columns, c)
  if (!asNfdump) return column === null ? null : rawSql(quotedName(column))
  const absent = String(thingOf(name).absent ?? 0n)
  if (column === null) return rawSql(absent)
  const number = `coalesce(${quotedName(column)}, ${absent})`
  if (name !== 'port' || side !== 'dst' || !c.columns.has('icmp_type') || !c.columns.has('icmp_code'))
    return rawSql(number)
  // nfdump keeps type and code of ICMP where the destination port of others is.
  return rawSql(
    `CASE WHEN "protocol" IN (1, 58) AND "icmp_type" IS NOT NULL THEN "icmp_type"::USMALLINT * 256 + coalesce("icmp_code", 0) ELSE ${number} END`,
  )
}

function icmpByNfdump(type: boolean, c: Compiling): Sql {
  const column = type ? 'icmp_type' : 'icmp_code'
  const port = c.columns.has('dstport') ? `coalesce("dstport", 0)` : '0'
  const fromPort = type ? `(${port}::INTEGER >> 8)` : `(${port}::INTEGER & 255)`
  return rawSql(c.columns.has(column) ? `coalesce(${quotedName(column)}, ${fromPort})` : fromPort)
}

/**
 * Whole milliseconds from the first packet to the last. nfdump takes the difference of its millisecond times without a sign, so that one below
 * zero is huge.
 */
function durationSql(c: Compiling): Sql | null {
  const start = columnOf(['start'], c)
  const end = columnOf(['end'], c)
  if (start === null || end === null) return c.nfdump ? rawSql('0::HUGEINT') : null
  if (!c.nfdump) return rawSql(`((epoch_us("end") - epoch_us("start")) // 1000)::HUGEINT`)
  const ms = `(coalesce(epoch_us("end") // 1000, 0) - coalesce(epoch_us("start") // 1000, 0))::HUGEINT`
  return rawSql(`CASE WHEN ${ms} < 0 THEN ${ms} + 18446744073709551616::HUGEINT ELSE ${ms} END`)
}

/** Whole bits or packets per second: 8,000 × bytes, or 1,000 × packets, over the milliseconds; 0 where those are 0 (nftree.c, `bps_function`). */
function rateSql(counter: 'bytes' | 'packets', factor: string, c: Compiling): Sql | null {
  const duration = durationSql(c)
  const column = columnOf([counter], c)
  if (duration === null || (column === null && !c.nfdump)) return null
  const count = column === null ? '0' : c.nfdump ? `coalesce("${counter}", 0)` : `"${counter}"`
  return sql`CASE WHEN ${duration} > 0 THEN ${rawSql(`(${factor}::HUGEINT * ${count}::HUGEINT)`)} // ${duration} WHEN ${duration} <= 0 THEN 0 * ${rawSql(count)}::HUGEINT END`
}

/** Whole bytes per packet, 0 without packets (nftree.c, `bpp_function`). */
function perPacketSql(c: Compiling): Sql | null {
  const present = [columnOf(['bytes'], c), columnOf(['packets'], c)]
  if (present.includes(null)) return c.nfdump ? rawSql('0::UBIGINT') : null
  const [bytes, packets] = ['bytes', 'packets'].map(name => (c.nfdump ? `coalesce("${name}", 0)` : `"${name}"`))
  return rawSql(`CASE WHEN ${packets} > 0 THEN ${bytes} // ${packets} WHEN ${packets} = 0 THEN 0 * ${bytes} END`)
}

/** The type that values are bound as: the column's own, so that row groups can be passed over by their statistics. */
function typeOf(thing: Thing, side: Side, c: Compiling): string {
  const computed = ['duration', 'bps', 'pps'].includes(thing.names[0]!)
  if (computed) return 'HUGEINT'
  const column = thing.columns[side]!.find(name => c.columns.has(name))
  return column !== undefined && fieldNamed(column) !== undefined && thing.names[0] !== 'bpp'
    ? sqlType(column)
    : 'UBIGINT'
}

function knownSql(thing: Thing, side: Side, known: boolean, c: Compiling): Sql {
  const is = rawSql(known ? 'IS NOT NULL' : 'IS NULL')
  const raw: Compiling = { ...c, nfdump: false }
  const value =
    thing.kind === 'address' || thing.kind === 'time' ? columnSql(thing, side, raw) : valueSql(thing, side, raw)
  return value === null ? rawSql(known ? 'false' : 'true') : sql`(${value} ${is})`
}

function columnSql(thing: Thing, side: Side, c: Compiling): Sql | null {
  const column = thing.columns[side]!.find(name => c.columns.has(name))
  return column === undefined ? null : rawSql(quotedName(column))
}

function valueSql(thing: Thing, side: Side, c: Compiling): Sql | null {
  if (thing.kind === 'text' || thing.kind === 'choice') return textOf(thing, side, { ...c, missing: new Set() })
  return numberOf(thing.names[0]!, thing.columns[side]!, { ...c, missing: new Set() }, side)
}

function setSql(value: Sql, set: ValueSet, c: Compiling): Sql {
  c.sets.set(set.table, set)
  return sql`${value} IN (SELECT value FROM ${rawSql(quotedName(set.table))})`
}

function inListSql(value: Sql, list: readonly Sql[]): Sql {
  if (list.length === 0) return rawSql('false')
  const all = joined(list, ', ')
  return list.length === 1 ? sql`${value} = ${all}` : sql`${value} IN ${all}`
}

function comparatorSql(comparator: string): string {
  return comparator === '!=' ? '<>' : comparator
}
