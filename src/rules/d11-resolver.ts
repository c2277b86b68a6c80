/** D11: a host of ours that begins to ask a name server outside which hardly any other host of ours asks. */

import { TCP, UDP } from '../net/protocols.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, type Run, servicesIn } from './connections.ts'
import { type CaseEvidence, isMore } from './evidence.ts'
import { isResolver, resolverLimits } from './name-servers.ts'
import { type CaseDraft, type CaseRule, decided, sureness } from './rule.ts'
import { warm_us, warmUp } from './warm-up.ts'
import { endText, megabytes, notAskedText, number, usersScore } from './words.ts'

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
  needs: { accepted: 'must', answers: 'must' },
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
  const { connections, isInternal, ownClients } = evidence
  const { server, port, protocol, start_us } = connections
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(connections)) {
    const host = connections.client[client.from]!
    if (!isInternal(host)) continue
    let isOne: boolean | null = null
    for (const service of servicesIn(connections, client)) {
      const { from } = service
      const isNames = limits.namePorts.includes(port[from]!) && [TCP, UDP].includes(protocol[from]!)
      if (!isNames || isInternal(server[from]!) || isMore(ownClients(server[from]!), limits.ownClientsMax)) continue
      if (start_us[from]! < warm_us(evidence, limits)) continue
      isOne ??= isResolver(evidence, client, limits)
      if (isOne) break
      const some = answeredIn(evidence, service)
      if (some.length > 0) drafts.push(draft(evidence, some, limits))
    }
  }
  return drafts
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
  const first = some[0]!
  const [client, server] = [connections.client[first]!, connections.server[first]!]
  const users = evidence.ownClients(server)
  const target = endText(evidence, server, connections.port[first]!)
  const bytes = some.reduce((sum, i) => sum + connections.bytesUp[i]!, 0)
  return {
    title: `${address(client)} begins to ask the name server ${target}`,
    severity: bytes >= limits.bytesMedium ? 'medium' : bytes >= limits.bytesLow ? 'low' : 'info',
    confidence: sureness('low', evidence, some),
    ...{ tactic: 'command-and-control', ...technique('T1071.004') },
    summary: `${address(client)} sent ${megabytes(bytes)} to ${target} in ${number(some.length)} answered ${some.length === 1 ? 'connection' : 'connections'}, none of them in the first part of this evidence.${users === null ? notAskedText(evidence, server) : ` ${number(users)} of your hosts use that server.`}`,
    scores: [
      ...usersScore(evidence, server, limits.ownClientsMax),
      {
        name: 'bytes to it',
        value: bytes,
        threshold: `>= ${limits.bytesLow} for low, ${limits.bytesMedium} for medium`,
      },
    ],
    would_change: 'a server that it asked before, or that more hosts of yours ask',
    counter_hypotheses: [
      'a host that was set up later, or was given another name server',
      'a browser or a phone that brings a resolver of its own',
    ],
    ...{ subject: [client], peers: [server], connections: some },
  }
}
