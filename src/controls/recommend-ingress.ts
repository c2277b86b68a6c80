/** Recommends who may reach a host: its administration only for addresses that worked there before the attack, its other services as they were used. */
import { type Address, isIPv4 } from '../net/address.ts'
import { countText } from '../net/counts.ts'
import { type Prefix, prefixContains } from '../net/prefix.ts'
import { hasPorts, TCP, UDP } from '../net/protocols.ts'
import { durationWords, utcSeconds } from '../net/time.ts'
import type { GroupRule } from '../network-rules/network.ts'
import { administrativePorts } from '../rules/lateral.ts'
import type { Recommended } from './control.ts'
import { coverLimits, isIPv6Rule } from './egress-candidates.ts'
import { anyIPv4, anyIPv6, coverOf, widestCover } from './prefix-cover.ts'
import { answersOf, interfacesOf, isSubject, type ProtectedTraffic, textOf, type Unit } from './protected.ts'
import { namedTraffic, nameFor, someText, trafficText } from './rule-words.ts'
import { compareUses, sessionText, type Use, usesBy, usesOf } from './uses.ts'

/** Where hosts are administered and data is reached: those of the rules for moves between hosts, and more of databases and VNC. */
const administration: readonly number[] = [...administrativePorts, 1521, 5901, 9200, 9300, 11_211, 27_017]

/** Of them, those at which programs of one's own ask short questions all day: an internal address that was served is enough. */
const dataPorts: readonly number[] = [139, 445, 1433, 1521, 2049, 3306, 5432, 6379, 9200, 9300, 10_250, 11_211, 27_017]

/** Services for whoever comes: they stay open to any address once somebody outside was served. */
const publicPorts: readonly number[] = [25, 53, 80, 443]

/** Connections without work, and how many times more than sessions, from which on a client looks like one that guesses passwords. */
const guessesMin = 10
const guessesTimes = 3

export function isAdministration(protocol: number | null, port: number | null): boolean {
  return (protocol === TCP || protocol === UDP) && port !== null && administration.includes(port)
}

export interface IngressOptions {
  /** Rules of a group in a direction, of IPv4 and of IPv6 each (Amazon VPC quotas). */
  quota?: number
}

/**
 * Inbound lists, one for each interface a service of which the attack used that need not stay open to it: one of administration, or one that only
 * the attack used.
 */
export function recommendIngress(
  traffic: ProtectedTraffic,
  uses: readonly Use[] = usesOf(traffic),
  { quota = 60 }: IngressOptions = {},
): Recommended[] {
  const to = usesBy(traffic, uses, 'server')
  const begin_us = uses.reduce((least, use) => Math.min(least, use.first_us), Number.POSITIVE_INFINITY)
  return interfacesOf(traffic, uses).flatMap(unit => {
    const mine = to(unit.hosts)
    const unclear = mine.reduce((sum, use) => sum + (use.isUnclear && !use.isAttack ? use.connections : 0), 0)
    const plan = { ...planOf(traffic, unit, mine, quota), begin_us, unclear }
    return plan.services.some(one => one.attack.length > 0 && one.is !== 'open')
      ? [recommended(traffic, unit, plan)]
      : []
  })
}

/** A service of the hosts, and who used it. */
interface Service {
  protocol: number
  port: number | null
  attack: Use[]
  innocent: Use[]
  /** `restricted`: one of administration; `closed`: only the attack was served; `open`: others were. */
  is: 'restricted' | 'closed' | 'open'
}

/** Whom administration stays open to, and who is left out though they had sessions. */
interface Allowed {
  service: Service
  clients: Use[]
  guessers: Use[]
  /** Those that worked there, but only since the attack began. */
  late: Use[]
  counts: (use: Use) => Counts
}

/** What of a use speaks for letting its client in. */
interface Counts {
  noun: 'session' | 'connection'
  before: number
  all: number
}

/** A rule, and how much traffic speaks for it. */
interface WeighedRule {
  rule: GroupRule
  weight: number
  isOpen: boolean
}

interface Plan {
  services: Service[]
  allowed: Allowed[]
  rules: GroupRule[]
  /** What had to be done so that the rules fit. */
  fitting: string[]
  /** When the first connection of all begins. */
  begin_us: number
  /** Connections that no rule is made of, as it is not clear who began them. */
  unclear: number
}

function planOf(
  traffic: ProtectedTraffic,
  unit: Unit,
  uses: readonly Use[],
  quota: number,
): Omit<Plan, 'begin_us' | 'unclear'> {
  const services = servicesOf(unit, uses)
  const allowed = services.filter(one => one.is === 'restricted').map(service => allowedTo(traffic, service))
  const open = services.filter(one => one.is === 'open').flatMap(service => openRules(traffic, service))
  const exact = [...allowed.flatMap(one => addressRules(traffic, one)), ...open]
  if (fits(exact, quota)) return { services, allowed, rules: rulesOf(exact), fitting: [] }
  const near = [...allowed.flatMap(one => nearRules(traffic, one)), ...open]
  const wide = `Single addresses would be more than the quota of ${quota} rules: internal ones of one network share a rule.`
  if (fits(near, quota)) return { services, allowed, rules: rulesOf(near), fitting: [wide] }
  const rules = rulesOf(cut(near, quota))
  const kept = allowed.map(one => ({ ...one, clients: one.clients.filter(use => isLetIn(traffic, use, rules)) }))
  return { services, allowed: kept, rules, fitting: [wide, cutText(near.length - rules.length)] }
}

function rulesOf(rules: readonly WeighedRule[]): GroupRule[] {
  return rules.map(one => one.rule)
}

function servicesOf(unit: Unit, uses: readonly Use[]): Service[] {
  const hosts = new Set(unit.hosts)
  const services = new Map<string, Omit<Service, 'is'>>()
  for (const use of uses) {
    const { protocol, port } = use
    if (hosts.has(use.client) || use.isUnclear || protocol === null) continue
    const key = `${protocol} ${port}`
    const service = services.get(key) ?? { protocol, port, attack: [], innocent: [] }
    services.set(key, service)
    if (use.isAttack) service.attack.push(use)
    else service.innocent.push(use)
  }
  return [...services.values()]
    .map((one): Service => ({ ...one, is: standing(one) }))
    .sort((a, b) => a.protocol - b.protocol || (a.port ?? -1) - (b.port ?? -1))
}

function standing({ protocol, port, innocent }: Omit<Service, 'is'>): Service['is'] {
  if (isAdministration(protocol, port)) return 'restricted'
  return innocent.some(use => use.served > 0) ? 'open' : 'closed'
}

function allowedTo(traffic: ProtectedTraffic, service: Service): Allowed {
  const isData = dataPorts.includes(service.port!)
  const bySession = (use: Use): boolean => !isData || !traffic.isInternal(use.client)
  const counts = (use: Use): Counts =>
    bySession(use)
      ? { noun: 'session', before: use.sessionsBefore, all: use.sessions }
      : { noun: 'connection', before: use.servedBefore, all: use.served }
  const isGuesser = (use: Use): boolean => {
    const others = use.attempts - use.sessions
    return bySession(use) && others >= guessesMin && others >= guessesTimes * use.sessions
  }
  const worked = service.innocent
    .filter(use => counts(use).all > 0 && !isSubject(traffic, use.client))
    .sort((a, b) => counts(b).before - counts(a).before || counts(b).all - counts(a).all || compareUses(a, b))
  const early = worked.filter(use => counts(use).before > 0)
  return {
    ...{ service, counts },
    clients: early.filter(use => !isGuesser(use)),
    guessers: early.filter(isGuesser),
    late: worked.filter(use => counts(use).before === 0),
  }
}

function ruleOf({ protocol, port }: Service, prefix: Prefix, description: string): GroupRule {
  const ports = port === null || !hasPorts(protocol) ? null : { from: port, to: port }
  return { id: null, protocol, ports, icmp: null, remote: { kind: 'prefix', prefix }, description }
}

function addressRules(
  traffic: ProtectedTraffic,
  { service, clients, counts }: Pick<Allowed, 'service' | 'clients' | 'counts'>,
): WeighedRule[] {
  const hosts = new Map<number, Counts>()
  for (const use of clients) {
    const one = counts(use)
    hosts.set(use.client, { ...one, before: (hosts.get(use.client)?.before ?? 0) + one.before })
  }
  return [...hosts].map(([host, { before, noun }]) => {
    const description = `${trafficText(service.protocol, service.port)}: ${countText(before, noun)} before the attack`
    const [prefix] = widestCover([traffic.address(host)], [])
    return { rule: ruleOf(service, prefix!, description), weight: before, isOpen: false }
  })
}

/** Internal addresses of one network together, without those that were seen and are not allowed. */
function nearRules(traffic: ProtectedTraffic, { service, clients, counts }: Allowed): WeighedRule[] {
  const allowed = new Set(clients.map(use => use.client))
  const others = service.innocent.filter(use => !allowed.has(use.client) && traffic.isInternal(use.client))
  const avoid = [...traffic.subjects, ...others.flatMap(use => widestCover([traffic.address(use.client)], []))]
  const [inside, outside] = [true, false].map(is => clients.filter(use => traffic.isInternal(use.client) === is)) as [
    Use[],
    Use[],
  ]
  const prefixes = [false, true].flatMap(isIPv6 => {
    const some = inside.map(use => traffic.address(use.client)).filter(address => isIPv4(address) !== isIPv6)
    return coverOf(some, avoid, { ...coverLimits(isIPv6, true), most: some.length }) ?? []
  })
  const near = prefixes.map((prefix): WeighedRule => {
    const held = inside.filter(use => prefixContains(prefix, traffic.address(use.client)))
    const weight = held.reduce((sum, use) => sum + counts(use).before, 0)
    const description = `${trafficText(service.protocol, service.port)}: used before the attack`
    return { rule: ruleOf(service, prefix, description), weight, isOpen: false }
  })
  return [...near, ...addressRules(traffic, { service, clients: outside, counts })]
}

/** A service that others use stays open to them: to any address where they are many, or it is one for whoever comes. */
function openRules(traffic: ProtectedTraffic, service: Service): WeighedRule[] {
  const served = service.innocent.filter(use => use.served > 0)
  const clients = new Set(served.map(use => use.client))
  const weight = served.reduce((sum, use) => sum + use.served, 0)
  return [false, true].flatMap(isIPv6 => {
    const some = [...clients].filter(host => isIPv4(traffic.address(host)) !== isIPv6)
    if (some.length === 0) return []
    const description = `${trafficText(service.protocol, service.port)}: used by ${countText(some.length, 'client')}`
    const prefixes = clientPrefixes(traffic, service, some, isIPv6) ?? [isIPv6 ? anyIPv6 : anyIPv4]
    return prefixes.map(prefix => ({ rule: ruleOf(service, prefix, description), weight, isOpen: true }))
  })
}

/** Null: any address. */
function clientPrefixes(
  traffic: ProtectedTraffic,
  { port }: Service,
  hosts: readonly number[],
  isIPv6: boolean,
): Prefix[] | null {
  const sides = [true, false].map(isInternal => hosts.filter(host => traffic.isInternal(host) === isInternal))
  if (sides[1]!.length > 0 && port !== null && publicPorts.includes(port)) return null
  // An address of the attack that used it beside the attack takes no part: the service is not kept open for it.
  const addresses = sides.map(side =>
    side.filter(host => !isSubject(traffic, host)).map((host): Address => traffic.address(host)),
  )
  const [inside, outside] = addresses.map((some, side) =>
    coverOf(some, traffic.subjects, coverLimits(isIPv6, side === 0)),
  ) as [Prefix[] | null, Prefix[] | null]
  return inside === null || outside === null ? null : [...inside, ...outside]
}

function fits(rules: readonly WeighedRule[], quota: number): boolean {
  const six = rules.filter(one => isIPv6Rule(one.rule)).length
  return six <= quota && rules.length - six <= quota
}

/** Those that the most traffic speaks for; half of the room is for administration, if it needs that much. */
function cut(rules: readonly WeighedRule[], quota: number): WeighedRule[] {
  const kept = [false, true].flatMap(isIPv6 => {
    const some = rules.filter(one => isIPv6Rule(one.rule) === isIPv6).sort((a, b) => b.weight - a.weight)
    const [open, restricted] = [true, false].map(is => some.filter(one => one.isOpen === is)) as [
      WeighedRule[],
      WeighedRule[],
    ]
    const first = open.slice(0, quota - Math.min(restricted.length, quota >>> 1))
    return [...first, ...restricted.slice(0, quota - first.length)]
  })
  return rules.filter(one => kept.includes(one))
}

function isLetIn(traffic: ProtectedTraffic, { client, protocol, port }: Use, rules: readonly GroupRule[]): boolean {
  const at = traffic.address(client)
  return rules.some(
    ({ protocol: of, ports, remote }) =>
      of === protocol && ports?.from === port && remote.kind === 'prefix' && prefixContains(remote.prefix, at),
  )
}

function cutText(left: number): string {
  return `Even so ${countText(left, 'rule')} did not fit, those of the least traffic: use a prefix list, or a jump host.`
}

function recommended(traffic: ProtectedTraffic, unit: Unit, plan: Plan): Recommended {
  const name = nameFor('ingress', unit.addresses[0]!)
  const hosts = new Set(unit.addresses)
  const meant = plan.services.filter(one => one.attack.length > 0 && one.is !== 'open')
  const named = someText(meant.map(one => namedTraffic(one.protocol, one.port)))
  const isOne = ({ protocol, port }: { protocol: number | null; port: number | null }): boolean =>
    meant.some(one => one.protocol === protocol && one.port === port)
  const clients = clientsOf(plan.allowed.filter(one => one.service.attack.length > 0))
  const to =
    clients.length === 0
      ? 'everyone'
      : `all but ${countText(clients.length, 'address', 'addresses')} that worked there before`
  return {
    kind: 'security-group-ingress',
    title: `Close ${named} of ${someText(unit.addresses)} to ${to}`,
    answers: answersOf(traffic.services, service => hosts.has(service.server) && isOne(service)),
    why: whyOf(traffic, unit, plan, meant),
    cost: costOf(plan),
    confirm: plan.allowed.flatMap(one => confirmOf(traffic, one)),
    artefact: {
      what: 'security-group',
      direction: 'ingress',
      group: { id: name, name, vpc: unit.vpc, ingress: plan.rules, egress: [] },
      addresses: unit.addresses,
      interfaces: unit.interfaces,
    },
  }
}

function clientsOf(allowed: readonly Allowed[]): number[] {
  return [...new Set(allowed.flatMap(one => one.clients.map(use => use.client)))]
}

function whyOf(
  traffic: ProtectedTraffic,
  unit: Unit,
  { allowed, fitting, begin_us }: Plan,
  meant: readonly Service[],
): string {
  const used = meant.map(({ protocol, port, attack }) => {
    const connections = attack.reduce((sum, use) => sum + use.attempts, 0)
    return `${namedTraffic(protocol, port)} (${countText(connections, 'connection')})`
  })
  const from_us = traffic.incident?.from_us ?? null
  const before = from_us === null ? 'in this evidence' : `before ${utcSeconds(from_us)}`
  const history =
    from_us === null || !Number.isFinite(begin_us)
      ? []
      : [`These connections begin ${durationWords(Math.max(0, (from_us - begin_us) / 1e6))} before that.`]
  const clients = clientsOf(allowed)
  const what = allowed.some(one => dataPorts.includes(one.service.port!))
    ? `${sessionText}; at services of data, an internal address that was answered`
    : sessionText
  const held =
    clients.length === 0
      ? traffic.hasSizes
        ? `No other address worked with a service of administration ${before} (${what}): nobody is let in.`
        : 'The records do not say packets, so nobody can be told to have worked with a service of administration: nobody is let in.'
      : `${countText(clients.length, 'other address', 'other addresses')} worked with a service of administration ${before} (${what}). That does not make them known: confirm each.`
  const only = meant.filter(one => one.is === 'closed')
  const closed =
    only.length === 0
      ? []
      : [
          `Nobody but the attack was served on ${someText(only.map(one => trafficText(one.protocol, one.port)))}: closed.`,
        ]
  return [
    `The attack used ${someText(used)} of ${someText(unit.addresses)}.`,
    held,
    ...history,
    ...closed,
    ...fitting,
  ].join(' ')
}

function costOf({ services, allowed, unclear }: Plan): string {
  const open = services.filter(one => one.is === 'open')
  const kept = open.filter(one => one.attack.length > 0)
  const texts = [
    'Who administers these hosts from another address, or for the first time, is refused.',
    ...(open.length === 0
      ? ['No other service of these hosts was used by others: all are closed.']
      : [
          `The list is complete: ${someText(open.map(one => trafficText(one.protocol, one.port)))} stay open to those who used them, all else is closed.`,
        ]),
    ...kept.map(({ protocol, port, innocent }) => {
      const clients = new Set(innocent.filter(use => use.served > 0).map(use => use.client)).size
      return `The attack used ${trafficText(protocol, port)} too, which ${countText(clients, 'other client')} need: a group cannot deny, so it is not stopped there.`
    }),
  ]
  const closed = allowed.filter(one => one.clients.length === 0 && one.service.attack.length === 0)
  if (closed.length > 0) {
    texts.push(
      `${someText(closed.map(({ service }) => trafficText(service.protocol, service.port)))} had no such session and are closed as well.`,
    )
  }
  if (unclear > 0) {
    texts.push(
      `${countText(unclear, 'connection')} whose beginning or service is not clear make no rule: look at what they were.`,
    )
  }
  return texts.join(' ')
}

/** Addresses that are listed although they are not let in, and programs that are. */
const listedMost = 20

function confirmOf(traffic: ProtectedTraffic, { service, clients, guessers, late, counts }: Allowed): string[] {
  const what = trafficText(service.protocol, service.port)
  const line = (use: Use, count: number, when: string): string =>
    `${textOf(traffic, use.client)}: ${countText(count, counts(use).noun)} with ${what} of ${textOf(traffic, use.server)}${when}, the first connection at ${Number.isFinite(use.first_us) ? utcSeconds(use.first_us) : 'an unknown time'}`
  const early = (use: Use): string => line(use, counts(use).before, ' before the attack')
  const more = late.length - listedMost
  const people = clients.filter(use => counts(use).noun === 'session')
  const programs = clients.filter(use => counts(use).noun === 'connection')
  const others = programs.length - listedMost
  return [
    ...[...people, ...programs.slice(0, listedMost)].map(use => `${early(use)}; is it one of yours?`),
    ...(others > 0
      ? [`${countText(others, 'more internal address', 'more internal addresses')} that used ${what} before the attack`]
      : []),
    ...guessers.map(
      use =>
        `${early(use)}, but ${countText(use.attempts - use.sessions, 'connection')} that look like guesses or checks: left out; add it if it is one of yours`,
    ),
    ...late
      .slice(0, listedMost)
      .map(
        use =>
          `${line(use, counts(use).all, '')}, but none before the attack began: left out; add it if it is one of yours`,
      ),
    ...(more > 0 ? [`${countText(more, 'more address', 'more addresses')} that used ${what} only since then`] : []),
  ]
}
