/** What the rules for moves from one of our hosts to another say alike. */
import { durationWords, utcSeconds } from '../net/time.ts'
import { technique, techniques } from './attack.ts'
import type { CaseEvidence } from './evidence.ts'
import type { CaseDraft } from './rule.ts'
import { warm_us } from './warm-up.ts'

/** Ports by which a host is administered, its files or its data are reached. */
export const administrativePorts: readonly number[] = [
  22, 23, 135, 139, 445, 1433, 2049, 2375, 2376, 3306, 3389, 5432, 5900, 5985, 5986, 6379, 6443, 10_250,
]

const ids = {
  22: 'T1021.004',
  3389: 'T1021.001',
  135: 'T1021.002',
  139: 'T1021.002',
  445: 'T1021.002',
  5985: 'T1021.006',
  5986: 'T1021.006',
} as const

export const remoteServices = techniques('T1021', 'T1021.001', 'T1021.002', 'T1021.004', 'T1021.006')

/** The technique of a session on a port. */
export function techniqueOf(port: number): Pick<CaseDraft, 'tactic' | 'technique' | 'technique_name'> {
  return { tactic: 'lateral-movement', ...technique(ids[port as keyof typeof ids] ?? 'T1021') }
}

/** What is not known of what was usual before the evidence began. */
export function noveltyLimits(
  evidence: Pick<CaseEvidence, 'span'>,
  limits: { warmUpSeconds: number; warmUpShare: number },
): string[] {
  const { span } = evidence
  const from_us = warm_us(evidence, limits)
  return [
    `new means not seen before ${utcSeconds(from_us)}, the first ${durationWords(Math.round((from_us - span.from_us) / 1e6))} of this evidence: there is no other history, and what happens less often looks new`,
  ]
}
