/**
 * A second evaluator: slow, over texts, with its own arithmetic, and without anything of the first but the names of its answers. Addresses and
 * prefixes are texts of bits, so that a prefix holds what begins with it.
 */
import type { Decision, Passing, Reason } from '../../src/network-rules/decision.ts'

export interface ToldNetwork {
  groups: { id: string; ingress: ToldRule[]; egress: ToldRule[] }[]
  acls: { id: string; ingress: ToldEntry[]; egress: ToldEntry[] }[]
  interfaces: ToldInterface[]
  subnets: { id: string | null; vpc: string | null; prefixes: string[]; acl: string | null }[]
  lists: { id: string; prefixes: string[] | null }[]
  others: 'undecided' | 'not-judged'
}

export interface ToldInterface {
  id: string
  vpc: string | null
  subnet: string | null
  addresses: string[]
  prefixes: string[]
  publicAddresses: string[]
  groups: string[] | null
}

export interface ToldTraffic {
  protocol: number | null
  ports: [number, number] | null
  icmp: [number | null, number | null] | null
}
export interface ToldRule extends ToldTraffic {
  /** A prefix, `sg-…` or `pl-…`. */
  remote: string
}
export interface ToldEntry extends ToldRule {
  number: number
  action: 'allow' | 'deny'
}

export interface ToldConnection {
  client: string
  server: string
  protocol: number | null
  clientPort: number | null
  serverPort: number | null
  icmp: { type: number; code: number } | null
  start: number
  end: number
  unknownRole: boolean
  isError: boolean
}

const known = new Map<string, string>()

function bits(address: string): string {
  const before = known.get(address)
  if (before !== undefined) return before
  known.set(address, bitsOf(address))
  return known.get(address)!
}

/** `4` or `6`, and the bits. */
function bitsOf(address: string): string {
  if (!address.includes(':')) {
    const parts = address.split('.').map(part => Number(part).toString(2).padStart(8, '0'))
    return `4${parts.join('')}`
  }
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const before = groups(head)
  const after = groups(tail ?? '')
  const zeros = tail === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0')
  return `6${[...before, ...zeros, ...after].map(group => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('')}`
}

function cover(prefix: string): string {
  const [address = '', length] = prefix.split('/')
  const all = bits(address)
  return length === undefined ? all : all.slice(0, 1 + Number(length))
}

const covers = new Map<string, string>()

function isIn(address: string, prefix: string): boolean {
  if (!covers.has(prefix)) covers.set(prefix, cover(prefix))
  return bits(address).startsWith(covers.get(prefix)!)
}
const isPrivate = (address: string) =>
  [
    ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
    ...['fc00::/7', 'fe80::/10', '::1/128'],
  ].some(prefix => isIn(address, prefix))

interface Spot {
  address: string
  card: ToldInterface | null
  subnet: ToldNetwork['subnets'][number] | null
  where: 'in' | 'out' | '?'
  alias: boolean
  several: boolean
}

function spot(network: ToldNetwork, address: string): Spot {
  const exactly = network.interfaces.filter(one => one.addresses.some(own => bits(own) === bits(address)))
  const own =
    exactly.length > 0 ? exactly : network.interfaces.filter(one => one.prefixes.some(prefix => isIn(address, prefix)))
  const outer = network.interfaces.filter(one => one.publicAddresses.some(named => bits(named) === bits(address)))
  const cards = own.length > 0 ? own : outer
  const within = (vpc: string | null) =>
    network.subnets.filter(
      one =>
        (vpc === null || one.vpc === null || vpc === one.vpc) && one.prefixes.some(prefix => isIn(address, prefix)),
    )
  let subnets: ToldNetwork['subnets'] = []
  if (cards.length === 0) subnets = within(null)
  else if (cards.length === 1 && cards[0]!.subnet === null) subnets = within(cards[0]!.vpc)
  else if (cards.length === 1) {
    const id = cards[0]!.subnet
    const known = network.subnets.filter(one => one.id === id)
    subnets = known.length > 0 ? [known[0]!] : [{ id, vpc: null, prefixes: [], acl: null }]
  }
  const six = [
    ...network.interfaces.flatMap(one => [...one.addresses, ...one.prefixes]),
    ...network.subnets.flatMap(one => one.prefixes),
  ]
    .map(text => bits(text.split('/')[0]!))
    .filter(text => text.startsWith('6'))
  const isForeign =
    !isPrivate(address) &&
    (!address.includes(':') || (six.length > 0 && !six.some(text => text.slice(0, 57) === bits(address).slice(0, 57))))
  return {
    address,
    card: cards.length === 1 ? cards[0]! : null,
    subnet: subnets.length === 1 ? subnets[0]! : null,
    where: cards.length + subnets.length > 0 ? 'in' : isForeign ? 'out' : '?',
    alias: own.length === 0 && outer.length > 0,
    several: cards.length > 1 || subnets.length > 1,
  }
}

function isFree(network: ToldNetwork, address: string): boolean {
  if (['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::/32'].some(prefix => isIn(address, prefix))) return true
  for (const { id, prefixes } of network.subnets) {
    for (const prefix of prefixes) {
      const length = Number(prefix.split('/')[1] ?? 32)
      if (id === null || prefix.includes(':') || length > 28) continue
      const base = cover(prefix).padEnd(33, '0')
      for (const step of [1, 2])
        if (bits(address) === base.slice(0, 31) + step.toString(2).padStart(2, '0')) return true
    }
  }
  return false
}

const answers: Record<number, [number, number][]> = {
  1: [
    [8, 0],
    [13, 14],
    [15, 16],
    [10, 9],
    [17, 18],
  ],
  58: [
    [128, 129],
    [130, 131],
    [133, 134],
    [135, 136],
    [139, 140],
    [144, 145],
  ],
}

function other(protocol: number, type: number): number | null {
  for (const [ask, answer] of answers[protocol]!) {
    if (type === ask) return answer
    if (type === answer) return ask
  }
  return null
}

type Word = 'yes' | 'no' | Reason

interface Sent {
  protocol: number | null
  port: number | null
  icmp: { type: number; code: number | null } | null
}

function fits(network: ToldNetwork, rule: ToldRule, sent: Sent, far: Spot, isMasked: boolean): Word {
  const words: Word[] = []
  const { protocol } = rule
  words.push(
    protocol === null || protocol === sent.protocol ? 'yes' : sent.protocol === null ? 'unknown-protocol' : 'no',
  )
  if ((protocol === 1 || protocol === 58) && rule.icmp !== null && rule.icmp[0] !== null) {
    const [type, code] = rule.icmp
    if (sent.icmp === null) words.push('unknown-icmp-type')
    else if (sent.icmp.type !== type) words.push('no')
    else if (code !== null && sent.icmp.code === null) words.push('unknown-icmp-type')
    else words.push(code === null || code === sent.icmp.code ? 'yes' : 'no')
  }
  words.push(reaches(network, rule.remote, far, isMasked))
  if ((protocol === 6 || protocol === 17) && rule.ports !== null) {
    const [from, to] = rule.ports
    const isAll = from === 0 && to === 65_535
    if (!isAll && sent.port === null) words.push('unknown-port')
    else if (!isAll) words.push(from <= sent.port! && sent.port! <= to ? 'yes' : 'no')
  }
  return words.includes('no') ? 'no' : (words.find(word => word !== 'yes') ?? 'yes')
}

function reaches(network: ToldNetwork, remote: string, far: Spot, isMasked: boolean): Word {
  if (remote.startsWith('pl-')) {
    const prefixes = network.lists.find(({ id }) => id === remote)?.prefixes ?? null
    if (prefixes === null) return 'prefix-list'
    const words = prefixes.map(prefix => reaches(network, prefix, far, isMasked))
    return words.includes('yes') ? 'yes' : words.includes('translated') ? 'translated' : 'no'
  }
  if (remote.startsWith('sg-')) {
    if (isMasked || far.alias || far.where === 'out') return 'no'
    if (far.several) return 'ambiguous-address'
    if (far.card === null || far.card.groups === null) return 'group-members'
    return far.card.groups.includes(remote) ? 'yes' : 'no'
  }
  const bitsOfPrefix = cover(remote)
  if (bitsOfPrefix[0] !== bits(far.address)[0]) return 'no'
  if (isMasked) return bitsOfPrefix.length === 1 ? 'yes' : 'translated'
  return isIn(far.address, remote) ? 'yes' : 'no'
}

/** What a list of entries says: tries each way in which those that may fit do, or do not. */
function listSays(
  words: { word: Word; action: 'allow' | 'deny'; number: number | null }[],
): Word | { entry: number | null } {
  const last = words.findIndex(({ word }) => word === 'yes')
  const relevant = (last < 0 ? words : words.slice(0, last + 1)).filter(({ word }) => word !== 'no')
  const end = last < 0 ? { action: 'deny' as const, number: null } : words[last]!
  for (const { word, action } of relevant) if (word !== 'yes' && action !== end.action) return word
  return end.action === 'allow' ? 'yes' : { entry: end.number }
}

export function slowDecision(network: ToldNetwork, one: ToldConnection, from: number | null): Decision {
  const named = oneWay(network, one, from)
  if (!one.unknownRole) return named
  const turned = oneWay(
    network,
    {
      ...one,
      ...{ client: one.server, server: one.client, clientPort: one.serverPort, serverPort: one.clientPort, icmp: null },
    },
    from,
  )
  for (const way of [named, turned]) if (way.verdict === 'undecided') return way
  if (named.verdict === turned.verdict) {
    if (named.verdict === 'allowed') return named
    if (named.verdict === 'denied' && turned.verdict === 'denied' && named.by.stops === turned.by.stops) return named
  }
  return { verdict: 'undecided', reason: 'unknown-role' }
}

function oneWay(network: ToldNetwork, one: ToldConnection, from: number | null): Decision {
  const pass = (because: Passing): Decision => ({ verdict: 'allowed', because })
  const isUntimed = from !== null && one.start === Number.POSITIVE_INFINITY
  const isOlder = from !== null && one.start < from
  if (isOlder && one.end <= from!) return pass('ended-before')
  if (isFree(network, one.client) || isFree(network, one.server)) return pass('exempt')
  const client = spot(network, one.client)
  const server = spot(network, one.server)
  if (bits(one.client) === bits(one.server)) return pass('same-host')
  if (client.card !== null && client.card === server.card && client.alias === server.alias) return pass('same-host')
  if (isUntimed) return { verdict: 'undecided', reason: 'unknown-time' }
  const dhcp = `${one.clientPort}-${one.serverPort}`
  if (one.protocol === 17 && (dhcp === '68-67' || dhcp === '546-547')) return pass('exempt')

  const near = { client, server }
  const isIcmp = one.protocol === 1 || one.protocol === 58
  const answerType = one.icmp !== null && isIcmp ? other(one.protocol!, one.icmp.type) : null
  const isAnswered = !one.isError && !(one.icmp !== null && isIcmp && answerType === null)
  const isGuarded = (['client', 'server'] as const).some(at => groupsOf(network, near[at]) !== null)
  const isOld = isOlder && isGuarded
  const way = [
    ['request', 'client', 'group', 'egress'],
    ['request', 'client', 'acl', 'egress'],
    ['request', 'server', 'acl', 'ingress'],
    ['request', 'server', 'group', 'ingress'],
    ['answer', 'server', 'acl', 'egress'],
    ['answer', 'client', 'acl', 'ingress'],
  ] as const
  const open: Reason[] = []
  let borders = 0
  for (const [packets, at, what, direction] of way) {
    if (packets === 'answer' && !isAnswered) continue
    if (what === 'group' && isOld) continue
    const here = near[at]
    const far = near[at === 'client' ? 'server' : 'client']
    const isMasked = here.alias && far.where !== 'out'
    const sent: Sent =
      packets === 'request'
        ? { protocol: one.protocol, port: one.serverPort, icmp: one.icmp }
        : {
            ...{ protocol: one.protocol, port: one.clientPort },
            icmp:
              answerType === null
                ? one.icmp
                : {
                    type: answerType,
                    code: [0, 129].includes(answerType) && (answerType === 0) === (one.protocol === 1) ? 0 : null,
                  },
          }
    const found = what === 'group' ? groupsOf(network, here) : aclOf(network, here, far)
    if (found === null) continue
    borders++
    if (typeof found === 'string') {
      open.push(found)
      continue
    }
    const says =
      found.kind === 'group'
        ? groupSays(
            found.groups.flatMap(group => group[direction]).map(rule => fits(network, rule, sent, far, isMasked)),
          )
        : listSays(
            [...found.acl[direction]]
              .sort((a, b) => a.number - b.number)
              .map(rule => ({
                word: fits(network, rule, sent, far, isMasked),
                action: rule.action,
                number: rule.number,
              })),
          )
    if (says === 'yes') continue
    if (typeof says === 'string') {
      open.push(says as Reason)
      continue
    }
    if (found.kind === 'group' && found.isPartial) open.push('group-not-described')
    else if (found.kind === 'group' && one.isError) open.push('icmp-error')
    else if (found.kind === 'acl' && found.isDoubtful) open.push('same-subnet')
    else {
      const stops = packets === 'request' || one.protocol === 6 || one.protocol === 132 ? 'all' : 'answers'
      const all = found.kind === 'group' && network.others === 'undecided'
      const ids = all ? here.card!.groups! : found.kind === 'group' ? found.groups.map(({ id }) => id) : [found.acl.id]
      return { verdict: 'denied', by: { at, what, ids, direction, entry: says.entry, packets, stops } }
    }
  }
  if (open.length > 0) return { verdict: 'undecided', reason: open[0]! }
  return pass(isOld ? 'tracked' : borders === 0 ? 'no-border' : 'rules')
}

function groupSays(words: Word[]): Word | { entry: null } {
  if (words.includes('yes')) return 'yes'
  return words.find(word => word !== 'no') ?? { entry: null }
}

function groupsOf(network: ToldNetwork, { card, several, where }: Spot) {
  const isNamed = card !== null && card.groups !== null && card.groups.length > 0
  if (network.groups.length === 0 && !(network.others === 'undecided' && isNamed)) return null
  if (several) return 'ambiguous-address' as const
  const isAsked = network.others === 'undecided'
  if (card === null) return isAsked && where !== 'out' ? ('no-interface' as const) : null
  if (card.groups === null) return isAsked ? ('groups-not-told' as const) : null
  if (card.groups.length === 0) return null
  const groups = network.groups.filter(({ id }) => card.groups!.includes(id))
  if (groups.length === 0 && !isAsked) return null
  const ordered = card.groups.flatMap(id => groups.filter(group => group.id === id))
  return { kind: 'group' as const, groups: ordered, isPartial: isAsked && groups.length < card.groups.length }
}

function aclOf(network: ToldNetwork, here: Spot, far: Spot) {
  if (network.acls.length === 0) return null
  const isOut = (here.alias && far.where !== 'out') || (far.alias && here.where !== 'out')
  const isOneSubnet = !here.several && !far.several && here.subnet !== null && far.subnet !== null && isSame(here, far)
  if (!isOut && isOneSubnet) return null
  if (here.several) return 'ambiguous-address' as const
  const isAsked = network.others === 'undecided'
  if (here.subnet === null) return isAsked && here.where !== 'out' ? ('no-subnet' as const) : null
  const acl = network.acls.find(({ id }) => id === here.subnet!.acl)
  if (acl === undefined) return isAsked ? ('acl-not-described' as const) : null
  return { kind: 'acl' as const, acl, isDoubtful: !isOut && isDoubtful(here, far) }
}

function isSame(a: Spot, b: Spot): boolean {
  return a.subnet!.id === null ? a.subnet === b.subnet : a.subnet!.id === b.subnet!.id
}

/** The subnet here is known. */
function isDoubtful(here: Spot, far: Spot): boolean {
  if (far.several) return true
  if (far.subnet !== null) return here.subnet!.id === null || far.subnet.id === null
  if (far.where === 'out') return false
  const family = bits(far.address)[0]
  return here.subnet!.id === null || !here.subnet!.prefixes.some(prefix => cover(prefix)[0] === family)
}
