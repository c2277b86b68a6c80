/** Which hosts stand for themselves in a graph, and which others stand together, by their networks: /24, and /64 of IPv6. */
import { formatAddress } from '../net/address.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import { hostText } from './figures.ts'
import type { End, LinkOptions } from './link.ts'

type Hosts = RecordDictionaries['hosts']

/** What is known of each host, by its number; last of none. */
interface Seen {
  sent: Float64Array
  received: Float64Array
  isSource: Uint8Array
  isDestination: Uint8Array
}

interface Nodes {
  /** By number of a host: its node. */
  of: Uint16Array
  nodes: End[]
}

interface Network {
  value: number
  hosts: number[]
}

/** Hosts of networks that are open. */
const openHosts = 40

export function networkNodes(hosts: Hosts, seen: Seen, { hosts: most, networks, open }: LinkOptions): Nodes {
  const value = (host: number): number => seen.sent[host]! + seen.received[host]!
  const there: number[] = []
  for (let host = 0; host < hosts.count; host++)
    if (seen.isSource[host] === 1 || seen.isDestination[host] === 1) there.push(host)
  const byValue = (a: number, b: number): number => value(b) - value(a) || a - b
  const isOpen = new Set(open)
  const opened =
    open.length === 0
      ? []
      : there
          .filter(host => isOpen.has(networkOf(hosts, host)))
          .sort(byValue)
          .slice(0, openHosts)
  const own = new Set([...opened, ...[...there].sort(byValue).slice(0, most - opened.length)])
  const groups = new Map<string, Network>()
  for (const host of there) {
    if (own.has(host)) continue
    const name = networkOf(hosts, host)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, { value: value(host), hosts: [host] })
    else {
      group.value += value(host)
      group.hosts.push(host)
    }
  }
  const ranked = [...groups].sort(([, a], [, b]) => b.value - a.value || b.hosts.length - a.hosts.length)
  const kept = ranked.slice(0, networks)
  const others = ranked.slice(networks).reduce((sum, [, group]) => sum + group.hosts.length, 0)
  const of = new Uint16Array(hosts.count + 1).fill(own.size + kept.length)
  const nodes: End[] = []
  for (const host of own) {
    of[host] = nodes.length
    nodes.push({ host: hostText(hosts, host)! })
  }
  for (const [network, group] of kept) {
    for (const host of group.hosts) of[host] = nodes.length
    nodes.push(
      group.hosts.length === 1 ? { host: hostText(hosts, group.hosts[0]!)! } : { network, hosts: group.hosts.length },
    )
  }
  of[hosts.count] = nodes.length + 1
  return { of, nodes: [...nodes, { others }, { none: true }] }
}

function networkOf({ hi, lo }: Hosts, host: number): string {
  const [high, low] = [hi[host]!, lo[host]!]
  const isIpv4 = high === 0n && low >> 32n === 0xffffn
  return isIpv4 ? `${formatAddress(high, low & ~0xffn)}/24` : `${formatAddress(high, 0n)}/64`
}
