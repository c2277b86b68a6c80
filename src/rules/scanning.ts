/** What the rules for scans say alike. */
import { technique } from './attack.ts'
import type { CaseEvidence } from './evidence.ts'
import type { CaseDraft } from './rule.ts'

export const benignScans = [
  'a scanner of your own, for monitoring, inventory or weaknesses: name it with --scanner',
  'a client whose servers were moved or are down',
  'answers that a sensor outside the case recorded',
]

export function scanTechnique(
  evidence: CaseEvidence,
  actor: number,
  inside: 'T1046' | 'T1018',
): Pick<CaseDraft, 'tactic' | 'technique' | 'technique_name'> {
  return evidence.isInternal(actor)
    ? { tactic: 'discovery', ...technique(inside) }
    : { tactic: 'reconnaissance', ...technique('T1595.001') }
}
