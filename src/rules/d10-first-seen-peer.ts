/** D10: a peer outside that is new and rare, of whom another rule has something to say. */
import { utcSeconds } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import type { CaseEvidence } from './evidence.ts'
import type { Confidence } from './finding.ts'
import { noveltyLimits } from './lateral.ts'
import { type CaseDraft, type CaseRule, decided, namesText, type RuleDraft } from './rule.ts'
import { warm_us, warmUp } from './warm-up.ts'
import { number } from './words.ts'

const { thresholds, reasons } = decided({
  ownClientsMax: [1, 'own hosts that use the peer: with more of them it is not rare (RITA takes 2 % of all)'],
  rulesForLow: [
    2,
    'rules that tell of the peer, with which severity is low: by itself a new peer is never more than info',
  ],
  ...warmUp,
})
type Limits = typeof thresholds

export const newPeer: CaseRule<Limits> = {
  name: 'D10-first-seen-peer',
  title: 'a host outside that is new and rare here, and that another rule tells of',
  needs: { accepted: 'must' },
  thresholds,
  reasons,
  attack: techniques('T1071', 'T1041'),
  guardDuty: [],
  scope: 'findings',
  on: ['D03', 'D04', 'D06', 'D08', 'D09', 'D12'],
  limitsOf: noveltyLimits,
  find,
}

function find(evidence: CaseEvidence, limits: Limits, found: readonly RuleDraft[] = []): CaseDraft[] {
  const { isInternal, ownClients, firstSeen_us } = evidence
  const from_us = warm_us(evidence, limits)
  /** By host and peer: places of the findings that tell of the two. */
  const pairs = new Map<number, number[]>()
  for (const [at, one] of found.entries()) {
    const [host] = one.subject as [number]
    if (one.severity === 'info' || one.subject.length !== 1 || !isInternal(host)) continue
    for (const peer of one.peers) {
      const [users, seen_us] = [ownClients(peer), firstSeen_us(peer)]
      const isRare = users !== null && users <= limits.ownClientsMax
      if (isInternal(peer) || !isRare || seen_us === null || seen_us < from_us) continue
      const key = host * evidence.hosts + peer
      const known = pairs.get(key)
      if (known === undefined) pairs.set(key, [at])
      else known.push(at)
    }
  }
  return [...pairs]
    .sort(([a], [b]) => a - b)
    .map(([key, on]) => {
      const draft = draftOf(
        evidence,
        Math.floor(key / evidence.hosts),
        key % evidence.hosts,
        on.map(at => found[at]!),
        limits,
      )
      return { ...draft, connections: on }
    })
}

function draftOf(
  evidence: CaseEvidence,
  host: number,
  peer: number,
  some: readonly RuleDraft[],
  limits: Limits,
): Omit<CaseDraft, 'connections'> {
  const { address } = evidence
  const [users, seen_us] = [evidence.ownClients(peer)!, evidence.firstSeen_us(peer)!]
  const rules = [...new Set(some.map(one => one.rule.slice(0, 3)))].sort()
  const others = users > 1 ? `${number(users - 1)} other internal hosts use it` : 'no other internal host uses it'
  return {
    title: `First contact with ${address(peer)}`,
    severity: rules.length >= limits.rulesForLow && !evidence.isScanner(host) ? 'low' : 'info',
    confidence: leastOf(some.map(one => one.confidence)),
    ...(some.every(one => one.tactic === 'exfiltration')
      ? { tactic: 'exfiltration' as const, ...technique('T1041') }
      : { tactic: 'command-and-control' as const, ...technique('T1071') }),
    summary: `${address(peer)} is first seen at ${utcSeconds(seen_us)}, and ${others}; ${namesText([...new Set(some.map(one => one.rule))])} ${rules.length === 1 ? 'tells' : 'tell'} of what ${address(host)} had to do with it.`,
    scores: [
      { name: 'own hosts that use the peer', value: users, threshold: `<= ${limits.ownClientsMax}` },
      { name: 'rules that tell of it', value: rules.length, threshold: `>= 1, for low ${limits.rulesForLow}` },
    ],
    would_change: 'a peer that was there at the beginning, or that more hosts of yours use',
    counter_hypotheses: [
      'an address of a cloud or a content network that changes often',
      'a service that is new to you, and wanted',
      'evidence that begins shortly before',
    ],
    ...{ subject: [host], peers: [peer] },
  }
}

function leastOf(confidences: readonly Confidence[]): Confidence {
  return (['low', 'medium', 'high'] as const).find(one => confidences.includes(one)) ?? 'low'
}
