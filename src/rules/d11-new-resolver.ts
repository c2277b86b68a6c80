/** D11: an internal host that begins to ask a name server outside which hardly any other internal host asks. */
import { TCP, UDP } from '../net/protocols.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, type Run, servicesIn } from './connections.ts'
import { type CaseEvidence, isAtLeast, isMore } from './evidence.ts'
import { isResolver, resolverLimits } from './name-servers.ts'
import { type CaseDraft, type CaseRule, decided, distinct, namesText, sureness } from './rule.ts'
import { warm_us, warmUp } from './warm-up.ts'
import { megabytes, notAskedText, number, usersScore } from './words.ts'

const { thresholds, reasons } = decided({
  namePorts: [[53, 853], 'names, and names by TLS'],
  ownClientsMax: [2, 'own hosts that use the server: with more of them it is taken for the one that all are to use'],
  bytesLow: [100_000, 'bytes of queries from which on it is more than a try'],
  bytesMedium: [1_000_000, 'bytes of queries from which on they may carry something'],
  ...resolverLimits,
  ...warmUp,
})
type Limits = typeof thresholds

export const resolver: CaseRule<Limits> = {
  name: 'D11-new-resolver',
  title: 'a name server outside that one of your hosts begins to ask',
  needs: { accepted: 'must', answers: 'must', sizes: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1071.004'),
  guardDuty: [],
  scope: 'client',
  limitsOf: () => [
    'which name servers are approved is not known: those that were asked from the beginning, or by several hosts of yours, are taken for approved',
  ],
  find,
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal, firstSeen_us } = evidence
  const new_us = warm_us(evidence, limits)
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(connections)) {
    const host = connections.client[client.from]!
    // A host that was not there before has asked nobody before.
    if (!isInternal(host) || isAtLeast(firstSeen_us(host), new_us)) continue
    const some: number[] = []
    for (const service of servicesIn(connections, client))
      if (isNewServer(evidence, service, new_us, limits)) for (const i of answeredIn(evidence, service)) some.push(i)
    if (some.length > 0 && !isResolver(evidence, client, limits)) drafts.push(draft(evidence, some, limits))
  }
  return drafts
}

function isNewServer(
  { connections, isInternal, ownClients, firstSeen_us }: CaseEvidence,
  { from }: Run,
  new_us: number,
  limits: Limits,
): boolean {
  const [server, port, protocol] = [connections.server[from]!, connections.port[from]!, connections.protocol[from]!]
  const isNames = limits.namePorts.includes(port) && [TCP, UDP].includes(protocol)
  const isOurs = isInternal(server) || isMore(ownClients(server), limits.ownClientsMax)
  return isNames && !isOurs && isAtLeast(firstSeen_us(server), new_us)
}

function answeredIn({ connections }: CaseEvidence, { from, to }: Run): number[] {
  const some: number[] = []
  for (let i = from; i < to; i++) {
    const isAside = (connections.marks[i]! & (mark.unknownRole | mark.isError | mark.toService)) !== 0
    if (connections.outcome[i] === outcome.answered && !isAside) some.push(i)
  }
  return some
}

function draft(evidence: CaseEvidence, some: number[], limits: Limits): CaseDraft {
  const { connections, address } = evidence
  const client = connections.client[some[0]!]!
  const servers = distinct(some.map(i => connections.server[i]!))
  const named = namesText(servers.map(address))
  const bytes = some.reduce((sum, i) => sum + connections.bytesUp[i]!, 0)
  return {
    title: `${address(client)} begins to ask ${servers.length === 1 ? `the name server ${named}` : `${number(servers.length)} name servers outside`}`,
    severity: bytes >= limits.bytesMedium ? 'medium' : bytes >= limits.bytesLow ? 'low' : 'info',
    confidence: sureness('low', evidence, some),
    ...{ tactic: 'command-and-control', ...technique('T1071.004') },
    summary: `${address(client)} sent ${megabytes(bytes)} to ${named} in ${number(some.length)} answered ${some.length === 1 ? 'connection' : 'connections'}, and nobody spoke to ${servers.length === 1 ? 'it' : 'them'} in the first part of this evidence.${notAskedText(evidence, servers[0]!)}`,
    scores: [
      ...usersScore(evidence, servers[0]!, limits.ownClientsMax),
      {
        name: 'bytes of queries',
        value: bytes,
        threshold: `>= ${limits.bytesLow} for low, ${limits.bytesMedium} for medium`,
      },
    ],
    would_change: 'a server that it asked before, or that more hosts of yours ask',
    counter_hypotheses: [
      'a host that was given another name server',
      'a browser or a phone that brings a resolver of its own',
    ],
    ...{ subject: [client], peers: servers, connections: some },
  }
}
