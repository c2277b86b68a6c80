/** Two windows of a case beside each other: what its own hosts did in one, and not in the other. Two passes over the connections by client. */
import type { ConnectionColumn } from '../conversations/connections.ts'
import { type CaseConnections, clientsOf, mark, outcome, type Run, servicesIn } from '../rules/connections.ts'
import { Foremost } from './foremost.ts'

export const comparedColumns: readonly ConnectionColumn[] = [
  ...(['client', 'server', 'port', 'protocol', 'start_us', 'outcome', 'marks', 'bytesUp', 'bytesDown'] as const),
]

export interface Span {
  from_us: number
  to_us: number
}

/** Numbers of the two windows. */
export const before = 0
export const after = 1
type Which = typeof before | typeof after

/** Connections, and their bytes out of the client and back, in each window. */
export interface Counts {
  connections: number
  bytesUp: number
  bytesDown: number
  first_us: number
}

const noCounts = (): Counts => ({ connections: 0, bytesUp: 0, bytesDown: 0, first_us: Number.POSITIVE_INFINITY })

/** Attempts that were not answered. */
export interface Attempts {
  rejected: number
  refused: number
  unanswered: number
}

/** A service of one of the own hosts: what clients outside, or inside, got from it. */
export interface ServiceUse {
  server: number
  protocol: number
  port: number
  isOutside: boolean
  clients: [number, number]
  counts: [Counts, Counts]
  /** Filled in by the second pass where one window has no answers. */
  attempts: [Attempts, Attempts]
}

/** What an own host did in each window. */
export interface Volume {
  /** To and from hosts outside, whoever began. */
  bytesOut: [number, number]
  bytesIn: [number, number]
  /** That it began, and to how many hosts that answered. */
  connections: [number, number]
  peers: [number, number]
}

/** A host outside that was not seen in the baseline. */
export interface NewPeer extends Counts {
  host: number
  /** How many own hosts it has to do with, and the first. */
  hosts: number
  by: number
  protocol: number
  port: number
}

/** An own host that used a port, or another own host, for the first time. */
export interface NewPort extends Counts {
  host: number
  protocol: number
  port: number
  peers: number
}
export interface NewPair extends Counts {
  host: number
  peer: number
  services: { protocol: number; port: number }[]
}

export interface CompareSettings {
  hosts: number
  isInternal(host: number): boolean
  windows: readonly [Span, Span]
  /** Whether answers are recorded: without, whatever was let through counts as used. */
  hasAnswers: boolean
}

/** Most entries of a list. */
export const listMax = 1000

/** Numbers of ports and protocols in one, of a service in one. */
const portKey = (protocol: number, port: number): number => protocol * 131_072 + port
const serviceKey = (server: number, protocol: number, port: number): number =>
  server * 2 ** 27 + portKey(protocol, port)

export class Comparison {
  readonly #settings: CompareSettings
  /** By host: bit 1 where it was seen in the baseline, bit 2 in the window. */
  readonly seen: Uint8Array
  readonly volumes = new Map<number, Volume>()
  /** By audience: clients inside, outside. */
  readonly services: [Map<number, ServiceUse>, Map<number, ServiceUse>] = [new Map(), new Map()]
  /** By port: how many own hosts used it. */
  readonly #portHosts: [Map<number, number>, Map<number, number>] = [new Map(), new Map()]
  /** Connections of own hosts, in each window, of which nobody knows who began them. */
  readonly undirected: [number, number] = [0, 0]
  readonly connections: [number, number] = [0, 0]
  readonly newClients: Foremost<NewPeer>
  readonly newPorts: Foremost<NewPort>
  readonly newPairs: Foremost<NewPair>
  readonly #newPeers = new Map<number, NewPeer>()

  constructor(settings: CompareSettings) {
    const { hosts } = settings
    this.#settings = settings
    this.seen = new Uint8Array(hosts)
    const bySize = (a: Counts & { host: number }, b: Counts & { host: number }): number =>
      b.bytesUp + b.bytesDown - a.bytesUp - a.bytesDown || a.host - b.host
    this.newClients = new Foremost<NewPeer>(listMax, bySize)
    this.newPorts = new Foremost<NewPort>(listMax, (a, b) => bySize(a, b) || a.protocol - b.protocol || a.port - b.port)
    this.newPairs = new Foremost<NewPair>(listMax, (a, b) => bySize(a, b) || a.peer - b.peer)
  }

  /** First pass: who and what there was in each window. */
  note(all: CaseConnections): void {
    for (const client of clientsOf(all)) {
      for (let i = client.from; i < client.to; i++) this.#noteOne(all, i)
      this.#noteServices(all, client)
    }
  }

  /** Second pass, when the first has seen all: what is new. */
  find(all: CaseConnections): void {
    for (const run of clientsOf(all)) {
      const client = all.client[run.from]!
      const isOwn = this.#settings.isInternal(client)
      for (const service of servicesIn(all, run)) this.#noteAttempts(all, service, isOwn)
      if (isOwn) this.#findOfOwn(all, run)
      else if ((this.seen[client]! & 1) === 0) this.#findClient(all, run)
    }
  }

  /** Hosts outside that own hosts reached, and that were not seen in the baseline. */
  get newPeers(): NewPeer[] {
    return [...this.#newPeers.values()].sort((a, b) => b.bytesUp - a.bytesUp || a.host - b.host)
  }

  /** Own hosts that were seen in a window, or in either, in their order: also those that only spoke to each other. */
  get ownHosts(): number[] {
    return [...this.seen.keys()].filter(host => this.seen[host]! > 0 && this.#settings.isInternal(host))
  }

  /** How many own hosts used a port. */
  hostsOfPort(which: Which, protocol: number, port: number): number {
    return this.#portHosts[which].get(portKey(protocol, port)) ?? 0
  }

  #whichOf({ start_us }: CaseConnections, i: number): Which | null {
    const { windows } = this.#settings
    for (const which of [before, after] as const)
      if (start_us[i]! >= windows[which].from_us && start_us[i]! < windows[which].to_us) return which
    return null
  }

  /** Whether the server gave something: it answered, or was let through where no answers are recorded. */
  #isUsed({ outcome: outcomes, marks }: CaseConnections, i: number): boolean {
    if ((marks[i]! & (mark.unknownRole | mark.isError)) !== 0) return false
    return outcomes[i] === outcome.answered || (!this.#settings.hasAnswers && outcomes[i] === outcome.unanswered)
  }

  #noteOne(all: CaseConnections, i: number): void {
    const which = this.#whichOf(all, i)
    if (which === null) return
    const { isInternal } = this.#settings
    const [client, server] = [all.client[i]!, all.server[i]!]
    const [isFrom, isTo] = [isInternal(client), isInternal(server)]
    this.connections[which]++
    this.seen[client]! |= 1 << which
    this.seen[server]! |= 1 << which
    if ((all.marks[i]! & mark.unknownRole) !== 0 && (isFrom || isTo)) this.undirected[which]++
    if (isFrom) {
      const volume = this.#volume(client)
      if ((all.marks[i]! & mark.unknownRole) === 0) volume.connections[which]++
      if (!isTo) addBytes(volume, which, all.bytesUp[i]!, all.bytesDown[i]!)
    }
    if (isTo && !isFrom) addBytes(this.#volume(server), which, all.bytesDown[i]!, all.bytesUp[i]!)
  }

  #volume(host: number): Volume {
    const known = this.volumes.get(host)
    if (known !== undefined) return known
    const volume: Volume = { bytesOut: [0, 0], bytesIn: [0, 0], connections: [0, 0], peers: [0, 0] }
    this.volumes.set(host, volume)
    return volume
  }

  /** Services of own hosts that a client used; of an own client its peers and ports. */
  #noteServices(all: CaseConnections, client: Run): void {
    const { isInternal } = this.#settings
    const own = isInternal(all.client[client.from]!)
    const peers = [new Set<number>(), new Set<number>()]
    const ports = [new Set<number>(), new Set<number>()]
    for (const service of servicesIn(all, client)) {
      const [server, protocol, port] = serviceOf(all, service)
      const counts = this.#usedIn(all, service)
      for (const which of [before, after] as const) {
        if (counts[which].connections === 0) continue
        if (isInternal(server) && server !== all.client[client.from]!)
          this.#addUse(server, protocol, port, !own, which, counts[which])
        peers[which]!.add(server)
        ports[which]!.add(portKey(protocol, port))
      }
    }
    if (!own) return
    for (const which of [before, after] as const) {
      if (peers[which]!.size > 0) this.#volume(all.client[client.from]!).peers[which] = peers[which]!.size
      for (const key of ports[which]!) this.#portHosts[which].set(key, (this.#portHosts[which].get(key) ?? 0) + 1)
    }
  }

  /** Used connections of a service in each window. */
  #usedIn(all: CaseConnections, { from, to }: Run): [Counts, Counts] {
    const counts: [Counts, Counts] = [noCounts(), noCounts()]
    for (let i = from; i < to; i++) {
      const which = this.#whichOf(all, i)
      if (which !== null && this.#isUsed(all, i)) addTo(counts[which], all, i)
    }
    return counts
  }

  #addUse(server: number, protocol: number, port: number, isOutside: boolean, which: Which, counts: Counts): void {
    const uses = this.services[isOutside ? 1 : 0]
    const key = serviceKey(server, protocol, port)
    const use: ServiceUse = uses.get(key) ?? {
      ...{ server, protocol, port, isOutside, clients: [0, 0], counts: [noCounts(), noCounts()] },
      attempts: [noAttempts(), noAttempts()],
    }
    uses.set(key, use)
    use.clients[which]++
    merge(use.counts[which], counts)
  }

  /** Attempts at a service that was used in one window alone. */
  #noteAttempts(all: CaseConnections, { from, to }: Run, own: boolean): void {
    const [server, protocol, port] = serviceOf(all, { from, to })
    if (!this.#settings.isInternal(server)) return
    const use = this.services[own ? 0 : 1].get(serviceKey(server, protocol, port))
    if (use === undefined || (use.clients[before] > 0 && use.clients[after] > 0)) return
    for (let i = from; i < to; i++) {
      const which = this.#whichOf(all, i)
      if (which === null || (all.marks[i]! & mark.unknownRole) !== 0) continue
      if (all.outcome[i] === outcome.rejected) use.attempts[which].rejected++
      else if (all.outcome[i] === outcome.refused) use.attempts[which].refused++
      else if (all.outcome[i] === outcome.unanswered) use.attempts[which].unanswered++
    }
  }

  /** A client outside that was not seen in the baseline. */
  #findClient(all: CaseConnections, run: Run): void {
    const found: NewPeer = { ...noCounts(), host: all.client[run.from]!, hosts: 0, by: 0, protocol: 0, port: 0 }
    const hosts = new Set<number>()
    for (const service of servicesIn(all, run)) {
      const [server, protocol, port] = serviceOf(all, service)
      const counts = this.#usedIn(all, service)[after]
      if (counts.connections === 0 || !this.#settings.isInternal(server)) continue
      if (counts.first_us < found.first_us) Object.assign(found, { by: server, protocol, port })
      merge(found, counts)
      hosts.add(server)
    }
    found.hosts = hosts.size
    if (found.connections > 0) this.newClients.add(found)
  }

  #findOfOwn(all: CaseConnections, run: Run): void {
    const client = all.client[run.from]!
    const known = this.#knownBefore(all, run)
    const ports = new Map<number, NewPort & { servers: Set<number> }>()
    const pairs = new Map<number, NewPair>()
    const peers = new Set<number>()
    for (const service of servicesIn(all, run)) {
      const [server, protocol, port] = serviceOf(all, service)
      const counts = this.#usedIn(all, service)[after]
      if (counts.connections === 0 || server === client) continue
      if (!this.#settings.isInternal(server)) {
        if ((this.seen[server]! & 1) === 0) this.#addPeer(server, client, protocol, port, counts, peers)
      } else if (!known.peers.has(server)) {
        const pair = pairs.get(server) ?? { ...noCounts(), host: client, peer: server, services: [] }
        pairs.set(server, pair)
        merge(pair, counts)
        pair.services.push({ protocol, port })
      }
      const key = portKey(protocol, port)
      if (known.ports.has(key)) continue
      const one = ports.get(key) ?? {
        ...noCounts(),
        host: client,
        protocol,
        port,
        peers: 0,
        servers: new Set<number>(),
      }
      ports.set(key, one)
      merge(one, counts)
      one.servers.add(server)
    }
    // All is new of a host that was not there: it is told of as a new host.
    if ((this.seen[client]! & 1) === 0) return
    for (const { servers, ...one } of ports.values()) this.newPorts.add({ ...one, peers: servers.size })
    for (const pair of pairs.values()) this.newPairs.add(pair)
  }

  /** Servers and ports that a client had to do with in the baseline, used or tried. */
  #knownBefore(all: CaseConnections, { from, to }: Run): { peers: Set<number>; ports: Set<number> } {
    const known = { peers: new Set<number>(), ports: new Set<number>() }
    for (let i = from; i < to; i++) {
      if (this.#whichOf(all, i) !== before) continue
      known.peers.add(all.server[i]!)
      known.ports.add(portKey(all.protocol[i]!, all.port[i]!))
    }
    return known
  }

  /** @param peers that were counted of this client. */
  #addPeer(host: number, by: number, protocol: number, port: number, counts: Counts, peers: Set<number>): void {
    const peer = this.#newPeers.get(host) ?? { ...noCounts(), host, hosts: 0, by, protocol, port }
    this.#newPeers.set(host, peer)
    if (counts.first_us < peer.first_us) Object.assign(peer, { by, protocol, port })
    merge(peer, counts)
    if (!peers.has(host)) peer.hosts++
    peers.add(host)
  }
}

const noAttempts = (): Attempts => ({ rejected: 0, refused: 0, unanswered: 0 })

function serviceOf({ server, protocol, port }: CaseConnections, { from }: Run): [number, number, number] {
  return [server[from]!, protocol[from]!, port[from]!]
}

function addBytes({ bytesOut, bytesIn }: Volume, which: Which, out: number, back: number): void {
  bytesOut[which] += out
  bytesIn[which] += back
}

function addTo(counts: Counts, { bytesUp, bytesDown, start_us }: CaseConnections, i: number): void {
  counts.connections++
  counts.bytesUp += bytesUp[i]!
  counts.bytesDown += bytesDown[i]!
  if (start_us[i]! < counts.first_us) counts.first_us = start_us[i]!
}

function merge(into: Counts, { connections, bytesUp, bytesDown, first_us }: Counts): void {
  into.connections += connections
  into.bytesUp += bytesUp
  into.bytesDown += bytesDown
  into.first_us = Math.min(into.first_us, first_us)
}
