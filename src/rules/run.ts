/** What a rule is given of some connections, and finds in them. */
import { taken } from '../conversations/connections.ts'
import { caseRules } from './all.ts'
import { clientsOf, servicesIn } from './connections.ts'
import type { CaseEvidence } from './evidence.ts'
import { type CaseDraft, type CaseRule, standsOn } from './rule.ts'

/** The numbers of the connections that each of some rules of scope `case` asks for. */
export function selected(
  evidence: CaseEvidence,
  rules: readonly Pick<CaseRule, 'selects' | 'thresholds'>[],
): Uint32Array[] {
  const { connections } = evidence
  const some = rules.map((): number[] => [])
  for (const client of rules.length === 0 ? [] : clientsOf(connections)) {
    for (const service of servicesIn(connections, client)) {
      for (let at = 0; at < rules.length; at++) {
        const rule = rules[at]!
        if (rule.selects?.(evidence, service, rule.thresholds) !== true) continue
        for (let i = service.from; i < service.to; i++) some[at]!.push(i)
      }
    }
  }
  return some.map(numbers => Uint32Array.from(numbers))
}

/** What a rule finds in all connections that there are, in what it asks for of them. */
export function draftsOf(
  evidence: CaseEvidence,
  rule: CaseRule,
  thresholds: CaseRule['thresholds'] = rule.thresholds,
): CaseDraft[] {
  if (rule.scope === 'client' || rule.scope === 'subject') return rule.find(evidence, thresholds)
  if (rule.scope === 'findings') {
    const others = caseRules.filter(({ name }) => standsOn(rule, name))
    const found = others.flatMap(one => draftsOf(evidence, one).map(draft => ({ ...draft, rule: one.name })))
    return rule.find(evidence, thresholds, found)
  }
  const [of] = selected(evidence, [{ ...rule, thresholds }]) as [Uint32Array]
  const drafts = rule.find({ ...evidence, connections: taken(evidence.connections, of) }, thresholds)
  return drafts.map(draft => renumbered(draft, of))
}

/** A finding in some of the connections, by their numbers among all. */
export function renumbered({ timed, ...draft }: CaseDraft, of: Uint32Array): CaseDraft {
  const among = (some: readonly number[]): number[] => some.map(i => of[i]!)
  return { ...draft, connections: among(draft.connections), ...(timed !== undefined && { timed: among(timed) }) }
}
