/** D12: a connection out that looks like a shell for somebody outside: signs that are nothing by themselves, added up. */
import { webAndMail } from '../conversations/host-facts.ts'
import { TCP } from '../net/protocols.ts'
import { durationWords, utcSeconds } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, type Run, servicesIn } from './connections.ts'
import { gradeOf } from './d09-non-standard-port.ts'
import { type CaseEvidence, isAtLeast, isMore, peerToPeer } from './evidence.ts'
import { noveltyLimits } from './lateral.ts'
import { type CaseDraft, type CaseRule, decided, sureness } from './rule.ts'
import { warm_us, warmUp } from './warm-up.ts'
import { endText } from './words.ts'

const { thresholds, reasons } = decided({
  alertPoints: [8, 'points of the signs, with which it is told: medium severity'],
  highPoints: [10, 'points with which severity is high'],
  leadPoints: [6, 'points with which it is a lead: info'],
  secondsMin: [120, 'how long it lasts at least to have a pace'],
  paceMin: [1, 'client packets a minute: the pace of a person, at least'],
  paceMax: [60, 'client packets a minute: the pace of a person, at most'],
  serverBytesMax: [120, 'bytes of a server packet on average: commands; more is a transfer'],
  sizeRatio: [2, 'bytes of a client packet by those of a server packet: what commands print is longer than they are'],
  inwardSeconds: [300, 'how long before it a connection from outside to a page of the host begins, at most'],
  webPorts: [[80, 443, 8000, 8080, 8443, 8888], 'ports of pages, by which a host may have been broken into'],
  commonPorts: [webAndMail, 'web and mail hold connections open for their answers: there the signs tell nothing'],
  ownClientsMax: [2, 'own hosts that use the peer: with more of them it is taken for a service that we use'],
  peersMax: [peerToPeer, 'peers on high ports, either way, from which on a host is in a peer-to-peer network'],
  roleConfidenceMin: [80, 'confidence of the role, in hundredths: who called is what it is about'],
  ...warmUp,
})
type Limits = typeof thresholds

/** What each sign counts. */
const points = { answered: 2, oddPort: 2, newPeer: 2, pace: 2, sizes: 2, inward: 2, firstCall: 1 } as const
type Sign = keyof typeof points

export const reverseShell: CaseRule<Limits> = {
  name: 'D12-reverse-shell',
  title: 'a connection out that looks like a shell for somebody outside',
  needs: { accepted: 'must', answers: 'must', sizes: 'must', flags: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1571', 'T1095'),
  guardDuty: ['Execution:Runtime/ReverseShell'],
  scope: 'case',
  selects,
  limitsOf: evidence => [
    'on ports of web and mail a shell looks like a page that is held open: there it is not looked for',
    ...noveltyLimits(evidence, thresholds),
  ],
  find,
}

/** Calls out with signs enough; and what came in to a page shortly before the first call of its host. */
function selects(evidence: CaseEvidence, service: Run, limits: Limits): boolean {
  const { connections, isInternal, firstCall_us } = evidence
  if (connections.protocol[service.from] !== TCP) return false
  const [client, server] = [connections.client[service.from]!, connections.server[service.from]!]
  if (isInternal(client) === isInternal(server)) return false
  if (isInternal(client)) return bestOf(evidence, service, limits, points.inward) !== null
  return (
    limits.webPorts.includes(connections.port[service.from]!) &&
    lastInward(evidence, service, firstCall_us(server), limits) !== null
  )
}

/** The last answered connection of a service that begins within the time before a moment. */
function lastInward(
  { connections }: CaseEvidence,
  { from, to }: Run,
  at_us: number | null,
  limits: Limits,
): number | null {
  if (at_us === null) return null
  for (let i = to - 1; i >= from; i--) {
    const start_us = connections.start_us[i]!
    if (start_us < at_us - limits.inwardSeconds * 1e6) return null
    if (start_us <= at_us && connections.outcome[i] === outcome.answered) return i
  }
  return null
}

interface Judged {
  connection: number
  signs: Sign[]
  total: number
}

/**
 * The connection of a service with the most points, if it is a lead.
 *
 * @param more points that other connections may add.
 */
function bestOf(evidence: CaseEvidence, { from, to }: Run, limits: Limits, more: number): Judged | null {
  const { connections, ownClients, highPeers } = evidence
  const [client, server, port] = [connections.client[from]!, connections.server[from]!, connections.port[from]!]
  if (limits.commonPorts.includes(port) || isMore(ownClients(server), limits.ownClientsMax)) return null
  if (port >= 1024 && isAtLeast(highPeers(client), limits.peersMax)) return null
  const isNew = isAtLeast(evidence.firstSeen_us(server), warm_us(evidence, limits))
  const ofService: Sign[] = ['answered']
  if (isNew) ofService.push('newPeer')
  if (gradeOf(port, TCP) !== null) ofService.push('oddPort')
  let best: Judged | null = null
  for (let i = from; i < to; i++) {
    const isUnsure = connections.confidence[i]! < limits.roleConfidenceMin
    if (connections.outcome[i] !== outcome.answered || isUnsure) continue
    if ((connections.marks[i]! & (mark.toService | mark.unknownRole)) !== 0) continue
    const signs = [...ofService, ...ownSigns(evidence, i, limits)]
    const total = signs.reduce((sum, sign) => sum + points[sign], 0)
    if (total + more >= limits.leadPoints && total > (best?.total ?? 0)) best = { connection: i, signs, total }
  }
  return best
}

function ownSigns({ connections, firstCall_us, interval_us }: CaseEvidence, i: number, limits: Limits): Sign[] {
  const { start_us, end_us, packetsUp, packetsDown, bytesUp, bytesDown } = connections
  const seconds = (end_us[i]! - start_us[i]!) / 1e6
  const pace = (packetsUp[i]! * 60) / seconds
  const [ofClient, ofServer] = [bytesUp[i]! / packetsUp[i]!, bytesDown[i]! / packetsDown[i]!]
  const signs: Sign[] = []
  // Records of an interface and interval share their times as a rule: what is short may seem to last for an interval more.
  const isLong = seconds - interval_us / 1e6 >= limits.secondsMin
  if (isLong && pace >= limits.paceMin && pace <= limits.paceMax) signs.push('pace')
  if (ofServer <= limits.serverBytesMax && ofClient >= limits.sizeRatio * ofServer) signs.push('sizes')
  if (isAtLeast(firstCall_us(connections.client[i]!), start_us[i]!)) signs.push('firstCall')
  return signs
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal, firstCall_us } = evidence
  /** By host: the last connection to a page of it before its first call. */
  const inward = new Map<number, number>()
  const calls: [Run, Judged][] = []
  for (const client of clientsOf(connections)) {
    for (const service of servicesIn(connections, client)) {
      const server = connections.server[service.from]!
      if (isInternal(server)) {
        const last = lastInward(evidence, service, firstCall_us(server), limits)
        const known = inward.get(server)
        if (last !== null && !(connections.start_us[known ?? -1]! >= connections.start_us[last]!))
          inward.set(server, last)
        continue
      }
      const best = bestOf(evidence, service, limits, points.inward)
      if (best !== null) calls.push([service, best])
    }
  }
  return calls.flatMap(([service, best]) => {
    const before = best.signs.includes('firstCall') ? inward.get(connections.client[service.from]!) : undefined
    const total = best.total + (before === undefined ? 0 : points.inward)
    if (total < limits.leadPoints) return []
    const signs: Sign[] = before === undefined ? best.signs : [...best.signs, 'inward']
    return [draft(evidence, { ...best, signs, total }, before ?? null, limits)]
  })
}

function draft(
  evidence: CaseEvidence,
  { connection: i, signs, total }: Judged,
  before: number | null,
  limits: Limits,
): CaseDraft {
  const { connections, address } = evidence
  const { start_us, end_us, packetsUp, packetsDown, bytesUp, bytesDown } = connections
  const [client, server, port] = [connections.client[i]!, connections.server[i]!, connections.port[i]!]
  const target = endText(evidence, server, port)
  const seconds = (end_us[i]! - start_us[i]!) / 1e6
  const tenths = (value: number): number => Math.round(value * 10) / 10
  const [ofClient, ofServer] = [tenths(bytesUp[i]! / packetsUp[i]!), tenths(bytesDown[i]! / packetsDown[i]!)]
  const pace = tenths((packetsUp[i]! * 60) / Math.max(seconds, 1))
  const words: Record<Sign, string> = {
    answered: 'it was answered from outside',
    oddPort: `${port} is a port without a service`,
    newPeer: 'the peer is new in this evidence',
    pace: `it lasted ${durationWords(tenths(seconds))} at ${pace} client packets a minute`,
    sizes: `${ofClient} bytes a packet went out for ${ofServer} that came in`,
    inward:
      before === null
        ? ''
        : `${address(connections.client[before]!)} connected to port ${connections.port[before]} of the host at ${utcSeconds(start_us[before]!)}`,
    firstCall: 'it is the first call out of this host but for web and mail',
  }
  return {
    title: `Connection to ${target} that looks like a shell`,
    severity: severityOf(evidence, client, total, limits),
    confidence: sureness('medium', evidence, [i]),
    tactic: 'command-and-control',
    ...(signs.includes('oddPort') ? { ...technique('T1571') } : { ...technique('T1095') }),
    summary: `${address(client)} connected to ${target} at ${utcSeconds(start_us[i]!)}. ${signs.map(sign => `${words[sign]} (${points[sign]})`).join('; ')}: ${total} points.`,
    scores: [
      { name: 'points', value: total, threshold: `>= ${limits.alertPoints}, as a lead ${limits.leadPoints}` },
      {
        name: 'client packets a minute',
        value: pace,
        threshold: `${limits.paceMin} to ${limits.paceMax}, for ${points.pace} points`,
      },
      { name: 'seconds', value: Math.round(seconds), threshold: `>= ${limits.secondsMin}, for the same points` },
      {
        name: 'bytes of a server packet',
        value: ofServer,
        threshold: `<= ${limits.serverBytesMax}, for ${points.sizes} points`,
      },
      {
        name: 'bytes of a client packet',
        value: ofClient,
        threshold: `>= ${limits.sizeRatio} times the server's, for the same points`,
      },
    ],
    would_change: `fewer than ${limits.leadPoints} points: a peer that was there at the beginning, a registered port, another pace, larger answers`,
    counter_hypotheses: [
      'an agent that reports to its server (monitoring, logs, updates, a runner of builds)',
      'replication, or a message broker outside',
      'a session of an administrator to a host outside',
    ],
    ...{ subject: [client], peers: [server], connections: before === null ? [i] : [before, i].sort((a, b) => a - b) },
  }
}

function severityOf(evidence: CaseEvidence, client: number, total: number, limits: Limits): CaseDraft['severity'] {
  if (evidence.isScanner(client) || total < limits.alertPoints) return 'info'
  return total >= limits.highPoints ? 'high' : 'medium'
}
