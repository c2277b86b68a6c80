/** The connections of a case as rules read them, and the runs that belong together. */
import { type CaseConnections, outcome } from '../conversations/connections.ts'
import { ICMP, ICMPV6 } from '../net/icmp.ts'
import { TCP } from '../net/protocols.ts'

export { type CaseConnections, mark, outcome } from '../conversations/connections.ts'

/** A packet of TCP that carries nothing: 40 bytes of IPv6, and 40 with the options of a SYN. */
const emptyBytesMax = 80

/**
 * Whether both sides spoke: of TCP more than a SYN, its repetitions and their answers. Never of ICMP, which asks and answers without an
 * agreement.
 */
export function isHeld(connections: CaseConnections, i: number): boolean {
  const { protocol, packetsUp, packetsDown, bytesUp, bytesDown } = connections
  if (connections.outcome[i] !== outcome.answered || protocol[i] === ICMP || protocol[i] === ICMPV6) return false
  const isEmpty = bytesUp[i]! <= emptyBytesMax * packetsUp[i]! && bytesDown[i]! <= emptyBytesMax * packetsDown[i]!
  return protocol[i] !== TCP || (packetsUp[i]! >= 3 && !isEmpty)
}

/** Connections from one number up to another one. */
export interface Run {
  from: number
  to: number
}

/** Of connections that rules look at: every rule goes through the same clients. */
const known = new WeakMap<CaseConnections, readonly Run[]>()

/** The runs of each client. */
export function clientsOf(all: CaseConnections): readonly Run[] {
  const runs = known.get(all) ?? clientRuns(all)
  known.set(all, runs)
  return runs
}

function clientRuns({ count, client }: CaseConnections): Run[] {
  const runs: Run[] = []
  for (let from = 0; from < count; ) {
    let to = from + 1
    while (to < count && client[to] === client[from]) to++
    runs.push({ from, to })
    from = to
  }
  return runs
}

/** The runs of each service of a run of clients: same client, protocol, server and port. */
export function servicesIn(all: CaseConnections, { from: first, to: last }: Run): readonly Run[] {
  const { client, server, port, protocol } = all
  const runs: Run[] = []
  for (let from = first; from < last; ) {
    let to = from + 1
    while (
      to < last &&
      server[to] === server[from] &&
      port[to] === port[from] &&
      protocol[to] === protocol[from] &&
      client[to] === client[from]
    )
      to++
    runs.push({ from, to })
    from = to
  }
  return runs
}
