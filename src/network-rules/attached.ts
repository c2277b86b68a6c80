/** The network of rules that are recommended for a few addresses: nothing is known of all others, and what lies at their side is not judged. */
import { type Address, formatAddress } from '../net/address.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import type { GroupRule, Network, NetworkAcl, NetworkInterface, PrefixList, SecurityGroup, Subnet } from './network.ts'
import { holds } from './places.ts'

type Direction = 'ingress' | 'egress'

export interface AttachedGroup {
  group: SecurityGroup
  /** The one that counts; the other stays as it is. */
  direction: Direction
  addresses: Address[]
}

export interface AttachedAcl {
  acl: NetworkAcl
  /** Addresses in the subnets that it is for. */
  addresses: Address[]
  /** Ids of these subnets, as far as they are known. */
  subnets: string[]
}

/** What is told of a subnet; several may be of one. */
export interface HomeSubnet {
  id: string
  addresses: Address[]
  /** None: not told. */
  prefixes: Prefix[]
}

export interface Attached {
  groups: AttachedGroup[]
  acls: AttachedAcl[]
  subnets?: HomeSubnet[]
  /** Those that are described: their groups tell which rules with a group as their remote hold. */
  interfaces?: NetworkInterface[]
  prefixLists?: PrefixList[]
}

const all: GroupRule[] = ['0.0.0.0/0', '::/0'].map(text => ({
  ...{ id: null, protocol: null, ports: null, icmp: null, description: '' },
  remote: { kind: 'prefix', prefix: parsePrefix(text)! },
}))

/** A group that allows all in a direction that no control is about. */
const unchanged: Record<Direction, SecurityGroup> = {
  ingress: { id: 'unchanged ingress', name: 'unchanged', vpc: null, ingress: all, egress: [] },
  egress: { id: 'unchanged egress', name: 'unchanged', vpc: null, ingress: [], egress: all },
}

/** A network without the groups that stand for what no control is about: what is left uses AWS's quotas. */
export function withoutStandIns(network: Network): Network {
  const standIns = new Set(Object.values(unchanged).map(({ id }) => id))
  return {
    ...network,
    groups: network.groups.filter(({ id }) => !standIns.has(id)),
    interfaces: network.interfaces.map(one => ({
      ...one,
      groups: one.groups?.filter(id => !standIns.has(id)) ?? null,
    })),
  }
}

/**
 * A network in which each address has an interface of its own, with the groups that are for it, in a subnet with the ACL that is for it. Several
 * ACLs for one subnet are one, with the entries of all: a subnet has one alone. What groups leave open, as they are of one direction each, is allowed.
 */
export function networkFor({ groups, acls, subnets = [], interfaces: told = [], prefixLists = [] }: Attached): Network {
  const named = distinct(groups)
  const described = told.map(one => ({ ...one }))
  const interfaces = new Map(described.flatMap(one => one.addresses.map(address => [textOf(address), one] as const)))
  const at = (address: Address): NetworkInterface => {
    const known = interfaces.get(textOf(address))
    if (known !== undefined) return known
    const made = bareInterface(address)
    interfaces.set(textOf(address), made)
    return made
  }
  const guarded = new Set<NetworkInterface>()
  for (const { addresses, group } of named) {
    for (const one of addresses.map(at)) {
      one.groups = [...new Set([...(one.groups ?? []), group.id])]
      guarded.add(one)
    }
  }
  const opens = (['ingress', 'egress'] as const).filter(direction => leaveOpen([...guarded], named, direction))
  for (const { id, addresses } of subnets) for (const address of addresses) at(address).subnet = id
  const homes = homesOf(distinctAcls(acls), subnets, at)
  return {
    groups: [...named.map(({ group }) => group), ...opens.map(direction => unchanged[direction])],
    acls: homes.acls,
    interfaces: [...new Set([...described, ...interfaces.values()])],
    subnets: homes.subnets,
    prefixLists,
    others: 'not-judged',
  }
}

/** The groups without the direction that does not count, each with an id of its own. */
function distinct(groups: readonly AttachedGroup[]): AttachedGroup[] {
  const times = new Map<string, number>()
  return groups.map(one => {
    const time = (times.get(one.group.id) ?? 0) + 1
    times.set(one.group.id, time)
    const id = time === 1 ? one.group.id : `${one.group.id} (${time})`
    const other = one.direction === 'ingress' ? 'egress' : 'ingress'
    return { ...one, group: { ...one.group, id, [other]: [] } }
  })
}

/** Gives the group that allows all to interfaces that have none for the direction. Returns whether there are such. */
function leaveOpen(interfaces: NetworkInterface[], named: readonly AttachedGroup[], direction: Direction): boolean {
  const guards = new Set(named.filter(one => one.direction === direction).map(({ group }) => group.id))
  const open = interfaces.filter(({ groups }) => groups?.some(id => guards.has(id)) === false)
  for (const one of open) one.groups = [...(one.groups ?? []), unchanged[direction].id]
  return open.length > 0
}

/** The ACLs, those that are different and have one id by ids of their own. */
function distinctAcls(attached: readonly AttachedAcl[]): AttachedAcl[] {
  const known = new Map<string, NetworkAcl>()
  return attached.map(one => {
    let { id } = one.acl
    for (let time = 2; known.has(id) && known.get(id) !== one.acl; time++) id = `${one.acl.id} (${time})`
    known.set(id, one.acl)
    return { ...one, acl: id === one.acl.id ? one.acl : { ...one.acl, id } }
  })
}

/** The subnets of the addresses that ACLs are for. Addresses whose subnet is not known have one each, without an id. */
function homesOf(
  attached: readonly AttachedAcl[],
  told: readonly HomeSubnet[],
  at: (address: Address) => NetworkInterface,
): { acls: NetworkAcl[]; subnets: Subnet[] } {
  const subnets = new Map<string, Subnet>()
  const acls = new Map<string, NetworkAcl>()
  const wanted = new Map<Subnet, NetworkAcl[]>()
  const want = (subnet: Subnet, acl: NetworkAcl): void => {
    const before = wanted.get(subnet) ?? []
    if (!before.includes(acl)) wanted.set(subnet, [...before, acl])
  }
  const named = (id: string): Subnet => {
    const known = subnets.get(id) ?? { id, vpc: null, prefixes: [], acl: null }
    subnets.set(id, known)
    return known
  }
  for (const { id, prefixes } of told) named(id).prefixes.push(...prefixes)
  for (const { acl, addresses, subnets: ids } of attached) {
    for (const id of ids) want(named(id), acl)
    for (const address of addresses) {
      const one = at(address)
      one.subnet ??= told.find(({ prefixes }) => prefixes.some(prefix => holds(prefix, address)))?.id ?? null
      // Of one subnet all addresses are; of several it is not known which has which.
      if (one.subnet === null && ids.length === 1) one.subnet = ids[0]!
      const nameless = subnets.get(textOf(address)) ?? namelessSubnet(address)
      if (one.subnet === null) subnets.set(textOf(address), nameless)
      want(one.subnet === null ? nameless : named(one.subnet), acl)
    }
  }
  for (const [subnet, some] of wanted) {
    const acl = some.length === 1 ? some[0]! : unionOf(some)
    acls.set(acl.id, acl)
    subnet.acl = acl.id
  }
  return { acls: [...acls.values()], subnets: [...subnets.values()] }
}

function unionOf(acls: readonly NetworkAcl[]): NetworkAcl {
  return {
    id: acls.map(({ id }) => id).join(' + '),
    vpc: null,
    isDefault: false,
    ingress: acls.flatMap(({ ingress }) => ingress),
    egress: acls.flatMap(({ egress }) => egress),
  }
}

function namelessSubnet(address: Address): Subnet {
  return {
    id: null,
    vpc: null,
    prefixes: [{ text: formatAddress(address.hi, address.lo), first: address, last: address }],
    acl: null,
  }
}

function textOf({ hi, lo }: Address): string {
  return formatAddress(hi, lo)
}

function bareInterface(address: Address): NetworkInterface {
  const id = `interface of ${textOf(address)}`
  return { id, vpc: null, subnet: null, addresses: [address], prefixes: [], publicAddresses: [], groups: null }
}
