/** D04: one of our hosts that sent far more to a host outside than it got from there. */
import { noPort } from '../conversations/services.ts'
import { technique, techniques } from './attack.ts'
import { clientsOf, mark, outcome, type Run } from './connections.ts'
import { type CaseEvidence, isMore } from './evidence.ts'
import { type CaseDraft, type CaseRule, decided, distinct, sureness } from './rule.ts'
import { warm_us, warmUp } from './warm-up.ts'
import { boundText, endText, megabytes, notAskedText, number, usersScore } from './words.ts'

const { thresholds, reasons } = decided({
  bytesMin: [100_000_000, 'bytes out to the peer'],
  ratioMin: [0.8, 'producer/consumer ratio (out - in) / (out + in) (Bullard and Gerth 2014: 1 is all push)'],
  bytesHigh: [500_000_000, 'bytes from which on it is sure (Slips)'],
  ownClientsMax: [2, 'own hosts that use the peer: with more of them it is taken for a service that we use'],
  ...warmUp,
})
type Limits = typeof thresholds

/** To ports that are no approved services, of a subject less is told, whether the peer is new or not. */
const ofSubject = decided({
  bytesMin: [1_000_000, 'bytes out to the peer'],
  ratioMin: [0.5, 'producer/consumer ratio: three quarters of the bytes go out'],
  warmUpSeconds: [0, 'a peer need not be new'],
})

export const volume: CaseRule<Limits> = {
  name: 'D04-outbound-volume',
  title: 'a host of yours that sent far more to a host outside than it got from there',
  needs: { accepted: 'must', sizes: 'must', answers: 'better' },
  thresholds,
  reasons,
  attack: techniques('T1048'),
  guardDuty: ['Behavior:EC2/TrafficVolumeUnusual'],
  scope: 'client',
  ofSubject: {
    name: 'data-pushed-out',
    ...ofSubject,
    looksAt: ({ connections, isApproved }, i) =>
      connections.port[i] !== noPort && !isApproved(connections.protocol[i]!, connections.port[i]!),
  },
  find,
}

/** What one of our hosts sent to a peer, connections that it began. */
interface Pair {
  out: number
  in: number
  first_us: number
  isService: boolean
  some: number[]
}

function find(evidence: CaseEvidence, limits: Limits): CaseDraft[] {
  const { connections, isInternal } = evidence
  const { client, server, bytesUp, bytesDown, start_us, marks } = connections
  const new_us = warm_us(evidence, limits)
  const drafts: CaseDraft[] = []
  for (const { from, to } of clientsOf(connections)) {
    if (!isInternal(client[from]!)) continue
    const large = largeTargets(evidence, { from, to }, limits)
    const pairs = new Map<number, Pair>()
    for (let i = from; i < to && large.size > 0; i++) {
      if (!large.has(server[i]!) || connections.outcome[i] === outcome.rejected) continue
      const pair = pairs.get(server[i]!) ?? {
        out: 0,
        in: 0,
        first_us: Number.POSITIVE_INFINITY,
        isService: false,
        some: [],
      }
      pairs.set(server[i]!, pair)
      pair.out += bytesUp[i]!
      pair.in += bytesDown[i]!
      pair.first_us = Math.min(pair.first_us, start_us[i]!)
      if ((marks[i]! & mark.toService) !== 0) pair.isService = true
      pair.some.push(i)
    }
    for (const [peer, pair] of pairs) {
      const isNew = pair.first_us >= new_us
      const isOurs = isMore(evidence.ownClients(peer), limits.ownClientsMax)
      if (isNew && !isOurs && !pair.isService && isPush(evidence, pair, limits))
        drafts.push(draft(evidence, client[from]!, peer, pair, limits))
    }
  }
  return drafts
}

/** Hosts outside that a client sent enough to. */
function largeTargets({ connections, isInternal }: CaseEvidence, { from, to }: Run, { bytesMin }: Limits): Set<number> {
  const { server, bytesUp } = connections
  let all = 0
  for (let i = from; i < to; i++) all += bytesUp[i]!
  if (all < bytesMin) return new Set()
  const sent = new Map<number, number>()
  for (let i = from; i < to; i++) sent.set(server[i]!, (sent.get(server[i]!) ?? 0) + bytesUp[i]!)
  return new Set([...sent].flatMap(([host, bytes]) => (bytes >= bytesMin && !isInternal(host) ? [host] : [])))
}

const ratioOf = (pair: Pair): number => (pair.out - pair.in) / (pair.out + pair.in)

/** Where nothing came back in any record of the case, nothing is known of what did. */
function isPush({ has }: CaseEvidence, pair: Pair, { bytesMin, ratioMin }: Limits): boolean {
  return pair.out >= bytesMin && (!has.answers || ratioOf(pair) >= ratioMin)
}

function whoUses(evidence: CaseEvidence, peer: number, isNew: boolean): string {
  const users = evidence.ownClients(peer)
  const start = isNew
    ? 'No connection with the peer began in the first part of this evidence'
    : 'Connections with the peer may have begun at any time'
  if (users === null) return `${start}.${notAskedText(evidence, peer)}`
  return `${start}; ${users > 1 ? `${number(users)} internal hosts use it` : 'no other internal host uses it'}.`
}

function draft(evidence: CaseEvidence, host: number, peer: number, pair: Pair, limits: Limits): CaseDraft {
  const { connections, address, has } = evidence
  const ports = distinct(pair.some.map(i => connections.port[i]!))
  const target = ports.length === 1 ? endText(evidence, peer, ports[0]!) : address(peer)
  const isNew = limits.warmUpSeconds > 0
  const ratio = Math.round(ratioOf(pair) * 100) / 100
  const isMuch = isPush(evidence, pair, thresholds)
  // Who is asked for is suspected already: it takes no more bytes to be sure.
  const isSure = has.answers && isMuch && (pair.out >= limits.bytesHigh || evidence.subject !== null)
  const got = has.answers
    ? `and got ${number(pair.in)} (producer/consumer ratio ${ratio.toFixed(2)})`
    : 'what came back is not recorded'
  return {
    // A dossier's story adds exact volumes to its lines.
    title: `Data sent out to ${target}${evidence.subject === null ? `: ${megabytes(pair.out)}` : ''}`,
    severity: isMuch ? 'high' : 'medium',
    confidence: sureness(isSure ? 'high' : 'medium', evidence, pair.some),
    tactic: 'exfiltration',
    ...technique('T1048'),
    summary: `${address(host)} sent ${number(pair.out)} bytes to ${target} in ${number(pair.some.length)} ${pair.some.length === 1 ? 'connection' : 'connections'}, ${got}. ${whoUses(evidence, peer, isNew)}${boundText(connections, pair.some)}`,
    scores: [
      { name: 'bytes out', value: pair.out, threshold: `>= ${limits.bytesMin}` },
      ...(has.answers ? [{ name: 'producer/consumer ratio', value: ratio, threshold: `>= ${limits.ratioMin}` }] : []),
      ...usersScore(evidence, peer, limits.ownClientsMax),
    ],
    would_change:
      'a peer that was known before, that more hosts of yours use, or that is named an AWS service by the log',
    counter_hypotheses: [
      'a backup, log shipping or replication that began within this evidence',
      'an upload by a user, a video call',
      'volume alone does not prove what was in it',
    ],
    ...{ subject: [host], peers: [peer], connections: pair.some },
  }
}
