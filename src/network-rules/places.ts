/** Where an address lies in a network: at which interface, in which subnet, or outside. */
import { type Address, isIPv4 } from '../net/address.ts'
import { isInternal } from '../net/internal.ts'
import { type Prefix, parsePrefix, prefixContains } from '../net/prefix.ts'
import { PrefixRows, type PrefixTable } from '../net/prefix-table.ts'
import type { Network, NetworkInterface, Subnet } from './network.ts'

export interface Place {
  address: Address
  isIPv4: boolean
  /**
   * `inside`: its interface or its subnet is known. `outside`: a public address that is neither. `unclear`: it may be of this network, of one
   * that is joined to it, or of an interface that is gone.
   */
  kind: 'inside' | 'outside' | 'unclear'
  interface: NetworkInterface | null
  subnet: Subnet | null
  /** It is a public address that stands for a private one of the interface. */
  isPublicName: boolean
  /** Several interfaces or subnets have it, as VPCs may use the same addresses: none is given. */
  isAmbiguous: boolean
  /** Neither groups nor ACLs filter what goes there or comes from there. */
  isExempt: boolean
}

/**
 * What AWS filters nowhere: DNS, instance and task metadata, Windows licences and time, at link-local and reserved addresses (Amazon VPC User
 * Guide, "Control traffic to your AWS resources using security groups", "Control subnet traffic with network access control lists").
 */
const exempt: readonly Prefix[] = ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::/32'].map(text => parsePrefix(text)!)

/** A subnet's smallest size is /28 (Amazon VPC User Guide, "Subnet CIDR blocks"). */
const leastSubnet = 16n

/** VPCs have a /56 of IPv6 each (the same page). */
const vpcBits = 8n

export function isIPv4Prefix({ first, last }: Prefix): boolean {
  return isIPv4(first) && isIPv4(last)
}

/** Whether a prefix, as a rule means it, holds an address: `::/0` holds no IPv4. */
export function holds(prefix: Prefix, address: Address): boolean {
  return isIPv4Prefix(prefix) === isIPv4(address) && prefixContains(prefix, address)
}

/** The router and the resolver: the second and third address of a subnet of IPv4. */
function reservedIn({ id, prefixes }: Subnet): Address[] {
  return prefixes
    .filter(prefix => id !== null && isIPv4Prefix(prefix) && prefix.last.lo - prefix.first.lo >= leastSubnet - 1n)
    .flatMap(({ first: { hi, lo } }) => [1n, 2n].map(step => ({ hi, lo: lo + step })))
}

function keyOf({ hi, lo }: Address): string {
  return `${hi}/${lo}`
}

/** Things by their prefixes. */
class Holders<T> {
  private readonly all: { prefix: Prefix; holder: T }[] = []
  private table: PrefixTable | null = null

  add(prefix: Prefix, holder: T): void {
    this.all.push({ prefix, holder })
  }

  /** Those with a prefix that holds the address, each once. All must have been added. */
  of(address: Address): T[] {
    this.table ??= this.tableOfAll()
    const found = new Set<T>()
    for (let row = this.table.find(address.hi, address.lo); row >= 0; row = this.table.around(row)) {
      const { prefix, holder } = this.all[this.table.id(row)]!
      if (holds(prefix, address)) found.add(holder)
    }
    return [...found]
  }

  private tableOfAll(): PrefixTable {
    const rows = new PrefixRows()
    for (const [id, { prefix }] of this.all.entries()) rows.addRange(prefix, id)
    return rows.table()
  }
}

export class Places {
  private readonly byAddress = new Map<string, NetworkInterface[]>()
  private readonly byPublicName = new Map<string, NetworkInterface[]>()
  private readonly delegated = new Holders<NetworkInterface>()
  private readonly inSubnets = new Holders<Subnet>()
  private readonly subnetsById = new Map<string, Subnet>()
  private readonly reserved = new Set<string>()
  /** The first 56 bits of all addresses of IPv6 that are known. */
  private readonly vpcs6 = new Set<bigint>()
  private readonly network: Network

  constructor(network: Network) {
    this.network = network
    for (const one of network.interfaces) this.addInterface(one)
    for (const subnet of network.subnets) {
      if (subnet.id !== null) this.subnetsById.set(subnet.id, subnet)
      for (const address of reservedIn(subnet)) this.reserved.add(keyOf(address))
      for (const prefix of subnet.prefixes) {
        this.inSubnets.add(prefix, subnet)
        this.addVpc6(prefix.first)
      }
    }
  }

  at(address: Address): Place {
    const isFour = isIPv4(address)
    const key = keyOf(address)
    const own = this.byAddress.get(key) ?? this.delegated.of(address)
    const named = own.length > 0 ? [] : (this.byPublicName.get(key) ?? [])
    const found = own.length > 0 ? own : named
    const one = found.length === 1 ? found[0]! : null
    const subnets =
      one === null ? (found.length > 1 ? [] : this.subnetsOf(address, null)) : this.subnetsAt(address, one)
    const isKnown = found.length > 0 || subnets.length > 0
    return {
      address,
      isIPv4: isFour,
      kind: isKnown ? 'inside' : this.isForeign(address, isFour) ? 'outside' : 'unclear',
      interface: one,
      subnet: subnets.length === 1 ? subnets[0]! : null,
      isPublicName: named.length > 0,
      isAmbiguous: found.length > 1 || subnets.length > 1,
      isExempt: this.reserved.has(key) || exempt.some(prefix => holds(prefix, address)),
    }
  }

  /** Prefixes within which, and outside of which, all addresses lie in the same place. */
  borders(): Prefix[] {
    const { interfaces, subnets } = this.network
    const single = (address: Address): Prefix => ({ text: '', first: address, last: address })
    return [
      ...exempt,
      ...interfaces.flatMap(one => [...[...one.addresses, ...one.publicAddresses].map(single), ...one.prefixes]),
      ...subnets.flatMap(subnet => [...subnet.prefixes, ...reservedIn(subnet).map(single)]),
      ...[...this.vpcs6].map(bits => ({
        text: '',
        first: { hi: bits << vpcBits, lo: 0n },
        last: { hi: (bits << vpcBits) | 0xffn, lo: 0xffff_ffff_ffff_ffffn },
      })),
    ]
  }

  private addInterface(one: NetworkInterface): void {
    const put = (map: Map<string, NetworkInterface[]>, address: Address): void => {
      const there = map.get(keyOf(address))
      if (there === undefined) map.set(keyOf(address), [one])
      else if (!there.includes(one)) there.push(one)
    }
    for (const address of one.addresses) {
      put(this.byAddress, address)
      this.addVpc6(address)
    }
    for (const address of one.publicAddresses) put(this.byPublicName, address)
    for (const prefix of one.prefixes) {
      this.delegated.add(prefix, one)
      this.addVpc6(prefix.first)
    }
  }

  private addVpc6(address: Address): void {
    if (!isIPv4(address)) this.vpcs6.add(address.hi >> vpcBits)
  }

  private subnetsAt(address: Address, { subnet, vpc }: NetworkInterface): Subnet[] {
    if (subnet === null) return this.subnetsOf(address, vpc)
    const known = this.subnetsById.get(subnet)
    if (known !== undefined) return [known]
    // Two interfaces of one subnet that is not told are still in one subnet.
    const made = { id: subnet, vpc, prefixes: [], acl: null }
    this.subnetsById.set(subnet, made)
    return [made]
  }

  private subnetsOf(address: Address, vpc: string | null): Subnet[] {
    return this.inSubnets.of(address).filter(subnet => vpc === null || subnet.vpc === null || subnet.vpc === vpc)
  }

  /** IPv6 has no private addresses that its VPCs would be told by: what shares none of their first 56 bits is outside, if any is known. */
  private isForeign(address: Address, isFour: boolean): boolean {
    if (isInternal(address)) return false
    return isFour || (this.vpcs6.size > 0 && !this.vpcs6.has(address.hi >> vpcBits))
  }
}

/** Whether two places are in one subnet. What lies in one meets no ACL on its way. */
export function sameSubnet(a: Place, b: Place): 'yes' | 'no' | 'maybe' {
  // To a public address the way leads out to the internet gateway and back.
  if ((a.isPublicName && b.kind !== 'outside') || (b.isPublicName && a.kind !== 'outside')) return 'no'
  if (a.isAmbiguous || b.isAmbiguous) return 'maybe'
  if (a.subnet !== null && b.subnet !== null) {
    if (a.subnet === b.subnet) return 'yes'
    return a.subnet.id !== null && b.subnet.id !== null ? 'no' : 'maybe'
  }
  const [known, other] = a.subnet === null ? [b.subnet, a] : [a.subnet, b]
  if (known === null) return 'maybe'
  if (other.kind === 'outside') return 'no'
  const isTold = known.id !== null && known.prefixes.some(prefix => isIPv4Prefix(prefix) === other.isIPv4)
  return isTold ? 'no' : 'maybe'
}
