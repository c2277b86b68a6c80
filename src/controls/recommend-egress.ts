/** Recommends what hosts may reach: an outbound list of a security group, mined from the traffic that is not the attack. */
import { countText, integerText } from '../net/counts.ts'
import { utcSeconds } from '../net/time.ts'
import type { Recommended } from './control.ts'
import { type Candidate, Candidates, type Item, isIPv6Rule, ruleOf, type Width } from './egress-candidates.ts'
import { isIPv6Prefix } from './prefix-cover.ts'
import { answersOf, interfacesOf, isSubject, type ProtectedTraffic, textOf, type Unit } from './protected.ts'
import { namedTraffic, nameFor, shareText, someText, trafficText } from './rule-words.ts'
import { type SmallestCover, smallestCover } from './smallest-cover.ts'
import { type Use, usesBy, usesOf } from './uses.ts'

export interface EgressOptions {
  /** The share of connections and of bytes that the list is to let through. */
  share?: number
  /** Rules of a group in a direction, of IPv4 and of IPv6 each (Amazon VPC quotas). */
  quota?: number
}

const widths: readonly Width[] = ['narrow', 'any-address', 'port-ranges']

/**
 * Outbound lists, one for each interface from which the attack was reached. No rule lets a recorded connection of the attack through: one to any address
 * is only made of ports that the hosts did not reach the attack on, and no narrower prefix holds an address of it.
 */
export function recommendEgress(
  traffic: ProtectedTraffic,
  uses: readonly Use[] = usesOf(traffic),
  { share = 0.99, quota = 60 }: EgressOptions = {},
): Recommended[] {
  const from = usesBy(traffic, uses, 'client')
  return interfacesOf(traffic, uses).flatMap(unit => {
    const mined = mine(traffic, unit, from(unit.hosts), share, quota)
    return mined.attack.length === 0 ? [] : [recommended(traffic, unit, mined)]
  })
}

interface Mined {
  share: number
  quota: number
  attack: Use[]
  items: Item[]
  chosen: Candidate[]
  cover: SmallestCover
  width: Width
  /** How many rules it would take with any address for each port; of narrow rules alone. */
  anyAddress: number | null
  /** What is not in the share: it is not clear who began it or what it is of; and what no rule can tell from the attack. */
  left: { unclear: number; toSubject: number; unanswered: number }
}

function mine(traffic: ProtectedTraffic, unit: Unit, uses: readonly Use[], share: number, quota: number): Mined {
  const hosts = new Set(unit.hosts)
  const mine = uses.filter(use => !hosts.has(use.server))
  const attack = mine.filter(use => use.isAttack)
  const innocent = mine.filter(use => !use.isAttack)
  const isOfAttack = sharedWith(traffic, attack)
  const usable = innocent.filter(use => use.connections > 0 && !use.isUnclear && !isOfAttack(use))
  const items = itemsOf(usable)
  const left = {
    unclear: sum(innocent.filter(use => use.isUnclear).map(use => use.connections)),
    toSubject: sum(innocent.filter(use => !use.isUnclear && isOfAttack(use)).map(use => use.connections)),
    unanswered: sum(innocent.map(use => use.attempts - use.connections)),
  }
  for (const width of widths) {
    const { all } = new Candidates(traffic, items, attack, width)
    const isLast = width === widths.at(-1)
    const sets = all.map(one => one.items)
    const cover = smallestCover(items, sets, share, isLast ? quota : 4 * quota)
    const chosen = cover.chosen.map(i => all[i]!)
    const six = chosen.filter(isIPv6Rule).length
    const isRoom = six <= quota && chosen.length - six <= quota
    if (!isLast && !(cover.isEnough && isRoom)) continue
    const anyAddress = width === 'narrow' ? anyAddressRules(traffic, items, attack, share) : null
    return { share, quota, attack, items, chosen: inOrder(chosen), cover, width, anyAddress, left }
  }
  throw new Error('no width')
}

/** Whether a use is of an address of the attack, or of a service that hosts reached in the attack as well: no rule can tell it from that. */
function sharedWith(traffic: ProtectedTraffic, attack: readonly Use[]): (use: Use) => boolean {
  const keyOf = (server: number, protocol: number | null, port: number | null): string =>
    `${server} ${protocol} ${port}`
  const reached = new Set(attack.map(use => keyOf(use.server, use.protocol, use.port)))
  return ({ server, protocol, port }) =>
    isSubject(traffic, server) ||
    [keyOf(server, protocol, port), keyOf(server, protocol, null), keyOf(server, null, null)].some(one =>
      reached.has(one),
    )
}

function anyAddressRules(
  traffic: ProtectedTraffic,
  items: readonly Item[],
  attack: readonly Use[],
  share: number,
): number {
  const { all } = new Candidates(traffic, items, attack, 'any-address')
  const sets = all.map(one => one.items)
  return smallestCover(items, sets, share).chosen.length
}

function itemsOf(uses: readonly Use[]): Item[] {
  const items = new Map<string, Item>()
  for (const { server, port, protocol, connections, bytes, first_us } of uses) {
    const key = `${server} ${protocol} ${port}`
    const item = items.get(key)
    if (item === undefined) {
      items.set(key, { peer: server, protocol: protocol!, port, connections, bytes, first_us })
      continue
    }
    item.connections += connections
    item.bytes += bytes
    item.first_us = Math.min(item.first_us, first_us)
  }
  return [...items.values()].sort(
    (a, b) => a.peer - b.peer || a.protocol - b.protocol || (a.port ?? -1) - (b.port ?? -1),
  )
}

function inOrder(chosen: readonly Candidate[]): Candidate[] {
  return chosen.toSorted(
    (a, b) =>
      Number(isIPv6Rule(a)) - Number(isIPv6Rule(b)) ||
      (a.protocol ?? -1) - (b.protocol ?? -1) ||
      (a.ports?.from ?? -1) - (b.ports?.from ?? -1) ||
      remoteText(a).localeCompare(remoteText(b), 'en'),
  )
}

function remoteText({ remote }: Candidate): string {
  if (remote.kind === 'prefix') return remote.prefix.text
  return remote.kind === 'group' ? remote.group : remote.list
}

function recommended(traffic: ProtectedTraffic, unit: Unit, mined: Mined): Recommended {
  const { attack, chosen, items } = mined
  const name = nameFor('egress', unit.addresses[0]!)
  const hosts = new Set(unit.addresses)
  const servers = new Set(attack.map(use => `${textOf(traffic, use.server)} ${use.protocol} ${use.port}`))
  return {
    kind: 'security-group-egress',
    title: `Let ${someText(unit.addresses)} reach only what it is seen to use: ${countText(chosen.length, 'outbound rule')}`,
    answers: answersOf(
      traffic.services,
      ({ server, port, protocol }) => !hosts.has(server) && servers.has(`${server} ${protocol} ${port}`),
    ),
    why: whyOf(traffic, unit, mined),
    cost: costOf(traffic, mined),
    confirm: confirmOf(traffic, mined),
    artefact: {
      what: 'security-group',
      direction: 'egress',
      group: { id: name, name, vpc: unit.vpc, ingress: [], egress: chosen.map(one => ruleOf(one, items)) },
      addresses: unit.addresses,
      interfaces: unit.interfaces,
    },
  }
}

function whyOf(
  { hasSizes }: ProtectedTraffic,
  unit: Unit,
  { items, chosen, cover, attack, share, quota, width, anyAddress }: Mined,
): string {
  const total = { connections: sum(items.map(one => one.connections)), bytes: sum(items.map(one => one.bytes)) }
  const of = someText(unit.addresses)
  const reached = someText([...new Set(attack.map(use => serviceText(use)))])
  const stops = `The recorded connections of the attack from ${of} went to ${reached}; no rule lets them through.`
  if (items.length === 0)
    return `${stops} No other outbound connection of ${of} was recorded that was used, so the list is empty.`
  const bytes = hasSizes ? ` and ${shareText(cover.held.bytes)} of ${integerText(total.bytes)} bytes` : ''
  const asked = hasSizes ? `${shareText(share)} of both` : `${shareText(share)}; bytes are not recorded`
  const covers = `${countText(chosen.length, 'rule')} let through ${shareText(cover.held.connections)} of ${countText(total.connections, 'connection')}${bytes} that ${of} began in this evidence and that are not the attack (asked for: ${asked}).`
  const least =
    cover.isEnough && chosen.length === cover.atLeast
      ? 'No smaller choice of such rules does.'
      : `A smaller choice of such rules has at least ${cover.atLeast}.`
  const wider =
    width === 'narrow'
      ? []
      : [
          `Narrower rules would be more than the quota of ${quota}: these are wider, ${width === 'any-address' ? 'by port to any address' : 'by port or range of ports to any address'}.`,
        ]
  const fewer =
    anyAddress === null || anyAddress >= chosen.length
      ? []
      : [`With any address for ports of few peers as well, ${countText(anyAddress, 'rule')} would do.`]
  const short = cover.isEnough
    ? [least]
    : [`That is less than was asked for: more would not fit into the quota of ${quota} rules.`]
  return [stops, covers, ...short, ...fewer, ...wider].join(' ')
}

function serviceText({ protocol, port, isUnclear }: Use): string {
  if (protocol === null) return 'an unknown protocol'
  return port === null && isUnclear
    ? `${namedTraffic(protocol, null)} on an unknown port`
    : namedTraffic(protocol, port)
}

function costOf(traffic: ProtectedTraffic, { items, chosen, left }: Mined): string {
  const held = new Set(chosen.flatMap(one => one.items))
  const broken = items.filter((_, i) => !held.has(i))
  const lost =
    broken.length === 0
      ? 'Whatever these hosts did not use in this evidence is refused from then on: rare jobs, updates, new services.'
      : `It refuses what falls outside the share, ${countText(sum(broken.map(one => one.connections)), 'recorded connection')} with ${countText(new Set(broken.map(one => one.peer)).size, 'peer')}, and whatever was not used in this evidence: rare jobs, updates, new services.`
  const anywhere = chosen.filter(isAnywhere)
  const open = anywhere.filter(one => traffic.subjects.some(subject => isIPv6Prefix(subject) === isIPv6Rule(one)))
  const single = chosen.some(one => !isAnywhere(one) && one.remote.kind === 'prefix')
  const moves = single
    ? ['Rules to a few addresses break when a service moves to others, as update servers and content networks do.']
    : []
  const reach =
    open.length === 0
      ? []
      : [
          `A group cannot deny: by ${someText(open.map(ruleTraffic))} to any address the attack could be reached on a port that it did not use; deny its addresses in the network ACL as well.`,
        ]
  const counts = [
    ...counted(left.unclear, 'whose beginning or service is not clear'),
    ...counted(left.toSubject, 'with an address of the attack, or with a service that it used as well'),
    ...counted(left.unanswered, 'rejected or not answered'),
  ]
  const notMined = counts.length === 0 ? [] : [`Not in the share: ${counts.join('; ')}.`]
  return [
    lost,
    ...moves,
    ...reach,
    ...notMined,
    'Groups do not filter DNS of Amazon, instance metadata, DHCP and Amazon time.',
  ].join(' ')
}

function counted(connections: number, words: string): string[] {
  return connections === 0 ? [] : [`${countText(connections, 'connection')} ${words}`]
}

function confirmOf(traffic: ProtectedTraffic, { items, chosen }: Mined): string[] {
  return chosen.flatMap(rule => {
    const what = `${ruleTraffic(rule)} to ${isAnywhere(rule) ? 'any address' : remoteText(rule)}`
    const some = rule.items.map(i => items[i]!)
    const from_us = some.reduce((least, one) => Math.min(least, one.first_us), Number.POSITIVE_INFINITY)
    const notes = [
      ...(traffic.incident !== null && from_us >= traffic.incident.from_us
        ? [`not seen before the attack began, first at ${timeText(from_us)}: it may be part of it`]
        : []),
      ...unapproved(traffic, some),
      ...widthNotes(traffic, rule, some),
    ]
    return notes.length === 0 ? [] : [`${what}: ${notes.join('; ')}`]
  })
}

function unapproved({ isApproved }: ProtectedTraffic, items: readonly Item[]): string[] {
  if (isApproved === null) return []
  const ports = new Set(
    items
      .filter(({ protocol, port }) => port !== null && !isApproved(protocol, port))
      .map(({ protocol, port }) => trafficText(protocol, port)),
  )
  return ports.size === 0 ? [] : [`not among the approved ports: ${someText([...ports])}`]
}

function widthNotes(traffic: ProtectedTraffic, rule: Candidate, items: readonly Item[]): string[] {
  if (rule.remote.kind === 'prefix-list') return ['that the list of AWS holds the addresses seen']
  if (rule.remote.kind !== 'prefix' || isAnywhere(rule) || !rule.remote.prefix.text.includes('/')) return []
  const peers = [...new Set(items.map(one => textOf(traffic, one.peer)))]
  return [`of it ${someText(peers, 4)} ${peers.length === 1 ? 'was' : 'were'} seen`]
}

function ruleTraffic({ protocol, ports }: Candidate): string {
  return trafficText(protocol, ports?.from ?? null, ports?.to ?? null)
}

function isAnywhere({ remote }: Candidate): boolean {
  return remote.kind === 'prefix' && remote.prefix.text.endsWith('/0')
}

function timeText(us: number): string {
  return Number.isFinite(us) ? utcSeconds(us) : 'an unknown time'
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
