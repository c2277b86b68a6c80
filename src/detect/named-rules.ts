/** The rules that are asked for, by their names: what another thread needs to run the same. */
import { UserError } from '../errors.ts'
import { caseRules } from '../rules/all.ts'
import type { CaseRule } from '../rules/rule.ts'

/** @param names numbers or names, `D01` or `D01-scan`; none: all rules. @throws UserError (status 2) for what is no rule. */
export function rulesNamed(names: readonly string[]): readonly CaseRule[] {
  if (names.length === 0) return caseRules
  const numberOf = (name: string): string => name.slice(0, 3).toUpperCase()
  for (const name of names) {
    if (
      caseRules.some(rule => [rule.name.toLowerCase(), numberOf(rule.name).toLowerCase()].includes(name.toLowerCase()))
    )
      continue
    throw new UserError(`no such rule: ${name}`, {
      status: 2,
      hint: `there are ${caseRules.map(rule => rule.name).join(', ')}`,
    })
  }
  return caseRules.filter(({ name: rule }) =>
    names.some(name => [rule.toLowerCase(), numberOf(rule).toLowerCase()].includes(name.toLowerCase())),
  )
}
