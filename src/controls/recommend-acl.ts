/** Recommends a network ACL: the attack denied both ways, what hosts of the subnet use let through, and the answers. */
import { isIPv4 } from '../net/address.ts'
import { countText } from '../net/counts.ts'
import { ICMP, ICMPV6 } from '../net/icmp.ts'
import type { Prefix } from '../net/prefix.ts'
import { hasPorts } from '../net/protocols.ts'
import type { AclEntry } from '../network-rules/network.ts'
import { aclQuotas, lastEntry, quotas } from '../network-rules/quotas.ts'
import {
  type ChosenEntries,
  chosenEntries,
  compareEntries,
  type Entry,
  type PortTraffic,
  portTraffic,
  type Wants,
} from './acl-entries.ts'
import { rememberedByHost } from './by-host.ts'
import type { Recommended } from './control.ts'
import { type AnswerPorts, answerPorts, type ClientPorts, clientPortsOf, portsKey } from './ephemeral.ts'
import { anyIPv4, anyIPv6, overlaps } from './prefix-cover.ts'
import { answersOf, type ProtectedTraffic, subnetsOf, textOf, type Unit } from './protected.ts'
import { shareText, someText, trafficText } from './rule-words.ts'
import { type Use, usesOf } from './uses.ts'

export interface AclOptions {
  /** The share of connections and of bytes that the entries are to let through, of each direction. */
  share?: number
  /** Entries of a direction and family, with the last one (`*`); and what AWS raises that to at most (`quotas`). */
  quota?: number
  quotaMost?: number
}

const step = 10
const firstNumber = 100

/** Network ACLs, one for each subnet of protected hosts; one for all of them where the records do not name their subnets. */
export function recommendAcl(
  traffic: ProtectedTraffic,
  uses: readonly Use[] = usesOf(traffic),
  { share = 0.99, quota = quotas.entriesPerAcl.limit, quotaMost = quotas.entriesPerAcl.most }: AclOptions = {},
): Recommended[] {
  const units = subnetsOf(traffic, uses)
  const partOf = partsOf(traffic, units)
  const crossing: Use[][] = units.map(() => [])
  for (const use of uses) {
    const [from, to] = [partOf(use.client), partOf(use.server)]
    if (from === to) continue
    crossing[from]?.push(use)
    crossing[to]?.push(use)
  }
  const ports = clientPortsOf(traffic, partOf)
  return units.flatMap((unit, part) => {
    const isInside = (host: number): boolean => partOf(host) === part
    const border = { unit, isInside, crossing: crossing[part]!, ports: ports(part) }
    const plan = planOf(traffic, border, { share, quota, quotaMost })
    return plan.denied.length === 0 ? [] : [recommended(traffic, unit, plan)]
  })
}

/** The number of the subnet that a host is in, below zero for others; a subnet that is not known holds protected hosts alone. */
function partsOf(traffic: ProtectedTraffic, units: readonly Unit[]): (host: number) => number {
  const own = new Map(units.flatMap((unit, part) => unit.hosts.map(host => [host, part] as const)))
  const subnets = new Map(units.flatMap(({ subnet }, part) => (subnet === null ? [] : [[subnet, part] as const])))
  return rememberedByHost(host => {
    const { subnet } = traffic.placeOf(host)
    return own.get(host) ?? (subnet === null ? -1 : (subnets.get(subnet) ?? -1))
  })
}

/** A subnet, and what crosses its border. */
interface Border {
  unit: Unit
  isInside: (host: number) => boolean
  crossing: readonly Use[]
  ports: ReadonlyMap<number, ClientPorts>
}

interface Plan {
  options: Required<AclOptions>
  attack: Use[]
  /** Of the attack, those that are outside of the subnet; and those for which there is no room. */
  denied: Prefix[]
  notDenied: Prefix[]
  /** Ports that the hosts reached the attack on, denied to any address. */
  deniedPorts: Entry[]
  /** Ports that are seen, in words. */
  answerTexts: string[]
  ingress: Entry[]
  egress: Entry[]
  services: ChosenEntries
  reached: ChosenEntries
  /** Other hosts of the subnet that were seen. */
  neighbours: number
}

function planOf(
  traffic: ProtectedTraffic,
  { unit, isInside, crossing, ports }: Border,
  options: Required<AclOptions>,
): Plan {
  const attack = crossing.filter(use => use.isAttack)
  const outside = attack.length === 0 ? [] : traffic.subjects.filter(subject => !holdsHost(traffic, unit, subject))
  const [into, out] = [true, false].map(is => crossing.filter(use => isInside(use.server) === is)) as [Use[], Use[]]
  const inwards = portTraffic(traffic, into, 'client', use => use.served)
  const outwards = portTraffic(traffic, out, 'server', use => use.connections)
  const own = answersFor('own', outwards, ports)
  const other = answersFor('other', inwards, ports)
  const deniedPorts = portsToDeny(
    traffic,
    attack.filter(use => isInside(use.client)),
    outwards,
    other,
  )
  const fixedIn = [...own.entries, ...pathMtu(inwards, outwards)]
  // Room for what is answered by the same, whether or not it is let through in the end.
  const besideIn = fixedIn.length + bothWays(outwards).length
  const besideOut = other.entries.length + bothWays(inwards).length + deniedPorts.length
  // IPv4 and IPv6 together have no more entries than AWS grants to each.
  const [usualMost, most] = [options.quota - lastEntry, options.quotaMost - lastEntry]
  const denied = outside.slice(0, Math.max(0, most - Math.max(besideIn, besideOut)))
  const chosen = (some: readonly PortTraffic[], answers: Entry[], beside: number, wants: Wants): ChosenEntries => {
    const room = (quota: number): number => Math.max(0, quota - denied.length - beside)
    const within = (quota: number) =>
      chosenEntries(traffic, some, answers, { share: options.share, room: room(quota), wants })
    const usual = within(usualMost)
    return usual.isEnough ? usual : within(most)
  }
  const services = chosen(inwards, fixedIn, besideIn, () => true)
  const reached = chosen(outwards, other.entries, besideOut, ({ protocol, port }) =>
    port === null ? false : traffic.isApproved?.(protocol, port) === true,
  )
  return {
    ...{ options, attack, denied, notDenied: outside.slice(denied.length), deniedPorts, services, reached },
    answerTexts: [...own.texts, ...other.texts],
    ingress: distinct([...services.entries, ...bothWays(reached.let), ...fixedIn]),
    egress: distinct([...reached.entries, ...bothWays(services.let), ...other.entries]),
    neighbours: neighboursIn(unit, crossing, isInside),
  }
}

function neighboursIn({ hosts }: Unit, crossing: readonly Use[], isInside: (host: number) => boolean): number {
  const own = new Set(hosts)
  const others = new Set<number>()
  for (const { client, server } of crossing)
    for (const host of [client, server]) if (isInside(host) && !own.has(host)) others.add(host)
  return others.size
}

/** Traffic within a subnet passes no ACL. */
function holdsHost(traffic: ProtectedTraffic, { hosts }: Unit, subject: Prefix): boolean {
  return hosts.some(host => {
    const at = traffic.address(host)
    return overlaps(subject, { text: '', first: at, last: at })
  })
}

interface Answers {
  entries: Entry[]
  texts: string[]
}

/** Entries for the answers to clients, by the ports that they use. */
function answersFor(
  client: 'own' | 'other',
  some: readonly PortTraffic[],
  ports: ReadonlyMap<number, ClientPorts>,
): Answers {
  const answers: Answers = { entries: [], texts: [] }
  const seen = new Set<number>()
  for (const { protocol, isIPv6 } of some) {
    const key = portsKey(client, protocol, isIPv6)
    const known = ports.get(key)
    if (seen.has(key) || known === undefined) continue
    seen.add(key)
    const found: AnswerPorts = answerPorts(known)
    const ranges = [
      ...found.low.map(port => ({ from: port, to: port })),
      ...(found.range === null ? [] : [found.range]),
    ]
    for (const { from, to } of ranges) answers.entries.push(allow(protocol, { from, to }, isIPv6))
    const whose = client === 'own' ? 'of these hosts' : 'of others'
    answers.texts.push(
      `answers to clients ${whose}, ${trafficText(protocol, null)}${isIPv6 ? ' of IPv6' : ''}: ${found.why}`,
    )
  }
  return answers
}

function allow(protocol: number, ports: Entry['ports'], isIPv6: boolean): Entry {
  return { action: 'allow', protocol, ports, icmp: null, prefix: isIPv6 ? anyIPv6 : anyIPv4 }
}

/** Protocols without ports answer by the same: ping, tunnels. */
function bothWays(ports: readonly PortTraffic[]): Entry[] {
  return ports.filter(one => !hasPorts(one.protocol)).map(one => allow(one.protocol, null, one.isIPv6))
}

/** ICMP that says that a packet was too large (RFC 1191, RFC 8201): without it connections hang. */
function pathMtu(inwards: readonly PortTraffic[], outwards: readonly PortTraffic[]): Entry[] {
  const all = [...inwards, ...outwards]
  const needs = (isIPv6: boolean, protocol: number): boolean =>
    all.some(one => one.isIPv6 === isIPv6) && !all.some(one => one.protocol === protocol && one.isIPv6 === isIPv6)
  return [
    ...(needs(false, ICMP) ? [{ ...allow(ICMP, null, false), icmp: { type: 3, code: 4 } }] : []),
    ...(needs(true, ICMPV6) ? [{ ...allow(ICMPV6, null, true), icmp: { type: 2, code: 0 } }] : []),
  ]
}

/**
 * Ports on which hosts of the subnet reached the attack, that nothing else needs: answers to clients would let the hosts reach them at any other
 * address.
 */
function portsToDeny(
  traffic: ProtectedTraffic,
  attack: readonly Use[],
  outwards: readonly PortTraffic[],
  answers: Answers,
): Entry[] {
  const found = new Map<string, Entry>()
  for (const { protocol, port, server, isUnclear } of attack) {
    if (protocol === null || port === null || isUnclear || !hasPorts(protocol)) continue
    const isIPv6 = !isIPv4(traffic.address(server))
    const isNeeded = outwards.some(one => one.protocol === protocol && one.port === port && one.isIPv6 === isIPv6)
    const isOpen = answers.entries.some(
      ({ protocol: of, ports, prefix }) =>
        of === protocol &&
        isIPv4(prefix.first) !== isIPv6 &&
        ports!.from <= port &&
        port <= ports!.to &&
        ports!.from < ports!.to,
    )
    const deny: Entry = { ...allow(protocol, { from: port, to: port }, isIPv6), action: 'deny' }
    if (isOpen && !isNeeded) found.set(`${protocol} ${port} ${isIPv6}`, deny)
  }
  return [...found.values()].sort(compareEntries)
}

function distinct(entries: readonly Entry[]): Entry[] {
  const seen = new Map(entries.map(one => [JSON.stringify({ ...one, prefix: one.prefix.text }), one]))
  return [...seen.values()].sort(compareEntries)
}

/** The denied ones first; the others from a hundred further on, so that more can be denied later. */
function numbered(denied: readonly Entry[], allowed: readonly Entry[]): AclEntry[] {
  const from = Math.ceil((firstNumber + denied.length * step) / 100) * 100 + 100
  return [
    ...denied.map((entry, i) => ({ number: firstNumber + i * step, ...entry })),
    ...allowed.map((entry, i) => ({ number: from + i * step, ...entry })),
  ]
}

function recommended(traffic: ProtectedTraffic, unit: Unit, plan: Plan): Recommended {
  const denied = plan.denied.map(
    (prefix): Entry => ({ action: 'deny', protocol: null, ports: null, icmp: null, prefix }),
  )
  const ingress = numbered(denied, plan.ingress)
  const egress = numbered([...denied, ...plan.deniedPorts], plan.egress)
  const ends = new Set(plan.attack.map(use => `${textOf(traffic, use.server)} ${use.protocol} ${use.port}`))
  const where = unit.subnet ?? `the subnet of ${someText(unit.addresses)}`
  return {
    kind: 'network-acl',
    title: `Deny ${someText(plan.denied.map(one => one.text))} both ways at ${where}, and let through what is used there`,
    answers: answersOf(traffic.services, ({ server, port, protocol }) => ends.has(`${server} ${protocol} ${port}`)),
    why: whyOf(plan),
    cost: costOf(plan, mostEntries(ingress, egress)),
    confirm: confirmOf(traffic, unit, plan),
    artefact: {
      what: 'network-acl',
      ...{ ingress, egress },
      subnets: unit.subnet === null ? [] : [unit.subnet],
      addresses: unit.addresses,
    },
  }
}

function whyOf({ attack, deniedPorts, services, reached, answerTexts, options }: Plan): string {
  const tried = attack.reduce((sum, use) => sum + use.attempts, 0)
  const portsText = (of: ChosenEntries): string =>
    someText(of.let.map(one => trafficText(one.protocol, one.port))) || 'nothing'
  return [
    `${countText(tried, 'connection')} of the attack crossed the border of the subnet; the entries with the lowest numbers refuse its addresses whatever the port.`,
    ...(deniedPorts.length === 0
      ? []
      : [
          `Nothing else was reached on ${someText(deniedPorts.map(one => trafficText(one.protocol!, one.ports!.from)))}: denied to any address, as answers to clients would let it pass.`,
        ]),
    `Let in: ${portsText(services)} (${heldText(services)}). Let out: ${portsText(reached)} (${heldText(reached)}).`,
    `An ACL does not remember who asked: ${answerTexts.join('; ')}.`,
    ...fittingTexts(services, reached, options),
  ].join(' ')
}

/** Of what is not the attack. */
function heldText({ left, held, isEnough }: ChosenEntries): string {
  if (left.length === 0) return 'all that was used'
  const shares = `${shareText(held.connections)} of connections and ${shareText(held.bytes)} of bytes`
  return isEnough ? shares : `${shares}: there is no room for more`
}

function fittingTexts(services: ChosenEntries, reached: ChosenEntries, { quota }: Required<AclOptions>): string[] {
  const fitting = new Set([...services.fitting, ...reached.fitting])
  const texts = [
    ...(fitting.has('answers') ? ['ports that answers pass by have no entry of their own'] : []),
    ...(fitting.has('ranges') ? ['other ports share ranges'] : []),
  ]
  return texts.length === 0 ? [] : [`To fit into ${quota} entries, ${texts.join(', and ')}.`]
}

/** Of a direction and family, as AWS counts them. */
function mostEntries(ingress: AclEntry[], egress: AclEntry[]): number {
  const acl = { id: '', vpc: null, isDefault: false, ingress, egress }
  return Math.max(...(['ingress', 'egress'] as const).flatMap(one => aclQuotas(acl, one).map(({ used }) => used)))
}

/** @param used entries of a direction and family. */
function costOf({ deniedPorts, services, reached, answerTexts, notDenied, options }: Plan, used: number): string {
  const left = [...services.left, ...reached.left]
  const broken = left.reduce((sum, one) => sum + one.connections, 0)
  return [
    left.length === 0
      ? 'What the hosts of the subnet did not use in this evidence is refused from then on.'
      : `It refuses ${countText(broken, 'recorded connection')} to ${someText(left.map(one => trafficText(one.protocol, one.port)))}, and what was not used in this evidence.`,
    ...(answerTexts.length === 0
      ? []
      : [
          'The ports for answers are open for new connections as well, at any address that is not denied: only a security group can tell the two apart.',
        ]),
    ...(deniedPorts.length === 0
      ? []
      : ['A client whose own port happens to be a denied one gets no answer, and tries again from another.']),
    ...(used > options.quota
      ? [
          `It needs ${used} entries in a direction, with the last one (*), more than the quota of ${options.quota}: AWS raises it to ${options.quotaMost} on request.`,
        ]
      : []),
    ...(notDenied.length === 0
      ? []
      : [
          `There is no room for ${countText(notDenied.length, 'address', 'addresses')} of the attack: ${someText(notDenied.map(one => one.text))}.`,
        ]),
  ].join(' ')
}

function confirmOf(traffic: ProtectedTraffic, unit: Unit, { reached, neighbours }: Plan): string[] {
  const { isApproved, incident } = traffic
  const unapproved = reached.let.filter(one => one.port !== null && isApproved?.(one.protocol, one.port) === false)
  const late = incident === null ? [] : reached.let.filter(one => one.first_us >= incident.from_us)
  return [
    unit.subnet === null
      ? 'The records do not name the subnet: this is written for these hosts alone. It holds for every host of their subnet: check what the others need.'
      : `It holds for every host of ${unit.subnet}: ${neighbours === 0 ? 'no other one is in these connections, so check what others need' : `what ${countText(neighbours, 'other host')} used is let through as well`}.`,
    ...portNotes('let out, but not among the approved ports', unapproved),
    ...portNotes('let out, but not seen before the attack began, of which it may be part', late),
  ]
}

function portNotes(words: string, ports: readonly PortTraffic[]): string[] {
  const texts = ports.map(
    one =>
      `${trafficText(one.protocol, one.port)}${one.isIPv6 ? ' of IPv6' : ''} (${countText(one.connections, 'connection')})`,
  )
  return texts.length === 0 ? [] : [`${words}: ${someText(texts)}`]
}
