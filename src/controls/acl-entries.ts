/** Which ports a network ACL lets through, as few entries as there is room for. */
import { isIPv4 } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import type { AclEntry, PortRange } from '../network-rules/network.ts'
import { isIPv6By, rememberedByHost } from './by-host.ts'
import { coverLimits } from './egress-candidates.ts'
import { anyIPv4, anyIPv6, coverOf } from './prefix-cover.ts'
import type { ProtectedTraffic } from './protected.ts'
import { smallestCover, type Weight } from './smallest-cover.ts'
import type { Use } from './uses.ts'

/** An entry before it has a number. */
export type Entry = Omit<AclEntry, 'number'>

/** What goes to one port in one family, and who is at the other end. */
export interface PortTraffic extends Weight {
  protocol: number
  port: number | null
  isIPv6: boolean
  /** Internal ones; all of them are, if not `hasExternal`. */
  others: Set<number>
  hasExternal: boolean
  first_us: number
}

/** @param other the end outside of the subnet. */
export function portTraffic(
  traffic: ProtectedTraffic,
  uses: readonly Use[],
  other: 'client' | 'server',
  countOf: (use: Use) => number,
): PortTraffic[] {
  const ports = new Map<number, PortTraffic>()
  const isIPv6Host = isIPv6By(traffic)
  const isInternal = rememberedByHost(host => Number(traffic.isInternal(host)))
  for (const use of uses) {
    if (countOf(use) === 0 || use.isUnclear || use.isAttack) continue
    const isIPv6 = isIPv6Host(use[other])
    const key = 2 * (0x1_0001 * use.protocol! + (use.port ?? 0x1_0000)) + Number(isIPv6)
    const one = ports.get(key) ?? {
      ...{ protocol: use.protocol!, port: use.port, isIPv6, others: new Set<number>(), hasExternal: false },
      ...{ connections: 0, bytes: 0, first_us: Number.POSITIVE_INFINITY },
    }
    ports.set(key, one)
    one.connections += countOf(use)
    one.bytes += use.bytes
    if (isInternal(use[other]) === 1) one.others.add(use[other])
    else one.hasExternal = true
    one.first_us = Math.min(one.first_us, use.first_us)
  }
  return [...ports.values()].sort(
    (a, b) => Number(a.isIPv6) - Number(b.isIPv6) || a.protocol - b.protocol || (a.port ?? -1) - (b.port ?? -1),
  )
}

export interface ChosenEntries {
  entries: Entry[]
  /** Ports that an entry lets through, and those that none does. */
  let: PortTraffic[]
  left: PortTraffic[]
  /** Shares that are let through, and whether those are what was asked for. */
  held: Weight
  isEnough: boolean
  /** By what they were made fewer than one for each port. */
  fitting: ('answers' | 'ranges')[]
}

/** Whether a port is to be let through beyond the share, where there is room. */
export type Wants = (port: PortTraffic) => boolean

export interface EntryLimits {
  share: number
  /** How many entries. */
  room: number
  wants: Wants
}

/**
 * Entries for the share of what goes to some ports. Where there is no room for one for each, those that answers pass by anyway have none; then
 * ports of a protocol share a range.
 *
 * @param answers what is let through for the sake of answers.
 */
export function chosenEntries(
  traffic: ProtectedTraffic,
  ports: readonly PortTraffic[],
  answers: readonly Entry[],
  { share, room, wants }: EntryLimits,
): ChosenEntries {
  const single = ports.map((_, i) => [i])
  // More than there is room for do not help.
  const exact = smallestCover(ports, single, share, room + 1)
  const wanted = new Set([...exact.chosen, ...ports.flatMap((port, i) => (wants(port) ? [i] : []))])
  for (const some of [[...wanted], exact.chosen]) {
    if (exact.isEnough && some.length <= room)
      return made(traffic, ports, { sets: some.map(i => [i]), free: [], share, fitting: [] })
  }
  const free = ports.flatMap((one, i) => (isLetThrough(one, answers) ? [i] : []))
  // What passes anyway is one set that costs nothing: a set more than there is room for.
  const more = Number(free.length > 0)
  const others = single.filter(([i]) => !free.includes(i!))
  const sets = free.length === 0 ? others : [free, ...others]
  const wide = [...sets, ...rangesOf(ports, others.flat())]
  const [some, last] = [sets, wide].map(one => ({ sets: one, cover: smallestCover(ports, one, share, room + more) }))
  const isFine = some!.cover.isEnough && some!.cover.chosen.length <= room + more
  const { sets: from, cover } = isFine ? some! : last!
  const fitting: ChosenEntries['fitting'] = [
    ...(more === 1 ? (['answers'] as const) : []),
    ...(isFine ? [] : (['ranges'] as const)),
  ]
  const chosen = cover.chosen.map(i => from[i]!).filter(set => set !== free)
  // The free set may not be among the chosen ones, which then are one more than there is room for.
  return made(traffic, ports, { sets: chosen.slice(0, room), free, share, fitting })
}

function isLetThrough({ protocol, port, isIPv6 }: PortTraffic, answers: readonly Entry[]): boolean {
  return answers.some(
    one =>
      one.action === 'allow' &&
      one.protocol === protocol &&
      isAny(one.prefix) &&
      isIPv4(one.prefix.first) !== isIPv6 &&
      port !== null &&
      one.ports !== null &&
      one.ports.from <= port &&
      port <= one.ports.to,
  )
}

function isAny({ text }: Prefix): boolean {
  return text.endsWith('/0')
}

/** The ports of each protocol and family together, low ones and high ones apart. */
function rangesOf(ports: readonly PortTraffic[], some: readonly number[]): number[][] {
  const ranges = new Map<string, number[]>()
  for (const i of some) {
    const { protocol, port, isIPv6 } = ports[i]!
    if (port === null) continue
    const key = `${protocol} ${isIPv6} ${port < 1024}`
    const known = ranges.get(key)
    if (known === undefined) ranges.set(key, [i])
    else known.push(i)
  }
  return [...ranges.values()].filter(one => one.length > 1)
}

interface Choice {
  /** Numbers of ports, by entry; and those that need none. */
  sets: readonly (readonly number[])[]
  free: readonly number[]
  share: number
  fitting: ChosenEntries['fitting']
}

function made(
  traffic: ProtectedTraffic,
  ports: readonly PortTraffic[],
  { sets, free, share, fitting }: Choice,
): ChosenEntries {
  const some = new Set([...sets.flat(), ...free])
  const { held, isEnough } = smallestCover(ports, [[...some]], share)
  return {
    entries: sets
      .map(set =>
        entryOf(
          traffic,
          set.map(i => ports[i]!),
        ),
      )
      .sort(compareEntries),
    let: ports.filter((_, i) => some.has(i)),
    left: ports.filter((_, i) => !some.has(i)),
    ...{ held, isEnough, fitting },
  }
}

function entryOf(traffic: ProtectedTraffic, some: readonly PortTraffic[]): Entry {
  const { protocol, port, isIPv6 } = some[0]!
  const all = some.map(one => one.port!)
  const ports: PortRange | null = port === null ? null : { from: Math.min(...all), to: Math.max(...all) }
  return { action: 'allow', protocol, ports, icmp: null, prefix: prefixFor(traffic, some, isIPv6) }
}

/** One prefix of internal hosts where no other takes part, else any address. */
function prefixFor(traffic: ProtectedTraffic, some: readonly PortTraffic[], isIPv6: boolean): Prefix {
  const any = isIPv6 ? anyIPv6 : anyIPv4
  if (some.some(one => one.hasExternal)) return any
  const others = new Set(some.flatMap(one => [...one.others]))
  const limits = { ...coverLimits(isIPv6, true), most: 1 }
  return coverOf(Array.from(others, traffic.address), [], limits)?.[0] ?? any
}

export function compareEntries(a: Entry, b: Entry): number {
  return (
    Number(isIPv4(b.prefix.first)) - Number(isIPv4(a.prefix.first)) ||
    (a.protocol ?? -1) - (b.protocol ?? -1) ||
    (a.ports?.from ?? -1) - (b.ports?.from ?? -1) ||
    (a.ports?.to ?? -1) - (b.ports?.to ?? -1)
  )
}
