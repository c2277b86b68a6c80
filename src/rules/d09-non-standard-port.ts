/** D09: one of our hosts that spoke to a host outside on a port that no service is registered for. */
import { registeredService } from '../net/ports.ts'
import { SCTP, TCP, UDP } from '../net/protocols.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, outcome, type Run, servicesIn } from './connections.ts'
import { type CaseEvidence, isAtLeast, isMore, peerToPeer } from './evidence.ts'
import { type CaseDraft, type CaseRule, decided, sureness } from './rule.ts'
import { endText, notAskedText, number, usersScore } from './words.ts'

const { thresholds, reasons } = decided({
  bytesMin: [10_000, 'bytes both ways, or `connectionsMin`: less is a mistake or a probe'],
  connectionsMin: [3, 'connections, or `bytesMin`'],
  controlPorts: [[21], 'FTP opens a port for each file: with a server that has such a session, no port is odd'],
  ownClientsMax: [2, 'own hosts that use the peer: with more of them it is taken for a service that we use'],
  peersMax: [peerToPeer, 'peers on high ports, either way, from which on a host is in a peer-to-peer network'],
  roleConfidenceMin: [
    80,
    "confidence of the role, in hundredths: one that is guessed from the ports does not tell which of them is the server's",
  ],
})
type Limits = typeof thresholds

export const ports: CaseRule<Limits> = {
  name: 'D09-non-standard-port',
  title: 'connections out to a port that belongs to no service',
  needs: { accepted: 'must', answers: 'must', flags: 'better', sizes: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1571'),
  guardDuty: ['Behavior:EC2/NetworkPortUnusual'],
  scope: 'client',
  find,
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal, highPeers, ownClients } = evidence
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(connections)) {
    const host = connections.client[client.from]!
    if (!isInternal(host) || isAtLeast(highPeers(host), limits.peersMax)) continue
    const isTransferring = controlled(evidence, client, limits)
    for (const service of servicesIn(connections, client)) {
      const server = connections.server[service.from]!
      if (isInternal(server) || isMore(ownClients(server), limits.ownClientsMax)) continue
      if (isTransferring.has(server)) continue
      const why = gradeOf(connections.port[service.from]!, connections.protocol[service.from]!)
      const found = why === null ? null : established(evidence, service, limits)
      if (found !== null) drafts.push(draft(evidence, service, found, why!, limits))
    }
  }
  return drafts
}

/** Servers with which a client has a session that opens more ports, as FTP does for each file. */
function controlled({ connections }: CaseEvidence, client: Run, { controlPorts }: Limits): Set<number> {
  const { server, port, protocol } = connections
  const found = new Set<number>()
  for (let i = client.from; i < client.to; i++) {
    if (protocol[i] !== TCP || !controlPorts.includes(port[i]!)) continue
    if (connections.outcome[i] === outcome.answered) found.add(server[i]!)
  }
  return found
}

/** Why a port is odd; null where it is not, or has no number. */
export function gradeOf(port: number, protocol: number): string | null {
  if (![TCP, UDP, SCTP].includes(protocol) || port > 65_535) return null
  if (registeredService(port, protocol) !== null) return null
  if (port >= 49_152) return 'it lies in the range of dynamic ports'
  const other = [TCP, UDP].find(one => one !== protocol && registeredService(port, one) !== null)
  return other === undefined ? 'IANA has no service there' : 'IANA has a service there for another transport alone'
}

/** The answered connections of a service, if they are enough and their roles are sure. */
function established({ connections }: CaseEvidence, { from, to }: Run, limits: Limits): number[] | null {
  const some: number[] = []
  let bytes = 0
  for (let i = from; i < to; i++) {
    if (connections.outcome[i] !== outcome.answered || connections.confidence[i]! < limits.roleConfidenceMin) continue
    some.push(i)
    bytes += connections.bytesUp[i]! + connections.bytesDown[i]!
  }
  return some.length > 0 && (bytes >= limits.bytesMin || some.length >= limits.connectionsMin) ? some : null
}

function draft(evidence: CaseEvidence, { from }: Run, some: number[], why: string, limits: Limits): CaseDraft {
  const { connections, address } = evidence
  const [host, server, port] = [connections.client[from]!, connections.server[from]!, connections.port[from]!]
  const sum = (column: Float64Array): number => some.reduce((total, i) => total + column[i]!, 0)
  const [up, down] = [sum(connections.bytesUp), sum(connections.bytesDown)]
  const target = endText(evidence, server, port)
  return {
    title: `Connection to ${target}, a port without a service`,
    severity: 'low',
    confidence: sureness('medium', evidence, some),
    tactic: 'command-and-control',
    ...technique('T1571'),
    summary: `${address(host)} spoke to ${target} in ${number(some.length)} ${some.length === 1 ? 'connection' : 'connections'}, ${number(up)} bytes out and ${number(down)} in; ${why}.${notAskedText(evidence, server)}`,
    scores: [
      { name: 'bytes both ways', value: up + down, threshold: `>= ${limits.bytesMin}, or the connections` },
      { name: 'connections', value: some.length, threshold: `>= ${limits.connectionsMin}, or the bytes` },
      ...usersScore(evidence, server, limits.ownClientsMax),
    ],
    would_change: 'a port that is registered, or a peer that more hosts of yours use',
    counter_hypotheses: ['passive FTP, RPC, games, telephony', 'a service of a partner on a port of its own'],
    ...{ subject: [host], peers: [server], connections: some },
  }
}
