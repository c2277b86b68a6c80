/** What the hosts of a path did from the time on from which they are followed: edges between them, whom they reached outside, what they tried in vain. */
import { type CaseConnections, mark, outcome, type Run, servicesIn } from '../rules/connections.ts'
import type { CaseEvidence } from '../rules/evidence.ts'
import { Foremost } from './foremost.ts'
import { type Leaf, Leaves } from './path-leaves.ts'
import {
  type Arrival,
  type ConnectionSource,
  isStep,
  type Reached,
  type Step,
  type Stretch,
  stepOf,
} from './path-search.ts'

/** Connections of a host to one service of another one, from the time on from which it is followed. */
export interface Edge {
  client: number
  server: number
  protocol: number
  port: number
  /** The first that was answered. */
  first: Step
  /** Answered connections, and the others. */
  connections: number
  others: { rejected: number; refused: number; unanswered: number }
  bytesUp: number
  bytesDown: number
  /** Sum of how long they lasted, each by itself. */
  busy_us: number
  last_us: number
  /** Answered connections of the same ends and service that began before the time from which the client is followed. */
  earlier: number
  /** Whether the first connection of these ends and service comes after the warm-up; null where the first step lies within it. */
  isNew: boolean | null
  isUncertain: boolean
}

/** Connections that were not answered, from the time on from which the host is followed. */
export interface Tried {
  connections: number
  hosts: number
}

/** Connections between a host that was reached and another one, of which nobody knows who began them. */
export interface Undirected {
  host: number
  peer: number
  connections: number
  bytes: number
  first_us: number
  last_us: number
}

/** A host that would have been reached if connections that began before their client was reached had begun a little later. */
export interface Maybe {
  host: number
  by: number
  step: Step
  /** By how much it began too early. */
  early_us: number
}

export interface PathEdges {
  /** By host, the first apart: the connection that reached it. */
  steps: Map<number, Step>
  edges: Foremost<Edge>
  /** Those that were sent most. */
  outside: Leaf[]
  outsideTotal: number
  tried: Map<number, Tried>
  undirected: Foremost<Undirected>
  undirectedConnections: number
  maybes: Foremost<Maybe>
}

export interface EdgeSettings {
  first: number
  /** Within that time, microseconds, the order of two starts is not known; the second one of the connections of the first host. */
  margin_us: number
  firstMargin_us: number
  /** When the warm-up ends: what is first seen later is new. */
  warm_us: number
  edgesMax: number
  hostsMax: number
}

type Given = Pick<CaseEvidence, 'isInternal' | 'hosts'>

export function edgesOf(
  source: ConnectionSource,
  evidence: Given,
  reached: Reached,
  settings: EdgeSettings,
): PathEdges {
  const { edgesMax, hostsMax } = settings
  const found: PathEdges = {
    steps: new Map(),
    edges: new Foremost(edgesMax, byTime),
    ...{ outside: [], outsideTotal: 0 },
    tried: new Map(),
    undirected: new Foremost<Undirected>(hostsMax, (a, b) => b.bytes - a.bytes || a.host - b.host || a.peer - b.peer),
    undirectedConnections: 0,
    maybes: new Foremost<Maybe>(hostsMax, (a, b) => a.early_us - b.early_us || a.host - b.host),
  }
  const leaves = new Leaves(evidence.hosts)
  const maybes = new Map<number, Maybe>()
  const reachedBy = new Map<number, Arrival[]>()
  for (const arrival of reached.arrivals.values()) {
    const by = arrival.by?.host
    if (by === undefined) continue
    const some = reachedBy.get(by)
    if (some === undefined) reachedBy.set(by, [arrival])
    else some.push(arrival)
  }
  const clients = [...reached.followedFrom_us].sort(([a], [b]) => a - b)
  for (const [client, from_us] of clients) {
    const stretch = source.connectionsOf(client)
    if (stretch === null) continue
    const margin_us = client === settings.first ? settings.firstMargin_us : settings.margin_us
    const when: When = { from_us, margin_us, warm_us: settings.warm_us }
    for (const service of servicesIn(stretch.connections, stretch)) {
      const isInside = evidence.isInternal(stretch.connections.server[service.from]!)
      if (isInside) addService(found, maybes, reached, stretch.connections, service, when)
      else leaves.add(stretch.connections, service, from_us, from_us + margin_us)
    }
    found.tried.set(client, triedBy(stretch, from_us))
    addSteps(found.steps, stretch, reachedBy.get(client) ?? [])
  }
  found.outside = leaves.largest(hostsMax)
  found.outsideTotal = leaves.count
  for (const maybe of maybes.values()) found.maybes.add(maybe)
  addUndirected(found, source, evidence, reached)
  return found
}

/** The connections that made arrivals of a client's: the first in order that begins then. */
function addSteps(steps: Map<number, Step>, { connections, from, to }: Stretch, arrivals: readonly Arrival[]): void {
  const wanted = new Map(arrivals.map(({ host, at_us }) => [host, at_us]))
  for (let i = from; i < to; i++) {
    const host = connections.server[i]!
    if (connections.start_us[i] !== wanted.get(host) || steps.has(host) || !isStep(connections, i)) continue
    steps.set(host, stepOf(connections, i))
  }
}

const byTime = (a: Edge, b: Edge): number =>
  a.first.start_us - b.first.start_us ||
  a.client - b.client ||
  a.server - b.server ||
  a.protocol - b.protocol ||
  a.port - b.port

interface When {
  from_us: number
  margin_us: number
  warm_us: number
}

/** A service of an internal host. */
function addService(
  found: PathEdges,
  maybes: Map<number, Maybe>,
  { arrivals }: Reached,
  all: CaseConnections,
  run: Run,
  when: When,
): void {
  const server = all.server[run.from]!
  const edge = edgeOf(all, run, when)
  if (edge !== null) found.edges.add(edge)
  if (arrivals.has(server)) return
  const maybe = justBefore(all, run, when)
  const known = maybes.get(server)
  if (maybe !== null && (known === undefined || maybe.early_us < known.early_us)) maybes.set(server, maybe)
}

/** Null where none of the connections is a step. */
function edgeOf(all: CaseConnections, { from, to }: Run, { from_us, margin_us, warm_us }: When): Edge | null {
  const { start_us, end_us } = all
  const numbers = { connections: 0, bytesUp: 0, bytesDown: 0, busy_us: 0, last_us: 0, earlier: 0 }
  const others = { rejected: 0, refused: 0, unanswered: 0 }
  let first = -1
  for (let i = from; i < to; i++) {
    const isAnswered = isStep(all, i)
    if (start_us[i]! < from_us) {
      if (isAnswered) numbers.earlier++
      continue
    }
    if (!isAnswered) {
      count(others, all, i)
      continue
    }
    if (first < 0) first = i
    numbers.connections++
    numbers.bytesUp += all.bytesUp[i]!
    numbers.bytesDown += all.bytesDown[i]!
    numbers.busy_us += end_us[i]! - start_us[i]!
    numbers.last_us = Math.max(numbers.last_us, end_us[i]!)
  }
  if (first < 0) return null
  return {
    ...{ client: all.client[from]!, server: all.server[from]!, protocol: all.protocol[from]!, port: all.port[from]! },
    ...{ first: stepOf(all, first), ...numbers, others },
    isNew: start_us[first]! < warm_us ? null : start_us[from]! >= warm_us,
    isUncertain: start_us[first]! < from_us + margin_us,
  }
}

function count(others: Edge['others'], { outcome: outcomes, marks }: CaseConnections, i: number): void {
  if ((marks[i]! & mark.unknownRole) !== 0) return
  if (outcomes[i] === outcome.rejected) others.rejected++
  else if (outcomes[i] === outcome.refused) others.refused++
  else if (outcomes[i] === outcome.unanswered) others.unanswered++
}

/** The last answered connection that began so shortly before its client was reached that the order of the two cannot be told. */
function justBefore(all: CaseConnections, { from, to }: Run, { from_us, margin_us }: When): Maybe | null {
  for (let i = to - 1; i >= from; i--) {
    const start_us = all.start_us[i]!
    if (start_us >= from_us || start_us <= from_us - margin_us || !isStep(all, i)) continue
    return { host: all.server[i]!, by: all.client[i]!, step: stepOf(all, i), early_us: from_us - start_us }
  }
  return null
}

function triedBy({ connections, from, to }: Stretch, from_us: number): Tried {
  const { start_us, outcome: outcomes, marks, server } = connections
  const hosts = new Set<number>()
  let tried = 0
  for (let i = from; i < to; i++) {
    if (start_us[i]! < from_us || outcomes[i] === outcome.answered || (marks[i]! & mark.unknownRole) !== 0) continue
    tried++
    hosts.add(server[i]!)
  }
  return { connections: tried, hosts: hosts.size }
}

function addUndirected(found: PathEdges, source: ConnectionSource, { hosts }: Given, { arrivals }: Reached): void {
  const pairs = new Map<number, Undirected>()
  for (const { connections: all, from, to } of source.withoutRoles()) {
    for (let i = from; i < to; i++) {
      if ((all.marks[i]! & mark.unknownRole) === 0) continue
      const [client, server] = [all.client[i]!, all.server[i]!]
      const isOf = (host: number): boolean =>
        (arrivals.get(host)?.at_us ?? Number.POSITIVE_INFINITY) <= all.start_us[i]!
      const ends = [...(isOf(client) ? [[client, server]] : []), ...(isOf(server) ? [[server, client]] : [])]
      if (ends.length > 0) found.undirectedConnections++
      for (const [host, peer] of ends) {
        const key = host! * hosts + peer!
        const known = pairs.get(key) ?? {
          ...{ host: host!, peer: peer!, connections: 0, bytes: 0 },
          ...{ first_us: Number.POSITIVE_INFINITY, last_us: 0 },
        }
        pairs.set(key, known)
        known.connections++
        known.bytes += all.bytesUp[i]! + all.bytesDown[i]!
        known.first_us = Math.min(known.first_us, all.start_us[i]!)
        known.last_us = Math.max(known.last_us, all.end_us[i]!)
      }
    }
  }
  for (const pair of pairs.values()) found.undirected.add(pair)
}
