/** The filter patterns of alarms on protected hosts, for the fields of one format of logs. */
import { type Address, formatAddress, isIPv4 } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import { patternName, writePattern } from './filter-pattern.ts'

/** A pattern, and what of the wish it could not say. */
export interface WrittenPattern {
  pattern: string
  /** As it is tried on records that have no action, such as those of packets. */
  tried: string
  notes: string[]
}

export interface PatternWish {
  fields: readonly string[]
  /** Texts of the protected addresses. */
  hosts: readonly string[]
  /** Whether the records that it is tried on have an action. */
  hasAction: boolean
}

/** Most terms of one condition: a pattern has 1,024 characters. */
const termsMax = 40

export interface OutboundWish extends PatternWish {
  approved: readonly number[]
  /** Ports on which the hosts give services, those with the most connections first. */
  served: readonly number[]
  /** Networks whose addresses are no destination outside. */
  inside: readonly Prefix[]
}

/** What the hosts send from ports that they do not serve to ports that are not approved, outside. */
export function outboundPattern(wish: OutboundWish): WrittenPattern | null {
  const inside = wildcardsOf(wish.inside)
  const unsaid = wish.inside.filter(one => prefixTerms(one) === null).map(({ text }) => text)
  const notes = [
    ...(inside.length > 0
      ? [
          `traffic to ${inside.join(', ')} is left out: a pattern cannot hold other prefixes than those that end at a dot`,
        ]
      : []),
    ...(unsaid.length > 0 ? [`traffic to ${unsaid.join(', ')} is counted: no wildcard is that prefix`] : []),
  ]
  for (const count of fewer(wish.served.length)) {
    const dropped = wish.served.slice(count)
    const written = patternOf(wish, 'srcaddr', {
      srcport: noneOf('srcport', wish.served.slice(0, count).map(String)),
      dstport: noneOf('dstport', wish.approved.map(String)),
      dstaddr: noneOf('dstaddr', inside),
      action: accepted,
    })
    if (written === null) continue
    const more =
      dropped.length === 0
        ? []
        : [
            `answers from ports ${shown(dropped.map(String))} count too: a pattern has ${count} of the ports that are served`,
          ]
    return { ...written, notes: [...notes, ...written.notes, ...more] }
  }
  return null
}

export interface AdministrationWish extends PatternWish {
  /** Of administration. */
  ports: readonly number[]
  /** Texts of addresses whose sessions are no surprise, those with the most sessions first. */
  known: readonly string[]
  /** Records of more packets than that count. */
  packets: number
}

/** What reaches the hosts on ports of administration from other addresses than the known ones. */
export function administrationPattern(wish: AdministrationWish): WrittenPattern | null {
  const hasPackets = wish.fields.includes('packets')
  const probes = hasPackets ? [] : ['the format has no packets: probes of scanners count too']
  for (const { terms, notes } of knownTerms(wish.known)) {
    const written = patternOf(wish, 'dstaddr', {
      srcaddr: noneOf('srcaddr', terms),
      dstport: anyOf('dstport', wish.ports.map(String)),
      packets: hasPackets ? `packets > ${wish.packets}` : '',
      action: accepted,
    })
    if (written !== null) return { ...written, notes: [...written.notes, ...probes, ...notes] }
  }
  return null
}

/** Ways to name the known addresses, the most exact first: each, several of a network by its first octets, the first few. */
function* knownTerms(known: readonly string[]): Generator<{ terms: string[]; notes: string[] }> {
  if (known.length <= termsMax) yield { terms: [...known], notes: [] }
  for (const octets of [3, 2]) {
    const wide = widened(known, octets)
    const note = `${shown(wide)} stand for ${known.length} known addresses: others there pass unseen`
    if (wide.length <= termsMax && wide.length < known.length) yield { terms: wide, notes: [note] }
  }
  for (const count of fewer(known.length)) {
    const note = `${shown(known.slice(count))} would set it off: the pattern has room for ${count} known addresses only`
    yield { terms: known.slice(0, count), notes: count < known.length ? [note] : [] }
  }
}

/** What is refused of traffic to the hosts. */
export function rejectPattern(wish: PatternWish): WrittenPattern | null {
  return patternOf(wish, 'dstaddr', { action: 'action = "REJECT"' })
}

/** Lines that stand for records that were dropped. */
export function skippedPattern(fields: readonly string[]): string | null {
  if (!fields.includes('log-status')) return null
  return writePattern({ fields, conditions: new Map([['log-status', 'log_status = "SKIPDATA"']]), wanted: [] })
}

const accepted = 'action = "ACCEPT"'

/** How many of a list are named, from all of them down to none. */
function fewer(length: number): number[] {
  const counts = [Math.min(length, termsMax), 24, 12, 6, 3, 1, 0].filter(count => count <= length)
  return [...new Set(counts)]
}

/**
 * A pattern of some conditions and the hosts. Null: it does not fit, whichever way the hosts are told, or the format lacks a field.
 *
 * @param conditions by the names of fields; empty ones are left out, and that of an action where the format has none.
 */
function patternOf(
  { fields, hosts, hasAction }: PatternWish,
  end: 'srcaddr' | 'dstaddr',
  conditions: Readonly<Record<string, string>>,
): WrittenPattern | null {
  const wanted = fields.includes('bytes') ? ['bytes'] : []
  const lacksAction = !fields.includes('action')
  const others = Object.entries(conditions).filter(([name, text]) => text !== '' && !(name === 'action' && lacksAction))
  if ([end, ...others.map(([name]) => name)].some(name => !fields.includes(name))) return null
  for (const octets of [4, 3, 2, 1]) {
    const wide = octets === 4 ? [...hosts] : widened(hosts, octets)
    if (wide.length > termsMax) continue
    const all = new Map([...others, [end, anyOf(end, wide)]])
    const pattern = writePattern({ fields, conditions: all, wanted })
    if (pattern === null) continue
    const tried = new Map([...all].filter(([name]) => name !== 'action' || hasAction))
    return {
      pattern,
      tried: writePattern({ fields, conditions: tried, wanted })!,
      notes: [
        ...(octets === 4 ? [] : [`${shown(wide)} stand for ${hosts.length} addresses: the pattern is wider than they`]),
        ...(lacksAction && 'action' in conditions ? ['the format has no action: refused traffic counts too'] : []),
      ],
    }
  }
  return null
}

/** Addresses of IPv4 by their first octets and a wildcard, each once; others as they are. */
function widened(hosts: readonly string[], octets: number): string[] {
  const wide = hosts.map(host => (host.includes(':') ? host : `${host.split('.').slice(0, octets).join('.')}.*`))
  return [...new Set(wide)]
}

function anyOf(name: string, values: readonly string[]): string {
  return values.map(value => `${patternName(name)} = ${quoted(value)}`).join(' || ')
}

function noneOf(name: string, values: readonly string[]): string {
  return values.map(value => `${patternName(name)} != ${quoted(value)}`).join(' && ')
}

/** Numbers, and texts with a wildcard, stand as they are; AWS: others than letters and digits are to be in quotation marks. */
function quoted(value: string): string {
  return /^\d+$/.test(value) || value.endsWith('*') ? value : `"${value}"`
}

const namedMax = 5

function shown(texts: readonly string[]): string {
  const left = texts.length - namedMax
  return left > 0 ? `${texts.slice(0, namedMax).join(', ')} and ${left} more` : texts.join(', ')
}

function wildcardsOf(prefixes: readonly Prefix[]): string[] {
  return [...new Set(prefixes.flatMap(one => prefixTerms(one) ?? []))]
}

/** Most wildcards that one prefix is written as. */
const wildcardsMax = 16

/**
 * A prefix as texts, with a wildcard where it is more than an address: `10.*`; 172.16.0.0/12 is sixteen. Null where the text of its addresses
 * has no beginning of its own: prefixes of IPv6 that do not end with a group of four digits, or a quarter of one, and those that would be too many.
 */
export function prefixTerms({ first, last }: Prefix): string[] | null {
  if (first.hi === last.hi && first.lo === last.lo) return [formatAddress(first.hi, first.lo)]
  return isIPv4(first) && isIPv4(last) ? octetTerms(first, last) : groupTerms(first, last)
}

function octetTerms(first: Address, last: Address): string[] | null {
  const size = Number(last.lo - first.lo) + 1
  const octets = size > 2 ** 24 ? 1 : size > 2 ** 16 ? 2 : size > 2 ** 8 ? 3 : 4
  const step = 2 ** (8 * (4 - octets))
  // A whole octet is free: one octet less says it.
  const named = size === 256 * step ? octets - 1 : octets
  const count = named < octets ? 1 : size / step
  if (named === 0 || count > wildcardsMax) return null
  return Array.from({ length: count }, (_, at) => {
    const parts = formatAddress(first.hi, first.lo + BigInt(at * step)).split('.')
    return named === 4 ? parts.join('.') : `${parts.slice(0, named).join('.')}.*`
  })
}

/** In canonical text the first group has all its digits where it is at least 0x1000. */
function groupTerms(first: Address, last: Address): string[] | null {
  const [from, to] = [Number(first.hi >> 48n), Number(last.hi >> 48n)]
  if (from < 0x1000) return null
  const isWhole = (first.hi & 0xffff_ffff_ffffn) === 0n && (last.hi & 0xffff_ffff_ffffn) === 0xffff_ffff_ffffn
  if (!isWhole) return ownGroups(first, last)
  if (from === to) return [`${from.toString(16)}:*`]
  const digits = [12, 8, 4].find(bits => (to - from + 1) % 2 ** bits === 0 && from % 2 ** bits === 0)
  if (digits === undefined) return null
  const count = (to - from + 1) / 2 ** digits
  if (count > wildcardsMax) return null
  return Array.from({ length: count }, (_, at) => `${((from >> digits) + at).toString(16)}*`)
}

/** Several whole groups, none of them zero, which might be left out. */
function ownGroups(first: Address, last: Address): string[] | null {
  const groups = [32n, 16n, 0n].map(shift => [(first.hi >> shift) & 0xffffn, (last.hi >> shift) & 0xffffn] as const)
  const fixed = groups.findIndex(([from, to]) => from !== to)
  const named = fixed < 0 ? groups : groups.slice(0, fixed)
  const free = fixed < 0 ? [] : groups.slice(fixed)
  const isLowFree = first.lo === 0n && last.lo === 0xffff_ffff_ffff_ffffn
  if (!isLowFree || free.some(([from, to]) => from !== 0n || to !== 0xffffn) || named.some(([from]) => from === 0n))
    return null
  const texts = [first.hi >> 48n, ...named.map(([from]) => from)].map(group => group.toString(16))
  return [`${texts.join(':')}:*`]
}
