/**
 * Security groups, network ACLs and what they are attached to, as values (Amazon VPC User Guide, "Security group rules", "Network ACL rules").
 *
 * IPv4 and IPv6 are apart in rules, whatever the prefixes of this program hold of each other: `::/0` is of IPv6 alone.
 */
import type { Address } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'

/** Both included. */
export interface PortRange {
  from: number
  to: number
}

/** Null: any. */
export interface IcmpRange {
  type: number | null
  code: number | null
}

/** What a rule's traffic goes to, or comes from. */
export type Remote =
  | { kind: 'prefix'; prefix: Prefix }
  | { kind: 'group'; group: string }
  | { kind: 'prefix-list'; list: string }

/** What a rule of either kind says of the packets. */
export interface Traffic {
  /** By IANA's number; null: all. */
  protocol: number | null
  /** Destination ports; null: all, or a protocol without ports. */
  ports: PortRange | null
  /** Null: all, or another protocol. */
  icmp: IcmpRange | null
}

export interface GroupRule extends Traffic {
  id: string | null
  remote: Remote
  description: string
}

/** Stateful: an answer to what was let through passes. */
export interface SecurityGroup {
  id: string
  name: string
  vpc: string | null
  ingress: GroupRule[]
  egress: GroupRule[]
}

export interface AclEntry extends Traffic {
  /** The lowest number that fits decides. */
  number: number
  action: 'allow' | 'deny'
  prefix: Prefix
}

/** Stateless, at the border of a subnet. What no entry fits is denied. */
export interface NetworkAcl {
  id: string
  vpc: string | null
  isDefault: boolean
  ingress: AclEntry[]
  egress: AclEntry[]
}

export interface NetworkInterface {
  id: string
  vpc: string | null
  subnet: string | null
  /** Private ones, and those of IPv6. */
  addresses: Address[]
  /** Prefixes that are delegated to it. */
  prefixes: Prefix[]
  /** Public IPv4 addresses that stand for it outside. */
  publicAddresses: Address[]
  /** Null: not told. */
  groups: string[] | null
}

export interface Subnet {
  /** Null: not known, nor whether other such subnets are the same one; `prefixes` are then some of its addresses. */
  id: string | null
  vpc: string | null
  /** None: not told. */
  prefixes: Prefix[]
  /** Null: not told. */
  acl: string | null
}

export interface PrefixList {
  id: string
  name: string
  /** Null: its entries were not told. */
  prefixes: Prefix[] | null
  /** What it counts for in a group's quota of rules; null: not told. */
  maxEntries: number | null
}

/** What is known of a network. Lists are in the order in which they were told. */
export interface Network {
  groups: SecurityGroup[]
  acls: NetworkAcl[]
  interfaces: NetworkInterface[]
  subnets: Subnet[]
  prefixLists: PrefixList[]
  /**
   * What lies at the side of an address that may be of this network, but has no interface or subnet in it: not decidable, or not asked for (as
   * where rules are tried that are recommended for a few addresses).
   */
  others: 'undecided' | 'not-judged'
}
