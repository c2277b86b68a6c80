/** The rules that an outbound list may have: by port, by service of AWS, by prefix. Which of them it needs, `recommend-egress.ts` decides. */
import { isIPv4 } from '../net/address.ts'
import { countText } from '../net/counts.ts'
import type { Prefix } from '../net/prefix.ts'
import type { GroupRule, Remote } from '../network-rules/network.ts'
import { anyIPv4, anyIPv6, type CoverLimits, coverOf, isIPv6Prefix, overlaps, widestCover } from './prefix-cover.ts'
import type { ProtectedTraffic } from './protected.ts'
import { trafficText } from './rule-words.ts'
import type { Use } from './uses.ts'

/** Traffic of one port to one peer. */
export interface Item {
  peer: number
  protocol: number
  port: number | null
  connections: number
  bytes: number
  first_us: number
}

/** Items by protocol, port and family: what rules of a port are for. */
interface PortItems {
  protocol: number
  port: number | null
  isIPv6: boolean
  /** Numbers of items. */
  items: number[]
  /** Whether the attack used it: then no rule is for any address. */
  isAttacked: boolean
  /** What no prefix may hold: the addresses of the attack, and where it went on this port. */
  avoid: readonly Prefix[]
}

export interface Candidate extends Pick<GroupRule, 'ports' | 'remote'> {
  protocol: number
  /** Numbers of items that it lets through. */
  items: number[]
}

/** How wide rules are: `narrow` as long as there is room. */
export type Width = 'narrow' | 'any-address' | 'port-ranges'

/** So many prefixes make a port one of few peers. */
const fewPrefixes = 5
/** An IPv4 /24 and an IPv6 /64 are of one network; a VPC has at most a /16. */
export const coverLimits = (isIPv6: boolean, isInternal: boolean): CoverLimits => ({
  near: isIPv6 ? 64 : 96 + 24,
  widest: isInternal ? (isIPv6 ? 8 : 96 + 8) : isIPv6 ? 32 : 96 + 16,
  most: fewPrefixes,
})
/** High ports of one peer from which on they become a range. */
const manyPorts = 5

/** Services with a list of AWS that counts as one rule (VPC User Guide, "AWS-managed prefix lists"). */
const listed: readonly string[] = ['S3', 'DYNAMODB']

/** Name of the list of a service, of IPv4 alone; null where AWS has none, or the region is not known. */
export function prefixListOf(traffic: Pick<ProtectedTraffic, 'awsService'>, host: number): string | null {
  const at = traffic.awsService(host)
  if (at === null || at.region === null || !listed.includes(at.service)) return null
  // The region comes from outside, and stands in code.
  if (!/^[a-z]{2}(-[a-z]+)+-\d+$/.test(at.region)) return null
  return `com.amazonaws.${at.region}.${at.service.toLowerCase()}`
}

export class Candidates {
  readonly all: Candidate[] = []
  private readonly traffic: ProtectedTraffic
  private readonly items: readonly Item[]
  /** By port: where the attack went. */
  private readonly attacked = new Map<string, Prefix[]>()
  private readonly attackedPeers: ReadonlySet<number>

  /** @param attack uses of the hosts as clients that are the attack. */
  constructor(traffic: ProtectedTraffic, items: readonly Item[], attack: readonly Use[], width: Width) {
    this.traffic = traffic
    this.items = items
    for (const { server, protocol, port } of attack) {
      const key = this.keyOf(server, protocol, port)
      const to = widestCover([traffic.address(server)], [])
      const known = this.attacked.get(key)
      if (known === undefined) this.attacked.set(key, to)
      else known.push(...to)
    }
    this.attackedPeers = new Set(attack.map(use => use.server))
    const ports = this.ports()
    for (const port of ports) this.addPort(port, width)
    this.addPeerRanges()
    if (width === 'port-ranges') for (const isIPv6 of [false, true]) this.addRanges(ports, isIPv6)
  }

  private isIPv6(host: number): boolean {
    return !isIPv4(this.traffic.address(host))
  }

  private keyOf(peer: number, protocol: number | null, port: number | null): string {
    return `${protocol} ${port} ${this.isIPv6(peer)}`
  }

  private ports(): PortItems[] {
    const ports = new Map<string, PortItems>()
    for (const [i, { peer, protocol, port }] of this.items.entries()) {
      const key = this.keyOf(peer, protocol, port)
      const one = ports.get(key) ?? this.portItems(this.items[i]!)
      ports.set(key, one)
      one.items.push(i)
    }
    return [...ports.values()]
  }

  private portItems({ peer, protocol, port }: Item): PortItems {
    const keys = [this.keyOf(peer, protocol, port), this.keyOf(peer, protocol, null), this.keyOf(peer, null, null)]
    const to = [...new Set(keys)].flatMap(key => this.attacked.get(key) ?? [])
    const avoid = [...this.traffic.subjects, ...to]
    return { protocol, port, isIPv6: this.isIPv6(peer), items: [], isAttacked: to.length > 0, avoid }
  }

  private addPort(of: PortItems, width: Width): void {
    const byList = new Map<string, number[]>()
    const sides: [number[], number[]] = [[], []]
    for (const i of of.items) {
      const { peer } = this.items[i]!
      const list = of.isIPv6 ? null : prefixListOf(this.traffic, peer)
      if (list === null) sides[Number(this.traffic.isInternal(peer))]!.push(i)
      else if (byList.has(list)) byList.get(list)!.push(i)
      else byList.set(list, [i])
    }
    for (const [list, items] of byList) this.add(of, { kind: 'prefix-list', list }, items)
    const wants = sides.map((items, side) => this.addSide(of, items, side === 1))
    const isWide = wants.includes(true) || width !== 'narrow'
    if (isWide && !of.isAttacked) this.add(of, { kind: 'prefix', prefix: of.isIPv6 ? anyIPv6 : anyIPv4 }, of.items)
    if (!isWide || !of.isAttacked) return
    for (const items of sides) this.addPrefixes(of, items, widestCover(this.addresses(items), of.avoid))
  }

  /** @returns whether its peers are too many for prefixes. */
  private addSide(of: PortItems, items: number[], isInternal: boolean): boolean {
    const prefixes = coverOf(this.addresses(items), of.avoid, coverLimits(of.isIPv6, isInternal))
    if (prefixes === null) return true
    this.addPrefixes(of, items, prefixes)
    return false
  }

  private addresses(items: readonly number[]) {
    return items.map(i => this.traffic.address(this.items[i]!.peer))
  }

  private addPrefixes(of: PortItems, items: readonly number[], prefixes: readonly Prefix[]): void {
    for (const prefix of prefixes) this.add(of, { kind: 'prefix', prefix }, this.within(items, prefix))
  }

  private within(items: readonly number[], prefix: Prefix): number[] {
    return items.filter(i => {
      const at = this.traffic.address(this.items[i]!.peer)
      return overlaps(prefix, { text: '', first: at, last: at })
    })
  }

  private add({ protocol, port }: PortItems, remote: Remote, items: number[]): void {
    this.addRule(protocol, port === null ? null : { from: port, to: port }, remote, items)
  }

  private addRule(protocol: number, ports: GroupRule['ports'], remote: Remote, items: number[]): void {
    this.all.push({ protocol, ports, remote, items })
  }

  /** Of peers that many high ports are used of, such as those of passive FTP and of remote procedure calls. */
  private addPeerRanges(): void {
    const byPeer = new Map<string, number[]>()
    for (const [i, { peer, protocol, port }] of this.items.entries()) {
      if (port === null || port < 1024 || this.attackedPeers.has(peer)) continue
      const key = `${protocol} ${peer}`
      const known = byPeer.get(key)
      if (known === undefined) byPeer.set(key, [i])
      else known.push(i)
    }
    for (const items of byPeer.values()) {
      if (items.length < manyPorts) continue
      const { protocol, peer } = this.items[items[0]!]!
      const [prefix] = widestCover([this.traffic.address(peer)], [])
      this.addRule(protocol, rangeOf(items.map(i => this.items[i]!.port!)), { kind: 'prefix', prefix: prefix! }, items)
    }
  }

  /** High ports of a protocol to any address, between those that the attack used. */
  private addRanges(ports: readonly PortItems[], isIPv6: boolean): void {
    const high = ports.filter(one => one.port !== null && one.port >= 1024 && one.isIPv6 === isIPv6)
    for (const protocol of new Set(high.map(one => one.protocol))) {
      const runs: PortItems[][] = [[]]
      const stops = this.attackedPorts(protocol, isIPv6)
      if (stops === null) continue
      const isStop = new Set(stops)
      let stop = 0
      for (const one of high.filter(of => of.protocol === protocol).sort((a, b) => a.port! - b.port!)) {
        if (isStop.has(one.port!)) continue
        while (stop < stops.length && stops[stop]! < one.port!) {
          stop++
          if (runs.at(-1)!.length > 0) runs.push([])
        }
        runs.at(-1)!.push(one)
      }
      for (const run of runs.filter(some => some.length > 1)) {
        const range = rangeOf(run.map(one => one.port!))
        const remote: Remote = { kind: 'prefix', prefix: isIPv6 ? anyIPv6 : anyIPv4 }
        this.addRule(
          protocol,
          range,
          remote,
          run.flatMap(one => one.items),
        )
      }
    }
  }

  /** In order; null where the attack may have used any. */
  private attackedPorts(protocol: number, isIPv6: boolean): number[] | null {
    const ports: number[] = []
    for (const key of this.attacked.keys()) {
      const [ofProtocol, port, family] = key.split(' ')
      if (family !== String(isIPv6)) continue
      if (ofProtocol === 'null' || (ofProtocol === String(protocol) && port === 'null')) return null
      if (ofProtocol === String(protocol)) ports.push(Number(port))
    }
    return ports.sort((a, b) => a - b)
  }
}

/** A rule with what it rests on. */
export function ruleOf({ protocol, ports, remote, items }: Candidate, all: readonly Item[]): GroupRule {
  const peers = new Set(items.map(i => all[i]!.peer)).size
  const connections = items.reduce((sum, i) => sum + all[i]!.connections, 0)
  const of = trafficText(protocol, ports?.from ?? null, ports?.to ?? null)
  const description = `${of}: ${countText(connections, 'connection')} with ${countText(peers, 'peer')}`
  return { id: null, protocol, ports, icmp: null, remote, description }
}

function rangeOf(ports: readonly number[]): { from: number; to: number } {
  return ports.reduce(({ from, to }, port) => ({ from: Math.min(from, port), to: Math.max(to, port) }), {
    from: 0xffff,
    to: 0,
  })
}

/** Whether a rule counts in the quota of IPv6; those of IPv4 and of IPv6 are counted apart. */
export function isIPv6Rule({ remote }: Pick<GroupRule, 'remote'>): boolean {
  return remote.kind === 'prefix' && isIPv6Prefix(remote.prefix)
}
