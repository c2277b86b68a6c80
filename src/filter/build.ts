/** What was written to what it means: names to things, words to values, each fault with its place. */

import { nearest } from '../nearest.ts'
import { portsNamed, serviceNamed, serviceNames } from '../net/ports.ts'
import { type Prefix, parsePrefix, prefixContains } from '../net/prefix.ts'
import { parseTime } from '../net/time.ts'
import type { Comparator, FlagMode, Node, Side, Test, TextMatch, Value } from './ast.ts'
import { FilterError, oneOf, type Place, shortened } from './error.ts'
import type { Form, Written } from './grammar.ts'
import type { SetType, ValueSet } from './set.ts'
import { fieldName, sideWords, type Thing, thingNamed, thingOf, things, unsupported } from './things.ts'
import { placeOf, reservedWords, type Token, textOf } from './tokens.ts'
import {
  maskedPrefix,
  parseDuration,
  parseFlags,
  parseNet,
  parseNumber,
  parseProtocol,
  protocolNames,
} from './values.ts'

export interface Building {
  nfdump: boolean
  /** Columns that the flows have beyond the table of fields. */
  columns: ReadonlySet<string>
  /** All names of fields, for the nearest. */
  fieldNames: readonly string[]
  notes: string[]
  readSet(type: SetType, file: Token, largest: bigint): ValueSet
}

/** @param negations how many `not` are around. */
export function build(written: Written, b: Building, negations = 0): Node {
  switch (written.kind) {
    case 'any':
      return { kind: 'any' }
    case 'and':
    case 'or':
      return { kind: written.kind, nodes: written.parts.map(part => build(part, b, negations)) }
    case 'not':
      return { kind: 'not', node: build(written.part, b, negations + 1) }
    case 'between': {
      const from_us = timeOf(written.from, b)
      const to_us = endOf(written.to, b)
      if (from_us > to_us) {
        throw new FilterError('invalid time window: it ends before it begins', placeOf(written.from, written.to))
      }
      return { kind: 'between', from_us, to_us }
    }
    case 'edge':
      return { kind: 'edge', edge: written.edge, us: pieceOfCase(written.length) }
    default:
      return buildTest(written.sides, written.name, written.form, b, negations)
  }
}

function buildTest(sides: Token[], name: Token[], form: Form, b: Building, negations: number): Node {
  const bare = form.op === 'nothing' && !b.nfdump ? bareValue(sides, name[0]!, b) : null
  if (bare !== null) return bare
  const { thing, side } = resolve(sides, name, b)
  const at = placeOf(sides[0] ?? name[0]!, name.at(-1))
  const node = (test: Test): Node => ({ kind: 'test', thing: thing.names[0]!, side, test })
  if (form.op === 'nothing') {
    if (thing.kind === 'holds') return node({ op: 'holds' })
    throw new FilterError(
      `missing value: ${thing.names[0]}`,
      { ...at, offset: at.offset + at.length, length: 0 },
      { expected: expectedOf(thing) },
    )
  }
  if (form.op === 'is') return node({ op: 'known', known: (form.word.value === 'known') === (form.not === null) })
  if (form.op === 'in') {
    if (form.not !== null && side === 'both') throw ambiguous(form.not)
    return node(membership(thing, form, b))
  }
  if (form.op === 'text') {
    if (thing.kind !== 'text') throw noText(thing, form.how)
    return node({ op: 'text', how: form.how.value as TextMatch, text: textOf(form.text) })
  }
  const comparator = comparatorOf(form.comparator)
  if (comparator === '!=' && side === 'both') throw ambiguous(form.comparator!)
  if (thing.kind === 'flags') return flagsTest(form, comparator, b, negations, node)
  if (form.mode !== null) {
    throw new FilterError(`unexpected: ${form.mode.image}`, placeOf(form.mode), { hint: 'only flags are written so' })
  }
  const ordered = thing.kind !== 'address' && thing.kind !== 'text' && thing.kind !== 'choice'
  if (!ordered && comparator !== '=' && comparator !== '!=') {
    const hint = `${thing.names[0]} is compared with =, != and in`
    throw new FilterError(`invalid comparator: ${form.comparator!.image}`, placeOf(form.comparator!), { hint })
  }
  if (form.mask !== null) return node({ op: 'compare', comparator, value: netOf(form.value, form.mask) })
  return node({ op: 'compare', comparator, value: valueFor(thing, form.value, b) })
}

/** A value alone that says itself what it is: `20.106.124.93`, `dst 10.0.0.0/8`, `tcp`. nfdump wants a word before it. */
function bareValue(sides: Token[], token: Token, b: Building): Node | null {
  const text = textOf(token)
  const isName = thingNamed(token.value) !== undefined || fieldName(text, b.columns) !== null
  if (isName) return null
  const prefix = /[.:]/.test(text) ? parseNet(text) : null
  const equals = (value: Value): Test => ({ op: 'compare', comparator: '=', value })
  if (prefix !== null) {
    const word = { ...token, image: 'ip', value: 'ip' }
    const { thing, side } = resolve(sides, [word], b)
    return { kind: 'test', thing: thing.names[0]!, side, test: equals({ type: 'prefix', prefix }) }
  }
  const number = /^\d/.test(text) || sides.length > 0 ? null : parseProtocol(text)
  return number === null
    ? null
    : { kind: 'test', thing: 'proto', side: 'whole', test: equals({ type: 'number', number }) }
}

function ambiguous(at: Token): FilterError {
  const hint = 'write "not (src and dst …)", or "not src … and not dst …"'
  return new FilterError(`ambiguous: src and dst … ${at.image}`, placeOf(at), { hint })
}

function noText(thing: Thing, at: Token): FilterError {
  return new FilterError(`invalid comparator: ${at.image}`, placeOf(at), { hint: `${thing.names[0]} is not text` })
}

const comparators: Record<string, Comparator> = {
  ...{ '=': '=', '==': '=', eq: '=', '!=': '!=', '<>': '!=', ne: '!=' },
  ...{ '<': '<', lt: '<', '<=': '<=', le: '<=', '>': '>', gt: '>', '>=': '>=', ge: '>=' },
}

function comparatorOf(token: Token | null): Comparator {
  return token === null ? '=' : comparators[token.value]!
}

/** One word for two, as other tools have them. */
const shortNames: ReadonlyMap<string, readonly [Side, string]> = new Map(
  Object.entries<readonly [Side, string]>({
    ...{ srcip: ['src', 'ip'], dstip: ['dst', 'ip'], sip: ['src', 'ip'], dip: ['dst', 'ip'] },
    ...{ srchost: ['src', 'ip'], dsthost: ['dst', 'ip'], srcnet: ['src', 'net'], dstnet: ['dst', 'net'] },
    ...{ sport: ['src', 'port'], dport: ['dst', 'port'], src_port: ['src', 'port'], dst_port: ['dst', 'port'] },
    ...{ src_ip: ['src', 'ip'], dst_ip: ['dst', 'ip'], src_addr: ['src', 'ip'], dst_addr: ['dst', 'ip'] },
  }),
)

/** Words before a name, joined, to the side. */
const sideOf: ReadonlyMap<string, Side> = new Map(
  Object.entries<Side>({
    ...{ src: 'src', dst: 'dst', in: 'in', out: 'out', prev: 'prev', previous: 'prev', next: 'next' },
    ...{ 'src or dst': 'either', 'dst or src': 'either', 'src and dst': 'both', 'dst and src': 'both' },
  }),
)

function resolve(sides: Token[], name: Token[], b: Building): { thing: Thing; side: Side } {
  const words = name.map(token => token.value).join(' ')
  const before = sides
    .map(token => token.value)
    .join(' ')
    .replaceAll('||', 'or')
    .replaceAll('&&', 'and')
  const two = thingNamed(`${before} ${words}`)
  if (two !== undefined) return { thing: two, side: two.side }
  const short = before === '' && !b.nfdump ? shortNames.get(words) : undefined
  if (short !== undefined && fieldName(words, b.columns) === null)
    return { thing: thingNamed(short[1])!, side: short[0] }
  const thing = thingNamed(words) ?? fieldThing(name[0]!, b)
  if (before === '') return { thing, side: thing.side }
  const side = sideOf.get(before)
  if (side !== undefined && thing.sides.includes(side)) return { thing, side }
  const hint =
    thing.sides[0] === 'whole'
      ? `nothing stands before ${words}`
      : `before ${words} can stand ${oneOf(thing.sides.map(one => sideWords(one)))}`
  throw new FilterError(`unexpected: ${before}`, placeOf(sides[0]!, sides.at(-1)), { hint })
}

/** @throws FilterError if no thing and no field is called so. */
export function checkName(name: Token, b: Building): void {
  const isKnown = thingNamed(name.value) !== undefined || (!b.nfdump && shortNames.has(name.value))
  if (!isKnown && (b.nfdump || bareValue([], name, b) === null)) fieldThing(name, b)
}

function fieldThing(token: Token, b: Building): Thing {
  const field = fieldName(token.image, b.columns) ?? fieldName(token.value, b.columns)
  if (field !== null) return thingOf(field)
  if (unsupported.includes(token.value)) {
    const hint = 'nfdump has it; flow records here hold no such value'
    throw new FilterError(`unsupported: ${token.image}`, placeOf(token), { hint })
  }
  if (/^\d{1,5}$/.test(token.image)) {
    throw new FilterError(`a number alone: ${token.image}`, placeOf(token), {
      hint: `a port is written: port ${token.image}`,
    })
  }
  const words = [
    ...things.flatMap(thing => thing.names),
    ...b.fieldNames,
    ...shortNames.keys(),
    ...reservedWords,
    ...protocolNames,
  ]
  throw new FilterError(`unknown field: ${shortened(token.image)}`, placeOf(token), {
    isUnknownField: true,
    suggestion: nearest(token.image, words),
  })
}

function numberHint({ names: [name] }: Thing): string {
  return name === 'port'
    ? 'a number to 65535, or the name of a service such as ssh'
    : 'a whole number, such as 1500, 10k, 1MB or 0x1f'
}

function expectedOf(thing: Thing): string[] {
  if (thing.kind === 'choice') return [...thing.words!]
  const words = {
    address: 'an address',
    number: 'a number',
    protocol: 'a protocol',
    flags: 'a set of flags such as SA',
    time: 'a time',
  }
  return [
    {
      ...words,
      duration: 'a duration',
      text: thing.names[0] === 'service' ? 'a service' : 'a text',
      choice: '',
      holds: '',
    }[thing.kind],
  ]
}

function netOf(address: Token, mask: Token): Value {
  const prefix = maskedPrefix(address.image, mask.image)
  if (prefix !== null) return { type: 'prefix', prefix }
  const hint = 'an IPv4 address and a mask such as 255.255.0.0'
  throw new FilterError(`invalid network: ${shortened(`${address.image} ${mask.image}`)}`, placeOf(address, mask), {
    hint,
  })
}

/** @throws FilterError where the text is no value of the thing's. */
function valueFor(thing: Thing, token: Token, b: Building): Value {
  const text = textOf(token)
  const fail = (what: string, more: { hint?: string; suggestion?: string | null } = {}): never => {
    throw new FilterError(`invalid ${what}: ${shortened(text)}`, placeOf(token), more)
  }
  switch (thing.kind) {
    case 'address': {
      const prefix = thing.names[0] === 'net' ? parseNet(text) : parsePrefix(text)
      const hint =
        /[g-z]/i.test(text) && !text.includes(':')
          ? 'names of hosts are not looked up'
          : 'such as 10.0.0.0/8 or 2001:db8::1'
      return { type: 'prefix', prefix: prefix ?? fail('address', { hint }) }
    }
    case 'protocol': {
      const hint = 'a name such as tcp, or a number to 255'
      const number = parseProtocol(text) ?? fail('protocol', { hint, suggestion: nearest(text, protocolNames) })
      return { type: 'number', number }
    }
    case 'time':
      return { type: 'time', us: timeOf(token, b) }
    case 'duration':
      return { type: 'number', number: durationOf(token, b) }
    case 'choice':
      return { type: 'text', text: choiceOf(thing, text) ?? fail(thing.names[0]!, choiceHint(thing, text)) }
    case 'number': {
      const digits = thing.enriched === 'asn' ? text.replace(/^as(?=\d)/i, '') : text
      const named = thing.names[0] === 'port' && !b.nfdump ? portOf(text, token) : null
      const number = named ?? parseNumber(digits) ?? fail('number', { hint: numberHint(thing) })
      if (number > thing.largest!) fail('number', { hint: `${thing.title} is at most ${thing.largest}` })
      return { type: 'number', number }
    }
    default:
      if (thing.enriched === 'aws_service') return { type: 'text', text: text.toUpperCase() }
      if (thing.enriched === 'country') {
        if (!/^[a-z]{2}$/i.test(text)) fail('country', { hint: 'two letters of ISO 3166, such as DE' })
        return { type: 'text', text: text.toUpperCase() }
      }
      return { type: 'text', text: thing.names[0] === 'service' ? serviceOf(text, placeOf(token)) : text }
  }
}

/** The port of a service's name. @throws FilterError where it has several. */
function portOf(text: string, token: Token): bigint | null {
  if (!/^[a-z]/i.test(text)) return null
  const ports = portsNamed(serviceWords.get(text.toLowerCase()) ?? text)
  if (ports.length > 1) {
    const hint = `name one of its ports: ${oneOf(ports.slice(0, 8).map(String))}`
    throw new FilterError(`a service with several ports: ${shortened(text)}`, placeOf(token), { hint })
  }
  return ports.length === 0 ? null : BigInt(ports[0]!)
}

/** What people call a service that IANA calls otherwise, and no letters would lead there. */
const serviceWords = new Map(Object.entries({ dns: 'domain', rdp: 'ms-wbt-server', smb: 'microsoft-ds' }))

/** @throws FilterError where IANA registers no service of that name. */
function serviceOf(text: string, at: Place, where = ''): string {
  const found = serviceNamed(text)
  if (found !== null) return found
  throw new FilterError(`unknown service${where}: ${shortened(text)}`, at, {
    hint: 'a name of IANA’s such as ssh, or a port and its protocol such as 8022/tcp',
    suggestion: serviceWords.get(text.toLowerCase()) ?? nearest(text, serviceNames()),
  })
}

/** A set holds names as they are compared: of services, IANA's own spelling. */
function checkServices(set: ValueSet, file: Token): void {
  const words = set.columns[0]!.type
  for (const word of typeof words === 'string' ? [] : words) {
    const named = serviceOf(word, placeOf(file), ` in ${textOf(file)}`)
    if (named === word) continue
    throw new FilterError(`unknown service in ${textOf(file)}: ${shortened(word)}`, placeOf(file), {
      suggestion: named,
    })
  }
}

function choiceOf(thing: Thing, text: string): string | undefined {
  // nfdump has numbers for the directions.
  const byNumber = thing.names[0] === 'flowdir' && /^[01]$/.test(text) ? thing.words![Number(text)] : undefined
  return byNumber ?? thing.words!.find(word => word.toLowerCase() === text.toLowerCase())
}

function choiceHint(thing: Thing, text: string): { hint: string; suggestion: string | null } {
  return { hint: `it is ${oneOf(thing.words!)}`, suggestion: nearest(text, thing.words!) }
}

function timeOf(token: Token, b: Building): bigint {
  const us = parseTime(textOf(token), b.nfdump)
  if (us !== null) return us
  const hint = 'such as 2023-09-28, 2023-09-28T17:22:35Z or "2023-09-28 17:22"; UTC unless a zone is named'
  throw new FilterError(`invalid time: ${shortened(textOf(token))}`, placeOf(token), { hint })
}

/** The end of a window: of a day without a time its last moment, so that `between D and D` is that day. */
function endOf(token: Token, b: Building): bigint {
  const us = timeOf(token, b)
  const isDay = !b.nfdump && /^\d{4}-\d\d-\d\d$/.test(textOf(token))
  return isDay ? us + 86_400_000_000n - 1n : us
}

/** nfdump takes 5m for 5,000,000 ms; most people mean minutes. */
function durationOf(token: Token, b: Building): bigint {
  const text = textOf(token)
  if (!b.nfdump && /^\d+m$/i.test(text)) {
    const number = text.slice(0, -1)
    throw new FilterError(`ambiguous: ${text}`, placeOf(token), {
      hint: `${number}min are minutes, ${number}000k are millions of milliseconds`,
    })
  }
  const ms = parseDuration(text)
  if (ms !== null && ms < 1n << 64n) return ms
  throw new FilterError(`invalid duration: ${shortened(text)}`, placeOf(token), {
    hint: 'milliseconds, or a number with ms, s, min, h, d',
  })
}

function pieceOfCase(token: Token): bigint {
  const text = textOf(token).replace(/^(\d+)m$/i, '$1min')
  const ms = /[a-z]$/i.test(text) ? parseDuration(text) : null
  if (ms !== null && ms > 0n && ms < 1n << 50n) return ms * 1000n
  throw new FilterError(`invalid duration: ${shortened(textOf(token))}`, placeOf(token), {
    hint: 'a number with s, min, h or d',
  })
}

function membership(thing: Thing, form: Form & { op: 'in' }, b: Building): Test {
  const negated = form.not !== null
  const setType = ({ address: 'addresses', number: 'numbers', protocol: 'numbers', text: 'texts' } as const)[
    thing.kind as 'text'
  ]
  if (form.file !== null) {
    if (setType === undefined)
      throw new FilterError(`invalid set: ${thing.names[0]} has none from a file`, placeOf(form.file))
    const set = b.readSet(setType, form.file, thing.largest ?? 0n)
    if (thing.names[0] === 'service') checkServices(set, form.file)
    return { op: 'in-set', negated, set }
  }
  if (setType === undefined && thing.kind !== 'choice') {
    throw new FilterError(`unexpected list: ${thing.names[0]}`, placeOf(form.at), { hint: 'compare it with one value' })
  }
  if (form.values.length === 0)
    throw new FilterError('empty list', placeOf(form.at), { hint: 'write its values between [ and ]' })
  const values = form.values.map(value => valueFor(thing, value, b))
  return { op: 'in', negated, values: b.nfdump ? keptByNfdump(values) : values }
}

/**
 * nfdump puts a list into a tree in which overlapping networks count as equal (`IPNodeCMP`), so that an entry which overlaps one before
 * it is lost: `[10.0.0.1 10.0.0.0/8]` is 10.0.0.1 alone.
 */
function keptByNfdump(values: readonly Value[]): readonly Value[] {
  const kept: Prefix[] = []
  return values.filter(value => {
    if (value.type !== 'prefix') return true
    const { prefix } = value
    const lost = kept.some(one => prefixContains(one, prefix.first) || prefixContains(prefix, one.first))
    if (!lost) kept.push(prefix)
    return !lost
  })
}

function flagsTest(
  form: Form & { op: 'compare' },
  comparator: Comparator,
  b: Building,
  negations: number,
  node: (test: Test) => Node,
): Node {
  const text = textOf(form.value)
  const number = form.mode === null ? parseNumber(text) : null
  if (number !== null) {
    if (number > 255n)
      throw new FilterError(`invalid flags: ${shortened(text)}`, placeOf(form.value), { hint: 'at most 255' })
    return node({ op: 'compare', comparator, value: { type: 'number', number } })
  }
  const bits = parseFlags(text)
  if (bits === null) {
    const hint = 'letters of F, S, R, P, A, U, E, C, or X for the first six, or a number'
    throw new FilterError(`invalid flags: ${shortened(text)}`, placeOf(form.value), { hint })
  }
  if (form.comparator === null) {
    const mode = (form.mode?.value ?? 'all') as FlagMode
    const single = (bits & (bits - 1)) === 0
    if (!b.nfdump && form.mode === null && !single && negations % 2 === 1) {
      b.notes.push(
        `"not flags ${text.toUpperCase()}" is: not all of them are set. nfdump takes it for: none of them is set, which is "flags none ${text.toUpperCase()}" here`,
      )
    }
    return node({ op: 'flags', mode, bits })
  }
  if (comparator !== '=' && comparator !== '!=') {
    throw new FilterError(`invalid comparator: ${form.comparator.image}`, placeOf(form.comparator), {
      hint: 'letters are compared with = and !=',
    })
  }
  const only = node({ op: 'flags', mode: 'only', bits })
  return comparator === '=' ? only : { kind: 'not', node: only }
}
