/** D08: sessions at the pace of a person, and connections that last for hours, across the border of our networks. */
import { registeredService } from '../net/ports.ts'
import { TCP } from '../net/protocols.ts'
import { durationWords, utcSeconds } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, type Run, servicesIn } from './connections.ts'
import { type CaseEvidence, isAtLeast, isMore, peerToPeer } from './evidence.ts'
import { type CaseDraft, type CaseRule, decided, sureness } from './rule.ts'
import { boundText, endText, notAskedText, number } from './words.ts'

const { thresholds, reasons } = decided({
  remoteWorkPorts: [
    [22, 23, 513, 514, 3389, 5900, 5901, 5985, 5986],
    'ports whose purpose is to work on another machine',
  ],
  remoteWorkSeconds: [
    120,
    'from how long on a session there is interactive: a command that is run from afar is done before',
  ],
  anySeconds: [15 * 60, 'the same elsewhere'],
  paceMin: [1, 'client packets a minute: the pace of a person, at least'],
  paceMax: [60, 'client packets a minute: the pace of a person, at most'],
  clientBytesMax: [200, 'bytes of a client packet on average: keystrokes; more is a transfer'],
  serverBytesMax: [400, 'bytes of a server packet on average: the changes of a screen; more is a transfer'],
  longSeconds: [8 * 3600, 'a connection that lasts so long is told whatever its pace (RITA: medium)'],
  commonPorts: [
    [25, 80, 110, 143, 443, 465, 587, 993, 995, 5222, 8080, 8443],
    'web and mail hold connections open for their answers: there a pace tells nothing',
  ],
  ownClientsMax: [2, 'own hosts that use the peer: with more of them it is taken for a service that we use'],
  peersMax: [
    peerToPeer,
    'peers on high ports, from which on a host is in a peer-to-peer network: there such ports tell nothing',
  ],
})
type Limits = typeof thresholds

export const sessions: CaseRule<Limits> = {
  name: 'D08-long-session',
  title: 'sessions at the pace of a person, and connections that last for hours, across the border of your networks',
  needs: { accepted: 'must', answers: 'must', sizes: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1071', 'T1021', 'T1021.001', 'T1021.004'),
  guardDuty: [],
  scope: 'client',
  ofSubject: { name: 'interactive-session', thresholds: {}, reasons: {} },
  find,
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal, ownClients, highPeers } = evidence
  const drafts: CaseDraft[] = []
  const least = Math.min(limits.remoteWorkSeconds, limits.anySeconds, limits.longSeconds)
  for (const client of clientsOf(connections)) {
    if (!hasLasting(evidence, client, least)) continue
    for (const service of servicesIn(connections, client)) {
      const [from, to] = [connections.client[service.from]!, connections.server[service.from]!]
      if (connections.protocol[service.from] !== TCP) continue
      if (evidence.subject === null && isInternal(from) === isInternal(to)) continue
      if (isInternal(from) && isMore(ownClients(to), limits.ownClientsMax)) continue
      const isHigh = connections.port[service.from]! >= 1024
      if (isHigh && isAtLeast(highPeers(isInternal(from) ? from : to), limits.peersMax)) continue
      if ((connections.marks[service.from]! & (mark.toService | mark.fromService)) !== 0) continue
      const some = held(evidence, service, limits)
      if (some.length > 0) drafts.push(draft(evidence, some, limits))
    }
  }
  return drafts
}

/** Whether a connection of a client lasts so long at all. */
function hasLasting({ connections }: CaseEvidence, { from, to }: Run, seconds: number): boolean {
  const { start_us, end_us } = connections
  for (let i = from; i < to; i++) if (end_us[i]! - start_us[i]! >= seconds * 1e6) return true
  return false
}

/** The sessions of a service. */
function held({ connections, shortest_us }: CaseEvidence, { from, to }: Run, limits: Limits): number[] {
  const isRemoteWork = limits.remoteWorkPorts.includes(connections.port[from]!)
  const isCommon = limits.commonPorts.includes(connections.port[from]!)
  const { packetsUp, bytesUp, packetsDown, bytesDown } = connections
  const some: number[] = []
  for (let i = from; i < to; i++) {
    if (connections.outcome[i] !== outcome.answered || (connections.marks[i]! & mark.unknownRole) !== 0) continue
    const long_us = connections.end_us[i]! - connections.start_us[i]!
    const pace = (packetsUp[i]! * 60e6) / long_us
    // As a rule all records of an interface and interval share their times: what is short may seem to last for an interval more.
    const seconds = (long_us - shortest_us) / 1e6
    const isPaced =
      !isCommon &&
      seconds >= limits.anySeconds &&
      pace >= limits.paceMin &&
      pace <= limits.paceMax &&
      bytesUp[i]! <= limits.clientBytesMax * packetsUp[i]! &&
      bytesDown[i]! <= limits.serverBytesMax * packetsDown[i]!
    if (isPaced || seconds >= limits.longSeconds || (isRemoteWork && seconds >= limits.remoteWorkSeconds)) some.push(i)
  }
  return some
}

function draft(evidence: CaseEvidence, some: number[], limits: Limits): CaseDraft {
  const { connections, address, isInternal } = evidence
  const { start_us, end_us, packetsUp, bytesUp, packetsDown, bytesDown } = connections
  const long = (i: number): number => end_us[i]! - start_us[i]!
  const longest = some.reduce((best, i) => (long(i) > long(best) ? i : best))
  const [client, server, port] = [
    connections.client[longest]!,
    connections.server[longest]!,
    connections.port[longest]!,
  ]
  const isInward = isInternal(server)
  const isRemoteWork = limits.remoteWorkPorts.includes(port)
  const service = registeredService(port, TCP)?.name
  const name = service === undefined ? '' : `${service.toUpperCase()} `
  const isCommon = limits.commonPorts.includes(port)
  const target = endText(evidence, server, port)
  const isSuspect = evidence.subject !== null && !isCommon
  const seconds = long(longest) / 1e6
  return {
    title: `${isRemoteWork ? `Interactive ${name}session` : 'Long session'} with ${target}`,
    // Who comes in to work is in most cases allowed to: the guesses before it make it grave (`raising.ts`), or that it was asked for.
    severity: isSuspect ? (isRemoteWork ? 'high' : 'medium') : isCommon || isInward ? 'info' : 'low',
    confidence: sureness(isSuspect && isRemoteWork ? 'high' : 'medium', evidence, some),
    ...tacticOf(isInward, isRemoteWork, port),
    summary: `${address(client)} held ${number(some.length)} ${some.length === 1 ? 'session' : 'sessions'} with ${target}; the longest ran ${durationWords(seconds)} from ${utcSeconds(start_us[longest]!)}, with ${number(packetsUp[longest]!)} packets (${number(bytesUp[longest]!)} bytes) from the client and ${number(packetsDown[longest]!)} (${number(bytesDown[longest]!)} bytes) from the server.${boundText(connections, [longest])}${isInward ? '' : notAskedText(evidence, server)}`,
    scores: [
      {
        name: 'seconds of the longest',
        value: Math.round(seconds),
        threshold: `>= ${isRemoteWork ? limits.remoteWorkSeconds : limits.anySeconds}`,
      },
      {
        name: 'client packets a minute',
        value: Math.round((packetsUp[longest]! * 600) / seconds) / 10,
        threshold: isRemoteWork ? 'not asked' : `${limits.paceMin} to ${limits.paceMax}, or ${limits.longSeconds} s`,
      },
    ],
    would_change: 'shorter sessions, or the bytes of a transfer in each packet',
    counter_hypotheses: [
      'an administrator, a VPN or a jump host',
      'an idle connection that a keep-alive holds open (database pool, websocket, MQTT)',
      'a file transfer over the same protocol',
    ],
    ...{ subject: [client], peers: [server], connections: some },
  }
}

function tacticOf(
  isInward: boolean,
  isRemoteWork: boolean,
  port: number,
): Pick<CaseDraft, 'tactic' | 'technique' | 'technique_name'> {
  if (isRemoteWork && isInward) {
    const id = port === 22 ? 'T1021.004' : port === 3389 ? 'T1021.001' : 'T1021'
    return { tactic: 'initial-access', ...technique(id) }
  }
  return { tactic: 'command-and-control', ...technique('T1071') }
}
