/** D18: a service that should not be reached from the internet, and was. */
import { TCP } from '../net/protocols.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, type Run, servicesIn } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import { type CaseDraft, type CaseRule, decided, distinct, namesText, sureness } from './rule.ts'
import { endText, nameText, number } from './words.ts'

const { thresholds, reasons } = decided({
  exposedPorts: [
    [22, 23, 135, 445, 1433, 2375, 3306, 3389, 5432, 5985, 6379, 9200, 9300, 27_017],
    'remote work, files, databases and their like: services that are attacked wherever they are found',
  ],
  packetsMin: [4, 'packets from the client: fewer are a look at what is there'],
})
type Limits = typeof thresholds

export const exposed: CaseRule<Limits> = {
  name: 'D18-exposed-service',
  title: 'a service that should not be reached from the internet, and was',
  needs: { accepted: 'must', answers: 'must', sizes: 'must', flags: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1133'),
  guardDuty: ['Recon:EC2/PortProbeUnprotectedPort'],
  scope: 'case',
  ofSubject: { thresholds: {}, reasons: {}, concerns: isServed },
  selects,
  find,
}

/** Whether the subject was the server: that a host reached one says nothing of the host. */
function isServed({ connections, subject }: CaseEvidence, i: number): boolean {
  return subject === null || subject(connections.server[i]!) || !subject(connections.client[i]!)
}

function selects(evidence: CaseEvidence, { from, to }: Run, limits: Limits): boolean {
  const { connections, isInternal } = evidence
  if (connections.protocol[from] !== TCP || !limits.exposedPorts.includes(connections.port[from]!)) return false
  if (isInternal(connections.client[from]!) || !isInternal(connections.server[from]!)) return false
  for (let i = from; i < to; i++) if (isEstablished(evidence, i, limits)) return true
  return false
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal } = evidence
  const services = new Map<number, number[]>()
  for (const client of clientsOf(connections)) {
    if (isInternal(connections.client[client.from]!)) continue
    for (const { from, to } of servicesIn(connections, client)) {
      const port = connections.port[from]!
      const isAsked = connections.protocol[from] === TCP && limits.exposedPorts.includes(port)
      if (!isAsked || !isInternal(connections.server[from]!)) continue
      const key = connections.server[from]! * 65_536 + port
      for (let i = from; i < to; i++) {
        if (!isEstablished(evidence, i, limits)) continue
        const known = services.get(key)
        if (known === undefined) services.set(key, [i])
        else known.push(i)
      }
    }
  }
  return [...services].sort(([a], [b]) => a - b).map(([, some]) => draft(evidence, some, limits))
}

/** A SYN that came back as RST or not at all is a probe; where flags are known, the handshake must be there. */
function isEstablished({ connections }: CaseEvidence, i: number, { packetsMin }: Limits): boolean {
  const marks = connections.marks[i]!
  const isOpen = (marks & mark.opened) !== 0 || (marks & mark.accepted) === 0
  return (
    connections.outcome[i] === outcome.answered &&
    (marks & mark.unknownRole) === 0 &&
    isOpen &&
    connections.packetsUp[i]! >= packetsMin
  )
}

function draft(evidence: CaseEvidence, some: number[], limits: Limits): CaseDraft {
  const { connections, address } = evidence
  const [server, port] = [connections.server[some[0]!]!, connections.port[some[0]!]!]
  const clients = distinct(some.map(i => connections.client[i]!))
  const target = endText(evidence, server, port)
  return {
    title: `${target}${nameText(port, TCP)} is reached from outside`,
    severity: 'medium',
    confidence: sureness('high', evidence, some),
    tactic: 'initial-access',
    ...technique('T1133'),
    summary: `${target} held ${number(some.length)} ${some.length === 1 ? 'connection' : 'connections'} with ${number(clients.length)} ${clients.length === 1 ? 'host' : 'hosts'} outside: ${namesText(clients.map(address))}.`,
    scores: [
      { name: 'connections that were established', value: some.length, threshold: '>= 1' },
      {
        name: 'client packets of the least',
        value: some.reduce((least, i) => Math.min(least, connections.packetsUp[i]!), Number.POSITIVE_INFINITY),
        threshold: `>= ${limits.packetsMin}`,
      },
    ],
    would_change: 'no established connection from outside',
    counter_hypotheses: [
      'a bastion, or a service that is meant to be open',
      'clients that are yours: name their networks with --internal',
    ],
    ...{ subject: [server], peers: clients, connections: some },
  }
}
