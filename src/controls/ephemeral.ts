/** Ports that clients choose for themselves: to which of them answers must be let through, where nothing remembers who asked. */
import { type CaseConnections, mark, outcome } from '../conversations/connections.ts'
import { noPort } from '../conversations/services.ts'
import { countText, integerText } from '../net/counts.ts'
import { hasPorts } from '../net/protocols.ts'
import type { PortRange } from '../network-rules/network.ts'
import { isIPv6By } from './by-host.ts'
import type { ProtectedTraffic } from './protected.ts'
import { shareText } from './rule-words.ts'
import { isOfAttack } from './traffic.ts'
import { isUnclearAt } from './uses.ts'

/** Whose defaults they are (VPC User Guide, "Ephemeral ports"; Linux: ip_local_port_range); the smallest first. */
const systems: readonly (PortRange & { of: string })[] = [
  { from: 49_152, to: 65_535, of: 'Windows since 2008, macOS' },
  { from: 32_768, to: 60_999, of: 'Linux' },
  { from: 32_768, to: 61_000, of: 'older Linux' },
  { from: 1024, to: 65_535, of: 'any system, load balancers, NAT' },
]
const anySystem = systems.at(-1)!

/** Fewer ports do not tell: of ten of Linux, all lie among those of Windows once in 6,000 times. */
const portsMin = 10
/** A port below 1024 that so large a share of connections comes from, such as NTP's own, gets an entry. */
const lowShare = 0.01

/** Connections by their client's port, the last place for those that do not tell it. */
export class ClientPorts {
  readonly counts = new Uint32Array(noPort + 1)
}

export interface AnswerPorts {
  /** Null: no client used a port from 1024 on. */
  range: PortRange | null
  /** Below 1024, each alone. */
  low: number[]
  /** What was seen, and what follows. */
  why: string
}

/**
 * Of each part of the network its own clients and those of others, by protocol and family: the key of `portsKey`. One pass, however many parts.
 *
 * @param partOf the number of a host's part, below zero for a host of none.
 */
export function clientPortsOf(
  traffic: ProtectedTraffic,
  partOf: (host: number) => number,
): (part: number) => ReadonlyMap<number, ClientPorts> {
  const found = new Map<number, Map<number, ClientPorts>>()
  const count = (part: number, key: number, port: number): void => {
    if (part < 0) return
    const of = found.get(part) ?? new Map<number, ClientPorts>()
    found.set(part, of)
    const ports = of.get(key) ?? new ClientPorts()
    of.set(key, ports)
    ports.counts[port]!++
  }
  const isIPv6Host = isIPv6By(traffic)
  for (const { connections, attack } of traffic.pieces) {
    const { client, server, protocol, clientPort } = connections
    for (let i = 0; i < connections.count; i++) {
      if (isOfAttack(attack[i]!) || !isUsed(connections, i)) continue
      const [from, to] = [partOf(client[i]!), partOf(server[i]!)]
      if (from === to) continue
      const isIPv6 = isIPv6Host(server[i]!)
      count(from, portsKey('own', protocol[i]!, isIPv6), clientPort[i]!)
      count(to, portsKey('other', protocol[i]!, isIPv6), clientPort[i]!)
    }
  }
  return part => found.get(part) ?? new Map()
}

export function portsKey(client: 'own' | 'other', protocol: number, isIPv6: boolean): number {
  return 4 * protocol + 2 * Number(client === 'own') + Number(isIPv6)
}

function isUsed(all: CaseConnections, i: number): boolean {
  if (!hasPorts(all.protocol[i]!) || (all.marks[i]! & mark.isError) !== 0 || isUnclearAt(all, i)) return false
  return all.outcome[i] !== outcome.rejected
}

/** The smallest usual range that holds the ports that clients used. */
export function answerPorts({ counts }: ClientPorts): AnswerPorts {
  const total = counts.reduce((sum, one) => sum + one, 0)
  const high = { ports: 0, connections: 0, from: noPort, to: 0 }
  const low: number[] = []
  let lowConnections = 0
  for (let port = 0; port < noPort; port++) {
    const count = counts[port]!
    if (count === 0) continue
    if (port < 1024) {
      lowConnections += count
      if (count >= lowShare * total) low.push(port)
      continue
    }
    high.ports++
    high.connections += count
    high.from = Math.min(high.from, port)
    high.to = port
  }
  const unknown = counts[noPort]!
  const lowText =
    lowConnections === 0
      ? ''
      : `, and ${countText(lowConnections, 'connection')} (${shareText(lowConnections / total)}) from ports below 1024`
  if (unknown > 0) {
    const why = `the port of ${countText(unknown, 'client connection')} is not known${lowText}: ${rangeText(anySystem)}`
    return { range: anySystem, low, why }
  }
  if (high.ports === 0) return { range: null, low, why: `no client port from 1024 on was seen${lowText}` }
  const seen = `${countText(high.ports, 'client port')} from ${integerText(high.from)} to ${integerText(high.to)} in ${countText(high.connections, 'connection')}${lowText}`
  if (high.ports < portsMin) return { range: anySystem, low, why: `${seen}, too few to tell: ${rangeText(anySystem)}` }
  const range = systems.find(({ from, to }) => from <= high.from && high.to <= to)!
  return { range, low, why: `${seen}: ${rangeText(range)}` }
}

function rangeText({ from, to, of }: PortRange & { of: string }): string {
  return `${from}-${to} (${of})`
}
