/** The connections of a case as rules read them, and the runs that belong together. */
import type { CaseConnections } from '../conversations/connections.ts'

export { type CaseConnections, mark, outcome } from '../conversations/connections.ts'
export { isHeld } from '../conversations/host-facts.ts'

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
