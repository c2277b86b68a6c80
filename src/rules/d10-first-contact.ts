/** D10: the first that is known of a subject. */
import { outcomes } from '../conversations/services.ts'
import { utcSeconds } from '../net/time.ts'
import { techniques } from './attack.ts'
import type { CaseEvidence } from './evidence.ts'
import type { CaseDraft, CaseRule } from './rule.ts'
import { endText } from './words.ts'

export const firstContact: CaseRule<Record<never, never>> = {
  name: 'D10-first-contact',
  title: 'the earliest connection of the subject, and how it ended',
  needs: {},
  thresholds: {},
  reasons: {},
  attack: techniques(),
  guardDuty: [],
  scope: 'subject',
  withoutTime: true,
  ofSubject: { name: 'first-contact', thresholds: {}, reasons: {} },
  find,
}

function find(evidence: CaseEvidence): CaseDraft[] {
  const { connections, source, address } = evidence
  const { count, client, server, port, start_us } = connections
  if (count === 0) return []
  let first = 0
  for (let i = 1; i < count; i++) if (start_us[i]! < start_us[first]!) first = i
  const [what, sensor] = source === 'logs' ? ['logs', 'sensor'] : ['packets', 'capture']
  const target = endText(evidence, server[first]!, port[first]!)
  const when = Number.isFinite(start_us[first]) ? `starts at ${utcSeconds(start_us[first]!)}` : 'has no time'
  return [
    {
      title: `First contact with ${target}`,
      severity: 'info',
      confidence: 'high',
      ...{ tactic: 'reconnaissance', technique: null, technique_name: null },
      summary: `The first record of the subject ${when}: ${address(client[first]!)} to ${target} (${outcomes[connections.outcome[first]!]}). First within this evidence; earlier contact may lie outside the ${what}.`,
      scores: [],
      would_change: 'an earlier record of the subject',
      counter_hypotheses: [`earlier contact before the ${what} begin, or through a ${sensor} that is not in the case`],
      ...{ subject: [client[first]!], peers: [server[first]!], connections: [first] },
    },
  ]
}
