/** D04, the other direction: one of our servers that answered a host outside with much data. */
import { noPort } from '../conversations/services.ts'
import { techniques } from './attack.ts'
import { clientsOf, outcome, type Run, servicesIn } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import { type CaseDraft, type CaseRule, decided, sureness } from './rule.ts'
import { boundText, endText, number } from './words.ts'

const { thresholds, reasons } = decided({
  bytesMin: [10_000_000, 'bytes in answers: below, pages and images are everyday'],
  answerTimes: [2, 'times the bytes of the requests: what was fetched outweighs what was asked'],
})
type Limits = typeof thresholds

export const dataServed: CaseRule<Limits> = {
  name: 'D04-data-served',
  title: 'a server of yours that answered a host outside with much data: it was fetched, not pushed',
  needs: { accepted: 'must', answers: 'must', sizes: 'must' },
  thresholds,
  reasons,
  attack: techniques(),
  guardDuty: [],
  scope: 'subject',
  withoutTime: true,
  ofSubject: { name: 'data-served', thresholds: {}, reasons: {} },
  find,
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal } = evidence
  const drafts: CaseDraft[] = []
  for (const client of clientsOf(connections)) {
    if (isInternal(connections.client[client.from]!)) continue
    for (const service of servicesIn(connections, client)) {
      if (connections.port[service.from] === noPort || !isInternal(connections.server[service.from]!)) continue
      const found = served(evidence, service, limits)
      if (found !== null) drafts.push(found)
    }
  }
  return drafts
}

/** What a service answered a client, if it is much. */
function served(evidence: CaseEvidence, { from, to }: Run, limits: Limits): CaseDraft | null {
  const { connections, address } = evidence
  const { bytesUp, bytesDown } = connections
  const some: number[] = []
  let [up, down, isAnswered] = [0, 0, false]
  for (let i = from; i < to; i++) {
    if (connections.outcome[i] === outcome.rejected) continue
    if (connections.outcome[i] === outcome.answered) isAnswered = true
    up += bytesUp[i]!
    down += bytesDown[i]!
    some.push(i)
  }
  if (!isAnswered || down < limits.bytesMin || down < limits.answerTimes * up) return null
  const [client, server] = [connections.client[from]!, connections.server[from]!]
  const target = endText(evidence, server, connections.port[from]!)
  return {
    title: `Data downloaded from ${target}`,
    severity: 'medium',
    confidence: sureness('high', evidence, some),
    ...{ tactic: 'exfiltration', technique: null, technique_name: null },
    summary: `${target} answered ${address(client)} with ${number(down)} bytes in ${number(some.length)} ${some.length === 1 ? 'connection' : 'connections'}, for ${number(up)} bytes of requests: the client fetched it, the server did not push it.${boundText(connections, some)}`,
    scores: [
      { name: 'bytes in answers', value: down, threshold: `>= ${limits.bytesMin}` },
      {
        name: 'answers by requests',
        value: Math.round((down * 10) / Math.max(1, up)) / 10,
        threshold: `>= ${limits.answerTimes}`,
      },
    ],
    would_change: 'fewer bytes in answers, or as many in requests',
    counter_hypotheses: [
      'ordinary pages, images or downloads that the server offers to anyone',
      'a search engine or an archive that reads the site',
    ],
    ...{ subject: [client], peers: [server], connections: some },
  }
}
