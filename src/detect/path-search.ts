/**
 * Whom a host reached: connections followed forward in time.
 *
 * A host is reached at the time t if there is a chain of answered connections from the first host to it, of which each begins at or after
 * the time at which its client was reached, and the last one at t. Of all chains within the limit of hops the one that arrives first
 * counts, not the one with the fewest hops. Rounds: the n-th one knows the earliest arrival over chains of n connections at most, so that the
 * limit is exact: a host that is reached early over many hops, and later over few, is followed from the later time where only that one leaves
 * hops over.
 */
import { type CaseConnections, mark, outcome, type Run } from '../rules/connections.ts'

/** Connections of one client, in the order of `CaseConnections`. */
export interface Stretch extends Run {
  connections: CaseConnections
}

/** Where connections are looked up. Nothing is asked of clients that are not followed. */
export interface ConnectionSource {
  /** Those that a client began, with their columns of steps: client, server, start, outcome, marks; null where it began none. */
  stepsOf(client: number): Stretch | null
  /** The same, with all columns. */
  connectionsOf(client: number): Stretch | null
  /** All that may have no role: nobody knows who began them, so that they stand under either end. Others may be among them. */
  withoutRoles(): Iterable<Stretch>
}

/** A connection that reached a host, out of its columns. */
export interface Step {
  protocol: number
  port: number
  start_us: number
  end_us: number
  bytesUp: number
  bytesDown: number
  packetsUp: number
  packetsDown: number
  confidence: number
  place: number
}

/** A host, and the one before it on the chain that reached it first. */
export interface Arrival {
  host: number
  at_us: number
  /** Length of the chain. */
  hop: number
  /** Null of the first host. */
  by: Arrival | null
}

export interface SearchLimits {
  hops: number
  /** Whether the connections that a host began are followed, beside those of the first. `by`: who reached it. */
  follows(host: number, by: number): boolean
  /** Whether a host that is connected to is one to reach: those outside are leaves, and not part of the search. */
  isTarget(host: number): boolean
  /** By how much a connection must begin after its client was reached, microseconds. */
  margin_us: number
  /** The same for the connections of the first host. */
  firstMargin_us: number
}

export interface Reached {
  /** By host, the first among them: the earliest arrival. */
  arrivals: Map<number, Arrival>
  /** By host: from when on its connections were followed. Neither those at the last hop are in it, nor those that are not followed. */
  followedFrom_us: Map<number, number>
}

/** Whether a connection may carry the one who came over the client: it was answered, and it is known who began it. */
export function isStep({ outcome: outcomes, marks, client, server }: CaseConnections, i: number): boolean {
  return (
    outcomes[i] === outcome.answered && (marks[i]! & (mark.unknownRole | mark.isError)) === 0 && client[i] !== server[i]
  )
}

export function reachedFrom(source: ConnectionSource, first: number, at_us: number, limits: SearchLimits): Reached {
  const start: Arrival = { host: first, at_us, hop: 0, by: null }
  const arrivals = new Map([[first, start]])
  const followedFrom_us = new Map<number, number>()
  let improved = [start]
  for (let round = 0; round < limits.hops && improved.length > 0; round++) {
    const found = new Map<number, Arrival>()
    for (const arrival of improved) {
      if (arrival.by !== null && !limits.follows(arrival.host, arrival.by.host)) continue
      followedFrom_us.set(arrival.host, arrival.at_us)
      const margin_us = arrival.host === first ? limits.firstMargin_us : limits.margin_us
      const stretch = source.stepsOf(arrival.host)
      if (stretch !== null) follow(stretch, arrival, arrival.at_us + margin_us, limits, arrivals, found)
    }
    // In the order of clients, as their connections are kept.
    improved = [...found.values()].sort((a, b) => a.host - b.host)
    for (const arrival of improved) arrivals.set(arrival.host, arrival)
  }
  return { arrivals, followedFrom_us }
}

/** Notes whom a client reached earlier than all known. Clients come in their order: of several at one time that of the first counts, of its own the first in order. */
function follow(
  { connections, from, to }: Stretch,
  by: Arrival,
  from_us: number,
  { isTarget }: SearchLimits,
  arrivals: ReadonlyMap<number, Arrival>,
  found: Map<number, Arrival>,
): void {
  const { server, start_us } = connections
  for (let i = from; i < to; i++) {
    const at_us = start_us[i]!
    if (at_us < from_us || !isStep(connections, i)) continue
    const host = server[i]!
    if (!isTarget(host)) continue
    const known = arrivals.get(host)
    if (known !== undefined && known.at_us <= at_us) continue
    const other = found.get(host)
    if (other !== undefined && other.at_us <= at_us) continue
    found.set(host, { host, at_us, hop: by.hop + 1, by })
  }
}

export function stepOf(all: CaseConnections, i: number): Step {
  return {
    protocol: all.protocol[i]!,
    port: all.port[i]!,
    start_us: all.start_us[i]!,
    end_us: all.end_us[i]!,
    bytesUp: all.bytesUp[i]!,
    bytesDown: all.bytesDown[i]!,
    packetsUp: all.packetsUp[i]!,
    packetsDown: all.packetsDown[i]!,
    confidence: all.confidence[i]!,
    place: all.place[i]!,
  }
}
