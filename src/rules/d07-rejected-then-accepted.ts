/** D07: a client that was rejected, and then let through to the same service. */
import { noPort } from '../conversations/services.ts'
import { durationWords, utcSeconds } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, outcome, type Run, servicesIn } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import { type CaseDraft, type CaseRule, decided, distinct, sureness } from './rule.ts'
import { endText, number } from './words.ts'

const { thresholds, reasons } = decided({
  rejectedMin: [3, 'rejected attempts before it, within `windowSeconds`'],
  windowSeconds: [24 * 3600, 'how long before it a rejected attempt counts'],
  soonSeconds: [
    3600,
    'the first that is let through begins at most so long after the last rejected one, to be more than a coincidence',
  ],
  bytesHigh: [10_000, 'bytes each way from which on something was done there'],
  sourcesMin: [3, 'clients of one service that flip within `atOnceSeconds`: the rules were changed'],
  atOnceSeconds: [120, 'the time in which they flip, an interval of the log more'],
})
type Limits = typeof thresholds

export const flips: CaseRule<Limits> = {
  name: 'D07-rejected-then-accepted',
  title: 'a client that was rejected, and then let through to the same service',
  needs: { action: 'must', accepted: 'must', rejected: 'must', sizes: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1133'),
  guardDuty: [],
  scope: 'case',
  selects,
  find,
}

function selects({ connections }: CaseEvidence, { from, to }: Run, limits: Limits): boolean {
  let [rejected, answered] = [0, 0]
  for (let i = from; i < to; i++) {
    if (connections.outcome[i] === outcome.rejected) rejected++
    else if (connections.outcome[i] === outcome.answered) answered++
  }
  return answered > 0 && rejected >= limits.rejectedMin
}

interface Flip {
  service: Run
  rejected: number[]
  through: number
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections } = evidence
  /** By service: those of each client. */
  const found = new Map<string, Flip[]>()
  for (const client of clientsOf(connections)) {
    for (const service of servicesIn(connections, client)) {
      if (connections.port[service.from] === noPort) continue
      const flip = flipOf(evidence, service, limits)
      if (flip === null) continue
      const { server, port, protocol } = connections
      const key = [server, port, protocol].map(column => column[service.from]).join(' ')
      const known = found.get(key)
      if (known === undefined) found.set(key, [flip])
      else known.push(flip)
    }
  }
  return [...found.values()].flatMap(some => draftsOf(evidence, some, limits))
}

/** The first connection that was let through after enough rejected ones. A service that was reached before is no news. */
function flipOf({ connections }: CaseEvidence, service: Run, limits: Limits): Flip | null {
  const { start_us } = connections
  const rejected: number[] = []
  for (let i = service.from; i < service.to; i++) {
    if (connections.outcome[i] === outcome.rejected) rejected.push(i)
    else if (connections.outcome[i] === outcome.answered) {
      const near = rejected.filter(one => start_us[i]! - start_us[one]! <= limits.windowSeconds * 1e6)
      return near.length >= Math.max(limits.rejectedMin, 1) ? { service, rejected: near, through: i } : null
    }
  }
  return null
}

/** One finding for each client; one for all of them where they flip at once. */
function draftsOf(evidence: CaseEvidence, some: readonly Flip[], limits: Limits): CaseDraft[] {
  const { start_us } = evidence.connections
  // What happens at once may lie in two intervals of the log.
  const atOnce_us = limits.atOnceSeconds * 1e6 + evidence.interval_us
  const inTime = [...some].sort((a, b) => start_us[a.through]! - start_us[b.through]! || a.through - b.through)
  const drafts: CaseDraft[] = []
  for (let from = 0; from < inTime.length; ) {
    let to = from + 1
    const begin = start_us[inTime[from]!.through]!
    while (to < inTime.length && start_us[inTime[to]!.through]! - begin <= atOnce_us) to++
    const together = inTime.slice(from, to)
    if (together.length >= limits.sourcesMin) drafts.push(draft(evidence, together, true, limits))
    else for (const flip of together) drafts.push(draft(evidence, [flip], false, limits))
    from = to
  }
  return drafts
}

function draft(evidence: CaseEvidence, some: readonly Flip[], isChange: boolean, limits: Limits): CaseDraft {
  const { connections, address } = evidence
  const { start_us, bytesUp, bytesDown } = connections
  const [{ rejected, through }] = some as readonly [Flip]
  const on = distinct(some.flatMap(one => [...one.rejected, one.through]))
  const [server, port] = [connections.server[through]!, connections.port[through]!]
  const clients = distinct(some.map(one => connections.client[one.through]!))
  const target = endText(evidence, server, port)
  const gap_us = start_us[through]! - start_us[rejected.at(-1)!]!
  const isMuch = bytesUp[through]! >= limits.bytesHigh && bytesDown[through]! >= limits.bytesHigh
  const isSoon = gap_us <= limits.soonSeconds * 1e6
  return {
    title: isChange
      ? `The rules for ${target} were changed: ${number(clients.length)} clients are let through at once`
      : `${target} rejected ${address(clients[0]!)}, then let it through`,
    severity: isChange ? 'info' : isMuch ? 'high' : isSoon ? 'medium' : 'low',
    confidence: sureness('medium', evidence, on),
    tactic: 'initial-access',
    ...technique('T1133'),
    summary: `${target} rejected ${number(rejected.length)} attempts of ${address(connections.client[through]!)} until ${utcSeconds(start_us[rejected.at(-1)!]!)}, and answered at ${utcSeconds(start_us[through]!)}, ${durationWords(gap_us / 1e6)} later: ${number(bytesUp[through]!)} bytes there, ${number(bytesDown[through]!)} back.`,
    scores: [
      { name: 'rejected attempts before', value: rejected.length, threshold: `>= ${limits.rejectedMin}` },
      {
        name: 'seconds until it was let through',
        value: Math.round(gap_us / 1e6),
        threshold: `<= ${limits.soonSeconds} for medium`,
      },
      { name: 'clients that are let through at once', value: some.length, threshold: `< ${limits.sourcesMin}` },
    ],
    would_change: 'an answer before the rejections, or other clients that are let through at the same moment',
    counter_hypotheses: [
      'a rule that was opened on purpose: CloudTrail has AuthorizeSecurityGroupIngress at that minute',
      'a network ACL that rejected answers, ports that were used again',
      'a deployment, or a change of the targets of a load balancer',
    ],
    ...{ subject: [server], peers: clients, connections: on },
  }
}
