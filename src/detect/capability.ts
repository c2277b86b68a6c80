/** D00: what this evidence can and cannot answer. It comes first, and is never left out. */
import type { Seen } from '../conversations/host-facts.ts'
import { gatherActions, oneSidedLimits } from '../investigate/actions.ts'
import { gatherCoverage, gatherSpans } from '../investigate/coverage.ts'
import type { Gap } from '../investigate/dossier.ts'
import { cannotTell, cutByPull, notLogged, notPulled } from '../investigate/limits.ts'
import type { CaseEvidence } from '../rules/evidence.ts'
import { limitsOf } from '../rules/needs.ts'
import type { CaseRule } from '../rules/rule.ts'
import type { Case } from '../store/case.ts'

/** What the evidence covers. */
export interface Capability {
  /** Whether no gap is known of. */
  complete: boolean
  /** Whether records have TCP flags, and an action; whether some are rejected, some accepted, some connections answered. */
  has: CaseEvidence['has']
  interval_seconds: number
  gaps: Gap[]
  gaps_not_listed: number
  /** What the fields of the records, and their kind, leave open. */
  cannot_tell: string[]
  /** What is in no log of this kind. */
  not_logged: string[]
}

export interface NotDecidable {
  rule: string
  reason: string
}

/** @param isPart whether it is asked for hosts of which all records are there, and what else is not there is known. */
export async function capabilityOf(
  c: Case,
  { has, interval_us }: Pick<CaseEvidence, 'has' | 'interval_us'>,
  { count, span }: { count: number; span: CaseEvidence['span'] },
  isPart = false,
): Promise<Capability> {
  await gatherSpans(c)
  const { told: actions } = await gatherActions(c)
  const coverage = await gatherCoverage(c, count === 0 ? null : span, [])
  return {
    complete: coverage.gaps.length + coverage.gapsLeft === 0,
    has,
    interval_seconds: interval_us / 1e6,
    gaps: coverage.gaps,
    gaps_not_listed: coverage.gapsLeft,
    cannot_tell: [...(isPart ? [] : notPulled(c)), ...cutByPull(c), ...oneSidedLimits(actions), ...cannotTell(c)],
    not_logged: c.source === 'logs' ? notLogged : [],
  }
}

/** What the gaps hide from every answer. */
export function gapReason({ complete, gaps, gaps_not_listed }: Capability): NotDecidable[] {
  const holes = gaps.length + gaps_not_listed
  const reason = `the evidence has ${holes} known ${holes === 1 ? 'gap' : 'gaps'}: what lies in them is in no finding, and every count is a floor`
  return complete ? [] : [{ rule: 'D00-coverage', reason }]
}

/** Most rules ask what hosts of the analyst do: where none is known to be one, they find nothing. */
function strangers({ hosts, isInternal }: CaseEvidence): NotDecidable[] {
  for (let host = 0; host < hosts; host++) if (isInternal(host)) return []
  const reason = 'no address here is private, so that none counts as yours: name your networks with --internal'
  return [{ rule: 'D00-coverage', reason }]
}

/** What each rule cannot decide here, and why; what the gaps hide from all of them comes first. */
export function undecided(
  evidence: CaseEvidence,
  { count }: Seen,
  coverage: Capability,
  rules: readonly CaseRule[],
): NotDecidable[] {
  const whole = gapReason(coverage)
  if (count === 0)
    return [
      ...whole,
      ...rules.map(({ name }) => ({
        rule: name,
        reason: 'there are no connections in what was asked for, or none that has a time',
      })),
    ]
  return [
    ...whole,
    ...strangers(evidence),
    ...rules.flatMap(rule => limitsOf(rule, evidence).map(reason => ({ rule: rule.name, reason }))),
  ]
}
