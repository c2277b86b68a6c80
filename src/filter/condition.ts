/** One test as a condition. A column that is not there is unknown, so that three-valued logic says what cannot be told. */

import { internalPrefixes } from '../net/internal.ts'
import { isServicePort } from '../net/ports.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { mayHavePorts, TCP } from '../net/protocols.ts'
import {
  addressInSet,
  all,
  among,
  any,
  call,
  cast,
  choose,
  column,
  compare,
  constant,
  equal,
  firstKnown,
  inPrefixes,
  isKnown,
  isUnknown,
  microseconds,
  minus,
  no,
  not,
  parameter,
  plus,
  quotient,
  unknown,
  yes,
} from '../query/build.ts'
import type { Expression } from '../query/nodes.ts'
import type { DataType } from '../query/types.ts'
import { fieldNamed } from '../records/fields.ts'
import type { FlagMode, Side, Test, TestNode, Value } from './ast.ts'
import type { Compiling } from './compiling.ts'
import { enrichedIs } from './enriched-condition.ts'
import type { EnrichedWord } from './enriched-tables.ts'
import { destinationOfNfdump, milliseconds, rate, ratio } from './numbers.ts'
import { setOf } from './set.ts'
import { endsOf, type Thing, thingOf } from './things.ts'
import { comparatorOf, numberTest, testOfText } from './value-tests.ts'

const cannotTell = unknown('boolean')
const allIPv4 = parsePrefix('0.0.0.0/0')!
/** nfdump's own zero: 0.0.0.0, here ::ffff:0.0.0.0. */
const zeroAddress = constant(allIPv4.first, 'address')
const icmp = [constant(1), constant(58)]
/** Longer lists become tables. */
const mostPrefixes = 16

export function conditionOf({ thing: name, side, test }: TestNode, c: Compiling, negated: boolean): Expression {
  const thing = thingOf(name)
  if (name === 'inet' || name === 'inet6') return familyIs(name === 'inet', c)
  const { sides, every } = endsOf(thing, side)
  const turned = isTurned(test)
  const plain = turned ? unturned(test) : test
  const ends = sides.map(one => endIs(thing, one, plain, c, negated))
  const both = every ? all(ends) : any(ends)
  return turned ? not(both) : both
}

/** `!=` and `not in` are the contrary of `=` and `in`, over both ends together: `port != 80` is `not port 80`. */
export function isTurned(test: Test): boolean {
  return test.op === 'compare' ? test.comparator === '!=' : (test.op === 'in' || test.op === 'in-set') && test.negated
}

export function unturned(test: Test): Test {
  return test.op === 'compare' ? { ...test, comparator: '=' } : ({ ...test, negated: false } as Test)
}

function familyIs(four: boolean, c: Compiling): Expression {
  const { src, dst } = thingOf('ip').columns
  const tests = [src!, dst!].map(names => {
    const address = addressOf(names, c, c.nfdump)
    if (address === null) return cannotTell
    const within = inPrefixes(address, [allIPv4])
    return four ? within : not(within)
  })
  return all(tests)
}

function endIs(thing: Thing, side: Side, test: Test, c: Compiling, negated: boolean): Expression {
  if (thing.enriched !== undefined) return enrichedEndIs(thing, side, thing.enriched, test, c)
  if (test.op === 'known') return knownIs(thing, side, test.known, c)
  switch (thing.kind) {
    case 'address':
      return thing.names[0] === 'address'
        ? anyAddressIs(thing, side, test, c)
        : addressIs(thing.columns[side]!, test, c, thing.nfdump)
    case 'holds':
      return internalIs(thing, side, c)
    case 'flags':
      return flagsAre(test, c, negated)
    case 'time':
      return timeIs(thing, side, test, c)
    case 'text':
    case 'choice':
      return textIs(thing, side, test, c)
    default:
      return numberIs(thing, side, test, c)
  }
}

function enrichedEndIs(thing: Thing, side: Side, word: EnrichedWord, test: Test, c: Compiling): Expression {
  const address = addressOf(thing.columns[side]!, c, false)
  return address === null ? cannotTell : enrichedIs(word, address, test, c)
}

/** The first of the columns that the flows have; null, and noted, if none. */
function columnOf(names: readonly string[], c: Compiling): string | null {
  const found = names.find(name => c.columns.has(name))
  if (found === undefined && !c.nfdump) c.missing.add(names[0]!)
  return found ?? null
}

function addressOf(names: readonly string[], c: Compiling, asNfdump: boolean): Expression | null {
  const name = columnOf(names, c)
  if (name === null) return asNfdump ? zeroAddress : null
  return asNfdump ? firstKnown(column(name), zeroAddress) : column(name)
}

function addressIs(names: readonly string[], test: Test, c: Compiling, ofNfdump: boolean): Expression {
  const address = addressOf(names, c, c.nfdump && ofNfdump)
  if (address === null) return cannotTell
  const prefixes = prefixesOf(test)
  const isLong = prefixes.length > mostPrefixes
  if (test.op !== 'in-set' && !isLong) return inPrefixes(address, prefixes, isFour(names, c))
  const set = test.op === 'in-set' ? test.set : setOf('addresses', prefixes)
  c.sets.set(set.table, set)
  return addressInSet(address, set)
}

/** Whether an address is known to be one of IPv4, as nfdump's absent address is. */
function isFour(names: readonly string[], c: Compiling): boolean {
  const name = names.find(one => c.columns.has(one))
  return name !== undefined && c.fourOnly.has(name)
}

function prefixesOf(test: Test): Prefix[] {
  const values = test.op === 'in' ? test.values : test.op === 'compare' ? [test.value] : []
  return values.flatMap(value => (value.type === 'prefix' ? [value.prefix] : []))
}

/** The address that the sensor saw, or the one in the packet where that was recorded: the rule of `investigate`. */
function anyAddressIs(thing: Thing, side: Side, test: Test, c: Compiling): Expression {
  const inPacket = thing.columns[side]![1]!
  const first = addressIs(thingOf('ip').columns[side]!, test, c, false)
  if (!c.columns.has(inPacket)) return first
  return any([first, firstKnown(addressIs([inPacket], test, c, false), no)])
}

function internalIs(thing: Thing, side: Side, c: Compiling): Expression {
  const address = addressOf(thing.columns[side]!, c, false)
  if (address === null) return cannotTell
  const internal = inPrefixes(address, [...internalPrefixes, ...c.internal])
  return thing.names[0] === 'internal' ? internal : not(internal)
}

/** nfdump asks TCP flows only. Under an odd number of `not` its letters mean any of them (`CMP_FLAGS` in RunExtendedFilter). */
function flagsAre(test: Test, c: Compiling, negated: boolean): Expression {
  const flags = numberOf('flags', ['tcp_flags'], c)
  const protocol = numberOf('proto', ['protocol'], c)
  const isTcp = protocol === null ? cannotTell : equal(protocol, constant(TCP))
  if (flags === null) return all([isTcp, cannotTell])
  if (test.op === 'compare' && test.value.type === 'number') {
    return all([isTcp, compare(comparatorOf(test.comparator), flags, parameter(test.value.number, 'u8'))])
  }
  const { mode, bits } = test as Test & { op: 'flags' }
  const asked: FlagMode = c.nfdump && negated && mode === 'all' ? 'any' : mode
  const wanted = parameter(bits, 'u8')
  const masked = call('bits-of-both', flags, wanted)
  const tests: Record<FlagMode, Expression> = {
    all: equal(masked, wanted),
    any: compare('<>', masked, constant(0)),
    none: equal(masked, constant(0)),
    only: equal(flags, wanted),
  }
  return all([isTcp, tests[asked]])
}

function timeIs(thing: Thing, side: Side, test: Test, c: Compiling): Expression {
  const name = columnOf(thing.columns[side]!, c)
  if (name === null || test.op !== 'compare' || test.value.type !== 'time') return cannotTell
  return compare(comparatorOf(test.comparator), column(name), call('time-at', parameter(test.value.us, 'i64')))
}

function textIs(thing: Thing, side: Side, test: Test, c: Compiling): Expression {
  const text = textOf(thing, side, c)
  if (text === null) return cannotTell
  if (thing.names[0] === 'service' && test.op !== 'text') return serviceIs(test, c)
  return testOfText(text, test, c)
}

/** A service goes by its name and by port and protocol: both are known, or neither. */
function serviceIs(test: Test, c: Compiling): Expression {
  const [name, at] = [column('_service'), column('_service_at')]
  const values = test.op === 'in' ? test.values : test.op === 'compare' ? [test.value] : null
  if (values === null) return any([testOfText(name, test, c), testOfText(at, test, c)])
  const isPort = (value: Value): boolean => value.type === 'text' && isServicePort(value.text)
  const parts = [
    { by: name, values: values.filter(value => !isPort(value)) },
    { by: at, values: values.filter(isPort) },
  ]
  const tests = parts
    .filter(part => part.values.length > 0)
    .map(part => testOfText(part.by, { op: 'in', negated: false, values: part.values }, c))
  return any(tests)
}

/** The text of a thing; a sensor's is that of its columns which is there. */
function textOf(thing: Thing, side: Side, c: Compiling): Expression | null {
  const names = thing.columns[side]!
  if (thing.names[0] === 'sensor') {
    const present = names.filter(name => c.columns.has(name)).map(name => column(name))
    if (present.length > 0) return firstKnown(...present)
  }
  const name = columnOf(names, c)
  if (!c.nfdump || thing.names[0] !== 'flowdir') return name === null ? null : column(name)
  const ingress = constant('ingress')
  return name === null ? ingress : firstKnown(column(name), ingress)
}

function numberIs(thing: Thing, side: Side, test: Test, c: Compiling): Expression {
  const name = thing.names[0]!
  const number = numberOf(name, thing.columns[side]!, c, side)
  const tested = number === null ? cannotTell : numberTest(number, typeOf(thing, side, c), test, c)
  if (name === 'port' && number !== null) return all([tested, any([isKnown(number), mayHavePort(c)])])
  if (name !== 'icmp-type' && name !== 'icmp-code') return tested
  return all([isIcmp(c), tested])
}

/** ICMP, ESP and others have no port, which is to know it: none of it is 443. Flow logs say 0 there, captures nothing. */
function mayHavePort(c: Compiling): Expression {
  const protocol = numberOf('proto', ['protocol'], c)
  return protocol === null
    ? cannotTell
    : among(
        protocol,
        mayHavePorts.map(one => constant(one)),
      )
}

function isIcmp(c: Compiling): Expression {
  const protocol = numberOf('proto', ['protocol'], c)
  return protocol === null ? cannotTell : among(protocol, icmp)
}

/** A number; null for what cannot be told. What nfdump has no value for is 0 to it. */
function numberOf(name: string, columns: readonly string[], c: Compiling, side: Side = 'whole'): Expression | null {
  if (name === 'duration') return durationOf(c)
  if (name === 'bps') return rateOf('bytes', 8000, c)
  if (name === 'pps') return rateOf('packets', 1000, c)
  if (name === 'bpp') return perPacket(c)
  const asNfdump = c.nfdump && thingOf(name).nfdump
  if (asNfdump && name.startsWith('icmp-')) return icmpByNfdump(name === 'icmp-type', c)
  const found = columnOf(columns, c)
  if (!asNfdump) return found === null ? null : column(found)
  const absent = constant(thingOf(name).absent ?? 0n)
  if (found === null) return absent
  const number = firstKnown(column(found), absent)
  if (name !== 'port' || side !== 'dst' || !c.columns.has('icmp_type') || !c.columns.has('icmp_code')) return number
  return destinationOfNfdump(number)
}

function icmpByNfdump(type: boolean, c: Compiling): Expression {
  const name = type ? 'icmp_type' : 'icmp_code'
  const port = cast(c.columns.has('dstport') ? firstKnown(column('dstport'), constant(0)) : constant(0), 'i32')
  const fromPort = type ? call('shifted-right', port, constant(8)) : call('bits-of-both', port, constant(255))
  return c.columns.has(name) ? firstKnown(column(name), fromPort) : fromPort
}

/**
 * Whole milliseconds from the first packet to the last. nfdump takes the difference of its millisecond times without a sign, so that one below
 * zero is huge.
 */
function durationOf(c: Compiling): Expression | null {
  const start = columnOf(['start'], c)
  const end = columnOf(['end'], c)
  if (start === null || end === null) return c.nfdump ? constant(0, 'whole') : null
  if (!c.nfdump) return cast(milliseconds(), 'whole')
  const at = (name: string): Expression => firstKnown(quotient(microseconds(column(name)), constant(1000)), constant(0))
  const ms = cast(minus(at('end'), at('start')), 'whole')
  return choose([[compare('<', ms, constant(0)), plus(ms, constant(1n << 64n, 'whole'))]], ms)
}

/** Whole bits or packets per second: 8,000 × bytes, or 1,000 × packets, over the milliseconds; 0 where those are 0 (nftree.c, `bps_function`). */
function rateOf(counter: 'bytes' | 'packets', factor: number, c: Compiling): Expression | null {
  const duration = durationOf(c)
  const name = columnOf([counter], c)
  if (duration === null || (name === null && !c.nfdump)) return null
  const known = c.nfdump ? firstKnown(column(counter), constant(0)) : column(counter)
  return rate(factor, cast(name === null ? constant(0) : known, 'whole'), duration)
}

/** Whole bytes per packet, 0 without packets (nftree.c, `bpp_function`). */
function perPacket(c: Compiling): Expression | null {
  const present = [columnOf(['bytes'], c), columnOf(['packets'], c)]
  if (present.includes(null)) return c.nfdump ? constant(0, 'u64') : null
  const count = (name: string): Expression => (c.nfdump ? firstKnown(column(name), constant(0)) : column(name))
  return ratio(count('bytes'), count('packets'))
}

/** The type that values are bound as: the column's own, so that row groups can be passed over by their statistics. */
function typeOf(thing: Thing, side: Side, c: Compiling): DataType {
  const computed = ['duration', 'bps', 'pps'].includes(thing.names[0]!)
  if (computed) return 'whole'
  const name = thing.columns[side]!.find(one => c.columns.has(one))
  const type = name === undefined || thing.names[0] === 'bpp' ? undefined : fieldNamed(name)?.type
  return type ?? 'u64'
}

function knownIs(thing: Thing, side: Side, known: boolean, c: Compiling): Expression {
  const raw: Compiling = { ...c, nfdump: false }
  const value =
    thing.kind === 'address' || thing.kind === 'time' ? firstColumn(thing, side, raw) : valueIn(thing, side, raw)
  if (value === null) return known ? no : yes
  return known ? isKnown(value) : isUnknown(value)
}

function firstColumn(thing: Thing, side: Side, c: Compiling): Expression | null {
  const name = thing.columns[side]!.find(one => c.columns.has(one))
  return name === undefined ? null : column(name)
}

function valueIn(thing: Thing, side: Side, c: Compiling): Expression | null {
  if (thing.kind === 'text' || thing.kind === 'choice') return textOf(thing, side, { ...c, missing: new Set() })
  return numberOf(thing.names[0]!, thing.columns[side]!, { ...c, missing: new Set() }, side)
}
