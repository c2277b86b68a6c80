/** The rules as data: what each needs, its thresholds, what it corresponds to elsewhere. */
import { attackRelease, type KnownTechnique, knownTechnique } from '../rules/attack.ts'
import type { CaseRule, OwnRule } from '../rules/rule.ts'
import type { SetThreshold } from './thresholds.ts'

export interface ListedThreshold {
  name: string
  /** The value in force, and that of the rule. */
  value: number | readonly number[]
  default: number | readonly number[]
  /** What sets it. */
  flag: string
  reason: string
}

export interface ListedRule {
  name: string
  title: string
  /** Null for a rule of Tidemark, else the file that it was loaded from. */
  path: string | null
  needs: CaseRule['needs']
  thresholds: ListedThreshold[]
  attack: KnownTechnique[]
  guard_duty: string[]
}

export interface RuleList {
  attack_release: string
  rules: ListedRule[]
}

export function listRules(rules: readonly (CaseRule | OwnRule)[], set: readonly SetThreshold[]): RuleList {
  return {
    attack_release: attackRelease,
    rules: rules.map(rule => ({
      ...{ name: rule.name, title: rule.title, path: 'path' in rule ? rule.path : null, needs: rule.needs },
      thresholds: Object.entries(rule.thresholds).map(([name, value]) => {
        const was = set.find(one => one.rule === rule.name && one.threshold === name)
        const text = typeof value === 'number' ? String(value) : value.join(',')
        return {
          ...{ name, value, default: was?.default ?? value },
          ...{ flag: `--set ${rule.name}.${name}=${text}`, reason: rule.reasons[name]! },
        }
      }),
      attack: rule.attack.map(one => knownTechnique(one.id) ?? { ...one, tactics: [] }),
      guard_duty: [...rule.guardDuty],
    })),
  }
}
