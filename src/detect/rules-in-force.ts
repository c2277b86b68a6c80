/** The rules that run, and the thresholds by which they decide. */
import { caseRules } from '../rules/all.ts'
import { loadRules } from '../rules/own-rules.ts'
import type { CaseRule } from '../rules/rule.ts'
import { rulesNamed, type SetThreshold, withThresholds } from './thresholds.ts'

/** Which rules, as plain data: any thread can make the same of it. */
export interface RuleChoice {
  /** Only these rules, by number or name: `D01`, `D01-scan`. */
  rules?: string[]
  /** Thresholds in place of those of the rules: `D01.targetsMin=20`. */
  set?: string[]
  /** A folder with rules of the analyst's own (`loadRules`). They are code, and are run. */
  ownRules?: string
}

export interface InForce {
  rules: readonly CaseRule[]
  set: SetThreshold[]
}

/**
 * The rules of Tidemark and the analyst's own, those that are asked for, with the thresholds in force.
 *
 * @throws UserError (status 2) for what is no rule or threshold, and for files that hold no rule.
 */
export async function rulesInForce({ rules: names = [], set: texts = [], ownRules }: RuleChoice): Promise<InForce> {
  const own = ownRules === undefined ? [] : (await loadRules(ownRules)).flatMap(({ rules }) => rules)
  const { rules, set } = withThresholds(texts, [...caseRules, ...own])
  const asked = new Set(names.flatMap(name => rulesNamed(name, rules)))
  return { rules: rules.filter(rule => names.length === 0 || asked.has(rule)), set }
}
