/** D01: a host that sends ICMP to many others at once. */
import { ICMP, ICMPV6 } from '../net/icmp.ts'
import { durationWords } from '../net/time.ts'
import { techniques } from './attack.ts'
import { type CaseConnections, mark, outcome, type Run } from './connections.ts'
import { type CaseEvidence, isAtLeast } from './evidence.ts'
import { distinctWithin, grouped } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, sureness } from './rule.ts'
import { benignScans, isBegun, scanTechnique } from './scanning.ts'
import { number } from './words.ts'

const { thresholds, reasons } = decided({
  targetsMin: [10, 'hosts that were sent ICMP within the window, and that it has no other traffic with'],
  windowSeconds: [60, 'the window: more than a ping here and there'],
})
type Limits = typeof thresholds

export const icmpSweep: CaseRule<Limits> = {
  name: 'D01-icmp-sweep',
  title: 'ICMP to many hosts at once',
  needs: { rejected: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1018', 'T1595.001'),
  guardDuty: ['Recon:EC2/Portscan'],
  scope: 'case',
  ofSubject: { thresholds: {}, reasons: {}, concerns: isBegun },
  selects,
  find,
}

/** All connections of hosts that speak ICMP with several: what else they do tells a sweep from the errors of their other traffic. */
function selects({ connections, icmpPeers }: CaseEvidence, { from }: Run, limits: Limits): boolean {
  const [client, server] = [connections.client[from]!, connections.server[from]!]
  return [client, server].some(host => isAtLeast(icmpPeers(host), limits.targetsMin))
}

interface Sweep {
  most: number
  connections: number[]
}

/** Hosts that send ICMP to many others at once. Of two that only exchange ICMP, logs do not always tell who began. */
function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections } = evidence
  const { client, server, protocol, marks, start_us, count } = connections
  const events = new Map<number, number[]>()
  const note = (host: number, i: number): void => {
    const known = events.get(host)
    if (known === undefined) events.set(host, [i])
    else known.push(i)
  }
  for (let i = 0; i < count; i++) {
    if ((protocol[i] !== ICMP && protocol[i] !== ICMPV6) || (marks[i]! & mark.isError) !== 0) continue
    note(client[i]!, i)
    if ((marks[i]! & mark.unknownRole) !== 0) note(server[i]!, i)
  }
  const other = (host: number, i: number): number => (client[i] === host ? server[i]! : client[i]!)
  const many = [...events].filter(([host, some]) => new Set(some.map(i => other(host, i))).size >= limits.targetsMin)
  const spoken = spokenWith(connections, new Set(many.map(([host]) => host)))
  return many
    .sort(([a], [b]) => a - b)
    .flatMap(([host, all]) => {
      const some = all.filter(i => !spoken.get(host)!.has(other(host, i)))
      some.sort((a, b) => start_us[a]! - start_us[b]! || a - b)
      // Errors repeat what they are about, and differ in size; a sweep sends the same to all.
      const bySize = grouped(some, i => sizeOf(connections, i))
      const shapes = [...bySize.values()].flatMap((alike): Sweep[] => {
        const times = alike.map(i => start_us[i]!)
        const keys = alike.map(i => other(host, i))
        const crowded = distinctWithin(times, keys, limits.windowSeconds * 1e6, limits.targetsMin)
        return crowded === null ? [] : [{ most: crowded.most, connections: crowded.events.map(event => alike[event]!) }]
      })
      return shapes.length === 0 ? [] : [sweep(evidence, host, shapes, other, limits)]
    })
}

/** The peers of some hosts that they have other traffic with than ICMP. */
function spokenWith(
  { client, server, protocol, count }: CaseConnections,
  hosts: ReadonlySet<number>,
): Map<number, Set<number>> {
  const spoken = new Map([...hosts].map(host => [host, new Set<number>()]))
  for (let i = 0; i < count; i++) {
    if (protocol[i] === ICMP || protocol[i] === ICMPV6) continue
    spoken.get(client[i]!)?.add(server[i]!)
    spoken.get(server[i]!)?.add(client[i]!)
  }
  return spoken
}

/** Bytes of a packet, on average. */
function sizeOf({ bytesUp, packetsUp, bytesDown, packetsDown }: CaseConnections, i: number): number {
  return packetsUp[i]! > 0 ? bytesUp[i]! / packetsUp[i]! : bytesDown[i]! / packetsDown[i]!
}

function sweep(
  evidence: CaseEvidence,
  host: number,
  shapes: readonly Sweep[],
  other: (host: number, i: number) => number,
  limits: Limits,
): CaseDraft {
  const on = distinct(shapes.flatMap(one => one.connections))
  const most = Math.max(...shapes.map(one => one.most))
  const targets = distinct(on.map(i => other(host, i)))
  const answered = on.filter(i => evidence.connections.outcome[i] === outcome.answered).length
  const isInside = evidence.isInternal(host)
  const window = durationWords(limits.windowSeconds)
  return {
    title: `ICMP sweep of ${number(targets.length)} hosts`,
    severity: evidence.isScanner(host) ? 'info' : isInside ? 'medium' : answered > 0 ? 'low' : 'info',
    confidence: sureness('medium', evidence, on),
    ...scanTechnique(evidence, host, 'T1018'),
    summary: `${evidence.address(host)} exchanged ICMP with ${number(targets.length)} hosts that it has no other traffic with, up to ${number(most)} within ${window}; ${number(answered)} answered.`,
    scores: [{ name: `hosts within ${window}`, value: most, threshold: `>= ${limits.targetsMin}` }],
    would_change: `fewer than ${limits.targetsMin} such hosts in any ${window}`,
    counter_hypotheses: benignScans,
    ...{ subject: [host], peers: targets, connections: on },
  }
}
