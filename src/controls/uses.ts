/** The connections of protected hosts summed by client and service: what rules are made of. */
import { type CaseConnections, mark, outcome } from '../conversations/connections.ts'
import { noPort, noProtocol } from '../conversations/services.ts'
import { hasPorts, TCP } from '../net/protocols.ts'
import { guessLimits } from '../rules/guessing.ts'
import type { ProtectedTraffic } from './protected.ts'

/** Connections of a client with a service of a server, together. */
export interface Use {
  client: number
  server: number
  /** Null: none, or not known. */
  port: number | null
  protocol: number | null
  isAttack: boolean
  /** It is not clear who began them, or which service they are of: no rule is made of them. */
  isUnclear: boolean
  /** All that were tried. */
  attempts: number
  /** Those that were let through and used: of TCP the answered ones, where the records show answers. Bytes of both directions. */
  connections: number
  bytes: number
  /** Those of them that were answered; all, where the records show no answers. */
  served: number
  /** Those of the served ones that began before the incident. */
  servedBefore: number
  /** Those of them in which somebody worked (`isSession`); and how many began before the incident. */
  sessions: number
  sessionsBefore: number
  /** When the first one begins, microseconds; infinite where no record tells. */
  first_us: number
}

/** Least packets of the client in a session: fewer are a look, or a guess at a password. */
const sessionPacketsMin = 20
/** And it lasts longer than a guess may, or has more packets than guesses have. */
const sessionSeconds = 60
const workPackets = guessLimits.packetsMax[0]

/** Whether somebody worked in it: answered, and no failed guess at a password by its packets and duration. */
function isSession(all: CaseConnections, i: number, interval_us: number): boolean {
  if (all.outcome[i] !== outcome.answered || all.packetsUp[i]! < sessionPacketsMin) return false
  // A record's times are those of its interval: so much of a duration may be that of the log.
  const isLong = all.end_us[i]! - all.start_us[i]! > sessionSeconds * 1e6 + interval_us
  return isLong || all.packetsUp[i]! > workPackets
}

/** In words, for what is told of it. */
export const sessionText = `answered, ${sessionPacketsMin} packets of the client or more, and longer than ${sessionSeconds} s or more than ${workPackets} packets`

/** In the order of client, server, protocol and port, whatever that of the connections is. ICMP errors are of other connections, and in none. */
export function usesOf(traffic: ProtectedTraffic): Use[] {
  const runs: Use[] = []
  const hasAnswers = traffic.pieces.some(({ connections }) => connections.outcome.some(one => one === outcome.answered))
  for (const { connections, attack } of traffic.pieces) {
    if (connections.count > 0 && connections.packetsUp.length === 0)
      throw new Error('connections without their packets')
    let run: Use | null = null
    for (let i = 0; i < connections.count; i++) {
      if ((connections.marks[i]! & mark.isError) !== 0) continue
      const isAttack = attack[i] === 1
      const isUnclear = isUnclearAt(connections, i)
      if (run === null || !isOf(run, connections, i, isAttack, isUnclear)) {
        run = useOf(connections, i, isAttack, isUnclear)
        runs.push(run)
      }
      count(run, connections, i, traffic, hasAnswers)
    }
  }
  return merged(runs)
}

/** Runs of the same use together. As connections are kept they are in order, and most runs are a use. */
function merged(runs: Use[]): Use[] {
  if (runs.some((run, i) => i > 0 && compareUses(runs[i - 1]!, run) > 0)) runs.sort(compareUses)
  const uses: Use[] = []
  for (const run of runs) {
    const last = uses.at(-1)
    if (last === undefined || compareUses(last, run) !== 0) {
      uses.push(run)
      continue
    }
    for (const name of sums) last[name] += run[name]
    last.first_us = Math.min(last.first_us, run.first_us)
  }
  return uses
}

const sums = ['attempts', 'connections', 'bytes', 'served', 'servedBefore', 'sessions', 'sessionsBefore'] as const

/** Uses by the protected host at an end. */
export function usesBy(
  { isProtected }: Pick<ProtectedTraffic, 'isProtected'>,
  uses: readonly Use[],
  end: 'client' | 'server',
): (hosts: readonly number[]) => Use[] {
  const by = new Map<number, Use[]>()
  for (const use of uses) {
    if (!isProtected(use[end])) continue
    const some = by.get(use[end])
    if (some === undefined) by.set(use[end], [use])
    else some.push(use)
  }
  return hosts => hosts.flatMap(host => by.get(host) ?? [])
}

/** Whether it is not clear who began it, or which service it is of. */
export function isUnclearAt({ marks, protocol, port, clientPort }: CaseConnections, i: number): boolean {
  if ((marks[i]! & mark.unknownRole) !== 0 || protocol[i] === noProtocol) return true
  if (!hasPorts(protocol[i]!)) return false
  // From 443 to 40000: the ends may well be the other way round, as where nobody recorded the beginning.
  return port[i] === noPort || (clientPort[i]! < 1024 && port[i]! >= ephemeralMin)
}

/** From here on are the ports that Linux and Windows give to clients. */
const ephemeralMin = 32_768

function isOf(use: Use, all: CaseConnections, i: number, isAttack: boolean, isUnclear: boolean): boolean {
  return (
    use.client === all.client[i] &&
    use.server === all.server[i] &&
    use.port === portAt(all, i) &&
    use.protocol === protocolAt(all, i) &&
    use.isAttack === isAttack &&
    use.isUnclear === isUnclear
  )
}

function portAt({ port }: CaseConnections, i: number): number | null {
  return port[i] === noPort ? null : port[i]!
}

function protocolAt({ protocol }: CaseConnections, i: number): number | null {
  return protocol[i] === noProtocol ? null : protocol[i]!
}

function useOf(all: CaseConnections, i: number, isAttack: boolean, isUnclear: boolean): Use {
  return {
    client: all.client[i]!,
    server: all.server[i]!,
    port: portAt(all, i),
    protocol: protocolAt(all, i),
    isAttack,
    isUnclear,
    attempts: 0,
    connections: 0,
    bytes: 0,
    served: 0,
    servedBefore: 0,
    sessions: 0,
    sessionsBefore: 0,
    first_us: Number.POSITIVE_INFINITY,
  }
}

function count(use: Use, all: CaseConnections, i: number, traffic: ProtectedTraffic, hasAnswers: boolean): void {
  use.attempts++
  use.first_us = Math.min(use.first_us, all.start_us[i]!)
  if (all.outcome[i] === outcome.rejected) return
  if (hasAnswers && use.protocol === TCP && all.outcome[i] !== outcome.answered) return
  use.connections++
  use.bytes += all.bytesUp[i]! + all.bytesDown[i]!
  const isServed = !hasAnswers || all.outcome[i] === outcome.answered
  const isEarly = traffic.incident === null || all.start_us[i]! < traffic.incident.from_us
  if (isServed) use.served++
  if (isServed && isEarly) use.servedBefore++
  if (!isSession(all, i, traffic.interval_us)) return
  use.sessions++
  if (isEarly) use.sessionsBefore++
}

export function compareUses(a: Use, b: Use): number {
  return (
    a.client - b.client ||
    a.server - b.server ||
    (a.protocol ?? -1) - (b.protocol ?? -1) ||
    (a.port ?? -1) - (b.port ?? -1) ||
    Number(a.isAttack) - Number(b.isAttack) ||
    Number(a.isUnclear) - Number(b.isUnclear)
  )
}
