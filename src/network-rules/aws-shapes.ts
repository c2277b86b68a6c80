/** What `aws ec2 describe-…` prints of rules, checked and as values (Amazon EC2 API Reference: SecurityGroup, NetworkAcl and the others). */
import { type Address, parseAddress } from '../net/address.ts'
import { ICMP, ICMPV6, isIcmp } from '../net/icmp.ts'
import { type Prefix, parsePrefix } from '../net/prefix.ts'
import { protocolNumbers, TCP, UDP } from '../net/protocols.ts'
import * as shape from '../shape.ts'
import type {
  AclEntry,
  GroupRule,
  IcmpRange,
  NetworkAcl,
  NetworkInterface,
  PortRange,
  PrefixList,
  Remote,
  SecurityGroup,
  Subnet,
  Traffic,
} from './network.ts'
import { isIPv4Prefix } from './places.ts'

type Shape<T> = shape.Shape<T>

const maybe = <T>(one: Shape<T>): Shape<T | null> => shape.absent(shape.nullOr(one), null)
const list = <T>(one: Shape<T>): Shape<T[]> => shape.absent(shape.listOf(one), [])
const text = maybe(shape.text)

/** An id: no more than AWS's are long, so that a message can name it. */
export const id = shape.textThat(value => value !== '' && value.length <= 255, 'not an id')

export const address: Shape<Address> = value => parseAddress(shape.text(value)) ?? shape.fail('not an address')
const prefixOf = (wanted: 'IPv4' | 'IPv6' | null): Shape<Prefix> => {
  return value => {
    const given = shape.text(value)
    const prefix = parsePrefix(given)
    // AWS always prints one: an address alone may have lost it, and `0.0.0.0` is not everybody.
    if (prefix !== null && !given.includes('/'))
      shape.fail(
        `${prefix.text} has no length: write ${prefix.text}/${isIPv4Prefix(prefix) ? 32 : 128}, or what is meant`,
      )
    const isWanted = prefix !== null && (wanted === null || isIPv4Prefix(prefix) === (wanted === 'IPv4'))
    return isWanted ? prefix : shape.fail(`not a prefix${wanted === null ? '' : ` of ${wanted}`}`)
  }
}
export const anyPrefix = prefixOf(null)
export const prefix4 = prefixOf('IPv4')
export const prefix6 = prefixOf('IPv6')

/** A number, or a name that AWS takes: `tcp`, `udp`, `icmp`, `icmpv6`, and IANA's. -1 and `all`: null. */
export const protocol: Shape<number | null> = value => {
  const given = String(typeof value === 'number' ? value : shape.text(value)).toLowerCase()
  if (given === '-1' || given === 'all') return null
  const number = /^\d{1,3}$/.test(given) ? Number(given) : protocolNumbers.get(given)
  return number !== undefined && number <= 255 ? number : shape.fail('not a protocol')
}

/** -1: any. */
const port = shape.wholeFrom(-1, 65_535)

/** Ports, or type and code of ICMP, as `FromPort` and `ToPort` tell them. */
export function trafficOf(protocol: number | null, from: number | null, to: number | null): Traffic {
  const isAll = from === null || from === -1
  if (protocol !== null && isIcmp(protocol)) {
    if (from !== null && from > 255) shape.fail('FromPort: not a type of ICMP')
    if (to !== null && to > 255) shape.fail('ToPort: not a code of ICMP')
    return { protocol, ports: null, icmp: isAll ? null : { type: from, code: to === -1 ? null : to } }
  }
  if (protocol !== TCP && protocol !== UDP) return { protocol, ports: null, icmp: null }
  if (isAll) return { protocol, ports: null, icmp: null }
  return { protocol, ports: portRange(from, to === null || to === -1 ? from : to), icmp: null }
}

function portRange(from: number, to: number): PortRange {
  return from <= to ? { from, to } : shape.fail(`ports from ${from} to ${to}: the first is the greater`)
}

/** Type and code of ICMP, -1: any. Entries of ICMPv6 with a prefix of IPv4 hold for all types (EC2 API Reference, CreateNetworkAclEntry). */
export function aclTraffic(
  protocol: number | null,
  ports: PortRange | null,
  icmp: IcmpRange | null,
  prefix: Prefix,
): Traffic {
  const hasPorts = protocol === TCP || protocol === UDP
  const hasTypes = protocol === ICMP || (protocol === ICMPV6 && !isIPv4Prefix(prefix))
  return {
    protocol,
    ports: hasPorts && ports !== null && ports.from >= 0 ? portRange(ports.from, ports.to) : null,
    icmp: hasTypes && icmp !== null && icmp.type !== null ? icmp : null,
  }
}

const permissionShape = shape.objectOf({
  IpProtocol: protocol,
  FromPort: maybe(port),
  ToPort: maybe(port),
  IpRanges: list(shape.objectOf({ CidrIp: prefix4, Description: text })),
  Ipv6Ranges: list(shape.objectOf({ CidrIpv6: prefix6, Description: text })),
  PrefixListIds: list(shape.objectOf({ PrefixListId: id, Description: text })),
  UserIdGroupPairs: list(shape.objectOf({ GroupId: id, Description: text })),
})

/** A permission is one rule for each of its ranges, lists and groups. */
const permission: Shape<GroupRule[]> = value => {
  const { IpProtocol, FromPort, ToPort, ...remotes } = permissionShape(value)
  const traffic = trafficOf(IpProtocol, FromPort, ToPort)
  const rule = (remote: Remote, description: string | null): GroupRule => ({
    ...traffic,
    ...{ id: null, remote, description: description ?? '' },
  })
  return [
    ...remotes.IpRanges.map(one => rule({ kind: 'prefix', prefix: one.CidrIp }, one.Description)),
    ...remotes.Ipv6Ranges.map(one => rule({ kind: 'prefix', prefix: one.CidrIpv6 }, one.Description)),
    ...remotes.PrefixListIds.map(one => rule({ kind: 'prefix-list', list: one.PrefixListId }, one.Description)),
    ...remotes.UserIdGroupPairs.map(one => rule({ kind: 'group', group: one.GroupId }, one.Description)),
  ]
}

const groupShape = shape.objectOf({
  GroupId: id,
  GroupName: text,
  VpcId: text,
  IpPermissions: shape.listOf(permission),
  IpPermissionsEgress: shape.listOf(permission),
})

export const securityGroup: Shape<SecurityGroup> = value => {
  const { GroupId, GroupName, VpcId, IpPermissions, IpPermissionsEgress } = groupShape(value)
  const [ingress, egress] = [IpPermissions.flat(), IpPermissionsEgress.flat()]
  return { id: GroupId, name: GroupName ?? GroupId, vpc: VpcId, ingress, egress }
}

/** A rule of a group, as describe-security-group-rules tells it. */
export interface LooseRule {
  group: string
  direction: 'ingress' | 'egress'
  rule: GroupRule
}

const looseShape = shape.objectOf({
  SecurityGroupRuleId: id,
  GroupId: id,
  IsEgress: shape.yesOrNo,
  IpProtocol: protocol,
  FromPort: maybe(port),
  ToPort: maybe(port),
  CidrIpv4: maybe(prefix4),
  CidrIpv6: maybe(prefix6),
  PrefixListId: maybe(id),
  ReferencedGroupInfo: maybe(shape.objectOf({ GroupId: id })),
  Description: text,
})

export const looseRule: Shape<LooseRule> = value => {
  const told = looseShape(value)
  const prefix = told.CidrIpv4 ?? told.CidrIpv6
  const remote = onlyRemote([
    prefix === null ? null : { kind: 'prefix', prefix },
    told.PrefixListId === null ? null : { kind: 'prefix-list', list: told.PrefixListId },
    told.ReferencedGroupInfo === null ? null : { kind: 'group', group: told.ReferencedGroupInfo.GroupId },
  ])
  return {
    group: told.GroupId,
    direction: told.IsEgress ? 'egress' : 'ingress',
    rule: {
      ...trafficOf(told.IpProtocol, told.FromPort, told.ToPort),
      ...{ id: told.SecurityGroupRuleId, remote, description: told.Description ?? '' },
    },
  }
}

export function onlyRemote(remotes: readonly (Remote | null)[]): Remote {
  const told = remotes.filter(remote => remote !== null)
  return told.length === 1
    ? told[0]!
    : shape.fail(told.length === 0 ? 'no range, group or prefix list' : 'more than one range, group or prefix list')
}

/** Numbers of the entries that AWS adds at the end, shown as `*`; what no other entry fits is denied without them. */
const lastNumbers = [32_767, 32_768]

const type = shape.wholeFrom(-1, 255)
const icmpShape: Shape<IcmpRange> = value => {
  const { Type, Code } = shape.objectOf({ Type: maybe(type), Code: maybe(type) })(value)
  return { type: Type === -1 ? null : Type, code: Code === -1 ? null : Code }
}
const entryShape = shape.objectOf({
  RuleNumber: shape.wholeFrom(1, 32_768),
  Protocol: protocol,
  RuleAction: shape.oneOf('allow', 'deny'),
  Egress: shape.yesOrNo,
  CidrBlock: maybe(prefix4),
  Ipv6CidrBlock: maybe(prefix6),
  PortRange: maybe(shape.objectOf({ From: port, To: port })),
  IcmpTypeCode: maybe(icmpShape),
})

/** An entry of an ACL, with its direction. */
export type LooseEntry = { direction: 'ingress' | 'egress'; entry: AclEntry }

const aclEntry: Shape<LooseEntry> = value => {
  const told = entryShape(value)
  const prefix = told.CidrBlock ?? told.Ipv6CidrBlock ?? shape.fail('neither CidrBlock nor Ipv6CidrBlock')
  const ports = told.PortRange === null ? null : { from: told.PortRange.From, to: told.PortRange.To }
  const traffic = aclTraffic(told.Protocol, ports, told.IcmpTypeCode, prefix)
  const entry = { ...traffic, number: told.RuleNumber, action: told.RuleAction, prefix }
  return { direction: told.Egress ? 'egress' : 'ingress', entry }
}

const aclShape = shape.objectOf({
  NetworkAclId: id,
  VpcId: text,
  IsDefault: shape.absent(shape.yesOrNo, false),
  Associations: list(shape.objectOf({ SubnetId: id })),
  Entries: shape.listOf(aclEntry),
})

export const networkAcl: Shape<{ acl: NetworkAcl; subnets: string[] }> = value => {
  const { NetworkAclId, VpcId, IsDefault, Associations, Entries } = aclShape(value)
  return {
    acl: { id: NetworkAclId, vpc: VpcId, isDefault: IsDefault, ...directed(Entries) },
    subnets: Associations.map(({ SubnetId }) => SubnetId),
  }
}

/** Entries by direction, without AWS's last ones. Two with one number, of which one would never be asked, do not fit. */
export function directed(entries: readonly LooseEntry[]): Pick<NetworkAcl, 'ingress' | 'egress'> {
  const of = (wanted: LooseEntry['direction']): AclEntry[] => {
    const some = entries.filter(({ direction, entry }) => direction === wanted && !lastNumbers.includes(entry.number))
    const numbers = new Set<number>()
    for (const { entry } of some) {
      if (numbers.has(entry.number)) shape.fail(`two ${wanted} entries with the number ${entry.number}`)
      numbers.add(entry.number)
    }
    return some.map(({ entry }) => entry)
  }
  return { ingress: of('ingress'), egress: of('egress') }
}

const association = maybe(shape.objectOf({ PublicIp: maybe(address) }))
const interfaceShape = shape.objectOf({
  NetworkInterfaceId: id,
  VpcId: text,
  SubnetId: maybe(id),
  PrivateIpAddress: maybe(address),
  PrivateIpAddresses: list(shape.objectOf({ PrivateIpAddress: address, Association: association })),
  Ipv6Addresses: list(shape.objectOf({ Ipv6Address: address })),
  Ipv4Prefixes: list(shape.objectOf({ Ipv4Prefix: prefix4 })),
  Ipv6Prefixes: list(shape.objectOf({ Ipv6Prefix: prefix6 })),
  Association: association,
  Groups: maybe(shape.listOf(shape.objectOf({ GroupId: id }))),
})

export const networkInterface: Shape<NetworkInterface> = value => {
  const told = interfaceShape(value)
  const publicOnes = [told.Association, ...told.PrivateIpAddresses.map(one => one.Association)]
  return {
    ...{ id: told.NetworkInterfaceId, vpc: told.VpcId, subnet: told.SubnetId },
    addresses: distinct([
      ...(told.PrivateIpAddress === null ? [] : [told.PrivateIpAddress]),
      ...told.PrivateIpAddresses.map(one => one.PrivateIpAddress),
      ...told.Ipv6Addresses.map(one => one.Ipv6Address),
    ]),
    prefixes: [...told.Ipv4Prefixes.map(one => one.Ipv4Prefix), ...told.Ipv6Prefixes.map(one => one.Ipv6Prefix)],
    publicAddresses: distinct(publicOnes.flatMap(one => one?.PublicIp ?? [])),
    groups: told.Groups?.map(one => one.GroupId) ?? null,
  }
}

function distinct(addresses: readonly Address[]): Address[] {
  return [...new Map(addresses.map(one => [`${one.hi}/${one.lo}`, one])).values()]
}

const subnetShape = shape.objectOf({
  SubnetId: id,
  VpcId: text,
  CidrBlock: maybe(prefix4),
  Ipv6CidrBlockAssociationSet: list(
    shape.objectOf({ Ipv6CidrBlock: prefix6, Ipv6CidrBlockState: maybe(shape.objectOf({ State: text })) }),
  ),
})

export const subnet: Shape<Subnet & { id: string }> = value => {
  const told = subnetShape(value)
  const sixes = told.Ipv6CidrBlockAssociationSet.filter(
    one => (one.Ipv6CidrBlockState?.State ?? 'associated') === 'associated',
  )
  const prefixes = [...(told.CidrBlock === null ? [] : [told.CidrBlock]), ...sixes.map(one => one.Ipv6CidrBlock)]
  return { id: told.SubnetId, vpc: told.VpcId, prefixes, acl: null }
}

const listShape = shape.objectOf({
  PrefixListId: id,
  PrefixListName: text,
  MaxEntries: maybe(shape.count),
  Cidrs: maybe(shape.listOf(anyPrefix)),
})

/** Of describe-managed-prefix-lists, or of describe-prefix-lists, which tells the prefixes. */
export const prefixList: Shape<PrefixList> = value => {
  const { PrefixListId, PrefixListName, MaxEntries, Cidrs } = listShape(value)
  return { id: PrefixListId, name: PrefixListName ?? PrefixListId, prefixes: Cidrs, maxEntries: MaxEntries }
}

export const listEntry: Shape<Prefix> = value => shape.objectOf({ Cidr: anyPrefix })(value).Cidr
