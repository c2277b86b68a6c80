/** The lists of a comparison with a baseline, as the answer has them. */
import { formatAddress } from '../net/address.ts'
import { utcSeconds } from '../net/time.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import { spreadOf } from '../rules/numbers.ts'
import {
  type Attempts,
  after,
  before,
  type Comparison,
  type Counts,
  listMax,
  type NewPeer,
  type ServiceUse,
  type Volume,
} from './baseline-count.ts'
import { serviceShown } from './path.ts'

/** Hosts that a spread of changes is worked out of, at least. */
const hostsOfSpreadMin = 10
/** Share of the deviation of normal numbers that is half of them (Iglewicz and Hoaglin 1993). */
const normal = 0.6745
const servicesMax = 10

export interface ComparedService {
  protocol: number | null
  port: number | null
  service: string | null
  administrative: boolean
}

interface Sums {
  connections: number
  bytes_up: number
  bytes_down: number
  first_start: string
}

/** A host outside that own hosts reached, or that reached own hosts. Bytes up are those of who began. */
export interface ComparedPeer extends ComparedService, Sums {
  address: string
  /** Own hosts that it has to do with, the first of them, and their share of the own hosts that were seen in the window. */
  hosts: number
  host: string
  prevalence: number
}

export interface ComparedPort extends ComparedService, Sums {
  address: string
  peers: number
  /** Shares of own hosts that use the port, in the baseline and in the window. */
  prevalence_before: number
  prevalence_after: number
}

export interface ComparedPair extends Sums {
  from: string
  to: string
  administrative: boolean
  services: ComparedService[]
  services_total: number
}

/** A service that was used in one of the windows alone. */
export interface ChangedService extends ComparedService, Sums {
  address: string
  clients: number
  /** What became of attempts in the other window; all zero where nobody tried. */
  other_window: Attempts
}

/** A figure in both windows. */
export interface Change {
  before: number
  after: number
  per_hour_before: number | null
  per_hour_after: number | null
  /** Of the rates; null where one of them is not above zero. */
  ratio: number | null
  /** How far the change lies from those of the other hosts; null where too few of them changed. */
  z: number | null
}

export interface HostVolume {
  address: string
  bytes_out: Change
  bytes_in: Change
  connections: Change
  peers: { before: number; after: number }
}

export interface BaselineLists {
  /** Own hosts that were seen in one of the windows alone. */
  new_hosts: string[]
  new_hosts_total: number
  gone_hosts: string[]
  gone_hosts_total: number
  /** Hosts outside that own hosts reached, those that were sent most first. */
  new_peers: ComparedPeer[]
  new_peers_total: number
  /** Hosts outside that reached own hosts. */
  new_clients: ComparedPeer[]
  new_clients_total: number
  new_ports: ComparedPort[]
  new_ports_total: number
  /** Own hosts that used another own host. */
  new_pairs: ComparedPair[]
  new_pairs_total: number
  /** Services of own hosts for own clients. */
  new_services: ChangedService[]
  new_services_total: number
  gone_services: ChangedService[]
  gone_services_total: number
  /** Own hosts that were seen in both windows, the largest change of bytes out an hour first. */
  volumes: HostVolume[]
  volumes_total: number
  /** Services of own hosts that clients outside used in the window alone, and in the baseline alone. */
  surface: { opened: ChangedService[]; opened_total: number; closed: ChangedService[]; closed_total: number }
  truncated: boolean
}

type Hosts = RecordDictionaries['hosts']
interface Sized {
  hours: number
  hosts: number
}

export function listsOf(comparison: Comparison, hosts: Hosts, sizes: readonly [Sized, Sized]): BaselineLists {
  const address = (host: number): string => formatAddress(hosts.hi[host]!, hosts.lo[host]!)
  const { seen, volumes, newPorts, newPairs, newPeers, newClients, services } = comparison
  const owns = comparison.ownHosts
  const only = (bits: number): number[] => owns.filter(host => seen[host] === bits)
  const peer = (one: NewPeer): ComparedPeer => ({
    ...{ address: address(one.host), ...serviceShown(one.protocol, one.port), ...sumsOf(one) },
    ...{ hosts: one.hosts, host: address(one.by), prevalence: share(one.hosts, sizes[after].hosts) },
  })
  const changed = (audience: 0 | 1, which: 0 | 1) => changedOf([...services[audience].values()], which, address)
  const changes = changesOf(
    owns.filter(host => seen[host] === 3 && volumes.has(host)),
    volumes,
    sizes,
    address,
  )
  const portHosts = (which: 0 | 1, protocol: number, port: number): number =>
    share(comparison.hostsOfPort(which, protocol, port), sizes[which].hosts)
  const ports = newPorts.listed().map(one => ({
    ...{ address: address(one.host), ...serviceShown(one.protocol, one.port), peers: one.peers },
    prevalence_before: portHosts(before, one.protocol, one.port),
    prevalence_after: portHosts(after, one.protocol, one.port),
    ...sumsOf(one),
  }))
  const pairs = newPairs.listed().map(({ host, peer: to, services: used, ...counts }) => {
    const shown = used.map(({ protocol, port }) => serviceShown(protocol, port))
    return {
      ...{ from: address(host), to: address(to), administrative: shown.some(one => one.administrative) },
      ...{ services: shown.slice(0, servicesMax), services_total: shown.length, ...sumsOf(counts) },
    }
  })
  const [opened, closed] = [changed(1, after), changed(1, before)]
  const [open, shut] = [cut(opened), cut(closed)]
  const lists = {
    ...listed('new_hosts', only(2).map(address)),
    ...listed('gone_hosts', only(1).map(address)),
    ...{ new_peers: cut(newPeers).map(peer), new_peers_total: newPeers.length },
    ...{ new_clients: newClients.listed().map(peer), new_clients_total: newClients.total },
    ...{ new_ports: ports, new_ports_total: newPorts.total, new_pairs: pairs, new_pairs_total: newPairs.total },
    ...listed('new_services', changed(0, after)),
    ...listed('gone_services', changed(0, before)),
    ...listed('volumes', changes),
    surface: { opened: open, opened_total: opened.length, closed: shut, closed_total: closed.length },
  }
  return { ...lists, truncated: isTruncated(lists) || isTruncated(lists.surface) }
}

const cut = <T>(some: readonly T[]): T[] => some.slice(0, listMax)
const share = (part: number, whole: number): number => (whole === 0 ? 0 : Math.round((part / whole) * 1e4) / 1e4)

/** A list and its total. */
function listed<N extends string, T>(name: N, all: readonly T[]): { [K in N]: T[] } & { [K in `${N}_total`]: number } {
  return { [name]: cut(all), [`${name}_total`]: all.length } as { [K in N]: T[] } & { [K in `${N}_total`]: number }
}

function isTruncated(lists: object): boolean {
  const all = lists as Record<string, unknown>
  return Object.entries(all).some(([name, list]) => Array.isArray(list) && list.length < Number(all[`${name}_total`]))
}

function sumsOf({ connections, bytesUp, bytesDown, first_us }: Counts): Sums {
  return { connections, bytes_up: bytesUp, bytes_down: bytesDown, first_start: utcSeconds(first_us) }
}

/** Services that were used in one window and not in the other one, by bytes. */
function changedOf(uses: readonly ServiceUse[], which: 0 | 1, address: (host: number) => string): ChangedService[] {
  const other = which === before ? after : before
  const size = ({ counts }: ServiceUse): number => counts[which].bytesUp + counts[which].bytesDown
  return uses
    .filter(({ clients }) => clients[which] > 0 && clients[other] === 0)
    .sort((a, b) => size(b) - size(a) || a.server - b.server || a.protocol - b.protocol || a.port - b.port)
    .map(({ server, protocol, port, clients, counts, attempts }) => ({
      ...{ address: address(server), ...serviceShown(protocol, port), clients: clients[which] },
      ...{ ...sumsOf(counts[which]), other_window: attempts[other] },
    }))
}

type Measure = 'bytesOut' | 'bytesIn' | 'connections'

function changesOf(
  owns: readonly number[],
  volumes: ReadonlyMap<number, Volume>,
  sizes: readonly [Sized, Sized],
  address: (host: number) => string,
): HostVolume[] {
  const rate = (value: number, which: 0 | 1): number | null =>
    sizes[which].hours === 0 ? null : value / sizes[which].hours
  const ratio = (host: number, measure: Measure): number | null => {
    const [old, now] = ([before, after] as const).map(which => rate(volumes.get(host)![measure][which], which))
    return old === null || now === null || !(old! > 0 && now! > 0) ? null : now! / old!
  }
  const scale = (measure: Measure): ((value: number | null) => number | null) => {
    const logs = owns.flatMap(host => ratio(host, measure) ?? []).map(Math.log2)
    const { median, deviation } = spreadOf(logs)
    if (logs.length < hostsOfSpreadMin || !(deviation > 0)) return () => null
    return value => (value === null ? null : rounded((normal * (Math.log2(value) - median)) / deviation))
  }
  const scales = { bytesOut: scale('bytesOut'), bytesIn: scale('bytesIn'), connections: scale('connections') }
  const change = (host: number, measure: Measure): Change => {
    const [old, now] = volumes.get(host)![measure]
    const [perBefore, perAfter] = [rate(old, before), rate(now, after)]
    const of = ratio(host, measure)
    return {
      ...{
        before: old,
        after: now,
        per_hour_before: roundedOrNull(perBefore),
        per_hour_after: roundedOrNull(perAfter),
      },
      ...{ ratio: roundedOrNull(of), z: scales[measure](of) },
    }
  }
  const difference = ({ bytes_out }: HostVolume): number =>
    Math.abs((bytes_out.per_hour_after ?? 0) - (bytes_out.per_hour_before ?? 0))
  const shown = owns.map((host): HostVolume => {
    const [old, now] = volumes.get(host)!.peers
    return {
      address: address(host),
      ...{ bytes_out: change(host, 'bytesOut'), bytes_in: change(host, 'bytesIn') },
      ...{ connections: change(host, 'connections'), peers: { before: old, after: now } },
    }
  })
  // The sort is stable: of the same change, in the order of addresses.
  return shown.sort((a, b) => difference(b) - difference(a))
}

const rounded = (value: number): number => Math.round(value * 100) / 100
const roundedOrNull = (value: number | null): number | null => (value === null ? null : rounded(value))
