/** What counts as new within the evidence: what is first seen after a while of it. */
import type { CaseEvidence } from './evidence.ts'

/** The thresholds of a rule that asks for it, each with its reason. */
export const warmUp = {
  warmUpSeconds: [3600, 'what is first seen after that time of the evidence counts as new'],
  warmUpShare: [0.25, 'or after that share of the evidence, if this is less'],
} as const

/** The moment from which on something counts as new, microseconds. */
export function warm_us(
  { span }: Pick<CaseEvidence, 'span'>,
  limits: { warmUpSeconds: number; warmUpShare: number },
): number {
  return span.from_us + Math.min(limits.warmUpSeconds * 1e6, limits.warmUpShare * (span.to_us - span.from_us))
}
