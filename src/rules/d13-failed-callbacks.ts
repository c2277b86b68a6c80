/** D13: one of our hosts that calls a host outside again and again, and is never answered. */
import { webAndMail } from '../conversations/host-facts.ts'
import { noPort } from '../conversations/services.ts'
import { TCP } from '../net/protocols.ts'
import { durationWords, utcSeconds } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, outcome, type Run, servicesIn } from './connections.ts'
import { type CaseEvidence, isAtLeast, peerToPeer } from './evidence.ts'
import { type Severity, severities } from './finding.ts'
import { distinctWithin, median } from './numbers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, namesText, sureness } from './rule.ts'
import { isAttempt } from './scanning.ts'
import { endText, number } from './words.ts'

const { thresholds, reasons } = decided({
  attemptsMin: [20, 'attempts at one service outside within `windowSeconds`'],
  windowSeconds: [30 * 60, 'the window of the attempts'],
  refusedMin: [5, 'or attempts that were refused within `refusedWindowSeconds` (Slips)'],
  refusedWindowSeconds: [10 * 60, 'the window of the refused ones'],
  retrySeconds: [10, 'an attempt from the same source port so soon is TCP trying again, not the program'],
  ownFailedMin: [10, 'own hosts that call the same host in vain: it is out of order, or the way to it is'],
  livingMin: [10, 'other hosts that answer the client on that port: one dead target among many is no master of it'],
  peersMax: [
    peerToPeer,
    'peers on high ports, either way, from which on dead peers there are those of a network of peers',
  ],
  attemptPacketsMax: [
    3,
    'packets of an attempt, where nothing shows that it was no more than a SYN and its repetitions',
  ],
  synPacketsMax: [8, 'packets of an attempt, where flags show that'],
  synBytesMax: [80, 'bytes of a packet of an attempt, on average: a SYN with its options, IPv6'],
  commonPorts: [webAndMail, 'web and mail: programs whose server is gone try again there, too: low severity'],
})
type Limits = typeof thresholds

export const callbacks: CaseRule<Limits> = {
  name: 'D13-failed-callbacks',
  title: 'a host of yours that calls a host outside again and again, and is never answered',
  needs: { flags: 'better', rejected: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1071', 'T1008'),
  guardDuty: ['Trojan:EC2/BlackholeTraffic'],
  scope: 'client',
  limitsOf,
  find,
}

function limitsOf({ has }: Omit<CaseEvidence, 'connections'>): string[] {
  const lacks = ['UDP is left out: a program that sends without waiting for an answer looks the same']
  if (!has.answers) lacks.unshift('answers are not recorded: only attempts that were rejected are known to have failed')
  return lacks
}

/** What one attempt left: a connection, or several from one source port. */
interface Attempt {
  at_us: number
  connections: number[]
}

/** A service outside that never answered. */
interface Dead {
  server: number
  port: number
  attempts: Attempt[]
  /** The most attempts within a window, and the most that were refused. */
  most: number
  mostRefused: number
  /** Other hosts that answered on that port. */
  living: number
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal, highPeers } = evidence
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(connections)) {
    const host = connections.client[client.from]!
    if (!isInternal(host)) continue
    const dead: Dead[] = []
    for (const service of servicesIn(connections, client)) {
      const [server, port] = [connections.server[service.from]!, connections.port[service.from]!]
      if (service.to - service.from < Math.min(limits.refusedMin, limits.attemptsMin)) continue
      if (connections.protocol[service.from] !== TCP || port === noPort || isInternal(server)) continue
      if (port >= 1024 && isAtLeast(highPeers(host), limits.peersMax)) continue
      const found = deadOf(evidence, service, limits)
      if (found !== null) dead.push(found)
    }
    if (dead.length > 0) drafts.push(...draftsOf(evidence, client, dead, limits))
  }
  return drafts
}

/** A service that answered nothing, if it was called often enough. */
function deadOf({ connections, has }: CaseEvidence, { from, to }: Run, limits: Limits): Dead | null {
  const { start_us, clientPort } = connections
  const attempts: Attempt[] = []
  const last = new Map<number, Attempt>()
  for (let i = from; i < to; i++) {
    if (connections.outcome[i] === outcome.answered) return null
    if (!has.answers && connections.outcome[i] !== outcome.rejected) continue
    if (!isAttempt(connections, i, has.flags, limits)) continue
    const known = last.get(clientPort[i]!)
    if (known !== undefined && start_us[i]! - start_us[known.connections.at(-1)!]! <= limits.retrySeconds * 1e6) {
      known.connections.push(i)
      continue
    }
    const attempt = { at_us: start_us[i]!, connections: [i] }
    attempts.push(attempt)
    last.set(clientPort[i]!, attempt)
  }
  const refused = attempts.filter(one => one.connections.some(i => connections.outcome[i] === outcome.refused))
  const within = (some: readonly Attempt[], seconds: number, least: number) =>
    distinctWithin(
      some.map(one => one.at_us),
      some.map((_, at) => at),
      seconds * 1e6,
      least,
    )
  const many = within(attempts, limits.windowSeconds, limits.attemptsMin)
  const manyRefused = within(refused, limits.refusedWindowSeconds, limits.refusedMin)
  if (many === null && manyRefused === null) return null
  const [server, port] = [connections.server[from]!, connections.port[from]!]
  return { server, port, attempts, most: many?.most ?? 0, mostRefused: manyRefused?.most ?? 0, living: 0 }
}

/** One finding of each severity: of a client that calls many in vain no more is told than that. */
function draftsOf(evidence: CaseEvidence, client: Run, dead: readonly Dead[], limits: Limits): CaseDraft[] {
  const { connections } = evidence
  const [answered, byPort] = [new Set<number>(), new Map<number, Set<number>>()]
  for (const { port } of dead) byPort.set(port, new Set())
  for (let i = client.from; i < client.to; i++) {
    if (connections.outcome[i] !== outcome.answered || connections.protocol[i] !== TCP) continue
    answered.add(connections.server[i]!)
    byPort.get(connections.port[i]!)?.add(connections.server[i]!)
  }
  const some = dead
    .filter(({ server }) => !answered.has(server))
    .map(one => ({ ...one, living: byPort.get(one.port)!.size }))
  const host = connections.client[client.from]!
  return severities.flatMap(severity => {
    const of = some.filter(one => severityOf(evidence, host, one, limits) === severity)
    return of.length === 0 ? [] : [draft(evidence, host, severity, of, limits)]
  })
}

function severityOf(evidence: CaseEvidence, host: number, { server, port, living }: Dead, limits: Limits): Severity {
  const isFault = isAtLeast(evidence.ownFailed(server), limits.ownFailedMin)
  if (evidence.isScanner(host) || isFault || living >= limits.livingMin) return 'info'
  return limits.commonPorts.includes(port) ? 'low' : 'medium'
}

function draft(evidence: CaseEvidence, host: number, severity: Severity, dead: Dead[], limits: Limits): CaseDraft {
  const { connections, address } = evidence
  const attempts = dead.flatMap(one => one.attempts)
  const on = distinct(attempts.flatMap(one => one.connections))
  const worst = dead.reduce((most, one) => (one.attempts.length > most.attempts.length ? one : most))
  const times = worst.attempts.map(one => one.at_us)
  const gaps = Float64Array.from(times.slice(1), (time, at) => time - times[at]!)
  const targets = dead.map(one => endText(evidence, one.server, one.port))
  const count = (what: number): number => on.filter(i => connections.outcome[i] === what).length
  const most = (of: (one: Dead) => number): number => dead.reduce((least, one) => Math.max(least, of(one)), 0)
  const isOne = dead.length === 1
  return {
    title: `Calls that nobody answers: to ${isOne ? targets[0] : `${number(dead.length)} services outside`}`,
    severity,
    confidence: sureness('medium', evidence, on),
    tactic: 'command-and-control',
    ...technique(isOne ? 'T1071' : 'T1008'),
    summary: `${address(host)} called ${namesText(targets)} ${number(attempts.length)} times and was never answered: ${number(count(outcome.rejected))} rejected, ${number(count(outcome.refused))} refused, ${number(count(outcome.unanswered))} unanswered. From ${utcSeconds(times[0]!)} to ${utcSeconds(times.at(-1)!)} it called ${endText(evidence, worst.server, worst.port)} ${number(times.length)} times, as a rule ${durationWords(Math.round(median(gaps) / 1e5) / 10)} apart.`,
    scores: [
      {
        name: `attempts within ${durationWords(limits.windowSeconds)}`,
        value: most(one => one.most),
        threshold: `>= ${limits.attemptsMin}, or the refused ones`,
      },
      {
        name: `refused within ${durationWords(limits.refusedWindowSeconds)}`,
        value: most(one => one.mostRefused),
        threshold: `>= ${limits.refusedMin}, or all attempts`,
      },
      {
        name: 'own hosts that called it in vain',
        value: most(one => evidence.ownFailed(one.server) ?? 1),
        threshold: `< ${limits.ownFailedMin}`,
      },
      {
        name: 'other hosts that answered on that port',
        value: most(one => one.living),
        threshold: `< ${limits.livingMin}`,
      },
    ],
    would_change: `one answer of that host to this client, ${limits.ownFailedMin} hosts of yours that call it in vain, or ${limits.livingMin} others that answer on that port`,
    counter_hypotheses: [
      'a monitor whose only target is gone, or a program that is set to an address that is no longer there',
      'a service outside that was down for the whole of this evidence, or a rule that stops the way to it',
      'answers that a sensor outside the case recorded',
    ],
    ...{ subject: [host], peers: distinct(dead.map(one => one.server)), connections: on },
  }
}
