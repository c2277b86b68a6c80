/** D05: one of our hosts that begins to administer many of the others. */
import { TCP } from '../net/protocols.ts'
import { durationWords, utcSeconds } from '../net/time.ts'
import { clientsOf, mark, outcome, type Run } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import type { Severity } from './finding.ts'
import { administrativePorts, noveltyLimits, remoteServices, techniqueOf } from './lateral.ts'
import { distinctWithin, grouped } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, namesText, sureness } from './rule.ts'
import { warm_us, warmUp } from './warm-up.ts'
import { nameText, number } from './words.ts'

const { thresholds, reasons } = decided({
  adminPorts: [administrativePorts, 'ports by which a host is administered, its files or its data are reached'],
  remoteWorkPorts: [
    [22, 135, 139, 445, 3389, 5985, 5986],
    'those by which programs can be run on it: high severity, else medium',
  ],
  peersMin: [8, 'internal hosts that it had no session with before, within the window'],
  windowSeconds: [3600, 'the window'],
  knownTimes: [
    3,
    'and times the number of those that it had sessions with before: who administers many finds more of them',
  ],
  packetsMin: [4, 'client packets of a session: fewer are a look at what is there'],
  visits: [4, 'how often a poller comes to a host, `visitSeconds` apart'],
  visitSeconds: [600, 'how often a poller comes to a host, `visitSeconds` apart'],
  visitedShare: [0.6, 'and to what share of the new hosts it comes so often'],
  ...warmUp,
})
type Limits = typeof thresholds

export const fanOut: CaseRule<Limits> = {
  name: 'D05-admin-fan-out',
  title: 'a host of yours that begins to administer many others',
  needs: { accepted: 'must', answers: 'must', inside: 'must', sizes: 'must', flags: 'better' },
  thresholds,
  reasons,
  attack: remoteServices,
  guardDuty: [],
  scope: 'client',
  limitsOf: noveltyLimits,
  find,
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal } = evidence
  const from_us = warm_us(evidence, limits)
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(connections)) {
    if (!isInternal(connections.client[client.from]!)) continue
    const sessions = sessionsOf(evidence, client, limits)
    if (sessions.length < limits.peersMin) continue
    const { start_us, server } = connections
    const peers = [...grouped(sessions, i => server[i]!).values()]
    const fresh = peers.filter(([first]) => start_us[first!]! >= from_us)
    const known = peers.length - fresh.length
    const least = Math.max(limits.peersMin, limits.knownTimes * known)
    const crowded = distinctWithin(
      fresh.map(([first]) => start_us[first!]!),
      fresh.map(([first]) => server[first!]!),
      limits.windowSeconds * 1e6,
      least,
    )
    if (crowded === null) continue
    const found = crowded.events.map(event => fresh[event]!)
    drafts.push(draft(evidence, found, { known, most: crowded.most, least }, limits))
  }
  return drafts
}

/** Sessions of a client with internal hosts on ports of administration, in order of time. */
function sessionsOf({ connections, isInternal }: CaseEvidence, { from, to }: Run, limits: Limits): number[] {
  const { protocol, port, server, client, start_us } = connections
  const some: number[] = []
  for (let i = from; i < to; i++) {
    if (protocol[i] !== TCP || connections.outcome[i] !== outcome.answered) continue
    if (connections.packetsUp[i]! < limits.packetsMin || !limits.adminPorts.includes(port[i]!)) continue
    if ((connections.marks[i]! & mark.unknownRole) !== 0 || server[i] === client[i] || !isInternal(server[i]!)) continue
    some.push(i)
  }
  return some.sort((a, b) => start_us[a]! - start_us[b]! || a - b)
}

/** Whether it comes to most of them again and again, as monitors and what keeps settings do. */
function isPoller({ connections }: CaseEvidence, found: readonly number[][], limits: Limits): boolean {
  const { start_us } = connections
  const visited = found.filter(sessions => {
    let [visits, last_us] = [0, Number.NEGATIVE_INFINITY]
    for (const i of sessions) {
      if (start_us[i]! - last_us < limits.visitSeconds * 1e6) continue
      visits++
      last_us = start_us[i]!
    }
    return visits >= limits.visits
  })
  return visited.length >= limits.visitedShare * found.length
}

interface Counted {
  known: number
  most: number
  least: number
}

function draft(
  evidence: CaseEvidence,
  found: readonly number[][],
  { known, most, least }: Counted,
  limits: Limits,
): CaseDraft {
  const { connections, address } = evidence
  const on = distinct(found.flat())
  const firsts = found.map(([first]) => first!)
  const host = connections.client[on[0]!]!
  const peers = distinct(firsts.map(i => connections.server[i]!))
  const byPort = grouped(firsts, i => connections.port[i]!)
  const [[port]] = [...byPort].sort(([a, of], [b, other]) => other.length - of.length || a - b) as [[number, number[]]]
  const ports = distinct(byPort.keys())
  const sum = (column: Float64Array): number => on.reduce((total, i) => total + column[i]!, 0)
  const begin_us = connections.start_us[firsts[0]!]!
  const isPolling = isPoller(evidence, found, limits)
  const often = isPolling ? ' It comes to most of them again and again.' : ''
  return {
    title: `Sessions with ${number(peers.length)} internal hosts that are new to it${ports.length === 1 ? `, port ${port}${nameText(port, TCP)}` : ''}`,
    severity: severityOf(evidence, host, port, isPolling, limits),
    confidence: sureness('medium', evidence, on),
    ...techniqueOf(port),
    summary: `${address(host)} had sessions with ${number(peers.length)} internal hosts (${namesText(peers.map(address))}) on ports of administration (${namesText(ports.map(String))}) from ${utcSeconds(begin_us)} on, up to ${number(most)} of them within ${durationWords(limits.windowSeconds)}; before, with ${known === 0 ? 'none' : `${number(known)} others`}. ${number(on.length)} connections, ${number(sum(connections.bytesUp))} bytes there and ${number(sum(connections.bytesDown))} back.${often}`,
    scores: [
      { name: `new hosts within ${durationWords(limits.windowSeconds)}`, value: most, threshold: `>= ${least}` },
      {
        name: 'hosts that it had sessions with before',
        value: known,
        threshold: `asks for ${limits.knownTimes} times as many new ones`,
      },
    ],
    would_change: `fewer than ${least} new hosts in any ${durationWords(limits.windowSeconds)}, or sessions with them at the beginning of the evidence`,
    counter_hypotheses: [
      'a scanner, a backup or an administration host of your own that began within this evidence: name it with --scanner',
      'a jump host, configuration management, or a runner that deploys to many hosts',
      'an orchestrator whose nodes are new (Kubernetes, an autoscaling group)',
    ],
    ...{ subject: [host], peers, connections: on },
  }
}

function severityOf(evidence: CaseEvidence, host: number, port: number, isPolling: boolean, limits: Limits): Severity {
  if (evidence.isScanner(host) || evidence.isAdministration(host) || isPolling) return 'info'
  return limits.remoteWorkPorts.includes(port) ? 'high' : 'medium'
}
