/** What the rules for scans say alike. */
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
  if (!evidence.isInternal(actor))
    return { tactic: 'reconnaissance', technique: 'T1595.001', technique_name: 'Active Scanning: Scanning IP Blocks' }
  const name = inside === 'T1046' ? 'Network Service Discovery' : 'Remote System Discovery'
  return { tactic: 'discovery', technique: inside, technique_name: name }
}
