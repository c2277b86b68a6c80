/** What rules are recommended from: the connections of the protected hosts, and what is known of the hosts at their ends. */
import type { CaseConnections } from '../conversations/connections.ts'
import { type Address, formatAddress } from '../net/address.ts'
import { type Prefix, prefixContains } from '../net/prefix.ts'

/** A service of AWS by its name in the records or in AWS's list of ranges: `S3`; the region is null where nothing tells it. */
export interface AwsPlace {
  service: string
  region: string | null
}

/** Where a host is attached, as the records say; null where they do not. */
export interface Place {
  interface: string | null
  subnet: string | null
  vpc: string | null
}

/** A service of the dossier, to be named in what a control answers. */
export interface KnownService {
  id: string
  server: string
  port: number | null
  protocol: number | null
  /** Of the findings that rest on it: ids and rules. */
  findings: readonly { id: string; rule: string }[]
}

export interface ProtectedTraffic {
  /**
   * Connections with a protected host at an end, in pieces and in any order. Those of other hosts of the same subnets may be among them: only
   * the network ACL reads these. Needs all columns but `records`, `confidence` and `place`.
   */
  pieces: readonly { connections: CaseConnections /** 1: of the attack. */; attack: Uint8Array }[]
  isProtected(host: number): boolean
  /** Addresses and networks of the attack. */
  subjects: readonly Prefix[]
  address(host: number): Address
  isInternal(host: number): boolean
  /** Null where nothing tells. */
  awsService(host: number): AwsPlace | null
  placeOf(host: number): Place
  /** Whether the records say packets and bytes: without them sums are zero, and no session can be told. */
  hasSizes: boolean
  /** The longest aggregation interval of the logs, microseconds; of packets zero. */
  interval_us: number
  /** Null where the analyst was not asked. */
  isApproved: ((protocol: number, port: number) => boolean) | null
  /** When the first connection of the attack begins and the last one ends, microseconds; null where no record tells. */
  incident: { from_us: number; to_us: number } | null
  services: readonly KnownService[]
}

/** Hosts that are attached together: rules of a group are for all of them. */
export interface Unit {
  hosts: readonly number[]
  addresses: string[]
  interfaces: string[]
  subnet: string | null
  vpc: string | null
}

export function textOf({ address }: Pick<ProtectedTraffic, 'address'>, host: number): string {
  const { hi, lo } = address(host)
  return formatAddress(hi, lo)
}

export function isSubject({ subjects, address }: ProtectedTraffic, host: number): boolean {
  const at = address(host)
  return subjects.some(subject => prefixContains(subject, at))
}

/** The ends of connections. */
type Ends = readonly { client: number; server: number }[]

/** Protected hosts by interface, or each alone where the records do not name it; in the order of their addresses. */
export function interfacesOf(traffic: ProtectedTraffic, ends: Ends): Unit[] {
  return unitsBy(traffic, ends, (place, host) => place.interface ?? host)
}

/** Protected hosts by subnet; together where the records do not name it. */
export function subnetsOf(traffic: ProtectedTraffic, ends: Ends): Unit[] {
  return unitsBy(traffic, ends, place => place.subnet ?? '')
}

function unitsBy(
  traffic: ProtectedTraffic,
  ends: Ends,
  keyOf: (place: Place, host: number) => string | number,
): Unit[] {
  const hosts = new Set<number>()
  for (const { client, server } of ends) {
    if (traffic.isProtected(client)) hosts.add(client)
    if (traffic.isProtected(server)) hosts.add(server)
  }
  const units = new Map<string | number, Unit & { hosts: number[] }>()
  for (const host of [...hosts].sort((a, b) => a - b)) {
    const place = traffic.placeOf(host)
    const key = keyOf(place, host)
    const unit = units.get(key) ?? { hosts: [], addresses: [], interfaces: [], subnet: place.subnet, vpc: place.vpc }
    units.set(key, unit)
    unit.hosts.push(host)
    unit.addresses.push(textOf(traffic, host))
    if (place.interface !== null && !unit.interfaces.includes(place.interface)) unit.interfaces.push(place.interface)
  }
  return [...units.values()]
}

/** Ids of the dossier's services that are so, and of their findings. */
export function answersOf(services: readonly KnownService[], isSo: (service: KnownService) => boolean): string[] {
  const some = services.filter(isSo)
  return [...new Set([...some.map(one => one.id), ...some.flatMap(one => one.findings.map(({ id }) => id))])]
}
