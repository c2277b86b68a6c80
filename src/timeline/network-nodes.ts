/** Which hosts stand for themselves in a graph, and which others stand together, by their networks: /24, and /64 of IPv6. */
import { formatAddress, parseAddress } from '../net/address.ts'
import type { RecordDictionaries } from '../record-index/block.ts'
import { hostText } from './figures.ts'
import type { End } from './link.ts'

type Hosts = RecordDictionaries['hosts']

/** What each host has, by its number; last what none has. */
export interface HostValues {
  sent: Float64Array
  received: Float64Array
  isSource: Uint8Array
  isDestination: Uint8Array
}

export interface NodesWanted {
  hosts: number
  networks: number
  /** Networks whose largest hosts stand for themselves, as `10.0.0.0/24`. */
  open: readonly string[]
}

interface Nodes {
  /** By number of a host: its node. */
  of: Uint16Array
  nodes: End[]
}

/** Hosts of networks that are open. */
const openHosts = 40

export function networkNodes(hosts: Hosts, seen: HostValues, wanted: NodesWanted): Nodes {
  const networks = networksOf(hosts)
  const value = (host: number): number => seen.sent[host]! + seen.received[host]!
  const isThere = (host: number): boolean => seen.isSource[host] === 1 || seen.isDestination[host] === 1
  const open = new Set(wanted.open.flatMap(text => networks.numberOf(text) ?? []))
  const opened =
    open.size === 0 ? [] : largest(hosts.count, openHosts, value, host => isThere(host) && open.has(networks.of[host]!))
  const taken = new Set(opened)
  const others = largest(hosts.count, wanted.hosts - opened.length, value, host => isThere(host) && !taken.has(host))
  const own = [...opened, ...others]
  for (const host of others) taken.add(host)
  const sums = new Float64Array(networks.count)
  const counts = new Uint32Array(networks.count)
  for (let host = 0; host < hosts.count; host++) {
    if (!isThere(host) || taken.has(host)) continue
    const network = networks.of[host]!
    sums[network]! += value(host)
    counts[network]! += 1
  }
  const kept = largest(
    networks.count,
    wanted.networks,
    network => sums[network]!,
    network => counts[network]! > 0,
  )
  const nodeOfNetwork = new Uint16Array(networks.count).fill(own.length + kept.length)
  for (const [at, network] of kept.entries()) nodeOfNetwork[network] = own.length + at
  const of = new Uint16Array(hosts.count + 1)
  for (let host = 0; host < hosts.count; host++) of[host] = nodeOfNetwork[networks.of[host]!]!
  for (const [at, host] of own.entries()) of[host] = at
  of[hosts.count] = own.length + kept.length + 1
  const inKept = kept.reduce((sum, network) => sum + counts[network]!, 0)
  const left = counts.reduce((sum, count) => sum + count, 0) - inKept
  const nodes: End[] = [
    ...own.map(host => ({ host: hostText(hosts, host)! })),
    ...kept.map(network => ({ network: networks.text(network), hosts: counts[network]! })),
    { others: left },
    { none: true },
  ]
  return { of, nodes }
}

/** Numbers of the largest, from the largest; of equal ones those that come first. */
export function largest(
  count: number,
  top: number,
  value: (number: number) => number,
  fits: (number: number) => boolean,
): number[] {
  const found: number[] = []
  const values: number[] = []
  if (top <= 0) return found
  for (let number = 0; number < count; number++) {
    if (!fits(number)) continue
    const own = value(number)
    if (found.length === top && own <= values[top - 1]!) continue
    let place = found.length
    while (place > 0 && values[place - 1]! < own) place--
    found.splice(place, 0, number)
    values.splice(place, 0, own)
    if (found.length > top) {
      found.pop()
      values.pop()
    }
  }
  return found
}

interface Networks {
  count: number
  /** By number of a host: that of its network. */
  of: Uint32Array
  numberOf(text: string): number | undefined
  text(network: number): string
}

const known = new WeakMap<Hosts, Networks>()

function networksOf(hosts: Hosts): Networks {
  let networks = known.get(hosts)
  if (networks === undefined) known.set(hosts, (networks = gather(hosts)))
  return networks
}

function gather({ count, hi, lo }: Hosts): Networks {
  const of = new Uint32Array(count)
  // IPv4 by 24 bits as a number, which is quicker; IPv6 by its upper half.
  const numbers = new Map<number | bigint, number>()
  const keys: (number | bigint)[] = []
  for (let host = 0; host < count; host++) {
    const key = keyOf(hi[host]!, lo[host]!)
    let number = numbers.get(key)
    if (number === undefined) {
      number = keys.length
      numbers.set(key, number)
      keys.push(key)
    }
    of[host] = number
  }
  return {
    ...{ count: keys.length, of },
    numberOf: text => {
      const address = parseAddress(text.replace(/\/\d+$/, ''))
      return address === null ? undefined : numbers.get(keyOf(address.hi, address.lo))
    },
    text: network => {
      const key = keys[network]!
      if (typeof key === 'bigint') return `${formatAddress(key, 0n)}/64`
      return `${formatAddress(0n, (0xffffn << 32n) | (BigInt(key) << 8n))}/24`
    },
  }
}

function keyOf(hi: bigint, lo: bigint): number | bigint {
  if (hi !== 0n || lo >> 32n !== 0xffffn) return hi
  return Number(lo & 0xffff_ffffn) >>> 8
}
